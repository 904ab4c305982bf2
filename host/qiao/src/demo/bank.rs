//! The custody bank of a sandbox: sandbox-bank of examples/, as it comes.

use std::path::Path;

use anyhow::Context;

use crate::config::{BankConfig, Config};

/// The channel's code in the books of a sandbox.
pub const SANDBOX_BANK: &str = "sandbox-bank";
/// Who banks there: the log-in name, which is the password too.
pub(crate) const CUSTOMER: &str = "wang";
/// The fund company's account there, which the platform may debit.
pub(crate) const FUND_ACCOUNT: &str = "1001880200000001";
/// What sandbox-bank takes unless it is told otherwise. They guard play money.
const CLIENT_ID: &str = "qiao";
const CLIENT_SECRET: &str = "sandbox-client-secret";
const CALLBACK_SECRET: &str = "whsec_c2FuZGJveC1iYW5rLWNhbGxiYWNrLXNlY3JldA==";

impl Config {
    /// Adds the sandbox bank at this address, with its secrets in files of the
    /// data folder.
    ///
    /// # Errors
    /// The address is not one, or the folder cannot be written.
    pub fn add_sandbox_bank(&mut self, url: &str) -> anyhow::Result<()> {
        let issuer: url::Url = url.parse().with_context(|| format!("`{url}`"))?;
        let host = issuer
            .host_str()
            .context("the bank's address has no host")?;
        let port = issuer.port_or_known_default().unwrap_or(80);
        self.egress.allow_private.push(format!("{host}:{port}"));
        let folder = self.data.folder.clone();
        std::fs::create_dir_all(&folder).with_context(|| format!("making {}", folder.display()))?;
        self.banks.push(BankConfig {
            code: SANDBOX_BANK.to_owned(),
            name: "Sandbox Bank".to_owned(),
            client_id: CLIENT_ID.to_owned(),
            client_secret_file: Some(secret_file(&folder, "client", CLIENT_SECRET)?),
            callback_secret_file: Some(secret_file(&folder, "callback", CALLBACK_SECRET)?),
            issuer,
            abilities: BankConfig::both(),
            cost_flat_minor: 0,
            cost_ppm: 0,
            priority: BankConfig::priority(),
            amount_max_minor: BankConfig::amount_max_minor(),
        });
        Ok(())
    }
}

fn secret_file(folder: &Path, what: &str, secret: &str) -> anyhow::Result<std::path::PathBuf> {
    let file = folder.join(format!("{SANDBOX_BANK}.{what}-secret"));
    std::fs::write(&file, secret).with_context(|| format!("writing {}", file.display()))?;
    Ok(file)
}
