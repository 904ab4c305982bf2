//! A day's income for a million holders, by the host's own worker step in a
//! process of its own, against the engine's bare insert of as many rows.

use std::path::PathBuf;
use std::process::Stdio;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use anyhow::{Context, bail, ensure};
use clap::Args;
use hdrhistogram::Histogram;
use qiao::{Config, DataArgs, Host, HostOptions, ServeArgs};
use qiao_auth::PluginCaller;
use qiao_catalog::{Capture, NewProduct, Price, Product, Redemption};
use qiao_db::{BatchOptions, Batcher, Db};
use qiao_ledger::{AccountKind, LedgerMachine, NewAccount, NewTransfer, Owner, TransferKind};
use qiao_model::{Asset, Channel, Currency, Id, Scope, ScopeSet, TransferId, UserId};
use qiao_tests::TestDatabase;
use serde::{Deserialize, Serialize};
use sqlx::AssertSqlSafe;

use crate::process::peak_rss_mib;
use crate::report::{Report, Row, micros};

/// How this program starts the process that accrues.
pub(crate) const SUBCOMMAND: &str = "accrue-until-done";

/// People who hold the fund.
const HOLDERS: u32 = 1_000_000;
/// What each holds: 10,000.00 units.
const UNITS_MINOR: i64 = 1_000_000;
/// Income of 10,000 units on the day: 0.5432.
const INCOME_PER_10K_E4: i64 = 5_432;
/// Holders that are made with one command.
const SEED_GROUP: u32 = 2_000;
/// Commands of seeding in one batch.
const SEED_BATCH: usize = 4;
/// Between two transfers beside the accrual.
const PAUSE: Duration = Duration::from_millis(5);
/// How long one holder of the seed signed up after the one before.
const SIGN_UP_MS: u64 = 60;

/// Where the accruing process finds the holders.
#[derive(Args, Debug)]
pub(crate) struct AccrueArgs {
    #[arg(long)]
    data: PathBuf,
    #[arg(long)]
    database_url: Option<String>,
    /// Make small transfers meanwhile.
    #[arg(long)]
    beside: bool,
}

/// What the accruing process tells.
#[derive(Debug, Serialize, Deserialize)]
struct Accrued {
    seconds: f64,
    holders: usize,
    units_minor: i64,
    peak_rss_mib: Option<f64>,
    /// Half and 99 of 100 of the transfers beside it took at most so long.
    beside_us: Option<(f64, f64)>,
}

/// Seconds and memory that a day's income of a million holders takes.
pub(crate) async fn run(report: &mut Report) -> anyhow::Result<()> {
    case(report, "sqlite", qiao_tests::sqlite().await).await?;
    case(report, "postgres", qiao_tests::postgres().await).await
}

async fn case(report: &mut Report, engine: &str, database: TestDatabase) -> anyhow::Result<()> {
    let args = AccrueArgs {
        data: database.folder.path().to_path_buf(),
        database_url: database.url.clone(),
        beside: false,
    };
    let host = open(&args).await?;
    let product = register(&host).await?;
    seed(&host.app.db, &product)
        .await
        .context("making the holders")?;
    publish(&host, &product, 1).await?;
    host.close().await;
    let accrued = in_own_process(&args).await?;
    let bare = bare_insert(&database.db).await?;

    let args = AccrueArgs {
        beside: true,
        ..args
    };
    let host = open(&args).await?;
    publish(&host, &product, 0).await?;
    host.close().await;
    let second = in_own_process(&args).await?;
    let rate = |seconds: f64| f64::from(HOLDERS) / seconds;
    report.add(
        Row::new(
            "accrual",
            format!("{engine} 1,000,000 holders, {:.1} s", accrued.seconds),
            "holders/s",
            rate(accrued.seconds),
        )
        .against(rate(bare.as_secs_f64()))
        .within(accrued.peak_rss_mib),
    );
    let mut row = Row::new(
        "accrual",
        format!("{engine} and payments beside it, {:.1} s", second.seconds),
        "holders/s",
        rate(second.seconds),
    )
    .against(rate(accrued.seconds))
    .within(second.peak_rss_mib);
    row.p50_us = second.beside_us.map(|(p50, _)| p50);
    row.p99_us = second.beside_us.map(|(_, p99)| p99);
    report.add(row);
    Ok(())
}

