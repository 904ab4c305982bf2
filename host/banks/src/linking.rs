use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use qiao_auth::{AuditEntry, Permit};
use qiao_db::Tx;
use qiao_db::attest::Before;
use qiao_model::{BankLinkId, Channel, Secret, SessionId, UserId, is_plain_text, to_plain_text};
use sha2::{Digest as _, Sha256};
use url::Url;

use crate::access;
use crate::attested::LINKS;
use crate::banks::{Banks, LINKS_MAX};
use crate::channel::ChannelState;
use crate::client::oauth::{AuthorizationRequest, CodeExchange, Tokens};
use crate::client::payment::AccountBody;
use crate::error::Error;
use crate::link::{BankLink, LinkState};
use crate::store;
use crate::store::link::{Linked, SealedTokens};
use crate::store::login::Login;

/// How long a person has at the bank.
pub const LOGIN_LIFETIME_SECS: i64 = 15 * 60;
/// A name or number of a bank is cut here.
const NAME_CHARS_MAX: usize = 64;
/// The path to come back to is dropped beyond this.
const NEXT_CHARS_MAX: usize = 500;

/// Where a person goes to authorize a link.
#[derive(Clone, Debug)]
pub struct Authorization {
    /// The bank's page.
    pub url: Url,
}

/// What a bank sent a person back with (RFC 6749 section 4.1.2, RFC 9207).
#[derive(Clone, Debug, Default)]
pub struct Redirected {
    /// The code, when it was authorized.
    pub code: Option<String>,
    /// What the request carried.
    pub state: Option<String>,
    /// Which bank answers.
    pub iss: Option<String>,
    /// Why it was not authorized.
    pub error: Option<String>,
}

impl Banks {
    /// Begins to link an account: authorization code, PKCE with S256, a state
    /// that counts once, for this session. Scope `account`.
    ///
    /// # Errors
    /// The permit is no person's, there is no such channel or it is paused, the
    /// bank does not answer, or the database failed.
    pub async fn begin_link(
        &self,
        permit: &Permit,
        session: SessionId,
        code: Channel,
        next: &str,
    ) -> Result<Authorization, Error> {
        let user = access::own_account(permit)?;
        if self.channel(code).await?.state == ChannelState::Paused {
            return Err(Error::NoRoute);
        }
        let inner = self.inner();
        let state = URL_SAFE_NO_PAD.encode(inner.env.secret::<32>().expose());
        // RFC 7636 section 4.1: 43 characters of base64url.
        let verifier = Secret::new(URL_SAFE_NO_PAD.encode(inner.env.secret::<32>().expose()));
        let digest = digest_of(&state);
        let sealed = inner.sealer.seal(&digest, verifier.expose().as_bytes())?;
        let login = Login {
            user,
            session,
            channel: code,
            sealed_verifier: sealed,
            next: match next.chars().count() {
                ..=NEXT_CHARS_MAX if is_plain_text(next) => next.to_owned(),
                _ => String::new(),
            },
            expires_at: inner.env.now().plus_secs(LOGIN_LIFETIME_SECS),
        };
        let request = AuthorizationRequest {
            redirect_uri: &self.redirect_uri(code),
            state: &state,
            verifier: &verifier,
        };
        let url = inner.client.authorize_url(code, &request).await;
        let url = url.map_err(|failure| Error::of_bank(code, failure))?;
        let (login, digest) = (&login, digest.as_str());
        inner
            .db
            .write(|| async {
                let mut tx = inner.db.begin().await?;
                store::login::insert(&mut tx, digest, login).await?;
                Ok::<_, Error>(tx.commit().await?)
            })
            .await?;
        Ok(Authorization { url })
    }

    /// Ends what [`Banks::begin_link`] began: gives the link, and where the
    /// person came from. An account that was linked before gets its use back.
    /// Scope `account`.
    ///
    /// # Errors
    /// The state is not of this person and session, or came back before; another
    /// bank answers; it was not authorized; the bank does not answer; there are
    /// [`LINKS_MAX`] links; or the database failed.
    pub async fn finish_link(
        &self,
        permit: &Permit,
        session: SessionId,
        code: Channel,
        redirected: Redirected,
    ) -> Result<(BankLink, String), Error> {
        let user = access::own_account(permit)?;
        let digest = digest_of(redirected.state.as_deref().unwrap_or_default());
        let login = self.take_login(&digest).await?.ok_or(Error::LoginOver)?;
        let is_ours = login.user == user && login.session == session && login.channel == code;
        if !is_ours || self.inner().env.now() >= login.expires_at {
            return Err(Error::LoginOver);
        }
        self.check_issuer(code, redirected.iss.as_deref())?;
        if let Some(error) = redirected.error {
            let word = error.chars().take(NAME_CHARS_MAX).collect();
            return Err(Error::NotAuthorized(word));
        }
        let authorized = redirected.code.unwrap_or_default();
        let verifier = self.inner().sealer.open(&digest, &login.sealed_verifier)?;
        let verifier = Secret::new(String::from_utf8_lossy(verifier.expose()).into_owned());
        let exchange = CodeExchange {
            redirect_uri: &self.redirect_uri(code),
            code: &authorized,
            verifier: &verifier,
        };
        let failed = |failure| Error::of_bank(code, failure);
        let client = &self.inner().client;
        let tokens = client
            .exchange_code(code, &exchange)
            .await
            .map_err(failed)?;
        let accounts = client.accounts(code, &tokens.access).await;
        let account = accounts.map_err(failed)?.into_iter().next();
        let account = account.ok_or_else(|| Error::NotAuthorized("no account".to_owned()))?;
        let link = self
            .keep_link(permit, (user, code), account, &tokens)
            .await?;
        Ok((link, login.next))
    }

