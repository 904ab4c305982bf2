//! How a refusal of a mandate is kept.

use qiao_model::{Currency, Money};
use serde::{Deserialize, Serialize};

use super::stored::parse;
use crate::grant::GrantRefusal;

/// The stored form of what a mandate did not allow.
#[derive(Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(super) enum StoredCause {
    Revoked,
    Expired,
    UsedUp(u32),
    PerPayment(i64, String),
    PerDay(i64, String),
    PerMonth(i64, String),
    Currency(String),
    Payee,
    Product,
    Payer,
}

impl StoredCause {
    pub(super) fn of(cause: GrantRefusal) -> Self {
        let code = |currency: Currency| currency.code().to_owned();
        match cause {
            GrantRefusal::Revoked => Self::Revoked,
            GrantRefusal::Expired => Self::Expired,
            GrantRefusal::UsedUp(count) => Self::UsedUp(count),
            GrantRefusal::PerPayment(most) => Self::PerPayment(most.minor, code(most.currency)),
            GrantRefusal::PerDay(left) => Self::PerDay(left.minor, code(left.currency)),
            GrantRefusal::PerMonth(left) => Self::PerMonth(left.minor, code(left.currency)),
            GrantRefusal::Currency(currency) => Self::Currency(code(currency)),
            GrantRefusal::Payee => Self::Payee,
            GrantRefusal::Product => Self::Product,
            GrantRefusal::Payer => Self::Payer,
        }
    }

    pub(super) fn read(&self) -> Option<GrantRefusal> {
        let money = |minor: i64, currency: &str| Some(Money::new(minor, parse(currency)?));
        Some(match self {
            Self::Revoked => GrantRefusal::Revoked,
            Self::Expired => GrantRefusal::Expired,
            Self::UsedUp(count) => GrantRefusal::UsedUp(*count),
            Self::PerPayment(most, currency) => GrantRefusal::PerPayment(money(*most, currency)?),
            Self::PerDay(left, currency) => GrantRefusal::PerDay(money(*left, currency)?),
            Self::PerMonth(left, currency) => GrantRefusal::PerMonth(money(*left, currency)?),
            Self::Currency(currency) => GrantRefusal::Currency(parse(currency)?),
            Self::Payee => GrantRefusal::Payee,
            Self::Product => GrantRefusal::Product,
            Self::Payer => GrantRefusal::Payer,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_refusal_of_a_mandate_survives_its_text() {
        let fen = Money::cny(7);
        for cause in [
            GrantRefusal::Revoked,
            GrantRefusal::Expired,
            GrantRefusal::UsedUp(3),
            GrantRefusal::PerPayment(fen),
            GrantRefusal::PerDay(fen),
            GrantRefusal::PerMonth(fen),
            GrantRefusal::Currency(Currency::CNY),
            GrantRefusal::Payee,
            GrantRefusal::Product,
            GrantRefusal::Payer,
        ] {
            let text = serde_json::to_string(&StoredCause::of(cause)).unwrap();
            let stored: StoredCause = serde_json::from_str(&text).unwrap();
            assert_eq!(stored.read(), Some(cause), "{text}");
        }
    }
}
