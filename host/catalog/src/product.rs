use qiao_model::{Currency, Day, InstitutionId, PluginId, ProductId};

use crate::error::Problem;
use crate::fee::{self, AccruedFee, FeeLine};

/// Characters of a product's code at most.
pub const PRODUCT_CODE_CHARS_MAX: usize = 32;
/// Characters of a product's name at most.
pub const PRODUCT_NAME_CHARS_MAX: usize = 64;
/// Characters of a product's summary at most.
pub const PRODUCT_SUMMARY_CHARS_MAX: usize = 200;
/// Products of one plugin at most.
pub const PRODUCTS_OF_PLUGIN_MAX: usize = 1_000;

/// When the money of an order is captured.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Capture {
    /// Held, then captured when the plugin has fulfilled the order.
    OnFulfilment,
    /// Captured first; refunded when the plugin rejects the order.
    BeforeFulfilment,
}

impl Capture {
    /// The name on the wire and in the database.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::OnFulfilment => "on-fulfilment",
            Self::BeforeFulfilment => "before-fulfilment",
        }
    }

    pub(crate) fn parse(name: &str) -> Option<Self> {
        [Self::OnFulfilment, Self::BeforeFulfilment]
            .into_iter()
            .find(|capture| capture.name() == name)
    }
}

/// When the money of a redemption reaches its holder.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Redemption {
    /// Out of the institution's settlement account, when the order is fulfilled.
    #[default]
    Ordinary,
    /// At once from what the fund's bank advances, up to the daily limit; what is
    /// above it on the next business day.
    Instant,
}

impl Redemption {
    /// The name on the wire and in the database.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Ordinary => "ordinary",
            Self::Instant => "instant",
        }
    }

    pub(crate) fn parse(name: &str) -> Option<Self> {
        [Self::Ordinary, Self::Instant]
            .into_iter()
            .find(|redemption| redemption.name() == name)
    }
}

/// What a plugin sells.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Product {
    /// Its id.
    pub id: ProductId,
    /// Which plugin registered it.
    pub plugin: PluginId,
    /// Whose plugin that is.
    pub institution: InstitutionId,
    /// The plugin's own key, unique in the plugin.
    pub code: String,
    /// What the user reads.
    pub name: String,
    /// One sentence.
    pub summary: String,
    /// The currency of its prices. Never changes.
    pub currency: Currency,
    /// Whether it is held in units (a fund) or consumed (a bill). Never changes.
    pub in_units: bool,
    /// When the money of its orders is captured.
    pub capture: Capture,
    /// When the money of its redemptions arrives.
    pub redemption: Redemption,
}

/// A product as a plugin registers it, or replaces its description.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewProduct {
    /// The plugin's own key: `a-z 0-9 -`, at most [`PRODUCT_CODE_CHARS_MAX`].
    pub code: String,
    /// What the user reads.
    pub name: String,
    /// One sentence.
    pub summary: String,
    /// The currency of its prices.
    pub currency: Currency,
    /// Whether it is held in units (a fund) or consumed (a bill).
    pub in_units: bool,
    /// When the money of its orders is captured.
    pub capture: Capture,
    /// When the money of its redemptions arrives: instantly only if it is held in units.
    pub redemption: Redemption,
    /// Its fees; none means that orders of it are free of them.
    pub fees: Vec<FeeLine>,
    /// What it pays for every day; only what is held in units pays that.
    pub accrued: Vec<AccruedFee>,
    /// The first day that the fees are in force; none means today.
    pub effective_from: Option<Day>,
}

impl NewProduct {
    /// Checks everything but the fees.
    pub(crate) fn check(&self) -> Result<(), Problem> {
        if !is_code(&self.code, PRODUCT_CODE_CHARS_MAX) {
            return Err(Problem::new(
                "code",
                "a code is 1 to 32 characters of a-z 0-9 -",
            ));
        }
        if !is_text(&self.name, PRODUCT_NAME_CHARS_MAX) || self.name.trim().is_empty() {
            return Err(Problem::new(
                "name",
                "a name is 1 to 64 characters on one line",
            ));
        }
        if !is_text(&self.summary, PRODUCT_SUMMARY_CHARS_MAX) {
            let cause = "a summary is at most 200 characters on one line";
            return Err(Problem::new("summary", cause));
        }
        if self.redemption == Redemption::Instant && !self.in_units {
            let cause = "only what is held in units is redeemed instantly";
            return Err(Problem::new("redemption", cause));
        }
        Ok(())
    }

