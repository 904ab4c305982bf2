//! What the audit reads: every order, row after row.

use futures_util::TryStreamExt;
use qiao_db::{Error, Tx};
use qiao_model::{OrderId, PaymentId};
use qiao_runtime::OrderState;
use sqlx::Row;
use sqlx::any::AnyRow;

use super::parse;
use crate::order::{Captured, state_from_name};

const ORDERS: &str = "select id, payment_id, state, captured from orders";

/// What of an order must agree with its payment.
pub(crate) struct StoredOrder {
    pub(crate) id: OrderId,
    pub(crate) payment: PaymentId,
    pub(crate) state: OrderState,
    pub(crate) captured: Captured,
}

/// Hands on every order, or why its row is not readable.
pub(crate) async fn orders<E: From<Error>>(
    tx: &mut Tx,
    mut each: impl FnMut(&str, Result<StoredOrder, Error>) -> Result<(), E>,
) -> Result<(), E> {
    let mut rows = sqlx::query(ORDERS).fetch(tx.conn());
    while let Some(row) = rows.try_next().await.map_err(Error::from)? {
        let id: String = row.try_get("id").unwrap_or_default();
        each(&id, stored(&row))?;
    }
    Ok(())
}

fn stored(row: &AnyRow) -> Result<StoredOrder, Error> {
    let state: &str = row.try_get("state")?;
    Ok(StoredOrder {
        id: parse("order id", row.try_get("id")?)?,
        payment: parse("payment id", row.try_get("payment_id")?)?,
        state: state_from_name(state).ok_or_else(|| Error::corrupt("order state", state))?,
        captured: match row.try_get("captured")? {
            0_i64 => Captured::No,
            _ => Captured::Yes,
        },
    })
}
