//! When institutions are paid.

use qiao_db::attest::{Before, Fact};
use qiao_db::{Db, Error, Tx};
use qiao_model::{Day, InstitutionId, Timestamp};
use sqlx::Row;
use sqlx::any::AnyRow;

use super::{parse, rows};
use crate::attested::TERMS;
use crate::terms::{NewTerms, Terms, TermsState};

/// The columns of [`terms`].
macro_rules! columns {
    () => {
        "institution_id, days, account_number, minimum_minor, state, changed_by, changed_at"
    };
}

const SET: &str =
    "insert into settlement_terms (institution_id, days, account_number, minimum_minor, state,
    planned_day, changed_by, changed_at)
values ($1, $2, $3, $4, $5, '', $6, $7)
on conflict (institution_id) do update set days = excluded.days,
    account_number = excluded.account_number, minimum_minor = excluded.minimum_minor,
    state = excluded.state, changed_by = excluded.changed_by, changed_at = excluded.changed_at";

const APPROVE: &str =
    "update settlement_terms set state = 'active', changed_by = $2, changed_at = $3
where institution_id = $1 and state = 'proposed'";

const FIND: &str = concat!(
    "select ",
    columns!(),
    " from settlement_terms where institution_id = $1"
);

const LIST: &str = concat!(
    "select ",
    columns!(),
    " from settlement_terms where institution_id > $1 order by institution_id limit $2"
);

const TO_PLAN: &str = concat!(
    "select ",
    columns!(),
    " from settlement_terms where state = 'active' and planned_day < $1 and days >= $2
    and institution_id > $3
order by institution_id limit $4"
);

const MARK_PLANNED: &str = "update settlement_terms set planned_day = $2
where institution_id = $1 and state = 'active' and planned_day < $2";

/// Sets terms; gives what the journal attests of them.
pub(crate) async fn set(tx: &mut Tx, terms: &Terms) -> Result<Option<Fact>, Error> {
    let row = Before::of(tx, &TERMS, &[&terms.institution.to_string()]).await?;
    sqlx::query(SET)
        .bind(terms.institution.to_string())
        .bind(i64::from(terms.says.days))
        .bind(&terms.says.account_number)
        .bind(terms.says.minimum_minor)
        .bind(terms.state.name())
        .bind(&terms.changed_by)
        .bind(terms.changed_at.as_millis())
        .execute(tx.conn())
        .await?;
    row.fact(tx).await
}

/// Lets proposed terms hold; gives what the journal attests of it, and nothing
/// when none were proposed.
pub(crate) async fn approve(
    tx: &mut Tx,
    institution: InstitutionId,
    by: &str,
    now: Timestamp,
) -> Result<Option<Fact>, Error> {
    let row = Before::of(tx, &TERMS, &[&institution.to_string()]).await?;
    sqlx::query(APPROVE)
        .bind(institution.to_string())
        .bind(by)
        .bind(now.as_millis())
        .execute(tx.conn())
        .await?;
    row.fact(tx).await
}

pub(crate) async fn find(db: &Db, institution: InstitutionId) -> Result<Option<Terms>, Error> {
    let row = sqlx::query(FIND)
        .bind(institution.to_string())
        .fetch_optional(db.reads())
        .await?;
    row.as_ref().map(terms).transpose()
}

pub(crate) async fn list(
    db: &Db,
    after: Option<InstitutionId>,
    limit: usize,
) -> Result<Vec<Terms>, Error> {
    let found = sqlx::query(LIST)
        .bind(after.map(|id| id.to_string()).unwrap_or_default())
        .bind(rows(limit))
        .fetch_all(db.reads())
        .await?;
    found.iter().map(terms).collect()
}

/// Terms that hold, of at least so many days, and were not looked at on the day; a
/// page after an institution.
pub(crate) async fn to_plan(
    db: &Db,
    day: Day,
    days_min: u32,
    after: Option<InstitutionId>,
    limit: usize,
) -> Result<Vec<Terms>, Error> {
    let found = sqlx::query(TO_PLAN)
        .bind(day.to_string())
        .bind(i64::from(days_min))
        .bind(after.map(|id| id.to_string()).unwrap_or_default())
        .bind(rows(limit))
        .fetch_all(db.reads())
        .await?;
    found.iter().map(terms).collect()
}

/// Gives whether nobody had looked at them on the day.
pub(crate) async fn mark_planned(
    tx: &mut Tx,
    institution: InstitutionId,
    day: Day,
) -> Result<bool, Error> {
    let done = sqlx::query(MARK_PLANNED)
        .bind(institution.to_string())
        .bind(day.to_string())
        .execute(tx.conn())
        .await?;
    Ok(done.rows_affected() == 1)
}

fn terms(row: &AnyRow) -> Result<Terms, Error> {
    let state: String = row.try_get("state")?;
    let days: i64 = row.try_get("days")?;
    Ok(Terms {
        institution: parse("institution id", row.try_get("institution_id")?)?,
        says: NewTerms {
            days: u32::try_from(days)
                .map_err(|_| Error::corrupt("days of terms", days.to_string()))?,
            account_number: row.try_get("account_number")?,
            minimum_minor: row.try_get("minimum_minor")?,
        },
        state: TermsState::of_name(&state)
            .ok_or_else(|| Error::corrupt("state of terms", state))?,
        changed_by: row.try_get("changed_by")?,
        changed_at: Timestamp::from_millis(row.try_get("changed_at")?),
    })
}
