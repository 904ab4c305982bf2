use qiao_db::{Db, Error, Tx};
use qiao_model::{MessageId, PublicAccountId, Timestamp, UserId};
use sqlx::Row as _;
use sqlx::any::AnyRow;

use crate::message::{MESSAGE_PAGE_ROWS, Message, Sender};

pub(crate) async fn insert(tx: &mut Tx, message: &Message) -> Result<(), Error> {
    sqlx::query(
        "insert into message (id, account_id, user_id, sender, body, sent_at)
         values ($1, $2, $3, $4, $5, $6)",
    )
    .bind(message.id.to_string())
    .bind(message.account.to_string())
    .bind(message.user.to_string())
    .bind(message.sender.name())
    .bind(&message.text)
    .bind(message.sent_at.as_millis())
    .execute(tx.conn())
    .await?;
    Ok(())
}

/// How many messages the account sent since the person last wrote; none when
/// they have not written since `since`.
pub(crate) async fn sent_since_user_wrote(
    tx: &mut Tx,
    account: PublicAccountId,
    user: UserId,
    since: Timestamp,
) -> Result<Option<i64>, Error> {
    let wrote: Option<(String,)> = sqlx::query_as(
        "select id from message
         where account_id = $1 and user_id = $2 and sender = 'user' and sent_at > $3
         order by id desc limit 1",
    )
    .bind(account.to_string())
    .bind(user.to_string())
    .bind(since.as_millis())
    .fetch_optional(tx.conn())
    .await?;
    let Some((wrote,)) = wrote else {
        return Ok(None);
    };
    let (sent,) = sqlx::query_as(
        "select count(*) from message
         where account_id = $1 and user_id = $2 and sender = 'account' and id > $3",
    )
    .bind(account.to_string())
    .bind(user.to_string())
    .bind(wrote)
    .fetch_one(tx.conn())
    .await?;
    Ok(Some(sent))
}

pub(crate) async fn page_for_user(
    db: &Db,
    account: PublicAccountId,
    user: UserId,
    before: Option<MessageId>,
) -> Result<Vec<Message>, Error> {
    let before = before.unwrap_or(MessageId::from_u128(u128::MAX));
    sqlx::query(
        "select * from message where account_id = $1 and user_id = $2 and id < $3
         order by id desc limit $4",
    )
    .bind(account.to_string())
    .bind(user.to_string())
    .bind(before.to_string())
    .bind(MESSAGE_PAGE_ROWS)
    .fetch_all(db.reads())
    .await?
    .iter()
    .map(read)
    .collect()
}

fn read(row: &AnyRow) -> Result<Message, Error> {
    let id: String = row.try_get("id")?;
    let account: String = row.try_get("account_id")?;
    let user: String = row.try_get("user_id")?;
    let sender: String = row.try_get("sender")?;
    Ok(Message {
        id: id.parse().map_err(|_| Error::corrupt("message id", id))?,
        account: account
            .parse()
            .map_err(|_| Error::corrupt("public account id", account))?,
        user: user.parse().map_err(|_| Error::corrupt("user id", user))?,
        sender: Sender::parse(&sender).ok_or_else(|| Error::corrupt("message sender", sender))?,
        text: row.try_get("body")?,
        sent_at: Timestamp::from_millis(row.try_get("sent_at")?),
    })
}
