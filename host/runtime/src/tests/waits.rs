use std::sync::Arc;
use std::time::Duration;

use qiao_auth::Permit;

use super::fixture::{Host, submission};
use crate::ports::{Answering, EgressPort, EgressPortError, HttpRequest, HttpResponse};
use crate::stopwatch::Stopwatch;
use crate::{Answer, Block, CallError, PageError};

/// A billing server that takes its time.
struct Slow(Duration);

impl EgressPort for Slow {
    fn send<'a>(
        &'a self,
        _permit: &'a Permit,
        request: HttpRequest,
    ) -> Answering<'a, Result<HttpResponse, EgressPortError>> {
        Box::pin(async move {
            tokio::time::sleep(self.0).await;
            assert_eq!(request.url.host_str(), Some("127.0.0.1"));
            Ok(HttpResponse {
                status: 200,
                headers: vec![("content-type".to_owned(), "application/json".to_owned())],
                body: b"[]".to_vec(),
            })
        })
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_guest_that_waits_gives_its_core_to_others_and_loses_no_time() {
    // Longer than a guest may run: only the wait explains that it is not stopped.
    let wait = crate::limits::RUN_CALL_MAX + Duration::from_millis(300);
    let host = Host::start_with(Some(Arc::new(Slow(wait)))).await;
    let fines = host.load("traffic-fines").await;
    let fund = host.load("money-fund").await;
    let look_up = submission("fines", "look-up", &[("plate", "京A12345")]);

    let stopwatch = Stopwatch::start();
    let mut waiting = tokio::task::JoinSet::new();
    for _ in 0..6 {
        let (runtime, fines, look_up) = (host.runtime.clone(), fines.clone(), look_up.clone());
        waiting.spawn(async move { runtime.submit(&fines, &look_up).await });
    }
    tokio::time::sleep(Duration::from_millis(100)).await;
    host.runtime
        .open(&fund, &super::fixture::visit("about"))
        .await
        .unwrap();
    assert!(
        stopwatch.elapsed() < wait,
        "a neighbour waited for the waiting"
    );
    for call in waiting.join_all().await {
        match call {
            Ok(Answer::Page(page)) => assert!(!page.blocks.is_empty()),
            // What the plugin makes of an empty list is its own affair; it was not stopped.
            Err(CallError::Guest(PageError::InvalidField(_) | PageError::Unavailable(_))) => {}
            other => panic!("{other:?}"),
        }
    }
    assert!(
        stopwatch.elapsed() < wait * 2,
        "the waits were not side by side"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn an_address_that_does_not_answer_is_a_typed_refusal() {
    let host = Host::start().await;
    let fines = host.load("traffic-fines").await;
    let look_up = submission("fines", "look-up", &[("plate", "京A12345")]);
    match host.runtime.submit(&fines, &look_up).await {
        Err(CallError::Guest(_)) => {}
        Ok(Answer::Page(page)) => assert!(
            page.blocks
                .iter()
                .any(|block| matches!(block, Block::Notice(_))),
            "{page:?}"
        ),
        other => panic!("{other:?}"),
    }
}
