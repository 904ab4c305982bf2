use std::borrow::Cow;
use std::fmt::Display;
use std::str::FromStr;

use qiao_db::Error;
use qiao_model::{Amount, Currency, Money, Timestamp};
use serde::{Deserialize, Serialize, Serializer};
use sqlx::Row;
use sqlx::any::AnyRow;

use crate::batch::Record;
use crate::payment::{Delivery, Payment, PaymentState, Refund, Split, VoidReason};

/// A value as its text, without an allocation.
pub(super) struct AsText<T>(pub(super) T);

impl<T: Display> Serialize for AsText<T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(&self.0)
    }
}

/// The rows as one JSON array.
pub(super) fn json<T: Serialize>(rows: &[T]) -> String {
    match serde_json::to_string(rows) {
        Ok(text) => text,
        // Text and integers always have a JSON form.
        Err(error) => panic!("a row has no JSON form: {error}"),
    }
}

/// A split as it is stored: receiver, minor units, purpose.
#[derive(Serialize, Deserialize)]
struct SplitRow<'a>(Cow<'a, str>, i64, Cow<'a, str>);

/// A delivery as it is stored: from, to, minor units, product.
#[derive(Serialize, Deserialize)]
struct DeliveryRow(String, String, i64, String);

pub(super) fn splits_text(splits: &[Split]) -> String {
    let rows: Vec<SplitRow<'_>> = splits
        .iter()
        .map(|split| {
            SplitRow(
                split.receiver.to_string().into(),
                split.amount.minor,
                Cow::Borrowed(&split.purpose),
            )
        })
        .collect();
    json(&rows)
}

pub(super) fn deliveries_text(deliveries: &[Delivery]) -> String {
    let rows: Vec<DeliveryRow> = deliveries
        .iter()
        .map(|delivery| {
            DeliveryRow(
                delivery.from.to_string(),
                delivery.to.to_string(),
                delivery.amount.minor,
                delivery.amount.asset.to_string(),
            )
        })
        .collect();
    json(&rows)
}

fn splits_of(text: &str, currency: Currency) -> Result<Vec<Split>, Error> {
    let rows: Vec<SplitRow<'_>> = parse_json("splits", text)?;
    rows.into_iter()
        .map(|SplitRow(receiver, minor, purpose)| {
            Ok(Split {
                receiver: parse("receiver", &receiver)?,
                amount: Money::new(minor, currency),
                purpose: Cow::Owned(purpose.into_owned()),
            })
        })
        .collect()
}

fn deliveries_of(text: &str) -> Result<Vec<Delivery>, Error> {
    let rows: Vec<DeliveryRow> = parse_json("deliveries", text)?;
    rows.into_iter()
        .map(|DeliveryRow(from, to, minor, asset)| {
            Ok(Delivery {
                from: parse("unit account", &from)?,
                to: parse("unit account", &to)?,
                amount: Amount {
                    minor,
                    asset: parse("asset", &asset)?,
                },
            })
        })
        .collect()
}

/// The columns that [`record_of`] reads.
macro_rules! payment_columns {
    () => {
        "id, order_id, institution_id, payer, method, currency, minor, splits, deliveries, \
         description, state, expires_at, void_reason, captured, refunded, refunds, returned, created_at, changed_at"
    };
}
pub(super) use payment_columns;

pub(super) fn record_of(row: &AnyRow) -> Result<Record, Error> {
    Ok(Record {
        payment: payment_of(row)?,
        returned: parse_json("returned parts", row.try_get("returned")?)?,
        refunds: row.try_get("refunds")?,
    })
}

pub(super) fn payment_of(row: &AnyRow) -> Result<Payment, Error> {
    let currency: Currency = parse("currency", row.try_get("currency")?)?;
    let state: &str = row.try_get("state")?;
    Ok(Payment {
        id: parse("payment id", row.try_get("id")?)?,
        order: parse_option("order id", row.try_get("order_id")?)?,
        institution: parse_option("institution id", row.try_get("institution_id")?)?,
        payer: parse("payer", row.try_get("payer")?)?,
        method: parse("payment method", row.try_get("method")?)?,
        amount: Money::new(row.try_get("minor")?, currency),
        splits: splits_of(row.try_get("splits")?, currency)?,
        deliveries: deliveries_of(row.try_get("deliveries")?)?,
        description: row.try_get("description")?,
        state: PaymentState::of_name(state)
            .ok_or_else(|| Error::corrupt("payment state", state))?,
        expires_at: row
            .try_get::<Option<i64>, _>("expires_at")?
            .map(Timestamp::from_millis),
        void_reason: (row.try_get::<Option<&str>, _>("void_reason")?)
            .map(void_reason)
            .transpose()?,
        captured: Money::new(row.try_get("captured")?, currency),
        refunded: Money::new(row.try_get("refunded")?, currency),
        created_at: Timestamp::from_millis(row.try_get("created_at")?),
        changed_at: Timestamp::from_millis(row.try_get("changed_at")?),
    })
}

fn void_reason(name: &str) -> Result<VoidReason, Error> {
    VoidReason::of_name(name).ok_or_else(|| Error::corrupt("void reason", name))
}

pub(super) fn refund_of(row: &AnyRow) -> Result<Refund, Error> {
    let currency: Currency = parse("currency", row.try_get("currency")?)?;
    Ok(Refund {
        id: parse("refund id", row.try_get("id")?)?,
        payment: parse("payment id", row.try_get("payment_id")?)?,
        amount: Money::new(row.try_get("minor")?, currency),
        parts: parse_json("parts of a refund", row.try_get("parts")?)?,
        owed: parse_json("debts of a refund", row.try_get("owed")?)?,
        reason: row.try_get("reason")?,
        created_at: Timestamp::from_millis(row.try_get("created_at")?),
    })
}

pub(super) fn parse<T: FromStr>(what: &'static str, text: &str) -> Result<T, Error> {
    text.parse().map_err(|_| Error::corrupt(what, text))
}

fn parse_option<T: FromStr>(what: &'static str, text: Option<&str>) -> Result<Option<T>, Error> {
    text.map(|text| parse(what, text)).transpose()
}

fn parse_json<'a, T: Deserialize<'a>>(what: &'static str, text: &'a str) -> Result<T, Error> {
    serde_json::from_str(text).map_err(|_| Error::corrupt(what, text))
}
