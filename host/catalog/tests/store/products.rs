//! Products and the versions of their fees, on both engines.

use std::sync::Arc;

use crate::fixture::{DAY_MILLIS, Fixture, caller, day, flat_fee, fund};
use qiao_catalog::{
    Capture, Error, FeeSchedule, NewProduct, PRODUCTS_OF_PLUGIN_MAX, Product, STALE_MILLIS_MAX,
};
use qiao_model::{Currency, Day, ProductId, Scope};
use qiao_tests::each_database;

async fn register(f: &Fixture, new: NewProduct) -> Result<Product, Error> {
    f.catalog.register_product(&f.permit(), new).await
}

async fn versions(f: &Fixture, product: ProductId) -> Vec<(u32, Day)> {
    let schedules = f.catalog.schedules(product).await.unwrap();
    let of = |schedule: &FeeSchedule| (schedule.version, schedule.effective_from);
    schedules.iter().map(of).collect()
}

#[tokio::test]
async fn a_registered_product_is_found_by_id_by_code_and_in_its_lists() {
    each_database(|database| async move {
        let f = Fixture::new(database).await;
        let product = register(&f, fund(flat_fee(1))).await.unwrap();
        assert_eq!(product.plugin, f.plugin.plugin);
        assert_eq!(product.institution, f.plugin.institution);
        let catalog = &f.catalog;
        let by_id = catalog.product(product.id).await.unwrap().unwrap();
        assert_eq!(*by_id, product);
        let by_code = catalog
            .product_by_code(product.plugin, "money-fund")
            .await
            .unwrap();
        assert_eq!(*by_code.unwrap(), product);
        let expected = vec![product.clone()];
        assert_eq!(
            catalog.products_of_plugin(product.plugin).await.unwrap(),
            expected
        );
        let of_institution = catalog.products_of_institution(product.institution).await;
        assert_eq!(of_institution.unwrap(), expected);
        assert_eq!(catalog.products_in_units().await.unwrap(), expected);
        let nobody = ProductId::from_u128(9);
        assert!(catalog.product(nobody).await.unwrap().is_none());
        assert!(
            catalog
                .product_by_code(product.plugin, "gold")
                .await
                .unwrap()
                .is_none()
        );
        let schedule = catalog.schedule(nobody, day(10)).await;
        assert!(matches!(schedule, Err(Error::UnknownProduct(id)) if id == nobody));
    })
    .await;
}

#[tokio::test]
async fn the_same_product_again_makes_no_version_and_keeps_its_id() {
    each_database(|database| async move {
        let f = Fixture::new(database).await;
        let first = register(&f, fund(flat_fee(1))).await.unwrap();
        f.clock.advance_millis(3 * DAY_MILLIS);
        let renamed = NewProduct {
            name: "现金宝".to_owned(),
            capture: Capture::BeforeFulfilment,
            ..fund(flat_fee(1))
        };
        let second = register(&f, renamed).await.unwrap();
        assert_eq!(second.id, first.id);
        assert_eq!(second.name, "现金宝");
        let read = f.catalog.product(first.id).await.unwrap().unwrap();
        assert_eq!(*read, second);
        assert_eq!(versions(&f, first.id).await, [(1, day(10))]);
    })
    .await;
}

#[tokio::test]
async fn changed_fees_are_the_next_version_and_the_old_one_stays() {
    each_database(|database| async move {
        let f = Fixture::new(database).await;
        let id = register(&f, fund(flat_fee(1))).await.unwrap().id;
        let from_20th = NewProduct {
            effective_from: Some(day(20)),
            ..fund(flat_fee(2))
        };
        register(&f, from_20th.clone()).await.unwrap();
        register(&f, from_20th).await.unwrap();
        assert_eq!(versions(&f, id).await, [(1, day(10)), (2, day(20))]);
        let on = |day| f.catalog.schedule(id, day);
        assert_eq!(on(day(19)).await.unwrap().version, 1);
        assert_eq!(on(day(20)).await.unwrap().version, 2);
        assert_eq!(on(day(20)).await.unwrap().lines, flat_fee(2));
        let before = on(day(9)).await;
        assert!(matches!(before, Err(Error::NoSchedule { .. })));
        let first = f.catalog.schedule_version(id, 1).await.unwrap().unwrap();
        assert_eq!(first.lines, flat_fee(1));
        assert!(f.catalog.schedule_version(id, 3).await.unwrap().is_none());
        // The first fees again, from today on: what was planned is called off.
        register(&f, fund(flat_fee(1))).await.unwrap();
        assert_eq!(on(day(20)).await.unwrap().version, 3);
    })
    .await;
}

