//! The real rooms behind the ports, on both engines.

use qiao_auth::keys::{KeyKind, generate_key};
use qiao_auth::{Auth, AuthConfig, NewUser, Permit, PluginCaller};
use qiao_catalog::Catalog;
use qiao_events::{Egress, Policy};
use qiao_model::{Env, Id, InstitutionId, Money, Scope, ScopeSet, Secret, UserId};
use qiao_payments::{Method, NewPayment, Party, Payments, Split};
use qiao_registry::{InstitutionKind, NewInstitution, Registry};

use super::fixture::{env, release, runtime, today, visit};
use crate::{
    ActivationError, CallError, Happening, JobRun, MessagesPortError, OrderState, Ports,
    ReleaseRef, RoomPorts,
};

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
        let auth = auth(&database, env());
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

#[tokio::test]
async fn a_plugin_may_write_to_a_follower_who_paid_lately() {
    qiao_tests::each_database(|database| async move {
        let rooms: [&[qiao_db::Migration]; 6] = [
            qiao_auth::MIGRATIONS,
            qiao_catalog::MIGRATIONS,
            qiao_events::MIGRATIONS,
            qiao_ledger::MIGRATIONS,
            qiao_payments::MIGRATIONS,
            qiao_registry::MIGRATIONS,
        ];
        database.db.migrate(&rooms).await.unwrap();
        let (db, env) = (database.db.clone(), env());
        let auth = auth(&database, env.clone());
        let payments = Payments::start(db.clone(), env.clone());
        let registry = Registry::new(db.clone(), env.clone(), auth.clone());
        let ports: Ports = RoomPorts {
            catalog: Catalog::new(db.clone(), env.clone()),
            payments: payments.clone(),
            registry: registry.clone(),
            egress: Egress::new().unwrap(),
            egress_policy: Policy::public_only(),
            auth: auth.clone(),
            db,
        }
        .into();
        let (_, founder) = person(&auth, "founder").await;
        let (_, jwk) = generate_key(KeyKind::Ed25519).unwrap();
        let new = NewInstitution {
            name: "Harvest".to_owned(),
            kind: InstitutionKind::Fund,
            handle: "harvest".to_owned(),
            summary: "Sells things.".to_owned(),
            jwks_json: serde_json::json!({ "keys": [jwk] }).to_string(),
        };
        let founded = registry.register_institution(&founder, new).await;
        let founded = founded.unwrap();
        let institution = founded.institution.id;
        let operator = auth.permit_system("test", Scope::Operate);
        let approved = registry.approve_institution(&operator, institution).await;
        approved.unwrap();
        let (user, permit) = person(&auth, "li.wei").await;
        registry.follow(&permit, founded.account.id).await.unwrap();
        let plugin = plugin(&auth, institution);
        let send = || {
            ports
                .messages
                .send(&plugin, user, "Your order is complete.")
        };
        assert_eq!(send().await, Err(MessagesPortError::QuotaExceeded));
        pay(&auth, &payments, &env, (user, institution)).await;
        assert_eq!(send().await, Ok(()));
    })
    .await;
}

async fn person(auth: &Auth, login: &str) -> (UserId, Permit) {
    let password = || Secret::new("a long enough secret".to_owned());
    let new = NewUser {
        login: login.to_owned(),
        name: login.to_owned(),
        password: password(),
    };
    let user = auth.sign_up(new).await.unwrap();
    let token = auth.log_in(login, &password()).await.unwrap();
    let session = auth.session(token.expose()).await.unwrap().unwrap();
    let permit = auth.permit_session(&session, Scope::Account).unwrap();
    (user, permit)
}

fn plugin(auth: &Auth, institution: InstitutionId) -> Permit {
    let caller = PluginCaller {
        plugin: Id::from_u128(0x12),
        release: Id::from_u128(0x13),
        institution,
        granted: ScopeSet::EMPTY.with(Scope::MessagesSend),
        on_behalf_of: None,
    };
    auth.permit_plugin(&caller, Scope::MessagesSend).unwrap()
}

async fn pay(
    auth: &Auth,
    payments: &Payments,
    env: &Env,
    (user, institution): (UserId, InstitutionId),
) {
    let system = auth.permit_system("test", Scope::PaymentsWrite);
    let amount = Money::cny(100);
    let top_up = payments.top_up(&system, user, amount, None).await;
    top_up.unwrap();
    let new = NewPayment {
        id: env.id(),
        order: None,
        institution: Some(institution),
        payer: Party::User(user),
        method: Method::Balance,
        amount,
        splits: vec![Split {
            receiver: Party::Institution(institution),
            amount,
            purpose: "principal".into(),
        }],
        deliveries: Vec::new(),
        description: "a test".to_owned(),
        expires_at: None,
    };
    payments.pay(&system, new, None).await.unwrap();
}

fn auth(database: &qiao_tests::TestDatabase, env: Env) -> Auth {
    let config = AuthConfig {
        issuer: "http://localhost".to_owned(),
        audience: "http://localhost/v1".to_owned(),
        signing_key_pem: generate_key(KeyKind::Ed25519).unwrap().0,
        pepper: Secret::new([5; 32]),
    };
    Auth::open(database.db.clone(), env, config).unwrap()
}
