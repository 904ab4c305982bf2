//! The tables as they are, by statements of the auditor's own.

use std::collections::{BTreeMap, BTreeSet};

use qiao_model::{Channel, InstitutionId, PaymentId, Timestamp};
use sqlx::any::AnyRow;
use sqlx::{AnyPool, Row};

use super::mandates::Used;
use super::model::Sums;
use crate::ask::Place;

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

/// A row of a transfer at a bank.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct TransferRow {
    pub(crate) id: String,
    pub(crate) key: Option<String>,
    pub(crate) route: i64,
    pub(crate) bank: Channel,
    pub(crate) minor: i64,
    pub(crate) fee: i64,
    pub(crate) payment: PaymentId,
    pub(crate) tried: Vec<Channel>,
    pub(crate) state: String,
    /// Whether the host asks on by itself.
    pub(crate) is_asked_again: bool,
    pub(crate) at: Timestamp,
}

/// A row of a payout.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct PayoutRow {
    institution: String,
    source: String,
    pub(crate) minor: i64,
    pub(crate) day: String,
    pub(crate) through: String,
    pub(crate) state: String,
}

impl PayoutRow {
    /// Whether it pays from this account of the institution.
    pub(crate) fn is_from(&self, institution: InstitutionId, from: Place) -> bool {
        let source = match from {
            Place::Revenue(_) => "revenue",
            _ => "settlement",
        };
        self.institution == institution.to_string() && self.source == source
    }
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
    pub(crate) mandates: BTreeMap<String, Used>,
    pub(crate) transfers_at_banks: Vec<TransferRow>,
    pub(crate) payouts: BTreeMap<String, PayoutRow>,
    /// The day on which each institution was paid last.
    pub(crate) planned: BTreeMap<String, String>,
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

const INCOME: &str = "select a.owner, a.asset, cast(sum(t.minor) as bigint) as minor
from ledger_transfer t join ledger_account a on a.id = t.credit_account
where t.purpose = 'income' group by a.owner, a.asset";

const MANDATES: &str = "select id, used_count, used_minor, used_day, used_day_minor,
    used_month_minor, revoked_at from mandate";

const AT_BANKS: &str = "select id, key_digest, route, channel, amount_minor, fee_minor, payment_id,
    tried, state, next_at, lease_until, requested_at from bank_transfer order by id";

const PAYOUTS: &str =
    "select id, institution_id, source, minor, day, through_day, state from payout";

const PLANNED: &str = "select institution_id, planned_day from settlement_terms";

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

impl TransferRow {
    fn read(row: &AnyRow) -> anyhow::Result<Self> {
        let tried: &str = row.try_get("tried")?;
        let (next_at, lease_until): (Option<i64>, Option<i64>) =
            (row.try_get("next_at")?, row.try_get("lease_until")?);
        Ok(Self {
            id: row.try_get("id")?,
            key: row.try_get("key_digest")?,
            route: row.try_get("route")?,
            bank: row.try_get::<&str, _>("channel")?.parse()?,
            minor: row.try_get("amount_minor")?,
            fee: row.try_get("fee_minor")?,
            payment: row.try_get::<&str, _>("payment_id")?.parse()?,
            tried: (tried.split(' ').filter(|code| !code.is_empty()))
                .map(str::parse)
                .collect::<Result<_, _>>()?,
            state: row.try_get("state")?,
            is_asked_again: next_at.is_some() || lease_until.is_some(),
            at: Timestamp::from_millis(row.try_get("requested_at")?),
        })
    }
}

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
        tables.read_mandates(db).await?;
        tables.read_payouts(db).await?;
        let at_banks = sqlx::query(AT_BANKS).fetch_all(db).await?;
        let at_banks = at_banks.iter().map(TransferRow::read);
        tables.transfers_at_banks = at_banks.collect::<Result<_, _>>()?;
        tables.look_inside(db).await?;
        Ok(tables)
    }

    async fn read_income(&mut self, db: &AnyPool) -> anyhow::Result<()> {
        let all = sqlx::query(INCOME);
        for row in all.fetch_all(db).await? {
            let holding = (row.try_get("owner")?, row.try_get("asset")?);
            self.income.insert(holding, row.try_get("minor")?);
        }
        Ok(())
    }

    async fn read_mandates(&mut self, db: &AnyPool) -> anyhow::Result<()> {
        for row in sqlx::query(MANDATES).fetch_all(db).await? {
            let revoked_at: Option<i64> = row.try_get("revoked_at")?;
            let used = Used {
                count: row.try_get("used_count")?,
                minor: row.try_get("used_minor")?,
                day: row.try_get("used_day")?,
                day_minor: row.try_get("used_day_minor")?,
                month_minor: row.try_get("used_month_minor")?,
                is_revoked: revoked_at.is_some(),
            };
            self.mandates.insert(row.try_get("id")?, used);
        }
        Ok(())
    }

    async fn read_payouts(&mut self, db: &AnyPool) -> anyhow::Result<()> {
        for row in sqlx::query(PAYOUTS).fetch_all(db).await? {
            let payout = PayoutRow {
                institution: row.try_get("institution_id")?,
                source: row.try_get("source")?,
                minor: row.try_get("minor")?,
                day: row.try_get("day")?,
                through: row.try_get("through_day")?,
                state: row.try_get("state")?,
            };
            self.payouts.insert(row.try_get("id")?, payout);
        }
        for row in sqlx::query(PLANNED).fetch_all(db).await? {
            let institution = row.try_get("institution_id")?;
            self.planned
                .insert(institution, row.try_get("planned_day")?);
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
