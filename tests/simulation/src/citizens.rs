//! The people of every run: signed up once for all runs of a thread, in a file of
//! their own, since a password and a PIN are slow to compare on purpose.

use std::fmt;
use std::sync::OnceLock;

use anyhow::Context;
use qiao_auth::{Auth, AuthConfig, NewUser, Permit, PinProof, Session, keys};
use qiao_db::{Db, OpenOptions};
use qiao_model::{Env, Scope, Secret, SessionId, Timestamp, UserId};
use tempfile::TempDir;
use tokio::runtime::Runtime;

use crate::host;

/// How many there are.
const CITIZENS: usize = 4;
/// Their clock stands past the end of every run, so that what they prove is fresh.
const AT_LAST: Timestamp = Timestamp::from_millis(4_000_000_000_000);
const PIN: &str = "271828";

/// Somebody who is signed in.
#[derive(Debug)]
pub(crate) struct Citizen {
    pub(crate) user: UserId,
    pub(crate) permit: Permit,
    session: Session,
}

/// Everybody, with the room that knows them.
pub(crate) struct Citizens {
    runtime: Runtime,
    auth: Auth,
    all: Vec<Citizen>,
    operator: Permit,
    /// The folder goes away last.
    _folder: TempDir,
}

impl Citizen {
    pub(crate) fn session(&self) -> SessionId {
        self.session.id()
    }
}

impl fmt::Debug for Citizens {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(&self.all).finish()
    }
}

impl Citizens {
    /// Signs everybody up; their ids are the same each time.
    pub(crate) fn new() -> anyhow::Result<Self> {
        let (runtime, folder) = (host::runtime()?, host::folder()?);
        let file = folder.path().join("citizens.db");
        let (auth, all, operator) = runtime.block_on(async {
            let db = Db::open(&OpenOptions::sqlite(&file)).await?;
            db.migrate(&[qiao_auth::MIGRATIONS]).await?;
            let (env, _) = Env::fixed(AT_LAST, 1);
            let auth = auth(db, env)?;
            let mut all = Vec::new();
            for number in 0..CITIZENS {
                all.push(sign_up(&auth, number).await?);
            }
            let operator = operator(&auth).await?;
            anyhow::Ok((auth, all, operator))
        })?;
        Ok(Self {
            runtime,
            auth,
            all,
            operator,
            _folder: folder,
        })
    }

    pub(crate) fn users(&self) -> Vec<UserId> {
        self.all.iter().map(|citizen| citizen.user).collect()
    }

    pub(crate) fn all(&self) -> &[Citizen] {
        &self.all
    }

    /// A permit of somebody who runs the platform.
    pub(crate) const fn operator(&self) -> &Permit {
        &self.operator
    }

    /// A permit of the host's own jobs.
    pub(crate) fn host(&self, scope: Scope) -> Permit {
        self.auth.permit_system("simulation", scope)
    }

    pub(crate) fn citizen(&self, user: UserId) -> anyhow::Result<&Citizen> {
        let found = self.all.iter().find(|citizen| citizen.user == user);
        found.with_context(|| format!("{user} signed up"))
    }

    /// Their PIN, just given.
    pub(crate) fn pin(&self, citizen: &Citizen) -> anyhow::Result<PinProof> {
        let pin = Secret::new(PIN.to_owned());
        let (permit, session) = (&citizen.permit, &citizen.session);
        let given = self.auth.verify_pin_in_session(permit, session, &pin);
        Ok(self.runtime.block_on(given)?)
    }
}

/// A room of people and permits.
pub(crate) fn auth(db: Db, env: Env) -> anyhow::Result<Auth> {
    let signing_key_pem = signing_key()?;
    let config = AuthConfig {
        issuer: "https://qiao.test".to_owned(),
        audience: "https://qiao.test/v1".to_owned(),
        signing_key_pem,
        pepper: Secret::new([7; 32]),
    };
    Ok(Auth::open(db, env, config)?)
}

/// The key that no run needs and every room of people wants.
fn signing_key() -> anyhow::Result<Secret<String>> {
    static KEY: OnceLock<Secret<String>> = OnceLock::new();
    if let Some(key) = KEY.get() {
        return Ok(key.clone());
    }
    let (key, _) = keys::generate_key(keys::KeyKind::P256)?;
    Ok(KEY.get_or_init(|| key).clone())
}

async fn operator(auth: &Auth) -> anyhow::Result<Permit> {
    let password = Secret::new("bridge-over-the-river".to_owned());
    let new = NewUser {
        login: "operator".to_owned(),
        name: "operator".to_owned(),
        password: password.clone(),
    };
    auth.bootstrap_operator(new).await?;
    let token = auth.log_in("operator", &password).await?;
    let session = auth.session(token.expose()).await?;
    let session = session.context("a session of who just signed in")?;
    Ok(auth.permit_session(&session, Scope::Operate)?)
}

async fn sign_up(auth: &Auth, number: usize) -> anyhow::Result<Citizen> {
    let login = format!("citizen-{number}");
    let password = Secret::new("bridge-over-the-river".to_owned());
    let new = NewUser {
        login: login.clone(),
        name: login.clone(),
        password: password.clone(),
    };
    let user = auth.sign_up(new).await?;
    let token = auth.log_in(&login, &password).await?;
    let session = auth.session(token.expose()).await?;
    let session = session.context("a session of who just signed in")?;
    let permit = auth.permit_session(&session, Scope::Account)?;
    auth.set_pin(&permit, &Secret::new(PIN.to_owned())).await?;
    Ok(Citizen {
        user,
        permit,
        session,
    })
}
