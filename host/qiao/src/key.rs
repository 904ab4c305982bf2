//! Keys: an institution's key pair on the developer's side, and the secrets of
//! a host in its data folder.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, bail};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use clap::{Args, ValueEnum};
use qiao_auth::keys::{KeyKind, generate_key};
use qiao_model::{Env, Secret};

/// What kind of key pair.
#[derive(Clone, Copy, Debug, ValueEnum)]
pub(crate) enum Kind {
    /// Ed25519 (JWS `EdDSA`).
    Ed25519,
    /// NIST P-256 (JWS `ES256`).
    P256,
}

/// Flags of `qiao key new`.
#[derive(Args, Debug)]
pub(crate) struct NewKeyArgs {
    /// Where the private key is written, as PKCS #8 PEM. The public key lands beside it as .jwks.json.
    pub(crate) file: PathBuf,
    /// What kind of key pair.
    #[arg(long, value_enum, default_value = "ed25519")]
    pub(crate) kind: Kind,
}

/// Makes a key pair: signs releases and the client assertions of OAuth.
///
/// # Errors
/// The file is there already or cannot be written.
pub(crate) fn new(args: &NewKeyArgs) -> anyhow::Result<PathBuf> {
    let kind = match args.kind {
        Kind::Ed25519 => KeyKind::Ed25519,
        Kind::P256 => KeyKind::P256,
    };
    let (pem, jwk) = generate_key(kind).context("making a key pair")?;
    write_private(&args.file, pem.expose().as_bytes())?;
    let public = args.file.with_extension("jwks.json");
    let jwks = serde_json::json!({ "keys": [jwk] });
    fs::write(&public, format!("{jwks:#}\n"))
        .with_context(|| format!("writing {}", public.display()))?;
    Ok(public)
}

/// Reads a private key.
///
/// # Errors
/// The file cannot be read.
pub(crate) fn read(file: &Path) -> anyhow::Result<Secret<String>> {
    let pem = fs::read_to_string(file).with_context(|| {
        format!(
            "cannot read the key {}; `qiao key new {}` makes one",
            file.display(),
            file.display()
        )
    })?;
    Ok(Secret::new(pem))
}

/// The secrets of a host, made on its first start.
#[derive(Debug)]
pub(crate) struct HostKeys {
    /// Signs access tokens.
    pub(crate) token_pem: Secret<String>,
    /// What passwords and pseudonyms are made with.
    pub(crate) pepper: Secret<[u8; 32]>,
    /// Authenticates compiled plugins and signs quotes.
    pub(crate) host: Secret<[u8; 32]>,
    /// Seals secrets at rest.
    pub(crate) seal: Secret<[u8; 32]>,
}

impl HostKeys {
    /// Reads the keys of a data folder, and makes those that are missing.
    ///
    /// # Errors
    /// A file cannot be read or written, or does not hold a key.
    pub(crate) fn open(folder: &Path, env: &Env) -> anyhow::Result<Self> {
        let folder = folder.join("keys");
        fs::create_dir_all(&folder).with_context(|| format!("making {}", folder.display()))?;
        Ok(Self {
            token_pem: token_key(&folder.join("token.pem"))?,
            pepper: secret(&folder.join("pepper.key"), env)?,
            host: secret(&folder.join("host.key"), env)?,
            seal: secret(&folder.join("seal.key"), env)?,
        })
    }
}

fn token_key(file: &Path) -> anyhow::Result<Secret<String>> {
    if !file.exists() {
        let (pem, _) = generate_key(KeyKind::P256).context("making the token key")?;
        write_private(file, pem.expose().as_bytes())?;
    }
    read(file)
}

fn secret(file: &Path, env: &Env) -> anyhow::Result<Secret<[u8; 32]>> {
    if !file.exists() {
        let fresh = env.secret::<32>();
        write_private(file, URL_SAFE_NO_PAD.encode(fresh.expose()).as_bytes())?;
    }
    let text = fs::read_to_string(file).with_context(|| format!("reading {}", file.display()))?;
    let bytes = URL_SAFE_NO_PAD.decode(text.trim()).ok();
    match bytes.and_then(|bytes| <[u8; 32]>::try_from(bytes).ok()) {
        Some(bytes) => Ok(Secret::new(bytes)),
        None => bail!(
            "{} does not hold a key: put the backup of this folder back",
            file.display()
        ),
    }
}

/// Writes a file that its owner alone can read, and never over another.
fn write_private(file: &Path, bytes: &[u8]) -> anyhow::Result<()> {
    use std::io::Write;
    let mut options = fs::OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let mut open = options.open(file).with_context(|| {
        format!(
            "{} cannot be made (a key is never overwritten)",
            file.display()
        )
    })?;
    open.write_all(bytes)
        .and_then(|()| open.sync_all())
        .with_context(|| format!("writing {}", file.display()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use qiao_model::Timestamp;

    #[test]
    fn a_key_is_never_overwritten() {
        let folder = tempfile::tempdir().unwrap();
        let args = NewKeyArgs {
            file: folder.path().join("fund.pem"),
            kind: Kind::Ed25519,
        };
        let public = new(&args).unwrap();
        assert!(fs::read_to_string(public).unwrap().contains("OKP"));
        assert!(
            new(&args)
                .unwrap_err()
                .to_string()
                .contains("never overwritten")
        );
    }

    #[test]
    fn the_keys_of_a_host_stay_the_same() {
        let folder = tempfile::tempdir().unwrap();
        let (env, _) = Env::fixed(Timestamp::from_millis(0), 1);
        let first = HostKeys::open(folder.path(), &env).unwrap();
        let again = HostKeys::open(folder.path(), &env).unwrap();
        assert_eq!(first.host, again.host);
        assert_eq!(first.token_pem, again.token_pem);
        fs::write(folder.path().join("keys/host.key"), "short").unwrap();
        let error = HostKeys::open(folder.path(), &env).unwrap_err().to_string();
        assert!(error.contains("host.key"), "{error}");
    }
}
