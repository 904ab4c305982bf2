//! An institution's endpoints.

use qiao_events::AttemptOutcome::{Delivered, Gone};
use qiao_events::{ENDPOINTS_MAX, EndpointState, Error, NewEndpoint};
use qiao_model::{DeliveryId, EndpointId, Scope};
use qiao_tests::each_database;
use sqlx::Row;

use crate::fixture::{Fixture, OURS, THEIRS};

fn new(url: &str) -> NewEndpoint {
    NewEndpoint {
        url: url.to_owned(),
        kinds: vec!["order.completed".to_owned()],
    }
}

#[tokio::test]
async fn an_institution_sees_its_own_endpoints() {
    each_database(|database| async move {
        let f = Fixture::new(database).await;
        let permit = f.permit(OURS);
        let url = "https://shop.example/hook";
        let (endpoint, secret) = f.events.register_endpoint(&permit, new(url)).await.unwrap();
        assert!(secret.expose().starts_with("whsec_"));
        assert_eq!(endpoint.url, url);
        assert_eq!(endpoint.state, EndpointState::Enabled);
        assert_eq!(f.events.endpoints_of(&permit).await.unwrap(), [endpoint]);
        assert!(
            f.events
                .endpoints_of(&f.permit(THEIRS))
                .await
                .unwrap()
                .is_empty()
        );
    })
    .await;
}

#[tokio::test]
async fn the_signing_secret_is_sealed_at_rest() {
    each_database(|database| async move {
        let f = Fixture::new(database).await;
        f.endpoint().await;
        let row = sqlx::query("select sealed_secret from endpoint")
            .fetch_one(f.database.db.reads())
            .await
            .unwrap();
        let sealed: Vec<u8> = row.get("sealed_secret");
        f.happen(1).await;
        let claimed = f.claim().await;
        let qiao_events::Delivery::Webhook(webhook) = f.only(&claimed) else {
            panic!("{claimed:?} is for an endpoint");
        };
        let key = webhook.key.expose();
        assert!(!sealed.windows(key.len()).any(|part| part == key));
        assert!(!format!("{webhook:?}").contains(&format!("{key:?}")));
    })
    .await;
}

#[tokio::test]
async fn an_endpoint_with_a_secret_that_does_not_open_fails_alone() {
    each_database(|database| async move {
        let f = Fixture::new(database).await;
        let broken = f.endpoint().await;
        let good = f.endpoint().await;
        let mut tx = f.database.db.begin().await.unwrap();
        sqlx::query("update endpoint set sealed_secret = $2 where id = $1")
            .bind(broken.id.to_string())
            .bind(vec![1_u8; 40])
            .execute(tx.conn())
            .await
            .unwrap();
        tx.commit().await.unwrap();
        f.happen(1).await;
        let claimed = f.claim().await;
        let qiao_events::Delivery::Webhook(webhook) = f.only(&claimed) else {
            panic!("{claimed:?} is for an endpoint");
        };
        assert_eq!(webhook.endpoint, good.id);
        let rows = f.events.deliveries_of(&f.permit(OURS), None).await.unwrap();
        let row = rows
            .iter()
            .find(|row| row.endpoint == Some(broken.id))
            .unwrap();
        let attempts = f.events.attempts_of(&f.permit(OURS), row.id).await.unwrap();
        assert!(
            attempts[0].attempt.detail.contains("does not open"),
            "{attempts:?}"
        );
    })
    .await;
}

#[tokio::test]
async fn an_institution_has_its_most_endpoints_and_not_one_more() {
    each_database(|database| async move {
        let f = Fixture::new(database).await;
        for _ in 0..ENDPOINTS_MAX {
            f.endpoint().await;
        }
        let url = "https://shop.example/hook";
        let refused = f.events.register_endpoint(&f.permit(OURS), new(url)).await;
        assert!(matches!(
            refused,
            Err(Error::TooManyEndpoints(ENDPOINTS_MAX))
        ));
        f.endpoint_of(THEIRS, &[]).await;
        let some = f.events.endpoints_of(&f.permit(OURS)).await.unwrap()[0].id;
        f.events
            .delete_endpoint(&f.permit(OURS), some)
            .await
            .unwrap();
        f.endpoint().await;
    })
    .await;
}

#[tokio::test]
async fn an_address_that_cannot_be_an_endpoint_is_refused() {
    each_database(|database| async move {
        let f = Fixture::new(database).await;
        for url in [
            "http://shop.example/",
            "https://127.0.0.1/",
            "https://[::1]/",
        ] {
            let refused = f.events.register_endpoint(&f.permit(OURS), new(url)).await;
            assert!(matches!(refused, Err(Error::InvalidUrl { .. })), "{url}");
        }
        assert!(
            f.events
                .endpoints_of(&f.permit(OURS))
                .await
                .unwrap()
                .is_empty()
        );
    })
    .await;
}

