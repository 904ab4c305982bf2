use std::path::PathBuf;
use std::time::Duration;

use anyhow::{Context, bail};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use clap::Args;
use qiao_auth::keys::sign_jws;
use qiao_model::Secret;
use reqwest::StatusCode;
use serde_json::{Value, json};

use crate::key;

/// How long an assertion is good for.
const ASSERTION_SECS: i64 = 60;
/// How often the host is asked whether the release was reviewed.
const REVIEW_POLL: Duration = Duration::from_secs(1);
/// The JWS type of a release's signature.
pub(crate) const SIGNATURE_TYPE: &str = qiao_registry::SIGNATURE_TYPE;
/// What the token is for.
pub(super) const SCOPES: &str = "releases:write";

/// Flags of `qiao plugin publish`.
#[derive(Args, Debug)]
pub struct PublishArgs {
    /// The component that `qiao plugin build` wrote, or the project's folder.
    #[arg(default_value = ".")]
    pub plugin: PathBuf,
    /// The host's public address.
    #[arg(long, env = "QIAO_HOST", default_value = "http://127.0.0.1:8080")]
    pub host: String,
    /// Your institution's OAuth client: cli_… (the console shows it).
    #[arg(long, env = "QIAO_CLIENT_ID")]
    pub client_id: String,
    /// Your institution's private key, as PEM.
    #[arg(long, env = "QIAO_KEY", value_name = "FILE")]
    pub key: PathBuf,
    /// Wait for the review, then activate.
    #[arg(long)]
    pub activate: bool,
    /// How long to wait for the review, in seconds.
    #[arg(long, default_value_t = 3600)]
    pub review_timeout: u64,
}

/// An institution's server, towards a host.
#[derive(Debug)]
pub struct Client {
    http: reqwest::Client,
    host: String,
    client_id: String,
    key: Secret<String>,
}

impl Client {
    /// A client with its private key.
    ///
    /// # Errors
    /// The key cannot be read.
    pub fn open(args: &PublishArgs) -> anyhow::Result<Self> {
        Ok(Self {
            http: reqwest::Client::new(),
            host: args.host.trim_end_matches('/').to_owned(),
            client_id: args.client_id.clone(),
            key: key::read(&args.key)?,
        })
    }

    /// An access token by client credentials with `private_key_jwt` (RFC 7523).
    ///
    /// # Errors
    /// The host cannot be reached or refuses the assertion.
    pub async fn token(&self, scope: &str) -> anyhow::Result<String> {
        let endpoint = format!("{}/oauth/token", self.host);
        let assertion = self.assertion()?;
        let form = [
            ("grant_type", "client_credentials"),
            ("client_id", self.client_id.as_str()),
            (
                "client_assertion_type",
                "urn:ietf:params:oauth:client-assertion-type:jwt-bearer",
            ),
            ("client_assertion", assertion.as_str()),
            ("scope", scope),
        ];
        let response = self.http.post(&endpoint).form(&form).send().await;
        let response = response.with_context(|| format!("no host answers at {}", self.host))?;
        let status = response.status();
        let body: Value = response
            .json()
            .await
            .context("the token endpoint did not answer JSON")?;
        match body["access_token"].as_str() {
            Some(token) => Ok(token.to_owned()),
            None => bail!(
                "the host gave no token ({status}): {} {}",
                body["error"].as_str().unwrap_or("error"),
                body["error_description"].as_str().unwrap_or("")
            ),
        }
    }

    fn assertion(&self) -> anyhow::Result<String> {
        let env = crate::host_env();
        let now = env.now().as_secs();
        let claims = json!({
            "iss": self.client_id,
            "sub": self.client_id,
            "aud": self.host,
            "jti": URL_SAFE_NO_PAD.encode(env.secret::<16>().expose()),
            "iat": now,
            "exp": now + ASSERTION_SECS,
        });
        sign_jws(&self.key, "JWT", claims.to_string().as_bytes())
            .context("signing the client assertion")
    }

    /// Signs a component: the signature becomes its last section.
    ///
    /// # Errors
    /// The file is no component with a manifest, or the key does not sign.
    pub fn sign(&self, component: &[u8]) -> anyhow::Result<Vec<u8>> {
        let digest = qiao_manifest::digest(component)?;
        let jws = sign_jws(&self.key, SIGNATURE_TYPE, digest.as_bytes())
            .context("signing the release")?;
        Ok(qiao_manifest::attach_signature(component, &jws)?)
    }

    /// Uploads a signed component and gives the release with its review report.
    ///
    /// # Errors
    /// The host refuses it: the problem's words.
    pub async fn upload(&self, token: &str, upload: Vec<u8>) -> anyhow::Result<Value> {
        let request = self
            .http
            .post(format!("{}/v1/releases", self.host))
            .bearer_auth(token)
            .header("content-type", "application/wasm")
            .body(upload);
        answer(request).await
    }

    /// A release as it stands.
    ///
    /// # Errors
    /// The host cannot be reached or does not know the release.
    pub async fn release(&self, token: &str, id: &str) -> anyhow::Result<Value> {
        answer(
            self.http
                .get(format!("{}/v1/releases/{id}", self.host))
                .bearer_auth(token),
        )
        .await
    }

    /// Activates an approved release.
    ///
    /// # Errors
    /// The host refuses it, or the plugin's `activate` fails.
    pub async fn activate(&self, token: &str, id: &str) -> anyhow::Result<Value> {
        let request = self
            .http
            .post(format!("{}/v1/releases/{id}/activate", self.host))
            .bearer_auth(token);
        answer(request).await
    }

    /// Waits until the release was reviewed.
    ///
    /// # Errors
    /// It was rejected, or nobody reviewed it in time.
    pub async fn reviewed(&self, token: &str, id: &str, within: Duration) -> anyhow::Result<()> {
        let mut left = within;
        loop {
            let release = self.release(token, id).await?;
            match release["state"].as_str() {
                Some("in_review") => {}
                Some("rejected") => bail!(
                    "the review rejected it: {}",
                    release["reason"].as_str().unwrap_or("no reason given")
                ),
                _ => return Ok(()),
            }
            if left < REVIEW_POLL {
                bail!(
                    "nobody reviewed {id} within {} s; run publish --activate again later",
                    within.as_secs()
                );
            }
            tokio::time::sleep(REVIEW_POLL).await;
            left -= REVIEW_POLL;
        }
    }
}

/// The JSON of an answer, or the problem's words (RFC 9457).
pub(crate) async fn answer(request: reqwest::RequestBuilder) -> anyhow::Result<Value> {
    let response = request.send().await.context("the host does not answer")?;
    let status = response.status();
    let text = response.text().await?;
    let body: Value = serde_json::from_str(&text).unwrap_or(Value::Null);
    if status.is_success() {
        return Ok(body);
    }
    let title = body["title"].as_str().unwrap_or("the host refused");
    let detail = body["detail"].as_str().unwrap_or(text.trim());
    let fix = match status {
        StatusCode::UNAUTHORIZED => "; is this key registered for the client?",
        StatusCode::FORBIDDEN => "; is the institution approved?",
        _ => "",
    };
    bail!("{title} ({status}): {detail}{fix}");
}
