//! What guests may call, one file per WIT interface. Each function takes its permit
//! first, waits through [`Guest::wait`], and answers with the interface's typed error;
//! what stops the guest is an error of `wasmtime` instead.

mod catalog;
mod egress;
mod log;
mod messages;
mod orders;
mod payments;
mod storage;
mod types;
mod users;

use std::future::Future;
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::task::Poll;

use qiao_auth::Permit;
use qiao_model::Scope;

use crate::guest::{Guest, Purity};
use crate::stopwatch::Stopwatch;

/// A typed error of a WIT interface that can say the two things every host call may have
/// to say.
pub(crate) trait Refusal {
    /// The plugin may not; the sentence says why.
    fn denied(reason: String) -> Self;
    /// The host cannot answer now.
    fn unavailable() -> Self;
}

/// A host call's end: an error of `wasmtime` stops the guest, the inner result is its answer.
pub(crate) type Answer<T, E> = wasmtime::Result<Result<T, E>>;

impl Guest {
    /// Begins a host call: counts it and takes its permit, then runs the body.
    pub(crate) fn call<T, E: Refusal>(
        &mut self,
        scope: Scope,
        body: impl FnOnce(&mut Self, &Permit) -> Answer<T, E>,
    ) -> Answer<T, E> {
        self.meter.host_call()?;
        if self.purity == Purity::Pure {
            let reason = "quote is pure: it may call nothing but log";
            return Ok(Err(E::denied(reason.to_owned())));
        }
        match self.shared.ports.gate.permit(&self.caller(), scope) {
            Ok(permit) => body(self, &permit),
            Err(denied) => Ok(Err(E::denied(format!(
                "{}: {}",
                denied.scope(),
                denied.reason()
            )))),
        }
    }

    /// Waits for the host on behalf of the guest. The core is free for another guest
    /// meanwhile, the time does not count as the guest's own, and an invocation waits
    /// [`WAIT_HOST_CALLS_MAX`](crate::limits::WAIT_HOST_CALLS_MAX) in all: none when that
    /// is used up.
    pub(crate) fn wait<T>(&mut self, answer: impl Future<Output = T>) -> Option<T> {
        let host = Arc::clone(&self.shared.host);
        let mut answer = pin!(answer);
        // A cached answer is there at once and costs no core.
        if let Some(ready) = host.tokio.block_on(poll_once(answer.as_mut())) {
            return Some(ready);
        }
        self.seat = None;
        let step = host.watchdog.now();
        let stopwatch = Stopwatch::start();
        let wait_left = self.meter.wait_left;
        let (answer, seat) = host.tokio.block_on(async {
            let answer = tokio::time::timeout(wait_left, answer).await;
            (answer.ok(), host.seats.sit_again().await)
        });
        self.seat = seat;
        self.meter.wait_left = wait_left.saturating_sub(stopwatch.elapsed());
        self.deadline
            .extend(host.watchdog.now().saturating_sub(step));
        answer
    }
}

/// The answer, if it is there without waiting.
async fn poll_once<F: Future>(mut future: Pin<&mut F>) -> Option<F::Output> {
    std::future::poll_fn(|context| match future.as_mut().poll(context) {
        Poll::Ready(answer) => Poll::Ready(Some(answer)),
        Poll::Pending => Poll::Ready(None),
    })
    .await
}
