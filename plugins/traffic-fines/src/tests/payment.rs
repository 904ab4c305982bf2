use super::*;

fn fine_offer() -> Offer {
    Offer::pay(FINE, "Traffic fine", Money::cny(20_000)).reference("BJA12345-1")
}

#[test]
fn a_quote_is_the_amount_of_the_offer() {
    with_host(|host| {
        let quote = host
            .quoting(|| TrafficFines::quote(quote_request(fine_offer(), None)))
            .unwrap();
        assert_eq!(quote.principal, Money::cny(20_000));
        assert_eq!(quote.unit_price_e4, None);
    });
}

#[test]
fn what_is_no_fine_is_not_quoted() {
    let quote = |offer| TrafficFines::quote(quote_request(offer, None));
    for offer in [
        Offer {
            product: "gold".to_owned(),
            ..fine_offer()
        },
        Offer {
            amount: Some(Money::new(20_000, "USD")),
            ..fine_offer()
        },
        Offer {
            amount: None,
            ..fine_offer()
        },
        Offer {
            reference: String::new(),
            ..fine_offer()
        },
        Offer::redeem(FINE, "Redeem", Units(1)).reference("BJA12345-1"),
    ] {
        assert!(matches!(quote(offer), Err(QuoteError::NotAvailable(_))));
    }
    for minor in [i64::MIN, 0, 5_000_001, i64::MAX] {
        let offer = Offer {
            amount: Some(Money::cny(minor)),
            ..fine_offer()
        };
        assert!(matches!(quote(offer), Err(QuoteError::AmountOutOfRange(_))));
    }
}

fn attempt(attempt: u32) -> Order {
    Order {
        attempt,
        ..order(fine_offer(), Money::cny(20_000))
    }
}

fn fulfil(
    host: &FakeHost,
    number: u32,
    status: u16,
    body: &str,
) -> Result<Fulfilment, FulfilError> {
    host.reply(Method::Post, "biller", "/payments", status, body);
    TrafficFines::fulfil(attempt(number))
}

#[test]
fn a_paid_fine_has_the_receipt_that_the_authority_issued() {
    with_host(|host| {
        for status in [200, 201] {
            let done = fulfil(
                host,
                1,
                status,
                r#"{"status":"paid","receipt":"TA-2026-000001"}"#,
            );
            let Ok(Fulfilment::Done(receipt)) = done else {
                panic!("{done:?}");
            };
            assert_eq!(receipt.number, "TA-2026-000001");
        }
        let request = &host.requests()[0];
        let body: Value = serde_json::from_slice(&request.body).unwrap();
        assert_eq!(
            body,
            json!({"fine": "BJA12345-1", "amount_minor": 20_000, "currency": "CNY", "order": "ord_1"})
        );
        assert!(
            request
                .headers
                .iter()
                .any(|h| h.name == "idempotency-key" && h.value == "ord_1")
        );
    });
}

#[test]
fn a_payment_that_the_authority_refuses_is_rejected_with_its_reason() {
    with_host(|host| {
        for (number, status) in [(1, 422), (7, 422), (1, 409), (7, 200)] {
            let refusal = fulfil(
                host,
                number,
                status,
                r#"{"status":"failed","reason":"paid at the counter"}"#,
            );
            assert_eq!(
                refusal,
                Err(FulfilError::Rejected("paid at the counter".to_owned()))
            );
        }
    });
}

#[test]
fn a_refusal_without_the_authoritys_word_counts_on_the_first_try_alone() {
    with_host(|host| {
        for status in [400, 401, 403, 404] {
            assert!(matches!(
                fulfil(host, 1, status, ""),
                Err(FulfilError::Rejected(_))
            ));
            assert!(matches!(
                fulfil(host, 2, status, ""),
                Err(FulfilError::Unknown(_))
            ));
        }
    });
}

