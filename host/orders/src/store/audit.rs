//! What the audit reads: every order a page at a time, and the other tables row
//! after row.

use futures_util::TryStreamExt;
use qiao_db::{Error, Tx};
use qiao_model::{Day, OfferId, OrderId, Timestamp};
use qiao_runtime::OrderState;
use sqlx::Row;
use sqlx::any::AnyRow;

use super::parse;
use super::row::{head, standing_columns};
use crate::head::Head;
use crate::order::state_from_name;
use crate::quote::Quote;
use crate::token;

const PAGE: &str = concat!(
    "select id, token, confirmed_at, user_id, subject, plugin_id, institution_id, product_id, kind,
    reference, payment_id, currency, principal_minor, amount_minor, paid_minor, units_minor, lots, ",
    standing_columns!(),
    " from orders where id > $1 order by id limit $2"
);

const USES_BETWEEN: &str = "select u.order_id, u.lot_id, u.minor, l.acquired
from lot_use u join lot l on l.order_id = u.lot_id where u.order_id >= $1 and u.order_id <= $2";

const LOTS: &str = "select order_id, acquired, units_minor, left_minor from lot";

const USES: &str = "select u.lot_id, u.minor, o.state
from lot_use u join orders o on o.id = u.order_id";

const CHARGED: &str =
    "select o.id, o.offer_id from charge c join orders o on o.offer_id = c.offer_id";

const REDEMPTIONS: &str = "select r.order_id, r.form, r.ended, o.state,
    cast(case when r.user_id = o.user_id and r.product_id = o.product_id
        and r.institution_id = o.institution_id and r.currency = o.currency
        and r.minor = o.amount_minor and r.paid_minor = o.paid_minor then 1 else 0 end as bigint) as is_same
from redemption r join orders o on o.id = r.order_id";

// What is counted and what was taken, each day's side by side.
const ALLOWANCES: &str = "select user_id, product_id, channel, day, minor as counted, 0 as taken
from instant_allowance
union all
select user_id, product_id, channel, day, 0, minor
from redemption where form = 'instant' and (ended is null or ended <> 'given-back')
order by user_id, product_id, channel, day";

/// An order with the quote that it keeps.
pub(crate) struct StoredOrder {
    pub(crate) head: Head,
    pub(crate) quote: Quote,
    pub(crate) confirmed_at: Timestamp,
}

/// The next orders by id, each by its stored id: as it is, or why its row is not readable.
pub(crate) async fn page(
    tx: &mut Tx,
    after: &str,
    limit: usize,
) -> Result<Vec<(String, Result<StoredOrder, Error>)>, Error> {
    let rows = sqlx::query(PAGE)
        .bind(after.to_owned())
        .bind(i64::try_from(limit).unwrap_or(1))
        .fetch_all(tx.conn())
        .await?;
    rows.iter()
        .map(|row| Ok((row.try_get("id")?, stored(row))))
        .collect()
}

fn stored(row: &AnyRow) -> Result<StoredOrder, Error> {
    let text: &str = row.try_get("token")?;
    Ok(StoredOrder {
        head: head(row)?,
        quote: token::read(text).map_err(|_| Error::corrupt("quote", text))?,
        confirmed_at: Timestamp::from_millis(row.try_get("confirmed_at")?),
    })
}

/// What a redemption took of a lot.
pub(crate) struct StoredUse {
    pub(crate) redemption: OrderId,
    pub(crate) lot: OrderId,
    pub(crate) acquired: Day,
    pub(crate) minor: i64,
}

/// What the orders from one to another took of lots, as far as it is readable.
pub(crate) async fn uses_between(
    tx: &mut Tx,
    first: &str,
    last: &str,
) -> Result<Vec<StoredUse>, Error> {
    let rows = sqlx::query(USES_BETWEEN)
        .bind(first.to_owned())
        .bind(last.to_owned())
        .fetch_all(tx.conn())
        .await?;
    // A row that is not readable is a finding of the journal and of the lots.
    Ok(rows.iter().filter_map(|row| used(row).ok()).collect())
}

fn used(row: &AnyRow) -> Result<StoredUse, Error> {
    Ok(StoredUse {
        redemption: parse("order id", row.try_get("order_id")?)?,
        lot: parse("order id", row.try_get("lot_id")?)?,
        acquired: parse("day", row.try_get("acquired")?)?,
        minor: row.try_get("minor")?,
    })
}

/// A lot as it is stored.
pub(crate) struct StoredLot {
    pub(crate) order: OrderId,
    pub(crate) acquired: Day,
    pub(crate) units_minor: i64,
    pub(crate) left_minor: i64,
}

