//! Attested rows: what the journal of the ledger keeps of a row, so that a byte
//! that changes behind the host's back can be named.
//!
//! A row is attested as the JSON text of the struct that its room hands to the
//! database. [`Attested`] says how that text is built again from the stored
//! columns.

mod change;
mod scan;

use std::fmt;

use qiao_model::{Id, id::Noun};
use serde::Serialize;
use sha2::{Digest, Sha256};

pub use change::Before;
pub use scan::{StoredRow, scan};

/// The SHA-256 of a row's content.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RowDigest([u8; 32]);

impl RowDigest {
    /// The digest with these bytes.
    #[must_use]
    pub const fn from_bytes(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    /// Its bytes.
    #[must_use]
    pub const fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }

    fn of(text: &[u8]) -> Self {
        Self(Sha256::digest(text).into())
    }
}

/// Room for the text of most rows.
const ROW_BYTES: usize = 512;

impl fmt::Debug for RowDigest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

/// That a row is as it is since a batch. One that changed names what it was
/// before, so that the facts of a row are a path from nothing to what it is now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Fact {
    /// Which rows: [`Attested::name`].
    pub name: &'static str,
    /// Which row.
    pub id: u128,
    /// Its digest until this batch; none for a new row.
    pub before: Option<RowDigest>,
    /// Its digest from this batch on.
    pub digest: RowDigest,
}

impl Fact {
    /// The fact of a row that was there before.
    #[must_use]
    pub const fn after(mut self, before: RowDigest) -> Self {
        self.before = Some(before);
        self
    }
}

/// How an id stands in its column, or in the columns of a key.
#[derive(Clone, Copy, Debug)]
pub struct IdForm {
    /// How many of the row's first values make the id, as texts with a `/` between.
    columns: usize,
    read: fn(&str) -> Option<u128>,
    write: fn(u128) -> String,
}

impl IdForm {
    /// Ids of a noun.
    #[must_use]
    pub const fn of<N: Noun>() -> Self {
        Self {
            columns: 1,
            read: |text| text.parse::<Id<N>>().ok().map(Id::as_u128),
            write: |id| Id::<N>::from_u128(id).to_string(),
        }
    }

    /// 32 hexadecimal digits.
    #[must_use]
    pub const fn hex() -> Self {
        Self {
            columns: 1,
            read: |text| u128::from_str_radix(text, 16).ok(),
            write: |id| format!("{id:032x}"),
        }
    }

    /// The digest of a key of so many columns: the text of an id is made of them,
    /// and cannot be had back from it.
    #[must_use]
    pub const fn key(columns: usize) -> Self {
        Self {
            columns,
            read: |text| Some(digest_of_key(text)),
            write: |id| format!("{id:032x}"),
        }
    }

    /// How many columns make an id.
    #[must_use]
    pub const fn columns(&self) -> usize {
        self.columns
    }

    /// The id of a stored text, if it is one.
    #[must_use]
    pub fn read(&self, text: &str) -> Option<u128> {
        (self.read)(text)
    }

    /// The stored text of an id.
    #[must_use]
    pub fn write(&self, id: u128) -> String {
        (self.write)(id)
    }
}

fn digest_of_key(text: &str) -> u128 {
    let digest = Sha256::digest(text.as_bytes());
    let mut short = [0; 16];
    short.copy_from_slice(&digest[..16]);
    u128::from_be_bytes(short)
}

/// How a column's value is written in the JSON text of its row.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Form {
    /// As a string.
    Text,
    /// As a number.
    Integer,
}

/// One value of a row: its name in the JSON text, its column, its form.
pub type Field = (&'static str, &'static str, Form);

/// Which rows must be there, and which of them have a fact.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Keeping {
    /// Every row is attested and none ever goes away.
    Whole,
    /// Every row is attested and forgotten after a while.
    Swept {
        /// How long one is kept at least.
        kept_secs: i64,
    },
    /// Rows are forgotten after a while, and not all of them are attested.
    Shared {
        /// How long one is kept at least.
        kept_secs: i64,
        /// The value by which they are told apart.
        field: &'static str,
        /// What it begins with in rows that are attested.
        attested: &'static [&'static str],
    },
}

