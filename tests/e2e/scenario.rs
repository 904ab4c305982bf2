//! The main job, end to end, on both engines.

use qiao_tests::{TestDatabase, postgres, sqlite};

use crate::sandbox::Sandbox;

async fn play(database: TestDatabase) {
    let sandbox = Sandbox::open(database).await;
    let played = sandbox.scenario().play().await;
    played.unwrap_or_else(|error| panic!("{error:#}"));
    sandbox.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_scenario_passes_on_sqlite() {
    play(sqlite().await).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_scenario_passes_on_postgres() {
    play(postgres().await).await;
}
