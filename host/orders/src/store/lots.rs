use std::collections::{BTreeMap, BTreeSet};

use qiao_db::attest::Fact;
use qiao_db::{Db, Error, Tx};
use qiao_model::{OrderId, ProductId, UserId};
use serde::Serialize;
use sqlx::Row;
use sqlx::any::AnyRow;

use super::{AsText, json, parse};
use crate::attested::{LEFT, LOTS, USES};
use crate::lots::Lot;

const OF_HOLDER: &str = "select order_id, acquired, left_minor, changes from lot
where user_id = $1 and product_id = $2 and left_minor > 0
order by acquired, order_id";

const USES_SQLITE: &str = "select order_id, lot_id, minor from lot_use
where order_id in (select value from json_each($1))";

const USES_POSTGRES: &str = "select order_id, lot_id, minor from lot_use
where order_id = any(array(select json_array_elements_text($1::json)))";

const LOAD_SQLITE: &str =
    "select lot.user_id, lot.product_id, lot.order_id, lot.acquired, lot.left_minor, lot.changes
from json_each($1) as holder
join lot on lot.user_id = holder.value ->> 'user' and lot.product_id = holder.value ->> 'product'
where lot.left_minor > 0
union
select user_id, product_id, order_id, acquired, left_minor, changes from lot
where order_id in (select value from json_each($2))";

const LOAD_POSTGRES: &str =
    "select lot.user_id, lot.product_id, lot.order_id, lot.acquired, lot.left_minor, lot.changes
