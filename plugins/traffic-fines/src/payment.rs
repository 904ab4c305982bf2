//! The order of a fine: its price, its report to the authority, its cancellation.
//!
//! Rejecting gives the money back, so it needs the authority's own word; whatever else
//! comes back leaves open what the authority knows, and the host asks again.

use qiao_sdk::egress::{EgressError, Response};
use qiao_sdk::{
    FulfilError, Fulfilment, Money, Order, OrderKind, QuoteAnswer, QuoteError, QuoteRequest,
    Receipt,
};
use serde::Deserialize;

use crate::{FINE, biller, plate};

/// The largest fine that is paid here: 50,000.00 CNY.
pub(crate) const AMOUNT_MINOR_MAX: i64 = 5_000_000;
/// The contract's limit for a receipt's number.
const RECEIPT_CHARS_MAX: usize = 64;
/// The longest reason of the authority that is passed on.
const REASON_CHARS_MAX: usize = 200;
/// When to ask again, if the authority does not say.
const RETRY_AFTER_S: u32 = 5;
const RETRY_AFTER_S_MAX: u32 = 3_600;

/// What the authority answers to a payment or a cancellation.
#[derive(Default, Deserialize)]
#[serde(default)]
struct Outcome {
    status: String,
    receipt: String,
    reason: String,
    retry_after_s: Option<u32>,
}

/// The principal is what the stored offer says.
pub(crate) fn quote(request: &QuoteRequest) -> Result<QuoteAnswer, QuoteError> {
    let offer = &request.offer;
    if offer.product != FINE
        || offer.kind != OrderKind::Pay
        || !plate::is_fine_number(&offer.reference)
    {
        return Err(QuoteError::NotAvailable(format!(
            "{} is not a fine",
            offer.product
        )));
    }
    let Some(amount) = offer
        .amount
        .as_ref()
        .filter(|amount| amount.currency == "CNY")
    else {
        return Err(QuoteError::NotAvailable("a fine is paid in CNY".to_owned()));
    };
    if !(1..=AMOUNT_MINOR_MAX).contains(&amount.minor) {
        let largest = Money::cny(AMOUNT_MINOR_MAX);
        return Err(QuoteError::AmountOutOfRange(format!(
            "a fine is at most {largest}"
        )));
    }
    Ok(QuoteAnswer::new(amount.clone()))
}

/// Reports the payment and takes the authority's receipt.
pub(crate) fn fulfil(order: &Order) -> Result<Fulfilment, FulfilError> {
    if order.offer.product != FINE || order.kind != OrderKind::Pay {
        return Err(FulfilError::Rejected(format!(
            "{} is not a fine",
            order.offer.product
        )));
    }
    let response = biller::pay(order).map_err(|error| unsent(order, &error))?;
    let outcome: Outcome = response.json().unwrap_or_default();
    match (response.status, outcome.status.as_str()) {
        (200 | 201, "paid") => receipt(order, &outcome).map(Fulfilment::Done),
        (202, _) => {
            let seconds = outcome.retry_after_s.unwrap_or(RETRY_AFTER_S);
            Ok(Fulfilment::Pending(seconds.clamp(1, RETRY_AFTER_S_MAX)))
        }
        (200 | 201 | 400..=499, "failed") => Err(FulfilError::Rejected(reason(&outcome))),
        // Without the authority's word a refusal counts only if nothing was sent before:
        // an earlier try may have paid, and this one met a gateway.
        (400..=499, _) if order.attempt <= 1 && !asks_to_try_again(&response) => {
            Err(FulfilError::Rejected(reason(&outcome)))
        }
        (status, _) => Err(FulfilError::Unknown(format!(
            "the authority answered status {status} to order {}",
            order.id
        ))),
    }
}

/// Takes back what `fulfil` may have reported.
pub(crate) fn cancel(order: &Order) -> Result<(), FulfilError> {
    let response = match biller::cancel(order) {
        Ok(response) => response,
        Err(error) => return Err(unsent(order, &error)),
    };
    let outcome: Outcome = response.json().unwrap_or_default();
    match response.status {
        // An order that the authority never heard of needs no cancellation.
        200..=299 | 404 => Ok(()),
        400..=499 if !asks_to_try_again(&response) => Err(FulfilError::Rejected(reason(&outcome))),
        status => Err(FulfilError::Unknown(format!(
            "the authority answered status {status} to the cancellation of {}",
            order.id
        ))),
    }
}

fn receipt(order: &Order, outcome: &Outcome) -> Result<Receipt, FulfilError> {
    let number = outcome.receipt.as_str();
    if number.is_empty() || number.chars().count() > RECEIPT_CHARS_MAX {
        let cause = format!(
            "the authority gave order {} no usable receipt number",
            order.id
        );
        return Err(FulfilError::Unknown(cause));
    }
    Ok(Receipt::new(number)
        .entry("Fine / 罚单号", order.offer.reference.as_str())
        .entry("Amount / 金额", order.principal.to_string()))
}

/// RFC 9110 and 6585: 408, 425 and 429 say nothing about the request itself.
fn asks_to_try_again(response: &Response) -> bool {
    matches!(response.status, 408 | 425 | 429)
}

fn reason(outcome: &Outcome) -> String {
    if outcome.reason.is_empty() {
        return "The traffic authority refused the payment. / 交管部门拒绝了此次缴款。".to_owned();
    }
    outcome.reason.chars().take(REASON_CHARS_MAX).collect()
}

fn unsent(order: &Order, error: &EgressError) -> FulfilError {
    match error {
        EgressError::NotAllowed(_)
        | EgressError::PrivateNetwork
        | EgressError::InvalidRequest(_)
        | EgressError::Denied(_)
            if order.attempt <= 1 =>
        {
            FulfilError::Rejected(format!("The traffic authority cannot be reached: {error}"))
        }
        error => FulfilError::Unknown(format!("order {}: {error}", order.id)),
    }
}
