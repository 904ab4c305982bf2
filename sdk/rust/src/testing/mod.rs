//! A host for unit tests: `cargo test` runs a plugin as plain Rust against it.
//!
//! ```
//! use qiao_sdk::testing::{visit, with_host};
//! use qiao_sdk::{Page, PageError, Plugin, Visit, storage};
//!
//! struct Counter;
//!
//! impl Plugin for Counter {
//!     fn open(_visit: Visit) -> Result<Page, PageError> {
//!         storage::set("seen", "yes").map_err(|error| PageError::Unavailable(error.to_string()))?;
//!         Ok(Page::new("Counted"))
//!     }
//! }
//!
//! with_host(|host| {
//!     assert!(Counter::open(visit("count")).is_ok());
//!     assert_eq!(host.stored("seen").as_deref(), Some(&b"yes"[..]));
//!
//!     host.deny("storage");
//!     assert!(Counter::open(visit("count")).is_err());
//! });
//! ```
//!
//! The fake keeps the rules of the contract that a plugin can break (lengths, shares
//! that sum, a price that is published once); it does not keep quotas or compute fees.

mod catalog_rules;
mod fake_host;
#[expect(
    unreachable_pub,
    reason = "the modules mirror the generated ones, item by item"
)]
pub(crate) mod imports;
mod samples;

use std::cell::RefCell;
use std::rc::Rc;

pub use fake_host::{FakeHost, SentMessage};
pub use samples::{order, quote_request, submission, today, visit};

thread_local! {
    static CURRENT: RefCell<Option<Rc<FakeHost>>> = const { RefCell::new(None) };
}

/// Runs a test with a fresh host on this thread; what the plugin asks inside goes to it.
pub fn with_host<R>(test: impl FnOnce(&FakeHost) -> R) -> R {
    struct Restore(Option<Rc<FakeHost>>);
    impl Drop for Restore {
        fn drop(&mut self) {
            CURRENT.set(self.0.take());
        }
    }

    let host = Rc::new(FakeHost::new());
    let _restore = Restore(CURRENT.replace(Some(Rc::clone(&host))));
    test(&host)
}

fn current() -> Rc<FakeHost> {
    let Some(host) = CURRENT.with_borrow(Clone::clone) else {
        panic!("no host: wrap the test in qiao_sdk::testing::with_host(|host| …)");
    };
    host
}
