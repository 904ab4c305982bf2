//! The audit names the order whose byte was changed.

use qiao_catalog::Capture;
use qiao_tests::{each_database, tamper};

use crate::books::{audit, said};
use crate::plugin::{rejected, unknown};
use crate::world::{World, buy, fine, redeem};
use crate::{bond, lots};

/// Orders in every state that an order can stay in.
async fn busy(world: &World) {
    world.order(&world.user, buy(200_000)).await.unwrap();
    world.order(&world.user, redeem(20_000)).await.unwrap();
    world.plugin.will([rejected("sold out")]);
    world.order(&world.user, buy(100_000)).await.unwrap();
    world.plugin.will([rejected("paid before")]);
    world.order(&world.user, fine(5_000)).await.unwrap();
    world.plugin.will([unknown("?")]);
    world.order(&world.user, buy(50_000)).await.unwrap();
}

#[tokio::test]
async fn one_changed_byte_of_any_column_of_an_order_names_it() {
    each_database(|database| async move {
        let world = &World::new(database).await;
        busy(world).await;
        assert_eq!(said(&audit(world).await), "");
        // Who drives an order, and how often it was tried, moves no money.
        let free = [
            "attempt",
            "failures",
            "next_at",
            "lease_node",
            "lease_until",
            "problem",
            "changed_at",
        ];
        let db = &world.database.db;
        tamper::each_column(db, "orders", "id", &free, |tampered| async move {
            let report = audit(world).await;
            let named = report.findings().iter().any(|finding| {
                finding.table == "orders"
                    && (finding.row == tampered.row || finding.row == tampered.row_now)
            });
            assert!(named, "{tampered:?}: {}", said(&report));
        })
        .await;
        assert_eq!(said(&audit(world).await), "", "everything is set back");
    })
    .await;
}

#[tokio::test]
async fn one_changed_byte_of_any_column_of_a_lot_names_it() {
    each_database(|database| async move {
        let world = &lots::with_bond(database, Capture::OnFulfilment).await;
        world.order(&world.user, bond::buy(101_300)).await.unwrap();
        world
            .order(&world.user, bond::redeem(40_000))
            .await
            .unwrap();
        world.plugin.will([rejected("no")]);
        world
            .order(&world.user, bond::redeem(10_000))
            .await
            .unwrap();
        assert_eq!(said(&audit(world).await), "");
        let db = &world.database.db;
        for (table, key) in [("lot", "order_id"), ("lot_use", "order_id/lot_id")] {
            tamper::each_column(db, table, key, &[], |tampered| async move {
                let report = audit(world).await;
                let named = report.findings().iter().any(|finding| {
                    finding.table == table
                        && (finding.row == tampered.row || finding.row == tampered.row_now)
                });
                assert!(named, "{table} {tampered:?}: {}", said(&report));
            })
            .await;
            assert_eq!(said(&audit(world).await), "", "{table} is set back");
        }
    })
    .await;
}