from json_to_recordset($1::json) as holder(\"user\" text, product text)
join lot on lot.user_id = holder.\"user\" and lot.product_id = holder.product
where lot.left_minor > 0
union
select user_id, product_id, order_id, acquired, left_minor, changes from lot
where order_id = any(array(select json_array_elements_text($2::json)))";

const INSERT_SQLITE: &str =
    "insert into lot (order_id, user_id, product_id, acquired, units_minor, left_minor)
select value ->> 'order', value ->> 'user', value ->> 'product', value ->> 'acquired',
    value ->> 'units_minor', value ->> 'units_minor'
from json_each($1)";

const INSERT_POSTGRES: &str =
    "insert into lot (order_id, user_id, product_id, acquired, units_minor, left_minor)
select \"order\", \"user\", product, acquired, units_minor, units_minor
from json_to_recordset($1::json) as x(\"order\" text, \"user\" text, product text, acquired text,
    units_minor bigint)";

const INSERT_USES_SQLITE: &str = "insert into lot_use (order_id, lot_id, minor)
select value ->> 'redemption', value ->> 'lot', value ->> 'minor' from json_each($1)";

const INSERT_USES_POSTGRES: &str = "insert into lot_use (order_id, lot_id, minor)
select redemption, lot, minor
from json_to_recordset($1::json) as x(redemption text, lot text, minor bigint)";

const UPDATE_SQLITE: &str = "update lot set left_minor = x.left_minor, changes = x.changes
from (
    select value ->> 'lot' as lot, value ->> 'left_minor' as left_minor, value ->> 'changes' as changes
    from json_each($1)
) as x
where lot.order_id = x.lot";

const UPDATE_POSTGRES: &str = "update lot set left_minor = x.left_minor, changes = x.changes
from json_to_recordset($1::json) as x(lot text, left_minor bigint, changes bigint)
where lot.order_id = x.lot
    and lot.order_id = any(array(select y.lot from json_to_recordset($1::json) as y(lot text)))";

/// A lot that a posted purchase leaves.
#[derive(Debug)]
pub(crate) struct NewLot {
    pub(crate) lot: Lot,
    pub(crate) user: UserId,
    pub(crate) product: ProductId,
    pub(crate) units_minor: i64,
}

/// What a placed redemption takes of a lot.
#[derive(Debug)]
pub(crate) struct NewUse {
    pub(crate) redemption: OrderId,
    pub(crate) lot: OrderId,
    pub(crate) minor: i64,
}

#[derive(Serialize)]
struct HolderRow {
    user: AsText<UserId>,
    product: AsText<ProductId>,
}

#[derive(Serialize)]
struct LotRow {
    order: AsText<OrderId>,
    user: AsText<UserId>,
    product: AsText<ProductId>,
    acquired: String,
    units_minor: i64,
}

#[derive(Serialize)]
struct UseRow {
    redemption: AsText<OrderId>,
    lot: AsText<OrderId>,
    minor: i64,
}

#[derive(Serialize)]
struct LeftRow {
    lot: AsText<OrderId>,
    left_minor: i64,
    changes: i64,
}

/// A lot of which another rest is left.
#[derive(Debug)]
pub(crate) struct Left {
    /// As it was before.
    pub(crate) before: Lot,
    /// What is left of it now.
    pub(crate) now_minor: i64,
}

/// A holder's lots with something left, the oldest first.
pub(crate) async fn of_holder(
    db: &Db,
    user: UserId,
    product: ProductId,
) -> Result<Vec<Lot>, Error> {
    let rows = sqlx::query(OF_HOLDER)
        .bind(user.to_string())
        .bind(product.to_string())
        .fetch_all(db.reads())
        .await?;
    rows.iter().map(lot).collect()
}

/// What redemptions took: redemption, lot, units.
pub(crate) async fn uses_of(
    tx: &mut Tx,
    redemptions: &BTreeSet<OrderId>,
) -> Result<Vec<(OrderId, OrderId, i64)>, Error> {
    if redemptions.is_empty() {
        return Ok(Vec::new());
    }
    let sql = tx.pick(USES_SQLITE, USES_POSTGRES);
    let rows = sqlx::query(sql)
        .bind(json(redemptions.iter().map(AsText)))
        .fetch_all(tx.conn())
        .await?;
    rows.iter()
        .map(|row| {
            let redemption = parse("order id", row.try_get("order_id")?)?;
            let lot = parse("order id", row.try_get("lot_id")?)?;
            Ok((redemption, lot, row.try_get("minor")?))
        })
        .collect()
}

/// The lots of these holders with something left, and these lots whatever is left.
pub(crate) async fn load(
    tx: &mut Tx,
    holders: &BTreeSet<(UserId, ProductId)>,
    lots: &BTreeSet<OrderId>,
) -> Result<Vec<(UserId, ProductId, Lot)>, Error> {
    let holders = holders.iter().map(|(user, product)| HolderRow {
        user: AsText(*user),
        product: AsText(*product),
    });
    let sql = tx.pick(LOAD_SQLITE, LOAD_POSTGRES);
    let rows = sqlx::query(sql)
        .bind(json(holders))
        .bind(json(lots.iter().map(AsText)))
        .fetch_all(tx.conn())
        .await?;
    rows.iter()
        .map(|row| {
            let user = parse("user id", row.try_get("user_id")?)?;
            let product = parse("product id", row.try_get("product_id")?)?;
            Ok((user, product, lot(row)?))
        })
        .collect()
}

/// Writes new lots, whole.
pub(crate) async fn insert(
    tx: &mut Tx,
    added: &[NewLot],
    facts: &mut Vec<Fact>,
) -> Result<(), Error> {
    if added.is_empty() {
        return Ok(());
    }
    let rows = added.iter().map(|new| LotRow {
        order: AsText(new.lot.order),
        user: AsText(new.user),
        product: AsText(new.product),
        acquired: new.lot.acquired.to_string(),
        units_minor: new.units_minor,
    });
    let rows: Vec<LotRow> = rows.collect();
    for (new, row) in added.iter().zip(&rows) {
        let id = new.lot.order.as_u128();
        facts.push(LOTS.fact(id, row));
        facts.push(LEFT.fact(id, &left_row(&new.lot)));
    }
    let sql = tx.pick(INSERT_SQLITE, INSERT_POSTGRES);
    sqlx::query(sql).bind(json(rows)).execute(tx.conn()).await?;
    Ok(())
}

const fn left_row(lot: &Lot) -> LeftRow {
    LeftRow {
        lot: AsText(lot.order),
        left_minor: lot.left_minor,
        changes: lot.changes,
    }
}

/// Writes what redemptions take.
pub(crate) async fn insert_uses(
    tx: &mut Tx,
    used: &[NewUse],
    facts: &mut Vec<Fact>,
) -> Result<(), Error> {
    if used.is_empty() {
        return Ok(());
    }
    let rows = used.iter().map(|new| UseRow {
        redemption: AsText(new.redemption),
        lot: AsText(new.lot),
        minor: new.minor,
    });
    let rows: Vec<UseRow> = rows.collect();
    for (new, row) in used.iter().zip(&rows) {
        let id = USES.id_of(&[&new.redemption.to_string(), &new.lot.to_string()]);
        facts.push(USES.fact(id, row));
    }
    let sql = tx.pick(INSERT_USES_SQLITE, INSERT_USES_POSTGRES);
    sqlx::query(sql).bind(json(rows)).execute(tx.conn()).await?;
    Ok(())
}

/// Writes what is left of lots.
pub(crate) async fn update(
    tx: &mut Tx,
    left: &BTreeMap<OrderId, Left>,
    facts: &mut Vec<Fact>,
) -> Result<(), Error> {
    if left.is_empty() {
        return Ok(());
    }
    let mut rows = Vec::with_capacity(left.len());
    for (id, left) in left {
        let row = left_row(&Lot {
            left_minor: left.now_minor,
            changes: left.before.changes.saturating_add(1),
            ..left.before
        });
        let before = LEFT.fact(id.as_u128(), &left_row(&left.before));
        facts.push(LEFT.fact(id.as_u128(), &row).after(before.digest));
        rows.push(row);
    }
    let sql = tx.pick(UPDATE_SQLITE, UPDATE_POSTGRES);
    let done = sqlx::query(sql).bind(json(rows)).execute(tx.conn()).await?;
    assert_eq!(
        usize::try_from(done.rows_affected()),
        Ok(left.len()),
        "every changed lot has one row"
    );
    Ok(())
}

fn lot(row: &AnyRow) -> Result<Lot, Error> {
    Ok(Lot {
        order: parse("order id", row.try_get("order_id")?)?,
        acquired: parse("day", row.try_get("acquired")?)?,
        left_minor: row.try_get("left_minor")?,
        changes: row.try_get("changes")?,
    })
}
