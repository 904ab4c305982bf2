use super::{few_entries_in, money_in, order_kind_in, sentence, short};
use crate::bindings::v0_1_0::exports::qiao::guest::{activation, events, jobs, orders, pages};
use crate::bindings::v0_1_0::qiao::host::types as wit;
use crate::limits::{
    OFFER_REFERENCE_CHARS_MAX, OFFER_TITLE_CHARS_MAX, RECEIPT_NUMBER_CHARS_MAX,
};
use crate::{
    ActivationError, EventError, Fault, FieldProblem, FulfilError, Fulfilment, JobError, Offer,
    PageError, Quote, QuoteError, Receipt,
};

pub(crate) fn offer_in(offer: wit::Offer) -> Result<Offer, Fault> {
    let amount = offer.amount.as_ref().map(money_in).transpose()?;
    if amount.is_some_and(|amount| amount.minor < 0) || offer.units_minor.is_some_and(|u| u < 0) {
        return Err(Fault::invalid_answer("an offer's amount is negative"));
    }
    Ok(Offer {
        product: short(offer.product, "an offer's product", OFFER_REFERENCE_CHARS_MAX)?,
        kind: order_kind_in(offer.kind),
        title: short(offer.title, "an offer's title", OFFER_TITLE_CHARS_MAX)?,
        amount,
        units_minor: offer.units_minor,
        reference: short(offer.reference, "an offer's reference", OFFER_REFERENCE_CHARS_MAX)?,
        facts: few_entries_in(offer.facts, "an offer's facts")?,
    })
}

pub(crate) fn quote(answer: orders::QuoteAnswer) -> Result<Quote, Fault> {
    let principal = money_in(&answer.principal)?;
    if principal.minor < 0 {
        return Err(Fault::invalid_answer("a quote's principal is negative"));
    }
    let unit_price_e4 = match answer.unit_price_e4.map(i64::try_from).transpose() {
        Ok(Some(0)) | Err(_) => {
            return Err(Fault::invalid_answer("a quote's unit price is zero or too large"));
        }
        Ok(price) => price,
    };
    Ok(Quote {
        principal,
        unit_price_e4,
        notes: few_entries_in(answer.notes, "a quote's notes")?,
    })
}

pub(crate) fn quote_error(error: orders::QuoteError) -> QuoteError {
    match error {
        orders::QuoteError::NotAvailable(text) => QuoteError::NotAvailable(sentence(text)),
        orders::QuoteError::AmountOutOfRange(text) => QuoteError::AmountOutOfRange(sentence(text)),
    }
}

pub(crate) fn fulfilment(answer: orders::Fulfilment) -> Result<Fulfilment, Fault> {
    Ok(match answer {
        orders::Fulfilment::Pending(seconds) => Fulfilment::Pending(seconds),
        orders::Fulfilment::Done(receipt) => Fulfilment::Done(Receipt {
            number: short(receipt.number, "a receipt's number", RECEIPT_NUMBER_CHARS_MAX)?,
            entries: few_entries_in(receipt.entries, "a receipt")?,
        }),
    })
}

pub(crate) fn fulfil_error(error: orders::FulfilError) -> FulfilError {
    match error {
        orders::FulfilError::Rejected(text) => FulfilError::Rejected(sentence(text)),
        orders::FulfilError::Unknown(text) => FulfilError::Unknown(sentence(text)),
    }
}

pub(crate) fn page_error(error: pages::PageError) -> PageError {
    match error {
        pages::PageError::NotFound(name) => PageError::NotFound(sentence(name)),
        pages::PageError::InvalidField(problem) => PageError::InvalidField(FieldProblem {
            name: sentence(problem.name),
            cause: sentence(problem.cause),
        }),
        pages::PageError::Unavailable(text) => PageError::Unavailable(sentence(text)),
    }
}

pub(crate) fn activation_error(error: activation::ActivationError) -> ActivationError {
    match error {
        activation::ActivationError::Registration(text) => {
            ActivationError::Registration(sentence(text))
        }
        activation::ActivationError::Configuration(text) => {
            ActivationError::Configuration(sentence(text))
        }
    }
}

pub(crate) fn job_error(error: jobs::JobError) -> JobError {
    match error {
        jobs::JobError::UnknownJob(name) => JobError::UnknownJob(sentence(name)),
        jobs::JobError::Failed(text) => JobError::Failed(sentence(text)),
    }
}

pub(crate) fn event_error(error: events::EventError) -> EventError {
    match error {
        events::EventError::Failed(text) => EventError::Failed(sentence(text)),
    }
}
