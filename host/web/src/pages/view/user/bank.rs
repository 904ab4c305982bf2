use askama::Template;

use crate::pages::view::{Badge, Empty, Facts, Figure, Icon, Link, Notice, Shell, When};

/// `GET /banks`: the linked accounts, and where more can be linked.
#[derive(Clone, Debug, Template)]
#[template(path = "user/banks.html")]
pub(crate) struct Banks {
    /// Around it.
    pub(crate) shell: Shell,
    /// What went wrong at the bank, when something did.
    pub(crate) problem: Option<Notice>,
    /// The linked accounts.
    pub(crate) links: Vec<LinkedAccount>,
    /// What stands there when there is none.
    pub(crate) empty: Empty,
    /// Banks to link an account at: the way, and what a transfer costs.
    pub(crate) channels: Vec<(Link, String)>,
    /// The newest transfers.
    pub(crate) transfers: Vec<TransferRow>,
}

/// A transfer to or from a bank in a list.
#[derive(Clone, Debug)]
pub(crate) struct TransferRow {
    /// Which way and which bank, and its address.
    pub(crate) link: Link,
    /// When it was asked for.
    pub(crate) at: When,
    /// What the bank moves.
    pub(crate) amount: Figure,
    /// Its state.
    pub(crate) state: Badge,
}

/// One linked account.
#[derive(Clone, Debug)]
pub(crate) struct LinkedAccount {
    /// The bank's name.
    pub(crate) bank: String,
    /// The holder and the masked number.
    pub(crate) number: String,
    /// That it has expired, when it has.
    pub(crate) expired: Option<Badge>,
    /// The way to unlink it.
    pub(crate) unlink: Link,
}

/// `GET /banks/transfers/{transfer}`: how far it is, honestly.
#[derive(Clone, Debug, Template)]
#[template(path = "user/bank_transfer.html")]
pub(crate) struct BankTransferPage {
    /// Around it.
    pub(crate) shell: Shell,
    /// Where it stands.
    pub(crate) state: Notice,
    /// What it is.
    pub(crate) facts: Facts,
    /// Looks again, while it has not ended.
    pub(crate) again: Option<Link>,
}