impl Keeping {
    /// How long a row is kept at least; none when it never goes away.
    #[must_use]
    pub const fn kept_secs(&self) -> Option<i64> {
        match self {
            Self::Whole => None,
            Self::Swept { kept_secs } | Self::Shared { kept_secs, .. } => Some(*kept_secs),
        }
    }
}

/// Rows that the journal attests: a table, or a part of its columns.
#[derive(Clone, Copy, Debug)]
pub struct Attested {
    /// What facts call them: the table, or `table/part`.
    pub name: &'static str,
    /// The table.
    pub table: &'static str,
    /// How its id reads.
    pub id: IdForm,
    /// The values in the order of the JSON text; the first are the id.
    pub fields: &'static [Field],
    /// Which rows must be there.
    pub keeping: Keeping,
}

impl Attested {
    /// What is attested of a row, which is a struct of texts and integers.
    ///
    /// # Panics
    /// The row has no JSON form, which no data can cause.
    #[must_use]
    pub fn fact<T: Serialize>(&self, id: u128, row: &T) -> Fact {
        let mut text = self.begin();
        if let Err(error) = serde_json::to_writer(&mut text, row) {
            panic!("a row has no JSON form: {error}");
        }
        Fact {
            name: self.name,
            id,
            before: None,
            digest: RowDigest::of(&text),
        }
    }

    /// The id of the row of a key.
    ///
    /// # Panics
    /// The key is no text of such an id, which no key of this host's own is.
    #[must_use]
    pub fn id_of(&self, key: &[&str]) -> u128 {
        let text = key.join("/");
        match self.id.read(&text) {
            Some(id) => id,
            None => panic!("`{text}` is no id of {}", self.table),
        }
    }

    /// What is hashed of a row, before its JSON text: hashed in one go, since a text is
    /// written in dozens of pieces.
    fn begin(&self) -> Vec<u8> {
        let mut text = Vec::with_capacity(ROW_BYTES);
        text.extend_from_slice(self.name.as_bytes());
        text.push(0);
        text
    }
}

#[cfg(test)]
mod tests {
    use qiao_model::id::noun;

    use super::*;

    const ROWS: Attested = Attested {
        name: "payment",
        table: "payment",
        id: IdForm::of::<noun::Payment>(),
        fields: &[("id", "id", Form::Text), ("minor", "minor", Form::Integer)],
        keeping: Keeping::Whole,
    };

    #[derive(Serialize)]
    struct Row {
        id: &'static str,
        minor: i64,
    }

    #[test]
    fn a_digest_follows_from_the_name_and_every_value() {
        let row = |id, minor| Row { id, minor };
        let fact = ROWS.fact(1, &row("a", 5));
        assert_eq!(fact, ROWS.fact(1, &row("a", 5)));
        assert_ne!(fact.digest, ROWS.fact(1, &row("b", 5)).digest);
        assert_ne!(fact.digest, ROWS.fact(1, &row("a", 6)).digest);
        let other = Attested {
            name: "payment/state",
            ..ROWS
        };
        assert_ne!(fact.digest, other.fact(1, &row("a", 5)).digest);
    }

    #[test]
    fn a_key_of_columns_has_an_id_of_its_own() {
        let rows = Attested {
            id: IdForm::key(2),
            ..ROWS
        };
        let id = rows.id_of(&["river", "2026-11-26"]);
        assert_eq!(rows.id.read("river/2026-11-26"), Some(id));
        assert_ne!(id, rows.id_of(&["river", "2026-11-27"]));
    }

    #[test]
    fn an_id_survives_its_column() {
        for form in [IdForm::hex(), IdForm::of::<noun::Payment>()] {
            let text = form.write(77);
            assert_eq!(form.read(&text), Some(77), "{text}");
            assert_eq!(form.read("nothing"), None);
        }
    }
}
