use crate::access_token::BearerError;
use crate::assertion::ClientAssertion;
use crate::audit::AuditEntry;
use crate::permit::Actor;
use crate::store::{revision, token as store};
use crate::{Auth, Error, OAuthError};

impl Auth {
    /// The revocation endpoint (RFC 7009): ends one of the client's own tokens
    /// before its time. A token that is no more, or is not its own, is answered
    /// the same way, so that nothing is learnt about it.
    ///
    /// # Errors
    /// The client did not prove who it is, or the host failed.
    pub async fn revoke(&self, shown: &ClientAssertion, token: &str) -> Result<(), OAuthError> {
        let client = self.authenticate(shown).await?;
        let token = match self.verify_token(token).await {
            Ok(token) => token,
            Err(BearerError::Storage(error)) => return Err(error.into()),
            Err(_) => return Ok(()),
        };
        if token.client != client.id {
            return Ok(());
        }
        let inner = self.inner();
        let actor = Actor::Client {
            client: client.id,
            institution: client.institution,
        };
        let revoked = inner
            .db
            .write(|| async {
                let mut tx = inner.db.begin().await?;
                let now = inner.env.now();
                store::revoke(&mut tx, &token.jti, client.id, token.expires_at, now).await?;
                revision::raise_tokens(&mut tx).await?;
                let entry = AuditEntry::allowed(&actor, "token.revoke", &token.jti);
                self.audit_in(&mut tx, &entry).await?;
                tx.commit().await?;
                Ok::<(), Error>(())
            })
            .await;
        Ok(revoked?)
    }
}
