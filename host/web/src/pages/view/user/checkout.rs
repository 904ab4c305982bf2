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
    /// Further lines of the quote.
    pub(crate) notes: Facts,
    /// When a redemption's money arrives, in a sentence.
    pub(crate) arrival: Option<String>,
    /// Until when it holds, in a sentence.
    pub(crate) holds_until: String,
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
    /// The payment method and the form that confirms.
    Ready {
        /// The wallet's balance.
        balance: Figure,
        /// PIN and button.
        form: Box<Form>,
    },
    /// Why it cannot be confirmed, and the way on.
    Blocked(Notice),
}
