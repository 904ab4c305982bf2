//! The pages at `/operator`.

use askama::Template;

use super::staff::{Report, Tiles};
use super::{Badge, Facts, Form, Icon, Link, Notice, Shell, Table};

/// `GET /operator`: what waits for a decision.
#[derive(Clone, Debug, Template)]
#[template(path = "operator/home.html")]
pub(crate) struct Home {
    /// Around it.
    pub(crate) shell: Shell,
    /// The day and the host's time.
    pub(crate) lead: String,
    /// How much of each waits.
    pub(crate) tiles: Tiles,
    /// Institutions that wait.
    pub(crate) institutions: Table,
    /// Releases that wait.
    pub(crate) releases: Table,
}

/// `GET /operator/releases/{release}`: the review.
#[derive(Clone, Debug, Template)]
#[template(path = "operator/release.html")]
pub(crate) struct Release {
    /// Around it.
    pub(crate) shell: Shell,
    /// Where the review stands.
    pub(crate) state: Badge,
    /// Whose it is.
    pub(crate) institution: String,
    /// What was decided before.
    pub(crate) decided: Option<Notice>,
    /// What the checks found.
    pub(crate) report: Report,
    /// Approve, by way of a question, while it waits.
    pub(crate) approve: Option<Link>,
    /// Reject, with a reason, while it waits.
    pub(crate) reject: Option<Form>,
}

/// `GET /operator/books`.
#[derive(Clone, Debug, Template)]
#[template(path = "operator/books.html")]
pub(crate) struct Books {
    /// Around it.
    pub(crate) shell: Shell,
    /// Whether every sum is zero.
    pub(crate) verdict: Badge,
    /// Accounts, transfers, assets.
    pub(crate) tiles: Tiles,
    /// One row for each asset.
    pub(crate) totals: Table,
    /// One row for each institution and currency that owes.
    pub(crate) debts: Table,
    /// One row for each chain of the journal.
    pub(crate) heads: Table,
}

/// `GET /operator/clock`: only in a sandbox.
#[derive(Clone, Debug, Template)]
#[template(path = "operator/clock.html")]
pub(crate) struct Clock {
    /// Around it.
    pub(crate) shell: Shell,
    /// What time it is.
    pub(crate) facts: Facts,
    /// Moves it.
    pub(crate) form: Form,
}

/// `GET /operator/banks/transfers/{transfer}`: what is known of it.
#[derive(Clone, Debug, Template)]
#[template(path = "operator/bank_transfer.html")]
pub(crate) struct BankTransferReview {
    /// Around it.
    pub(crate) shell: Shell,
    /// Where it stands.
    pub(crate) state: Badge,
    /// What it is.
    pub(crate) facts: Facts,
    /// Every exchange with the bank.
    pub(crate) evidence: Table,
    /// Has the worker ask, when it is stuck.
    pub(crate) ask_again: Option<Form>,
    /// Ends it by the bank's paper, by way of a question, when it is stuck.
    pub(crate) decide: Option<Link>,
}
