//! The statements of mandates.

use std::collections::HashMap;
use std::str::FromStr;

use qiao_db::attest::Fact;
use qiao_db::{Db, Error, Tx};
use qiao_model::{Currency, Day, InstitutionId, MandateId, PluginId, Timestamp, UserId};
use serde::Serialize;
use sqlx::Row;
use sqlx::any::AnyRow;

use super::row::{AsText, json, parse, payment_columns, payment_of};
use crate::attested::USAGES;
use crate::grant::{SpendGrant, SpendLimits, SpendUsage};
use crate::mandate::Mandate;
use crate::payment::Payment;

/// The columns that [`mandate_of`] reads.
macro_rules! mandate_columns {
    () => {
        "id, user_id, institution_id, plugin_id, title, purpose, reference, currency, per_payment, \
         per_day, per_month, count_max, payees, products, expires_at, used_count, used_minor, used_day, \
         used_day_minor, used_month_minor, created_at, revoked_at, changes"
    };
}
pub(super) use mandate_columns;

const LOCK_SQLITE: &str = concat!(
    "select ",
    mandate_columns!(),
    " from mandate where id in (select value from json_each($1))"
);

const LOCK_POSTGRES: &str = concat!(
    "select ",
    mandate_columns!(),
    " from json_array_elements_text($1::json) as wanted (wanted_id)
cross join lateral (select * from mandate where mandate.id = wanted_id for update) as m"
);

const SPEND_SQLITE: &str = "update mandate
set used_count = x.count, used_minor = x.minor, used_day = x.day, used_day_minor = x.day_minor,
    used_month_minor = x.month_minor, changes = x.changes
from (
    select value ->> 'id' as id, value ->> 'count' as count, value ->> 'minor' as minor,
        value ->> 'day' as day, value ->> 'day_minor' as day_minor, value ->> 'month_minor' as month_minor,
        value ->> 'changes' as changes
    from json_each($1)
) as x
where mandate.id = x.id";

const SPEND_POSTGRES: &str = "update mandate as m
set used_count = x.count, used_minor = x.minor, used_day = x.day, used_day_minor = x.day_minor,
    used_month_minor = x.month_minor, changes = x.changes
from json_to_recordset($1::json) as x(id text, count bigint, minor bigint, day text, day_minor bigint,
    month_minor bigint, changes bigint)
where m.id = x.id
    and m.id = any(array(select y.id from json_to_recordset($1::json) as y(id text)))";

const INSERT: &str = concat!(
    "insert into mandate (",
    mandate_columns!(),
    ") values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20,
    $21, $22, 0)
on conflict (id) do nothing"
);

const REVOKE: &str =
    "update mandate set revoked_at = $3 where id = $1 and user_id = $2 and revoked_at is null";

const OVER: &str = concat!(
    "select ",
    mandate_columns!(),
    " from mandate where expired_at is null and revoked_at is null and expires_at <= $1
order by expires_at limit $2"
);

const EXPIRE: &str = "update mandate set expired_at = $2
where id = $1 and expired_at is null and revoked_at is null";

const FIND: &str = concat!("select ", mandate_columns!(), " from mandate where id = $1");

const OF_USER: &str = concat!(
    "select ",
    mandate_columns!(),
    " from mandate where user_id = $1 and id < $2 order by id desc limit $3"
);

const OF_INSTITUTION: &str = concat!(
    "select ",
    mandate_columns!(),
    " from mandate where institution_id = $1 and id < $2 order by id desc limit $3"
);

const PAYMENTS_OF_MANDATE: &str = concat!(
    "select ",
    payment_columns!(),
    " from payment where method = $1 and method >= 'mdt' and method < 'mdu' order by id desc limit $2"
);

/// Past every id, in the order of their text.
const AFTER_EVERY_ID: &str = "~";

/// The mandates that are there, locked in key order.
pub(crate) async fn lock(
    tx: &mut Tx,
    mut ids: Vec<MandateId>,
) -> Result<HashMap<MandateId, Mandate>, Error> {
    if ids.is_empty() {
        return Ok(HashMap::new());
    }
    ids.sort_unstable();
    ids.dedup();
    let ids: Vec<_> = ids.into_iter().map(AsText).collect();
    let rows = sqlx::query(tx.pick(LOCK_SQLITE, LOCK_POSTGRES))
        .bind(json(&ids))
        .fetch_all(tx.conn())
        .await?;
    rows.iter()
        .map(|row| mandate_of(row).map(|mandate| (mandate.id, mandate)))
        .collect()
}

