//! What redemptions took of the daily limits, and what advances are to be repaid.

use std::collections::HashMap;

use qiao_db::{Db, Error, Tx};
use qiao_model::{Currency, Day, InstitutionId, Money, OrderId, Timestamp};
use serde::Serialize;
use sqlx::Row;
use sqlx::any::AnyRow;

use super::{AsText, json, parse};
use crate::redemption::{ADVANCES_PAGE_MAX, Allowance, Arrival, DueAdvance, Redeeming};

const USED: &str = "select minor from instant_allowance
where user_id = $1 and product_id = $2 and channel = $3 and day = $4";

const LOAD_ALLOWANCES_SQLITE: &str = "select a.user_id, a.product_id, a.channel, a.day, a.minor
from json_each($1) as wanted join instant_allowance a
    on a.user_id = wanted.value ->> 'user' and a.product_id = wanted.value ->> 'product'
    and a.channel = wanted.value ->> 'channel' and a.day = wanted.value ->> 'day'";

const LOAD_ALLOWANCES_POSTGRES: &str = "select a.user_id, a.product_id, a.channel, a.day, a.minor
from json_to_recordset($1::json) as wanted(\"user\" text, product text, channel text, day text)
cross join lateral (
    select * from instant_allowance
    where user_id = wanted.\"user\" and product_id = wanted.product
        and instant_allowance.channel = wanted.channel and instant_allowance.day = wanted.day
    for update
) as a";

const STORE_ALLOWANCES_SQLITE: &str = "insert into instant_allowance (user_id, product_id, channel, day, minor)
select value ->> 'user', value ->> 'product', value ->> 'channel', value ->> 'day', value ->> 'minor'
from json_each($1) where true
on conflict (user_id, product_id, channel, day) do update set minor = excluded.minor";

const STORE_ALLOWANCES_POSTGRES: &str = "insert into instant_allowance (user_id, product_id, channel, day, minor)
select \"user\", product, channel, day, minor
from json_to_recordset($1::json) as x(\"user\" text, product text, channel text, day text, minor bigint)
on conflict (user_id, product_id, channel, day) do update set minor = excluded.minor";

const LOAD_SQLITE: &str =
    "select order_id, institution_id, user_id, product_id, channel, day, settles_on, form,
    currency, minor, paid_minor, ended
from redemption where order_id in (select value from json_each($1))";

const LOAD_POSTGRES: &str =
    "select r.order_id, r.institution_id, r.user_id, r.product_id, r.channel, r.day,
    r.settles_on, r.form, r.currency, r.minor, r.paid_minor, r.ended
from json_array_elements_text($1::json) as wanted (id)
cross join lateral (select * from redemption where redemption.order_id = wanted.id offset 0) as r";

const STORE_SQLITE: &str =
    "insert into redemption (order_id, institution_id, user_id, product_id, channel, day,
    settles_on, form, currency, minor, paid_minor, ended)
select value ->> 'order', value ->> 'institution', value ->> 'user', value ->> 'product',
    value ->> 'channel', value ->> 'day', value ->> 'settles_on', value ->> 'form',
    value ->> 'currency', value ->> 'minor', value ->> 'paid_minor', value ->> 'ended'
from json_each($1) where true
on conflict (order_id) do update set ended = excluded.ended";

const STORE_POSTGRES: &str = "insert into redemption (order_id, institution_id, user_id, product_id, channel, day,
    settles_on, form, currency, minor, paid_minor, ended)
select \"order\", institution, \"user\", product, channel, day, settles_on, form, currency, minor, paid_minor, ended
from json_to_recordset($1::json) as x(\"order\" text, institution text, \"user\" text, product text,
    channel text, day text, settles_on text, form text, currency text, minor bigint,
    paid_minor bigint, ended text)
on conflict (order_id) do update set ended = excluded.ended";

const DUE: &str = "select r.order_id, r.institution_id, r.currency, r.paid_minor
from redemption r join orders o on o.id = r.order_id
where r.form = 'instant' and r.ended is null and r.settles_on <= $1 and r.order_id > $2
    and o.state = 'completed'
order by r.order_id limit $3";

const LENT_OUT: &str = "select r.institution_id, cast(sum(r.paid_minor) as bigint) as minor
from redemption r join orders o on o.id = r.order_id
where r.form = 'instant' and r.ended is null and r.currency = $1 and o.state = 'completed'
group by r.institution_id";

