//! Limits of single host calls: requests, responses, refunds and waits.

use std::future::{pending, ready};
use std::sync::Arc;
use std::time::Duration;

use qiao_auth::Permit;
use qiao_catalog::OrderKind;
use qiao_manifest::{EgressMethod, EgressRule};
use qiao_model::{Money, OrderId, Scope, ScopeSet};

use super::fixture::{Host, USER, guest_of, today};
use crate::bindings::v0_1_0::qiao::host as wit;
use crate::guest::{Guest, Purity};
use crate::limits::{
    CHARGE_KEY_BYTES_MAX, EGRESS_HEADERS_MAX, EGRESS_REQUEST_BYTES_MAX, EGRESS_RESPONSE_BYTES_MAX,
    EGRESS_WAIT_MAX, REFUND_KEY_BYTES_MAX, REFUND_REASON_CHARS_MAX,
};
use crate::ports::{Answering, EgressPort, EgressPortError, HttpRequest, HttpResponse};
use crate::stopwatch::Stopwatch;
use crate::{OrderState, PaymentView, PluginOrder};

use wit::egress::{EgressError, Host as _};
use wit::payments::{Host as _, PaymentsError};

/// Answers with as many bytes as the path says.
struct Sized;

impl EgressPort for Sized {
    fn send<'a>(
        &'a self,
        _permit: &'a Permit,
        request: HttpRequest,
    ) -> Answering<'a, Result<HttpResponse, EgressPortError>> {
        let bytes = request.url.path().rsplit('/').next().unwrap();
        let body = vec![0; bytes.parse().unwrap()];
        Box::pin(ready(Ok(HttpResponse {
            status: 200,
            headers: Vec::new(),
            body,
        })))
    }
}

/// Answers after a while.
struct Late(Duration);

impl EgressPort for Late {
    fn send<'a>(
        &'a self,
        _permit: &'a Permit,
        _request: HttpRequest,
    ) -> Answering<'a, Result<HttpResponse, EgressPortError>> {
        Box::pin(async {
            tokio::time::sleep(self.0).await;
            Ok(HttpResponse {
                status: 204,
                headers: Vec::new(),
                body: Vec::new(),
            })
        })
    }
}

fn with_rule(host: &Host) -> Guest {
    let scopes: ScopeSet = [Scope::Egress].into_iter().collect();
    let rule = EgressRule {
        name: "biller".to_owned(),
        url: "https://biller.example/api/".parse().unwrap(),
        methods: [EgressMethod::Get].into(),
        reason: String::new(),
    };
    guest_of(host, scopes, Purity::Effectful, vec![rule])
}

