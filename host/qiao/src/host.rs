use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::Context;
use qiao_auth::{Auth, AuthConfig};
use qiao_banks::{Banks, BanksConfig};
use qiao_catalog::Catalog;
use qiao_db::{Db, Migration, OpenOptions};
use qiao_events::{Egress, Events, Policy, Sealer};
use qiao_ledger::Ledger;
use qiao_model::Env;
use qiao_orders::{CRASH_VARIABLE, Crash, Orders, OrdersConfig, PluginFulfiller};
use qiao_payments::Payments;
use qiao_registry::Registry;
use qiao_runtime::{
    Activation, CompileMode, Invocations, Ports, RoomPorts, Runtime, RuntimeConfig,
};
use qiao_settlement::Settlement;
use qiao_web::{App, Metrics, Rooms, SandboxClock, WebConfig};

use crate::chance::{HostClock, HostEntropy};
use crate::config::{BankConfig, Config};
use crate::key::HostKeys;
use crate::worker::Worker;

/// Every room's schema.
pub(crate) const MIGRATIONS: [&[Migration]; 10] = [
    qiao_ledger::MIGRATIONS,
    qiao_auth::MIGRATIONS,
    qiao_catalog::MIGRATIONS,
    qiao_events::MIGRATIONS,
    qiao_payments::MIGRATIONS,
    qiao_registry::MIGRATIONS,
    qiao_runtime::MIGRATIONS,
    qiao_orders::MIGRATIONS,
    qiao_banks::MIGRATIONS,
    qiao_settlement::MIGRATIONS,
];

/// What a host is opened with.
#[derive(Clone, Debug)]
pub struct HostOptions {
    /// Its configuration.
    pub config: Config,
    /// The `qiao` binary, which compiles plugins in a child process.
    pub compiler: PathBuf,
}

impl HostOptions {
    /// Compiles plugins in a child process of the running binary.
    ///
    /// # Errors
    /// The system does not say where the binary is.
    pub fn of_this_binary(config: Config) -> anyhow::Result<Self> {
        let compiler = std::env::current_exe().context("finding the qiao binary")?;
        Ok(Self { config, compiler })
    }
}

/// All rooms, wired.
pub struct Host {
    /// What it was told.
    pub config: Config,
    /// The doors' state.
    pub app: App,
    egress: Egress,
}

impl Host {
    /// Opens the data folder and the database, migrates, and wires the rooms.
    ///
    /// # Errors
    /// The folder is not writable, the database does not answer, or a key is broken.
    pub async fn open(options: HostOptions) -> anyhow::Result<Self> {
        let config = options.config;
        let clock = Arc::new(HostClock::default());
        let env = Env::new(clock.clone(), Arc::new(HostEntropy));
        let folder = &config.data.folder;
        fs::create_dir_all(folder).with_context(|| format!("making {}", folder.display()))?;
        let keys = HostKeys::open(folder, &env)?;
        let db = open_database(&config).await?;
        db.migrate(&MIGRATIONS)
            .await
            .context("migrating the database")?;

        let public_url = config.public_url();
        let auth = Auth::open(
            db.clone(),
            env.clone(),
            AuthConfig {
                issuer: public_url.clone(),
                audience: public_url.clone(),
                signing_key_pem: keys.token_pem,
                pepper: keys.pepper,
            },
        )?;
        let policy =
            Policy::allowing(&config.egress.allow_private).context("egress.allow_private")?;
        let egress = Egress::new().context("starting the HTTP client")?;
        let sealer = Sealer::new(&keys.seal, env.clone())?;
        let events = Events::new(db.clone(), env.clone(), sealer.clone(), policy.clone());
        let catalog = Catalog::new(db.clone(), env.clone());
        let payments = Payments::start(db.clone(), env.clone());
        let registry = Registry::new(db.clone(), env.clone(), auth.clone());
        let ports = Ports::from(RoomPorts {
            db: db.clone(),
            auth: auth.clone(),
            catalog: catalog.clone(),
            payments: payments.clone(),
            registry: registry.clone(),
            egress: egress.clone(),
            egress_policy: policy.clone(),
        });
        let crash = std::env::var(CRASH_VARIABLE).ok();
        let (crash, bank_crash) = crash_points(crash.as_deref())?;
        let node = node_name(folder, &env)?;
        let channels = config.banks.iter().map(BankConfig::channel);
        let banks = Banks::open(
            qiao_banks::Rooms {
                db: db.clone(),
                env: env.clone(),
                auth: auth.clone(),
                payments: payments.clone(),
                sealer,
                egress: egress.clone(),
                policy: policy.clone(),
            },
            BanksConfig {
                node: node.clone(),
                public_url: public_url.clone(),
                channels: channels.collect::<Result<_, _>>()?,
                timeout: BanksConfig::TIMEOUT_DEFAULT,
                repair_at_once: BanksConfig::REPAIR_AT_ONCE_DEFAULT,
                crash: bank_crash,
            },
        )
        .await?;
        let calendar = config.calendar.calendar()?;
        let settlement = Settlement::open(
            qiao_settlement::Rooms {
                db: db.clone(),
                env: env.clone(),
                auth: auth.clone(),
                payments: payments.clone(),
                banks: banks.clone(),
                calendar: calendar.clone(),
            },
            &node,
        )
        .await?;
        let runtime = Runtime::new(
            RuntimeConfig {
                env: env.clone(),
                cache_folder: folder.join("compiled"),
                host_key: keys.host.clone(),
                compile: CompileMode::Child(options.compiler),
                cores: None,
            },
            ports,
        )?;
        let orders = Orders::open(
            qiao_orders::Rooms {
                db: db.clone(),
                env: env.clone(),
                auth: auth.clone(),
                catalog: catalog.clone(),
                payments: payments.clone(),
                plugins: Arc::new(PluginFulfiller::new(registry.clone(), runtime.clone())),
            },
            OrdersConfig {
                node,
                host_key: keys.host,
                crash,
                calendar,
            },
        )
        .await?;
        runtime.connect_orders(orders.port());
        let sandbox_clock = config
            .sandbox
            .enabled
            .then_some(clock as Arc<dyn SandboxClock>);
        let app = App::new(Rooms {
            ledger: Ledger::new(db.clone()),
            component_check: Arc::new(runtime.clone()),
            activator: Arc::new(Activation {
                runtime: runtime.clone(),
                registry: registry.clone(),
            }),
            invocations: Invocations::new(db.clone()),
            db,
            env,
            auth,
            catalog,
            events,
            payments,
            registry,
            runtime,
            orders,
            banks,
            settlement,
            config: WebConfig {
                public_url,
                sandbox: config.sandbox.enabled,
            },
            sandbox_clock,
            metrics: Metrics::start(),
        });
        Ok(Self {
            config,
            app,
            egress,
        })
    }

