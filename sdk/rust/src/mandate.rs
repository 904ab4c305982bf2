use crate::{Answer, Date, Entry, MandateOffer, Money};

impl MandateOffer {
    /// Asks for the permission to charge orders of a product, each at most `per_payment`,
    /// up to and with the day `until`.
    #[must_use]
    pub fn new(
        product: &str,
        title: impl Into<String>,
        purpose: impl Into<String>,
        per_payment: Money,
        until: Date,
    ) -> Self {
        Self {
            title: title.into(),
            purpose: purpose.into(),
            product: product.to_owned(),
            per_payment,
            per_day_minor: None,
            per_month_minor: None,
            count: None,
            until,
            reference: String::new(),
            facts: Vec::new(),
        }
    }

    /// All charges of a day take at most so many minor units.
    #[must_use]
    pub fn per_day(mut self, minor: u64) -> Self {
        self.per_day_minor = Some(minor);
        self
    }

    /// All charges of a month take at most so many minor units.
    #[must_use]
    pub fn per_month(mut self, minor: u64) -> Self {
        self.per_month_minor = Some(minor);
        self
    }

    /// At most so many charges in all.
    #[must_use]
    pub fn count(mut self, charges: u32) -> Self {
        self.count = Some(charges);
        self
    }

    /// The plugin's own key for it; it comes back with every event of the mandate.
    #[must_use]
    pub fn reference(mut self, reference: impl Into<String>) -> Self {
        self.reference = reference.into();
        self
    }

    /// Adds a fact that the consent page shows.
    #[must_use]
    pub fn fact(mut self, label: impl Into<String>, value: impl Into<String>) -> Self {
        self.facts.push(Entry::new(label, value));
        self
    }
}

impl From<MandateOffer> for Answer {
    fn from(offer: MandateOffer) -> Self {
        Self::Mandate(offer)
    }
}
