//! The tables as they are, by statements of the auditor's own.

use std::collections::{BTreeMap, BTreeSet};

use sqlx::{AnyPool, Row};

use super::model::Sums;

/// An account of a row, by owner, kind and asset.
pub(crate) type RowName = (String, String, String);

/// A row of a payment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct PaymentRow {
    pub(crate) state: String,
    pub(crate) minor: i64,
    pub(crate) captured: i64,
    pub(crate) refunded: i64,
    pub(crate) refunds: i64,
    pub(crate) returned: String,
}

/// All that the auditor looks at.
#[derive(Clone, Debug, Default)]
pub(crate) struct Tables {
    pub(crate) accounts: BTreeMap<RowName, Sums>,
    pub(crate) payments: BTreeMap<String, PaymentRow>,
    pub(crate) refunds: BTreeMap<String, (String, i64, String)>,
    pub(crate) digests: BTreeSet<String>,
    pub(crate) events: BTreeMap<(String, String), i64>,
    pub(crate) income: BTreeMap<(String, String), i64>,
    pub(crate) transfers: i64,
    /// What is wrong inside the tables, whatever the books should be.
    pub(crate) broken: Vec<String>,
}

const ACCOUNTS: &str =
    "select owner, kind, asset, credits - debits as posted, pending_out, pending_in
from ledger_account";

const PAYMENTS: &str =
    "select id, state, minor, captured, refunded, refunds, returned from payment";

const REFUNDS: &str = "select id, payment_id, minor, parts from payment_refund";

const EVENTS: &str = "select kind, subject, count(*) as count from event group by kind, subject";

/// The sums of every account again, from the transfers alone: what it gave and
/// got, and what pending transfers that nothing resolved hold.
const RECOUNTED: &str = "select a.id,
    a.debits - coalesce((select sum(t.minor) from ledger_transfer t
        where t.debit_account = a.id and t.kind in ('posted', 'post')), 0) as debits,
    a.credits - coalesce((select sum(t.minor) from ledger_transfer t
        where t.credit_account = a.id and t.kind in ('posted', 'post')), 0) as credits,
    a.pending_out - coalesce((select sum(t.minor) from ledger_transfer t
        where t.debit_account = a.id and t.kind = 'pending'
        and not exists (select 1 from ledger_transfer r where r.pending_id = t.id)), 0) as pending_out,
    a.pending_in - coalesce((select sum(t.minor) from ledger_transfer t
        where t.credit_account = a.id and t.kind = 'pending'
        and not exists (select 1 from ledger_transfer r where r.pending_id = t.id)), 0) as pending_in
from ledger_account a";

const UNEVEN: &str = "select asset, sum(credits) - sum(debits) as posted,
    sum(pending_in) - sum(pending_out) as pending
from ledger_account group by asset having sum(credits) <> sum(debits) or sum(pending_in) <> sum(pending_out)";

const RESOLVED_TWICE: &str = "select pending_id from ledger_transfer
where pending_id is not null group by pending_id having count(*) > 1";

impl Tables {
    /// Reads what a step may change.
    pub(crate) async fn read(db: &AnyPool) -> anyhow::Result<Self> {
        let mut tables = Self::default();
        for row in sqlx::query(ACCOUNTS).fetch_all(db).await? {
            let sums = Sums {
                posted: row.try_get("posted")?,
                out: row.try_get("pending_out")?,
                into: row.try_get("pending_in")?,
            };
            let name = (
                row.try_get("owner")?,
                row.try_get("kind")?,
                row.try_get("asset")?,
            );
            tables.accounts.insert(name, sums);
        }
        for row in sqlx::query(PAYMENTS).fetch_all(db).await? {
            let payment = PaymentRow {
                state: row.try_get("state")?,
                minor: row.try_get("minor")?,
                captured: row.try_get("captured")?,
                refunded: row.try_get("refunded")?,
                refunds: row.try_get("refunds")?,
                returned: row.try_get("returned")?,
            };
            tables.payments.insert(row.try_get("id")?, payment);
        }
        for row in sqlx::query(REFUNDS).fetch_all(db).await? {
            let refund = (
                row.try_get("payment_id")?,
                row.try_get("minor")?,
                row.try_get("parts")?,
            );
            tables.refunds.insert(row.try_get("id")?, refund);
        }
        for row in sqlx::query(EVENTS).fetch_all(db).await? {
            let event = (row.try_get("kind")?, row.try_get("subject")?);
            tables.events.insert(event, row.try_get("count")?);
        }
        let digests = sqlx::query_scalar("select digest from payment_idempotency");
        tables.digests = digests.fetch_all(db).await?.into_iter().collect();
        let transfers = sqlx::query_scalar("select count(*) from ledger_transfer");
        tables.transfers = transfers.fetch_one(db).await?;
        tables.read_income(db).await?;
        tables.look_inside(db).await?;
        Ok(tables)
    }

    async fn read_income(&mut self, db: &AnyPool) -> anyhow::Result<()> {
        let all = sqlx::query("select user_id, product_id, minor from payment_income");
        for row in all.fetch_all(db).await? {
            let holding = (row.try_get("user_id")?, row.try_get("product_id")?);
            self.income.insert(holding, row.try_get("minor")?);
        }
        Ok(())
    }

    async fn look_inside(&mut self, db: &AnyPool) -> anyhow::Result<()> {
        for row in sqlx::query(UNEVEN).fetch_all(db).await? {
            let (asset, posted, pending): (String, i64, i64) = (
                row.try_get("asset")?,
                row.try_get("posted")?,
                row.try_get("pending")?,
            );
            let text =
                format!("debits and credits of {asset} differ by {posted}, pending {pending}");
            self.broken.push(text);
        }
        for id in sqlx::query_scalar::<_, String>(RESOLVED_TWICE)
            .fetch_all(db)
            .await?
        {
            self.broken.push(format!("{id} is resolved twice"));
        }
        Ok(())
    }

    /// Counts every account again from all transfers: dear, so not at every step.
    pub(crate) async fn recount(&mut self, db: &AnyPool) -> anyhow::Result<()> {
        for row in sqlx::query(RECOUNTED).fetch_all(db).await? {
            let id: String = row.try_get("id")?;
            for column in ["debits", "credits", "pending_out", "pending_in"] {
                let differs: i64 = row.try_get(column)?;
                if differs != 0 {
                    let text = format!("{column} of {id} differ from its transfers by {differs}");
                    self.broken.push(text);
                }
            }
        }
        Ok(())
    }
}
