//! Who sees which order.

use qiao_auth::Permit;
use qiao_model::{OrderId, Scope};
use qiao_orders::{Error, OrderPage};
use qiao_tests::each_database;

use crate::plugin::{INSTITUTION, PLUGIN};
use crate::world::{World, buy, plugin_permit, ticket};

async fn sees(world: &World, permit: &Permit, order: OrderId) -> bool {
    world.orders.get(permit, order).await.unwrap().is_some()
}

#[tokio::test]
async fn a_person_an_institution_and_a_plugin_see_their_own_orders() {
    each_database(|database| async move {
        let world = World::new(database).await;
        let order = world.order(&world.user, ticket(5_000)).await.unwrap();
        let other = world.person("other").await;
        let operator = world.operator().await;
        world
            .auth
            .add_staff(&operator, INSTITUTION, other.id)
            .await
            .unwrap();
        let staff = world.staff("other", INSTITUTION).await;
        let plugin = plugin_permit(&world.auth, Scope::OrdersRead, None);
        for permit in [&world.user.permit, &staff, &plugin, &operator] {
            assert!(sees(&world, permit, order.id).await, "{permit:?}");
        }
        assert!(!sees(&world, &other.permit, order.id).await);
        let elsewhere = world.env.id();
        world
            .auth
            .add_staff(&operator, elsewhere, other.id)
            .await
            .unwrap();
        let stranger = world.staff("other", elsewhere).await;
        assert!(!sees(&world, &stranger, order.id).await);
        let storage = plugin_permit(&world.auth, Scope::Storage, None);
        let denied = world.orders.get(&storage, order.id).await;
        assert!(matches!(denied, Err(Error::Denied(_))));

        let page = OrderPage::default();
        let listed = world.orders.list_for_user(&world.user.permit, page).await;
        assert_eq!(listed.unwrap(), std::slice::from_ref(&order));
        let listed = world.orders.list_for_user(&other.permit, page).await;
        assert_eq!(listed.unwrap(), []);
        let listed = world.orders.list_for_institution(&staff, page).await;
        assert_eq!(listed.unwrap(), [order]);
        let listed = world.orders.list_for_institution(&stranger, page).await;
        assert_eq!(listed.unwrap(), []);
        let denied = world
            .orders
            .list_for_institution(&world.user.permit, page)
            .await;
        assert!(matches!(denied, Err(Error::Denied(_))));
    })
    .await;
}

#[tokio::test]
async fn orders_are_listed_newest_first_page_by_page() {
    each_database(|database| async move {
        let world = World::new(database).await;
        let mut made = Vec::new();
        for _ in 0..5 {
            world.advance_secs(1);
            made.push(world.order(&world.user, ticket(100)).await.unwrap().id);
        }
        made.reverse();
        let mut page = OrderPage {
            before: None,
            limit: 2,
        };
        let mut listed = Vec::new();
        loop {
            let orders = world
                .orders
                .list_for_user(&world.user.permit, page)
                .await
                .unwrap();
            let Some(last) = orders.last() else { break };
            page.before = Some(last.id);
            listed.extend(orders.iter().map(|order| order.id));
        }
        assert_eq!(listed, made);
    })
    .await;
}

#[tokio::test]
async fn a_guest_reads_its_own_orders_and_its_users_holding() {
    each_database(|database| async move {
        let world = World::new(database).await;
        let first = world.order(&world.user, buy(100_000)).await.unwrap();
        world.advance_secs(1);
        let second = world.order(&world.user, ticket(100)).await.unwrap();
        let read = plugin_permit(&world.auth, Scope::OrdersRead, None);
        let orders = world.orders.port();
        let own = orders
            .order(&read, PLUGIN, first.id)
            .await
            .unwrap()
            .unwrap();
        assert_eq!((own.product.as_str(), own.user), ("fund", world.user.id));
        let found = orders
            .orders_by_reference(&read, PLUGIN, "ref-1")
            .await
            .unwrap();
        let ids: Vec<_> = found.iter().map(|order| order.id).collect();
        assert_eq!(ids, [second.id, first.id]);
        let other_plugin = world.env.id();
        assert_eq!(
            orders.order(&read, other_plugin, first.id).await.unwrap(),
            None
        );
        let none = orders
            .orders_by_reference(&read, other_plugin, "ref-1")
            .await;
        assert_eq!(none.unwrap(), []);
        let denied = plugin_permit(&world.auth, Scope::Storage, None);
        assert!(orders.order(&denied, PLUGIN, first.id).await.is_err());

        let user = world.user.id;
        let holdings = plugin_permit(&world.auth, Scope::HoldingsRead, Some(user));
        let held = orders
            .holding(&holdings, PLUGIN, user, "fund")
            .await
            .unwrap();
        assert_eq!(held.unwrap().available_minor, 98_717);
        let unknown = orders
            .holding(&holdings, PLUGIN, user, "bond")
            .await
            .unwrap();
        assert_eq!(unknown, None);
        let other = world.person("other").await;
        assert!(
            orders
                .holding(&holdings, PLUGIN, other.id, "fund")
                .await
                .is_err()
        );
    })
    .await;
}
