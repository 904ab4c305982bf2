use super::fixture::{Host, fund_offer, placed_order, quote_request, submission, today, visit};
use crate::{
    Answer, Block, CallError, Event, Fulfilment, Happening, JobError, JobRun, LoadError,
    OrderState, PageError,
};
use qiao_catalog::OrderKind;
use qiao_model::{EventId, Money, OrderId};

#[tokio::test(flavor = "multi_thread")]
async fn a_plugin_registers_opens_quotes_and_fulfils() {
    let host = Host::start().await;
    let fund = host.load("money-fund").await;
    let runtime = &host.runtime;

    runtime.activate(&fund).await.unwrap();
    let products = host.sandbox.products();
    assert_eq!(products.len(), 1);
    assert_eq!(products[0].code, "steady-money");
    assert!(products[0].in_units && !products[0].fees.is_empty());

    let page = runtime.open(&fund, &visit("invest")).await.unwrap();
    assert!(
        page.blocks
            .iter()
            .any(|block| matches!(block, Block::Form(_)))
    );

    let form = page.blocks.iter().find_map(|block| match block {
        Block::Form(form) if form.name == "buy" => Some(form),
        _ => None,
    });
    let amount = &form.unwrap().inputs[0].name;
    let buy = submission("invest", "buy", &[(amount, "1000.00")]);
    let Answer::Offer(offer) = runtime.submit(&fund, &buy).await.unwrap() else {
        panic!("a purchase leads to an offer");
    };
    assert_eq!(offer.amount, Some(Money::cny(100_000)));
    assert_eq!(offer.kind, OrderKind::Purchase);

    let quoted = runtime
        .quote(&fund, &quote_request(offer.clone()))
        .await
        .unwrap();
    assert_eq!(quoted.quote.principal, Money::cny(100_000));
    assert_eq!(quoted.quote.unit_price_e4, Some(10_000));

    let fulfilled = runtime.fulfil(&fund, &placed_order(offer)).await.unwrap();
    let Fulfilment::Done(receipt) = fulfilled else {
        panic!("a fund order is fulfilled at once");
    };
    assert!(receipt.number.starts_with("SMF-"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_job_publishes_a_price_and_an_event_sends_a_message() {
    let host = Host::start().await;
    let fund = host.load("money-fund").await;
    let runtime = &host.runtime;
    runtime.activate(&fund).await.unwrap();

    let run = JobRun {
        name: "daily-yield".to_owned(),
        day: today(),
        due_at: today().start(),
    };
    runtime.run_job(&fund, &run).await.unwrap();
    runtime.run_job(&fund, &run).await.unwrap();
    let price = host.sandbox.latest_price("steady-money").unwrap();
    assert_eq!((price.day, price.nav_e4), (today(), 10_000));

    let unknown = JobRun {
        name: "nightly".to_owned(),
        ..run
    };
    let refused = runtime.run_job(&fund, &unknown).await.unwrap_err();
    assert_eq!(
        refused,
        CallError::Guest(JobError::UnknownJob("nightly".to_owned()))
    );

    let order = OrderId::from_u128(1);
    host.sandbox.set_order(
        crate::PluginOrder {
            id: order,
            kind: OrderKind::Purchase,
            state: OrderState::Completed,
            product: "steady-money".to_owned(),
            reference: String::new(),
            user: super::fixture::USER,
            principal: Money::cny(100_000),
            confirmed_at: today().start(),
        },
        crate::PaymentView {
            id: "pay_1".to_owned(),
            paid: Money::cny(100_000),
            refunded: Money::cny(0),
        },
    );
    let event = Event {
        id: EventId::from_u128(1),
        at: today().start(),
        happening: Happening::OrderChanged {
            order,
            state: OrderState::Completed,
            user: super::fixture::USER,
        },
    };
    runtime.handle_event(&fund, &event).await.unwrap();
    assert_eq!(host.sandbox.messages().len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_typed_refusal_is_not_a_fault() {
    let host = Host::start().await;
    let fund = host.load("money-fund").await;
    let refused = host
        .runtime
        .open(&fund, &visit("nothing"))
        .await
        .unwrap_err();
    assert_eq!(
        refused,
        CallError::Guest(PageError::NotFound("nothing".to_owned()))
    );
    let stats = host.runtime.stats();
    assert_eq!((stats.refused, stats.faulted), (1, 0));
}

#[tokio::test(flavor = "multi_thread")]
async fn the_same_request_gives_the_same_quote_for_the_same_fuel() {
    let host = Host::start().await;
    let fund = host.load("money-fund").await;
    let request = quote_request(fund_offer());
    let first = host.runtime.quote(&fund, &request).await.unwrap();
    let again = host.runtime.quote(&fund, &request).await.unwrap();
    assert_eq!(first, again);
    fund.found_quote_too_large_for_inline();
    let on_a_guest_thread = host.runtime.quote(&fund, &request).await.unwrap();
    assert_eq!(first, on_a_guest_thread);

    let mut other = request;
    other.offer.amount = Some(Money::cny(100_001));
    let other = host.runtime.quote(&fund, &other).await.unwrap();
    assert_ne!(first.input_hash, other.input_hash);
    assert_ne!(first.output_hash, other.output_hash);

    // Another host process computes the same.
    let elsewhere = Host::start().await;
    let fund = elsewhere.load("money-fund").await;
    let request = quote_request(fund_offer());
    assert_eq!(
        elsewhere.runtime.quote(&fund, &request).await.unwrap(),
        first
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn bytes_of_another_digest_are_not_loaded() {
    let host = Host::start().await;
    let bytes = qiao_tests::guests::component("hello-plugin");
    let (manifest, _) = qiao_manifest::extract(&bytes).unwrap();
    let mut release = super::fixture::release(&bytes, &manifest);
    release.digest = "0".repeat(64);
    let refused = host.runtime.load(&release, &bytes).await.unwrap_err();
    assert!(matches!(refused, LoadError::WrongDigest));
}
