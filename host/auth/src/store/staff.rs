use qiao_db::{Db, Error, Tx};
use qiao_model::{InstitutionId, Timestamp, UserId};

pub(crate) async fn insert(
    tx: &mut Tx,
    institution: InstitutionId,
    user: UserId,
    added_by: &str,
    now: Timestamp,
) -> Result<(), Error> {
    sqlx::query(
        "insert into institution_staff (institution_id, user_id, added_by, added_at)
         values ($1, $2, $3, $4) on conflict (institution_id, user_id) do nothing",
    )
    .bind(institution.to_string())
    .bind(user.to_string())
    .bind(added_by)
    .bind(now.as_millis())
    .execute(tx.conn())
    .await?;
    Ok(())
}

pub(crate) async fn delete(
    tx: &mut Tx,
    institution: InstitutionId,
    user: UserId,
) -> Result<bool, Error> {
    let done =
        sqlx::query("delete from institution_staff where institution_id = $1 and user_id = $2")
            .bind(institution.to_string())
            .bind(user.to_string())
            .execute(tx.conn())
            .await?;
    Ok(done.rows_affected() > 0)
}

pub(crate) async fn count(tx: &mut Tx, institution: InstitutionId) -> Result<i64, Error> {
    let (count,): (i64,) =
        sqlx::query_as("select count(*) from institution_staff where institution_id = $1")
            .bind(institution.to_string())
            .fetch_one(tx.conn())
            .await?;
    Ok(count)
}

/// Why an institution's clients are refused.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Bar {
    /// No operator has approved it yet.
    Pending,
    /// An operator stopped it; its staff are refused too.
    Suspended,
}

impl Bar {
    const fn name(self) -> &'static str {
        match self {
            Self::Pending => "pending",
            Self::Suspended => "suspended",
        }
    }
}

pub(crate) async fn bar(
    tx: &mut Tx,
    institution: InstitutionId,
    cause: Bar,
    now: Timestamp,
) -> Result<(), Error> {
    sqlx::query(
        "insert into institution_bar (institution_id, cause, since) values ($1, $2, $3)
         on conflict (institution_id) do update set cause = excluded.cause, since = excluded.since",
    )
    .bind(institution.to_string())
    .bind(cause.name())
    .bind(now.as_millis())
    .execute(tx.conn())
    .await?;
    Ok(())
}

pub(crate) async fn is_suspended(db: &Db, institution: InstitutionId) -> Result<bool, Error> {
    let found = sqlx::query("select 1 from institution_bar where institution_id = $1")
        .bind(institution.to_string())
        .fetch_optional(db.reads())
        .await?;
    Ok(found.is_some())
}

pub(crate) async fn admit(tx: &mut Tx, institution: InstitutionId) -> Result<(), Error> {
    sqlx::query("delete from institution_bar where institution_id = $1")
        .bind(institution.to_string())
        .execute(tx.conn())
        .await?;
    Ok(())
}