/// Accrues what is due and prints what that took: the child's part.
#[expect(
    clippy::print_stdout,
    clippy::disallowed_methods,
    reason = "the parent reads it; the task ends with the process"
)]
pub(crate) async fn accrue(args: AccrueArgs) -> anyhow::Result<()> {
    let host = open(&args).await?;
    let done = Arc::new(AtomicBool::new(false));
    let beside = args
        .beside
        .then(|| tokio::spawn(transfers(host.app.db.clone(), done.clone())));
    let begun = Instant::now();
    let credited = host.app.orders.accrue_income().await?;
    let accrued = Accrued {
        seconds: begun.elapsed().as_secs_f64(),
        holders: credited.holders,
        units_minor: credited.units_minor,
        peak_rss_mib: peak_rss_mib(std::process::id()),
        beside_us: None,
    };
    done.store(true, Ordering::Relaxed);
    let beside_us = match beside {
        Some(beside) => {
            let nanos = beside.await??;
            let at = |quantile| micros(nanos.value_at_quantile(quantile));
            Some((at(0.5), at(0.99)))
        }
        None => None,
    };
    let accrued = Accrued {
        beside_us,
        ..accrued
    };
    host.close().await;
    println!("{}", serde_json::to_string(&accrued)?);
    Ok(())
}

/// One small transfer after the other, with a pause, as a payment would wait for
/// the writer.
#[expect(clippy::disallowed_methods, reason = "a bench measures time")]
async fn transfers(db: Db, done: Arc<AtomicBool>) -> anyhow::Result<Histogram<u64>> {
    let env = qiao::host_env();
    let machine = LedgerMachine::new(env.clone());
    let batcher = Batcher::start(db, machine, BatchOptions::default());
    let mut nanos = Histogram::new(3)?;
    let cny = Asset::Currency(Currency::CNY);
    let outside = Owner::External(Channel::SANDBOX);
    let outside = NewAccount::new(outside, AccountKind::External, cny);
    let platform = NewAccount::new(Owner::Platform, AccountKind::Revenue, cny);
    while !done.load(Ordering::Relaxed) {
        let id: TransferId = env.id();
        let transfer = NewTransfer {
            id,
            debit: outside,
            credit: platform,
            minor: 1,
            kind: TransferKind::Posted,
            purpose: "bench".into(),
            reference: id.to_string(),
        };
        let begun = Instant::now();
        batcher.submit(vec![transfer]).await??;
        nanos.record(u64::try_from(begun.elapsed().as_nanos()).unwrap_or(u64::MAX))?;
        tokio::time::sleep(PAUSE).await;
    }
    Ok(nanos)
}

async fn in_own_process(args: &AccrueArgs) -> anyhow::Result<Accrued> {
    let mut command = tokio::process::Command::new(std::env::current_exe()?);
    command.arg(SUBCOMMAND).arg("--data").arg(&args.data);
    if let Some(url) = &args.database_url {
        command.args(["--database-url", url]);
    }
    if args.beside {
        command.arg("--beside");
    }
    let output = command
        .stderr(Stdio::inherit())
        .kill_on_drop(true)
        .output()
        .await
        .context("starting the process that accrues")?;
    if !output.status.success() {
        bail!("the process that accrues failed: {}", output.status);
    }
    let accrued: Accrued =
        serde_json::from_slice(&output.stdout).context("reading what the process tells")?;
    ensure!(
        accrued.holders == usize::try_from(HOLDERS)?,
        "{} holders were credited",
        accrued.holders
    );
    Ok(accrued)
}

async fn open(args: &AccrueArgs) -> anyhow::Result<Host> {
    let config = Config::read(&ServeArgs {
        data: DataArgs {
            data: Some(args.data.clone()),
            database_url: args.database_url.clone(),
            ..DataArgs::default()
        },
        ..ServeArgs::default()
    })?;
    Host::open(HostOptions::of_this_binary(config)?).await
}

