//! Configuration: built-in defaults, then `qiao.toml`, then `QIAO_…` in the
//! environment, then flags; the later wins.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use anyhow::{Context, bail};
use clap::Args;
use qiao_banks::{Abilities, Cost, NewChannel};
use qiao_model::{Calendar, Day, Rate, Secret};
use serde::Deserialize;

/// The commented default configuration: `qiao admin config` prints it.
pub const DEFAULT_TOML: &str = include_str!("../qiao.default.toml");

/// Flags of every subcommand that touches a host's data.
#[derive(Args, Clone, Debug, Default)]
pub struct DataArgs {
    /// The host's folder: SQLite file, keys, compile cache.
    #[arg(long, env = "QIAO_DATA", value_name = "FOLDER")]
    pub data: Option<PathBuf>,
    /// A PostgreSQL database instead of the SQLite file: postgres://user:password@host/name.
    #[arg(long, env = "QIAO_DATABASE_URL", value_name = "URL")]
    pub database_url: Option<String>,
    /// The configuration file; without it, qiao.toml of the current folder if there is one.
    #[arg(long, env = "QIAO_CONFIG", value_name = "FILE")]
    pub config: Option<PathBuf>,
    /// Connections to the database at most.
    #[arg(long, env = "QIAO_CONNECTIONS_MAX", value_name = "NUMBER")]
    pub connections_max: Option<u32>,
    /// MiB to which the SQLite file grows at most; 0 is no quota.
    #[arg(long, env = "QIAO_SIZE_MAX_MIB", value_name = "MIB")]
    pub size_max_mib: Option<u32>,
}

/// Flags of the subcommands that serve.
#[derive(Args, Clone, Debug, Default)]
pub struct ServeArgs {
    /// Where the data is.
    #[command(flatten)]
    pub data: DataArgs,
    /// Where to listen.
    #[arg(long, env = "QIAO_LISTEN", value_name = "ADDRESS")]
    pub listen: Option<SocketAddr>,
    /// The address that people and clients use, when a proxy stands in front.
    #[arg(long, env = "QIAO_PUBLIC_URL", value_name = "URL")]
    pub public_url: Option<url::Url>,
    /// Play money and a clock that can be moved forward. Never on a host with real money.
    #[arg(long, env = "QIAO_SANDBOX", num_args = 0..=1, default_missing_value = "true", value_name = "BOOL")]
    pub sandbox: Option<bool>,
    /// Addresses in private networks that plugins and webhooks may reach all the same.
    #[arg(
        long = "allow-private",
        env = "QIAO_EGRESS_ALLOW_PRIVATE",
        value_delimiter = ',',
        value_name = "HOST:PORT"
    )]
    pub allow_private: Option<Vec<String>>,
    /// Holidays beside those built in, each as 2027-01-01.
    #[arg(
        long,
        env = "QIAO_CALENDAR_HOLIDAYS",
        value_delimiter = ',',
        value_name = "DAY"
    )]
    pub holidays: Option<Vec<String>>,
}

/// What a host is told.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Config {
    /// Where its data is.
    pub data: DataConfig,
    /// Where it listens.
    pub server: ServerConfig,
    /// Play money and a movable clock.
    pub sandbox: SandboxConfig,
    /// What plugins and webhooks may reach.
    pub egress: EgressConfig,
    /// The custody banks.
    #[serde(default)]
    pub banks: Vec<BankConfig>,
    /// When banks and funds do not work.
    pub calendar: CalendarConfig,
}

/// Where the data is.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DataConfig {
    /// SQLite file, keys, compile cache.
    pub folder: PathBuf,
    /// PostgreSQL instead of the file, when not empty.
    pub database_url: String,
    /// Connections of the pool at most.
    pub connections_max: u32,
    /// MiB to which the SQLite file grows at most; 0 is no quota.
    pub size_max_mib: u32,
}

/// Where the host listens.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ServerConfig {
    /// Address and port.
    pub listen: SocketAddr,
    /// The address that people use; empty means `http://` and `listen`.
    pub public_url: String,
}

/// Play money.
#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SandboxConfig {
    /// Whether this host is a sandbox.
    pub enabled: bool,
}

/// What the host's guests may reach.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct EgressConfig {
    /// `host:port` in private networks that may be reached all the same.
    pub allow_private: Vec<String>,
}

