use qiao_auth::Permit;
use qiao_model::{MessageId, PublicAccountId, Scope, Timestamp, UserId};

use crate::store::{account, follower, message as store};
use crate::{Error, Registry};

/// The longest message.
pub const MESSAGE_CHARS_MAX: usize = 600;
/// An account answers a user's message with at most so many of its own.
pub const MESSAGE_QUOTA: i64 = 5;
/// Within so long after it; within so long after a payment there is no limit.
pub const MESSAGE_WINDOW_SECS: i64 = 48 * 3600;
/// Rows of one page of a conversation.
pub const MESSAGE_PAGE_ROWS: i64 = 50;

/// Who wrote.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sender {
    /// The public account.
    Account,
    /// The person.
    User,
}

impl Sender {
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Account => "account",
            Self::User => "user",
        }
    }

    pub(crate) fn parse(name: &str) -> Option<Self> {
        [Self::Account, Self::User]
            .into_iter()
            .find(|sender| sender.name() == name)
    }
}

/// A message between a public account and a person.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Message {
    /// Which; sorts by time.
    pub id: MessageId,
    /// With which account.
    pub account: PublicAccountId,
    /// With whom.
    pub user: UserId,
    /// Who wrote.
    pub sender: Sender,
    /// Plain text.
    pub text: String,
    /// When.
    pub sent_at: Timestamp,
}

/// A message of a public account to a person.
#[derive(Clone, Debug)]
pub struct NewMessage {
    /// To whom.
    pub user: UserId,
    /// Plain text.
    pub text: String,
    /// When this person last paid the institution, as the caller knows it: this
    /// room knows no payments.
    pub last_paid_at: Option<Timestamp>,
}

impl Registry {
    /// Writes to a follower as the public account of the permit's institution.
    /// Scope `messages:send`.
    ///
    /// # Errors
    /// The text is not acceptable, the person does not follow the account, or the
    /// quota is used up.
    pub async fn send_message(&self, permit: &Permit, new: NewMessage) -> Result<MessageId, Error> {
        permit.covers(Scope::MessagesSend)?;
        let institution = permit.demand_institution()?;
        let text = plain(&new.text)?;
        let inner = self.inner();
        let found = account::find_for_institution(&inner.db, institution).await?;
        let account = found.ok_or(Error::UnknownInstitution(institution))?.id;
        let user = new.user;
        let now = inner.env.now();
        let since = now.plus_secs(-MESSAGE_WINDOW_SECS);
        let has_paid = new.last_paid_at.is_some_and(|paid| paid > since);
        inner
            .db
            .write(|| async {
                let mut tx = inner.db.begin().await?;
                // The row is locked, so that two messages at once do not both take the last place.
                if !follower::lock(&mut tx, account, user).await? {
                    return Err(Error::NotFollower { account, user });
                }
                let sent = store::sent_since_user_wrote(&mut tx, account, user, since).await?;
                let is_open = sent.is_some_and(|sent| sent < MESSAGE_QUOTA);
                if !has_paid && !is_open {
                    return Err(Error::QuotaExceeded { account });
                }
                let message = Message {
                    id: inner.env.id(),
                    account,
                    user,
                    sender: Sender::Account,
                    text: text.clone(),
                    sent_at: now,
                };
                store::insert(&mut tx, &message).await?;
                tx.commit().await?;
                Ok(message.id)
            })
            .await
    }

    /// Writes to a public account as the permit's person, who follows it. Scope `account`.
    ///
    /// # Errors
    /// The text is not acceptable, or the person does not follow the account.
    pub async fn write_to_account(
        &self,
        permit: &Permit,
        account: PublicAccountId,
        text: &str,
    ) -> Result<MessageId, Error> {
        permit.covers(Scope::Account)?;
        let user = permit.demand_user()?;
        let text = plain(text)?;
        let inner = self.inner();
        inner
            .db
            .write(|| async {
                let mut tx = inner.db.begin().await?;
                if !follower::lock(&mut tx, account, user).await? {
                    return Err(Error::NotFollower { account, user });
                }
                let message = Message {
                    id: inner.env.id(),
                    account,
                    user,
                    sender: Sender::User,
                    text: text.clone(),
                    sent_at: inner.env.now(),
                };
                store::insert(&mut tx, &message).await?;
                tx.commit().await?;
                Ok(message.id)
            })
            .await
    }

    /// The conversation of the permit's person with a public account, newest
    /// first: the messages before one. Scope `account`.
    ///
    /// # Errors
    /// The permit is no person's, or the database does not answer.
    pub async fn messages_of(
        &self,
        permit: &Permit,
        account: PublicAccountId,
        before: Option<MessageId>,
    ) -> Result<Vec<Message>, Error> {
        permit.covers(Scope::Account)?;
        let user = permit.demand_user()?;
        let page = store::page_for_user(&self.inner().db, account, user, before).await?;
        Ok(page)
    }
}

/// Lines of plain text: a line break is the one control character.
fn plain(text: &str) -> Result<String, Error> {
    let text = text.trim();
    let chars = text.chars().count();
    let is_plain = text.chars().all(|char| char == '\n' || !char.is_control());
    if (1..=MESSAGE_CHARS_MAX).contains(&chars) && is_plain {
        Ok(text.to_owned())
    } else {
        Err(Error::InvalidText)
    }
}
