//! A guest that calls `storage.set` without asking for the scope `storage`.

use qiao_sdk::{
    Money, Page, PageError, Plugin, QuoteAnswer, QuoteError, QuoteRequest, Visit, storage,
};

struct Greedy;

impl Plugin for Greedy {
    /// The page says what came of it.
    fn open(visit: Visit) -> Result<Page, PageError> {
        match visit.service.as_str() {
            "take" => Ok(match storage::set("taken", "value") {
                Ok(()) => Page::new("Taken"),
                Err(error) => Page::new("Refused").text(error.to_string()),
            }),
            _ => Err(PageError::NotFound(visit.service)),
        }
    }

    fn quote(_request: QuoteRequest) -> Result<QuoteAnswer, QuoteError> {
        Ok(QuoteAnswer::new(Money::cny(100)))
    }
}

qiao_sdk::export!(Greedy);
