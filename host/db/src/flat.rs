use std::fmt::{self, Display};

use serde::ser::{Error as _, Impossible, SerializeStruct};
use serde::{Serialize, Serializer};

/// What a column of a row holds.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Value {
    Null,
    Integer(i64),
    Text(String),
}

/// Takes the fields of a struct of texts and integers, in their order.
pub(crate) fn push_fields(row: &impl Serialize, values: &mut Vec<Value>) -> Result<(), NotFlat> {
    row.serialize(Fields(values))
}

/// The value is not a struct of texts, integers and options of them.
#[derive(Debug)]
pub(crate) struct NotFlat(String);

impl Display for NotFlat {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for NotFlat {}

impl serde::ser::Error for NotFlat {
    fn custom<T: Display>(message: T) -> Self {
        Self(message.to_string())
    }
}

/// Serializes nothing but what `$also` says.
macro_rules! refuse_all_but {
    ($($also:tt)*) => {
        type Ok = ();
        type Error = NotFlat;
        type SerializeSeq = Impossible<(), NotFlat>;
        type SerializeTuple = Impossible<(), NotFlat>;
        type SerializeTupleStruct = Impossible<(), NotFlat>;
        type SerializeTupleVariant = Impossible<(), NotFlat>;
        type SerializeMap = Impossible<(), NotFlat>;
        type SerializeStructVariant = Impossible<(), NotFlat>;
        $($also)*
        refuse! {
            serialize_bool(bool) serialize_f32(f32) serialize_f64(f64) serialize_char(char)
            serialize_bytes(&[u8]) serialize_unit_struct(&'static str)
        }
        fn serialize_unit(self) -> Result<(), NotFlat> {
            not_flat()
        }
        fn serialize_unit_variant(self, _: &'static str, _: u32, _: &'static str) -> Result<(), NotFlat> {
            not_flat()
        }
        fn serialize_newtype_variant<T: Serialize + ?Sized>(
            self, _: &'static str, _: u32, _: &'static str, _: &T,
        ) -> Result<(), NotFlat> {
            not_flat()
        }
        fn serialize_seq(self, _: Option<usize>) -> Result<Self::SerializeSeq, NotFlat> {
            not_flat()
        }
        fn serialize_tuple(self, _: usize) -> Result<Self::SerializeTuple, NotFlat> {
            not_flat()
        }
        fn serialize_tuple_struct(self, _: &'static str, _: usize) -> Result<Self::SerializeTupleStruct, NotFlat> {
            not_flat()
        }
        fn serialize_tuple_variant(
            self, _: &'static str, _: u32, _: &'static str, _: usize,
        ) -> Result<Self::SerializeTupleVariant, NotFlat> {
            not_flat()
        }
        fn serialize_map(self, _: Option<usize>) -> Result<Self::SerializeMap, NotFlat> {
            not_flat()
        }
        fn serialize_struct_variant(
            self, _: &'static str, _: u32, _: &'static str, _: usize,
        ) -> Result<Self::SerializeStructVariant, NotFlat> {
            not_flat()
        }
    };
}

macro_rules! refuse {
    ($($name:ident($of:ty))*) => {
        $(fn $name(self, _: $of) -> Result<(), NotFlat> {
            not_flat()
        })*
    };
}

fn not_flat<T>() -> Result<T, NotFlat> {
    Err(NotFlat::custom("a row is a struct of texts and integers"))
}

/// A row.
struct Fields<'a>(&'a mut Vec<Value>);

impl<'a> Serializer for Fields<'a> {
    type SerializeStruct = Fields<'a>;

