//! Ordinary arguments of the calls that a host makes.

use crate::{Date, Field, Money, Offer, Order, Price, QuoteRequest, Submission, Visit};

/// The day that the samples are of: 2026-11-05.
#[must_use]
pub fn today() -> Date {
    Date {
        year: 2026,
        month: 11,
        day: 5,
    }
}

/// The user `sub_ann` opens a service in English.
#[must_use]
pub fn visit(service: &str) -> Visit {
    Visit {
        service: service.to_owned(),
        user: "sub_ann".to_owned(),
        locale: "en".to_owned(),
        today: today(),
        params: Vec::new(),
    }
}

/// The visitor sends a form.
#[must_use]
pub fn submission(visit: Visit, form: &str, fields: &[(&str, &str)]) -> Submission {
    let fields = fields
        .iter()
        .map(|(name, value)| Field::new(*name, *value))
        .collect();
    Submission {
        visit,
        form: form.to_owned(),
        fields,
    }
}

/// The host asks for the price of an offer.
#[must_use]
pub fn quote_request(offer: Offer, price: Option<Price>) -> QuoteRequest {
    QuoteRequest {
        offer,
        price,
        today: today(),
    }
}

/// The first try of the confirmed order `ord_1` of `sub_ann`.
#[must_use]
pub fn order(offer: Offer, principal: Money) -> Order {
    Order {
        id: "ord_1".to_owned(),
        kind: offer.kind,
        units_minor: offer.units_minor,
        offer,
        user: "sub_ann".to_owned(),
        principal,
        attempt: 1,
    }
}
