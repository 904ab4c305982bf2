use qiao_db::{Db, Error, Tx};

pub(crate) async fn read(db: &Db) -> Result<i64, Error> {
    let (revision,) = sqlx::query_as("select revision from registry_revision where id = 1")
        .fetch_one(db.reads())
        .await?;
    Ok(revision)
}

pub(crate) async fn raise(tx: &mut Tx) -> Result<(), Error> {
    sqlx::query("update registry_revision set revision = revision + 1 where id = 1")
        .execute(tx.conn())
        .await?;
    Ok(())
}
