//! Every host call without its scope, and every host call from a quote.

use super::fixture::{Host, USER, guest_of};
use crate::LogLevel;
use crate::bindings::v0_1_0::qiao::host as wit;
use crate::guest::{Guest, Purity};
use qiao_model::{InstitutionId, Scope, ScopeSet};

use wit::catalog::Host as _;
use wit::egress::Host as _;
use wit::log::Host as _;
use wit::messages::Host as _;
use wit::orders::Host as _;
use wit::payments::Host as _;
use wit::storage::Host as _;
use wit::users::Host as _;

fn guest(host: &Host, scopes: ScopeSet, purity: Purity) -> Guest {
    guest_of(host, scopes, purity, Vec::new())
}

/// How a host call was answered: whether it was denied.
type Call = fn(&mut Guest) -> wasmtime::Result<bool>;

macro_rules! denied {
    ($call:expr, $error:path) => {{
        let call: Call = |guest| {
            let call: fn(&mut Guest) -> _ = $call;
            Ok(matches!(call(guest)?, Err($error(_))))
        };
        call
    }};
}

/// Every function of the host but `log.write`, with the one scope that it needs.
fn calls() -> Vec<(&'static str, Scope, Call)> {
    use wit::catalog::CatalogError::Denied as Catalog;
    use wit::egress::EgressError::Denied as Egress;
    use wit::messages::MessagesError::Denied as Messages;
    use wit::orders::OrdersError::Denied as Orders;
    use wit::payments::PaymentsError::Denied as Payments;
    use wit::storage::StorageError::Denied as Storage;
    use wit::users::UsersError::Denied as Users;
    vec![
        (
            "register-product",
            Scope::CatalogWrite,
            denied!(|g| g.register_product(product()), Catalog),
        ),
        (
            "publish-price",
            Scope::CatalogWrite,
            denied!(|g| g.publish_price(text(), price()), Catalog),
        ),
        (
            "latest-price",
            Scope::CatalogWrite,
            denied!(|g| g.latest_price(text()), Catalog),
        ),
        (
            "payments.get",
            Scope::PaymentsRead,
            denied!(|g| wit::payments::Host::get(g, text()), Payments),
        ),
        (
            "refund",
            Scope::PaymentsRefund,
            denied!(|g| g.refund(text(), money(), text(), text()), Payments),
        ),
        (
            "charge",
            Scope::PaymentsCharge,
            denied!(|g| g.charge(charge()), Payments),
        ),
        (
            "orders.get",
            Scope::OrdersRead,
            denied!(|g| wit::orders::Host::get(g, text()), Orders),
        ),
        (
            "by-reference",
            Scope::OrdersRead,
            denied!(|g| g.by_reference(text()), Orders),
        ),
        (
            "profile",
            Scope::UsersProfile,
            denied!(|g| g.profile(text()), Users),
        ),
        (
            "holding",
            Scope::HoldingsRead,
            denied!(|g| g.holding(text(), text()), Users),
        ),
        (
            "send",
            Scope::MessagesSend,
            denied!(|g| g.send(text(), text()), Messages),
        ),
        (
            "storage.get",
            Scope::Storage,
            denied!(|g| wit::storage::Host::get(g, text()), Storage),
        ),
        (
            "set",
            Scope::Storage,
            denied!(|g| g.set(text(), Vec::new()), Storage),
        ),
        (
            "delete",
            Scope::Storage,
            denied!(|g| g.delete(text()), Storage),
        ),
        (
            "keys",
            Scope::Storage,
            denied!(|g| g.keys(text(), None), Storage),
        ),
        (
            "fetch",
            Scope::Egress,
            denied!(|g| g.fetch(request()), Egress),
        ),
    ]
}

