use askama::Template;

use crate::pages::view::{Facts, Figure, Form, Icon, Notice, Shell};

/// `GET /checkout/{offer}`: the host's own page where a person confirms.
#[derive(Clone, Debug, Template)]
#[template(path = "user/checkout.html")]
pub(crate) struct Checkout {
    /// Around it.
    pub(crate) shell: Shell,
    /// What is ordered.
    pub(crate) title: String,
    /// Who sells it.
    pub(crate) institution: String,
    /// The product's name.
    pub(crate) product: String,
    /// What the plugin looked up for the user.
    pub(crate) facts: Facts,
    /// The price; none when there is no quote.
    pub(crate) payable: Option<Payable>,
    /// Whether the visitor pays; a redemption pays them.
    pub(crate) pays: bool,
    /// The ways to pay; none without a price.
    pub(crate) methods: Vec<MethodRow>,
    /// What the visitor can do.
    pub(crate) state: CheckoutState,
}

/// What it costs and who gets it.
#[derive(Clone, Debug)]
pub(crate) struct Payable {
    /// `Amount` or `Worth of the units`.
    pub(crate) principal_label: String,
    /// The thing itself.
    pub(crate) principal: Figure,
    /// Units that come or go.
    pub(crate) units: Option<Figure>,
    /// The fees.
    pub(crate) fees: Vec<FeeLine>,
    /// `You pay` or `You receive`.
    pub(crate) total_label: String,
    /// What leaves or enters the wallet.
    pub(crate) total: Figure,
    /// What the bank takes; none where the balance pays.
    pub(crate) debit: Option<Debited>,
    /// Further lines of the quote.
    pub(crate) notes: Facts,
    /// When a redemption's money arrives, in a sentence.
    pub(crate) arrival: Option<String>,
    /// Until when it holds, in a sentence.
    pub(crate) holds_until: String,
}

/// What leaves a bank account.
#[derive(Clone, Debug)]
pub(crate) struct Debited {
    /// The bank's fee, which is no part of the order.
    pub(crate) fee: Figure,
    /// From where.
    pub(crate) label: String,
    /// In all.
    pub(crate) amount: Figure,
}

/// One way to pay.
#[derive(Clone, Debug)]
pub(crate) struct MethodRow {
    /// Whether it is a bank account.
    pub(crate) is_bank: bool,
    /// The balance, or a bank and an account.
    pub(crate) name: String,
    /// What there is, or what it costs.
    pub(crate) told: String,
    /// Where the price for it is; none for the one that is quoted.
    pub(crate) href: Option<String>,
}

/// One fee.
#[derive(Clone, Debug)]
pub(crate) struct FeeLine {
    /// What it is called.
    pub(crate) name: String,
    /// Who pays it and who gets it, in words.
    pub(crate) told: String,
    /// How much.
    pub(crate) amount: Figure,
}

/// What stands below the price.
#[derive(Clone, Debug)]
pub(crate) enum CheckoutState {
    /// PIN and button.
    Ready(Box<Form>),
    /// Why it cannot be confirmed, and the way on.
    Blocked(Notice),
}
