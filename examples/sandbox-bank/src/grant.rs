//! What customers allowed the platform: codes, grants, tokens.

use std::collections::BTreeMap;

use aws_lc_rs::rand;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use sha2::{Digest as _, Sha256};

/// How long a code may be exchanged.
pub const CODE_LIFETIME_MS: i64 = 60_000;

const TOKEN_BYTES: usize = 32;

/// A right to use the interface of the bank.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Scope {
    Accounts,
    Payments,
    Custody,
}

impl Scope {
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Accounts => "accounts",
            Self::Payments => "payments",
            Self::Custody => "custody",
        }
    }

    /// What a customer may be asked for; `None` when anything else is asked.
    pub(crate) fn parse_of_customer(text: &str) -> Option<Vec<Self>> {
        let mut scopes = Vec::new();
        for word in text.split_whitespace() {
            scopes.push(match word {
                "accounts" => Self::Accounts,
                "payments" => Self::Payments,
                _ => return None,
            });
        }
        (!scopes.is_empty()).then_some(scopes)
    }

    pub(crate) fn join(scopes: &[Self]) -> String {
        let names: Vec<&str> = scopes.iter().map(|scope| scope.name()).collect();
        names.join(" ")
    }
}

/// On whose behalf the platform calls.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Subject {
    /// A customer, with the one account that was chosen.
    Customer { name: String, account: String },
    /// The platform itself.
    Platform,
}

/// What was allowed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Grant {
    pub(crate) subject: Subject,
    pub(crate) scopes: Vec<Scope>,
}

/// A code on its way to the token endpoint.
#[derive(Debug, Clone)]
pub(crate) struct Code {
    pub(crate) grant: Grant,
    pub(crate) redirect_uri: String,
    pub(crate) code_challenge: String,
    pub(crate) expires_at: i64,
    /// The grant that it was exchanged for.
    pub(crate) exchanged: Option<u64>,
}

#[derive(Debug, Clone)]
struct AccessToken {
    grant: u64,
    expires_at: i64,
}

/// What a token endpoint hands out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Issued {
    pub(crate) access_token: String,
    pub(crate) refresh_token: Option<String>,
    pub(crate) scopes: Vec<Scope>,
}

/// From when and how long a token lives.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Term {
    pub(crate) now_ms: i64,
    pub(crate) lifetime_ms: i64,
}

impl Term {
    fn ends_at(self) -> i64 {
        self.now_ms.saturating_add(self.lifetime_ms)
    }
}

/// Every code, grant and token.
#[derive(Debug, Default)]
pub(crate) struct Grants {
    last: u64,
    grants: BTreeMap<u64, Grant>,
    codes: BTreeMap<String, Code>,
    access: BTreeMap<String, AccessToken>,
    refresh: BTreeMap<String, u64>,
}

impl Grants {
    /// Keeps a code until it is exchanged, and says what it is.
    pub(crate) fn add_code(&mut self, code: Code) -> String {
        let text = random_token();
        self.codes.insert(text.clone(), code);
        text
    }

    /// Exchanges a code (RFC 6749 section 4.1.3, RFC 7636 section 4.6). One that comes a
    /// second time takes back what it gave (RFC 6749 section 4.1.2).
    pub(crate) fn exchange(
        &mut self,
        code: &str,
        redirect_uri: &str,
        code_verifier: &str,
        term: Term,
    ) -> Option<Issued> {
        let known = self.codes.get(code)?.clone();
        if let Some(grant) = known.exchanged {
            self.revoke_grant(grant);
            return None;
        }
        let is_good = known.expires_at > term.now_ms
            && known.redirect_uri == redirect_uri
            && known.code_challenge == challenge_of(code_verifier);
        if !is_good {
            return None;
        }
        let grant = self.add_grant(known.grant.clone());
        if let Some(code) = self.codes.get_mut(code) {
            code.exchanged = Some(grant);
        }
        let refresh_token = random_token();
        self.refresh.insert(refresh_token.clone(), grant);
        Some(Issued {
            access_token: self.add_access(grant, term.ends_at()),
            refresh_token: Some(refresh_token),
            scopes: known.grant.scopes,
        })
    }

    /// A new access token for a refresh token, which stays the same.
    pub(crate) fn refresh(&mut self, refresh_token: &str, term: Term) -> Option<Issued> {
        let grant = *self.refresh.get(refresh_token)?;
        let scopes = self.grants.get(&grant)?.scopes.clone();
        Some(Issued {
            access_token: self.add_access(grant, term.ends_at()),
            refresh_token: Some(refresh_token.to_owned()),
            scopes,
        })
    }

    /// An access token for the platform itself.
    pub(crate) fn for_platform(&mut self, term: Term) -> Issued {
        let scopes = vec![Scope::Custody];
        let grant = self.add_grant(Grant {
            subject: Subject::Platform,
            scopes: scopes.clone(),
        });
        Issued {
            access_token: self.add_access(grant, term.ends_at()),
            refresh_token: None,
            scopes,
        }
    }

    /// What a living access token stands for.
    pub(crate) fn find(&self, access_token: &str, now_ms: i64) -> Option<&Grant> {
        let token = self.access.get(access_token)?;
        let lives = token.expires_at > now_ms;
        lives.then(|| self.grants.get(&token.grant)).flatten()
    }

    /// Revokes an access token, or a refresh token with its whole grant (RFC 7009).
    pub(crate) fn revoke(&mut self, token: &str) {
        self.access.remove(token);
        if let Some(grant) = self.refresh.get(token).copied() {
            self.revoke_grant(grant);
        }
    }

    /// Ends every access token before its time.
    pub(crate) fn expire_access(&mut self) {
        self.access.clear();
    }

    /// Takes every customer's grant back.
    pub(crate) fn revoke_all(&mut self) {
        let grants: Vec<u64> = self.refresh.values().copied().collect();
        for grant in grants {
            self.revoke_grant(grant);
        }
    }

    fn add_grant(&mut self, grant: Grant) -> u64 {
        self.last += 1;
        self.grants.insert(self.last, grant);
        self.last
    }

    fn add_access(&mut self, grant: u64, expires_at: i64) -> String {
        let text = random_token();
        let token = AccessToken { grant, expires_at };
        self.access.insert(text.clone(), token);
        text
    }

    fn revoke_grant(&mut self, grant: u64) {
        self.grants.remove(&grant);
        self.access.retain(|_, token| token.grant != grant);
        self.refresh.retain(|_, of| *of != grant);
    }
}

/// The S256 challenge of a verifier (RFC 7636 section 4.2).
pub(crate) fn challenge_of(code_verifier: &str) -> String {
    URL_SAFE_NO_PAD.encode(Sha256::digest(code_verifier.as_bytes()))
}

/// 256 bits that nobody guesses.
pub(crate) fn random_token() -> String {
    let mut bytes = [0; TOKEN_BYTES];
    rand::fill(&mut bytes).expect("the machine has randomness");
    URL_SAFE_NO_PAD.encode(bytes)
}