/// A custody bank: a channel for money in and out.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct BankConfig {
    /// The channel's code, for good: the books name it.
    pub code: String,
    /// What people read.
    pub name: String,
    /// The bank's OAuth issuer.
    pub issuer: url::Url,
    /// Who the platform is to the bank.
    pub client_id: String,
    /// The file with the client's secret.
    pub client_secret_file: Option<PathBuf>,
    /// The file with what the bank signs its callbacks with, `whsec_…`.
    pub callback_secret_file: Option<PathBuf>,
    /// `debit`, `credit` or `both`.
    #[serde(default = "BankConfig::both")]
    pub abilities: String,
    /// What a transfer costs whatever its amount, in minor units.
    #[serde(default)]
    pub cost_flat_minor: i64,
    /// What it costs of its amount, in parts per million.
    #[serde(default)]
    pub cost_ppm: i64,
    /// Among equal costs the lower goes first.
    #[serde(default = "BankConfig::priority")]
    pub priority: i64,
    /// One transfer moves at most so many minor units.
    #[serde(default = "BankConfig::amount_max_minor")]
    pub amount_max_minor: i64,
}

impl BankConfig {
    /// What a channel can do that does not say.
    pub(crate) fn both() -> String {
        Abilities::Both.name().to_owned()
    }

    /// The priority of a channel that names none.
    pub(crate) const fn priority() -> i64 {
        100
    }

    /// The limit of a channel that names none: 50,000.00 CNY.
    pub(crate) const fn amount_max_minor() -> i64 {
        5_000_000
    }

    /// The channel, with its secrets from files or the environment.
    ///
    /// # Errors
    /// A value is not acceptable, or a secret is missing.
    pub fn channel(&self) -> anyhow::Result<NewChannel> {
        let of = || format!("the bank `{}`", self.code);
        let client_secret = self.secret("CLIENT_SECRET", self.client_secret_file.as_deref());
        let callback_secret = self.secret("CALLBACK_SECRET", self.callback_secret_file.as_deref());
        let callback_key = qiao_banks::callback_key(&callback_secret.with_context(of)?);
        if self.cost_flat_minor < 0 || !(0..=1_000_000).contains(&self.cost_ppm) {
            bail!(
                "{}: a cost is not below zero and not above the amount",
                of()
            );
        }
        if self.amount_max_minor < 1 {
            bail!("{}: amount_max_minor is at least 1", of());
        }
        Ok(NewChannel {
            code: self.code.parse().with_context(of)?,
            name: self.name.clone(),
            issuer: self.issuer.clone(),
            client_id: self.client_id.clone(),
            client_secret: Secret::new(client_secret.with_context(of)?),
            callback_key: callback_key
                .with_context(|| format!("{}: the callback secret is not whsec_…", of()))?,
            abilities: Abilities::of_name(&self.abilities)
                .with_context(|| format!("{}: abilities are debit, credit or both", of()))?,
            cost: Cost {
                flat_minor: self.cost_flat_minor,
                rate: Rate::from_ppm(self.cost_ppm),
            },
            priority: self.priority,
            amount_max_minor: self.amount_max_minor,
        })
    }

    /// A secret from its file, else from `QIAO_BANK_<CODE>_<WHAT>`.
    fn secret(&self, what: &str, file: Option<&Path>) -> anyhow::Result<String> {
        if let Some(file) = file {
            let text = std::fs::read_to_string(file);
            let text = text.with_context(|| format!("cannot read {}", file.display()))?;
            return Ok(text.trim().to_owned());
        }
        let code = self.code.to_uppercase().replace('-', "_");
        let variable = format!("QIAO_BANK_{code}_{what}");
        std::env::var(&variable).with_context(|| format!("{variable} is not set"))
    }
}

/// Business days.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CalendarConfig {
    /// Holidays beside those built in, each as `2027-01-01`.
    pub holidays: Vec<String>,
}

impl CalendarConfig {
    /// The mainland's calendar with these holidays.
    ///
    /// # Errors
    /// One of them is not a day.
    pub fn calendar(&self) -> anyhow::Result<Calendar> {
        let days: Result<Vec<Day>, _> = self.holidays.iter().map(|text| text.parse()).collect();
        let days = days.context("calendar.holidays")?;
        Ok(Calendar::mainland().with_holidays(days))
    }
}

impl Config {
    /// Reads the configuration: defaults, file, environment and flags.
    ///
    /// # Errors
    /// The file cannot be read or has an unknown or malformed key.
    pub fn read(args: &ServeArgs) -> anyhow::Result<Self> {
        let mut table: toml::Table = DEFAULT_TOML.parse().context("the built-in defaults")?;
        if let Some((path, text)) = file(args.data.config.as_deref())? {
            let own: toml::Table = text
                .parse()
                .with_context(|| format!("{} is not TOML", path.display()))?;
            merge(&mut table, own);
            Self::deserialize(table.clone()).with_context(|| {
                format!(
                    "{} has a key that Qiao does not know; `qiao admin config` prints every key",
                    path.display()
                )
            })?;
        }
        let mut config = Self::deserialize(table).context("the built-in defaults")?;
        config.apply(args);
        config.check()?;
        Ok(config)
    }

