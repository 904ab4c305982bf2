//! Configuration: built-in defaults, then `qiao.toml`, then `QIAO_…` in the
//! environment, then flags; the later wins.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use anyhow::{Context, bail};
use clap::Args;
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
