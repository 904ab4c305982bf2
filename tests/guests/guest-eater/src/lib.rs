//! A guest that takes too much: memory without end, or a page larger than a page may be.

use std::hint::black_box;

use qiao_sdk::{Money, Page, PageError, Plugin, QuoteAnswer, QuoteError, QuoteRequest, Visit};

const BITE_BYTES: usize = 1024 * 1024;
const BLOCKS: usize = 1_000;

struct Eater;

impl Plugin for Eater {
    fn open(visit: Visit) -> Result<Page, PageError> {
        match visit.service.as_str() {
            "memory" => eat_forever(),
            "bytes" => Ok(Page::new("Bytes").text("x".repeat(BITE_BYTES))),
            "blocks" => Ok((0..BLOCKS).fold(Page::new("Blocks"), |page, _| page.text("block"))),
            "calm" => Ok(Page::new("Calm")),
            _ => Err(PageError::NotFound(visit.service)),
        }
    }

    fn quote(_request: QuoteRequest) -> Result<QuoteAnswer, QuoteError> {
        Ok(QuoteAnswer::new(Money::cny(100)))
    }
}

qiao_sdk::export!(Eater);

/// Ends when the host refuses more: the allocation fails and the guest traps.
fn eat_forever() -> ! {
    let mut bites = Vec::new();
    loop {
        bites.push(black_box(vec![1_u8; BITE_BYTES]));
    }
}
