//! A sandbox host in this process, with a biller beside it.

use std::net::SocketAddr;
use std::sync::Arc;

use qiao::{
    Config, Host, HostOptions, PASSWORD, Person, SANDBOX_BANK, Scenario, ScenarioOptions, Serving,
};
use qiao_model::{Money, Scope, Secret};
use qiao_tests::{TestDatabase, guests};
use sandbox_bank::{Bank, Customer, Options};
use tokio::net::TcpListener;

/// A host that serves, and the biller that its traffic authority asks.
pub(crate) struct Sandbox {
    pub(crate) host: Arc<Host>,
    pub(crate) url: String,
    pub(crate) biller_url: String,
    serving: Serving,
    /// The custody bank, when there is one.
    pub(crate) bank: Option<Bank>,
    /// The folder and the database go away last.
    database: TestDatabase,
}

impl Sandbox {
    /// Opens a host over a fresh database.
    pub(crate) async fn open(database: TestDatabase) -> Self {
        Self::open_beside(database, None).await
    }

    /// Opens a host with a custody bank beside it, as the demo does.
    pub(crate) async fn open_with_bank(database: TestDatabase) -> Self {
        let bank = Bank::start(Options {
            customers: vec![
                Customer::new("wang", "wang", "6222020200018801", 10_000_000),
                Customer::new("fund", "fund", "1001880200000001", 10_000_000).debitable(),
            ],
            ..Options::default()
        });
        Self::open_beside(database, Some(bank.await.unwrap())).await
    }

    async fn open_beside(database: TestDatabase, bank: Option<Bank>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let biller = serve_biller().await;
        let mut config = Config::sandbox(
            database.folder.path().join("data"),
            database.url.clone(),
            listener.local_addr().unwrap(),
            vec![biller.to_string()],
        )
        .unwrap();
        if let Some(bank) = &bank {
            config.add_sandbox_bank(&bank.url).unwrap();
            let callback = format!("{}/v1/bank-callbacks/{SANDBOX_BANK}", config.public_url());
            bank.call_back(&callback);
        }
        let options = HostOptions {
            config,
            compiler: env!("CARGO_BIN_EXE_qiao").into(),
        };
        let host = Arc::new(Host::open(options).await.unwrap());
        let serving = Serving::start(host.clone(), listener).unwrap();
        Self {
            url: host.config.public_url(),
            biller_url: format!("http://{biller}"),
            host,
            serving,
            bank,
            database,
        }
    }

    /// The scenario against this host.
    pub(crate) fn scenario(&self) -> Scenario<'_> {
        let fines = std::fs::read_to_string(guests::folder_of("traffic-fines").join("plugin.toml"))
            .unwrap();
        let fines = fines.replace("http://127.0.0.1:9601/", &format!("{}/", self.biller_url));
        Scenario::new(
            &self.host,
            ScenarioOptions {
                biller_url: self.biller_url.clone(),
                fund: guests::component("money-fund"),
                fines: guests::component_with_manifest("traffic-fines", &fines),
                keys: self.host.config.data.folder.join("institutions"),
            },
        )
    }

    /// Stops the host; its data stays for as long as the caller keeps it.
    pub(crate) async fn close(self) -> TestDatabase {
        self.serving.stop().await;
        self.host.close().await;
        self.database
    }
}

async fn serve_biller() -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::task::spawn(biller::serve(listener));
    address
}

impl Sandbox {
    /// Somebody of the scenario, logged in.
    pub(crate) async fn log_in(&self, login: &str) -> Person {
        let person = Person::new(&self.url).unwrap();
        let fields = [("login", login), ("password", PASSWORD)];
        person.fill("/login", "log-in", &fields).await.unwrap();
        person
    }

    /// Play money for somebody of the scenario.
    pub(crate) async fn top_up(&self, login: &str, fen: i64) {
        let app = &self.host.app;
        let password = Secret::new(PASSWORD.to_owned());
        let token = app.auth.log_in(login, &password).await.unwrap();
        let session = app.auth.session(token.expose()).await.unwrap().unwrap();
        let permit = app.auth.permit_session(&session, Scope::Account).unwrap();
        let topped_up = app
            .payments
            .top_up(&permit, session.user(), Money::cny(fen), None);
        topped_up.await.unwrap();
    }

    /// The operator, logged in.
    pub(crate) async fn operator(&self) -> Person {
        self.log_in("operator").await
    }
}
