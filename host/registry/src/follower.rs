use qiao_auth::Permit;
use qiao_db::Tx;
use qiao_events::NewEvent;
use qiao_model::{InstitutionId, PublicAccountId, Scope, UserId};
use serde_json::json;

use crate::institution::InstitutionState;
use crate::store::{account, follower as store, plugin};
use crate::{Error, Registry};

#[derive(Clone, Copy)]
enum Change {
    Follow,
    Unfollow,
}

impl Change {
    const fn event(self) -> &'static str {
        match self {
            Self::Follow => "account.followed",
            Self::Unfollow => "account.unfollowed",
        }
    }
}

impl Registry {
    /// Follows a public account; following it again changes nothing. Scope `account`.
    ///
    /// # Errors
    /// The permit is no person's, or there is no such account.
    pub async fn follow(&self, permit: &Permit, account: PublicAccountId) -> Result<(), Error> {
        self.set_following(permit, account, Change::Follow).await
    }

    /// Follows it no longer; not following it changes nothing. Scope `account`.
    ///
    /// # Errors
    /// As [`Registry::follow`].
    pub async fn unfollow(&self, permit: &Permit, account: PublicAccountId) -> Result<(), Error> {
        self.set_following(permit, account, Change::Unfollow).await
    }

    /// Whether a person follows a public account.
    ///
    /// # Errors
    /// The database does not answer.
    pub async fn user_follows(
        &self,
        user: UserId,
        account: PublicAccountId,
    ) -> Result<bool, Error> {
        Ok(store::exists(&self.inner().db, account, user).await?)
    }

    async fn set_following(
        &self,
        permit: &Permit,
        account: PublicAccountId,
        change: Change,
    ) -> Result<(), Error> {
        permit.covers(Scope::Account)?;
        let user = permit.demand_user()?;
        let inner = self.inner();
        inner
            .db
            .write(|| async {
                let mut tx = inner.db.begin().await?;
                let owner = account::owner_of(&mut tx, account).await?;
                let (institution, state) = owner.ok_or(Error::UnknownAccount(account))?;
                let is_changed = match change {
                    // One leaves also what is suspended.
                    Change::Unfollow => store::delete(&mut tx, account, user).await?,
                    Change::Follow if state == InstitutionState::Active => {
                        store::insert(&mut tx, account, user, inner.env.now()).await?
                    }
                    Change::Follow => return Err(Error::UnknownAccount(account)),
                };
                if is_changed {
                    let subject = inner.auth.subject(institution, user);
                    self.announce(&mut tx, account, institution, change, &subject)
                        .await?;
                }
                tx.commit().await?;
                Ok(())
            })
            .await
    }

    /// Tells the institution's webhooks, and each of its active plugins.
    async fn announce(
        &self,
        tx: &mut Tx,
        account: PublicAccountId,
        institution: InstitutionId,
        change: Change,
        subject: &str,
    ) -> Result<(), Error> {
        let inner = self.inner();
        let payload = json!({ "account": account.to_string(), "user": subject });
        let plugins = plugin::list_active_for_institution(tx, institution).await?;
        let receivers = std::iter::once((Some(institution), None))
            .chain(plugins.into_iter().map(|plugin| (None, Some(plugin))));
        let events: Vec<NewEvent> = receivers
            .map(|(institution, plugin)| NewEvent {
                id: inner.env.id(),
                kind: change.event(),
                institution,
                plugin,
                subject: account.to_string(),
                payload: payload.clone(),
            })
            .collect();
        Ok(qiao_events::append(tx, inner.env.now(), &events).await?)
    }
}
