use std::sync::Arc;
use std::sync::atomic::Ordering;

use qiao_model::UserId;
use wasmtime::Store;
use wasmtime::component::Instance;

use crate::call::{self, Budget, Ran};
use crate::guest::Guest;
use crate::loaded::{Exports, Loaded};
use crate::{
    ActivationError, Answer, CallError, Event, EventError, Fault, FulfilError, Fulfilment,
    Function, Invocation, JobError, JobRun, Outcome, Page, PageError, PlacedOrder, Runtime,
    Submission, Visit, wire,
};

/// A guest's answer after it was checked: the outer error is a fault of the guest, the
/// inner one its typed refusal.
pub(crate) type Checked<R, E> = Result<Result<R, E>, Fault>;

impl Runtime {
    /// Registers the plugin's products and fee schedules.
    ///
    /// # Errors
    /// The plugin's refusal, or its fault.
    pub async fn activate(&self, loaded: &Arc<Loaded>) -> Result<(), CallError<ActivationError>> {
        self.call(
            loaded,
            Function::Activate,
            None,
            move |store, instance, exports| {
                let guest = exports.activation.load(&mut *store, instance)?;
                let answer = guest.call_activate(&mut *store)?;
                Ok(Ok(answer.map_err(wire::activation_error)))
            },
        )
        .await
    }

    /// The page of a service.
    ///
    /// # Errors
    /// The plugin's refusal, or its fault.
    pub async fn open(
        &self,
        loaded: &Arc<Loaded>,
        visit: &Visit,
    ) -> Result<Page, CallError<PageError>> {
        let user = visit.user;
        let visit = wire::visit(visit, self.subject(loaded, user));
        self.call(
            loaded,
            Function::Open,
            Some(user),
            move |store, instance, exports| {
                let guest = exports.pages.load(&mut *store, instance)?;
                Ok(match guest.call_open(&mut *store, &visit)? {
                    Ok(page) => wire::page(page).map(Ok),
                    Err(error) => Ok(Err(wire::page_error(error))),
                })
            },
        )
        .await
    }

    /// The answer to a form.
    ///
    /// # Errors
    /// The plugin's refusal, or its fault.
    pub async fn submit(
        &self,
        loaded: &Arc<Loaded>,
        submission: &Submission,
    ) -> Result<Answer, CallError<PageError>> {
        let user = submission.visit.user;
        let submission = wire::submission(submission, self.subject(loaded, user));
        self.call(
            loaded,
            Function::Submit,
            Some(user),
            move |store, instance, exports| {
                let guest = exports.pages.load(&mut *store, instance)?;
                Ok(match guest.call_submit(&mut *store, &submission)? {
                    Ok(answer) => wire::answer(answer).map(Ok),
                    Err(error) => Ok(Err(wire::page_error(error))),
                })
            },
        )
        .await
    }

    /// Delivers what was ordered.
    ///
    /// # Errors
    /// The plugin's refusal, or its fault: then the outcome is unknown.
    pub async fn fulfil(
        &self,
        loaded: &Arc<Loaded>,
        order: &PlacedOrder,
    ) -> Result<Fulfilment, CallError<FulfilError>> {
        let user = order.user;
        let order = wire::placed_order(order, self.subject(loaded, user));
        self.call(
            loaded,
            Function::Fulfil,
            Some(user),
            move |store, instance, exports| {
                let guest = exports.orders.load(&mut *store, instance)?;
                Ok(match guest.call_fulfil(&mut *store, &order)? {
                    Ok(answer) => wire::fulfilment(answer).map(Ok),
                    Err(error) => Ok(Err(wire::fulfil_error(error))),
                })
            },
        )
        .await
    }

    /// Undoes what `fulfil` may have begun.
    ///
    /// # Errors
    /// The plugin's refusal, or its fault: then the outcome is unknown.
    pub async fn cancel(
        &self,
        loaded: &Arc<Loaded>,
        order: &PlacedOrder,
    ) -> Result<(), CallError<FulfilError>> {
        let user = order.user;
        let order = wire::placed_order(order, self.subject(loaded, user));
        self.call(
            loaded,
            Function::Cancel,
            Some(user),
            move |store, instance, exports| {
                let guest = exports.orders.load(&mut *store, instance)?;
                let answer = guest.call_cancel(&mut *store, &order)?;
                Ok(Ok(answer.map_err(wire::fulfil_error)))
            },
        )
        .await
    }

