//! What the database refuses whatever the code does.

use qiao_orders::Order;
use qiao_tests::each_database;

use crate::plugin::{rejected, unknown};
use crate::world::{World, fine, ticket};

async fn refused(world: &World, sql: &str) -> String {
    let mut tx = world.database.db.begin().await.unwrap();
    let done = sqlx::query(sqlx::AssertSqlSafe(sql.to_owned()))
        .execute(tx.conn())
        .await;
    done.unwrap_err().to_string()
}

async fn in_each_state(world: &World) -> Vec<Order> {
    let mut orders = vec![world.order(&world.user, ticket(100)).await.unwrap()];
    for terms in [ticket(100), fine(300)] {
        world.plugin.will([rejected("no"), unknown("?")]);
        for _ in 0..2 {
            orders.push(world.order(&world.user, terms.clone()).await.unwrap());
        }
    }
    orders
}

#[tokio::test]
async fn a_state_never_goes_back() {
    each_database(|database| async move {
        let world = World::new(database).await;
        for order in in_each_state(&world).await {
            let id = order.id;
            for state in ["held", "paid"] {
                let sql = format!("update orders set state = '{state}' where id = '{id}'");
                let error = refused(&world, &sql).await;
                assert!(error.contains("never goes back"), "{error}");
            }
            let sql = format!("update orders set attempt = attempt - 1 where id = '{id}'");
            assert!(refused(&world, &sql).await.contains("never goes back"));
        }
    })
    .await;
}

#[tokio::test]
async fn what_was_offered_and_confirmed_never_changes() {
    each_database(|database| async move {
        let world = World::new(database).await;
        world.order(&world.user, ticket(100)).await.unwrap();
        for (sql, refusal) in [
            ("update orders set amount_minor = 1", "never changes"),
            ("update orders set token = 'x'", "never changes"),
            ("update orders set user_id = 'usr_x'", "never changes"),
            ("delete from orders", "never deleted"),
            ("update offer set terms = '{}'", "never changes"),
        ] {
            let error = refused(&world, sql).await;
            assert!(error.contains(refusal), "{sql}: {error}");
        }
    })
    .await;
}

#[tokio::test]
async fn an_order_whose_state_and_money_contradict_each_other_is_refused() {
    each_database(|database| async move {
        let world = World::new(database).await;
        world.plugin.will([unknown("?")]);
        world.order(&world.user, ticket(100)).await.unwrap();
        for sql in [
            // A capture without its time, an end without a receipt, a void of captured money.
            "update orders set captured = 1",
            "update orders set state = 'completed', captured = 1, posted_at = 1",
            "update orders set state = 'voided', captured = 1, posted_at = 1",
            "update orders set state = 'refunded', captured = 1, posted_at = 1",
            "update orders set lease_node = 'a'",
            "update orders set failures = -1",
        ] {
            let error = refused(&world, sql).await.to_lowercase();
            assert!(error.contains("check constraint"), "{sql}: {error}");
        }
    })
    .await;
}
