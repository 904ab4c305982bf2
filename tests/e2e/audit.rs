//! `qiao admin audit` over the data of a host that was killed, and after a byte
//! of it was changed.

use std::path::Path;
use std::process::{Command, Output, Stdio};
use std::time::Duration;

use qiao::{Config, DataArgs, Host, HostOptions, ServeArgs};
use qiao_auth::PluginCaller;
use qiao_catalog::{Capture, NewProduct, Price, Product, Redemption};
use qiao_db::{BatchOptions, Batcher};
use qiao_ledger::{AccountKind, LedgerMachine, NewAccount, NewTransfer, Owner, TransferKind};
use qiao_model::{Asset, Currency, Id, LedgerAccountId, Scope, ScopeSet, TransferId, UserId};
use qiao_orders::INCOME_HOLDERS_MAX;
use qiao_tests::{TestDatabase, postgres, sqlite, tamper};

/// More than two pages of income.
const HOLDERS: usize = 2 * INCOME_HOLDERS_MAX + 7;
const UNITS_MINOR: i64 = 1_000_000;
/// What 10,000.00 units earn at 0.5432.
const INCOME_MINOR: i64 = 54;
const LOOK: Duration = Duration::from_millis(100);
const LOOK_TIMES: u32 = 600;

async fn open(database: &TestDatabase) -> Host {
    let args = ServeArgs {
        data: DataArgs {
            data: Some(database.folder.path().to_path_buf()),
            database_url: database.url.clone(),
            ..DataArgs::default()
        },
        ..ServeArgs::default()
    };
    let options = HostOptions {
        config: Config::read(&args).unwrap(),
        compiler: env!("CARGO_BIN_EXE_qiao").into(),
    };
    Host::open(options).await.unwrap()
}

fn user(number: usize) -> UserId {
    UserId::from_u128(((number as u128) << 64) | 1)
}

fn holding(product: &Product, number: usize) -> NewAccount {
    let asset = Asset::Units(product.id);
    NewAccount::new(Owner::User(user(number)), AccountKind::Holding, asset)
}

/// A fund with many holders and income that is due.
async fn fund(host: &Host) -> Product {
    let caller = PluginCaller {
        plugin: Id::from_u128(0x11),
        release: Id::from_u128(0x12),
        institution: Id::from_u128(0x13),
        granted: ScopeSet::EMPTY.with(Scope::CatalogWrite),
        on_behalf_of: None,
    };
    let permit = host
        .app
        .auth
        .permit_plugin(&caller, Scope::CatalogWrite)
        .unwrap();
    let new = NewProduct {
        code: "fund".to_owned(),
        name: "Fund".to_owned(),
        summary: String::new(),
        currency: Currency::CNY,
        in_units: true,
        capture: Capture::OnFulfilment,
        redemption: Redemption::Ordinary,
        fees: Vec::new(),
        accrued: Vec::new(),
        effective_from: None,
    };
    let catalog = &host.app.catalog;
    let product = catalog.register_product(&permit, new).await.unwrap();
    issue(host, &product).await;
    let price = Price {
        day: host.app.env.now().day(),
        nav_e4: 10_000,
        income_per_10k_e4: Some(5_432),
        yield_7d_ppm: None,
    };
    catalog
        .publish_price(&permit, product.id, price)
        .await
        .unwrap();
    product
}

async fn issue(host: &Host, product: &Product) {
    let machine = LedgerMachine::new(host.app.env.clone());
    let batcher = Batcher::start(host.app.db.clone(), machine, BatchOptions::default());
    let asset = Asset::Units(product.id);
    let issuance = NewAccount::new(Owner::Product(product.id), AccountKind::Issuance, asset);
    let numbers: Vec<usize> = (0..HOLDERS).collect();
    for page in numbers.chunks(1_000) {
        let group = page.iter().map(|number| NewTransfer {
            id: user(*number).derive("issue", 0),
            debit: issuance,
            credit: holding(product, *number),
            minor: UNITS_MINOR,
            kind: TransferKind::Posted,
            purpose: "units".into(),
            reference: "issue".to_owned(),
        });
        batcher.submit(group.collect()).await.unwrap().unwrap();
    }
}

fn qiao(database: &TestDatabase, args: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_qiao"));
    command
        .args(args)
        .arg("--data")
        .arg(database.folder.path())
        .current_dir(database.folder.path());
    if let Some(url) = &database.url {
        command.args(["--database-url", url]);
    }
    command
}

