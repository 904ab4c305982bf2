//! How rows read.

use qiao_db::Error;
use qiao_model::{BankLinkId, Channel, Currency, Money, Timestamp};
use sqlx::Row;
use sqlx::any::AnyRow;

use super::parse;
use crate::machine::{Record, RequestKey};
use crate::transfer::{BankTransfer, Lease, Purpose, Route, Routing, Standing, TransferState};

/// The columns of [`transfer`] and [`record`].
macro_rules! transfer_columns {
    () => {
        "id, key_digest, request_hash, purpose, party, account_number, route, channel, link_id,
    currency, amount_minor, fee_minor, payment_id, routing, tried, description, requested_at, state, reason,
    bank_reference, attempt, failures, next_at, lease_node, lease_until, booked_at, answers,
    changed_at"
    };
}
pub(super) use transfer_columns;

pub(super) fn record(row: &AnyRow) -> Result<Record, Error> {
    let digest: Option<String> = row.try_get("key_digest")?;
    let hash: Option<String> = row.try_get("request_hash")?;
    let key = digest.zip(hash).map(|(digest, request_hash)| RequestKey {
        digest,
        request_hash,
    });
    Ok(Record {
        transfer: transfer(row)?,
        key,
    })
}

pub(super) fn transfer(row: &AnyRow) -> Result<BankTransfer, Error> {
    let purpose: String = row.try_get("purpose")?;
    let tried: String = row.try_get("tried")?;
    let routing: String = row.try_get("routing")?;
    Ok(BankTransfer {
        id: parse("bank transfer id", row.try_get("id")?)?,
        purpose: Purpose::of_name(&purpose)
            .ok_or_else(|| Error::corrupt("purpose of a bank transfer", purpose))?,
        party: parse("party of a bank transfer", row.try_get("party")?)?,
        account_number: row.try_get("account_number")?,
        route: route(row)?,
        routing: Routing::of_name(&routing)
            .ok_or_else(|| Error::corrupt("routing of a bank transfer", routing))?,
        tried: tried
            .split_whitespace()
            .map(|code| parse::<Channel>("channel", code))
            .collect::<Result<_, _>>()?,
        description: row.try_get("description")?,
        requested_at: Timestamp::from_millis(row.try_get("requested_at")?),
        standing: standing(row)?,
    })
}

fn route(row: &AnyRow) -> Result<Route, Error> {
    let currency: Currency = parse("currency", row.try_get("currency")?)?;
    let link: Option<&str> = row.try_get("link_id")?;
    let link: Option<BankLinkId> = link.map(|link| parse("bank link id", link)).transpose()?;
    Ok(Route {
        number: number(row, "route")?,
        channel: parse("channel", row.try_get("channel")?)?,
        link,
        amount: Money::new(row.try_get("amount_minor")?, currency),
        fee: Money::new(row.try_get("fee_minor")?, currency),
        payment: parse("payment id", row.try_get("payment_id")?)?,
    })
}

fn standing(row: &AnyRow) -> Result<Standing, Error> {
    let state: String = row.try_get("state")?;
    let node: Option<String> = row.try_get("lease_node")?;
    Ok(Standing {
        state: TransferState::of_name(&state)
            .ok_or_else(|| Error::corrupt("state of a bank transfer", state))?,
        reason: row.try_get("reason")?,
        bank_reference: row.try_get("bank_reference")?,
        attempt: number(row, "attempt")?,
        failures: number(row, "failures")?,
        next_at: time(row, "next_at")?,
        lease: match (node, time(row, "lease_until")?) {
            (Some(node), Some(until)) => Some(Lease { node, until }),
            _ => None,
        },
        booked_at: time(row, "booked_at")?,
        answers: number(row, "answers")?,
        changed_at: Timestamp::from_millis(row.try_get("changed_at")?),
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
