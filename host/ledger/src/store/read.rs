//! Queries outside the money path.

use qiao_db::{Db, Error, Tx, rows_of_text};
use qiao_model::{Asset, LedgerAccountId, ProductId, Timestamp, TransferId};
use serde::Deserialize;
use sqlx::any::AnyRow;
use sqlx::{Any, Executor, Row};

use super::row::{parse, parse_option, record_of};
use super::spread::place;
use crate::account::{AccountKind, AssetTotal, Balance, KindTotal, LedgerAccount};
use crate::spread::Place;
use crate::transfer::Transfer;

const ACCOUNT: &str = "select id, owner, kind, asset, debits, credits, pending_out, pending_in, transfers, last_transfer
from ledger_account where id = $1";

const ACCOUNTS_OF: &str = "select id, owner, kind, asset, debits, credits, pending_out, pending_in, transfers, last_transfer
from ledger_account where owner = $1 order by asset, kind, id";

// One text of all rows, read by `rows_of_text`: a page has thousands.
const HOLDERS_SQLITE: &str = "select json_group_array(json_array(
    id, owner, debits, credits, pending_out, pending_in, transfers, last_transfer)) as rows
from (
    select * from ledger_account
    where kind = 'holding' and asset = $1 and id > $2 and credits > debits order by id limit $3
)";

const HOLDERS_POSTGRES: &str = "select coalesce(json_agg(json_build_array(
    id, owner, debits, credits, pending_out, pending_in, transfers, last_transfer) order by id), '[]')::text as rows
from (
    select * from ledger_account
    where kind = 'holding' and asset = $1 and id > $2 and credits > debits order by id limit $3
) as holders";

const DEBTORS: &str = "select id, owner, kind, asset, debits, credits, pending_out, pending_in, transfers, last_transfer
from ledger_account where kind = 'receivable' and id > $1 and credits < debits order by id limit $2";

const ASSET_TOTALS: &str = "select asset, cast(sum(credits) - sum(debits) as bigint) as balances,
    cast(sum(debits) as bigint) as debits, cast(sum(credits) as bigint) as credits,
    cast(sum(pending_out) as bigint) as pending, count(*) as accounts,
    cast(sum(transfers) / 2 as bigint) as transfers
from ledger_account group by asset order by asset";

const KIND_TOTALS: &str =
    "select asset, kind, outside, cast(sum(credits) - sum(debits) as bigint) as posted,
    cast(sum(pending_out) as bigint) as pending_out, cast(sum(pending_in) as bigint) as pending_in
from (
    select asset, kind, credits, debits, pending_out, pending_in,
        case when owner like 'external:%' then owner else '' end as outside
    from ledger_account
) as a
group by asset, kind, outside order by asset, kind, outside";

// The condition is that of the index ledger_account_business.
const BUSINESS_ACCOUNTS: &str =
    "select id, owner, kind, asset, debits, credits, pending_out, pending_in, transfers, last_transfer
from ledger_account
where kind in ('settlement', 'revenue', 'external', 'receivable', 'advance') and id > $1
order by id limit $2";

const TRANSFERS_OF: &str =
    "select id, kind, debit_account, credit_account, minor, pending_id, purpose, reference,
    debit_previous, credit_previous, debit_balance, credit_balance, at
from ledger_transfer where reference = $1 order by at, id limit 4096";

// Walks the chain of the account from its newest transfer, or from $2, back.
const STATEMENT: &str = "with recursive chain (depth, next) as (
    select 0, coalesce($2, last_transfer) from ledger_account where id = $1
    union all
    select c.depth + 1, case when t.debit_account = $1 then t.debit_previous else t.credit_previous end
    from chain c join ledger_transfer t on t.id = c.next
    where c.depth < $3 and (t.debit_account = $1 or t.credit_account = $1)
)
select t.id, t.kind, t.debit_account, t.credit_account, t.minor, t.pending_id, t.purpose, t.reference,
    t.debit_previous, t.credit_previous, t.debit_balance, t.credit_balance, t.at
from chain c join ledger_transfer t on t.id = c.next
where t.debit_account = $1 or t.credit_account = $1
order by c.depth";

