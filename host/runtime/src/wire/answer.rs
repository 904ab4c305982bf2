use qiao_catalog::fee::{FEE_CODE_CHARS_MAX, LINES_MAX, Proposal};

use super::{few_entries_in, money_in, order_kind_in, sentence, short};
use crate::bindings::v0_1_0::exports::qiao::guest::{activation, events, jobs, orders, pages};
use crate::bindings::v0_1_0::qiao::host::types as wit;
use crate::limits::{OFFER_REFERENCE_CHARS_MAX, OFFER_TITLE_CHARS_MAX, RECEIPT_NUMBER_CHARS_MAX};
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
        product: short(
            offer.product,
            "an offer's product",
            OFFER_REFERENCE_CHARS_MAX,
        )?,
        kind: order_kind_in(offer.kind),
        title: short(offer.title, "an offer's title", OFFER_TITLE_CHARS_MAX)?,
        amount,
        units_minor: offer.units_minor,
        reference: short(
            offer.reference,
            "an offer's reference",
            OFFER_REFERENCE_CHARS_MAX,
        )?,
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
            return Err(Fault::invalid_answer(
                "a quote's unit price is zero or too large",
            ));
        }
        Ok(price) => price,
    };
    Ok(Quote {
        principal,
        unit_price_e4,
        notes: few_entries_in(answer.notes, "a quote's notes")?,
        proposals: proposals(answer.proposals)?,
    })
}

fn proposals(proposals: Vec<orders::Proposal>) -> Result<Vec<Proposal>, Fault> {
    if proposals.len() > LINES_MAX {
        return Err(Fault::invalid_answer("a quote proposes too many fees"));
    }
    let proposal = |proposal: orders::Proposal| {
        let minor = i64::try_from(proposal.minor);
        Ok(Proposal {
            code: short(proposal.code, "a proposal's code", FEE_CODE_CHARS_MAX)?,
            minor: minor.map_err(|_| Fault::invalid_answer("a proposed fee is too large"))?,
        })
    };
    proposals.into_iter().map(proposal).collect()
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
            number: short(
                receipt.number,
                "a receipt's number",
                RECEIPT_NUMBER_CHARS_MAX,
            )?,
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::FaultKind;
    use crate::limits::{
        ENTRIES_MAX, ENTRY_LABEL_CHARS_MAX, ENTRY_VALUE_CHARS_MAX, REFUSAL_CHARS_MAX,
    };

    fn entry(label: usize, value: usize) -> wit::Entry {
        wit::Entry {
            label: "名".repeat(label),
            value: "值".repeat(value),
        }
    }

    fn offer() -> wit::Offer {
        wit::Offer {
            product: "thing".to_owned(),
            kind: wit::OrderKind::Pay,
            title: "题".repeat(OFFER_TITLE_CHARS_MAX),
            amount: None,
            units_minor: None,
            reference: "号".repeat(OFFER_REFERENCE_CHARS_MAX),
            facts: vec![entry(ENTRY_LABEL_CHARS_MAX, ENTRY_VALUE_CHARS_MAX); ENTRIES_MAX],
        }
    }

    fn refused<T>(answer: Result<T, Fault>) -> bool {
        answer.is_err_and(|fault| fault.kind == FaultKind::InvalidAnswer)
    }

    #[test]
    fn an_offer_is_taken_at_every_limit_and_refused_one_past_any() {
        assert!(offer_in(offer()).is_ok());
        let past = |change: fn(&mut wit::Offer)| {
            let mut offer = offer();
            change(&mut offer);
            refused(offer_in(offer))
        };
        assert!(past(|offer| offer.title.push('x')));
        assert!(past(|offer| offer.reference.push('x')));
        assert!(past(|offer| offer.facts.push(entry(0, 0))));
        assert!(past(|offer| offer.facts[0].label.push('x')));
        assert!(past(|offer| offer.facts[0].value.push('x')));
        assert!(past(|offer| offer.units_minor = Some(-1)));
        let money = |minor, currency: &str| {
            let mut offer = offer();
            offer.amount = Some(wit::Money {
                minor,
                currency: currency.to_owned(),
            });
            refused(offer_in(offer))
        };
        assert!(!money(0, "CNY"));
        assert!(money(-1, "CNY"));
        assert!(money(1, "XYZ"));
        assert!(money(1, "cny"));
    }

    #[test]
    fn a_quote_is_not_negative_and_its_unit_price_is_one() {
        let answer = |minor, unit_price_e4| {
            quote(orders::QuoteAnswer {
                principal: wit::Money {
                    minor,
                    currency: "CNY".to_owned(),
                },
                unit_price_e4,
                notes: Vec::new(),
                proposals: Vec::new(),
            })
        };
        assert!(answer(0, None).is_ok());
        assert!(answer(1, Some(1)).is_ok());
        assert!(refused(answer(-1, None)));
        assert!(refused(answer(1, Some(0))));
        assert!(refused(answer(1, Some(u64::MAX))));
    }

    #[test]
    fn a_quote_proposes_at_most_a_fee_for_each_line() {
        let proposal = |minor| orders::Proposal {
            code: "f".repeat(FEE_CODE_CHARS_MAX),
            minor,
        };
        assert!(proposals(vec![proposal(1); LINES_MAX]).is_ok());
        assert!(refused(proposals(vec![proposal(1); LINES_MAX + 1])));
        assert!(refused(proposals(vec![proposal(u64::MAX)])));
        let mut long = proposal(1);
        long.code.push('f');
        assert!(refused(proposals(vec![long])));
    }

    #[test]
    fn a_receipts_number_is_bounded() {
        let receipt = |chars| {
            fulfilment(orders::Fulfilment::Done(orders::Receipt {
                number: "9".repeat(chars),
                entries: Vec::new(),
            }))
        };
        assert!(receipt(RECEIPT_NUMBER_CHARS_MAX).is_ok());
        assert!(refused(receipt(RECEIPT_NUMBER_CHARS_MAX + 1)));
    }

    #[test]
    fn control_characters_are_no_text_of_a_plugin() {
        let receipt = |number: &str| {
            fulfilment(orders::Fulfilment::Done(orders::Receipt {
                number: number.to_owned(),
                entries: Vec::new(),
            }))
        };
        assert!(receipt("9").is_ok());
        assert!(refused(receipt("9\0")));
        let cause = fulfil_error(orders::FulfilError::Rejected("no\0ne".to_owned()));
        assert_eq!(cause, FulfilError::Rejected("no\u{fffd}ne".to_owned()));
    }

    #[test]
    fn a_refusal_of_a_page_is_cut_to_a_sentence() {
        let refusal = |chars| match fulfil_error(orders::FulfilError::Rejected("因".repeat(chars)))
        {
            FulfilError::Rejected(cause) => cause.chars().count(),
            FulfilError::Unknown(_) => 0,
        };
        assert_eq!(refusal(REFUSAL_CHARS_MAX), REFUSAL_CHARS_MAX);
        assert_eq!(refusal(REFUSAL_CHARS_MAX + 1), REFUSAL_CHARS_MAX);
    }
}
