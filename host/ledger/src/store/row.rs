use std::borrow::Cow;
use std::fmt::Display;
use std::str::FromStr;

use qiao_db::Error;
use qiao_model::{Asset, LedgerAccountId, Timestamp, TransferId};
use serde::{Serialize, Serializer};
use sqlx::Row;
use sqlx::any::AnyRow;

use crate::account::Owner;
use crate::rules::{Account, Record};
use crate::spread::{SpreadOf, SpreadRow};
use crate::transfer::TransferKind;

/// A value as its text, without an allocation.
pub(super) struct AsText<T>(pub(super) T);

impl<T: Display> Serialize for AsText<T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(&self.0)
    }
}

#[derive(Serialize)]
pub(super) struct AccountRow {
    id: AsText<LedgerAccountId>,
    owner: AsText<Owner>,
    kind: &'static str,
    asset: AsText<Asset>,
    debits: i64,
    credits: i64,
    pending_out: i64,
    pending_in: i64,
    transfers: i64,
    last_transfer: Option<AsText<TransferId>>,
}

impl AccountRow {
    pub(super) fn of(account: &Account) -> Self {
        Self {
            id: AsText(account.account.id()),
            owner: AsText(*account.account.owner()),
            kind: account.account.kind().name(),
            asset: AsText(account.account.asset()),
            debits: account.totals.debits,
            credits: account.totals.credits,
            pending_out: account.totals.pending_out,
            pending_in: account.totals.pending_in,
            transfers: account.transfers,
            last_transfer: account.last_transfer.map(AsText),
        }
    }
}

#[derive(Serialize)]
pub(super) struct TransferRow<'a> {
    id: AsText<TransferId>,
    kind: &'static str,
    debit: AsText<LedgerAccountId>,
    credit: AsText<LedgerAccountId>,
    minor: i64,
    pending: Option<AsText<TransferId>>,
    purpose: &'a str,
    reference: &'a str,
    debit_previous: Option<AsText<TransferId>>,
    credit_previous: Option<AsText<TransferId>>,
    debit_balance: i64,
    credit_balance: i64,
    at: i64,
}

impl<'a> TransferRow<'a> {
    pub(super) fn of(id: TransferId, record: &'a Record, at: Timestamp) -> Self {
        Self {
            id: AsText(id),
            kind: record.kind.name(),
            debit: AsText(record.debit),
            credit: AsText(record.credit),
            minor: record.minor,
            pending: record.kind.resolves().map(AsText),
            purpose: &record.purpose,
            reference: &record.reference,
            debit_previous: record.debit_previous.map(AsText),
            credit_previous: record.credit_previous.map(AsText),
            debit_balance: record.debit_balance,
            credit_balance: record.credit_balance,
            at: at.as_millis(),
        }
    }
}

impl<'a> TransferRow<'a> {
    pub(super) fn of_spread(row: &SpreadRow, giver: LedgerAccountId, of: &'a SpreadOf) -> Self {
        Self {
            id: AsText(row.line.id),
            kind: TransferKind::Posted.name(),
            debit: AsText(giver),
            credit: AsText(row.line.account),
            minor: row.line.minor,
            pending: None,
            purpose: of.purpose,
            reference: &of.reference,
            debit_previous: row.giver_previous.map(AsText),
            credit_previous: row.line.place.last_transfer.map(AsText),
            debit_balance: row.giver_balance,
            credit_balance: row.balance,
            at: of.at.as_millis(),
        }
    }
}

pub(super) fn record_of(row: &AnyRow) -> Result<Record, Error> {
    let pending = parse_option("transfer id", row.try_get("pending_id")?)?;
    let kind: &str = row.try_get("kind")?;
    Ok(Record {
        kind: TransferKind::of_name(kind, pending)
            .ok_or_else(|| Error::corrupt("transfer kind", kind))?,
        debit: parse("account id", row.try_get("debit_account")?)?,
        credit: parse("account id", row.try_get("credit_account")?)?,
        minor: row.try_get("minor")?,
        purpose: Cow::Owned(row.try_get("purpose")?),
        reference: row.try_get("reference")?,
        debit_previous: parse_option("transfer id", row.try_get("debit_previous")?)?,
        credit_previous: parse_option("transfer id", row.try_get("credit_previous")?)?,
        debit_balance: row.try_get("debit_balance")?,
        credit_balance: row.try_get("credit_balance")?,
    })
}

pub(super) fn parse<T: FromStr>(what: &'static str, text: &str) -> Result<T, Error> {
    text.parse().map_err(|_| Error::corrupt(what, text))
}

pub(super) fn parse_option<T: FromStr>(
    what: &'static str,
    text: Option<&str>,
) -> Result<Option<T>, Error> {
    text.map(|text| parse(what, text)).transpose()
}