#[tokio::test]
async fn a_deleted_endpoint_gets_nothing_more_and_keeps_no_secret() {
    each_database(|database| async move {
        let f = Fixture::new(database).await;
        let endpoint = f.endpoint().await;
        f.happen(1).await;
        f.events.fan_out().await.unwrap();
        f.events
            .delete_endpoint(&f.permit(OURS), endpoint.id)
            .await
            .unwrap();
        f.happen(1).await;
        assert!(f.claim().await.is_empty());
        let row = sqlx::query("select sealed_secret from endpoint")
            .fetch_one(f.database.db.reads())
            .await
            .unwrap();
        assert!(row.get::<Vec<u8>, _>("sealed_secret").is_empty());
        let again = f.events.delete_endpoint(&f.permit(OURS), endpoint.id).await;
        assert!(matches!(again, Err(Error::UnknownEndpoint(_))));
        let enabled = f.events.enable_endpoint(&f.permit(OURS), endpoint.id).await;
        assert!(matches!(enabled, Err(Error::UnknownEndpoint(_))));
    })
    .await;
}

#[tokio::test]
async fn an_endpoint_that_is_gone_is_disabled_until_it_is_enabled() {
    each_database(|database| async move {
        let f = Fixture::new(database).await;
        let permit = f.permit(OURS);
        let endpoint = f.endpoint().await;
        f.happen(2).await;
        let claimed = f.claim().await;
        f.finish(&claimed[0], Gone).await;
        let state = f.events.endpoints_of(&permit).await.unwrap()[0].state;
        assert_eq!(state, EndpointState::Disabled);
        // What was claimed with it was given up too.
        let late = f
            .events
            .finish(claimed[1].ticket(), crate::fixture::attempt(Delivered))
            .await;
        assert!(matches!(late, Err(Error::LeaseLost(_))));
        f.happen(1).await;
        assert!(f.claim().await.is_empty());
        let id = claimed[0].ticket().delivery;
        let refused = f.events.redeliver(&permit, id).await;
        assert!(matches!(refused, Err(Error::NotRedeliverable(_))));
        f.events
            .enable_endpoint(&permit, endpoint.id)
            .await
            .unwrap();
        f.events.redeliver(&permit, id).await.unwrap();
        assert_eq!(f.only(&f.claim().await).ticket().delivery, id);
    })
    .await;
}

#[tokio::test]
async fn nobody_touches_the_endpoints_and_deliveries_of_another_institution() {
    each_database(|database| async move {
        let f = Fixture::new(database).await;
        let endpoint = f.endpoint().await;
        f.happen(1).await;
        let claimed = f.claim().await;
        let id = f.only(&claimed).ticket().delivery;
        f.finish(&claimed[0], Delivered).await;
        let other = f.permit(THEIRS);
        let events = &f.events;
        let deleted = events.delete_endpoint(&other, endpoint.id).await;
        assert!(matches!(deleted, Err(Error::UnknownEndpoint(_))));
        let enabled = events.enable_endpoint(&other, endpoint.id).await;
        assert!(matches!(enabled, Err(Error::UnknownEndpoint(_))));
        assert!(events.deliveries_of(&other, None).await.unwrap().is_empty());
        assert!(events.attempts_of(&other, id).await.unwrap().is_empty());
        let redelivered = events.redeliver(&other, id).await;
        assert!(matches!(redelivered, Err(Error::UnknownDelivery(_))));
    })
    .await;
}

#[tokio::test]
async fn every_door_needs_the_scope_and_an_institution() {
    each_database(|database| async move {
        let f = Fixture::new(database).await;
        let events = &f.events;
        let endpoint = EndpointId::from_u128(1);
        let delivery = DeliveryId::from_u128(1);
        let url = "https://shop.example/hook";
        for permit in [
            f.permit_for(OURS, Scope::Egress).unwrap(),
            f.auth.permit_system("test", Scope::WebhooksWrite),
        ] {
            let denied = |error| assert!(matches!(error, Error::Denied(_)), "{error:?}");
            denied(
                events
                    .register_endpoint(&permit, new(url))
                    .await
                    .unwrap_err(),
            );
            denied(events.endpoints_of(&permit).await.unwrap_err());
            denied(events.delete_endpoint(&permit, endpoint).await.unwrap_err());
            denied(events.enable_endpoint(&permit, endpoint).await.unwrap_err());
            denied(events.deliveries_of(&permit, None).await.unwrap_err());
            denied(events.attempts_of(&permit, delivery).await.unwrap_err());
            denied(events.redeliver(&permit, delivery).await.unwrap_err());
        }
    })
    .await;
}
