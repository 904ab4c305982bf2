use std::ffi::OsString;
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::{Duration, Instant};

use anyhow::{Context, bail, ensure};
use qiao::{Client, PublishArgs};
use qiao_db::{Db, OpenOptions};
use qiao_tests::TestDatabase;
use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::io::AsyncWriteExt;
use tokio::net::TcpStream;
use tokio::process::{Child, Command};
use tokio::task::JoinSet;

use crate::history;
use crate::load::Connection;
use crate::person::{PASSWORD, Person};

/// Whose plugin is measured.
const HANDLE: &str = "steady-fund";
const OPERATOR: &str = "operator";
/// What the fund company's server may do when it pays.
const PAYER_SCOPES: &str = "orders:read payments:read payments:write";
/// How often the host is asked whether it listens, and how many times.
const ASK: Duration = Duration::from_millis(50);
const ASK_TIMES: u32 = 200;
/// How often a host that starts anew is asked whether it is ready, and for how long.
const LOOK: Duration = Duration::from_millis(5);
const READY_WITHIN: Duration = Duration::from_secs(60);

/// A host of its own process, as `qiao serve` runs it: a sandbox on a fresh database,
/// where a fund company sells its fund. It ends when this is dropped.
pub(crate) struct Host {
    /// `host:port`.
    pub(crate) address: String,
    /// The fund company.
    pub(crate) institution: String,
    /// The client of its server that pays.
    payer: String,
    process: Child,
    /// The flags that say where its data is.
    database: Vec<OsString>,
    folder: TempDir,
    postgres: Option<TestDatabase>,
}

/// Which database a host runs on.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Engine {
    /// A fresh file.
    Sqlite,
    /// A fresh database of the server that the tests use.
    Postgres,
}

impl Engine {
    /// As the table names it.
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Sqlite => "sqlite",
            Self::Postgres => "postgres",
        }
    }
}

impl Host {
    /// Starts it on SQLite and publishes the money fund through the public doors.
    pub(crate) async fn start() -> anyhow::Result<Self> {
        Self::start_on(Engine::Sqlite).await
    }

    /// The same on either database.
    pub(crate) async fn start_on(engine: Engine) -> anyhow::Result<Self> {
        let folder = tempfile::tempdir()?;
        let mut database = vec![OsString::from("--data"), folder.path().join("data").into()];
        let postgres = match engine {
            Engine::Sqlite => None,
            Engine::Postgres => Some(qiao_tests::postgres().await),
        };
        if let Some(url) = postgres.as_ref().and_then(|database| database.url.as_ref()) {
            database.extend(["--database-url".into(), url.into()]);
        }
        add_operator(&database).await?;
        let address = free_address()?;
        let process = serve(&address, &database, folder.path())?;
        let mut host = Self {
            address,
            institution: String::new(),
            payer: String::new(),
            process,
            database,
            folder,
            postgres,
        };
        host.wait_until_it_listens().await?;
        host.publish().await.context("publishing the fund")?;
        Ok(host)
    }

    /// Ends it as `kill -9` does.
    pub(crate) async fn kill(&mut self) -> anyhow::Result<()> {
        Ok(self.process.kill().await?)
    }

    /// Starts it anew over its data; gives how long it took until it was ready.
    #[expect(clippy::disallowed_methods, reason = "a bench measures time")]
    pub(crate) async fn start_again(&mut self) -> anyhow::Result<Duration> {
        let begun = Instant::now();
        self.process = serve(&self.address, &self.database, self.folder.path())?;
        while begun.elapsed() < READY_WITHIN {
            if self.is_ready().await {
                return Ok(begun.elapsed());
            }
            tokio::time::sleep(LOOK).await;
        }
        bail!("the host at {} is not ready again", self.address);
    }

    async fn is_ready(&self) -> bool {
        match Connection::open(&self.address).await {
            Ok(mut connection) => connection.get("/readyz", &[]).await.is_ok(),
            Err(_) => false,
        }
    }

    /// Gives it a history: so many transfers of the fund company's payments.
    pub(crate) async fn age(&self, transfers: u64) -> anyhow::Result<()> {
        let db = match &self.postgres {
            Some(database) => database.db.clone(),
            None => {
                let file = self.folder.path().join("data").join("qiao.db");
                Db::open(&OpenOptions::sqlite(file)).await?
            }
        };
        let institution = self.institution.parse()?;
        history::make(&db, &qiao::host_env(), institution, transfers).await
    }

    /// An access token of the fund company's server, for [`PAYER_SCOPES`].
    pub(crate) async fn payer_token(&self) -> anyhow::Result<String> {
        self.client(&self.payer)?.token(PAYER_SCOPES).await
    }

    /// Its process.
    pub(crate) fn pid(&self) -> Option<u32> {
        self.process.id()
    }

    /// People who are signed in, each with a PIN and play money.
    pub(crate) async fn people(&self, count: usize) -> anyhow::Result<Vec<Person>> {
        let mut joining = JoinSet::new();
        for number in 0..count {
            let address = self.address.clone();
            joining.spawn(async move {
                let mut person = Person::sign_up(&address, &format!("person{number}")).await?;
                person.get_ready_to_pay().await?;
                anyhow::Ok(person)
            });
        }
        let mut people = Vec::with_capacity(count);
        while let Some(person) = joining.join_next().await {
            people.push(person??);
        }
        Ok(people)
    }