#[derive(Serialize)]
struct UsageRow {
    id: AsText<MandateId>,
    count: u32,
    minor: i64,
    day: AsText<Day>,
    day_minor: i64,
    month_minor: i64,
    changes: u32,
}

impl UsageRow {
    fn of(id: MandateId, usage: SpendUsage, changes: u32) -> Self {
        Self {
            id: AsText(id),
            count: usage.count,
            minor: usage.minor,
            day: AsText(usage.day),
            day_minor: usage.day_minor,
            month_minor: usage.month_minor,
            changes,
        }
    }
}

/// Writes what is spent of mandates that [`lock`] gave, each with what was spent
/// of it before.
pub(crate) async fn store_usage(
    tx: &mut Tx,
    mandates: &[(&Mandate, SpendUsage)],
    facts: &mut Vec<Fact>,
) -> Result<(), Error> {
    if mandates.is_empty() {
        return Ok(());
    }
    let mut rows = Vec::with_capacity(mandates.len());
    for (mandate, before) in mandates {
        let id = mandate.id;
        let before = UsageRow::of(id, *before, mandate.changes);
        let changes = mandate.changes.saturating_add(1);
        let row = UsageRow::of(id, mandate.grant.usage, changes);
        let before = USAGES.fact(id.as_u128(), &before);
        facts.push(USAGES.fact(id.as_u128(), &row).after(before.digest));
        rows.push(row);
    }
    let done = sqlx::query(tx.pick(SPEND_SQLITE, SPEND_POSTGRES))
        .bind(json(&rows))
        .execute(tx.conn())
        .await?;
    assert_eq!(
        usize::try_from(done.rows_affected()),
        Ok(rows.len()),
        "every mandate that was spent has one row"
    );
    Ok(())
}

/// Adds a mandate; gives whether it was new.
pub(crate) async fn insert(tx: &mut Tx, mandate: &Mandate) -> Result<bool, Error> {
    let limits = &mandate.grant.limits;
    let usage = &mandate.grant.usage;
    let payees: Vec<_> = limits.payees.iter().map(AsText).collect();
    let products: Vec<_> = limits.products.iter().map(AsText).collect();
    let done = sqlx::query(INSERT)
        .bind(mandate.id.to_string())
        .bind(mandate.user.to_string())
        .bind(mandate.institution.to_string())
        .bind(mandate.plugin.map(|id| id.to_string()))
        .bind(&mandate.title)
        .bind(&mandate.purpose)
        .bind(&mandate.reference)
        .bind(limits.currency.code())
        .bind(limits.per_payment)
        .bind(limits.per_day)
        .bind(limits.per_month)
        .bind(limits.count.map(i64::from))
        .bind(json(&payees))
        .bind(json(&products))
        .bind(limits.expires_at.as_millis())
        .bind(i64::from(usage.count))
        .bind(usage.minor)
        .bind(usage.day.to_string())
        .bind(usage.day_minor)
        .bind(usage.month_minor)
        .bind(mandate.created_at.as_millis())
        .bind(mandate.revoked_at.map(Timestamp::as_millis))
        .execute(tx.conn())
        .await?;
    Ok(done.rows_affected() == 1)
}

/// Revokes a person's mandate; gives whether it was not revoked before.
pub(crate) async fn revoke_for_user(
    tx: &mut Tx,
    id: MandateId,
    user: UserId,
    now: Timestamp,
) -> Result<bool, Error> {
    let done = sqlx::query(REVOKE)
        .bind(id.to_string())
        .bind(user.to_string())
        .bind(now.as_millis())
        .execute(tx.conn())
        .await?;
    Ok(done.rows_affected() == 1)
}

/// Mandates whose time is over and that nobody was told of, the oldest first.
pub(crate) async fn over(db: &Db, now: Timestamp, limit: i64) -> Result<Vec<Mandate>, Error> {
    let rows = sqlx::query(OVER)
        .bind(now.as_millis())
        .bind(limit)
        .fetch_all(db.reads())
        .await?;
    rows.iter().map(mandate_of).collect()
}