    pub(crate) fn worker(&self) -> Worker {
        Worker {
            auth: self.app.auth.clone(),
            events: self.app.events.clone(),
            egress: self.egress.clone(),
            orders: self.app.orders.clone(),
            banks: self.app.banks.clone(),
            settlement: self.app.settlement.clone(),
            payments: self.app.payments.clone(),
            runtime: self.app.runtime.clone(),
            invocations: self.app.invocations.clone(),
        }
    }

    /// Closes the database; what was answered is on disk.
    pub async fn close(&self) {
        self.app.db.close().await;
    }
}

impl SandboxClock for HostClock {
    fn advance_millis(&self, millis: i64) {
        Self::advance_millis(self, millis);
    }
}

/// Where the environment asks this process to end: at a point of an order or of
/// a bank transfer.
fn crash_points(asked: Option<&str>) -> anyhow::Result<(Crash, qiao_banks::Crash)> {
    let never = qiao_banks::Crash::Never;
    let Some(asked) = asked else {
        return Ok((Crash::Never, never));
    };
    match asked.parse() {
        Ok(of_banks) => Ok((Crash::Never, of_banks)),
        Err(_) => Ok((asked.parse()?, never)),
    }
}

/// Opens the database of a configuration, without migrating it.
pub(crate) async fn open_database(config: &Config) -> anyhow::Result<Db> {
    let options = if config.data.database_url.is_empty() {
        OpenOptions::sqlite(config.data.folder.join("qiao.db"))
    } else {
        OpenOptions::postgres(&config.data.database_url)
    };
    let options = options
        .connections_max(config.data.connections_max)
        .size_max_mib(config.data.size_max_mib);
    Db::open(&options)
        .await
        .with_context(|| match config.data.database_url.as_str() {
            "" => format!(
                "opening the SQLite file in {}",
                config.data.folder.display()
            ),
            _ => "connecting to the database of --database-url".to_owned(),
        })
}

/// Opens the database of a host that has run before, for whoever only looks: it makes none.
pub(crate) async fn open_existing(config: &Config) -> anyhow::Result<Db> {
    anyhow::ensure!(
        !config.data.database_url.is_empty() || config.data.folder.join("qiao.db").is_file(),
        "{} holds no host's data; name its folder with --data, or its PostgreSQL database with --database-url",
        config.data.folder.display()
    );
    open_database(config).await
}

/// The name of this node, kept in its folder: it takes its own work back at start.
fn node_name(folder: &Path, env: &Env) -> anyhow::Result<String> {
    let file = folder.join("node");
    if let Ok(name) = fs::read_to_string(&file) {
        return Ok(name.trim().to_owned());
    }
    let name = env
        .id::<qiao_model::id::noun::Session>()
        .to_string()
        .replace("ses_", "node_");
    fs::write(&file, &name).with_context(|| format!("writing {}", file.display()))?;
    Ok(name)
}
