//! Who asks a bank about what.

use qiao_db::attest::Fact;
use qiao_db::{Claim, Db, Error, Leases, Tx};
use qiao_model::{BankTransferId, Timestamp};
use sqlx::Row;
use sqlx::any::AnyRow;

use super::batch::moved_since;
use super::row::{transfer, transfer_columns};
use crate::transfer::{BankTransfer, Standing, TransferState};

/// Transfers, as they are driven.
pub(crate) const TRANSFERS: Leases = Leases {
    table: "bank_transfer",
    attempts: "attempt",
    columns: transfer_columns!(),
};

// A request whose node ended while it had the lease may have been sent.
const DOUBT_SQLITE: &str = concat!(
    "update bank_transfer set state = 'unknown'
where state = 'requested' and lease_node is not null and next_at <= $1 and lease_until <= $1
returning ",
    transfer_columns!()
);

const DOUBT_POSTGRES: &str = concat!(
    "update bank_transfer set state = 'unknown'
where id in (
    select id from bank_transfer
    where state = 'requested' and lease_node is not null and next_at <= $1 and lease_until <= $1
    for update skip locked
)
returning ",
    transfer_columns!()
);

const DOUBT_OF_NODE: &str = concat!(
    "update bank_transfer set state = 'unknown'
where state = 'requested' and lease_node = $1
returning ",
    transfer_columns!()
);

const MAKE_DUE: &str = "update bank_transfer set next_at = $2
where id = $1 and next_at is null and lease_node is null and state not in ('done', 'rejected')";

// What the index `bank_transfer_open` has.
const OPEN_COUNTS: &str = "select state, count(*) as count from bank_transfer
where state not in ('done', 'rejected') group by state";

/// Takes the lease of due transfers, and begins a new attempt of each.
pub(crate) async fn claim(db: &Db, claim: &Claim<'_>) -> Result<Vec<BankTransfer>, Error> {
    let mut tx = db.begin().await?;
    let doubted = sqlx::query(tx.pick(DOUBT_SQLITE, DOUBT_POSTGRES))
        .bind(claim.now.as_millis())
        .fetch_all(tx.conn())
        .await?;
    let rows = TRANSFERS.claim(&mut tx, claim).await?;
    let claimed = rows.iter().map(transfer).collect::<Result<_, _>>()?;
    qiao_ledger::attest(&mut tx, doubts(&doubted)?, claim.now).await?;
    tx.commit().await?;
    Ok(claimed)
}

/// Gives back every lease of a node that starts anew. What it had in hand may
/// have been sent.
pub(crate) async fn release(db: &Db, node: &str, now: Timestamp) -> Result<(), Error> {
    let mut tx = db.begin().await?;
    let doubted = sqlx::query(DOUBT_OF_NODE)
        .bind(node.to_owned())
        .fetch_all(tx.conn())
        .await?;
    TRANSFERS.release(&mut tx, node).await?;
    qiao_ledger::attest(&mut tx, doubts(&doubted)?, now).await?;
    tx.commit().await
}

/// What the journal says of transfers that became unknown and were requested.
fn doubts(rows: &[AnyRow]) -> Result<Vec<Fact>, Error> {
    let mut facts = Vec::with_capacity(rows.len());
    for row in rows {
        let now = transfer(row)?;
        let before = BankTransfer {
            standing: Standing {
                state: TransferState::Requested,
                ..now.standing.clone()
            },
            ..now.clone()
        };
        facts.extend(moved_since(&now, &before));
    }
    Ok(facts)
}

/// Makes a stuck transfer due; gives whether it was stuck.
pub(crate) async fn make_due(
    tx: &mut Tx,
    id: BankTransferId,
    now: Timestamp,
) -> Result<bool, Error> {
    let done = sqlx::query(MAKE_DUE)
        .bind(id.to_string())
        .bind(now.as_millis())
        .execute(tx.conn())
        .await?;
    Ok(done.rows_affected() == 1)
}

/// How many transfers that have not ended there are in each state.
pub(crate) async fn open_counts(db: &Db) -> Result<Vec<(String, i64)>, Error> {
    let rows = sqlx::query(OPEN_COUNTS).fetch_all(db.reads()).await?;
    rows.iter()
        .map(|row| Ok((row.try_get("state")?, row.try_get("count")?)))
        .collect()
}
