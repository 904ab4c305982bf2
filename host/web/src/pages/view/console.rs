//! The pages at `/console`, for institution staff.

use askama::Template;

use super::staff::{Report, Tiles};
use super::user::MoneyStory;
use super::{Badge, Facts, Figure, Form, Icon, Link, Notice, Shell, Table, Timeline};

/// `GET /console`: the institutions that the visitor works for.
#[derive(Clone, Debug, Template)]
#[template(path = "console/home.html")]
pub(crate) struct Home {
    /// Around it.
    pub(crate) shell: Shell,
    /// Name, kind, state.
    pub(crate) institutions: Table,
}

/// `GET /console/{institution}`.
#[derive(Clone, Debug, Template)]
#[template(path = "console/institution.html")]
pub(crate) struct Institution {
    /// Around it.
    pub(crate) shell: Shell,
    /// Its name.
    pub(crate) name: String,
    /// Whether the operator approved it.
    pub(crate) state: Badge,
    /// What comes next.
    pub(crate) advice: Option<Notice>,
    /// Its figures.
    pub(crate) tiles: Tiles,
    /// Id, kind, public account.
    pub(crate) facts: Facts,
    /// The keys that sign its releases.
    pub(crate) keys: Table,
    /// Its OAuth clients.
    pub(crate) clients: Table,
}

/// `GET /console/{institution}/plugins/{plugin}`.
#[derive(Clone, Debug, Template)]
#[template(path = "console/plugin.html")]
pub(crate) struct Plugin {
    /// Around it.
    pub(crate) shell: Shell,
    /// Its name.
    pub(crate) name: String,
    /// Whether a release of it serves people.
    pub(crate) state: Badge,
    /// Id and active release.
    pub(crate) facts: Facts,
    /// All releases, newest first.
    pub(crate) releases: Table,
}

/// `GET /console/{institution}/releases/{release}`.
#[derive(Clone, Debug, Template)]
#[template(path = "console/release.html")]
pub(crate) struct Release {
    /// Around it.
    pub(crate) shell: Shell,
    /// Where its review stands.
    pub(crate) state: Badge,
    /// What the reviewer decided, and why.
    pub(crate) decision: Option<Notice>,
    /// What the checks found.
    pub(crate) report: Report,
    /// Activate or roll back, by way of a question.
    pub(crate) action: Option<Link>,
}

/// `GET /console/{institution}/products/{product}`.
#[derive(Clone, Debug, Template)]
#[template(path = "console/product.html")]
pub(crate) struct Product {
    /// Around it.
    pub(crate) shell: Shell,
    /// Its name.
    pub(crate) name: String,
    /// A sentence about it.
    pub(crate) summary: String,
    /// Code, currency, capture.
    pub(crate) facts: Facts,
    /// Every version of its fees, newest first.
    pub(crate) schedules: Vec<Schedule>,
    /// Its newest prices.
    pub(crate) prices: Table,
    /// The newest days whose accrued fees it paid; none for a product without them.
    pub(crate) accrued: Option<Table>,
}

/// One version of a product's fees.
#[derive(Clone, Debug)]
pub(crate) struct Schedule {
    /// Its number.
    pub(crate) version: u32,
    /// Whether it is in force.
    pub(crate) state: Badge,
    /// From which day, in a sentence.
    pub(crate) from: String,
    /// Its lines.
    pub(crate) lines: Table,
}

/// `GET /console/{institution}/orders/{order}`.
#[derive(Clone, Debug, Template)]
#[template(path = "console/order.html")]
pub(crate) struct Order {
    /// Around it.
    pub(crate) shell: Shell,
    /// What was ordered.
    pub(crate) title: String,
    /// Its state.
    pub(crate) state: Badge,
    /// What keeps it from ending.
    pub(crate) problem: Option<Notice>,
    /// Pseudonym, product, versions.
    pub(crate) facts: Facts,
    /// How it came here.
    pub(crate) timeline: Timeline,
    /// Payment and refunds with their splits.
    pub(crate) money: Vec<MoneyStory>,
}

/// `GET /console/{institution}/revenue`.
#[derive(Clone, Debug, Template)]
#[template(path = "console/revenue.html")]
pub(crate) struct Revenue {
    /// Around it.
    pub(crate) shell: Shell,
    /// Balances.
    pub(crate) tiles: Tiles,
    /// Each account with its newest entries.
    pub(crate) accounts: Vec<AccountEntries>,
}

/// A ledger account and what was booked on it.
#[derive(Clone, Debug)]
pub(crate) struct AccountEntries {
    /// What it is.
    pub(crate) title: String,
    /// Its balance.
    pub(crate) balance: Figure,
    /// Its entries, newest first.
    pub(crate) entries: Table,
}

/// `GET /console/{institution}/webhooks`.
#[derive(Clone, Debug, Template)]
#[template(path = "console/webhooks.html")]
pub(crate) struct Webhooks {
    /// Around it.
    pub(crate) shell: Shell,
    /// The secret of an endpoint that was just registered.
    pub(crate) secret: Option<String>,
    /// The endpoints.
    pub(crate) endpoints: Table,
    /// Registers one more.
    pub(crate) form: Form,
    /// The newest deliveries.
    pub(crate) deliveries: Table,
}