async fn register(host: &Host) -> anyhow::Result<Product> {
    let permit = permit(host)?;
    let fund = NewProduct {
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
    Ok(host.app.catalog.register_product(&permit, fund).await?)
}

async fn publish(host: &Host, product: &Product, days_ago: i64) -> anyhow::Result<()> {
    let price = Price {
        day: host.app.env.now().day().plus_days(-days_ago),
        nav_e4: 10_000,
        income_per_10k_e4: Some(INCOME_PER_10K_E4),
        yield_7d_ppm: None,
    };
    let permit = permit(host)?;
    host.app
        .catalog
        .publish_price(&permit, product.id, price)
        .await?;
    Ok(())
}

fn permit(host: &Host) -> anyhow::Result<qiao_auth::Permit> {
    let caller = PluginCaller {
        plugin: Id::from_u128(0x11),
        release: Id::from_u128(0x12),
        institution: Id::from_u128(0x13),
        granted: ScopeSet::EMPTY.with(Scope::CatalogWrite),
        on_behalf_of: None,
    };
    Ok(host.app.auth.permit_plugin(&caller, Scope::CatalogWrite)?)
}

/// Issues units to everybody, through the ledger's own rules.
async fn seed(db: &Db, product: &Product) -> anyhow::Result<()> {
    let options = BatchOptions {
        commands_max: SEED_BATCH,
        ..BatchOptions::default()
    };
    let batcher = Batcher::start(db.clone(), LedgerMachine::new(qiao::host_env()), options);
    let asset = Asset::Units(product.id);
    let issuance = NewAccount::new(Owner::Product(product.id), AccountKind::Issuance, asset);
    let mut groups = tokio::task::JoinSet::new();
    for first in (0..HOLDERS).step_by(usize::try_from(SEED_GROUP)?) {
        let group: Vec<NewTransfer> = (first..HOLDERS.min(first + SEED_GROUP))
            .map(|number| issue(issuance, user(number), asset))
            .collect();
        let batcher = batcher.clone();
        groups.spawn(async move { batcher.submit(group).await });
        if groups.len() >= 2 * SEED_BATCH {
            groups.join_next().await.transpose()?.transpose()?;
        }
    }
    while let Some(done) = groups.join_next().await {
        done???;
    }
    Ok(())
}

/// People sign up one after the other, each with chance in their id.
fn user(number: u32) -> UserId {
    const FIRST_MS: u64 = 1_700_000_000_000;
    let at = u128::from(FIRST_MS + SIGN_UP_MS * u64::from(number));
    UserId::from_u128(at << 80 | 7 << 76).derive("person", u64::from(number))
}

fn issue(issuance: NewAccount, user: UserId, asset: Asset) -> NewTransfer {
    let id: TransferId = user.derive("issue", 0);
    NewTransfer {
        id,
        debit: issuance,
        credit: NewAccount::new(Owner::User(user), AccountKind::Holding, asset),
        minor: UNITS_MINOR,
        kind: TransferKind::Posted,
        purpose: "units".into(),
        reference: id.to_string(),
    }
}

/// The engine's own insert of the same transfers into a table of the same
/// columns and indexes, in one statement.
#[expect(clippy::disallowed_methods, reason = "a bench measures time")]
async fn bare_insert(db: &Db) -> anyhow::Result<Duration> {
    let create = "create table bare_transfer (id text primary key, kind text not null,
    debit_account text not null, credit_account text not null, minor bigint not null, pending_id text,
    purpose text not null, reference text not null, debit_previous text, credit_previous text,
    debit_balance bigint not null, credit_balance bigint not null, at bigint not null);
create index bare_transfer_reference on bare_transfer (reference)";
    let insert = "insert into bare_transfer select id, kind, debit_account, credit_account, minor, pending_id,
    purpose, reference, debit_previous, credit_previous, debit_balance, credit_balance, at
from ledger_transfer where purpose = 'income'";
    let mut tx = db.begin().await?;
    sqlx::raw_sql(AssertSqlSafe(create))
        .execute(tx.conn())
        .await?;
    tx.commit().await?;
    let begun = Instant::now();
    let mut tx = db.begin().await?;
    let done = sqlx::query(insert).execute(tx.conn()).await?;
    tx.commit().await?;
    ensure!(
        done.rows_affected() == u64::from(HOLDERS),
        "every transfer was inserted"
    );
    Ok(begun.elapsed())
}
