use std::sync::Arc;
use std::time::Duration;

use qiao_model::UserId;
use wasmtime::component::{Instance, InstancePre};

use crate::Function;
use crate::fault::Fault;
use crate::guest::{Deadline, Guest, Meter, Purity};
use crate::invocation::LogLine;
use crate::limiter::Limiter;
use crate::limits;
use crate::loaded::Prepared;
use crate::seats::Seat;
use crate::stopwatch::Stopwatch;

/// How one call may run.
pub(crate) struct Budget {
    pub(crate) fuel: u64,
    pub(crate) run: Duration,
    pub(crate) purity: Purity,
}

impl Budget {
    /// The whole budget of a function.
    pub(crate) const fn of(function: Function) -> Self {
        Self {
            fuel: function.fuel_max(),
            run: function.run_max(),
            purity: match function {
                Function::Quote => Purity::Pure,
                Function::Activate
                | Function::Open
                | Function::Submit
                | Function::Fulfil
                | Function::Cancel
                | Function::Job
                | Function::Event => Purity::Effectful,
            },
        }
    }

    /// A quote on the thread that asked for it.
    pub(crate) const fn inline_quote() -> Self {
        Self {
            fuel: limits::FUEL_INLINE_QUOTE,
            run: limits::WATCHDOG_STEP,
            purity: Purity::Pure,
        }
    }
}

/// How one call ended, and what it used.
pub(crate) struct Ran<R> {
    pub(crate) answer: Result<R, Fault>,
    pub(crate) fuel: u64,
    pub(crate) memory_bytes: usize,
    pub(crate) host_calls: u32,
    pub(crate) duration: Duration,
    pub(crate) log: Vec<LogLine>,
}

/// Runs one call in a fresh instance on this thread.
pub(crate) fn run<R>(
    prepared: &Prepared,
    budget: &Budget,
    user: Option<UserId>,
    seat: Seat,
    call: impl FnOnce(&mut wasmtime::Store<Guest>, &Instance) -> wasmtime::Result<R>,
) -> Ran<R> {
    let guest = Guest {
        shared: Arc::clone(&prepared.shared),
        user,
        purity: budget.purity,
        limiter: Limiter::default(),
        meter: Meter::default(),
        deadline: Deadline::after(&prepared.shared.host.watchdog, budget.run),
        seat: Some(seat),
    };
    run_instance(&prepared.exports.pre, guest, budget.fuel, call)
}

/// Runs one call in a fresh instance of a component.
pub(crate) fn run_instance<R>(
    pre: &InstancePre<Guest>,
    guest: Guest,
    fuel: u64,
    call: impl FnOnce(&mut wasmtime::Store<Guest>, &Instance) -> wasmtime::Result<R>,
) -> Ran<R> {
    let stopwatch = Stopwatch::start();
    let mut store = wasmtime::Store::new(pre.engine(), guest);
    store.limiter(|guest| &mut guest.limiter);
    store.set_hostcall_fuel(limits::TRANSFER_BYTES_MAX);
    store.set_epoch_deadline(1);
    store.epoch_deadline_callback(|mut guest| guest.data_mut().on_watchdog());
    let answer = store
        .set_fuel(fuel)
        .and_then(|()| pre.instantiate(&mut store))
        .and_then(|instance| call(&mut store, &instance))
        .map_err(|error| Fault::of(&error));
    let burnt = fuel.saturating_sub(store.get_fuel().unwrap_or(0));
    let guest = store.into_data();
    Ran {
        answer,
        fuel: burnt,
        memory_bytes: guest.limiter.memory_bytes(),
        host_calls: guest.meter.host_calls(),
        duration: stopwatch.elapsed(),
        log: guest.meter.log,
    }
}