#[tokio::test]
async fn changed_fees_cannot_begin_in_the_past() {
    each_database(|database| async move {
        let f = Fixture::new(database).await;
        let id = register(&f, fund(flat_fee(1))).await.unwrap().id;
        let late = NewProduct {
            name: "Other".to_owned(),
            effective_from: Some(day(9)),
            ..fund(flat_fee(2))
        };
        let refused = register(&f, late).await;
        assert!(
            matches!(&refused, Err(Error::InvalidFeeSchedule(p)) if p.at == "fees.effective-from"),
            "{refused:?}"
        );
        let product = f.catalog.product(id).await.unwrap().unwrap();
        assert_eq!(
            product.name, "货币基金",
            "nothing of a refused call remains"
        );
        assert_eq!(versions(&f, id).await, [(1, day(10))]);
    })
    .await;
}

#[tokio::test]
async fn a_refused_schedule_leaves_no_product() {
    each_database(|database| async move {
        let f = Fixture::new(database).await;
        let refused = register(&f, fund(flat_fee(-1))).await;
        assert!(
            matches!(&refused, Err(Error::InvalidFeeSchedule(p)) if p.at == "fees.lines[0].form"),
            "{refused:?}"
        );
        let named = NewProduct {
            code: "Money Fund".to_owned(),
            ..fund(Vec::new())
        };
        let refused = register(&f, named).await;
        assert!(matches!(&refused, Err(Error::InvalidProduct(p)) if p.at == "code"));
        assert!(
            f.catalog
                .products_of_plugin(f.plugin.plugin)
                .await
                .unwrap()
                .is_empty()
        );
    })
    .await;
}

#[tokio::test]
async fn currency_and_kind_of_holding_never_change() {
    each_database(|database| async move {
        let f = Fixture::new(database).await;
        register(&f, fund(Vec::new())).await.unwrap();
        let in_dollars = NewProduct {
            currency: "USD".parse::<Currency>().unwrap(),
            ..fund(Vec::new())
        };
        let refused = register(&f, in_dollars).await;
        assert!(matches!(&refused, Err(Error::InvalidProduct(p)) if p.at == "currency"));
        let consumed = NewProduct {
            in_units: false,
            ..fund(Vec::new())
        };
        let refused = register(&f, consumed).await;
        assert!(matches!(&refused, Err(Error::InvalidProduct(p)) if p.at == "in-units"));
    })
    .await;
}

#[tokio::test]
async fn only_a_plugin_with_the_scope_registers_products() {
    each_database(|database| async move {
        let f = Fixture::new(database).await;
        let other_scope = f.auth.permit_plugin(&f.plugin, Scope::Egress).unwrap();
        let denied = f
            .catalog
            .register_product(&other_scope, fund(Vec::new()))
            .await;
        assert!(matches!(denied, Err(Error::Denied(_))));
        let system = f.auth.permit_system("test", Scope::CatalogWrite);
        let refused = f.catalog.register_product(&system, fund(Vec::new())).await;
        assert!(matches!(refused, Err(Error::NotAPlugin)));
        let staff = f.staff_of(f.plugin.institution).await;
        let refused = f.catalog.register_product(&staff, fund(Vec::new())).await;
        assert!(matches!(refused, Err(Error::NotAPlugin)));
    })
    .await;
}

