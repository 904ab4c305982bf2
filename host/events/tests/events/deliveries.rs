//! Claims, leases, retries, and endpoints that fail.

use std::collections::BTreeSet;

use qiao_events::AttemptOutcome::{Delivered, Failed};
use qiao_events::{
    CLAIM_MAX, DELIVERY_PAGE_ROWS, DISABLED_AFTER_SECS, DeliveryState, EndpointState, Error,
    LEASE_SECS, NewEvent, PAUSE_AFTER_FAILURE_SECS, RETRY_DELAYS_SECS, TRIES_MAX,
};
use qiao_tests::each_database;

use crate::fixture::{Fixture, HOUR_MILLIS, OURS, PLUGIN, THEIRS, attempt};

async fn states(f: &Fixture) -> Vec<DeliveryState> {
    let rows = f.events.deliveries_of(&f.permit(OURS), None).await.unwrap();
    rows.iter().map(|row| row.state).collect()
}

#[tokio::test]
async fn a_delivered_event_is_done_and_its_attempt_is_kept() {
    each_database(|database| async move {
        let f = Fixture::new(database).await;
        let endpoint = f.endpoint().await;
        f.happen(1).await;
        let claimed = f.claim().await;
        let delivery = f.only(&claimed);
        assert_eq!(delivery.ticket().attempt, 1);
        f.finish(delivery, Delivered).await;
        f.clock.advance_millis(100 * HOUR_MILLIS);
        assert!(f.claim().await.is_empty());
        let permit = f.permit(OURS);
        let rows = f.events.deliveries_of(&permit, None).await.unwrap();
        assert_eq!(rows[0].state, DeliveryState::Delivered);
        assert_eq!(rows[0].endpoint, Some(endpoint.id));
        assert_eq!(rows[0].event, delivery.event().id);
        assert_eq!(rows[0].kind, "order.completed");
        assert_eq!(rows[0].attempts, 1);
        let attempts = f.events.attempts_of(&permit, rows[0].id).await.unwrap();
        assert_eq!(attempts.len(), 1);
        assert_eq!(attempts[0].attempt, attempt(Delivered));
    })
    .await;
}

#[tokio::test]
async fn a_failed_delivery_is_tried_again_by_the_schedule_and_then_given_up() {
    each_database(|database| async move {
        let f = Fixture::new(database).await;
        let event = NewEvent {
            plugin: Some(PLUGIN),
            ..f.event(Some(OURS))
        };
        f.append(&[event]).await;
        for delay in RETRY_DELAYS_SECS {
            f.finish(f.only(&f.claim().await), Failed).await;
            f.clock.advance_millis(delay * 1000 - 1);
            assert!(f.claim().await.is_empty(), "not before {delay} s");
            f.clock.advance_millis(1);
        }
        assert_eq!(states(&f).await, [DeliveryState::Waiting]);
        let claimed = f.claim().await;
        assert_eq!(f.only(&claimed).ticket().attempt, TRIES_MAX);
        f.finish(&claimed[0], Failed).await;
        assert_eq!(states(&f).await, [DeliveryState::Failed]);
        f.clock.advance_millis(1_000 * HOUR_MILLIS);
        assert!(f.claim().await.is_empty());
        // By hand it begins again, and its attempts go on counting.
        let id = claimed[0].ticket().delivery;
        f.events.redeliver(&f.permit(OURS), id).await.unwrap();
        let again = f.events.redeliver(&f.permit(OURS), id).await;
        assert!(matches!(again, Err(Error::NotRedeliverable(_))));
        let claimed = f.claim().await;
        assert_eq!(f.only(&claimed).ticket().attempt, TRIES_MAX + 1);
        f.finish(&claimed[0], Failed).await;
        assert_eq!(states(&f).await, [DeliveryState::Waiting]);
        let attempts = f.events.attempts_of(&f.permit(OURS), id).await.unwrap();
        assert_eq!(attempts.len(), TRIES_MAX as usize + 1);
    })
    .await;
}

#[tokio::test]
async fn a_delivered_event_can_be_sent_again_by_hand() {
    each_database(|database| async move {
        let f = Fixture::new(database).await;
        f.endpoint().await;
        f.happen(1).await;
        let claimed = f.claim().await;
        f.finish(f.only(&claimed), Delivered).await;
        let id = claimed[0].ticket().delivery;
        f.events.redeliver(&f.permit(OURS), id).await.unwrap();
        let again = f.claim().await;
        assert_eq!(f.only(&again).ticket().delivery, id);
        assert_eq!(again[0].event().id, claimed[0].event().id);
    })
    .await;
}

#[tokio::test]
async fn a_delivery_whose_lease_ran_out_is_claimed_again_and_the_late_end_changes_nothing() {
    each_database(|database| async move {
        let f = Fixture::new(database).await;
        f.endpoint().await;
        f.happen(1).await;
        let first = f.claim().await;
        f.clock.advance_millis(LEASE_SECS * 1000 - 1);
        assert!(f.claim().await.is_empty());
        f.clock.advance_millis(1);
        let second = f.claim().await;
        assert_eq!(f.only(&second).ticket().attempt, 2);
        let late = f.events.finish(first[0].ticket(), attempt(Failed)).await;
        assert!(matches!(late, Err(Error::LeaseLost(_))), "{late:?}");
        f.finish(&second[0], Delivered).await;
        let twice = f.events.finish(second[0].ticket(), attempt(Failed)).await;
        assert!(matches!(twice, Err(Error::LeaseLost(_))), "{twice:?}");
        assert_eq!(states(&f).await, [DeliveryState::Delivered]);
    })
    .await;
}