// Walks the chain of the account back to its newest transfer before $2.
const BALANCE_BEFORE: &str = "with recursive chain (balance, at, previous) as (
    select case when t.debit_account = $1 then t.debit_balance else t.credit_balance end, t.at,
        case when t.debit_account = $1 then t.debit_previous else t.credit_previous end
    from ledger_account a join ledger_transfer t on t.id = a.last_transfer where a.id = $1
    union all
    select case when t.debit_account = $1 then t.debit_balance else t.credit_balance end, t.at,
        case when t.debit_account = $1 then t.debit_previous else t.credit_previous end
    from chain c join ledger_transfer t on t.id = c.previous
    where c.at >= $2
)
select balance from chain where at < $2";

/// The posted balance after an account's newest transfer before a time.
pub(crate) async fn balance_before(
    tx: &mut Tx,
    account: LedgerAccountId,
    at: Timestamp,
) -> Result<i64, Error> {
    let row = sqlx::query(BALANCE_BEFORE)
        .bind(account.to_string())
        .bind(at.as_millis())
        .fetch_optional(tx.conn())
        .await?;
    row.map_or(Ok(0), |row| Ok(row.try_get("balance")?))
}

pub(crate) async fn account(db: &Db, id: LedgerAccountId) -> Result<Option<LedgerAccount>, Error> {
    let row = sqlx::query(ACCOUNT)
        .bind(id.to_string())
        .fetch_optional(db.reads())
        .await?;
    row.as_ref().map(account_of).transpose()
}

/// The accounts of an owner, asked for on a connection of the pool or of a transaction.
pub(crate) async fn accounts_of<'c>(
    on: impl Executor<'c, Database = Any>,
    owner: &str,
) -> Result<Vec<LedgerAccount>, Error> {
    let rows = sqlx::query(ACCOUNTS_OF).bind(owner).fetch_all(on).await?;
    rows.iter().map(account_of).collect()
}

pub(crate) async fn holders(
    tx: &mut Tx,
    product: ProductId,
    after: Option<LedgerAccountId>,
    limit: i64,
) -> Result<Vec<LedgerAccount>, Error> {
    let sql = tx.pick(HOLDERS_SQLITE, HOLDERS_POSTGRES);
    let row = sqlx::query(sql)
        .bind(product.to_string())
        .bind(after.map(|id| id.to_string()).unwrap_or_default())
        .bind(limit)
        .fetch_one(tx.conn())
        .await?;
    let holders: Vec<HolderRow<'_>> = rows_of_text("holders", row.try_get("rows")?)?;
    holders.into_iter().map(|row| row.of(product)).collect()
}

/// A holding, as the columns of a page come.
#[derive(Deserialize)]
struct HolderRow<'a> {
    id: &'a str,
    owner: &'a str,
    debits: i64,
    credits: i64,
    pending_out: i64,
    pending_in: i64,
    transfers: i64,
    last_transfer: Option<&'a str>,
}

impl HolderRow<'_> {
    fn of(self, product: ProductId) -> Result<LedgerAccount, Error> {
        let posted = self.credits.saturating_sub(self.debits);
        Ok(LedgerAccount {
            id: parse("account id", self.id)?,
            owner: self.owner.to_owned(),
            kind: AccountKind::Holding,
            asset: Asset::Units(product),
            balance: Balance {
                posted,
                pending_out: self.pending_out,
                pending_in: self.pending_in,
            },
            debits: self.debits,
            credits: self.credits,
            place: Place {
                posted,
                pending_in: self.pending_in,
                transfers: self.transfers,
                last_transfer: parse_option("transfer id", self.last_transfer)?,
            },
        })
    }
}

pub(crate) async fn debtors(
    db: &Db,
    after: Option<LedgerAccountId>,
    limit: i64,
) -> Result<Vec<LedgerAccount>, Error> {
    let rows = sqlx::query(DEBTORS)
        .bind(after.map(|id| id.to_string()).unwrap_or_default())
        .bind(limit)
        .fetch_all(db.reads())
        .await?;
    rows.iter().map(account_of).collect()
}