#[tokio::test]
async fn two_plugins_may_use_the_same_code() {
    each_database(|database| async move {
        let f = Fixture::new(database).await;
        let ours = register(&f, fund(Vec::new())).await.unwrap();
        let other = f.permit_of(&caller(2, 2));
        let theirs = f
            .catalog
            .register_product(&other, fund(Vec::new()))
            .await
            .unwrap();
        assert_ne!(ours.id, theirs.id);
        assert_eq!(
            f.catalog.products_of_plugin(ours.plugin).await.unwrap(),
            [ours]
        );
    })
    .await;
}

#[tokio::test]
async fn another_hosts_change_is_seen_within_the_time_that_is_promised() {
    each_database(|database| async move {
        let f = Fixture::new(database).await;
        let other = f.other_host();
        let id = register(&f, fund(flat_fee(1))).await.unwrap().id;
        assert_eq!(other.schedule(id, day(10)).await.unwrap().version, 1);
        register(&f, fund(flat_fee(2))).await.unwrap();
        assert_eq!(f.catalog.schedule(id, day(10)).await.unwrap().version, 2);
        f.clock.advance_millis(STALE_MILLIS_MAX);
        assert_eq!(other.schedule(id, day(10)).await.unwrap().version, 2);
    })
    .await;
}

#[tokio::test]
async fn hosts_that_register_at_once_make_one_product_and_one_version() {
    each_database(|database| async move {
        let f = Arc::new(Fixture::new(database).await);
        let mut tasks = tokio::task::JoinSet::new();
        for _ in 0..8 {
            let f = Arc::clone(&f);
            tasks.spawn(async move {
                let host = f.other_host();
                host.register_product(&f.permit(), fund(flat_fee(1))).await
            });
        }
        let mut ids = Vec::new();
        while let Some(product) = tasks.join_next().await {
            ids.push(product.unwrap().unwrap().id);
        }
        ids.dedup();
        assert_eq!(ids.len(), 1);
        assert_eq!(versions(&f, ids[0]).await, [(1, day(10))]);
    })
    .await;
}

#[tokio::test]
async fn a_stored_version_cannot_be_changed_or_deleted() {
    each_database(|database| async move {
        let f = Fixture::new(database).await;
        register(&f, fund(flat_fee(1))).await.unwrap();
        for statement in [
            "update fee_schedule set lines = '[]'",
            "delete from fee_schedule",
        ] {
            let mut tx = f.database.db.begin().await.unwrap();
            let refused = sqlx::query(statement).execute(tx.conn()).await;
            assert!(refused.is_err(), "{statement}");
        }
    })
    .await;
}

#[tokio::test]
async fn a_plugin_has_its_most_products_and_not_one_more() {
    each_database(|database| async move {
        let f = Fixture::new(database).await;
        let first = register(&f, fund(flat_fee(1))).await.unwrap();
        let another = |code: String| NewProduct {
            code,
            ..fund(Vec::new())
        };
        // All but two of them by hand: registering each would take long.
        let mut tx = f.database.db.begin().await.unwrap();
        for number in 2..PRODUCTS_OF_PLUGIN_MAX {
            sqlx::query(
                "insert into product select $1, plugin, institution, $2, name, summary,
                 currency, in_units, capture, redemption, created_at, updated_at
                 from product where id = $3",
            )
            .bind(f.env.id::<qiao_model::id::noun::Product>().to_string())
            .bind(format!("fund-{number}"))
            .bind(first.id.to_string())
            .execute(tx.conn())
            .await
            .unwrap();
        }
        tx.commit().await.unwrap();
        register(&f, another("last".to_owned())).await.unwrap();
        let past = register(&f, another("one-more".to_owned())).await;
        let Err(Error::InvalidProduct(problem)) = past else {
            panic!("{past:?}");
        };
        assert!(problem.to_string().contains("at most 1000"), "{problem}");
        // Those that are there can be registered again.
        register(&f, fund(flat_fee(1))).await.unwrap();
    })
    .await;
}