#[tokio::test]
async fn a_delivery_that_is_never_finished_is_given_up_after_its_tries() {
    each_database(|database| async move {
        let f = Fixture::new(database).await;
        f.endpoint().await;
        f.happen(1).await;
        for _ in 0..TRIES_MAX {
            assert_eq!(f.claim().await.len(), 1);
            f.clock.advance_millis(LEASE_SECS * 1000);
        }
        assert!(f.claim().await.is_empty());
        assert_eq!(states(&f).await, [DeliveryState::Failed]);
    })
    .await;
}

#[tokio::test]
async fn hosts_that_claim_at_once_share_the_deliveries() {
    each_database(|database| async move {
        let f = Fixture::new(database).await;
        f.endpoint().await;
        f.happen(60).await;
        f.events.fan_out().await.unwrap();
        let mut tasks = tokio::task::JoinSet::new();
        for _ in 0..6 {
            let events = f.events.clone();
            tasks.spawn(async move { events.claim(10).await.unwrap() });
        }
        let claimed: Vec<_> = tasks.join_all().await.into_iter().flatten().collect();
        let distinct: BTreeSet<_> = claimed.iter().map(|d| d.ticket().delivery).collect();
        assert_eq!(
            distinct.len(),
            claimed.len(),
            "no delivery is claimed twice"
        );
        assert_eq!(claimed.len() + f.claim().await.len(), 60);
    })
    .await;
}

#[tokio::test]
async fn a_claim_takes_at_most_its_limit() {
    each_database(|database| async move {
        let f = Fixture::new(database).await;
        f.endpoint().await;
        f.happen(CLAIM_MAX + 1).await;
        assert_eq!(f.events.claim(3).await.unwrap().len(), 3);
        f.clock.advance_millis(LEASE_SECS * 1000);
        assert_eq!(f.events.claim(usize::MAX).await.unwrap().len(), CLAIM_MAX);
    })
    .await;
}

#[tokio::test]
async fn an_endpoint_that_failed_rests_and_its_neighbour_does_not() {
    each_database(|database| async move {
        let f = Fixture::new(database).await;
        f.endpoint().await;
        f.happen(2).await;
        let claimed = f.events.claim(1).await.unwrap();
        f.finish(f.only(&claimed), Failed).await;
        f.endpoint_of(THEIRS, &[]).await;
        f.append(&[f.event(Some(THEIRS))]).await;
        let claimed = f.claim().await;
        assert_eq!(f.only(&claimed).event().institution, Some(THEIRS));
        f.clock.advance_millis(PAUSE_AFTER_FAILURE_SECS * 1000 - 1);
        assert!(f.claim().await.is_empty());
        f.clock.advance_millis(1);
        assert_eq!(f.claim().await.len(), 2);
    })
    .await;
}

#[tokio::test]
async fn an_endpoint_that_failed_for_too_long_is_disabled() {
    each_database(|database| async move {
        let f = Fixture::new(database).await;
        let permit = f.permit(OURS);
        f.endpoint().await;
        f.happen(1).await;
        f.finish(f.only(&f.claim().await), Failed).await;
        let begun_at = f.env.now();
        let state = || async { f.events.endpoints_of(&permit).await.unwrap()[0].state };
        f.clock.advance_millis(DISABLED_AFTER_SECS * 1000 - 1);
        f.finish(f.only(&f.claim().await), Failed).await;
        assert_eq!(state().await, EndpointState::Enabled);
        let endpoint = &f.events.endpoints_of(&permit).await.unwrap()[0];
        assert_eq!(endpoint.failing_since, Some(begun_at));
        f.happen(1).await;
        f.clock.advance_millis(PAUSE_AFTER_FAILURE_SECS * 1000);
        let claimed = f.claim().await;
        f.finish(&claimed[0], Failed).await;
        assert_eq!(state().await, EndpointState::Disabled);
        assert_eq!(states(&f).await, [DeliveryState::Failed; 2]);
    })
    .await;
}

#[tokio::test]
async fn one_success_makes_an_endpoint_healthy() {
    each_database(|database| async move {
        let f = Fixture::new(database).await;
        let permit = f.permit(OURS);
        f.endpoint().await;
        f.happen(1).await;
        f.finish(f.only(&f.claim().await), Failed).await;
        f.clock.advance_millis(PAUSE_AFTER_FAILURE_SECS * 1000);
        f.finish(f.only(&f.claim().await), Delivered).await;
        let endpoint = &f.events.endpoints_of(&permit).await.unwrap()[0];
        assert_eq!(endpoint.failing_since, None);
        f.clock.advance_millis(DISABLED_AFTER_SECS * 1000);
        f.happen(1).await;
        f.finish(f.only(&f.claim().await), Failed).await;
        let endpoint = &f.events.endpoints_of(&permit).await.unwrap()[0];
        assert_eq!(endpoint.state, EndpointState::Enabled);
        assert_eq!(endpoint.failing_since, Some(f.env.now()));
    })
    .await;
}

#[tokio::test]
async fn deliveries_are_listed_in_pages_from_the_newest() {
    each_database(|database| async move {
        let f = Fixture::new(database).await;
        f.endpoint().await;
        f.happen(DELIVERY_PAGE_ROWS + 1).await;
        f.events.fan_out().await.unwrap();
        let permit = f.permit(OURS);
        let first = f.events.deliveries_of(&permit, None).await.unwrap();
        assert_eq!(first.len(), DELIVERY_PAGE_ROWS);
        assert!(first.is_sorted_by(|newer, older| newer.id > older.id));
        let before = first.last().map(|row| row.id);
        let second = f.events.deliveries_of(&permit, before).await.unwrap();
        assert_eq!(second.len(), 1);
    })
    .await;
}
