use std::time::Duration;

use anyhow::ensure;
use hyper::body::Bytes;
use serde::{Deserialize, Serialize};
use serde_json::json;

use crate::host::Host;
use crate::load::{AsyncCall, closed_loop};
use crate::person::{PIN, Person};
use crate::process::{peak_rss_mib, rss_mib};
use crate::report::{Report, Row};

const CLIENTS: usize = 64;
/// Until a host that was just set up is called idle.
const REST: Duration = Duration::from_secs(2);

/// Whole orders per second over HTTP: quote and confirm, which holds the money, fulfils in
/// the plugin and posts with splits. Each client is a person of their own.
pub(crate) async fn run(report: &mut Report, measure: Duration) -> anyhow::Result<()> {
    let host = Host::start().await?;
    let mut buyers = Vec::with_capacity(CLIENTS);
    for person in host.people(CLIENTS).await? {
        buyers.push(Buyer::of(person, "100.00").await?);
    }
    tokio::time::sleep(REST).await;
    if let Some(idle) = host.pid().and_then(rss_mib) {
        let peak = host.pid().and_then(peak_rss_mib);
        report.add(Row::new("checkout", "idle host, resident", "MiB", idle).within(peak));
    }
    let orders = closed_loop(buyers, measure).await?;
    let case = format!("sqlite, {CLIENTS} clients");
    let row = Row::new("checkout", case, "orders/s", orders.per_second());
    report.add(
        row.timed(&orders.nanos)
            .within(host.pid().and_then(peak_rss_mib)),
    );
    Ok(())
}

/// Buys the fund again and again.
pub(crate) struct Buyer {
    person: Person,
    ask: Bytes,
    orders: u64,
}

impl Buyer {
    /// Somebody with an offer of the fund for so much.
    pub(crate) async fn of(mut person: Person, amount: &str) -> anyhow::Result<Self> {
        let offer = Host::offer(&mut person, amount).await?;
        Ok(Self {
            person,
            ask: Bytes::from(json!({ "offer": offer }).to_string()),
            orders: 0,
        })
    }
}

#[derive(Deserialize)]
struct Quote<'a> {
    token: &'a str,
    #[serde(borrow)]
    amount: Money<'a>,
}

#[derive(Serialize, Deserialize)]
struct Money<'a> {
    minor: i64,
    currency: &'a str,
}

#[derive(Serialize)]
struct NewOrder<'a> {
    quote: &'a str,
    amount: Money<'a>,
    pin: &'static str,
}

#[derive(Deserialize)]
struct Order<'a> {
    id: &'a str,
    state: &'a str,
}

impl AsyncCall for Buyer {
    async fn call(&mut self) -> anyhow::Result<()> {
        let answer = self
            .person
            .send("/v1/quotes", None, self.ask.clone())
            .await?;
        let quote: Quote<'_> = serde_json::from_slice(&answer)?;
        let order = NewOrder {
            quote: quote.token,
            amount: quote.amount,
            pin: PIN,
        };
        self.orders += 1;
        let key = format!("order-{}", self.orders);
        let body = Bytes::from(serde_json::to_vec(&order)?);
        let answer = self.person.send("/v1/orders", Some(&key), body).await?;
        let order: Order<'_> = serde_json::from_slice(&answer)?;
        ensure!(
            order.state == "completed",
            "{} is {}",
            order.id,
            order.state
        );
        Ok(())
    }
}
