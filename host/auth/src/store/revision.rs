use qiao_db::{Db, Error, Tx};

use crate::revision::Revision;

pub(crate) async fn read(db: &Db) -> Result<Revision, Error> {
    let (sessions, tokens) =
        sqlx::query_as("select sessions, tokens from auth_revision where id = 1")
            .fetch_one(db.reads())
            .await?;
    Ok(Revision { sessions, tokens })
}

pub(crate) async fn raise_sessions(tx: &mut Tx) -> Result<(), Error> {
    raise(tx, 1, 0).await
}

pub(crate) async fn raise_tokens(tx: &mut Tx) -> Result<(), Error> {
    raise(tx, 0, 1).await
}

pub(crate) async fn raise_both(tx: &mut Tx) -> Result<(), Error> {
    raise(tx, 1, 1).await
}

async fn raise(tx: &mut Tx, sessions: i64, tokens: i64) -> Result<(), Error> {
    sqlx::query(
        "update auth_revision set sessions = sessions + $1, tokens = tokens + $2 where id = 1",
    )
    .bind(sessions)
    .bind(tokens)
    .execute(tx.conn())
    .await?;
    Ok(())
}
