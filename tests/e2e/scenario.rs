//! The main job, end to end, on both engines; and what the operator's shell says of
//! its data afterwards.

use qiao_tests::{TestDatabase, postgres, sqlite};

use crate::process::{ProcessOptions, admin};
use crate::sandbox::Sandbox;

async fn play(database: TestDatabase) {
    let sandbox = Sandbox::open_with_bank(database).await;
    let played = sandbox.scenario().play().await;
    played.unwrap_or_else(|error| panic!("{error:#}"));
    let custody = sandbox.bank.as_ref().map(sandbox_bank::Bank::custody_minor);
    // The fund's bank lent 50,000.00; 3,000.00 and a fine came in, 500.00 went out.
    assert!(custody.is_some_and(|fen| fen > 5_250_000), "{custody:?}");
    let database = sandbox.close().await;
    let options = ProcessOptions::over(&database);
    for check in ["custody", "audit"] {
        let (holds, said) = admin(&options, check);
        assert!(holds, "qiao admin {check}: {said}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_scenario_passes_on_sqlite() {
    play(sqlite().await).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_scenario_passes_on_postgres() {
    play(postgres().await).await;
}