    /// Checks the fees: of orders, and of every day.
    ///
    /// # Errors
    /// The first problem, with its place: `fees.lines[0].form.tiers[2]`.
    pub fn check_fees(&self) -> Result<(), Problem> {
        fee::check(&self.fees)?;
        let codes: Vec<&str> = self.fees.iter().map(|line| line.code.as_str()).collect();
        fee::check_accrued(&self.accrued, &codes)?;
        if !self.in_units && !self.accrued.is_empty() {
            let cause = "what is not held in units has no net asset value to accrue fees on";
            return Err(Problem::new("fees.accrued", cause));
        }
        Ok(())
    }
}

/// A plugin's own key: `a-z 0-9 -`.
pub(crate) fn is_code(text: &str, chars_max: usize) -> bool {
    (1..=chars_max).contains(&text.len())
        && text
            .bytes()
            .all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-')
}

/// Text on one line, without control characters.
pub(crate) fn is_text(text: &str, chars_max: usize) -> bool {
    text.chars().count() <= chars_max && !text.chars().any(char::is_control)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn product() -> NewProduct {
        NewProduct {
            code: "money-fund".to_owned(),
            name: "货币基金".to_owned(),
            summary: "Income every day.".to_owned(),
            currency: Currency::CNY,
            in_units: true,
            capture: Capture::OnFulfilment,
            redemption: Redemption::Instant,
            fees: Vec::new(),
            accrued: Vec::new(),
            effective_from: None,
        }
    }

    fn refused_at(change: impl FnOnce(&mut NewProduct)) -> Option<String> {
        let mut product = product();
        change(&mut product);
        product.check().err().map(|problem| problem.at)
    }

    #[test]
    fn each_text_is_taken_at_its_limit_and_refused_one_past_it() {
        assert_eq!(
            refused_at(|p| p.code = "c".repeat(PRODUCT_CODE_CHARS_MAX)),
            None
        );
        assert_eq!(
            refused_at(|p| p.name = "名".repeat(PRODUCT_NAME_CHARS_MAX)),
            None
        );
        assert_eq!(
            refused_at(|p| p.summary = "句".repeat(PRODUCT_SUMMARY_CHARS_MAX)),
            None
        );
        let code = refused_at(|p| p.code = "c".repeat(PRODUCT_CODE_CHARS_MAX + 1));
        assert_eq!(code.as_deref(), Some("code"));
        let name = refused_at(|p| p.name = "名".repeat(PRODUCT_NAME_CHARS_MAX + 1));
        assert_eq!(name.as_deref(), Some("name"));
        let summary = refused_at(|p| p.summary = "句".repeat(PRODUCT_SUMMARY_CHARS_MAX + 1));
        assert_eq!(summary.as_deref(), Some("summary"));
    }

    #[test]
    fn what_is_not_held_in_units_is_not_redeemed_instantly() {
        let refused = refused_at(|p| p.in_units = false);
        assert_eq!(refused.as_deref(), Some("redemption"));
        let ordinary = refused_at(|p| {
            p.in_units = false;
            p.redemption = Redemption::Ordinary;
        });
        assert_eq!(ordinary, None);
    }

    #[test]
    fn malformed_texts_are_refused() {
        for code in ["", "Fund", "fund_1", "fund 1", "基金"] {
            assert!(refused_at(|p| p.code = code.to_owned()).is_some(), "{code}");
        }
        for name in ["", "  ", "a\nb", "a\u{0}"] {
            assert!(
                refused_at(|p| p.name = name.to_owned()).is_some(),
                "{name:?}"
            );
        }
        assert!(refused_at(|p| p.summary = "a\tb".to_owned()).is_some());
        assert!(refused_at(|p| p.summary = String::new()).is_none());
    }
}
