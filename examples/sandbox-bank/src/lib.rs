//! A small custody bank: OAuth, accounts, payments in and out of the platform's custody
//! account, statements, signed callbacks, and failures on purpose.
//!
//! A payment's id is its idempotency key: the same one moves money once, whatever becomes
//! of the answer. The bank books by the time that the platform says it asked, so a platform
//! whose clock is moved finds its days on the statements. Everything is kept in memory.
//! What it does not have: interest, fees, other banks, more than one currency.
//!
//! ```
//! # async fn start() -> std::io::Result<()> {
//! use sandbox_bank::{Bank, Customer, Fault, FaultKind, Options};
//!
//! let bank = Bank::start(Options {
//!     customers: vec![Customer::new("wang", "secret", "6222020200018801", 100_000)],
//!     ..Options::default()
//! })
//! .await?;
//! bank.plan(Fault::once(FaultKind::LoseResponse));
//! assert!(bank.url.starts_with("http://127.0.0.1:"));
//! # Ok(())
//! # }
//! ```

mod account;
mod bank;
mod books;
mod callback;
mod clock;
mod door;
mod fault;
mod grant;
mod office;
mod options;
mod page;
mod payment;
mod problem;
mod statement;

pub use crate::account::{Account, CURRENCY, Customer, NewAccount};
pub use crate::bank::Bank;
pub use crate::books::{PAYMENT_ID_CHARS_MAX, PAYMENT_MINOR_MAX};
pub use crate::clock::Clock;
pub use crate::fault::{Fault, FaultKind};
pub use crate::grant::CODE_LIFETIME_MS;
pub use crate::options::{
    CLIENT_ID_DEFAULT, CLIENT_SECRET_DEFAULT, Options, TOKEN_LIFETIME, WEBHOOK_SECRET_DEFAULT,
};
pub use crate::payment::{Direction, Payment, PaymentState};
pub use crate::statement::{Misprint, StatementLine};
