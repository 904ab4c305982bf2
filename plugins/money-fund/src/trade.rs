//! What an order of the fund is worth, and how it is confirmed.

use qiao_sdk::{
    FulfilError, Money, Order, OrderKind, QuoteAnswer, QuoteError, QuoteRequest, Receipt, Units,
};

use crate::fund::{
    self, PURCHASE_MINOR_MAX, PURCHASE_MINOR_MIN, REDEEM_UNITS_MINOR_MAX, REDEEM_UNITS_MINOR_MIN,
};

const RECEIPT_CHARS_MAX: usize = 64;
const RECEIPT_PREFIX: &str = "SMF-";

/// Prices an offer from the offer and the newest price alone.
pub(crate) fn quote(request: &QuoteRequest) -> Result<QuoteAnswer, QuoteError> {
    let offer = &request.offer;
    if offer.product != fund::CODE {
        return Err(QuoteError::NotAvailable(format!(
            "{} is not for sale",
            offer.product
        )));
    }
    let nav_e4 = fund::nav_e4(request.price.as_ref());
    let principal = match offer.kind {
        OrderKind::Purchase => purchase_principal(offer.amount.as_ref())?,
        OrderKind::Redeem => redeem_principal(offer.units_minor, nav_e4)?,
        OrderKind::Pay => {
            return Err(QuoteError::NotAvailable(
                "a fund is bought or redeemed".to_owned(),
            ));
        }
    };
    Ok(QuoteAnswer::new(principal).unit_price_e4(nav_e4))
}

fn purchase_principal(amount: Option<&Money>) -> Result<Money, QuoteError> {
    let Some(amount) = amount.filter(|amount| amount.currency == "CNY") else {
        return Err(QuoteError::NotAvailable(
            "the fund is bought in CNY".to_owned(),
        ));
    };
    if !(PURCHASE_MINOR_MIN..=PURCHASE_MINOR_MAX).contains(&amount.minor) {
        return Err(QuoteError::AmountOutOfRange(
            "buy for 1.00 CNY to 1,000,000.00 CNY at a time".to_owned(),
        ));
    }
    Ok(amount.clone())
}

fn redeem_principal(units_minor: Option<i64>, nav_e4: u64) -> Result<Money, QuoteError> {
    let Some(units) = units_minor.map(Units) else {
        return Err(QuoteError::NotAvailable(
            "a redemption names its units".to_owned(),
        ));
    };
    let out_of_range =
        || QuoteError::AmountOutOfRange("redeem 0.01 to 1,000,000.00 units at a time".to_owned());
    if !(REDEEM_UNITS_MINOR_MIN..=REDEEM_UNITS_MINOR_MAX).contains(&units.0) {
        return Err(out_of_range());
    }
    units
        .worth_minor(nav_e4)
        .map(Money::cny)
        .ok_or_else(out_of_range)
}

/// Confirms an order. The receipt follows from the order's id, so that the same order
/// has the same receipt however often it comes.
pub(crate) fn fulfil(order: &Order) -> Result<Receipt, FulfilError> {
    if order.offer.product != fund::CODE || order.kind == OrderKind::Pay {
        return Err(FulfilError::Rejected(format!(
            "{} is not this fund",
            order.offer.product
        )));
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
    let kept = characters.take(RECEIPT_CHARS_MAX - RECEIPT_PREFIX.len());
    format!(
        "{RECEIPT_PREFIX}{}",
        kept.collect::<String>().to_ascii_uppercase()
    )
}
