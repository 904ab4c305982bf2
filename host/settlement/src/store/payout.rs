//! What institutions are paid, and who drives it.

use qiao_db::attest::{Before, Fact};
use qiao_db::{Claim, Db, Error, Leases, Tx};
use qiao_model::{Currency, InstitutionId, Money, PayoutId, Timestamp};
use sqlx::Row;
use sqlx::any::AnyRow;

use super::{LAST, parse, rows};
use crate::attested::{PLANNED, STANDING};
use crate::payout::{Payout, PayoutState, Source};

/// The columns of [`payout`].
macro_rules! columns {
    () => {
        "id, institution_id, source, currency, day, part, through_day, minor, account_number, state,
    reason, channel, bank_reference, attempts, created_at, changed_at"
    };
}
pub(super) use columns;

const INSERT: &str =
    "insert into payout (id, institution_id, source, currency, day, part, through_day, minor,
    account_number, state, next_at, created_at, changed_at)
values ($1, $2, $3, $4, $5, $6, $7, $8, $9, 'due', $10, $10, $10)
on conflict (institution_id, source, currency, day, part) do nothing";

// What waits for a channel has no hold yet.
const WAITING: &str = "select cast(coalesce(sum(minor), 0) as bigint) as sum from payout
where institution_id = $1 and source = $2 and currency = $3 and state = 'due'";

const LIST_FOR: &str = concat!(
    "select ",
    columns!(),
    " from payout where institution_id = $1 and id < $2 order by id desc limit $3"
);

const LIST: &str = concat!(
    "select ",
    columns!(),
    " from payout where id < $1 order by id desc limit $2"
);

/// Payouts, as they are driven.
pub(crate) const PAYOUTS: Leases = Leases {
    table: "payout",
    attempts: "attempts",
    columns: columns!(),
};

const CLAIM_DUE: &str = concat!(
    "update payout set lease_node = $1, lease_until = $2, attempts = attempts + 1
where id = $4 and state = 'due' and (lease_until is null or lease_until <= $3)
returning ",
    columns!()
);

const FIND: &str = concat!("select ", columns!(), " from payout where id = $1");

const FINISH: &str = "update payout
set state = $3, reason = $4, channel = coalesce($5, channel),
    bank_reference = coalesce($6, bank_reference), next_at = $7,
    lease_node = null, lease_until = null, changed_at = $8
where id = $1 and attempts = $2 and state not in ('paid', 'rejected')";

/// Where a payout stands after it was driven.
pub(crate) struct Standing {
    pub(crate) state: PayoutState,
    pub(crate) reason: Option<String>,
    pub(crate) channel: Option<String>,
    pub(crate) bank_reference: Option<String>,
    pub(crate) next_at: Option<Timestamp>,
}

/// Stores a payout, unless the institution has this part for the day, account
/// and currency; adds what the journal attests of it.
pub(crate) async fn insert(
    tx: &mut Tx,
    payout: &Payout,
    facts: &mut Vec<Fact>,
) -> Result<(), Error> {
    let id = payout.id.to_string();
    let rows = [
        Before::of(tx, &PLANNED, &[&id]).await?,
        Before::of(tx, &STANDING, &[&id]).await?,
    ];
    sqlx::query(INSERT)
        .bind(payout.id.to_string())
        .bind(payout.institution.to_string())
        .bind(payout.source.name())
        .bind(payout.amount.currency.code())
        .bind(payout.day.to_string())
        .bind(i64::from(payout.part))
        .bind(payout.through.to_string())
        .bind(payout.amount.minor)
        .bind(&payout.account_number)
        .bind(payout.created_at.as_millis())
        .execute(tx.conn())
        .await?;
    for row in rows {
        facts.extend(row.fact(tx).await?);
    }
    Ok(())
}

/// What an institution's account owes to payouts that no bank was asked for yet.
pub(crate) async fn waiting(
    db: &Db,
    institution: InstitutionId,
    source: Source,
    currency: Currency,
) -> Result<i64, Error> {
    let row = sqlx::query(WAITING)
        .bind(institution.to_string())
        .bind(source.name())
        .bind(currency.code())
        .fetch_one(db.reads())
        .await?;
    Ok(row.try_get("sum")?)
}

pub(crate) async fn list_for(
    db: &Db,
    institution: InstitutionId,
    before: Option<PayoutId>,
    limit: usize,
) -> Result<Vec<Payout>, Error> {
    let found = sqlx::query(LIST_FOR)
        .bind(institution.to_string())
        .bind(before.map_or_else(|| LAST.to_owned(), |id| id.to_string()))
        .bind(rows(limit))
        .fetch_all(db.reads())
        .await?;
    found.iter().map(payout).collect()
}

