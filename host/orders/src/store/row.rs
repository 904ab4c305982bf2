//! How rows read.

use qiao_db::Error;
use qiao_model::{Currency, Money, Timestamp};
use serde::{Deserialize, Serialize};
use sqlx::Row;
use sqlx::any::AnyRow;

use super::{parse, text_of};
use crate::head::Head;
use crate::lots::LotEffect;
use crate::order::{Captured, Lease, Order, Receipt, Standing, state_from_name};
use crate::token;

#[derive(Serialize, Deserialize)]
struct ReceiptText {
    number: String,
    entries: Vec<(String, String)>,
}

pub(super) fn receipt_text(receipt: &Receipt) -> String {
    text_of(&ReceiptText {
        number: receipt.number.clone(),
        entries: super::pairs(&receipt.entries),
    })
}

fn receipt(text: &str) -> Result<Receipt, Error> {
    let stored: ReceiptText =
        serde_json::from_str(text).map_err(|_| Error::corrupt("receipt", text))?;
    Ok(Receipt {
        number: stored.number,
        entries: super::entries(stored.entries),
    })
}

/// The columns of [`standing`].
macro_rules! standing_columns {
    () => {
        "state, captured, attempt, failures, next_at, lease_node, lease_until, problem, receipt,
    posted_at, returned_at, changed_at"
    };
}
pub(super) use standing_columns;

pub(super) fn standing(row: &AnyRow) -> Result<Standing, Error> {
    let state: &str = row.try_get("state")?;
    let node: Option<String> = row.try_get("lease_node")?;
    let text: Option<&str> = row.try_get("receipt")?;
    Ok(Standing {
        state: state_from_name(state).ok_or_else(|| Error::corrupt("order state", state))?,
        capture: match row.try_get("captured")? {
            0_i64 => Captured::No,
            _ => Captured::Yes,
        },
        attempt: number(row, "attempt")?,
        failures: number(row, "failures")?,
        next_at: time(row, "next_at")?,
        lease: match (node, time(row, "lease_until")?) {
            (Some(node), Some(until)) => Some(Lease { node, until }),
            _ => None,
        },
        problem: row.try_get("problem")?,
        receipt: text.map(receipt).transpose()?,
        posted_at: time(row, "posted_at")?,
        returned_at: time(row, "returned_at")?,
        changed_at: Timestamp::from_millis(row.try_get("changed_at")?),
    })
}

pub(super) fn head(row: &AnyRow) -> Result<Head, Error> {
    let kind: &str = row.try_get("kind")?;
    let currency: Currency = parse("currency", row.try_get("currency")?)?;
    let money = |column| Ok::<_, Error>(Money::new(row.try_get(column)?, currency));
    Ok(Head {
        id: parse("order id", row.try_get("id")?)?,
        user: parse("user id", row.try_get("user_id")?)?,
        subject: row.try_get("subject")?,
        plugin: parse("plugin id", row.try_get("plugin_id")?)?,
        institution: parse("institution id", row.try_get("institution_id")?)?,
        product: parse("product id", row.try_get("product_id")?)?,
        kind: parse("order kind", kind)?,
        reference: row.try_get("reference")?,
        payment: parse("payment id", row.try_get("payment_id")?)?,
        principal: money("principal_minor")?,
        amount: money("amount_minor")?,
        paid: money("paid_minor")?,
        units_minor: row.try_get("units_minor")?,
        lots: lot_effect(row.try_get("lots")?)?,
        standing: standing(row)?,
    })
}

fn lot_effect(name: &str) -> Result<LotEffect, Error> {
    LotEffect::of_name(name).ok_or_else(|| Error::corrupt("lots", name))
}

pub(super) fn order(row: &AnyRow) -> Result<Order, Error> {
    let text: &str = row.try_get("token")?;
    let quote = token::read(text).map_err(|_| Error::corrupt("quote", text))?;
    Ok(Order {
        id: parse("order id", row.try_get("id")?)?,
        quote,
        subject: row.try_get("subject")?,
        payment: parse("payment id", row.try_get("payment_id")?)?,
        standing: standing(row)?,
        confirmed_at: Timestamp::from_millis(row.try_get("confirmed_at")?),
    })
}

fn number(row: &AnyRow, column: &'static str) -> Result<u32, Error> {
    let value: i64 = row.try_get(column)?;
    u32::try_from(value).map_err(|_| Error::corrupt(column, value.to_string()))
}

pub(super) fn time(row: &AnyRow, column: &'static str) -> Result<Option<Timestamp>, Error> {
    let millis: Option<i64> = row.try_get(column)?;
    Ok(millis.map(Timestamp::from_millis))
}
