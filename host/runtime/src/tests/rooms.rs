//! The real rooms behind the ports, on both engines.

use qiao_auth::keys::{KeyKind, generate_key};
use qiao_auth::{Auth, AuthConfig};
use qiao_catalog::Catalog;
use qiao_events::{Egress, Policy};
use qiao_model::{Scope, ScopeSet, Secret, UserId};
use qiao_payments::Payments;
use qiao_registry::Registry;

use super::fixture::{env, release, runtime, today, visit};
use crate::{ActivationError, CallError, Happening, JobRun, OrderState, ReleaseRef, RoomPorts};

#[tokio::test(flavor = "multi_thread")]
async fn what_a_plugin_registers_and_publishes_is_in_the_catalog() {
    qiao_tests::each_database(|database| async move {
        let rooms: [&[qiao_db::Migration]; 6] = [
            qiao_auth::MIGRATIONS,
            qiao_catalog::MIGRATIONS,
            qiao_events::MIGRATIONS,
            qiao_payments::MIGRATIONS,
            qiao_registry::MIGRATIONS,
            crate::MIGRATIONS,
        ];
        database.db.migrate(&rooms).await.unwrap();
        let db = database.db.clone();
        let auth = auth(&database);
        let catalog = Catalog::new(db.clone(), env());
        let ports = RoomPorts {
            catalog: catalog.clone(),
            payments: Payments::start(db.clone(), env()),
            registry: Registry::new(db.clone(), env(), auth.clone()),
            egress: Egress::new().unwrap(),
            egress_policy: Policy::public_only(),
            auth,
            db,
        };
        let runtime = runtime(ports.into());
        let bytes = qiao_tests::guests::component("money-fund");
        let (manifest, _) = qiao_manifest::extract(&bytes).unwrap();
        let granted = release(&bytes, &manifest);
        let fund = runtime.load(&granted, &bytes).await.unwrap();

        runtime.activate(&fund).await.unwrap();
        runtime.activate(&fund).await.unwrap();
        let products = catalog.products_of_plugin(granted.plugin).await.unwrap();
        assert_eq!(products.len(), 1);
        assert_eq!(catalog.schedules(products[0].id).await.unwrap().len(), 1);

        let run = JobRun {
            name: "daily-yield".to_owned(),
            day: today(),
            due_at: today().start(),
        };
        runtime.run_job(&fund, &run).await.unwrap();
        let price = catalog.latest_price(products[0].id).await.unwrap().unwrap();
        assert_eq!(price.day, today());

        // Orders are not connected yet: the page that needs holdings says so, typed.
        let page = runtime.open(&fund, &visit("invest")).await;
        assert!(!matches!(page, Err(CallError::Trap(_))), "{page:?}");

        // A stranger is nobody's follower; the plugin goes on without the message.
        let event = crate::Event {
            id: qiao_model::EventId::from_u128(1),
            at: today().start(),
            happening: Happening::OrderChanged {
                order: qiao_model::OrderId::from_u128(9),
                state: OrderState::Held,
                user: UserId::from_u128(9),
            },
        };
        runtime.handle_event(&fund, &event).await.unwrap();

        // The same component in a release that was granted nothing.
        let bare = ReleaseRef {
            id: qiao_model::ReleaseId::from_u128(2),
            scopes: ScopeSet::EMPTY,
            ..granted
        };
        let bare = runtime.load(&bare, &bytes).await.unwrap();
        let refused = runtime.activate(&bare).await.unwrap_err();
        assert!(
            matches!(&refused, CallError::Guest(ActivationError::Registration(cause))
            if cause.contains(Scope::CatalogWrite.name())),
            "{refused}"
        );
    })
    .await;
}

fn auth(database: &qiao_tests::TestDatabase) -> Auth {
    let config = AuthConfig {
        issuer: "http://localhost".to_owned(),
        audience: "http://localhost/v1".to_owned(),
        signing_key_pem: generate_key(KeyKind::Ed25519).unwrap().0,
        pepper: Secret::new([5; 32]),
    };
    Auth::open(database.db.clone(), env(), config).unwrap()
}
