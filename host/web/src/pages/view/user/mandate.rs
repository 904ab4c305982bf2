use askama::Template;

use super::Movement;
use crate::pages::view::{Badge, Empty, Facts, Form, Icon, Link, Notice, Paging, Shell, When};

/// `GET /consent/{offer}`: the host's own page where a person gives a mandate.
#[derive(Clone, Debug, Template)]
#[template(path = "user/consent.html")]
pub(crate) struct Consent {
    /// Around it.
    pub(crate) shell: Shell,
    /// What it is called.
    pub(crate) title: String,
    /// Who may debit, and for which product.
    pub(crate) institution: String,
    /// The product's name.
    pub(crate) product: String,
    /// What it is for.
    pub(crate) purpose: String,
    /// What it allows.
    pub(crate) limits: Facts,
    /// What the plugin looked up for the user.
    pub(crate) facts: Facts,
    /// What the visitor can do.
    pub(crate) state: ConsentState,
}

/// What stands below the limits.
#[derive(Clone, Debug)]
pub(crate) enum ConsentState {
    /// The form that gives it.
    Ready(Box<Form>),
    /// Why it cannot be given, and the way on.
    Blocked(Notice),
}

/// `GET /mandates`: what the visitor allowed, newest first.
#[derive(Clone, Debug, Template)]
#[template(path = "user/mandates.html")]
pub(crate) struct Mandates {
    /// Around it.
    pub(crate) shell: Shell,
    /// What servers of institutions propose, newest first.
    pub(crate) proposals: Vec<ProposalRow>,
    /// The mandates.
    pub(crate) mandates: Vec<MandateRow>,
    /// What stands there when there is none.
    pub(crate) empty: Empty,
    /// The way to older ones.
    pub(crate) paging: Paging,
}

/// A proposed mandate in a list.
#[derive(Clone, Debug)]
pub(crate) struct ProposalRow {
    /// Title and address of the consent page.
    pub(crate) link: Link,
    /// Who would debit.
    pub(crate) institution: String,
    /// When it was proposed.
    pub(crate) at: When,
    /// What one payment would take at most, in a few words.
    pub(crate) limit: String,
}

/// A mandate in a list.
#[derive(Clone, Debug)]
pub(crate) struct MandateRow {
    /// Title and address.
    pub(crate) link: Link,
    /// Who may debit.
    pub(crate) institution: String,
    /// When it was given.
    pub(crate) at: When,
    /// Its state.
    pub(crate) state: Badge,
    /// What one payment takes at most, in a few words.
    pub(crate) limit: String,
}

/// `GET /mandates/{id}`: what one allows, and what was taken by it.
#[derive(Clone, Debug, Template)]
#[template(path = "user/mandate.html")]
pub(crate) struct Mandate {
    /// Around it.
    pub(crate) shell: Shell,
    /// What it is called.
    pub(crate) title: String,
    /// Its state.
    pub(crate) state: Badge,
    /// What it is for.
    pub(crate) purpose: String,
    /// What it allows.
    pub(crate) limits: Facts,
    /// What was taken.
    pub(crate) usage: Facts,
    /// The payments that it paid for, newest first.
    pub(crate) payments: Vec<Movement>,
    /// What stands there when there is none.
    pub(crate) empty: Empty,
    /// The way to revoke it; none when it can no longer be charged.
    pub(crate) revoke: Option<Link>,
}
