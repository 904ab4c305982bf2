//! What an order of the fund is worth, and how it is confirmed.

use qiao_sdk::{
    FulfilError, Money, Order, OrderKind, QuoteAnswer, QuoteError, QuoteRequest, Receipt, Units,
};

use crate::fund::{self, PURCHASE_MINOR_MAX, PURCHASE_MINOR_MIN, REDEEM_UNITS_MINOR_MAX};

const RECEIPT_CHARS_MAX: usize = 64;
const RECEIPT_PREFIX: &str = "SBF-";

/// Prices an offer from the offer and the newest price alone.
pub(crate) fn quote(request: &QuoteRequest) -> Result<QuoteAnswer, QuoteError> {
    let offer = &request.offer;
    if offer.product != fund::CODE {
        let sentence = format!("{} is not for sale", offer.product);
        return Err(QuoteError::NotAvailable(sentence));
    }
    let nav_e4 = fund::nav_e4(request.price.as_ref());
    let principal = match offer.kind {
        OrderKind::Purchase => purchase_principal(offer.amount.as_ref())?,
        OrderKind::Redeem => redeem_principal(offer.units_minor, nav_e4)?,
        OrderKind::Pay => {
            let sentence = "a fund is bought or redeemed".to_owned();
            return Err(QuoteError::NotAvailable(sentence));
        }
    };
    Ok(QuoteAnswer::new(principal).unit_price_e4(nav_e4))
}

fn purchase_principal(amount: Option<&Money>) -> Result<Money, QuoteError> {
    let Some(amount) = amount.filter(|amount| amount.currency == "CNY") else {
        let sentence = "the fund is bought in CNY".to_owned();
        return Err(QuoteError::NotAvailable(sentence));
    };
    if !(PURCHASE_MINOR_MIN..=PURCHASE_MINOR_MAX).contains(&amount.minor) {
        let sentence = "buy for 10.00 CNY to 10,000,000.00 CNY at a time".to_owned();
        return Err(QuoteError::AmountOutOfRange(sentence));
    }
    Ok(amount.clone())
}

fn redeem_principal(units_minor: Option<i64>, nav_e4: u64) -> Result<Money, QuoteError> {
    let Some(units) = units_minor.map(Units) else {
        let sentence = "a redemption names its units".to_owned();
        return Err(QuoteError::NotAvailable(sentence));
    };
    let worth = units.worth_minor(nav_e4).filter(|minor| *minor > 0);
    match worth {
        Some(minor) if units.0 <= REDEEM_UNITS_MINOR_MAX => Ok(Money::cny(minor)),
        Some(_) | None => {
            let sentence = "redeem units worth 0.01 CNY or more, at most 100,000,000.00 at a time";
            Err(QuoteError::AmountOutOfRange(sentence.to_owned()))
        }
    }
}

/// Confirms an order. The receipt follows from the order's id, so that the same order
/// has the same receipt however often it comes.
pub(crate) fn fulfil(order: &Order) -> Result<Receipt, FulfilError> {
    if order.offer.product != fund::CODE || order.kind == OrderKind::Pay {
        let reason = format!("{} is not this fund", order.offer.product);
        return Err(FulfilError::Rejected(reason));
    }
    let Some(units) = order.units_minor.map(Units) else {
        return Err(FulfilError::Rejected("the order has no units".to_owned()));
    };
    Ok(Receipt::new(receipt_number(&order.id))
        .entry("Units / 份额", units.to_string())
        .entry("Amount / 金额", order.principal.to_string()))
}

fn receipt_number(order: &str) -> String {
    let id = order.strip_prefix("ord_").unwrap_or(order);
    let characters = id.chars().filter(char::is_ascii_alphanumeric);
    let kept: String = characters
        .take(RECEIPT_CHARS_MAX - RECEIPT_PREFIX.len())
        .collect();
    format!("{RECEIPT_PREFIX}{}", kept.to_ascii_uppercase())
}
