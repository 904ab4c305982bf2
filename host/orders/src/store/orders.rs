//! Queries outside the money path.

use qiao_db::{Db, Error};
use qiao_model::{InstitutionId, OrderId, PluginId, UserId};

use super::row::{order, standing_columns};
use crate::order::{ORDERS_PAGE_MAX, Order, OrderPage};

macro_rules! select_orders {
    ($rest:literal) => {
        concat!(
            "select id, token, subject, payment_id, confirmed_at, ",
            standing_columns!(),
            " from orders ",
            $rest
        )
    };
}

const FIND: &str = select_orders!("where id = $1");
const OF_USER: &str = select_orders!("where user_id = $1 and id < $2 order by id desc limit $3");
const OF_INSTITUTION: &str =
    select_orders!("where institution_id = $1 and id < $2 order by id desc limit $3");
const OF_REFERENCE: &str =
    select_orders!("where plugin_id = $1 and reference = $2 order by id desc limit $3");
const STUCK: &str = select_orders!(
    "where ((failures > 0 and next_at is null) or (state = 'held' and problem is not null)) and id < $1 order by id desc limit $2"
);

/// Sorts after every id.
const NEWEST: &str = "ord_~";

pub(crate) async fn find(db: &Db, id: OrderId) -> Result<Option<Order>, Error> {
    let row = sqlx::query(FIND)
        .bind(id.to_string())
        .fetch_optional(db.reads())
        .await?;
    row.as_ref().map(order).transpose()
}

pub(crate) async fn list_for_user(
    db: &Db,
    user: UserId,
    page: OrderPage,
) -> Result<Vec<Order>, Error> {
    list_for_owner(db, OF_USER, user.to_string(), page).await
}

pub(crate) async fn list_for_institution(
    db: &Db,
    institution: InstitutionId,
    page: OrderPage,
) -> Result<Vec<Order>, Error> {
    list_for_owner(db, OF_INSTITUTION, institution.to_string(), page).await
}

async fn list_for_owner(
    db: &Db,
    sql: &'static str,
    owner: String,
    page: OrderPage,
) -> Result<Vec<Order>, Error> {
    let rows = sqlx::query(sql)
        .bind(owner)
        .bind(before(page))
        .bind(i64::from(page.limit.min(ORDERS_PAGE_MAX)))
        .fetch_all(db.reads())
        .await?;
    rows.iter().map(order).collect()
}

/// The newest orders of a plugin with a reference.
pub(crate) async fn list_for_plugin(
    db: &Db,
    plugin: PluginId,
    reference: &str,
    limit: usize,
) -> Result<Vec<Order>, Error> {
    let rows = sqlx::query(OF_REFERENCE)
        .bind(plugin.to_string())
        .bind(reference)
        .bind(i64::try_from(limit).unwrap_or(1))
        .fetch_all(db.reads())
        .await?;
    rows.iter().map(order).collect()
}

pub(crate) async fn list_stuck(db: &Db, page: OrderPage) -> Result<Vec<Order>, Error> {
    let rows = sqlx::query(STUCK)
        .bind(before(page))
        .bind(i64::from(page.limit.min(ORDERS_PAGE_MAX)))
        .fetch_all(db.reads())
        .await?;
    rows.iter().map(order).collect()
}

fn before(page: OrderPage) -> String {
    page.before
        .map_or_else(|| NEWEST.to_owned(), |id| id.to_string())
}