fn audit(database: &TestDatabase, args: &[&str]) -> Output {
    let mut all = vec!["admin", "audit"];
    all.extend(args);
    qiao(database, &all).output().unwrap()
}

fn printed(output: &Output) -> String {
    String::from_utf8_lossy(&output.stdout).into_owned()
}

/// What the holders have in all.
async fn units(database: &TestDatabase) -> i64 {
    let ledger = qiao_ledger::Ledger::new(database.db.clone());
    let totals = ledger.totals().await.unwrap();
    totals.iter().map(|total| total.credits).sum()
}

async fn killed_while_income_is_credited(database: TestDatabase) {
    let host = open(&database).await;
    let product = fund(&host).await;
    host.close().await;
    let issued = i64::try_from(HOLDERS).unwrap() * UNITS_MINOR;
    let income = i64::try_from(HOLDERS).unwrap() * INCOME_MINOR;

    let serve = ["serve", "--listen", "127.0.0.1:0"];
    let mut dying = qiao(&database, &serve)
        .env("QIAO_CRASH_AT", "after-income-batch")
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    assert!(!dying.wait().unwrap().success(), "it died in the middle");
    let credited = units(&database).await - issued;
    assert!(0 < credited && credited < income, "{credited} of {income}");
    assert!(
        audit(&database, &[]).status.success(),
        "a torn day is whole"
    );

    let mut living = qiao(&database, &serve)
        .stdout(Stdio::null())
        .spawn()
        .unwrap();
    for _ in 0..LOOK_TIMES {
        if units(&database).await == issued + income {
            break;
        }
        tokio::time::sleep(LOOK).await;
    }
    living.kill().unwrap();
    living.wait().unwrap();
    assert_eq!(units(&database).await, issued + income, "never twice");
    let ledger = qiao_ledger::Ledger::new(database.db.clone());
    for number in [0, INCOME_HOLDERS_MAX, HOLDERS - 1] {
        let account: LedgerAccountId = holding(&product, number).id();
        let balance = ledger.balance(account).await.unwrap().unwrap();
        assert_eq!(balance.posted, UNITS_MINOR + INCOME_MINOR, "{number}");
    }
    names_a_changed_byte(&database).await;
}

async fn names_a_changed_byte(database: &TestDatabase) {
    let clean = audit(database, &[]);
    let text = printed(&clean);
    assert!(clean.status.success(), "{text}");
    let head = text.lines().find_map(|line| line.strip_prefix("head "));
    let head = head.unwrap().to_owned();
    assert!(audit(database, &["--expect", &head]).status.success());
    let other = format!("1:1:{}", "0".repeat(64));
    let refused = audit(database, &["--expect", &other]);
    assert_eq!(refused.status.code(), Some(1));
    assert!(printed(&refused).contains("ledger_journal 1:1: is not the entry"));

    tamper::disarm(&database.db, "ledger_transfer").await;
    let row: TransferId = user(5).derive("issue", 0);
    let change = format!("update ledger_transfer set minor = minor + 1 where id = '{row}'");
    tamper::run(&database.db, change).await;
    let found = audit(database, &[]);
    assert_eq!(found.status.code(), Some(1));
    let line = format!("ledger_transfer {row}: is not as entry ");
    assert!(printed(&found).contains(&line), "{}", printed(&found));
    let json: serde_json::Value =
        serde_json::from_slice(&audit(database, &["--json"]).stdout).unwrap();
    assert_eq!(json["clean"], false);
    assert_eq!(json["findings"][0]["table"], "ledger_transfer");
    assert_eq!(json["findings"][0]["row"], row.to_string());
}

#[tokio::test]
async fn income_killed_in_the_middle_goes_on_and_the_audit_agrees_on_sqlite() {
    killed_while_income_is_credited(sqlite().await).await;
}

#[tokio::test]
async fn income_killed_in_the_middle_goes_on_and_the_audit_agrees_on_postgres() {
    killed_while_income_is_credited(postgres().await).await;
}

#[test]
fn a_folder_without_a_host_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let output = Command::new(env!("CARGO_BIN_EXE_qiao"))
        .args(["admin", "audit", "--data"])
        .arg(folder.path())
        .output()
        .unwrap();
    assert_eq!(output.status.code(), Some(1));
    let text = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(text.contains("holds no host's data"), "{text}");
    assert!(!Path::new(&folder.path().join("qiao.db")).exists());
}
