use super::fixture::{Host, quote_request, thing_offer, visit};
use crate::{CallError, Function, Outcome, QuoteError};

#[tokio::test(flavor = "multi_thread")]
async fn a_quote_may_log_and_call_nothing_else() {
    let host = Host::start().await;
    let impure = host.load("guest-impure").await;
    // With the scope, outside of a quote, the same call works.
    let page = host.runtime.open(&impure, &visit("count")).await.unwrap();
    assert_eq!(page.title, "Read");

    let quote = host
        .runtime
        .quote(&impure, &quote_request(thing_offer("")))
        .await;
    let Err(CallError::Guest(QuoteError::NotAvailable(reason))) = quote else {
        panic!("{quote:?}");
    };
    assert!(reason.contains("pure"), "{reason}");

    let records = host.runtime.take_invocations();
    let quote = records
        .iter()
        .find(|record| record.function == Function::Quote);
    let quote = quote.unwrap();
    assert!(matches!(quote.outcome, Outcome::Refused(_)));
    assert_eq!(quote.log[0].message, "a quote may log");
}
