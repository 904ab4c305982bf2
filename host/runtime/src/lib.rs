//! Runs plugins: wasmtime, the compile cache, every limit, and what a guest may call.
//!
//! Players: [`Runtime`] has an engine for each core and keeps releases ready to be called
//! ([`Loaded`]); one file of `host/` per WIT interface serves the guests, through the
//! [`Ports`], which the real rooms ([`RoomPorts`]) and the in-memory [`sandbox`]
//! implement; [`Invocations`] keeps the records of what ran.
//!
//! Guarantees: a fresh instance for every call, so no state passes from one user to the
//! next; every call is bounded by the constants of [`limits`]; every host call but `log`
//! holds a `Permit` of its own scope; `quote` may call nothing but `log`, and the same
//! request gives the same bytes for the same fuel; machine code is trusted only if this
//! host made it; at most one guest computes per core.
//!
//! Absent: no WASI, no async wasm, no state of orders (see [`OrdersPort`]), no decision
//! about money, and no wasmtime type in any public signature.

mod bindings;
mod cache;
mod call;
mod calls;
mod check;
mod compile;
pub mod compile_child;
mod egress_rule;
mod engine;
mod event;
mod fault;
mod guest;
mod hash;
mod host;
mod invocation;
mod invocations;
mod job;
mod lane;
mod limiter;
pub mod limits;
mod loaded;
mod loading;
mod mandate;
mod order;
mod page;
mod ports;
mod quote;
mod recorder;
mod registry_ports;
mod release;
mod rooms;
mod runtime;
pub mod sandbox;
mod seats;
mod stopwatch;
mod storage;
mod store;
#[cfg(test)]
mod tests;
mod watchdog;
mod wire;

pub use check::{CheckError, CheckReport, CheckedCall};
pub use compile::{CompileError, CompileMode};
pub use event::{Event, Happening};
pub use fault::{CallError, Fault, FaultKind};
pub use invocation::{Function, Invocation, LogLevel, LogLine, Outcome};
pub use invocations::{INVOCATIONS_PAGE, Invocations, InvocationsError};
pub use job::{EventError, JobError, JobRun};
pub use loaded::{LoadError, Loaded};
pub use mandate::{ChargePortError, ChargeRequest, ChargedOrder, MandateOffer, MandateTerms};
pub use order::{
    ActivationError, FulfilError, Fulfilment, Offer, OrderState, PlacedOrder, Quote, QuoteError,
    QuoteRequest, Quoted, Receipt,
};
pub use page::{
    Action, Answer, Block, Entry, Field, FieldProblem, Form, Input, InputKind, Item, Metric,
    Notice, Page, PageError, Submission, Tone, Visit,
};
pub use ports::{
    Answering, CatalogPort, CatalogPortError, EgressPort, EgressPortError, GatePort, HttpRequest,
    HttpResponse, MessagesPort, MessagesPortError, OrdersPort, PaymentView, PaymentsPort,
    PaymentsPortError, PluginOrder, PortUnavailable, Ports, RefundRequest, StoragePort,
    StoragePortError, UserHolding, UsersPort,
};
pub use registry_ports::Activation;
pub use release::ReleaseRef;
pub use rooms::{EgressDoor, RoomPorts};
pub use runtime::{Runtime, RuntimeConfig, StartError, Stats};

/// The schema of this room.
pub const MIGRATIONS: &[qiao_db::Migration] = &[qiao_db::Migration {
    version: 202_611_220_701,
    name: "invocations_and_storage",
    sql: include_str!("../migrations/202611220701_invocations_and_storage.sql"),
    sqlite: "",
    postgres: "",
}];
