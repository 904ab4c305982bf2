//! Prices, on both engines.

use crate::fixture::{DAY_MILLIS, Fixture, caller, day, fund, price};
use qiao_catalog::{Error, NewProduct, Price, Product, STALE_MILLIS_MAX};
use qiao_model::{ProductId, Scope};
use qiao_tests::each_database;

async fn registered(f: &Fixture) -> Product {
    let registered = f
        .catalog
        .register_product(&f.permit(), fund(Vec::new()))
        .await;
    registered.unwrap()
}

async fn publish(f: &Fixture, id: ProductId, price: Price) -> Result<(), Error> {
    f.catalog.publish_price(&f.permit(), id, price).await
}

#[tokio::test]
async fn a_price_is_published_once_for_a_day() {
    each_database(|database| async move {
        let f = Fixture::new(database).await;
        let id = registered(&f).await.id;
        assert_eq!(f.catalog.latest_price(id).await.unwrap(), None);
        publish(&f, id, price(day(10), 10_000)).await.unwrap();
        publish(&f, id, price(day(10), 10_000)).await.unwrap();
        let refused = publish(&f, id, price(day(10), 10_001)).await;
        assert!(
            matches!(&refused, Err(Error::InvalidPrice(p)) if p.at == "day"),
            "{refused:?}"
        );
        let other_income = Price {
            income_per_10k_e4: None,
            ..price(day(10), 10_000)
        };
        assert!(publish(&f, id, other_income).await.is_err());
        let newest = f.catalog.latest_price(id).await.unwrap();
        assert_eq!(newest, Some(price(day(10), 10_000)));
    })
    .await;
}

#[tokio::test]
async fn the_newest_price_is_of_the_latest_day_whenever_it_was_published() {
    each_database(|database| async move {
        let f = Fixture::new(database).await;
        let id = registered(&f).await.id;
        for (of, nav) in [(9, 10_009), (10, 10_010), (7, 10_007)] {
            publish(&f, id, price(day(of), nav)).await.unwrap();
        }
        let days = |prices: Vec<Price>| prices.iter().map(|p| p.day).collect::<Vec<_>>();
        let newest = f.catalog.latest_price(id).await.unwrap().unwrap();
        assert_eq!(newest.day, day(10));
        let two = f.catalog.prices(id, 2).await.unwrap();
        assert_eq!(days(two), [day(10), day(9)]);
        let after = f.catalog.prices_after(id, day(7), 10).await.unwrap();
        assert_eq!(days(after), [day(9), day(10)]);
        let of_the_7th = f.catalog.price_on(id, day(7)).await.unwrap();
        assert_eq!(of_the_7th.unwrap().nav_e4, 10_007);
        assert_eq!(f.catalog.price_on(id, day(8)).await.unwrap(), None);
    })
    .await;
}

#[tokio::test]
async fn a_price_of_tomorrow_waits_for_tomorrow() {
    each_database(|database| async move {
        let f = Fixture::new(database).await;
        let id = registered(&f).await.id;
        let refused = publish(&f, id, price(day(11), 10_000)).await;
        assert!(matches!(&refused, Err(Error::InvalidPrice(p)) if p.at == "day"));
        f.clock.advance_millis(DAY_MILLIS / 2);
        publish(&f, id, price(day(11), 10_000)).await.unwrap();
    })
    .await;
}

#[tokio::test]
async fn only_its_plugin_and_its_institution_price_a_product() {
    each_database(|database| async move {
        let f = Fixture::new(database).await;
        let id = registered(&f).await.id;
        let as_caller = |permit| {
            let catalog = f.catalog.clone();
            async move {
                catalog
                    .publish_price(&permit, id, price(day(10), 10_000))
                    .await
            }
        };
        for other in [caller(2, 1), caller(2, 2)] {
            let refused = as_caller(f.permit_of(&other)).await;
            assert!(matches!(refused, Err(Error::UnknownProduct(_))));
        }
        let system = f.auth.permit_system("test", Scope::CatalogWrite);
        assert!(matches!(
            as_caller(system).await,
            Err(Error::UnknownProduct(_))
        ));
        let other_scope = f.auth.permit_plugin(&f.plugin, Scope::Egress).unwrap();
        assert!(matches!(
            as_caller(other_scope).await,
            Err(Error::Denied(_))
        ));
        assert_eq!(f.catalog.latest_price(id).await.unwrap(), None);
        let staff = f.staff_of(f.plugin.institution).await;
        as_caller(staff).await.unwrap();
        let unknown = ProductId::from_u128(9);
        let refused = publish(&f, unknown, price(day(10), 10_000)).await;
        assert!(matches!(refused, Err(Error::UnknownProduct(_))));
    })
    .await;
}

#[tokio::test]
async fn a_product_without_units_has_no_price() {
    each_database(|database| async move {
        let f = Fixture::new(database).await;
        let fine = NewProduct {
            code: "fine".to_owned(),
            in_units: false,
            ..fund(Vec::new())
        };
        let id = f
            .catalog
            .register_product(&f.permit(), fine)
            .await
            .unwrap()
            .id;
        let refused = publish(&f, id, price(day(10), 10_000)).await;
        assert!(matches!(&refused, Err(Error::InvalidPrice(p)) if p.at == "product"));
        assert!(f.catalog.products_in_units().await.unwrap().is_empty());
    })
    .await;
}

#[tokio::test]
async fn another_hosts_price_is_seen_within_the_time_that_is_promised() {
    each_database(|database| async move {
        let f = Fixture::new(database).await;
        let id = registered(&f).await.id;
        let other = f.other_host();
        assert_eq!(other.latest_price(id).await.unwrap(), None);
        publish(&f, id, price(day(10), 10_000)).await.unwrap();
        f.clock.advance_millis(STALE_MILLIS_MAX);
        assert!(other.latest_price(id).await.unwrap().is_some());
    })
    .await;
}

#[tokio::test]
async fn hosts_that_publish_at_once_agree_on_one_price() {
    each_database(|database| async move {
        let f = Fixture::new(database).await;
        let id = registered(&f).await.id;
        let mut tasks = tokio::task::JoinSet::new();
        for nav in 1..=8 {
            let (host, permit) = (f.other_host(), f.permit());
            tasks.spawn(async move { host.publish_price(&permit, id, price(day(10), nav)).await });
        }
        let outcomes = tasks.join_all().await;
        assert_eq!(outcomes.iter().filter(|outcome| outcome.is_ok()).count(), 1);
        assert_eq!(f.catalog.prices(id, 10).await.unwrap().len(), 1);
    })
    .await;
}