/// Notes that a mandate's end is told; gives whether it was not told before.
pub(crate) async fn expire(tx: &mut Tx, id: MandateId, now: Timestamp) -> Result<bool, Error> {
    let done = sqlx::query(EXPIRE)
        .bind(id.to_string())
        .bind(now.as_millis())
        .execute(tx.conn())
        .await?;
    Ok(done.rows_affected() == 1)
}

pub(crate) async fn find(db: &Db, id: MandateId) -> Result<Option<Mandate>, Error> {
    let row = sqlx::query(FIND)
        .bind(id.to_string())
        .fetch_optional(db.reads())
        .await?;
    row.as_ref().map(mandate_of).transpose()
}

/// The newest mandates of a person before one, newest first.
pub(crate) async fn list_for_user(
    db: &Db,
    user: UserId,
    before: Option<MandateId>,
    limit: i64,
) -> Result<Vec<Mandate>, Error> {
    list(db, OF_USER, user.to_string(), before, limit).await
}

/// The newest mandates for an institution before one, newest first.
pub(crate) async fn list_for_institution(
    db: &Db,
    institution: InstitutionId,
    before: Option<MandateId>,
    limit: i64,
) -> Result<Vec<Mandate>, Error> {
    list(db, OF_INSTITUTION, institution.to_string(), before, limit).await
}

async fn list(
    db: &Db,
    sql: &'static str,
    owner: String,
    before: Option<MandateId>,
    limit: i64,
) -> Result<Vec<Mandate>, Error> {
    let before = before.map_or_else(|| AFTER_EVERY_ID.to_owned(), |id| id.to_string());
    let rows = sqlx::query(sql)
        .bind(owner)
        .bind(before)
        .bind(limit)
        .fetch_all(db.reads())
        .await?;
    rows.iter().map(mandate_of).collect()
}

/// The newest payments that a mandate paid for, newest first.
pub(crate) async fn payments(db: &Db, id: MandateId, limit: i64) -> Result<Vec<Payment>, Error> {
    let rows = sqlx::query(PAYMENTS_OF_MANDATE)
        .bind(id.to_string())
        .bind(limit)
        .fetch_all(db.reads())
        .await?;
    rows.iter().map(payment_of).collect()
}

pub(super) fn mandate_of(row: &AnyRow) -> Result<Mandate, Error> {
    let currency: Currency = parse("currency", row.try_get("currency")?)?;
    let plugin: Option<&str> = row.try_get("plugin_id")?;
    let plugin: Option<PluginId> = plugin.map(|id| parse("plugin id", id)).transpose()?;
    let revoked_at: Option<i64> = row.try_get("revoked_at")?;
    let count: Option<i64> = row.try_get("count_max")?;
    Ok(Mandate {
        id: parse("mandate id", row.try_get("id")?)?,
        user: parse("user id", row.try_get("user_id")?)?,
        institution: parse("institution id", row.try_get("institution_id")?)?,
        plugin,
        title: row.try_get("title")?,
        purpose: row.try_get("purpose")?,
        reference: row.try_get("reference")?,
        grant: SpendGrant {
            limits: SpendLimits {
                currency,
                per_payment: row.try_get("per_payment")?,
                per_day: row.try_get("per_day")?,
                per_month: row.try_get("per_month")?,
                count: count.map(count_of).transpose()?,
                payees: ids("payee", row.try_get("payees")?)?,
                products: ids("product", row.try_get("products")?)?,
                expires_at: Timestamp::from_millis(row.try_get("expires_at")?),
            },
            usage: SpendUsage {
                count: count_of(row.try_get("used_count")?)?,
                minor: row.try_get("used_minor")?,
                day: parse("day", row.try_get("used_day")?)?,
                day_minor: row.try_get("used_day_minor")?,
                month_minor: row.try_get("used_month_minor")?,
            },
        },
        created_at: Timestamp::from_millis(row.try_get("created_at")?),
        revoked_at: revoked_at.map(Timestamp::from_millis),
        changes: count_of(row.try_get("changes")?)?,
    })
}

fn count_of(stored: i64) -> Result<u32, Error> {
    u32::try_from(stored).map_err(|_| Error::corrupt("count of a mandate", stored.to_string()))
}

fn ids<T: FromStr>(what: &'static str, text: &str) -> Result<Vec<T>, Error> {
    let ids: Vec<String> = serde_json::from_str(text).map_err(|_| Error::corrupt(what, text))?;
    ids.iter().map(|id| parse(what, id)).collect()
}
