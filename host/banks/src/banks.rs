use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use qiao_auth::{Auth, Permit};
use qiao_db::{BatchOptions, Batcher, BatcherHealth, Db};
use qiao_events::{Egress, Policy, Sealer};
use qiao_model::{BankTransferId, Channel, Env};
use qiao_payments::{Party, Payments};

use crate::access;
use crate::channel::{BankChannel, NewChannel};
use crate::client::Client;
use crate::crash::Crash;
use crate::error::Error;
use crate::link::BankLink;
use crate::machine::BankMachine;
use crate::store;
use crate::transfer::{BankTransfer, TransferPage};

/// Accounts that a person links at most.
pub const LINKS_MAX: i64 = 10;
/// Transfers of one page at most.
pub const TRANSFERS_PAGE_MAX: usize = 100;

/// The rooms that banks stand on.
#[derive(Clone, Debug)]
pub struct Rooms {
    /// The database; migrated.
    pub db: Db,
    /// Time and chance.
    pub env: Env,
    /// Who may do what, and the audit.
    pub auth: Auth,
    /// Where the money is.
    pub payments: Payments,
    /// Seals tokens.
    pub sealer: Sealer,
    /// The way out.
    pub egress: Egress,
    /// Which private addresses a bank may have.
    pub policy: Policy,
}

/// How this host takes part.
#[derive(Clone, Debug)]
pub struct BanksConfig {
    /// The name of this node, its own among all nodes on the database.
    pub node: String,
    /// How people reach the host, without a slash at the end.
    pub public_url: String,
    /// The channels of the configuration.
    pub channels: Vec<NewChannel>,
    /// Time for one exchange with a bank.
    pub timeout: Duration,
    /// Transfers that the repair asks about at once.
    pub repair_at_once: usize,
    /// Where to stop on purpose.
    pub crash: Crash,
}

impl BanksConfig {
    /// Time for one exchange with a bank, unless somebody says otherwise.
    pub const TIMEOUT_DEFAULT: Duration = Duration::from_secs(10);
    /// Transfers that the repair asks about at once, unless somebody says otherwise.
    pub const REPAIR_AT_ONCE_DEFAULT: usize = 8;
}

/// Links, channels and transfers. Cheap to clone.
#[derive(Clone)]
pub struct Banks {
    inner: Arc<Inner>,
}

pub(crate) struct Inner {
    pub(crate) db: Db,
    pub(crate) env: Env,
    pub(crate) auth: Auth,
    pub(crate) payments: Payments,
    pub(crate) sealer: Sealer,
    pub(crate) client: Client,
    pub(crate) batcher: Batcher<BankMachine>,
    pub(crate) node: String,
    pub(crate) public_url: String,
    pub(crate) crash: Crash,
    pub(crate) repair_at_once: usize,
}

impl Banks {
    /// Opens the room: registers the channels of the configuration and takes
    /// back what this node had in hand when it ended.
    ///
    /// # Errors
    /// The database failed.
    pub async fn open(rooms: Rooms, config: BanksConfig) -> Result<Self, Error> {
        let (db, env) = (&rooms.db, &rooms.env);
        let (node, channels) = (config.node.as_str(), &config.channels);
        db.write(|| store::lease::release(db, node, env.now()))
            .await?;
        db.write(|| async {
            let mut tx = db.begin().await?;
            for channel in channels {
                store::channel::register(&mut tx, channel, env.now()).await?;
            }
            Ok::<_, Error>(tx.commit().await?)
        })
        .await?;
        let machine = BankMachine::new(rooms.env.clone());
        let out = (rooms.egress, rooms.policy);
        let client = Client::new(out, rooms.env.clone(), config.timeout, config.channels);
        Ok(Self {
            inner: Arc::new(Inner {
                batcher: Batcher::start(rooms.db.clone(), machine, BatchOptions::default()),
                db: rooms.db,
                env: rooms.env,
                auth: rooms.auth,
                payments: rooms.payments,
                sealer: rooms.sealer,
                client,
                node: config.node,
                public_url: config.public_url,
                crash: config.crash,
                repair_at_once: config.repair_at_once,
            }),
        })
    }

    /// How the batcher of bank transfers is.
    #[must_use]
    pub fn health(&self) -> BatcherHealth {
        self.inner.batcher.health()
    }

    pub(crate) fn inner(&self) -> &Inner {
        &self.inner
    }

    /// Whether this host has any bank.
    #[must_use]
    pub fn is_any_configured(&self) -> bool {
        self.inner.client.channels().next().is_some()
    }

    /// Whether the configuration has this channel.
    #[must_use]
    pub fn is_configured(&self, code: Channel) -> bool {
        self.inner.client.channel(code).is_some()
    }

    /// The channels of the configuration as they are registered, by priority:
    /// what people choose from.
    ///
    /// # Errors
    /// The database failed.
    pub async fn channels(&self) -> Result<Vec<BankChannel>, Error> {
        let mut channels = store::channel::list(&self.inner.db).await?;
        channels.retain(|channel| self.inner.client.channel(channel.code).is_some());
        Ok(channels)
    }

    /// One channel of the configuration.
    ///
    /// # Errors
    /// There is none of that code, or the database failed.
    pub async fn channel(&self, code: Channel) -> Result<BankChannel, Error> {
        let channels = self.channels().await?;
        let found = channels.into_iter().find(|channel| channel.code == code);
        found.ok_or(Error::UnknownChannel(code))
    }

    /// The caller's links, without unlinked ones. Scope `account`.
    ///
    /// # Errors
    /// The permit is no person's, or the database failed.
    pub async fn links(&self, permit: &Permit) -> Result<Vec<BankLink>, Error> {
        let user = access::own_account(permit)?;
        Ok(store::link::list_for_user(&self.inner.db, user).await?)
    }

    /// One transfer, if it is the caller's to see.
    ///
    /// # Errors
    /// The permit is for something else, or the database failed.
    pub async fn transfer(
        &self,
        permit: &Permit,
        id: BankTransferId,
    ) -> Result<Option<BankTransfer>, Error> {
        let Some(transfer) = store::transfer::find(&self.inner.db, id).await? else {
            return Ok(None);
        };
        Ok(access::may_see(permit, &transfer)?.then_some(transfer))
    }

    /// The caller's own transfers, newest first, at most [`TRANSFERS_PAGE_MAX`].
    /// Scope `account`.
    ///
    /// # Errors
    /// The permit is no person's, or the database failed.
    pub async fn transfers(
        &self,
        permit: &Permit,
        page: TransferPage,
    ) -> Result<Vec<BankTransfer>, Error> {
        let user = access::own_account(permit)?;
        let page = TransferPage {
            limit: page.limit.min(TRANSFERS_PAGE_MAX),
            ..page
        };
        Ok(store::transfer::list_for_party(&self.inner.db, Party::User(user), page).await?)
    }

    /// Worker step: forgets authorizations that nobody came back from.
    ///
    /// # Errors
    /// The database failed.
    pub async fn sweep(&self) -> Result<(), Error> {
        Ok(store::login::sweep(&self.inner.db, self.inner.env.now()).await?)
    }
}

impl fmt::Debug for Banks {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Banks({})", self.inner.node)
    }
}
