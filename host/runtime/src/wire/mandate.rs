use qiao_payments::{GrantRefusal, MandateState};

use super::{day_in, few_entries_in, money, money_in, order_state, short};
use crate::bindings::v0_1_0::qiao::host::payments;
use crate::bindings::v0_1_0::qiao::host::types as wit;
use crate::limits::{
    MANDATE_PURPOSE_CHARS_MAX, MANDATE_REFERENCE_CHARS_MAX, OFFER_REFERENCE_CHARS_MAX,
    OFFER_TITLE_CHARS_MAX,
};
use crate::{ChargedOrder, Fault, MandateOffer, MandateTerms};

pub(crate) fn mandate_offer_in(offer: wit::MandateOffer) -> Result<MandateOffer, Fault> {
    let per_payment = money_in(&offer.per_payment)?;
    if per_payment.minor < 1 {
        return Err(Fault::invalid_answer("a mandate allows no amount"));
    }
    let until = day_in(offer.until);
    let product = short(
        offer.product,
        "a mandate's product",
        OFFER_REFERENCE_CHARS_MAX,
    )?;
    let terms = MandateTerms {
        title: filled(short(
            offer.title,
            "a mandate's title",
            OFFER_TITLE_CHARS_MAX,
        )?)?,
        purpose: filled(short(
            offer.purpose,
            "a mandate's purpose",
            MANDATE_PURPOSE_CHARS_MAX,
        )?)?,
        per_payment,
        per_day: limit_in(offer.per_day_minor)?,
        per_month: limit_in(offer.per_month_minor)?,
        count: match offer.count {
            Some(0) => return Err(Fault::invalid_answer("a mandate allows no charge")),
            count => count,
        },
        until: until.ok_or_else(|| Fault::invalid_answer("a mandate's last day is no day"))?,
        reference: short(
            offer.reference,
            "a mandate's reference",
            MANDATE_REFERENCE_CHARS_MAX,
        )?,
        facts: few_entries_in(offer.facts, "a mandate's facts")?,
    };
    Ok(MandateOffer { product, terms })
}

fn filled(text: String) -> Result<String, Fault> {
    if text.is_empty() {
        return Err(Fault::invalid_answer("a mandate has no title or purpose"));
    }
    Ok(text)
}

fn limit_in(minor: Option<u64>) -> Result<Option<i64>, Fault> {
    let Some(minor) = minor else {
        return Ok(None);
    };
    let minor = i64::try_from(minor).ok().filter(|minor| *minor > 0);
    let minor = minor.ok_or_else(|| Fault::invalid_answer("a mandate's limit is no amount"))?;
    Ok(Some(minor))
}

pub(crate) const fn mandate_state(state: MandateState) -> wit::MandateState {
    match state {
        MandateState::Active => wit::MandateState::Active,
        MandateState::Revoked => wit::MandateState::Revoked,
        MandateState::Expired => wit::MandateState::Expired,
        MandateState::UsedUp => wit::MandateState::UsedUp,
    }
}

pub(crate) fn mandate_refusal(refusal: GrantRefusal) -> payments::MandateRefusal {
    use payments::MandateRefusal as Wit;
    match refusal {
        GrantRefusal::Revoked => Wit::Revoked,
        GrantRefusal::Expired => Wit::Expired,
        GrantRefusal::UsedUp(_) => Wit::UsedUp,
        GrantRefusal::PerPayment(most) => Wit::PerPayment(money(most)),
        GrantRefusal::PerDay(left) => Wit::PerDay(money(left)),
        GrantRefusal::PerMonth(left) => Wit::PerMonth(money(left)),
        GrantRefusal::Currency(_)
        | GrantRefusal::Payee
        | GrantRefusal::Product
        | GrantRefusal::Payer => Wit::NotCovered(refusal.to_string()),
    }
}

pub(crate) fn charged(order: &ChargedOrder) -> payments::Charged {
    payments::Charged {
        order: order.order.to_string(),
        state: order_state(order.state),
        amount: money(order.amount),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn offer() -> wit::MandateOffer {
        wit::MandateOffer {
            title: "Auto-invest".to_owned(),
            purpose: "Buys units every Monday.".to_owned(),
            product: "steady-money".to_owned(),
            per_payment: wit::Money {
                minor: 10_000,
                currency: "CNY".to_owned(),
            },
            per_day_minor: None,
            per_month_minor: Some(50_000),
            count: Some(12),
            until: wit::Date {
                year: 2027,
                month: 11,
                day: 27,
            },
            reference: "weekly".to_owned(),
            facts: Vec::new(),
        }
    }

    fn taken(change: impl FnOnce(&mut wit::MandateOffer)) -> Result<MandateOffer, Fault> {
        let mut offer = offer();
        change(&mut offer);
        mandate_offer_in(offer)
    }

    #[test]
    fn a_mandate_is_taken_at_its_limits_and_refused_past_them() {
        let text = |chars: usize| "字".repeat(chars);
        assert!(taken(|o| o.title = text(OFFER_TITLE_CHARS_MAX)).is_ok());
        assert!(taken(|o| o.title = text(OFFER_TITLE_CHARS_MAX + 1)).is_err());
        assert!(taken(|o| o.purpose = text(MANDATE_PURPOSE_CHARS_MAX)).is_ok());
        assert!(taken(|o| o.purpose = text(MANDATE_PURPOSE_CHARS_MAX + 1)).is_err());
        assert!(taken(|o| o.reference = text(MANDATE_REFERENCE_CHARS_MAX)).is_ok());
        assert!(taken(|o| o.reference = text(MANDATE_REFERENCE_CHARS_MAX + 1)).is_err());
        assert!(taken(|o| o.per_payment.minor = 1).is_ok());
        assert!(taken(|o| o.per_day_minor = Some(i64::MAX.unsigned_abs())).is_ok());
    }

    #[test]
    fn a_mandate_that_allows_nothing_is_a_fault_of_the_plugin() {
        assert!(taken(|o| o.title.clear()).is_err());
        assert!(taken(|o| o.purpose.clear()).is_err());
        assert!(taken(|o| o.per_payment.minor = 0).is_err());
        assert!(taken(|o| o.per_payment.currency = "XYZ1".to_owned()).is_err());
        assert!(taken(|o| o.per_day_minor = Some(0)).is_err());
        assert!(taken(|o| o.per_month_minor = Some(u64::MAX)).is_err());
        assert!(taken(|o| o.count = Some(0)).is_err());
        assert!(taken(|o| o.until.month = 13).is_err());
    }
}
