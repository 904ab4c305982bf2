//! Every limit on a plugin. They hold for every call, in `serve`, in the upload check,
//! in `qiao plugin check` and in `qiao plugin run` alike.

use std::time::Duration;

/// Bytes of a component at upload.
pub const COMPONENT_BYTES_MAX: usize = 4 << 20;

/// Fuel of a quote (about one unit an instruction).
pub const FUEL_QUOTE_MAX: u64 = 10_000_000;
/// Fuel of `open` and `submit`.
pub const FUEL_PAGE_MAX: u64 = 50_000_000;
/// Fuel of `fulfil` and `cancel`.
pub const FUEL_ORDER_MAX: u64 = 50_000_000;
/// Fuel of `activate`.
pub const FUEL_ACTIVATE_MAX: u64 = 100_000_000;
/// Fuel of a job's run and of an event.
pub const FUEL_BACKGROUND_MAX: u64 = 500_000_000;
/// Fuel that a quote may burn on the thread that asked for it; one that needs more is
/// run again, whole, on a guest thread (it is pure, so nothing happens twice).
pub const FUEL_INLINE_QUOTE: u64 = 200_000;

/// The watchdog's step: a deadline is kept to one step.
pub const WATCHDOG_STEP: Duration = Duration::from_millis(5);
/// How long a quote may run. Fuel ends it first on an idle machine.
pub const RUN_QUOTE_MAX: Duration = Duration::from_millis(250);
/// How long the guest itself may run in a call for a user (waits in host calls do not count).
pub const RUN_CALL_MAX: Duration = Duration::from_secs(1);
/// How long the guest itself may run in `activate`, a job or an event.
pub const RUN_BACKGROUND_MAX: Duration = Duration::from_secs(5);
/// How long all host calls of one invocation may wait together; what comes later is
/// answered as not available.
pub const WAIT_HOST_CALLS_MAX: Duration = Duration::from_secs(20);

/// Bytes of all linear memories of an instance together.
pub const MEMORY_BYTES_MAX: usize = 32 << 20;
/// Linear memories of an instance.
pub const MEMORIES_MAX: usize = 2;
/// Elements of all tables of an instance together.
pub const TABLE_ELEMENTS_MAX: usize = 10_000;
/// Tables of an instance.
pub const TABLES_MAX: usize = 4;
/// Core instances of a component.
pub const CORE_INSTANCES_MAX: usize = 12;
/// Bytes of the wasm stack.
pub const STACK_BYTES_MAX: usize = 512 << 10;

/// Bytes that a guest may hand to the host in one call, as the host would hold them.
pub const TRANSFER_BYTES_MAX: usize = 1 << 20;
/// Host calls of one invocation.
pub const HOST_CALLS_MAX: u32 = 1_000;
/// Bytes of log of one invocation.
pub const LOG_BYTES_MAX: usize = 8 << 10;
/// Lines of log of one invocation.
pub const LOG_LINES_MAX: usize = 100;

/// Blocks of a page.
pub const PAGE_BLOCKS_MAX: usize = 64;
/// Bytes of all text of a page.
pub const PAGE_BYTES_MAX: usize = 64 << 10;
/// Inputs of a form.
pub const FORM_INPUTS_MAX: usize = 12;
/// Metrics side by side.
pub const METRICS_MAX: usize = 4;
/// Characters of an offer's title.
pub const OFFER_TITLE_CHARS_MAX: usize = 80;
/// Characters of an offer's reference.
pub const OFFER_REFERENCE_CHARS_MAX: usize = 128;
/// Characters of a mandate's purpose.
pub const MANDATE_PURPOSE_CHARS_MAX: usize = qiao_payments::MANDATE_PURPOSE_CHARS_MAX;
/// Characters of a mandate's reference.
pub const MANDATE_REFERENCE_CHARS_MAX: usize = qiao_payments::MANDATE_REFERENCE_CHARS_MAX;
/// Entries of an offer, a quote, a receipt or a mandate.
pub const ENTRIES_MAX: usize = 16;
/// Characters of an entry's label.
pub const ENTRY_LABEL_CHARS_MAX: usize = 64;
/// Characters of an entry's value.
pub const ENTRY_VALUE_CHARS_MAX: usize = 256;
/// Characters of a receipt's number.
pub const RECEIPT_NUMBER_CHARS_MAX: usize = 64;
/// Characters of a sentence in a plugin's refusal; the rest is cut off.
pub const REFUSAL_CHARS_MAX: usize = 400;

/// Bytes of a storage key.
pub const STORAGE_KEY_BYTES_MAX: usize = 128;
/// Bytes of a storage value.
pub const STORAGE_VALUE_BYTES_MAX: usize = 64 << 10;
/// Bytes of all keys and values of a plugin.
pub const STORAGE_BYTES_MAX: usize = 2 << 20;
/// Keys that one listing gives.
pub const STORAGE_KEYS_PAGE: usize = 100;

/// HTTP requests of one invocation.
pub const EGRESS_REQUESTS_MAX: u32 = 16;
/// Bytes of bodies sent and received of one invocation.
pub const EGRESS_BYTES_MAX: usize = 1 << 20;
/// Bytes of a request's body.
pub const EGRESS_REQUEST_BYTES_MAX: usize = 64 << 10;
/// Bytes of a response's body.
pub const EGRESS_RESPONSE_BYTES_MAX: usize = 256 << 10;
/// Headers of a request.
pub const EGRESS_HEADERS_MAX: usize = 32;
/// Bytes of a request's path and query.
pub const EGRESS_PATH_BYTES_MAX: usize = 2_048;
/// How long one request may take.
pub const EGRESS_WAIT_MAX: Duration = Duration::from_secs(10);

/// Characters of a message to a follower.
pub const MESSAGE_CHARS_MAX: usize = 600;
/// Characters of a refund's reason.
pub const REFUND_REASON_CHARS_MAX: usize = 200;
/// Bytes of a refund's key.
pub const REFUND_KEY_BYTES_MAX: usize = 128;
/// Bytes of a charge's key.
pub const CHARGE_KEY_BYTES_MAX: usize = 128;
/// Orders that one listing gives a plugin.
pub const ORDERS_PAGE: usize = 20;

/// Calls in flight on this host: running, or waiting in a host call.
pub const CALLS_IN_FLIGHT_MAX: usize = 128;
/// Calls in flight of one plugin, so that one slow plugin leaves room for its neighbours.
pub const CALLS_IN_FLIGHT_OF_PLUGIN_MAX: usize = 32;
/// How long a call waits for its turn before it is refused as unavailable.
pub const WAIT_TURN_MAX: Duration = Duration::from_secs(5);
/// Releases kept ready to be called.
pub const LOADED_RELEASES_MAX: usize = 256;

/// Wall clock of a compilation.
pub const COMPILE_WAIT_MAX: Duration = Duration::from_secs(60);
/// CPU seconds of a compilation.
pub const COMPILE_CPU_SECONDS_MAX: u64 = 60;
/// Address space of the compile child.
pub const COMPILE_ADDRESS_SPACE_MAX: u64 = 4 << 30;
/// Bytes of machine code that a compilation may give.
pub const COMPILE_OUTPUT_BYTES_MAX: usize = 64 << 20;

/// Invocation records that wait to be written; past it, records of successes are dropped
/// and counted.
pub const RECORDS_WAITING_MAX: usize = 4_096;
/// Invocation records written at once.
pub const RECORDS_BATCH_MAX: usize = 512;