/// Hands on every lot, or why its row is not readable.
pub(crate) async fn lots<E: From<Error>>(
    tx: &mut Tx,
    mut each: impl FnMut(&str, Result<StoredLot, Error>) -> Result<(), E>,
) -> Result<(), E> {
    let mut rows = sqlx::query(LOTS).fetch(tx.conn());
    while let Some(row) = rows.try_next().await.map_err(Error::from)? {
        let id: String = row.try_get("order_id").unwrap_or_default();
        each(&id, lot(&row))?;
    }
    Ok(())
}

fn lot(row: &AnyRow) -> Result<StoredLot, Error> {
    Ok(StoredLot {
        order: parse("order id", row.try_get("order_id")?)?,
        acquired: parse("day", row.try_get("acquired")?)?,
        units_minor: row.try_get("units_minor")?,
        left_minor: row.try_get("left_minor")?,
    })
}

/// Hands on every use of a lot with the state of the redemption that took it, or
/// why its row is not readable.
pub(crate) async fn uses<E: From<Error>>(
    tx: &mut Tx,
    mut each: impl FnMut(&str, Result<(OrderId, i64, OrderState), Error>) -> Result<(), E>,
) -> Result<(), E> {
    let mut rows = sqlx::query(USES).fetch(tx.conn());
    while let Some(row) = rows.try_next().await.map_err(Error::from)? {
        let id: String = row.try_get("lot_id").unwrap_or_default();
        each(&id, lot_use(&row))?;
    }
    Ok(())
}

fn lot_use(row: &AnyRow) -> Result<(OrderId, i64, OrderState), Error> {
    let lot = parse("order id", row.try_get("lot_id")?)?;
    Ok((lot, row.try_get("minor")?, state(row)?))
}

fn state(row: &AnyRow) -> Result<OrderState, Error> {
    let state: &str = row.try_get("state")?;
    state_from_name(state).ok_or_else(|| Error::corrupt("order state", state))
}

/// Hands on every order of an offer that a charge made, with that offer.
pub(crate) async fn charged(
    tx: &mut Tx,
    mut each: impl FnMut(OrderId, OfferId),
) -> Result<(), Error> {
    let mut rows = sqlx::query(CHARGED).fetch(tx.conn());
    while let Some(row) = rows.try_next().await? {
        let order = parse("order id", row.try_get("id")?);
        let offer = parse("offer id", row.try_get("offer_id")?);
        // Ids that are not readable are findings of the orders themselves.
        if let (Ok(order), Ok(offer)) = (order, offer) {
            each(order, offer);
        }
    }
    Ok(())
}

/// A redemption with what its order says of it.
pub(crate) struct StoredRedemption {
    pub(crate) order: OrderId,
    pub(crate) is_instant: bool,
    pub(crate) is_given_back: bool,
    pub(crate) is_repaid: bool,
    pub(crate) state: OrderState,
    pub(crate) is_as_its_order: bool,
}

/// Hands on every redemption that has an order, or why its row is not readable.
pub(crate) async fn redemptions<E: From<Error>>(
    tx: &mut Tx,
    mut each: impl FnMut(&str, Result<StoredRedemption, Error>) -> Result<(), E>,
) -> Result<(), E> {
    let mut rows = sqlx::query(REDEMPTIONS).fetch(tx.conn());
    while let Some(row) = rows.try_next().await.map_err(Error::from)? {
        let id: String = row.try_get("order_id").unwrap_or_default();
        each(&id, redemption(&row))?;
    }
    Ok(())
}

fn redemption(row: &AnyRow) -> Result<StoredRedemption, Error> {
    let form: &str = row.try_get("form")?;
    let ended: Option<&str> = row.try_get("ended")?;
    let is_same: i64 = row.try_get("is_same")?;
    Ok(StoredRedemption {
        order: parse("order id", row.try_get("order_id")?)?,
        is_instant: form == "instant",
        is_given_back: ended == Some("given-back"),
        is_repaid: ended == Some("repaid"),
        state: state(row)?,
        is_as_its_order: is_same == 1,
    })
}

/// Hands on, for each person, product, channel and day, what is counted and what
/// redemptions took, in rows that stand together.
pub(crate) async fn allowances<E: From<Error>>(
    tx: &mut Tx,
    mut each: impl FnMut(String, i64, i64) -> Result<(), E>,
) -> Result<(), E> {
    let mut rows = sqlx::query(ALLOWANCES).fetch(tx.conn());
    while let Some(row) = rows.try_next().await.map_err(Error::from)? {
        let text = |at: usize| row.try_get::<String, _>(at).map_err(Error::from);
        let number = |at: usize| row.try_get::<i64, _>(at).map_err(Error::from);
        let of = format!("{}/{}/{}/{}", text(0)?, text(1)?, text(2)?, text(3)?);
        each(of, number(4)?, number(5)?)?;
    }
    Ok(())
}
