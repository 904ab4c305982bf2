//! A guest whose quote is not pure: it reads the store, for which it has the scope.

use qiao_sdk::{
    Money, Page, PageError, Plugin, QuoteAnswer, QuoteError, QuoteRequest, Visit, log, storage,
};

struct Impure;

impl Plugin for Impure {
    /// Outside of a quote the same call is allowed.
    fn open(visit: Visit) -> Result<Page, PageError> {
        match visit.service.as_str() {
            "count" => Ok(match storage::get("count") {
                Ok(_) => Page::new("Read"),
                Err(error) => Page::new("Refused").text(error.to_string()),
            }),
            _ => Err(PageError::NotFound(visit.service)),
        }
    }

    /// A quote that could read the store says so; a host that keeps quotes pure denies it,
    /// and the denial becomes the reason of the refusal.
    fn quote(_request: QuoteRequest) -> Result<QuoteAnswer, QuoteError> {
        log::debug("a quote may log");
        match storage::get("count") {
            Ok(_) => Ok(QuoteAnswer::new(Money::cny(100)).note("impure", "the store was read")),
            Err(error) => Err(QuoteError::NotAvailable(error.to_string())),
        }
    }
}

qiao_sdk::export!(Impure);
