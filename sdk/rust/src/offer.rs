use crate::{Entry, Fulfilment, Money, Offer, OrderKind, Proposal, QuoteAnswer, Receipt, Units};

impl Offer {
    /// Offers to buy units of a product for an amount.
    #[must_use]
    pub fn purchase(product: &str, title: impl Into<String>, amount: Money) -> Self {
        Self::new(
            product,
            OrderKind::Purchase,
            title.into(),
            Some(amount),
            None,
        )
    }

    /// Offers to give units of a product back.
    #[must_use]
    pub fn redeem(product: &str, title: impl Into<String>, units: Units) -> Self {
        Self::new(
            product,
            OrderKind::Redeem,
            title.into(),
            None,
            Some(units.0),
        )
    }

    /// Offers to pay for a thing.
    #[must_use]
    pub fn pay(product: &str, title: impl Into<String>, amount: Money) -> Self {
        Self::new(product, OrderKind::Pay, title.into(), Some(amount), None)
    }

    fn new(
        product: &str,
        kind: OrderKind,
        title: String,
        amount: Option<Money>,
        units_minor: Option<i64>,
    ) -> Self {
        Self {
            product: product.to_owned(),
            kind,
            title,
            amount,
            units_minor,
            reference: String::new(),
            facts: Vec::new(),
        }
    }

    /// The plugin's own key for the thing; it comes back at `quote` and `fulfil`.
    #[must_use]
    pub fn reference(mut self, reference: impl Into<String>) -> Self {
        self.reference = reference.into();
        self
    }

    /// Adds a fact that the checkout shows.
    #[must_use]
    pub fn fact(mut self, label: impl Into<String>, value: impl Into<String>) -> Self {
        self.facts.push(Entry::new(label, value));
        self
    }
}

impl QuoteAnswer {
    /// The price of the thing itself.
    #[must_use]
    pub fn new(principal: Money) -> Self {
        Self {
            principal,
            unit_price_e4: None,
            notes: Vec::new(),
            proposals: Vec::new(),
        }
    }

    /// Proposes another fee for this order, within the band that the line declares.
    #[must_use]
    pub fn propose(mut self, code: &str, minor: u64) -> Self {
        let code = code.to_owned();
        self.proposals.push(Proposal { code, minor });
        self
    }

    /// The price of a unit, in 1/10000 of the currency's main unit.
    #[must_use]
    pub fn unit_price_e4(mut self, nav_e4: u64) -> Self {
        self.unit_price_e4 = Some(nav_e4);
        self
    }

    /// Adds a line for the user.
    #[must_use]
    pub fn note(mut self, label: impl Into<String>, value: impl Into<String>) -> Self {
        self.notes.push(Entry::new(label, value));
        self
    }
}

impl Receipt {
    /// A receipt with the institution's own number.
    #[must_use]
    pub fn new(number: impl Into<String>) -> Self {
        Self {
            number: number.into(),
            entries: Vec::new(),
        }
    }

    /// Adds a line for the user.
    #[must_use]
    pub fn entry(mut self, label: impl Into<String>, value: impl Into<String>) -> Self {
        self.entries.push(Entry::new(label, value));
        self
    }
}

impl From<Receipt> for Fulfilment {
    fn from(receipt: Receipt) -> Self {
        Self::Done(receipt)
    }
}