#[test]
fn an_answer_that_leaves_the_outcome_open_is_unknown() {
    with_host(|host| {
        for (status, body) in [
            (500, ""),
            (502, r#"{"status":"failed"}"#),
            (503, "{}"),
            (408, ""),
            (425, ""),
            (429, ""),
            (200, ""),
            (200, "<html>"),
            (200, r#"{"status":"maybe"}"#),
            (201, r#"{"status":"paid"}"#),
            (201, r#"{"status":"paid","receipt":""}"#),
            (204, ""),
            (302, ""),
        ] {
            let outcome = fulfil(host, 1, status, body);
            assert!(
                matches!(outcome, Err(FulfilError::Unknown(_))),
                "{status} {body}: {outcome:?}"
            );
        }
        let long = json!({"status": "paid", "receipt": "9".repeat(65)}).to_string();
        assert!(matches!(
            fulfil(host, 1, 200, &long),
            Err(FulfilError::Unknown(_))
        ));
    });
}

#[test]
fn an_accepted_payment_is_asked_for_again() {
    with_host(|host| {
        for (body, seconds) in [
            (r#"{"status":"pending","retry_after_s":30}"#, 30),
            (r#"{"status":"pending"}"#, 5),
            (r#"{"status":"pending","retry_after_s":0}"#, 1),
            (r#"{"status":"pending","retry_after_s":999999}"#, 3_600),
            ("", 5),
        ] {
            assert_eq!(fulfil(host, 1, 202, body), Ok(Fulfilment::Pending(seconds)));
        }
    });
}

fn fulfil_failing(
    host: &FakeHost,
    number: u32,
    error: EgressError,
) -> Result<Fulfilment, FulfilError> {
    host.fail(Method::Post, "biller", "/payments", error);
    TrafficFines::fulfil(attempt(number))
}

#[test]
fn a_request_that_may_have_arrived_is_unknown() {
    with_host(|host| {
        for error in [
            EgressError::TimedOut,
            EgressError::Unreachable,
            EgressError::ResponseTooLarge(9),
        ] {
            for number in [1, 2] {
                let outcome = fulfil_failing(host, number, error.clone());
                assert!(matches!(outcome, Err(FulfilError::Unknown(_))), "{error}");
            }
        }
    });
}

#[test]
fn a_request_that_the_host_refuses_is_rejected_on_the_first_try_alone() {
    with_host(|host| {
        for error in [
            EgressError::NotAllowed("biller".to_owned()),
            EgressError::PrivateNetwork,
            EgressError::InvalidRequest("path".to_owned()),
            EgressError::Denied("egress".to_owned()),
        ] {
            assert!(matches!(
                fulfil_failing(host, 1, error.clone()),
                Err(FulfilError::Rejected(_))
            ));
            assert!(matches!(
                fulfil_failing(host, 2, error),
                Err(FulfilError::Unknown(_))
            ));
        }
    });
}

#[test]
fn an_order_of_something_else_is_rejected_without_telling_anybody() {
    with_host(|host| {
        let mut gold = attempt(1);
        gold.offer.product = "gold".to_owned();
        assert!(matches!(
            TrafficFines::fulfil(gold),
            Err(FulfilError::Rejected(_))
        ));
        assert_eq!(host.requests(), []);
    });
}

#[test]
fn a_cancellation_is_told_to_the_authority() {
    with_host(|host| {
        for (status, body) in [(200, "{}"), (404, "{}")] {
            host.reply(Method::Post, "biller", "/cancellations", status, body);
            assert_eq!(TrafficFines::cancel(attempt(1)), Ok(()));
        }
        let body: Value = serde_json::from_slice(&host.requests()[0].body).unwrap();
        assert_eq!(body, json!({"order": "ord_1"}));
    });
}

#[test]
fn a_cancellation_that_fails_is_rejected_or_unknown() {
    with_host(|host| {
        host.reply(
            Method::Post,
            "biller",
            "/cancellations",
            409,
            r#"{"reason":"too late"}"#,
        );
        let refusal = TrafficFines::cancel(attempt(1));
        assert_eq!(refusal, Err(FulfilError::Rejected("too late".to_owned())));
        for status in [500, 503, 429] {
            host.reply(Method::Post, "biller", "/cancellations", status, "");
            assert!(matches!(
                TrafficFines::cancel(attempt(1)),
                Err(FulfilError::Unknown(_))
            ));
        }
        host.fail(
            Method::Post,
            "biller",
            "/cancellations",
            EgressError::TimedOut,
        );
        assert!(matches!(
            TrafficFines::cancel(attempt(1)),
            Err(FulfilError::Unknown(_))
        ));
    });
}