fn request(path: &str) -> wit::egress::Request {
    wit::egress::Request {
        method: wit::egress::Method::Get,
        rule: "biller".to_owned(),
        path: path.to_owned(),
        headers: Vec::new(),
        body: Vec::new(),
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn requests_and_responses_are_taken_at_their_limits_and_refused_one_past_them() {
    let host = Host::start_with(Some(Arc::new(Sized))).await;
    on_a_guest_thread(host, |host| {
        let fetch = |request| with_rule(host).fetch(request).unwrap();
        let invalid = |request| matches!(fetch(request), Err(EgressError::InvalidRequest(_)));
        let header = wit::egress::Header {
            name: "x-a".to_owned(),
            value: String::new(),
        };
        let headers = |count| wit::egress::Request {
            headers: vec![header.clone(); count],
            ..request("/0")
        };
        assert!(fetch(headers(EGRESS_HEADERS_MAX)).is_ok());
        assert!(invalid(headers(EGRESS_HEADERS_MAX + 1)));
        let body = |bytes| wit::egress::Request {
            body: vec![0; bytes],
            ..request("/0")
        };
        assert!(fetch(body(EGRESS_REQUEST_BYTES_MAX)).is_ok());
        assert!(invalid(body(EGRESS_REQUEST_BYTES_MAX + 1)));

        let full = fetch(request(&format!("/{EGRESS_RESPONSE_BYTES_MAX}"))).unwrap();
        assert_eq!(full.body.len(), EGRESS_RESPONSE_BYTES_MAX);
        let past = fetch(request(&format!("/{}", EGRESS_RESPONSE_BYTES_MAX + 1)));
        assert!(matches!(past, Err(EgressError::ResponseTooLarge(_))));
    })
    .await;
}

/// Tokio's clock stands still between the steps: nobody parks on this thread.
#[tokio::test]
async fn a_response_is_waited_for_as_long_as_the_limit_says() {
    let moment = Duration::from_millis(10);
    for (late, is_answered) in [
        (EGRESS_WAIT_MAX - moment, true),
        (Duration::from_secs(3_600), false),
    ] {
        let host = Host::start_with(Some(Arc::new(Late(late)))).await;
        let (tell, told) = std::sync::mpsc::channel();
        let runtime = tokio::runtime::Handle::current();
        tokio::time::pause();
        let guest = std::thread::spawn(move || {
            let _inside = runtime.enter();
            let mut guest = with_rule(&host);
            guest.meter.wait_left = Duration::from_secs(7_200);
            tell.send(guest.fetch(request("/")).unwrap()).unwrap();
        });
        let soon = Duration::from_millis(200);
        assert!(told.recv_timeout(soon).is_err());
        tokio::time::advance(EGRESS_WAIT_MAX - moment * 2).await;
        assert!(told.recv_timeout(soon).is_err(), "it is waited for");
        tokio::time::advance(moment * 3).await;
        let fetched = told.recv_timeout(Duration::from_secs(30)).unwrap();
        guest.join().unwrap();
        tokio::time::resume();
        match fetched {
            Ok(response) => assert!(is_answered && response.status == 204),
            Err(error) => assert!(!is_answered && matches!(error, EgressError::TimedOut)),
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_request_stays_within_the_manifests_rules() {
    let host = Host::start_with(Some(Arc::new(Sized))).await;
    on_a_guest_thread(host, |host| {
        let fetch = |request| with_rule(host).fetch(request).unwrap();
        assert!(fetch(request("/1")).is_ok());
        let other_rule = wit::egress::Request {
            rule: "other".to_owned(),
            ..request("/1")
        };
        assert!(matches!(fetch(other_rule), Err(EgressError::NotAllowed(_))));
        let other_method = wit::egress::Request {
            method: wit::egress::Method::Post,
            ..request("/1")
        };
        assert!(matches!(
            fetch(other_method),
            Err(EgressError::NotAllowed(_))
        ));
        let above = fetch(request("/../1"));
        assert!(matches!(above, Err(EgressError::InvalidRequest(_))));
        let mut shouting = request("/1");
        shouting.headers.push(wit::egress::Header {
            name: "X-A".to_owned(),
            value: String::new(),
        });
        assert!(matches!(
            fetch(shouting),
            Err(EgressError::InvalidRequest(_))
        ));
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_refund_happens_once_and_only_for_an_order_of_ones_own() {
    let host = Host::start().await;
    let id = OrderId::from_u128(1);
    let order = PluginOrder {
        id,
        kind: OrderKind::Pay,
        state: OrderState::Completed,
        product: "thing".to_owned(),
        reference: String::new(),
        user: USER,
        principal: Money::cny(1_000),
        confirmed_at: today().start(),
    };
    let payment = PaymentView {
        id: "pay_1".to_owned(),
        paid: Money::cny(1_000),
        refunded: Money::cny(0),
    };
    host.sandbox.set_order(order, payment);
    on_a_guest_thread(host, move |host| {
        let scopes: ScopeSet = [Scope::PaymentsRefund].into_iter().collect();
        let mut guest = guest_of(host, scopes, Purity::Effectful, Vec::new());
        let mut refund = |order: &str, fen: i64, reason: &str, key: &str| {
            let amount = wit::types::Money {
                minor: fen,
                currency: "CNY".to_owned(),
            };
            guest
                .refund(order.to_owned(), amount, reason.to_owned(), key.to_owned())
                .unwrap()
        };
        let own = id.to_string();
        let refunded = refund(&own, 400, "late", "a").unwrap();
        assert_eq!(refunded.refunded.minor, 400);
        let again = refund(&own, 400, "late", "a").unwrap();
        assert_eq!(again.refunded.minor, 400);
        let other = refund(&own, 401, "late", "a");
        assert!(matches!(other, Err(PaymentsError::WrongState(_))));
        let past = refund(&own, 601, "late", "b");
        assert!(matches!(past, Err(PaymentsError::ExceedsRefundable(600))));
        let unknown = refund(&OrderId::from_u128(2).to_string(), 1, "late", "c");
        assert!(matches!(unknown, Err(PaymentsError::UnknownOrder(_))));
        let no_id = refund("ord_1", 1, "late", "c");
        assert!(matches!(no_id, Err(PaymentsError::UnknownOrder(_))));
        for fen in [0, -1] {
            let refused = refund(&own, fen, "late", "d");
            assert!(matches!(refused, Err(PaymentsError::WrongState(_))));
        }

        let key = "k".repeat(REFUND_KEY_BYTES_MAX);
        let reason = "因".repeat(REFUND_REASON_CHARS_MAX);
        assert!(refund(&own, 1, &reason, &key).is_ok());
        assert!(refund(&own, 1, &reason, &(key + "k")).is_err());
        assert!(refund(&own, 1, &(reason + "x"), "e").is_err());
        assert!(refund(&own, 1, "", "").is_err());
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_key_of_a_charge_is_plain_text_of_a_bounded_length() {
    let host = Host::start().await;
    on_a_guest_thread(host, |host| {
        let scopes: ScopeSet = [Scope::PaymentsCharge].into_iter().collect();
        let mut guest = guest_of(host, scopes, Purity::Effectful, Vec::new());
        let mut charge = |key: &str| {
            let offer = wit::types::Offer {
                product: "thing".to_owned(),
                kind: wit::types::OrderKind::Pay,
                title: "Thing".to_owned(),
                amount: None,
                units_minor: None,
                reference: String::new(),
                facts: Vec::new(),
            };
            let charge = wit::payments::NewCharge {
                mandate: "nobody's".to_owned(),
                offer,
                key: key.to_owned(),
            };
            guest.charge(charge).unwrap()
        };
        let key = "k".repeat(CHARGE_KEY_BYTES_MAX);
        let taken = charge(&key);
        assert!(matches!(taken, Err(PaymentsError::UnknownMandate(_))));
        for refused in [key + "k", String::new(), "a\0b".to_owned()] {
            let refused = charge(&refused);
            assert!(matches!(refused, Err(PaymentsError::NotOrderable(_))));
        }
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_waits_of_an_invocation_are_bounded_together() {
    let host = Host::start().await;
    on_a_guest_thread(host, |host| {
        let mut guest = guest_of(host, ScopeSet::EMPTY, Purity::Effectful, Vec::new());
        guest.meter.wait_left = Duration::from_millis(50);
        let stopwatch = Stopwatch::start();
        assert_eq!(
            guest.wait(tokio::time::sleep(Duration::from_millis(10))),
            Some(())
        );
        assert_eq!(guest.wait(pending::<()>()), None);
        assert_eq!(guest.wait(pending::<()>()), None);
        // What is there at once needs no waiting.
        assert_eq!(guest.wait(ready(7)), Some(7));
        let elapsed = stopwatch.elapsed();
        assert!(elapsed >= Duration::from_millis(50) && elapsed < Duration::from_secs(2));
    })
    .await;
}

async fn on_a_guest_thread(host: Host, test: impl FnOnce(&Host) + Send + 'static) {
    tokio::task::spawn_blocking(move || test(&host))
        .await
        .unwrap();
}