const MARK_REPAID_SQLITE: &str = "update redemption set ended = 'repaid', repaid_at = $2
where ended is null and order_id in (select value from json_each($1))";

const MARK_REPAID_POSTGRES: &str = "update redemption set ended = 'repaid', repaid_at = $2
where ended is null and order_id = any(array(select json_array_elements_text($1::json)))";

const INSTANT: &str = "instant";
const LATER: &str = "later";
const GIVEN_BACK: &str = "given-back";

/// What each institution's line has advanced and not got back.
pub(crate) async fn lent_out(
    db: &Db,
    currency: Currency,
) -> Result<HashMap<InstitutionId, i64>, Error> {
    let rows = sqlx::query(LENT_OUT)
        .bind(currency.code())
        .fetch_all(db.reads())
        .await?;
    rows.iter()
        .map(|row| {
            let institution = parse("institution id", row.try_get("institution_id")?)?;
            Ok((institution, row.try_get("minor")?))
        })
        .collect()
}

/// What was taken of a day's limit.
pub(crate) async fn used(db: &Db, of: &Allowance) -> Result<i64, Error> {
    let row = sqlx::query(USED)
        .bind(of.user.to_string())
        .bind(of.product.to_string())
        .bind(&of.channel)
        .bind(of.day.to_string())
        .fetch_optional(db.reads())
        .await?;
    row.map_or(Ok(0), |row| Ok(row.try_get("minor")?))
}

#[derive(Serialize)]
struct AllowanceRow<'a> {
    user: String,
    product: String,
    channel: &'a str,
    day: String,
    minor: i64,
}

impl<'a> AllowanceRow<'a> {
    fn of(allowance: &'a Allowance, minor: i64) -> Self {
        Self {
            user: allowance.user.to_string(),
            product: allowance.product.to_string(),
            channel: &allowance.channel,
            day: allowance.day.to_string(),
            minor,
        }
    }
}

/// What was taken of these limits, locked in their order.
pub(crate) async fn load_allowances(
    tx: &mut Tx,
    wanted: &[Allowance],
) -> Result<HashMap<Allowance, i64>, Error> {
    if wanted.is_empty() {
        return Ok(HashMap::new());
    }
    let sql = tx.pick(LOAD_ALLOWANCES_SQLITE, LOAD_ALLOWANCES_POSTGRES);
    let rows = sqlx::query(sql)
        .bind(json(wanted.iter().map(|of| AllowanceRow::of(of, 0))))
        .fetch_all(tx.conn())
        .await?;
    rows.iter()
        .map(|row| Ok((allowance(row)?, row.try_get("minor")?)))
        .collect()
}

/// Writes what is taken of each limit now.
pub(crate) async fn store_allowances(
    tx: &mut Tx,
    taken: &[(&Allowance, i64)],
) -> Result<(), Error> {
    if taken.is_empty() {
        return Ok(());
    }
    let sql = tx.pick(STORE_ALLOWANCES_SQLITE, STORE_ALLOWANCES_POSTGRES);
    let rows = taken.iter().map(|(of, minor)| AllowanceRow::of(of, *minor));
    sqlx::query(sql).bind(json(rows)).execute(tx.conn()).await?;
    Ok(())
}

#[derive(Serialize)]
struct RedemptionRow<'a> {
    order: AsText<OrderId>,
    institution: String,
    user: String,
    product: String,
    channel: &'a str,
    day: String,
    settles_on: String,
    form: &'static str,
    currency: String,
    minor: i64,
    paid_minor: i64,
    ended: Option<&'static str>,
}

/// The redemptions of these orders; the orders hold the lock.
pub(crate) async fn load(tx: &mut Tx, orders: &[OrderId]) -> Result<Vec<Redeeming>, Error> {
    if orders.is_empty() {
        return Ok(Vec::new());
    }
    let sql = tx.pick(LOAD_SQLITE, LOAD_POSTGRES);
    let rows = sqlx::query(sql)
        .bind(json(orders.iter().map(AsText)))
        .fetch_all(tx.conn())
        .await?;
    rows.iter().map(redeeming).collect()
}

