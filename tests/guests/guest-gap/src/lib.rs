//! A guest whose fee table has a gap: no tier charges amounts from 1,000,000.00
//! below 2,000,000.00 CNY.

use qiao_sdk::{
    ActivationError, FeeForm, FeeLine, Money, Page, PageError, Plugin, Product, QuoteAnswer,
    QuoteError, QuoteRequest, Rate, Receiver, Tier, Visit, catalog,
};

/// The first tier ends at 1,000,000.00 CNY and the second begins at 2,000,000.00.
const FIRST_ENDS_MINOR: u64 = 100_000_000;
const SECOND_BEGINS_MINOR: u64 = 200_000_000;

struct Gap;

impl Plugin for Gap {
    fn activate() -> Result<(), ActivationError> {
        let tiers = vec![
            Tier::rate(0, Some(FIRST_ENDS_MINOR), Rate::ppm(13_000)),
            Tier::rate(SECOND_BEGINS_MINOR, None, Rate::ppm(8_000)),
        ];
        let line = FeeLine::new("purchase", "Purchase fee", FeeForm::Slab(tiers));
        catalog::register(&Product::new("gap", "Gap").fee(line.all_to(Receiver::Institution)))?;
        Ok(())
    }

    fn open(_visit: Visit) -> Result<Page, PageError> {
        Ok(Page::new("Gap"))
    }

    fn quote(_request: QuoteRequest) -> Result<QuoteAnswer, QuoteError> {
        Ok(QuoteAnswer::new(Money::cny(100)))
    }
}

qiao_sdk::export!(Gap);
