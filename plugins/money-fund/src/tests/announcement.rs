use super::*;

fn past_order(kind: OrderKind) -> PastOrder {
    PastOrder {
        id: "ord_1".to_owned(),
        kind,
        state: OrderState::Completed,
        product: fund::CODE.to_owned(),
        reference: String::new(),
        user: "sub_ann".to_owned(),
        principal: Money::cny(100_000),
        confirmed_at: 0,
    }
}

fn changed(state: OrderState) -> Event {
    Event {
        id: "evt_1".to_owned(),
        at: 0,
        happening: Happening::OrderChanged(OrderChanged {
            order: "ord_1".to_owned(),
            state,
            user: "sub_ann".to_owned(),
        }),
    }
}

#[test]
fn a_completed_order_is_announced_once_however_often_the_event_comes() {
    with_host(|host| {
        host.add_order(past_order(OrderKind::Purchase));
        MoneyFund::handle_event(changed(OrderState::Completed)).unwrap();
        MoneyFund::handle_event(changed(OrderState::Completed)).unwrap();
        let messages = host.messages();
        assert_eq!(messages.len(), 1);
        assert_eq!(messages[0].user, "sub_ann");
        assert!(
            messages[0]
                .text
                .starts_with("You bought Steady Money Fund for 1000.00 CNY.")
        );
    });
}

#[test]
fn only_completed_orders_are_announced() {
    with_host(|host| {
        for state in [
            OrderState::Held,
            OrderState::Paid,
            OrderState::Voided,
            OrderState::Refunded,
            OrderState::Unknown,
        ] {
            MoneyFund::handle_event(changed(state)).unwrap();
        }
        for happening in [
            Happening::Followed("sub_ann".to_owned()),
            Happening::Unfollowed("sub_ann".to_owned()),
        ] {
            MoneyFund::handle_event(Event {
                happening,
                ..changed(OrderState::Held)
            })
            .unwrap();
        }
        assert_eq!(host.messages(), []);
    });
}

#[test]
fn a_user_who_does_not_follow_gets_no_message_and_the_event_is_taken() {
    with_host(|host| {
        host.add_order(past_order(OrderKind::Redeem));
        host.unfollow("sub_ann");
        assert_eq!(
            MoneyFund::handle_event(changed(OrderState::Completed)),
            Ok(())
        );
        assert_eq!(host.messages(), []);
    });
}

#[test]
fn an_event_that_could_not_be_handled_comes_again() {
    for interface in ["storage", "orders", "messages"] {
        with_host(|host| {
            host.add_order(past_order(OrderKind::Redeem));
            host.deny(interface);
            let refusal = MoneyFund::handle_event(changed(OrderState::Completed));
            assert!(matches!(refusal, Err(EventError::Failed(_))), "{interface}");
        });
    }
}

#[test]
fn the_memory_of_announced_orders_stays_small() {
    with_host(|host| {
        for number in 0..100 {
            let mut order = past_order(OrderKind::Purchase);
            order.id = format!("ord_{number:03}");
            host.add_order(order);
            let mut event = changed(OrderState::Completed);
            if let Happening::OrderChanged(change) = &mut event.happening {
                change.order = format!("ord_{number:03}");
            }
            MoneyFund::handle_event(event).unwrap();
        }
        let announced = String::from_utf8(host.stored("announced").unwrap()).unwrap();
        assert_eq!(announced.lines().count(), 64);
        assert_eq!(announced.lines().last(), Some("ord_099"));
    });
}