/// Writes new redemptions and how others ended.
pub(crate) async fn store(tx: &mut Tx, redemptions: &[&Redeeming]) -> Result<(), Error> {
    if redemptions.is_empty() {
        return Ok(());
    }
    let rows = redemptions.iter().map(|redeeming| RedemptionRow {
        order: AsText(redeeming.order),
        institution: redeeming.institution.to_string(),
        user: redeeming.allowance.user.to_string(),
        product: redeeming.allowance.product.to_string(),
        channel: &redeeming.allowance.channel,
        day: redeeming.allowance.day.to_string(),
        settles_on: redeeming.settles_on.to_string(),
        form: match redeeming.arrival {
            Arrival::Instant(_) => INSTANT,
            Arrival::Later(_) => LATER,
        },
        currency: redeeming.amount.currency.to_string(),
        minor: redeeming.amount.minor,
        paid_minor: redeeming.paid.minor,
        ended: redeeming.is_given_back.then_some(GIVEN_BACK),
    });
    let sql = tx.pick(STORE_SQLITE, STORE_POSTGRES);
    sqlx::query(sql).bind(json(rows)).execute(tx.conn()).await?;
    Ok(())
}

/// When the money of these orders arrives.
pub(crate) async fn arrivals(
    db: &Db,
    orders: &[OrderId],
) -> Result<HashMap<OrderId, Arrival>, Error> {
    if orders.is_empty() {
        return Ok(HashMap::new());
    }
    let rows = sqlx::query(db.pick(LOAD_SQLITE, LOAD_POSTGRES))
        .bind(json(orders.iter().map(AsText)))
        .fetch_all(db.reads())
        .await?;
    rows.iter()
        .map(|row| redeeming(row).map(|found| (found.order, found.arrival)))
        .collect()
}

/// Completed orders whose advance is to be repaid by a day, a page in the order
/// of their ids.
pub(crate) async fn due_advances(
    db: &Db,
    today: Day,
    after: Option<OrderId>,
) -> Result<Vec<DueAdvance>, Error> {
    let rows = sqlx::query(DUE)
        .bind(today.to_string())
        .bind(after.map(|order| order.to_string()).unwrap_or_default())
        .bind(i64::try_from(ADVANCES_PAGE_MAX).unwrap_or(1))
        .fetch_all(db.reads())
        .await?;
    rows.iter()
        .map(|row| {
            Ok(DueAdvance {
                order: parse("order id", row.try_get("order_id")?)?,
                institution: parse("institution id", row.try_get("institution_id")?)?,
                amount: money(row, "paid_minor")?,
            })
        })
        .collect()
}

/// Writes that these advances were repaid.
pub(crate) async fn mark_repaid(db: &Db, orders: &[OrderId], now: Timestamp) -> Result<(), Error> {
    if orders.is_empty() {
        return Ok(());
    }
    db.write(|| async {
        let mut tx = db.begin().await?;
        let sql = tx.pick(MARK_REPAID_SQLITE, MARK_REPAID_POSTGRES);
        sqlx::query(sql)
            .bind(json(orders.iter().map(AsText)))
            .bind(now.as_millis())
            .execute(tx.conn())
            .await?;
        tx.commit().await
    })
    .await
}

fn allowance(row: &AnyRow) -> Result<Allowance, Error> {
    Ok(Allowance {
        user: parse("user id", row.try_get("user_id")?)?,
        product: parse("product id", row.try_get("product_id")?)?,
        channel: row.try_get("channel")?,
        day: parse("day", row.try_get("day")?)?,
    })
}

fn redeeming(row: &AnyRow) -> Result<Redeeming, Error> {
    let allowance = allowance(row)?;
    let settles_on: Day = parse("day", row.try_get("settles_on")?)?;
    let ended: Option<&str> = row.try_get("ended")?;
    Ok(Redeeming {
        order: parse("order id", row.try_get("order_id")?)?,
        institution: parse("institution id", row.try_get("institution_id")?)?,
        amount: money(row, "minor")?,
        paid: money(row, "paid_minor")?,
        arrival: match row.try_get("form")? {
            INSTANT => Arrival::Instant(allowance.day),
            LATER => Arrival::Later(settles_on),
            other => return Err(Error::corrupt("form of a redemption", other)),
        },
        settles_on,
        is_given_back: ended == Some(GIVEN_BACK),
        allowance,
    })
}

fn money(row: &AnyRow, column: &str) -> Result<Money, Error> {
    let currency: Currency = parse("currency", row.try_get("currency")?)?;
    Ok(Money::new(row.try_get(column)?, currency))
}
