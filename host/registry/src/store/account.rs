use qiao_db::{Db, Error, Tx};
use qiao_model::{InstitutionId, PublicAccountId, Timestamp, UserId};
use sqlx::Row as _;
use sqlx::any::AnyRow;

use crate::account::PublicAccount;
use crate::institution::InstitutionState;
use crate::store::institution::{institution_id, state};

pub(crate) async fn insert(
    tx: &mut Tx,
    account: &PublicAccount,
    created_at: Timestamp,
) -> Result<(), Error> {
    sqlx::query(
        "insert into public_account (id, institution_id, handle, name, summary, created_at)
         values ($1, $2, $3, $4, $5, $6)",
    )
    .bind(account.id.to_string())
    .bind(account.institution.to_string())
    .bind(&account.handle)
    .bind(&account.name)
    .bind(&account.summary)
    .bind(created_at.as_millis())
    .execute(tx.conn())
    .await?;
    Ok(())
}

pub(crate) async fn list_visible(db: &Db) -> Result<Vec<PublicAccount>, Error> {
    sqlx::query(
        "select a.*, (select count(*) from follower f where f.account_id = a.id) as followers
         from public_account a join institution i on i.id = a.institution_id
         where i.state = 'active' order by a.name, a.id",
    )
    .fetch_all(db.reads())
    .await?
    .iter()
    .map(read)
    .collect()
}

pub(crate) async fn find_visible_by_handle(
    db: &Db,
    handle: &str,
) -> Result<Option<PublicAccount>, Error> {
    sqlx::query(
        "select a.*, (select count(*) from follower f where f.account_id = a.id) as followers
         from public_account a join institution i on i.id = a.institution_id
         where i.state = 'active' and a.handle = $1",
    )
    .bind(handle)
    .fetch_optional(db.reads())
    .await?
    .as_ref()
    .map(read)
    .transpose()
}

pub(crate) async fn find_for_institution(
    db: &Db,
    institution: InstitutionId,
) -> Result<Option<PublicAccount>, Error> {
    sqlx::query(
        "select a.*, (select count(*) from follower f where f.account_id = a.id) as followers
         from public_account a where a.institution_id = $1",
    )
    .bind(institution.to_string())
    .fetch_optional(db.reads())
    .await?
    .as_ref()
    .map(read)
    .transpose()
}

pub(crate) async fn list_followed_by(db: &Db, user: UserId) -> Result<Vec<PublicAccount>, Error> {
    sqlx::query(
        "select a.*, (select count(*) from follower f where f.account_id = a.id) as followers
         from public_account a
         join institution i on i.id = a.institution_id
         join follower mine on mine.account_id = a.id
         where i.state = 'active' and mine.user_id = $1
         order by mine.followed_at desc, a.id",
    )
    .bind(user.to_string())
    .fetch_all(db.reads())
    .await?
    .iter()
    .map(read)
    .collect()
}

/// Whose account it is, and where they stand.
pub(crate) async fn owner_of(
    tx: &mut Tx,
    account: PublicAccountId,
) -> Result<Option<(InstitutionId, InstitutionState)>, Error> {
    let row: Option<(String, String)> = sqlx::query_as(
        "select i.id, i.state from public_account a
         join institution i on i.id = a.institution_id where a.id = $1",
    )
    .bind(account.to_string())
    .fetch_optional(tx.conn())
    .await?;
    row.map(|(id, name)| Ok((institution_id(id)?, state(name)?)))
        .transpose()
}

fn read(row: &AnyRow) -> Result<PublicAccount, Error> {
    let id: String = row.try_get("id")?;
    Ok(PublicAccount {
        id: id
            .parse()
            .map_err(|_| Error::corrupt("public account id", id))?,
        institution: institution_id(row.try_get("institution_id")?)?,
        handle: row.try_get("handle")?,
        name: row.try_get("name")?,
        summary: row.try_get("summary")?,
        menu: Vec::new(),
        followers: row.try_get("followers")?,
    })
}
