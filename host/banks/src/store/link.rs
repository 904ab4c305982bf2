//! Linked accounts and their sealed tokens.

use qiao_db::{Db, Error, Tx};
use qiao_model::{BankLinkId, Channel, Timestamp, UserId};
use sqlx::Row;
use sqlx::any::AnyRow;

use super::parse;
use crate::link::{BankLink, LinkState};

/// The tokens of a link, sealed under its id.
#[derive(Clone, Debug)]
pub(crate) struct SealedTokens {
    pub(crate) access: Vec<u8>,
    pub(crate) refresh: Vec<u8>,
    pub(crate) expires_at: Timestamp,
}

/// A link with its tokens.
#[derive(Clone, Debug)]
pub(crate) struct Keyring {
    pub(crate) link: BankLink,
    pub(crate) tokens: SealedTokens,
    pub(crate) version: i64,
}

macro_rules! link_columns {
    () => {
        "id, user_id, channel, account, name, number_masked, state, linked_at"
    };
}

macro_rules! keyring_columns {
    () => {
        "id, user_id, channel, account, name, number_masked, state, linked_at, sealed_access,
    sealed_refresh, token_expires_at, token_version"
    };
}

const FIND: &str = concat!(
    "select ",
    keyring_columns!(),
    " from bank_link where id = $1"
);

const LIST_FOR_USER: &str = concat!(
    "select ",
    link_columns!(),
    " from bank_link where user_id = $1 and state <> 'unlinked' order by id"
);

const FIND_ACCOUNT: &str = "select id from bank_link
where user_id = $1 and channel = $2 and account = $3 and state <> 'unlinked'";

const INSERT: &str =
    "insert into bank_link (id, user_id, channel, account, name, number_masked, state, sealed_access,
    sealed_refresh, token_expires_at, token_version, refreshing_until, linked_at, changed_at)
values ($1, $2, $3, $4, $5, $6, 'active', $7, $8, $9, 1, 0, $10, $10)";

const RELINK: &str = "update bank_link set state = 'active', name = $2, number_masked = $3,
    sealed_access = $4, sealed_refresh = $5, token_expires_at = $6,
    token_version = token_version + 1, refreshing_until = 0, changed_at = $7
where id = $1";

const BEGIN_REFRESH: &str = "update bank_link set refreshing_until = $4
where id = $1 and token_version = $2 and state = 'active' and refreshing_until <= $3";

const REFRESHED: &str = "update bank_link set sealed_access = $3, sealed_refresh = $4,
    token_expires_at = $5, token_version = token_version + 1, refreshing_until = 0, changed_at = $6
where id = $1 and token_version = $2 and state = 'active'";

const EXPIRE: &str = "update bank_link set state = 'expired', sealed_access = $3,
    sealed_refresh = $3, token_version = token_version + 1, refreshing_until = 0, changed_at = $4
where id = $1 and token_version = $2 and state = 'active'";

const UNLINK: &str = "update bank_link set state = 'unlinked', sealed_access = $3,
    sealed_refresh = $3, token_version = token_version + 1, changed_at = $4
where id = $1 and user_id = $2 and state <> 'unlinked'";

/// A new or renewed link.
pub(crate) struct Linked<'a> {
    pub(crate) link: &'a BankLink,
    pub(crate) tokens: &'a SealedTokens,
    pub(crate) now: Timestamp,
}

pub(crate) async fn count_for_user(tx: &mut Tx, user: UserId) -> Result<i64, Error> {
    let count = sqlx::query_scalar(
        "select count(*) from bank_link where user_id = $1 and state <> 'unlinked'",
    )
    .bind(user.to_string())
    .fetch_one(tx.conn())
    .await?;
    Ok(count)
}

/// The person's link of an account that they linked before.
pub(crate) async fn find_account(
    tx: &mut Tx,
    user: UserId,
    channel: Channel,
    account: &str,
) -> Result<Option<BankLinkId>, Error> {
    let id: Option<String> = sqlx::query_scalar(FIND_ACCOUNT)
        .bind(user.to_string())
        .bind(channel.to_string())
        .bind(account)
        .fetch_optional(tx.conn())
        .await?;
    id.map(|id| parse("bank link id", &id)).transpose()
}

pub(crate) async fn insert(tx: &mut Tx, linked: &Linked<'_>) -> Result<(), Error> {
    let (link, tokens) = (linked.link, linked.tokens);
    sqlx::query(INSERT)
        .bind(link.id.to_string())
        .bind(link.user.to_string())
        .bind(link.channel.to_string())
        .bind(&link.account)
        .bind(&link.name)
        .bind(&link.number_masked)
        .bind(tokens.access.clone())
        .bind(tokens.refresh.clone())
        .bind(tokens.expires_at.as_millis())
        .bind(linked.now.as_millis())
        .execute(tx.conn())
        .await?;
    Ok(())
}

