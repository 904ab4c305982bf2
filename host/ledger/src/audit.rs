//! The audit: proves offline that the books are what the journal says, and that
//! they hold. It shares no code with the rules that wrote them.
//!
//! A room checks its own tables and says what is wrong with which row. Nothing is
//! kept in memory that grows with the books: what must be brought together is
//! sorted on disk by [`Sorter`].

mod books;
mod chain;
mod facts;
mod finding;
mod holds;
mod sorter;
mod stored;

pub use books::{StoredTransfer, check_books, each_transfer};
pub use facts::check_journal;
pub use finding::{AuditError, FINDINGS_MAX, Finding, Report};
pub use sorter::{SortedRecords, Sorter, bytes_at};
