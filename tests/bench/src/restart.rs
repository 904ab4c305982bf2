use std::time::Duration;

use hdrhistogram::Histogram;
use tokio::task::JoinSet;

use crate::host::Engine;
use crate::load::closed_loop;
use crate::payments;
use crate::report::{Report, Row};

/// How often each host is killed.
const ROUNDS: u32 = 5;
/// How long it is under load before.
const LIFE: Duration = Duration::from_secs(2);
/// The slowest start that is told apart: a minute.
const SLOWEST_NANOS: u64 = 60_000_000_000;

/// Seconds from starting a host that was killed while clients paid until `/readyz`
/// answers 200: the slowest of the rounds, and the middle one.
pub(crate) async fn run(report: &mut Report) -> anyhow::Result<()> {
    for engine in [Engine::Sqlite, Engine::Postgres] {
        let (mut host, mut shop) = payments::open(engine).await?;
        let mut nanos = Histogram::<u64>::new_with_bounds(1, SLOWEST_NANOS, 3)?;
        let mut slowest = Duration::ZERO;
        for _ in 0..ROUNDS {
            let mut load = JoinSet::new();
            load.spawn(closed_loop(shop.payers().await?, LIFE * 2));
            tokio::time::sleep(LIFE).await;
            host.kill().await?;
            // Its clients fail with it; what they were not answered is not counted here.
            load.shutdown().await;
            let took = host.start_again().await?;
            nanos.saturating_record(u64::try_from(took.as_nanos()).unwrap_or(u64::MAX));
            slowest = slowest.max(took);
        }
        let case = format!("{}, killed under load", engine.name());
        let row = Row::new("restart", case, "s", slowest.as_secs_f64());
        report.add(row.timed(&nanos));
    }
    Ok(())
}
