use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, bail, ensure};
use hyper::body::Bytes;
use serde::Deserialize;
use serde_json::{Value, json};
use tokio::task::spawn_blocking;

use crate::checkout::Buyer;
use crate::host::{Engine, Host};
use crate::load::{AsyncCall, Connection, Measured, closed_loop};
use crate::pgbench::Pgbench;
use crate::process::peak_rss_mib;
use crate::report::{Report, Row};

const CLIENTS: usize = 64;
/// What each of so many people brings: the fund company pays from it.
const PURCHASE: &str = "1000000.00";
/// Each side is measured so often, in turns, so that a machine that gets slower or faster
/// does so for both.
const ROUNDS: u32 = 3;
const PATH: &str = "/v1/payments";

/// Whole payments per second over HTTP: an access token, an idempotency key, three splits,
/// an outbox row. First against the transactions of pgbench on the same machine; then after
/// a history of so many transfers, against a database that has none.
pub(crate) async fn run(
    report: &mut Report,
    measure: Duration,
    history_transfers: u64,
) -> anyhow::Result<()> {
    let baseline = qiao_tests::postgres().await;
    let url = baseline.url.clone().context("PostgreSQL has no address")?;
    let pgbench = Arc::new(spawn_blocking(move || Pgbench::open(&url)).await??);
    for engine in [Engine::Sqlite, Engine::Postgres] {
        let (young, mut young_shop) = open(engine).await?;
        let (mut payments, mut tpc_b) = (None, Vec::new());
        for _ in 0..ROUNDS {
            let pgbench = Arc::clone(&pgbench);
            let turn = spawn_blocking(move || pgbench.tpc_b(measure / ROUNDS));
            tpc_b.push(turn.await??);
            young_shop.turn(measure / ROUNDS, &mut payments).await?;
        }
        let payments = payments.context("no round was measured")?;
        let case = format!("{}, {CLIENTS} clients, against pgbench", engine.name());
        let row = Row::new("payments", case, "payments/s", payments.per_second());
        let row = row.against(mean(&tpc_b)).timed(&payments.nanos);
        report.add(row.within(young.pid().and_then(peak_rss_mib)));
        if history_transfers == 0 {
            continue;
        }

        let (old, mut old_shop) = open(engine).await?;
        old.age(history_transfers).await?;
        let (mut after, mut before) = (None, None);
        for _ in 0..ROUNDS {
            young_shop.turn(measure / ROUNDS, &mut before).await?;
            old_shop.turn(measure / ROUNDS, &mut after).await?;
        }
        let (Some(after), Some(before)) = (after, before) else {
            bail!("no round was measured");
        };
        let case = format!("{}, after {history_transfers} transfers", engine.name());
        let row = Row::new("payments", case, "payments/s", after.per_second());
        let row = row.against(before.per_second()).timed(&after.nanos);
        report.add(row.within(old.pid().and_then(peak_rss_mib)));
    }
    Ok(())
}

#[expect(clippy::cast_precision_loss, reason = "a handful of rounds")]
fn mean(rates: &[f64]) -> f64 {
    rates.iter().sum::<f64>() / rates.len() as f64
}

/// A host and a shop on it.
pub(crate) async fn open(engine: Engine) -> anyhow::Result<(Host, Shop)> {
    let host = Host::start_on(engine).await?;
    let shop = Shop::open(&host).await.context("opening the shop")?;
    Ok((host, shop))
}

/// A server of the fund company that pays its customers, over so many connections.
pub(crate) struct Shop {
    address: String,
    authorization: String,
    bodies: Vec<Bytes>,
    rounds: u32,
}

impl Shop {
    /// Has people buy, so that there is something to pay from and somebody to pay to.
    async fn open(host: &Host) -> anyhow::Result<Self> {
        for person in host.people(CLIENTS).await? {
            Buyer::of(person, PURCHASE).await?.call().await?;
        }
        let authorization = format!("Bearer {}", host.payer_token().await?);
        let mut connection = Connection::open(&host.address).await?;
        let headers = [("authorization", authorization.as_str())];
        let orders = connection.get("/v1/institution/orders?limit=100", &headers);
        let orders: Value = serde_json::from_slice(orders.await?.body())?;
        let orders = orders["items"].as_array().context("no orders are listed")?;
        let subjects: BTreeSet<&str> = orders
            .iter()
            .filter_map(|o| o["subject"].as_str())
            .collect();
        ensure!(
            subjects.len() == CLIENTS,
            "{} people bought",
            subjects.len()
        );
        let body = |subject| Bytes::from(body(subject, &host.institution).to_string());
        Ok(Self {
            address: host.address.clone(),
            bodies: subjects.into_iter().map(body).collect(),
            authorization,
            rounds: 0,
        })
    }

    /// Lets every client pay as fast as it is answered, and adds what was measured.
    async fn turn(&mut self, measure: Duration, sum: &mut Option<Measured>) -> anyhow::Result<()> {
        let round = closed_loop(self.payers().await?, measure).await?;
        match sum {
            Some(sum) => sum.add(&round),
            None => {
                *sum = Some(round);
                Ok(())
            }
        }
    }

    /// Clients that pay under keys of their own, each on a connection.
    pub(crate) async fn payers(&mut self) -> anyhow::Result<Vec<Payer>> {
        self.rounds += 1;
        let mut payers = Vec::with_capacity(self.bodies.len());
        for (number, body) in self.bodies.iter().enumerate() {
            payers.push(Payer {
                connection: Connection::open(&self.address).await?,
                key: format!("{}-{number}", self.rounds),
                authorization: self.authorization.clone(),
                body: body.clone(),
                payments: 0,
            });
        }
        Ok(payers)
    }
}

/// 3.00 CNY from the fund company to a customer, to its own fees and to the platform.
fn body(subject: &str, institution: &str) -> Value {
    let split = |receiver: Value, minor: i64, purpose: &str| {
        json!({
            "receiver": receiver,
            "amount": { "minor": minor, "currency": "CNY" },
            "purpose": purpose,
        })
    };
    json!({
        "amount": { "minor": 300, "currency": "CNY" },
        "description": "a rebate",
        "splits": [
            split(json!({ "type": "user", "subject": subject }), 200, "principal"),
            split(json!({ "type": "revenue", "id": institution }), 70, "commission"),
            split(json!({ "type": "platform" }), 30, "platform-fee"),
        ],
    })
}

/// Pays again and again, under a new key each time.
pub(crate) struct Payer {
    connection: Connection,
    authorization: String,
    body: Bytes,
    key: String,
    payments: u64,
}

#[derive(Deserialize)]
struct Paid<'a> {
    id: &'a str,
    state: &'a str,
}

impl AsyncCall for Payer {
    async fn call(&mut self) -> anyhow::Result<()> {
        self.payments += 1;
        let key = format!("{}-{}", self.key, self.payments);
        let headers = [
            ("authorization", self.authorization.as_str()),
            ("idempotency-key", key.as_str()),
        ];
        let answer = self.connection.post(PATH, &headers, self.body.clone());
        let answer = answer.await?;
        let paid: Paid<'_> = serde_json::from_slice(answer.body())?;
        ensure!(paid.state == "posted", "{} is {}", paid.id, paid.state);
        Ok(())
    }
}