    /// An offer of the fund to a person, which can be quoted and ordered for half an hour.
    pub(crate) async fn offer(person: &mut Person, amount: &str) -> anyhow::Result<String> {
        let path = format!("/v1/public-accounts/{HANDLE}/services/invest");
        let form = json!({
            "form": "buy",
            "fields": [{ "name": "amount", "value": amount }],
            "locale": "en",
        });
        let answer = person.post(&path, &form).await?;
        let offer = answer["offer"]["id"].as_str();
        Ok(offer
            .with_context(|| format!("the form led to no offer: {answer}"))?
            .to_owned())
    }

    async fn wait_until_it_listens(&mut self) -> anyhow::Result<()> {
        for _ in 0..ASK_TIMES {
            if TcpStream::connect(&self.address).await.is_ok() {
                return Ok(());
            }
            if let Some(status) = self.process.try_wait()? {
                bail!("the host ended at once: {status}");
            }
            tokio::time::sleep(ASK).await;
        }
        bail!("the host does not listen on {}", self.address);
    }

    fn client(&self, id: &str) -> anyhow::Result<Client> {
        Client::open(&PublishArgs {
            plugin: PathBuf::new(),
            host: format!("http://{}", self.address),
            client_id: id.to_owned(),
            key: self.key(),
            activate: true,
            review_timeout: 0,
        })
    }

    /// The fund company's private key.
    fn key(&self) -> PathBuf {
        self.folder.path().join("fund.pem")
    }

    async fn publish(&mut self) -> anyhow::Result<()> {
        let mut operator = Person::log_in(&self.address, OPERATOR).await?;
        let mut staff = Person::sign_up(&self.address, "fund").await?;
        let key = self.key();
        make_key(&key).await?;
        let jwks = std::fs::read_to_string(key.with_extension("jwks.json"))?;
        let jwks: Value = serde_json::from_str(&jwks)?;
        let institution = json!({
            "name": "Steady Fund Management",
            "kind": "fund",
            "handle": HANDLE,
            "summary": "A money-market fund from 1.00 CNY.",
            "jwks": jwks,
        });
        let founded = staff.post("/v1/institutions", &institution).await?;
        let id = text(&founded["institution"]["id"])?;
        operator
            .post(&format!("/v1/institutions/{id}/approve"), &json!({}))
            .await?;
        self.institution = id.to_owned();
        let payer = json!({ "name": "payer", "scope": PAYER_SCOPES, "jwks": jwks });
        let clients = format!("/v1/institutions/{id}/clients");
        let payer = staff.post(&clients, &payer).await?;
        self.payer = text(&payer["id"])?.to_owned();
        let grant = json!({ "scope": payer["asked_scope"], "verdict": "grant" });
        operator
            .post(&format!("/v1/clients/{}/scopes", self.payer), &grant)
            .await?;
        let client = self.client(text(&founded["client"]["id"])?)?;
        let token = client.token("releases:write").await?;
        let component = tokio::task::spawn_blocking(|| qiao_tests::guests::component("money-fund"));
        let upload = client.sign(&component.await?)?;
        let release = client.upload(&token, upload).await?;
        let id = text(&release["id"])?;
        operator
            .post(&format!("/v1/releases/{id}/approve"), &json!({}))
            .await?;
        client.activate(&token, id).await?;
        Ok(())
    }
}

fn serve(address: &str, database: &[OsString], folder: &Path) -> anyhow::Result<Child> {
    qiao()?
        .args(["serve", "--sandbox", "--listen", address])
        .args(database)
        .current_dir(folder)
        .stdout(Stdio::null())
        .spawn()
        .context("starting the host")
}

/// The `qiao` binary of the same build.
fn qiao() -> anyhow::Result<Command> {
    let program = std::env::current_exe()?.with_file_name("qiao");
    ensure!(
        program.is_file(),
        "{} is missing; `cargo build --release -p qiao` makes it",
        program.display()
    );
    let mut command = Command::new(program);
    command.kill_on_drop(true);
    Ok(command)
}

async fn add_operator(database: &[OsString]) -> anyhow::Result<()> {
    let mut process = qiao()?
        .args([
            "admin",
            "operator",
            "add",
            "--login",
            OPERATOR,
            "--password-stdin",
        ])
        .args(database)
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .spawn()?;
    let mut input = process
        .stdin
        .take()
        .context("the operator's password has no way in")?;
    input.write_all(PASSWORD.as_bytes()).await?;
    drop(input);
    let status = process.wait().await?;
    ensure!(status.success(), "the operator was not made: {status}");
    Ok(())
}

async fn make_key(file: &Path) -> anyhow::Result<()> {
    let made = qiao()?
        .args(["key", "new"])
        .arg(file)
        .stdout(Stdio::null())
        .status()
        .await?;
    ensure!(made.success(), "the fund's key was not made: {made}");
    Ok(())
}

/// An address that nobody listens on. The public address of a host is known before it
/// starts, so the port cannot be left to the system.
fn free_address() -> anyhow::Result<String> {
    Ok(TcpListener::bind("127.0.0.1:0")?.local_addr()?.to_string())
}

fn text(value: &Value) -> anyhow::Result<&str> {
    value
        .as_str()
        .with_context(|| format!("the host answered {value} where a text was due"))
}
