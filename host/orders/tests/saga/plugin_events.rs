//! Events on their way to a plugin.

use qiao_events::{AttemptOutcome, Event, PluginDelivery, Ticket};
use qiao_model::Id;
use qiao_orders::OrderState;
use qiao_runtime::Happening;
use qiao_tests::each_database;

use crate::plugin::{INSTITUTION, PLUGIN};
use crate::world::{World, ticket};

fn delivery(world: &World, kind: &str, subject: String, payload: String) -> PluginDelivery {
    PluginDelivery {
        ticket: Ticket {
            delivery: Id::from_u128(1),
            attempt: 1,
        },
        event: Event {
            id: Id::from_u128(2),
            kind: kind.to_owned(),
            institution: None,
            plugin: Some(PLUGIN),
            subject,
            payload,
            created_at: world.env.now(),
        },
        plugin: PLUGIN,
    }
}

#[tokio::test]
async fn a_plugin_is_told_of_its_orders_and_followers() {
    each_database(|database| async move {
        let world = World::new(database).await;
        let order = world.order(&world.user, ticket(100)).await.unwrap();
        let subject = world.auth.subject(INSTITUTION, world.user.id);
        let payload = format!(r#"{{"account":"acc_1","user":"{subject}"}}"#);
        for delivery in [
            delivery(
                &world,
                "order.completed",
                order.id.to_string(),
                "{}".to_owned(),
            ),
            delivery(
                &world,
                "account.followed",
                "acc_1".to_owned(),
                payload.clone(),
            ),
            delivery(&world, "account.unfollowed", "acc_1".to_owned(), payload),
            delivery(
                &world,
                "release.activated",
                "rel_1".to_owned(),
                "{}".to_owned(),
            ),
        ] {
            let attempt = world.orders.deliver_to_plugin(&delivery).await;
            assert_eq!(
                attempt.outcome,
                AttemptOutcome::Delivered,
                "{}",
                attempt.detail
            );
        }
        let user = world.user.id;
        let expected = [
            Happening::OrderChanged {
                order: order.id,
                state: OrderState::Completed,
                user,
            },
            Happening::Followed { user },
            Happening::Unfollowed { user },
        ];
        assert_eq!(world.plugin.seen().happenings, expected);
        world.plugin.stops();
        let late = delivery(&world, "order.held", order.id.to_string(), "{}".to_owned());
        let attempt = world.orders.deliver_to_plugin(&late).await;
        assert_eq!(attempt.outcome, AttemptOutcome::Failed);
    })
    .await;
}
