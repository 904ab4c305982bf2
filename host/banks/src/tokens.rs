use std::time::Duration;

use qiao_auth::{Actor, AuditEntry};
use qiao_model::{BankLinkId, Secret};

use crate::banks::Banks;
use crate::client::Failure;
use crate::client::oauth::EXPIRY_LEEWAY_SECS;
use crate::error::Error;
use crate::link::{BankLink, LinkState};
use crate::linking::before;
use crate::store;
use crate::store::link::Keyring;

/// How long one node may take to refresh before another tries.
const REFRESH_LEASE_SECS: i64 = 30;
/// How often a node looks whether another one has refreshed.
const LOOKS_MAX: u32 = 100;
/// The pause between two looks.
const LOOK_PAUSE: Duration = Duration::from_millis(100);

/// A token that can be used now.
pub(crate) struct LinkToken {
    pub(crate) link: BankLink,
    pub(crate) access: Secret<String>,
    /// Counts the refreshes.
    pub(crate) version: i64,
}

/// Why there is no token.
#[derive(Debug)]
pub(crate) enum NoToken {
    /// The link is over, for this reason; the person links the account again.
    LinkOver(&'static str),
    /// The bank's token endpoint failed. Nothing of a payment was sent.
    BankFailed(Failure),
    /// This host failed.
    Host(Error),
}

impl From<Error> for NoToken {
    fn from(error: Error) -> Self {
        Self::Host(error)
    }
}

impl From<qiao_db::Error> for NoToken {
    fn from(error: qiao_db::Error) -> Self {
        Self::Host(error.into())
    }
}

/// The link has expired.
pub(crate) const LINK_EXPIRED: &str = "link_expired";
/// The person unlinked the account.
const LINK_UNLINKED: &str = "link_unlinked";

impl Banks {
    /// The token of a link, refreshed when it is due or when the bank did not
    /// take the one of `refused_version`. One node refreshes at a time; the
    /// others wait for what it gets.
    pub(crate) async fn link_token(
        &self,
        id: BankLinkId,
        refused_version: Option<i64>,
    ) -> Result<LinkToken, NoToken> {
        let inner = self.inner();
        for _ in 0..LOOKS_MAX {
            let keyring = store::link::find(&inner.db, id).await?;
            let keyring = keyring.ok_or(Error::UnknownLink(id))?;
            match keyring.link.state {
                LinkState::Active => {}
                LinkState::Expired => return Err(NoToken::LinkOver(LINK_EXPIRED)),
                LinkState::Unlinked => return Err(NoToken::LinkOver(LINK_UNLINKED)),
            }
            let now = inner.env.now();
            let is_fresh = now.plus_secs(EXPIRY_LEEWAY_SECS) < keyring.tokens.expires_at;
            if is_fresh && refused_version.is_none_or(|refused| refused < keyring.version) {
                return Ok(LinkToken {
                    access: self.open_token(id, &keyring.tokens.access)?,
                    version: keyring.version,
                    link: keyring.link,
                });
            }
            if self.begin_refresh(&keyring).await? {
                self.refresh(&keyring).await?;
            } else {
                tokio::time::sleep(LOOK_PAUSE).await;
            }
        }
        let cause = "another node does not end its refresh".to_owned();
        Err(NoToken::BankFailed(Failure::NotSent(cause)))
    }

    async fn begin_refresh(&self, keyring: &Keyring) -> Result<bool, Error> {
        let inner = self.inner();
        let now = inner.env.now();
        let until = now.plus_secs(REFRESH_LEASE_SECS);
        inner
            .db
            .write(|| async {
                let mut tx = inner.db.begin().await?;
                let is_ours = store::link::begin_refresh(&mut tx, keyring, now, until).await?;
                tx.commit().await?;
                Ok(is_ours)
            })
            .await
    }

    async fn refresh(&self, keyring: &Keyring) -> Result<(), NoToken> {
        let inner = self.inner();
        let id = keyring.link.id;
        let refresh = self.open_token(id, &keyring.tokens.refresh)?;
        match inner.client.refresh(keyring.link.channel, &refresh).await {
            Ok(tokens) => {
                let tokens = self.seal_tokens(id, &tokens)?;
                let tokens = &tokens;
                inner
                    .db
                    .write(|| async {
                        let mut tx = inner.db.begin().await?;
                        let (row, now) = (before(&mut tx, id).await?, inner.env.now());
                        store::link::refreshed(&mut tx, keyring, tokens, now).await?;
                        let fact = row.fact(&mut tx).await?;
                        qiao_ledger::attest(&mut tx, fact, now).await?;
                        Ok::<_, Error>(tx.commit().await?)
                    })
                    .await?;
                Ok(())
            }
            Err(Failure::Unauthorized) => {
                self.expire(keyring).await?;
                Err(NoToken::LinkOver(LINK_EXPIRED))
            }
            Err(failure) => {
                inner
                    .db
                    .write(|| async {
                        let mut tx = inner.db.begin().await?;
                        store::link::end_refresh(&mut tx, keyring).await?;
                        Ok::<_, Error>(tx.commit().await?)
                    })
                    .await?;
                Err(NoToken::BankFailed(failure))
            }
        }
    }

    /// The link is over: its page says so and offers to link the account again.
    pub(crate) async fn expire(&self, keyring: &Keyring) -> Result<(), Error> {
        let inner = self.inner();
        let id = keyring.link.id;
        inner
            .db
            .write(|| async {
                let mut tx = inner.db.begin().await?;
                let (row, now) = (before(&mut tx, id).await?, inner.env.now());
                if store::link::expire(&mut tx, keyring, now).await? {
                    let entry = AuditEntry::refused(
                        &Actor::System("banks"),
                        "bank.link.refresh",
                        id,
                        "the bank did not take the refresh token",
                    );
                    inner.auth.audit_in(&mut tx, &entry).await?;
                }
                let fact = row.fact(&mut tx).await?;
                qiao_ledger::attest(&mut tx, fact, now).await?;
                Ok::<_, Error>(tx.commit().await?)
            })
            .await
    }
}
