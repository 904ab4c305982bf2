//! A guest that floods its host: with log lines, with one enormous line, with calls, and
//! with stored values.

use qiao_sdk::{
    Money, Page, PageError, Plugin, QuoteAnswer, QuoteError, QuoteRequest, Visit, log, storage,
};

const LINE_BYTES: usize = 1024 * 1024;
const VALUE_BYTES: usize = 4 * 1024;

struct Flooder;

impl Plugin for Flooder {
    fn open(visit: Visit) -> Result<Page, PageError> {
        match visit.service.as_str() {
            "log" => loop {
                log::info("a line of the flood, a line of the flood, a line of the flood");
            },
            "line" => {
                log::info(&"x".repeat(LINE_BYTES));
                Ok(Page::new("Logged"))
            }
            "calls" => loop {
                // Each answer is ignored: it is the number of calls that floods.
                let _ = storage::get("drop");
            },
            "storage" => Ok(fill_storage()),
            "calm" => Ok(Page::new("Calm")),
            _ => Err(PageError::NotFound(visit.service)),
        }
    }

    fn quote(_request: QuoteRequest) -> Result<QuoteAnswer, QuoteError> {
        Ok(QuoteAnswer::new(Money::cny(100)))
    }
}

qiao_sdk::export!(Flooder);

/// The page says how many values were kept and why the next was not.
fn fill_storage() -> Page {
    let value = [0_u8; VALUE_BYTES];
    let mut kept: u64 = 0;
    loop {
        match storage::set(&format!("drop-{kept}"), value) {
            Ok(()) => kept += 1,
            Err(error) => return Page::new(kept.to_string()).text(error.to_string()),
        }
    }
}