pub(crate) async fn asset_totals(db: &Db) -> Result<Vec<AssetTotal>, Error> {
    let rows = sqlx::query(ASSET_TOTALS).fetch_all(db.reads()).await?;
    rows.iter()
        .map(|row| {
            Ok(AssetTotal {
                asset: parse::<Asset>("asset", row.try_get("asset")?)?,
                sum_of_balances: row.try_get("balances")?,
                debits: row.try_get("debits")?,
                credits: row.try_get("credits")?,
                pending: row.try_get("pending")?,
                accounts: row.try_get("accounts")?,
                transfers: row.try_get("transfers")?,
            })
        })
        .collect()
}

pub(crate) async fn kind_totals(db: &Db) -> Result<Vec<KindTotal>, Error> {
    let rows = sqlx::query(KIND_TOTALS).fetch_all(db.reads()).await?;
    rows.iter()
        .map(|row| {
            let kind: &str = row.try_get("kind")?;
            let outside: String = row.try_get("outside")?;
            Ok(KindTotal {
                asset: parse("asset", row.try_get("asset")?)?,
                kind: AccountKind::of_name(kind)
                    .ok_or_else(|| Error::corrupt("account kind", kind))?,
                outside: Some(outside).filter(|owner| !owner.is_empty()),
                posted: row.try_get("posted")?,
                pending_out: row.try_get("pending_out")?,
                pending_in: row.try_get("pending_in")?,
            })
        })
        .collect()
}

pub(crate) async fn business_accounts(
    db: &Db,
    after: Option<LedgerAccountId>,
    limit: i64,
) -> Result<Vec<LedgerAccount>, Error> {
    let rows = sqlx::query(BUSINESS_ACCOUNTS)
        .bind(after.map(|id| id.to_string()).unwrap_or_default())
        .bind(limit)
        .fetch_all(db.reads())
        .await?;
    rows.iter().map(account_of).collect()
}

pub(crate) async fn transfers_of(db: &Db, reference: &str) -> Result<Vec<Transfer>, Error> {
    let rows = sqlx::query(TRANSFERS_OF)
        .bind(reference)
        .fetch_all(db.reads())
        .await?;
    rows.iter().map(transfer_of).collect()
}

/// At most `limit` transfers of the account, the newest first.
pub(crate) async fn statement(
    db: &Db,
    account: LedgerAccountId,
    from: Option<TransferId>,
    limit: i64,
) -> Result<Vec<Transfer>, Error> {
    let rows = sqlx::query(STATEMENT)
        .bind(account.to_string())
        .bind(from.map(|id| id.to_string()))
        .bind(limit.saturating_sub(1))
        .fetch_all(db.reads())
        .await?;
    rows.iter().map(transfer_of).collect()
}

fn account_of(row: &AnyRow) -> Result<LedgerAccount, Error> {
    let kind: &str = row.try_get("kind")?;
    let (debits, credits): (i64, i64) = (row.try_get("debits")?, row.try_get("credits")?);
    Ok(LedgerAccount {
        id: parse("account id", row.try_get("id")?)?,
        owner: row.try_get("owner")?,
        kind: AccountKind::of_name(kind).ok_or_else(|| Error::corrupt("account kind", kind))?,
        asset: parse("asset", row.try_get("asset")?)?,
        balance: Balance {
            posted: credits.saturating_sub(debits),
            pending_out: row.try_get("pending_out")?,
            pending_in: row.try_get("pending_in")?,
        },
        debits,
        credits,
        place: place(row)?,
    })
}

fn transfer_of(row: &AnyRow) -> Result<Transfer, Error> {
    let record = record_of(row)?;
    Ok(Transfer {
        id: parse("transfer id", row.try_get("id")?)?,
        kind: record.kind,
        debit: record.debit,
        credit: record.credit,
        minor: record.minor,
        purpose: record.purpose.into_owned(),
        reference: record.reference,
        debit_previous: record.debit_previous,
        credit_previous: record.credit_previous,
        debit_balance: record.debit_balance,
        credit_balance: record.credit_balance,
        at: Timestamp::from_millis(row.try_get("at")?),
    })
}
