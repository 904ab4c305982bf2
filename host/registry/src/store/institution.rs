use qiao_db::{Db, Error, Tx};
use qiao_model::{InstitutionId, Timestamp};
use sqlx::Row as _;
use sqlx::any::AnyRow;

use crate::institution::{Institution, InstitutionKind, InstitutionState};

pub(crate) async fn insert(tx: &mut Tx, institution: &Institution) -> Result<(), Error> {
    sqlx::query(
        "insert into institution (id, name, kind, state, created_at) values ($1, $2, $3, $4, $5)",
    )
    .bind(institution.id.to_string())
    .bind(&institution.name)
    .bind(institution.kind.name())
    .bind(institution.state.name())
    .bind(institution.created_at.as_millis())
    .execute(tx.conn())
    .await?;
    Ok(())
}

pub(crate) async fn find(db: &Db, id: InstitutionId) -> Result<Option<Institution>, Error> {
    sqlx::query("select * from institution where id = $1")
        .bind(id.to_string())
        .fetch_optional(db.reads())
        .await?
        .as_ref()
        .map(read)
        .transpose()
}

pub(crate) async fn list(db: &Db) -> Result<Vec<Institution>, Error> {
    sqlx::query("select * from institution order by id desc")
        .fetch_all(db.reads())
        .await?
        .iter()
        .map(read)
        .collect()
}

/// The state of an institution, its row locked until the transaction ends.
pub(crate) async fn lock(
    tx: &mut Tx,
    id: InstitutionId,
) -> Result<Option<InstitutionState>, Error> {
    let statement = tx.pick(
        "select state from institution where id = $1",
        "select state from institution where id = $1 for update",
    );
    let row: Option<(String,)> = sqlx::query_as(statement)
        .bind(id.to_string())
        .fetch_optional(tx.conn())
        .await?;
    row.map(|(name,)| state(name)).transpose()
}

pub(crate) async fn set_state(
    tx: &mut Tx,
    id: InstitutionId,
    state: InstitutionState,
) -> Result<(), Error> {
    sqlx::query("update institution set state = $2 where id = $1")
        .bind(id.to_string())
        .bind(state.name())
        .execute(tx.conn())
        .await?;
    Ok(())
}

pub(crate) fn institution_id(text: String) -> Result<InstitutionId, Error> {
    text.parse()
        .map_err(|_| Error::corrupt("institution id", text))
}

pub(crate) fn state(name: String) -> Result<InstitutionState, Error> {
    InstitutionState::parse(&name).ok_or_else(|| Error::corrupt("institution state", name))
}

fn read(row: &AnyRow) -> Result<Institution, Error> {
    let kind: String = row.try_get("kind")?;
    Ok(Institution {
        id: institution_id(row.try_get("id")?)?,
        name: row.try_get("name")?,
        kind: InstitutionKind::from_name(&kind)
            .ok_or_else(|| Error::corrupt("institution kind", kind))?,
        state: state(row.try_get("state")?)?,
        created_at: Timestamp::from_millis(row.try_get("created_at")?),
    })
}