    fn apply(&mut self, args: &ServeArgs) {
        let args = args.clone();
        if let Some(folder) = args.data.data {
            self.data.folder = folder;
        }
        if let Some(url) = args.data.database_url {
            self.data.database_url = url;
        }
        if let Some(connections) = args.data.connections_max {
            self.data.connections_max = connections;
        }
        if let Some(mib) = args.data.size_max_mib {
            self.data.size_max_mib = mib;
        }
        if let Some(listen) = args.listen {
            self.server.listen = listen;
        }
        if let Some(url) = args.public_url {
            self.server.public_url = url.to_string();
        }
        if let Some(enabled) = args.sandbox {
            self.sandbox.enabled = enabled;
        }
        if let Some(allow) = args.allow_private {
            self.egress.allow_private = allow;
        }
        if let Some(holidays) = args.holidays {
            self.calendar.holidays = holidays;
        }
    }

    fn check(&self) -> anyhow::Result<()> {
        for address in &self.egress.allow_private {
            let port = address
                .rsplit_once(':')
                .map(|(_, port)| port.parse::<u16>());
            if !matches!(port, Some(Ok(_))) {
                bail!(
                    "egress.allow_private has `{address}`: write host:port, such as 127.0.0.1:9601"
                );
            }
        }
        self.calendar.calendar()?;
        Ok(())
    }

    /// The address that people and clients use, without a slash at the end.
    #[must_use]
    pub fn public_url(&self) -> String {
        match self.server.public_url.as_str() {
            "" => format!("http://{}", self.server.listen),
            url => url.trim_end_matches('/').to_owned(),
        }
    }
}

fn file(named: Option<&Path>) -> anyhow::Result<Option<(PathBuf, String)>> {
    let path = named.unwrap_or(Path::new("qiao.toml"));
    match std::fs::read_to_string(path) {
        Ok(text) => Ok(Some((path.to_path_buf(), text))),
        Err(error) if named.is_none() && error.kind() == std::io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error).with_context(|| format!("cannot read {}", path.display())),
    }
}

