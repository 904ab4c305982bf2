use std::time::Duration;

use qiao_model::EventId;
use tokio::task::JoinSet;

use super::fixture::{Host, USER, placed_order, quote_request, submission, thing_offer, visit};
use crate::stopwatch::Stopwatch;
use crate::{CallError, Event, FaultKind, Function, Happening, JobRun, Loaded, Outcome, Runtime};

async fn open_fault(runtime: &Runtime, guest: &std::sync::Arc<Loaded>, service: &str) -> FaultKind {
    match runtime.open(guest, &visit(service)).await {
        Err(CallError::Trap(fault)) => fault.kind,
        other => panic!("{service}: {other:?}"),
    }
}

/// The neighbour's call and the guest's own next call work.
async fn nothing_else_is_touched(host: &Host, guest: &std::sync::Arc<Loaded>) {
    host.runtime.open(guest, &visit("calm")).await.unwrap();
    let neighbour = host.load("hello-plugin").await;
    host.runtime.activate(&neighbour).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_guest_that_loops_is_stopped_everywhere() {
    let host = Host::start().await;
    let looper = host.load("guest-looper").await;
    let runtime = &host.runtime;
    let stopwatch = Stopwatch::start();

    let kind = open_fault(runtime, &looper, "loop").await;
    assert!(matches!(kind, FaultKind::OutOfFuel | FaultKind::Deadline));

    let quote = runtime
        .quote(&looper, &quote_request(thing_offer("loop-quote")))
        .await;
    assert!(matches!(quote, Err(CallError::Trap(fault))
        if matches!(fault.kind, FaultKind::OutOfFuel | FaultKind::Deadline)));

    let fulfil = runtime
        .fulfil(&looper, &placed_order(thing_offer("loop-fulfil")))
        .await;
    assert!(matches!(fulfil, Err(CallError::Trap(_))));

    let cancel = runtime
        .cancel(&looper, &placed_order(thing_offer("loop-cancel")))
        .await;
    assert!(matches!(cancel, Err(CallError::Trap(_))));

    let submit = runtime
        .submit(&looper, &submission("loop", "loop", &[]))
        .await;
    assert!(matches!(submit, Err(CallError::Trap(_))));

    let event = Event {
        id: EventId::from_u128(1),
        at: super::fixture::today().start(),
        happening: Happening::Followed { user: USER },
    };
    let event = runtime.handle_event(&looper, &event).await;
    assert!(matches!(event, Err(CallError::Trap(_))));

    let run = JobRun {
        name: "loop".to_owned(),
        day: super::fixture::today(),
        due_at: super::fixture::today().start(),
    };
    let job = runtime.run_job(&looper, &run).await;
    assert!(matches!(job, Err(CallError::Trap(_))));

    assert!(stopwatch.elapsed() < Duration::from_secs(40));
    let mut looped = runtime.take_invocations();
    looped.retain(|record| matches!(record.outcome, Outcome::Faulted(_)));
    let functions: Vec<_> = looped.iter().map(|record| record.function).collect();
    let expected = [
        Function::Open,
        Function::Quote,
        Function::Fulfil,
        Function::Cancel,
        Function::Submit,
        Function::Event,
        Function::Job,
    ];
    assert_eq!(functions, expected);
    for record in looped {
        let Outcome::Faulted(fault) = &record.outcome else {
            continue;
        };
        // Each by its own budget: to the last unit, or for as long as it may run.
        let (fuel_max, run_max) = (record.function.fuel_max(), record.function.run_max());
        match fault.kind {
            FaultKind::OutOfFuel => assert_eq!(record.fuel, fuel_max, "{record:?}"),
            _ => assert!(
                u128::from(record.duration_us) >= run_max.as_micros(),
                "{record:?}"
            ),
        }
    }
    runtime
        .quote(&looper, &quote_request(thing_offer("calm")))
        .await
        .unwrap();
    nothing_else_is_touched(&host, &looper).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_guest_that_eats_memory_or_gives_too_much_is_stopped() {
    let host = Host::start().await;
    let eater = host.load("guest-eater").await;
    assert_eq!(
        open_fault(&host.runtime, &eater, "memory").await,
        FaultKind::Memory
    );
    assert_eq!(
        open_fault(&host.runtime, &eater, "blocks").await,
        FaultKind::InvalidAnswer
    );
    let bytes = open_fault(&host.runtime, &eater, "bytes").await;
    assert!(matches!(
        bytes,
        FaultKind::InvalidAnswer | FaultKind::Transfer
    ));
    nothing_else_is_touched(&host, &eater).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_guest_that_traps_says_why_and_where() {
    let host = Host::start().await;
    let trapper = host.load("guest-trapper").await;
    assert_eq!(
        open_fault(&host.runtime, &trapper, "panic").await,
        FaultKind::Trap
    );
    assert_eq!(
        open_fault(&host.runtime, &trapper, "unreachable").await,
        FaultKind::Trap
    );
    let recursion = open_fault(&host.runtime, &trapper, "recursion").await;
    // Its own stack in linear memory or the host's: whichever ends first.
    assert!(matches!(
        recursion,
        FaultKind::Stack | FaultKind::Trap | FaultKind::OutOfFuel
    ));
    let quote = host
        .runtime
        .quote(&trapper, &quote_request(thing_offer("trap-quote")))
        .await;
    assert!(matches!(quote, Err(CallError::Trap(fault)) if fault.kind == FaultKind::Trap));
    let order = placed_order(thing_offer("trap-cancel"));
    let cancel = host.runtime.cancel(&trapper, &order).await;
    assert!(matches!(cancel, Err(CallError::Trap(fault)) if fault.kind == FaultKind::Trap));
    nothing_else_is_touched(&host, &trapper).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_guest_that_floods_its_host_is_stopped() {
    let host = Host::start().await;
    let flooder = host.load("guest-flooder").await;
    assert_eq!(
        open_fault(&host.runtime, &flooder, "log").await,
        FaultKind::LogFlood
    );
    assert_eq!(
        open_fault(&host.runtime, &flooder, "calls").await,
        FaultKind::HostCalls
    );
    let line = open_fault(&host.runtime, &flooder, "line").await;
    assert!(matches!(line, FaultKind::LogFlood | FaultKind::Transfer));
    // A full store is a typed refusal, which the guest turns into a page.
    let page = host
        .runtime
        .open(&flooder, &visit("storage"))
        .await
        .unwrap();
    let kept: usize = page.title.parse().unwrap();
    let most = crate::limits::STORAGE_BYTES_MAX / (4 * 1024);
    assert!((most - 10..=most).contains(&kept), "{kept} of {most}");
    nothing_else_is_touched(&host, &flooder).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn neighbours_are_served_while_guests_loop() {
    let host = Host::start().await;
    let looper = host.load("guest-looper").await;
    let fund = host.load("money-fund").await;
    let mut loops = JoinSet::new();
    for _ in 0..8 {
        let (runtime, looper) = (host.runtime.clone(), looper.clone());
        loops.spawn(async move { runtime.open(&looper, &visit("loop")).await });
    }
    for _ in 0..20 {
        host.runtime.open(&fund, &visit("about")).await.unwrap();
    }
    for looping in loops.join_all().await {
        assert!(matches!(looping, Err(CallError::Trap(_))));
    }
}
