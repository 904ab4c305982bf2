//! The real process ends in the middle of an order, and the next one drives it on.

use std::process::{Child, Command, Stdio};
use std::time::Duration;

use qiao::{PASSWORD, PIN, Page, Person};
use qiao_tests::{TestDatabase, postgres, sqlite};

use crate::process::ProcessOptions;
use crate::sandbox::Sandbox;
use crate::till::assert_audit_passes;

const LOOK: Duration = Duration::from_millis(100);
const LOOK_TIMES: u32 = 600;

/// A `qiao serve` of its own process over the data of a sandbox.
struct Process {
    child: Child,
    url: String,
}

impl Process {
    async fn start(database: &TestDatabase, biller: &str, crash_at: Option<&str>) -> Self {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap().to_string();
        drop(listener);
        let mut command = Command::new(env!("CARGO_BIN_EXE_qiao"));
        command
            .args(["serve", "--sandbox", "--listen", &address])
            .args(["--allow-private", biller.trim_start_matches("http://")])
            .arg("--data")
            .arg(database.folder.path().join("data"))
            .stdout(Stdio::null());
        if let Some(url) = &database.url {
            command.args(["--database-url", url]);
        }
        if let Some(point) = crash_at {
            command.env("QIAO_CRASH_AT", point);
        }
        let process = Self {
            child: command.spawn().unwrap(),
            url: format!("http://{address}"),
        };
        let person = Person::new(&process.url).unwrap();
        for _ in 0..LOOK_TIMES {
            if person.open("/healthz").await.is_ok() {
                return process;
            }
            tokio::time::sleep(LOOK).await;
        }
        panic!("{} does not answer", process.url);
    }

    /// `kill -9`.
    fn kill(self) {
        drop(self);
    }

    /// Waits until the process has ended by itself.
    async fn ended(mut self) {
        for _ in 0..LOOK_TIMES {
            if let Some(status) = self.child.try_wait().unwrap() {
                assert!(!status.success(), "it ended well: {status}");
                return;
            }
            tokio::time::sleep(LOOK).await;
        }
        panic!("the process did not end");
    }

    async fn log_in(&self) -> Person {
        let person = Person::new(&self.url).unwrap();
        let fields = [("login", "lin"), ("password", PASSWORD)];
        person.fill("/login", "log-in", &fields).await.unwrap();
        person
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        self.child.kill().ok();
        self.child.wait().ok();
    }
}

/// Looks at the newest order until it says one of these words.
async fn newest_order_says(person: &Person, words: &str) -> Page {
    let mut seen = String::new();
    for _ in 0..LOOK_TIMES {
        let orders = person.open("/orders").await.unwrap();
        if let Ok(id) = orders.id("ord_") {
            let order = person.open(&format!("/orders/{id}")).await.unwrap();
            if order.says(&[words]).is_ok() {
                return order;
            }
            seen = order.text();
        }
        tokio::time::sleep(LOOK).await;
    }
    panic!("no order says `{words}`: {seen}")
}

async fn buy(person: &Person) -> anyhow::Result<Page> {
    person
        .fill("/wallet", "top-up", &[("amount", "500.00")])
        .await?;
    let service = person.open("/a/steady-fund/invest").await?;
    let form = service.form_with("form", "buy")?;
    let checkout = person
        .send(&service, &form, &[("f_amount", "100.00")])
        .await?;
    person.send(&checkout, "confirm", &[("pin", PIN)]).await
}

async fn killed_between_hold_and_fulfil(database: TestDatabase) {
    let kept = TestDatabase {
        db: database.db.clone(),
        options: database.options.clone(),
        url: database.url.clone(),
        folder: database.folder.clone(),
    };
    let sandbox = Sandbox::open(database).await;
    sandbox.scenario().set_up().await.unwrap();
    let biller = sandbox.biller_url.clone();
    sandbox.close().await;

    let process = Process::start(&kept, &biller, Some("after-hold")).await;
    let person = process.log_in().await;
    assert!(
        buy(&person).await.is_err(),
        "the process answered and should have ended"
    );
    process.ended().await;

    let process = Process::start(&kept, &biller, None).await;
    let person = process.log_in().await;
    newest_order_says(&person, "Completed").await;
    let wallet = person.open("/wallet").await.unwrap();
    wallet.says(&["400.00"]).unwrap();
    let holdings = person.open("/holdings").await.unwrap();
    holdings.says(&["99.90 units"]).unwrap();
    process.kill();
    assert_audit_passes(&ProcessOptions::over(&kept));
}

#[tokio::test(flavor = "multi_thread")]
async fn an_order_killed_between_hold_and_fulfil_is_resumed_on_sqlite() {
    killed_between_hold_and_fulfil(sqlite().await).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_order_killed_between_hold_and_fulfil_is_resumed_on_postgres() {
    killed_between_hold_and_fulfil(postgres().await).await;
}

/// `kill -9` from outside while the authority is still thinking: the fine is
/// paid once.
#[tokio::test(flavor = "multi_thread")]
async fn a_fine_killed_while_the_biller_is_asked_is_paid_once() {
    let database = sqlite().await;
    let kept = TestDatabase {
        db: database.db.clone(),
        options: database.options.clone(),
        url: None,
        folder: database.folder.clone(),
    };
    let sandbox = Sandbox::open(database).await;
    sandbox.scenario().set_up().await.unwrap();
    let biller = sandbox.biller_url.clone();
    sandbox.close().await;
    let mode = |mode: &'static str| {
        let request = reqwest::Client::new().post(format!("{biller}/mode"));
        request.json(&serde_json::json!({ "mode": mode })).send()
    };

    let process = Process::start(&kept, &biller, None).await;
    let person = process.log_in().await;
    person
        .fill("/wallet", "top-up", &[("amount", "500.00")])
        .await
        .unwrap();
    mode("slow").await.unwrap();
    let service = person.open("/a/traffic/fines").await.unwrap();
    let form = service.form_with("form", "look-up").unwrap();
    let fines = person
        .send(&service, &form, &[("f_plate", "京A12345")])
        .await
        .unwrap();
    let form = fines.form_with("form", "pay").unwrap();
    let checkout = person.send(&fines, &form, &[]).await.unwrap();
    let confirm = tokio::spawn(async move {
        // The answer never comes: the process is killed under it.
        drop(person.send(&checkout, "confirm", &[("pin", PIN)]).await);
    });
    let watcher = process.log_in().await;
    newest_order_says(&watcher, "Paid").await;
    process.kill();
    confirm.await.unwrap();
    mode("ok").await.unwrap();

    let process = Process::start(&kept, &biller, None).await;
    let person = process.log_in().await;
    newest_order_says(&person, "Completed").await;
    let paid: serde_json::Value = reqwest::get(format!("{biller}/payments"))
        .await
        .unwrap()
        .json()
        .await
        .unwrap();
    let count = paid
        .as_array()
        .or_else(|| paid["payments"].as_array())
        .map(Vec::len);
    assert_eq!(count, Some(1), "{paid}");
    process.kill();
    assert_audit_passes(&ProcessOptions::over(&kept));
}