pub(crate) async fn list(
    db: &Db,
    before: Option<PayoutId>,
    limit: usize,
) -> Result<Vec<Payout>, Error> {
    let found = sqlx::query(LIST)
        .bind(before.map_or_else(|| LAST.to_owned(), |id| id.to_string()))
        .bind(rows(limit))
        .fetch_all(db.reads())
        .await?;
    found.iter().map(payout).collect()
}

/// Takes the lease of due payouts that nobody drives.
pub(crate) async fn claim(db: &Db, claim: &Claim<'_>) -> Result<Vec<Payout>, Error> {
    db.write(|| async {
        let mut tx = db.begin().await?;
        let found = PAYOUTS.claim(&mut tx, claim).await?;
        let claimed = found.iter().map(payout).collect::<Result<_, Error>>()?;
        tx.commit().await?;
        Ok(claimed)
    })
    .await
}

/// Takes the lease of one payout that no bank was asked for and that nobody drives.
pub(crate) async fn claim_due(
    db: &Db,
    claim: &Claim<'_>,
    id: PayoutId,
) -> Result<Option<Payout>, Error> {
    db.write(|| async {
        let mut tx = db.begin().await?;
        let found = sqlx::query(CLAIM_DUE)
            .bind(claim.node)
            .bind(claim.until.as_millis())
            .bind(claim.now.as_millis())
            .bind(id.to_string())
            .fetch_optional(tx.conn())
            .await?;
        let claimed = found.as_ref().map(payout).transpose()?;
        tx.commit().await?;
        Ok(claimed)
    })
    .await
}

pub(crate) async fn find(db: &Db, id: PayoutId) -> Result<Option<Payout>, Error> {
    let row = sqlx::query(FIND)
        .bind(id.to_string())
        .fetch_optional(db.reads())
        .await?;
    row.as_ref().map(payout).transpose()
}

/// Stores where a payout stands and gives the lease back; adds what the journal
/// attests of it, and gives whether the attempt still was the one that is on.
pub(crate) async fn finish(
    tx: &mut Tx,
    payout: &Payout,
    standing: &Standing,
    (now, facts): (Timestamp, &mut Vec<Fact>),
) -> Result<bool, Error> {
    let row = Before::of(tx, &STANDING, &[&payout.id.to_string()]).await?;
    let done = sqlx::query(FINISH)
        .bind(payout.id.to_string())
        .bind(i64::from(payout.attempts))
        .bind(standing.state.name())
        .bind(standing.reason.as_deref())
        .bind(standing.channel.as_deref())
        .bind(standing.bank_reference.as_deref())
        .bind(standing.next_at.map(Timestamp::as_millis))
        .bind(now.as_millis())
        .execute(tx.conn())
        .await?;
    facts.extend(row.fact(tx).await?);
    Ok(done.rows_affected() == 1)
}

/// Gives back every lease of a node that starts anew.
pub(crate) async fn release(db: &Db, node: &str) -> Result<(), Error> {
    db.write(|| async {
        let mut tx = db.begin().await?;
        PAYOUTS.release(&mut tx, node).await?;
        tx.commit().await
    })
    .await
}

pub(super) fn payout(row: &AnyRow) -> Result<Payout, Error> {
    let source: String = row.try_get("source")?;
    let state: String = row.try_get("state")?;
    let attempts: i64 = row.try_get("attempts")?;
    let part: i64 = row.try_get("part")?;
    let currency: Currency = parse("currency", row.try_get("currency")?)?;
    Ok(Payout {
        id: parse("payout id", row.try_get("id")?)?,
        institution: parse("institution id", row.try_get("institution_id")?)?,
        source: Source::of_name(&source)
            .ok_or_else(|| Error::corrupt("source of a payout", source))?,
        amount: Money::new(row.try_get("minor")?, currency),
        day: parse("day", row.try_get("day")?)?,
        part: u32::try_from(part)
            .map_err(|_| Error::corrupt("part of a payout", part.to_string()))?,
        through: parse("day", row.try_get("through_day")?)?,
        account_number: row.try_get("account_number")?,
        state: PayoutState::of_name(&state)
            .ok_or_else(|| Error::corrupt("state of a payout", state))?,
        reason: row.try_get("reason")?,
        channel: row.try_get("channel")?,
        bank_reference: row.try_get("bank_reference")?,
        attempts: u32::try_from(attempts)
            .map_err(|_| Error::corrupt("attempts of a payout", attempts.to_string()))?,
        created_at: Timestamp::from_millis(row.try_get("created_at")?),
        changed_at: Timestamp::from_millis(row.try_get("changed_at")?),
    })
}
