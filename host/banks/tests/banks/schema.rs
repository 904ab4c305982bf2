//! What the schema refuses whatever the code does.

use qiao_tests::each_database;

use crate::world::World;

#[tokio::test]
async fn the_schema_refuses_to_rewrite_or_take_back() {
    each_database(|database| async move {
        let world = World::new(database).await;
        let link = world.link().await;
        world.top_up(link.id, 10_000).await;
        for sql in [
            "delete from bank_transfer",
            "update bank_transfer set party = 'platform'",
            "update bank_transfer set purpose = 'payout'",
            "update bank_transfer set amount_minor = amount_minor + 1",
            "update bank_transfer set payment_id = 'pay_x'",
            "update bank_transfer set state = 'rejected'",
            "update bank_transfer set state = 'unknown', next_at = 1",
            "update bank_transfer set attempt = 0",
            "update bank_transfer set route = 2, state = 'requested'",
            "update bank_transfer set next_at = 1",
            "update bank_answer set outcome = 'rejected'",
            "delete from bank_answer",
            "insert into bank_link select 'bnk_x', user_id, channel, account, name, number_masked,
                state, sealed_access, sealed_refresh, token_expires_at, token_version,
                refreshing_until, linked_at, changed_at from bank_link",
        ] {
            let mut tx = world.db.begin().await.unwrap();
            let refused = sqlx::query(sql).execute(tx.conn()).await;
            assert!(refused.is_err(), "{sql}");
        }
    })
    .await;
}
