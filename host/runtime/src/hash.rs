use sha2::{Digest, Sha256};

use crate::{Entry, Offer, Quote, QuoteRequest};

/// SHA-256 over one unambiguous form of a value: every text and list with its length
/// before it, every option with a flag. A stored quote is proved again with it, so the
/// form never changes for a WIT version.
struct Writer(Vec<u8>);

impl Writer {
    fn new(purpose: &str) -> Self {
        let mut writer = Self(Vec::with_capacity(512));
        writer.text(purpose);
        writer
    }

    fn number(&mut self, number: i64) {
        self.0.extend_from_slice(&number.to_be_bytes());
    }

    fn count(&mut self, count: usize) {
        self.0.extend_from_slice(&(count as u64).to_be_bytes());
    }

    fn text(&mut self, text: &str) {
        self.count(text.len());
        self.0.extend_from_slice(text.as_bytes());
    }

    fn maybe(&mut self, number: Option<i64>) {
        self.0.push(u8::from(number.is_some()));
        self.number(number.unwrap_or(0));
    }

    fn entries(&mut self, entries: &[Entry]) {
        self.count(entries.len());
        for entry in entries {
            self.text(&entry.label);
            self.text(&entry.value);
        }
    }

    fn day(&mut self, day: qiao_model::Day) {
        let (year, month, day) = day.parts();
        self.number(i64::from(year) * 10_000 + i64::from(month) * 100 + i64::from(day));
    }

    fn offer(&mut self, offer: &Offer) {
        self.text(&offer.product);
        self.text(match offer.kind {
            qiao_catalog::OrderKind::Purchase => "purchase",
            qiao_catalog::OrderKind::Redeem => "redeem",
            qiao_catalog::OrderKind::Pay => "pay",
        });
        self.text(&offer.title);
        self.maybe(offer.amount.map(|amount| amount.minor));
        self.text(
            offer
                .amount
                .as_ref()
                .map_or("", |amount| amount.currency.code()),
        );
        self.maybe(offer.units_minor);
        self.text(&offer.reference);
        self.entries(&offer.facts);
    }

    fn finish(self) -> [u8; 32] {
        Sha256::digest(&self.0).into()
    }
}

/// The hash of a quote's request.
pub(crate) fn of_request(request: &QuoteRequest) -> [u8; 32] {
    let mut writer = Writer::new("quote-request 0.1.0");
    writer.offer(&request.offer);
    let price = request.price.as_ref();
    writer.0.push(u8::from(price.is_some()));
    if let Some(price) = price {
        writer.day(price.day);
        writer.number(price.nav_e4);
        writer.maybe(price.income_per_10k_e4);
        writer.maybe(price.yield_7d_ppm);
    }
    writer.day(request.today);
    writer.finish()
}

/// The hash of a quote's answer.
pub(crate) fn of_quote(quote: &Quote) -> [u8; 32] {
    let mut writer = Writer::new("quote-answer 0.1.0");
    writer.number(quote.principal.minor);
    writer.text(quote.principal.currency.code());
    writer.maybe(quote.unit_price_e4);
    writer.entries(&quote.notes);
    writer.count(quote.proposals.len());
    for proposal in &quote.proposals {
        writer.text(&proposal.code);
        writer.number(proposal.minor);
    }
    writer.finish()
}
