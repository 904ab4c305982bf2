//! Events are written with their facts and reach the queues of their receivers.

use qiao_events::AttemptOutcome::{Delivered, Failed};
use qiao_events::{Delivery, EVENTS_KEPT_DAYS, NewEvent, PAYLOAD_BYTES_MAX, append};
use qiao_model::EndpointId;
use qiao_tests::each_database;
use serde_json::{Value, json};

use crate::fixture::{Fixture, HOUR_MILLIS, OURS, PLUGIN, THEIRS};

#[tokio::test]
async fn an_event_goes_to_the_endpoints_of_its_institution_that_want_its_kind() {
    each_database(|database| async move {
        let f = Fixture::new(database).await;
        let all = f.endpoint_of(OURS, &[]).await;
        let same = f
            .endpoint_of(OURS, &["payment.posted", "order.completed"])
            .await;
        f.endpoint_of(OURS, &["order.refunded"]).await;
        f.endpoint_of(THEIRS, &[]).await;
        f.append(&[f.event(Some(OURS)), f.event(None)]).await;
        let mut reached: Vec<EndpointId> = Vec::new();
        for delivery in f.claim().await {
            match delivery {
                Delivery::Webhook(webhook) => reached.push(webhook.endpoint),
                Delivery::Plugin(plugin) => panic!("{plugin:?} is for no plugin"),
            }
        }
        reached.sort_unstable();
        let mut expected = vec![all.id, same.id];
        expected.sort_unstable();
        assert_eq!(reached, expected);
        assert!(f.claim().await.is_empty(), "each is claimed once");
    })
    .await;
}

#[tokio::test]
async fn an_event_of_a_plugin_goes_to_the_plugin() {
    each_database(|database| async move {
        let f = Fixture::new(database).await;
        let event = NewEvent {
            plugin: Some(PLUGIN),
            ..f.event(Some(OURS))
        };
        f.append(std::slice::from_ref(&event)).await;
        let claimed = f.claim().await;
        let Delivery::Plugin(delivery) = f.only(&claimed) else {
            panic!("{claimed:?} is for a plugin");
        };
        assert_eq!(delivery.plugin, PLUGIN);
        assert_eq!(delivery.event.id, event.id);
        assert_eq!(delivery.event.kind, event.kind);
        assert_eq!(delivery.event.subject, event.subject);
        assert_eq!(delivery.event.created_at, f.env.now());
        let payload: Value = serde_json::from_str(&delivery.event.payload).unwrap();
        assert_eq!(payload, event.payload);
    })
    .await;
}

#[tokio::test]
async fn any_payload_survives_the_outbox() {
    each_database(|database| async move {
        let f = Fixture::new(database).await;
        let payload =
            json!({ "text": "罚款 \"\\ \u{0} \n {$1} '", "number": i64::MAX, "none": null });
        let event = NewEvent {
            plugin: Some(PLUGIN),
            payload: payload.clone(),
            ..f.event(None)
        };
        f.append(&[event]).await;
        let claimed = f.claim().await;
        let stored: Value = serde_json::from_str(&f.only(&claimed).event().payload).unwrap();
        assert_eq!(stored, payload);
    })
    .await;
}

#[tokio::test]
async fn a_payload_that_is_too_large_is_left_out_and_the_fact_is_kept() {
    each_database(|database| async move {
        let f = Fixture::new(database).await;
        let event = NewEvent {
            plugin: Some(PLUGIN),
            payload: Value::from("x".repeat(PAYLOAD_BYTES_MAX)),
            ..f.event(None)
        };
        f.append(&[event]).await;
        let claimed = f.claim().await;
        let stored: Value = serde_json::from_str(&f.only(&claimed).event().payload).unwrap();
        assert_eq!(stored["subject"], "ord_1");
    })
    .await;
}

#[tokio::test]
async fn an_event_is_there_only_if_its_fact_is_committed() {
    each_database(|database| async move {
        let f = Fixture::new(database).await;
        let event = NewEvent {
            plugin: Some(PLUGIN),
            ..f.event(None)
        };
        let events = [event];
        let mut tx = f.database.db.begin().await.unwrap();
        append(&mut tx, f.env.now(), &events).await.unwrap();
        tx.rollback().await.unwrap();
        assert_eq!(f.events.fan_out().await.unwrap(), 0);
        f.append(&events).await;
        assert_eq!(f.events.fan_out().await.unwrap(), 1);
    })
    .await;
}

#[tokio::test]
async fn one_change_is_one_event() {
    each_database(|database| async move {
        let f = Fixture::new(database).await;
        let event = f.event(Some(OURS));
        f.append(std::slice::from_ref(&event)).await;
        let mut tx = f.database.db.begin().await.unwrap();
        let twice = append(&mut tx, f.env.now(), &[event]).await.unwrap_err();
        assert!(twice.is_unique_violation(), "{twice:?}");
    })
    .await;
}

#[tokio::test]
async fn no_events_are_no_statement() {
    each_database(|database| async move {
        let f = Fixture::new(database).await;
        f.append(&[]).await;
        assert_eq!(f.events.fan_out().await.unwrap(), 0);
    })
    .await;
}

#[tokio::test]
async fn hosts_that_fan_out_at_once_queue_each_delivery_once() {
    each_database(|database| async move {
        let f = Fixture::new(database).await;
        f.endpoint().await;
        f.happen(60).await;
        let mut tasks = tokio::task::JoinSet::new();
        for _ in 0..4 {
            let events = f.events.clone();
            tasks.spawn(async move { events.fan_out().await.unwrap() });
        }
        let taken: usize = tasks.join_all().await.into_iter().sum();
        assert_eq!(taken, 60);
        assert_eq!(f.claim().await.len(), 60);
    })
    .await;
}

#[tokio::test]
async fn old_events_are_forgotten_once_nobody_waits_for_them() {
    each_database(|database| async move {
        let f = Fixture::new(database).await;
        f.endpoint().await;
        f.happen(2).await;
        let claimed = f.claim().await;
        f.finish(&claimed[0], Delivered).await;
        f.finish(&claimed[1], Failed).await;
        f.append(&[f.event(None)]).await;
        f.events.fan_out().await.unwrap();
        f.clock.advance_millis(EVENTS_KEPT_DAYS * 24 * HOUR_MILLIS);
        assert_eq!(f.events.prune().await.unwrap(), 0);
        f.clock.advance_millis(1);
        assert_eq!(f.events.prune().await.unwrap(), 2);
        let left = f.events.deliveries_of(&f.permit(OURS), None).await.unwrap();
        assert_eq!(left.len(), 1);
        assert_eq!(left[0].id, claimed[1].ticket().delivery);
    })
    .await;
}

#[tokio::test]
async fn an_event_that_nobody_waits_for_needs_no_fan_out() {
    each_database(|database| async move {
        let f = Fixture::new(database).await;
        f.happen(3).await;
        assert_eq!(f.events.fan_out().await.unwrap(), 0);
        f.endpoint().await;
        assert_eq!(f.events.fan_out().await.unwrap(), 0);
        f.happen(2).await;
        assert_eq!(f.events.fan_out().await.unwrap(), 2);
    })
    .await;
}