    /// Runs a job.
    ///
    /// # Errors
    /// The plugin's refusal, or its fault.
    pub async fn run_job(
        &self,
        loaded: &Arc<Loaded>,
        run: &JobRun,
    ) -> Result<(), CallError<JobError>> {
        let run = wire::job_run(run);
        self.call(
            loaded,
            Function::Job,
            None,
            move |store, instance, exports| {
                let guest = exports.jobs.load(&mut *store, instance)?;
                let answer = guest.call_run(&mut *store, &run)?;
                Ok(Ok(answer.map_err(wire::job_error)))
            },
        )
        .await
    }

    /// Tells the plugin what happened.
    ///
    /// # Errors
    /// The plugin's refusal, or its fault.
    pub async fn handle_event(
        &self,
        loaded: &Arc<Loaded>,
        event: &Event,
    ) -> Result<(), CallError<EventError>> {
        let user = event.happening.user();
        let event = wire::event(event, self.subject(loaded, user));
        self.call(
            loaded,
            Function::Event,
            Some(user),
            move |store, instance, exports| {
                let guest = exports.events.load(&mut *store, instance)?;
                let answer = guest.call_handle(&mut *store, &event)?;
                Ok(Ok(answer.map_err(wire::event_error)))
            },
        )
        .await
    }

    /// Runs a call on a guest thread when it is its turn, and records how it ended.
    async fn call<R, E>(
        &self,
        loaded: &Arc<Loaded>,
        function: Function,
        user: Option<UserId>,
        call: impl FnOnce(&mut Store<Guest>, &Instance, &Exports) -> wasmtime::Result<Checked<R, E>>
        + Send
        + 'static,
    ) -> Result<R, CallError<E>>
    where
        R: Send + 'static,
        E: std::error::Error + Send + 'static,
    {
        let ran = self.run_on_guest_thread(loaded, function, user, call).await;
        let Some(ran) = ran else {
            return Err(CallError::Unavailable);
        };
        self.settle(loaded, function, ran)
    }

    /// The call on a guest thread; none when the host has no room for it.
    pub(crate) async fn run_on_guest_thread<R: Send + 'static>(
        &self,
        loaded: &Arc<Loaded>,
        function: Function,
        user: Option<UserId>,
        call: impl FnOnce(&mut Store<Guest>, &Instance, &Exports) -> wasmtime::Result<R>
        + Send
        + 'static,
    ) -> Option<Ran<R>> {
        let seats = &self.0.host.seats;
        let flight = seats.take_off(&loaded.flights).await.ok()?;
        let seat = seats.sit().await.ok()?;
        let release = Arc::clone(loaded);
        let thread = tokio::task::spawn_blocking(move || {
            let budget = Budget::of(function);
            let on = release.on(&seat);
            let ran = call::run(on, &budget, user, seat, |store, instance| {
                call(store, instance, &on.exports)
            });
            drop(flight);
            ran
        });
        match thread.await {
            Ok(ran) => Some(ran),
            Err(error) => {
                let release = loaded.release.id;
                tracing::error!(%release, %function, %error, "a guest thread ended early");
                None
            }
        }
    }

    /// From what ran to what the caller gets, with the record of it.
    pub(crate) fn settle<R, E: std::error::Error>(
        &self,
        loaded: &Loaded,
        function: Function,
        ran: Ran<Checked<R, E>>,
    ) -> Result<R, CallError<E>> {
        let answer = match ran.answer {
            Ok(Ok(Ok(answer))) => Ok(answer),
            Ok(Ok(Err(refusal))) => Err(CallError::Guest(refusal)),
            Ok(Err(fault)) | Err(fault) => Err(CallError::Trap(fault)),
        };
        let outcome = match &answer {
            Ok(_) => Outcome::Answered,
            Err(CallError::Guest(refusal)) => Outcome::Refused(refusal.to_string()),
            Err(CallError::Trap(fault)) => Outcome::Faulted(fault.clone()),
            Err(CallError::Unavailable) => return answer,
        };
        let counters = &self.0.counters;
        let counter = match &outcome {
            Outcome::Answered => &counters.answered,
            Outcome::Refused(_) => &counters.refused,
            Outcome::Faulted(_) => &counters.faulted,
        };
        counter.fetch_add(1, Ordering::Relaxed);
        self.0.recorder.record(Invocation {
            id: self.0.env.id(),
            plugin: loaded.release.plugin,
            release: loaded.release.id,
            function,
            outcome,
            fuel: ran.fuel,
            memory_bytes: u64::try_from(ran.memory_bytes).unwrap_or(u64::MAX),
            host_calls: ran.host_calls,
            duration_us: u64::try_from(ran.duration.as_micros()).unwrap_or(u64::MAX),
            at: self.0.env.now(),
            log: ran.log,
        });
        answer
    }

    fn subject(&self, loaded: &Loaded, user: UserId) -> String {
        let institution = loaded.release.institution;
        loaded.ports.gate.subject(institution, user)
    }
}