    refuse_all_but! {
        fn serialize_struct(self, _: &'static str, _: usize) -> Result<Fields<'a>, NotFlat> {
            Ok(self)
        }
        fn serialize_newtype_struct<T: Serialize + ?Sized>(
            self, _: &'static str, value: &T,
        ) -> Result<(), NotFlat> {
            value.serialize(self)
        }
        fn serialize_some<T: Serialize + ?Sized>(self, _: &T) -> Result<(), NotFlat> {
            not_flat()
        }
        fn serialize_none(self) -> Result<(), NotFlat> {
            not_flat()
        }
        refuse! {
            serialize_i8(i8) serialize_i16(i16) serialize_i32(i32) serialize_i64(i64)
            serialize_u8(u8) serialize_u16(u16) serialize_u32(u32) serialize_u64(u64)
            serialize_str(&str)
        }
    }
}

impl SerializeStruct for Fields<'_> {
    type Ok = ();
    type Error = NotFlat;

    fn serialize_field<T: Serialize + ?Sized>(
        &mut self,
        _: &'static str,
        value: &T,
    ) -> Result<(), NotFlat> {
        value.serialize(Field(self.0))
    }

    fn end(self) -> Result<(), NotFlat> {
        Ok(())
    }
}

/// A column of a row.
struct Field<'a>(&'a mut Vec<Value>);

macro_rules! integers {
    ($($name:ident($of:ty))*) => {
        $(fn $name(self, value: $of) -> Result<(), NotFlat> {
            let value = i64::try_from(value).map_err(NotFlat::custom)?;
            self.0.push(Value::Integer(value));
            Ok(())
        })*
    };
}

impl Serializer for Field<'_> {
    type SerializeStruct = Impossible<(), NotFlat>;

    refuse_all_but! {
        fn serialize_struct(self, _: &'static str, _: usize) -> Result<Self::SerializeStruct, NotFlat> {
            not_flat()
        }
        fn serialize_newtype_struct<T: Serialize + ?Sized>(
            self, _: &'static str, value: &T,
        ) -> Result<(), NotFlat> {
            value.serialize(self)
        }
        fn serialize_some<T: Serialize + ?Sized>(self, value: &T) -> Result<(), NotFlat> {
            value.serialize(self)
        }
        fn serialize_none(self) -> Result<(), NotFlat> {
            self.0.push(Value::Null);
            Ok(())
        }
        fn serialize_str(self, value: &str) -> Result<(), NotFlat> {
            self.0.push(Value::Text(value.to_owned()));
            Ok(())
        }
        fn collect_str<T: Display + ?Sized>(self, value: &T) -> Result<(), NotFlat> {
            self.0.push(Value::Text(value.to_string()));
            Ok(())
        }
        integers! {
            serialize_i8(i8) serialize_i16(i16) serialize_i32(i32) serialize_i64(i64)
            serialize_u8(u8) serialize_u16(u16) serialize_u32(u32) serialize_u64(u64)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Serialize)]
    struct Row<'a> {
        id: &'a str,
        minor: i64,
        version: u32,
        order: Option<String>,
        plugin: Option<&'a str>,
    }

    #[test]
    fn the_fields_of_a_struct_come_in_their_order() {
        let row = Row {
            id: "trf_1",
            minor: -3,
            version: 7,
            order: Some("ord_1".to_owned()),
            plugin: None,
        };
        let mut values = Vec::new();
        push_fields(&row, &mut values).unwrap();
        let text = |text: &str| Value::Text(text.to_owned());
        let expected = [
            text("trf_1"),
            Value::Integer(-3),
            Value::Integer(7),
            text("ord_1"),
            Value::Null,
        ];
        assert_eq!(values, expected);
    }

    #[test]
    fn what_is_no_struct_of_texts_and_integers_is_refused() {
        #[derive(Serialize)]
        struct Deep {
            parts: Vec<i64>,
        }
        #[derive(Serialize)]
        struct Large {
            number: u64,
        }
        let mut values = Vec::new();
        assert!(push_fields(&Deep { parts: vec![1] }, &mut values).is_err());
        assert!(push_fields(&Large { number: u64::MAX }, &mut values).is_err());
        assert!(push_fields(&"text", &mut values).is_err());
        assert!(push_fields(&7, &mut values).is_err());
    }
}
