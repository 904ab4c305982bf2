use std::time::Duration;

use hyper::body::Bytes;
use serde_json::json;

use crate::echo::{self, Echo};
use crate::host::Host;
use crate::load::{AsyncCall, Measured, closed_loop};
use crate::person::Person;
use crate::process::peak_rss_mib;
use crate::report::{Report, Row};

const USERS: usize = 8;
const CONNECTIONS_OF_USER: usize = 8;
/// Each side is measured so often, in turns, so that a machine that gets slower or faster
/// does so for both.
const ROUNDS: u32 = 3;

/// Quotes per second over HTTP, against an echo of the same requests.
pub(crate) async fn run(report: &mut Report, measure: Duration) -> anyhow::Result<()> {
    let host = Host::start().await?;
    let echo = Echo::start().await?;
    let mut askers = Vec::with_capacity(USERS);
    for mut person in host.people(USERS).await? {
        let offer = Host::offer(&mut person, "100.00").await?;
        let body = Bytes::from(json!({ "offer": offer }).to_string());
        askers.push((person, body));
    }
    let (mut quotes, mut echoes) = (None, None);
    for _ in 0..ROUNDS {
        let quote = Round {
            address: &host.address,
            path: "/v1/quotes",
        };
        quote
            .measure(&askers, measure / ROUNDS, &mut quotes)
            .await?;
        let echo = Round {
            address: &echo.address,
            path: echo::PATH,
        };
        echo.measure(&askers, measure / ROUNDS, &mut echoes).await?;
    }
    let (Some(quotes), Some(echoes)) = (quotes, echoes) else {
        return Ok(());
    };
    let case = format!("{} clients, against an echo", USERS * CONNECTIONS_OF_USER);
    let row = Row::new("quote", case, "quotes/s", quotes.per_second());
    let row = row.against(echoes.per_second()).timed(&quotes.nanos);
    report.add(row.within(host.pid().and_then(peak_rss_mib)));
    Ok(())
}

/// One side's turn.
#[derive(Clone, Copy)]
struct Round<'a> {
    address: &'a str,
    path: &'static str,
}

impl Round<'_> {
    /// Lets everybody ask on all their connections, and adds what was measured.
    async fn measure(
        self,
        askers: &[(Person, Bytes)],
        measure: Duration,
        sum: &mut Option<Measured>,
    ) -> anyhow::Result<()> {
        let mut clients = Vec::with_capacity(USERS * CONNECTIONS_OF_USER);
        for (person, body) in askers {
            for _ in 0..CONNECTIONS_OF_USER {
                clients.push(Asker {
                    person: person.connect(self.address).await?,
                    path: self.path,
                    body: body.clone(),
                });
            }
        }
        let round = closed_loop(clients, measure).await?;
        match sum {
            Some(sum) => sum.add(&round),
            None => {
                *sum = Some(round);
                Ok(())
            }
        }
    }
}

/// Sends the same request again and again.
struct Asker {
    person: Person,
    path: &'static str,
    body: Bytes,
}

impl AsyncCall for Asker {
    async fn call(&mut self) -> anyhow::Result<()> {
        self.person.send(self.path, None, self.body.clone()).await?;
        Ok(())
    }
}
