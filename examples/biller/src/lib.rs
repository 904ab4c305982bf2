//! A traffic authority's billing server: fines by number plate, payments that happen
//! once, and failures on purpose.
//!
//! It keeps its books in memory. Fines follow from the plate alone, so they are the same
//! after every start. Tests embed it:
//!
//! ```
//! # async fn start() -> std::io::Result<()> {
//! let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await?;
//! let address = listener.local_addr()?;
//! # let _ = address;
//! biller::serve(listener).await
//! # }
//! ```

mod books;
mod door;
mod fine;
mod mode;

use std::time::Duration;

use axum::Router;
use tokio::net::TcpListener;

pub use crate::books::{Payment, PaymentState};
pub use crate::fine::{Fine, fines_of};
pub use crate::mode::Mode;

/// How long an answer takes in the mode `slow`.
pub const SLOW_FOR: Duration = Duration::from_secs(30);

/// The authority's HTTP interface with fresh books.
pub fn router() -> Router {
    router_with(SLOW_FOR)
}

/// The same, with another delay for the mode `slow`.
pub fn router_with(slow_for: Duration) -> Router {
    door::router(slow_for)
}

/// Answers on a listener until the task ends.
///
/// # Errors
/// When the listener fails.
pub async fn serve(listener: TcpListener) -> std::io::Result<()> {
    axum::serve(listener, router()).await
}