    /// Ends a link of the caller: its tokens are forgotten here and revoked at
    /// the bank. What is under way is still asked for. Scope `account`.
    ///
    /// # Errors
    /// The caller has no such link, or the database failed. A bank that does not
    /// answer to the revocation is logged.
    pub async fn unlink(&self, permit: &Permit, id: BankLinkId) -> Result<(), Error> {
        let user = access::own_account(permit)?;
        let inner = self.inner();
        let keyring = store::link::find(&inner.db, id).await?;
        let keyring = keyring.filter(|keyring| keyring.link.user == user);
        let keyring = keyring.ok_or(Error::UnknownLink(id))?;
        let refresh = self.open_token(id, &keyring.tokens.refresh);
        let ended = inner
            .db
            .write(|| async {
                let mut tx = inner.db.begin().await?;
                let (row, now) = (before(&mut tx, id).await?, inner.env.now());
                let ended = store::link::unlink_of(&mut tx, user, id, now).await?;
                if ended {
                    let entry = AuditEntry::allowed(permit.actor(), "bank.unlink", id);
                    inner.auth.audit_in(&mut tx, &entry).await?;
                }
                let fact = row.fact(&mut tx).await?;
                qiao_ledger::attest(&mut tx, fact, now).await?;
                tx.commit().await?;
                Ok::<_, Error>(ended)
            })
            .await?;
        if !ended {
            return Err(Error::UnknownLink(id));
        }
        // An expired link has no token left to revoke.
        if let Ok(refresh) = refresh
            && let Err(failure) = inner.client.revoke(keyring.link.channel, &refresh).await
        {
            tracing::warn!(link.id = %id, %failure, "a bank did not revoke the token of an unlinked account");
        }
        Ok(())
    }

    async fn take_login(&self, digest: &str) -> Result<Option<Login>, Error> {
        let db = &self.inner().db;
        db.write(|| async {
            let mut tx = db.begin().await?;
            let login = store::login::take(&mut tx, digest).await?;
            tx.commit().await?;
            Ok(login)
        })
        .await
    }

    /// RFC 9207 section 2.4: the issuer that answers is the one that was asked.
    fn check_issuer(&self, code: Channel, iss: Option<&str>) -> Result<(), Error> {
        let channel = self.inner().client.channel(code);
        let asked = channel.ok_or(Error::UnknownChannel(code))?.issuer.as_str();
        let answers = iss.unwrap_or_default();
        if answers.trim_end_matches('/') == asked.trim_end_matches('/') {
            Ok(())
        } else {
            Err(Error::WrongIssuer)
        }
    }

    async fn keep_link(
        &self,
        permit: &Permit,
        (user, channel): (UserId, Channel),
        account: AccountBody,
        tokens: &Tokens,
    ) -> Result<BankLink, Error> {
        let inner = self.inner();
        let cut = |text: &str| to_plain_text(text, NAME_CHARS_MAX);
        let new = BankLink {
            id: inner.env.id(),
            user,
            channel,
            account: account.id,
            name: cut(&account.name),
            number_masked: cut(&account.number_masked),
            state: LinkState::Active,
            linked_at: inner.env.now(),
        };
        let new = &new;
        inner
            .db
            .write(|| async {
                let mut tx = inner.db.begin().await?;
                let known = store::link::find_account(&mut tx, user, channel, &new.account).await?;
                let link = BankLink {
                    id: known.unwrap_or(new.id),
                    ..new.clone()
                };
                let tokens = self.seal_tokens(link.id, tokens)?;
                let now = inner.env.now();
                let linked = Linked {
                    link: &link,
                    tokens: &tokens,
                    now,
                };
                let row = before(&mut tx, link.id).await?;
                if known.is_some() {
                    store::link::relink(&mut tx, &linked).await?;
                } else {
                    if store::link::count_for_user(&mut tx, user).await? >= LINKS_MAX {
                        return Err(Error::TooManyLinks(LINKS_MAX));
                    }
                    store::link::insert(&mut tx, &linked).await?;
                }
                let entry = AuditEntry::allowed(permit.actor(), "bank.link", link.id);
                let entry = entry.detail(format!("at {channel}"));
                inner.auth.audit_in(&mut tx, &entry).await?;
                let fact = row.fact(&mut tx).await?;
                qiao_ledger::attest(&mut tx, fact, now).await?;
                tx.commit().await?;
                Ok(link)
            })
            .await
    }

    pub(crate) fn seal_tokens(
        &self,
        id: BankLinkId,
        tokens: &Tokens,
    ) -> Result<SealedTokens, Error> {
        let seal = |token: &Secret<String>| {
            let sealer = &self.inner().sealer;
            sealer.seal(&id.to_string(), token.expose().as_bytes())
        };
        Ok(SealedTokens {
            access: seal(&tokens.access)?,
            refresh: seal(&tokens.refresh)?,
            expires_at: tokens.expires_at,
        })
    }

    pub(crate) fn open_token(
        &self,
        id: BankLinkId,
        sealed: &[u8],
    ) -> Result<Secret<String>, Error> {
        let opened = self.inner().sealer.open(&id.to_string(), sealed)?;
        let text = String::from_utf8_lossy(opened.expose()).into_owned();
        Ok(Secret::new(text))
    }

    fn redirect_uri(&self, code: Channel) -> String {
        format!("{}/banks/{code}/callback", self.inner().public_url)
    }
}

/// A link before a transaction changes it.
pub(crate) async fn before(tx: &mut Tx, id: BankLinkId) -> Result<Before, qiao_db::Error> {
    Before::of(tx, &LINKS, &[&id.to_string()]).await
}

/// States are stored as their digest alone.
fn digest_of(state: &str) -> String {
    URL_SAFE_NO_PAD.encode(Sha256::digest(state.as_bytes()))
}
