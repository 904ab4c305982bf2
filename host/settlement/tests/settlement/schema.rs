//! What the schema refuses, whoever asks.

use qiao_tests::each_database;

use crate::world::World;

#[tokio::test]
async fn closed_days_and_ended_payouts_cannot_be_rewritten() {
    each_database(|database| async move {
        let world = World::new(database).await;
        world.terms(1, 0).await;
        world.pay_fund(30_000).await;
        world.work("2026-11-26", 540).await;
        world.settlement.end_days().await.unwrap();
        for sql in [
            "update settlement_close set credits = credits + 1",
            "delete from settlement_close",
            "delete from payout",
            "update payout set minor = minor + 1",
            "update payout set account_number = '6'",
            "update payout set state = 'due'",
            "update payout set state = 'sent'",
        ] {
            let done = sqlx::query(sql).execute(world.db.reads()).await;
            assert!(done.is_err(), "{sql}");
        }
    })
    .await;
}
