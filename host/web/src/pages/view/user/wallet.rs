use askama::Template;

use super::TransferRow;
use crate::pages::view::{Empty, Figure, Form, Icon, Link, Notice, Paging, Shell, When};

/// `GET /wallet`: the balance, the sandbox top-up, what moved.
#[derive(Clone, Debug, Template)]
#[template(path = "user/wallet.html")]
pub(crate) struct Wallet {
    /// Around it.
    pub(crate) shell: Shell,
    /// What can be spent.
    pub(crate) available: Figure,
    /// What open orders hold; none when nothing is held.
    pub(crate) held: Option<Figure>,
    /// The top-up with play money; none outside a sandbox without banks.
    pub(crate) top_up: Option<Form>,
    /// From and to the bank: title, lead and form of each; none without a link.
    pub(crate) bank_forms: Vec<(String, String, Form)>,
    /// Transfers to and from banks that have not ended.
    pub(crate) under_way: Vec<TransferRow>,
    /// That a withdrawal needs a PIN, when an account is linked and there is none.
    pub(crate) pin_needed: Option<Notice>,
    /// The way to the linked accounts, when there are banks.
    pub(crate) banks: Option<Link>,
    /// What moved, newest first.
    pub(crate) movements: Vec<Movement>,
    /// What stands there when nothing has moved.
    pub(crate) empty: Empty,
    /// The way to older ones.
    pub(crate) paging: Paging,
}

/// Money that came or went.
#[derive(Clone, Debug)]
pub(crate) struct Movement {
    /// What it was for.
    pub(crate) title: String,
    /// The order that it was for.
    pub(crate) order: Option<String>,
    /// When.
    pub(crate) at: When,
    /// A line about it: `held`, `released`.
    pub(crate) detail: String,
    /// How much, signed.
    pub(crate) amount: Figure,
}

/// `GET /holdings`: what the visitor holds in units.
#[derive(Clone, Debug, Template)]
#[template(path = "user/holdings.html")]
pub(crate) struct Holdings {
    /// Around it.
    pub(crate) shell: Shell,
    /// The sum of their values, per currency.
    pub(crate) totals: Vec<Figure>,
    /// One by one.
    pub(crate) holdings: Vec<Holding>,
    /// What stands there when there is none.
    pub(crate) empty: Empty,
}

/// Units of one product.
#[derive(Clone, Debug)]
pub(crate) struct Holding {
    /// The product's name, and its account.
    pub(crate) product: Link,
    /// Who manages it.
    pub(crate) institution: String,
    /// What it is worth at the newest price; none before the first.
    pub(crate) value: Option<Figure>,
    /// Units that are free.
    pub(crate) units: Figure,
    /// Units that open orders hold.
    pub(crate) held: Option<Figure>,
    /// Income credited so far.
    pub(crate) income: Figure,
    /// The newest price, and its day.
    pub(crate) price: Option<(Figure, String)>,
}