fn merge(base: &mut toml::Table, over: toml::Table) {
    for (key, value) in over {
        match (base.get_mut(&key), value) {
            (Some(toml::Value::Table(base)), toml::Value::Table(over)) => merge(base, over),
            (_, value) => {
                base.insert(key, value);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn args_with_file(text: &str) -> (ServeArgs, tempfile::TempDir) {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("qiao.toml");
        std::fs::write(&file, text).unwrap();
        let data = DataArgs {
            config: Some(file),
            ..DataArgs::default()
        };
        let args = ServeArgs {
            data,
            ..ServeArgs::default()
        };
        (args, folder)
    }

    #[test]
    fn a_flag_wins_over_the_file_and_the_file_over_the_default() {
        let (mut args, _folder) = args_with_file("[server]\nlisten = \"127.0.0.1:9000\"\n");
        let config = Config::read(&args).unwrap();
        assert_eq!(config.server.listen.port(), 9000);
        assert!(!config.sandbox.enabled);
        assert_eq!(config.public_url(), "http://127.0.0.1:9000");
        args.listen = Some("127.0.0.1:9001".parse().unwrap());
        assert_eq!(Config::read(&args).unwrap().server.listen.port(), 9001);
    }

    #[derive(clap::Parser)]
    struct Told {
        #[command(flatten)]
        args: ServeArgs,
    }

    /// What a process with this environment, these flags and this file is told.
    fn told(environment: &[(&str, &str)], flags: &str, file: &Path) -> String {
        let mut process = std::process::Command::new(std::env::current_exe().unwrap());
        process
            .args(["--exact", "--nocapture"])
            .arg(
                "config::tests::the_environment_wins_over_the_file_and_a_flag_over_the_environment",
            )
            .env("QIAO_CONFIG", file)
            .env("TOLD_FLAGS", flags)
            .envs(environment.iter().copied());
        String::from_utf8(process.output().unwrap().stdout).unwrap()
    }

    /// What this process is told, where it is the one that [`told`] starts.
    fn tell(flags: &str) {
        let words = std::iter::once("qiao").chain(flags.split_whitespace());
        let args = <Told as clap::Parser>::parse_from(words).args;
        let Config {
            data,
            server,
            calendar,
            ..
        } = Config::read(&args).unwrap();
        println!(
            "told: {} {} {} {}",
            server.listen,
            data.connections_max,
            data.size_max_mib,
            calendar.holidays.join("+")
        );
    }

    #[test]
    fn the_environment_wins_over_the_file_and_a_flag_over_the_environment() {
        if let Ok(flags) = std::env::var("TOLD_FLAGS") {
            return tell(&flags);
        }
        let text = "[data]\nconnections_max = 3\nsize_max_mib = 30\n\
            [server]\nlisten = \"127.0.0.1:9000\"\n\
            [calendar]\nholidays = [\"2027-01-01\"]\n";
        let (args, _folder) = args_with_file(text);
        let file = args.data.config.unwrap();
        let said = told(&[], "", &file);
        let of_file = "told: 127.0.0.1:9000 3 30 2027-01-01\n";
        assert!(said.contains(of_file), "{said}");
        let environment = [
            ("QIAO_LISTEN", "127.0.0.1:9001"),
            ("QIAO_CONNECTIONS_MAX", "4"),
            ("QIAO_SIZE_MAX_MIB", "40"),
            ("QIAO_CALENDAR_HOLIDAYS", "2027-01-02,2027-01-03"),
        ];
        let said = told(&environment, "", &file);
        let of_environment = "told: 127.0.0.1:9001 4 40 2027-01-02+2027-01-03\n";
        assert!(said.contains(of_environment), "{said}");
        let flags = "--listen 127.0.0.1:9002 --connections-max 5 --size-max-mib 50 \
            --holidays 2027-01-04";
        let said = told(&environment, flags, &file);
        let of_flags = "told: 127.0.0.1:9002 5 50 2027-01-04\n";
        assert!(said.contains(of_flags), "{said}");
    }

    #[test]
    fn the_default_file_names_every_variable_of_the_environment() {
        let command = <Told as clap::CommandFactory>::command();
        for variable in command.get_arguments().filter_map(clap::Arg::get_env) {
            let variable = variable.to_str().unwrap();
            assert!(DEFAULT_TOML.contains(variable), "{variable}");
        }
    }

    #[test]
    fn an_unknown_key_is_refused_with_the_file_and_the_key() {
        let (args, _folder) = args_with_file("[server]\nport = 1\n");
        let error = format!("{:#}", Config::read(&args).unwrap_err());
        assert!(
            error.contains("qiao.toml") && error.contains("port"),
            "{error}"
        );
    }

    #[test]
    fn an_egress_address_without_a_port_is_refused() {
        let (args, _folder) = args_with_file("[egress]\nallow_private = [\"127.0.0.1\"]\n");
        let error = Config::read(&args).unwrap_err().to_string();
        assert!(error.contains("host:port"), "{error}");
    }

    const BANK: &str = "[[banks]]\ncode = \"river\"\nname = \"River Bank\"\n\
        issuer = \"https://river.example\"\nclient_id = \"qiao\"\n";

    #[test]
    fn a_bank_takes_its_secrets_from_files() {
        let (args, folder) = args_with_file(BANK);
        let mut config = Config::read(&args).unwrap();
        let bank = &mut config.banks[0];
        let file = |name: &str, text: &str| {
            let file = folder.path().join(name);
            std::fs::write(&file, text).unwrap();
            Some(file)
        };
        bank.client_secret_file = file("client", "hunter2\n");
        bank.callback_secret_file = file("callback", "whsec_c2VjcmV0\n");
        let channel = bank.channel().unwrap();
        assert_eq!(channel.code.code(), "river");
        assert_eq!(channel.client_secret.expose(), "hunter2");
        assert_eq!(channel.callback_key.expose(), b"secret");
        assert_eq!(channel.abilities, Abilities::Both);
        bank.abilities = "none".to_owned();
        assert!(bank.channel().is_err());
    }

    #[test]
    fn a_bank_without_its_secrets_is_refused_by_the_name_of_the_variable() {
        let (args, _folder) = args_with_file(BANK);
        let config = Config::read(&args).unwrap();
        let error = format!("{:#}", config.banks[0].channel().unwrap_err());
        assert!(error.contains("QIAO_BANK_RIVER_"), "{error}");
    }

    #[test]
    fn a_holiday_that_is_not_a_day_is_refused() {
        let (args, _folder) = args_with_file("[calendar]\nholidays = [\"2027-02-30\"]\n");
        let error = format!("{:#}", Config::read(&args).unwrap_err());
        assert!(
            error.contains("calendar.holidays") && error.contains("2027-02-30"),
            "{error}"
        );
        let (args, _folder) = args_with_file("[calendar]\nholidays = [\"2027-01-01\"]\n");
        let calendar = Config::read(&args).unwrap().calendar.calendar().unwrap();
        assert!(calendar.knows(2027));
    }

    #[test]
    fn a_named_file_that_is_not_there_is_refused() {
        let data = DataArgs {
            config: Some("nowhere.toml".into()),
            ..DataArgs::default()
        };
        let args = ServeArgs {
            data,
            ..ServeArgs::default()
        };
        let error = Config::read(&args).unwrap_err().to_string();
        assert!(error.contains("nowhere.toml"), "{error}");
    }
}