/// Gives a link new tokens, and with them its use back.
pub(crate) async fn relink(tx: &mut Tx, linked: &Linked<'_>) -> Result<(), Error> {
    let (link, tokens) = (linked.link, linked.tokens);
    sqlx::query(RELINK)
        .bind(link.id.to_string())
        .bind(&link.name)
        .bind(&link.number_masked)
        .bind(tokens.access.clone())
        .bind(tokens.refresh.clone())
        .bind(tokens.expires_at.as_millis())
        .bind(linked.now.as_millis())
        .execute(tx.conn())
        .await?;
    Ok(())
}

pub(crate) async fn find(db: &Db, id: BankLinkId) -> Result<Option<Keyring>, Error> {
    let row = sqlx::query(FIND)
        .bind(id.to_string())
        .fetch_optional(db.reads())
        .await?;
    row.as_ref().map(keyring).transpose()
}

pub(crate) async fn list_for_user(db: &Db, user: UserId) -> Result<Vec<BankLink>, Error> {
    let rows = sqlx::query(LIST_FOR_USER)
        .bind(user.to_string())
        .fetch_all(db.reads())
        .await?;
    rows.iter().map(link).collect()
}

/// Makes this node the one that refreshes; tells whether it is.
pub(crate) async fn begin_refresh(
    tx: &mut Tx,
    keyring: &Keyring,
    now: Timestamp,
    until: Timestamp,
) -> Result<bool, Error> {
    let done = sqlx::query(BEGIN_REFRESH)
        .bind(keyring.link.id.to_string())
        .bind(keyring.version)
        .bind(now.as_millis())
        .bind(until.as_millis())
        .execute(tx.conn())
        .await?;
    Ok(done.rows_affected() == 1)
}

/// Lets others refresh, after a refresh that failed.
pub(crate) async fn end_refresh(tx: &mut Tx, keyring: &Keyring) -> Result<(), Error> {
    sqlx::query("update bank_link set refreshing_until = 0 where id = $1 and token_version = $2")
        .bind(keyring.link.id.to_string())
        .bind(keyring.version)
        .execute(tx.conn())
        .await?;
    Ok(())
}

pub(crate) async fn refreshed(
    tx: &mut Tx,
    keyring: &Keyring,
    tokens: &SealedTokens,
    now: Timestamp,
) -> Result<bool, Error> {
    let done = sqlx::query(REFRESHED)
        .bind(keyring.link.id.to_string())
        .bind(keyring.version)
        .bind(tokens.access.clone())
        .bind(tokens.refresh.clone())
        .bind(tokens.expires_at.as_millis())
        .bind(now.as_millis())
        .execute(tx.conn())
        .await?;
    Ok(done.rows_affected() == 1)
}

/// The bank refused the refresh: the link ends, its tokens are forgotten.
pub(crate) async fn expire(tx: &mut Tx, keyring: &Keyring, now: Timestamp) -> Result<bool, Error> {
    let done = sqlx::query(EXPIRE)
        .bind(keyring.link.id.to_string())
        .bind(keyring.version)
        .bind(Vec::<u8>::new())
        .bind(now.as_millis())
        .execute(tx.conn())
        .await?;
    Ok(done.rows_affected() == 1)
}

/// Ends a link of this person and forgets its tokens; tells whether there was one.
pub(crate) async fn unlink_of(
    tx: &mut Tx,
    user: UserId,
    id: BankLinkId,
    now: Timestamp,
) -> Result<bool, Error> {
    let done = sqlx::query(UNLINK)
        .bind(id.to_string())
        .bind(user.to_string())
        .bind(Vec::<u8>::new())
        .bind(now.as_millis())
        .execute(tx.conn())
        .await?;
    Ok(done.rows_affected() == 1)
}

fn keyring(row: &AnyRow) -> Result<Keyring, Error> {
    Ok(Keyring {
        link: link(row)?,
        tokens: SealedTokens {
            access: row.try_get("sealed_access")?,
            refresh: row.try_get("sealed_refresh")?,
            expires_at: Timestamp::from_millis(row.try_get("token_expires_at")?),
        },
        version: row.try_get("token_version")?,
    })
}

fn link(row: &AnyRow) -> Result<BankLink, Error> {
    let state: String = row.try_get("state")?;
    Ok(BankLink {
        id: parse("bank link id", row.try_get("id")?)?,
        user: parse("user id", row.try_get("user_id")?)?,
        channel: parse("channel", row.try_get("channel")?)?,
        account: row.try_get("account")?,
        name: row.try_get("name")?,
        number_masked: row.try_get("number_masked")?,
        state: LinkState::of_name(&state)
            .ok_or_else(|| Error::corrupt("state of a bank link", state))?,
        linked_at: Timestamp::from_millis(row.try_get("linked_at")?),
    })
}