#[tokio::test(flavor = "multi_thread")]
async fn every_host_call_needs_exactly_its_own_scope() {
    let host = Host::start().await;
    on_a_guest_thread(host, |host| {
        for (name, scope, call) in calls() {
            let only: ScopeSet = [scope].into_iter().collect();
            let others: ScopeSet = Scope::ALL.into_iter().filter(|s| *s != scope).collect();
            let with = |scopes| call(&mut guest(host, scopes, Purity::Effectful)).unwrap();
            assert!(with(ScopeSet::EMPTY), "{name} without a scope");
            assert!(with(others), "{name} with every other scope");
            assert!(!with(only), "{name} with its scope");
        }
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn no_host_call_but_log_works_in_a_quote() {
    let host = Host::start().await;
    on_a_guest_thread(host, |host| {
        let all: ScopeSet = Scope::ALL.into_iter().collect();
        for (name, _, call) in calls() {
            assert!(call(&mut guest(host, all, Purity::Pure)).unwrap(), "{name}");
        }
        let mut guest = guest(host, ScopeSet::EMPTY, Purity::Pure);
        guest
            .write(wit::log::Level::Warn, "a line".to_owned())
            .unwrap();
        assert_eq!(guest.meter.log[0].level, LogLevel::Warn);
    })
    .await;
}

#[test]
fn the_contract_has_no_host_call_that_these_tests_do_not_make() {
    let contract = include_str!("../../../../sdk/wit/0.1.0/deps/host.wit");
    let functions = contract.matches(": func(").count();
    assert_eq!(functions, calls().len() + 1, "a host call is missing above");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_guest_learns_about_nobody_but_the_person_of_the_call() {
    let host = Host::start().await;
    on_a_guest_thread(host, |host| {
        let scopes: ScopeSet = [Scope::UsersProfile, Scope::HoldingsRead]
            .into_iter()
            .collect();
        let mut present = guest(host, scopes, Purity::Effectful);
        let profile = present.profile(host.subject()).unwrap();
        assert_eq!(profile.unwrap().display_name, "Wang Fang");

        let other = host.auth.subject(
            InstitutionId::from_u128(3),
            qiao_model::UserId::from_u128(8),
        );
        let profile = present.profile(other).unwrap();
        assert!(matches!(profile, Err(wit::users::UsersError::NotPresent)));
        // The pseudonym that another institution knows the same person by.
        let foreign = host.auth.subject(InstitutionId::from_u128(4), USER);
        let holding = present.holding(foreign, text()).unwrap();
        assert!(matches!(holding, Err(wit::users::UsersError::NotPresent)));

        let mut nobody = guest(host, scopes, Purity::Effectful);
        nobody.user = None;
        let profile = nobody.profile(host.subject()).unwrap();
        assert!(matches!(profile, Err(wit::users::UsersError::NotPresent)));
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn keys_values_and_messages_are_taken_at_their_limits_and_refused_one_past_them() {
    use crate::limits::{MESSAGE_CHARS_MAX, STORAGE_KEY_BYTES_MAX, STORAGE_VALUE_BYTES_MAX};
    let host = Host::start().await;
    on_a_guest_thread(host, |host| {
        let scopes: ScopeSet = [Scope::Storage, Scope::MessagesSend].into_iter().collect();
        let mut guest = guest(host, scopes, Purity::Effectful);
        let key = "k".repeat(STORAGE_KEY_BYTES_MAX);
        let value = vec![0; STORAGE_VALUE_BYTES_MAX];
        assert!(guest.set(key.clone(), value.clone()).unwrap().is_ok());
        let past = guest.set(key.clone() + "k", Vec::new()).unwrap();
        assert!(matches!(past, Err(wit::storage::StorageError::InvalidKey)));
        let empty = guest.set(String::new(), Vec::new()).unwrap();
        assert!(matches!(empty, Err(wit::storage::StorageError::InvalidKey)));
        let past = guest.set(key, [value, vec![0]].concat()).unwrap();
        assert!(matches!(
            past,
            Err(wit::storage::StorageError::ValueTooLarge(_))
        ));

        // The subject of a person who is no user of this database is nobody's follower.
        let text = "文".repeat(MESSAGE_CHARS_MAX);
        let sent = guest.send(host.subject(), text.clone()).unwrap();
        assert!(!matches!(
            sent,
            Err(wit::messages::MessagesError::InvalidText)
        ));
        for refused in [text + "x", String::new(), " \n".to_owned()] {
            let sent = guest.send(host.subject(), refused).unwrap();
            assert!(matches!(
                sent,
                Err(wit::messages::MessagesError::InvalidText)
            ));
        }
    })
    .await;
}

/// Host calls wait for the host, so they may not run on a thread of its own.
async fn on_a_guest_thread(host: Host, test: impl FnOnce(&Host) + Send + 'static) {
    tokio::task::spawn_blocking(move || test(&host))
        .await
        .unwrap();
}

fn text() -> String {
    "x".to_owned()
}

fn money() -> wit::types::Money {
    wit::types::Money {
        minor: 1,
        currency: "CNY".to_owned(),
    }
}

fn charge() -> wit::payments::NewCharge {
    wit::payments::NewCharge {
        mandate: text(),
        offer: wit::types::Offer {
            product: text(),
            kind: wit::types::OrderKind::Pay,
            title: text(),
            amount: Some(money()),
            units_minor: None,
            reference: text(),
            facts: Vec::new(),
        },
        key: text(),
    }
}

fn price() -> wit::types::Price {
    wit::types::Price {
        day: wit::types::Date {
            year: 2026,
            month: 11,
            day: 22,
        },
        nav_e4: 10_000,
        income_per_10k_e4: None,
        yield_7d_ppm: None,
    }
}

fn product() -> wit::catalog::Product {
    wit::catalog::Product {
        code: text(),
        name: text(),
        summary: text(),
        currency: "CNY".to_owned(),
        in_units: false,
        capture: wit::catalog::Capture::OnFulfilment,
        redemption: wit::catalog::Redemption::Ordinary,
        fees: wit::catalog::FeeSchedule {
            effective_from: None,
            lines: Vec::new(),
            accrued: Vec::new(),
        },
    }
}

fn request() -> wit::egress::Request {
    wit::egress::Request {
        method: wit::egress::Method::Get,
        rule: text(),
        path: "/".to_owned(),
        headers: Vec::new(),
        body: Vec::new(),
    }
}
