//! The host and its database end at any moment while a till pays: no acknowledged
//! payment is lost, none is made twice, and whoever was not answered asks again.
//!
//! The long run: `QIAO_CRASH_ROUNDS=100,50 cargo test -p qiao --test e2e outage -- --nocapture`
//! (rounds on SQLite and on PostgreSQL).

use std::collections::hash_map::RandomState;
use std::hash::{BuildHasher, Hasher};
use std::path::Path;
use std::time::Duration;

use qiao_tests::{TestDatabase, postgres, sqlite};

use crate::cluster::Cluster;
use crate::process::{Process, ProcessOptions, free_address};
use crate::till::{Till, assert_audit_passes};

/// Rounds of the short run: SQLite, PostgreSQL.
const ROUNDS: [usize; 2] = [10, 5];
const ROUNDS_VARIABLE: &str = "QIAO_CRASH_ROUNDS";
const CLERKS: usize = 8;
/// A host lives so long under load at most.
const LIFE_MS_MAX: u64 = 700;
/// Payments that show a till at work.
const ENOUGH: usize = 20;

fn rounds() -> [usize; 2] {
    let Ok(asked) = std::env::var(ROUNDS_VARIABLE) else {
        return ROUNDS;
    };
    let mut rounds = asked.split(',').map(|count| count.trim().parse().unwrap());
    [rounds.next().unwrap(), rounds.next().unwrap_or(0)]
}

/// A random time, from nothing to the longest life.
fn some_time() -> Duration {
    let chance = RandomState::new().build_hasher().finish();
    Duration::from_millis(chance % LIFE_MS_MAX)
}

async fn killed_under_load(database: TestDatabase, rounds: usize) {
    let options = ProcessOptions::over(&database);
    let till = Till::open(&options).await;
    let mut slowest = Duration::ZERO;
    let (mut unanswered, mut lives) = (0, Vec::new());
    for _ in 0..rounds {
        let process = Process::start(&options).await;
        slowest = slowest.max(process.took);
        unanswered += till.settle().await;
        let working = till.work(CLERKS);
        let life = some_time();
        tokio::time::sleep(life).await;
        process.kill();
        till.pause(working).await;
        lives.push(life.as_millis());
    }
    let process = Process::start(&options).await;
    slowest = slowest.max(process.took);
    till.assert_one_effect_each().await;
    let (acknowledged, _) = till.counts();
    process.kill();
    assert_audit_passes(&options);
    println!(
        "{rounds} kills of {}: {acknowledged} payments, {unanswered} asked for again, \
         slowest start to ready {slowest:?}, lives in ms {lives:?}",
        if database.url.is_some() {
            "a host on PostgreSQL"
        } else {
            "a host on SQLite"
        },
    );
    assert!(acknowledged > rounds, "the till was at work");
}

#[tokio::test(flavor = "multi_thread")]
async fn no_payment_is_lost_or_doubled_when_hosts_are_killed_on_sqlite() {
    killed_under_load(sqlite().await, rounds()[0]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn no_payment_is_lost_or_doubled_when_hosts_are_killed_on_postgres() {
    killed_under_load(postgres().await, rounds()[1]).await;
}

/// Times that the server ends under load.
const RESTARTS: usize = 3;

#[tokio::test(flavor = "multi_thread")]
async fn payments_wait_or_are_put_off_while_postgres_restarts_and_none_is_lost() {
    let cluster = Cluster::start();
    let folder = tempfile::tempdir().unwrap();
    let options = ProcessOptions {
        data: folder.path().join("data"),
        database_url: Some(cluster.database().await),
        address: free_address(),
        public_url: None,
        size_max_mib: None,
    };
    let till = Till::open(&options).await;
    let process = Process::start(&options).await;
    for _ in 0..RESTARTS {
        let (before, _) = till.counts();
        let working = till.work(CLERKS);
        assert!(till.comes_to(|paid, _| paid > before + ENOUGH).await);
        tokio::task::block_in_place(|| cluster.restart());
        let (before, _) = till.counts();
        let recovers = till.comes_to(|paid, _| paid > before + ENOUGH).await;
        till.pause(working).await;
        assert!(recovers, "the till is at work again");
    }
    till.assert_one_effect_each().await;
    let (acknowledged, put_off) = till.counts();
    println!("{RESTARTS} restarts of PostgreSQL: {acknowledged} payments, {put_off} put off");
    process.kill();
    assert_audit_passes(&options);
}

/// Keys, and how often each is sent at once to two hosts.
const STAMPEDE: (usize, usize) = (60, 32);

#[tokio::test(flavor = "multi_thread")]
async fn a_key_sent_to_two_hosts_on_one_postgres_at_once_has_one_effect() {
    let database = postgres().await;
    let options = ProcessOptions::over(&database);
    let till = Till::open(&options).await;
    let twin = ProcessOptions {
        data: database.folder.path().join("twin"),
        address: free_address(),
        public_url: Some(format!("http://{}", options.address)),
        ..options.clone()
    };
    // It has the keys of the first, and a name of its own.
    copy(&options.data.join("keys"), &twin.data.join("keys"));
    let hosts = [Process::start(&options).await, Process::start(&twin).await];
    let (keys, sends) = STAMPEDE;
    till.stampede(&[&hosts[0].url, &hosts[1].url], keys, sends)
        .await;
    till.assert_one_effect_each().await;
    assert_eq!(till.counts().0, keys);
}

/// The files of a folder, without what is below.
fn copy(from: &Path, to: &Path) {
    std::fs::create_dir_all(to).unwrap();
    for entry in std::fs::read_dir(from).unwrap() {
        let file = entry.unwrap().path();
        if file.is_file() {
            std::fs::copy(&file, to.join(file.file_name().unwrap())).unwrap();
        }
    }
}
