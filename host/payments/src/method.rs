use std::fmt;
use std::str::FromStr;

use qiao_model::{BankLinkId, Channel, MandateId};

/// How a payer pays.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Method {
    /// From the balance on the books.
    #[default]
    Balance,
    /// From or to a linked bank account, by the channel that was chosen for it.
    Bank {
        /// The link.
        link: BankLinkId,
        /// The channel.
        channel: Channel,
    },
    /// From the balance, by a standing permission.
    Mandate(MandateId),
}

impl Method {
    /// The wire name of the kind.
    #[must_use]
    pub const fn name(&self) -> &'static str {
        match self {
            Self::Balance => BALANCE,
            Self::Bank { .. } => "bank",
            Self::Mandate(_) => "mandate",
        }
    }
}

const BALANCE: &str = "balance";

impl fmt::Display for Method {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Balance => f.write_str(BALANCE),
            Self::Bank { link, channel } => write!(f, "{link}/{channel}"),
            Self::Mandate(id) => id.fmt(f),
        }
    }
}

/// The text names no method.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is not a payment method")]
pub struct ParseMethodError(String);

impl FromStr for Method {
    type Err = ParseMethodError;

    fn from_str(text: &str) -> Result<Self, ParseMethodError> {
        let refuse = || ParseMethodError(text.chars().take(60).collect());
        if text == BALANCE {
            return Ok(Self::Balance);
        }
        let Some((link, channel)) = text.split_once('/') else {
            return text.parse().map(Self::Mandate).map_err(|_| refuse());
        };
        Ok(Self::Bank {
            link: link.parse().map_err(|_| refuse())?,
            channel: channel.parse().map_err(|_| refuse())?,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_method_survives_its_text() {
        for method in [
            Method::Balance,
            Method::Bank {
                link: BankLinkId::from_u128(4),
                channel: Channel::SANDBOX,
            },
            Method::Mandate(MandateId::from_u128(5)),
        ] {
            assert_eq!(method.to_string().parse(), Ok(method));
        }
        for text in ["", "cash", "balance/sandbox", "/"] {
            assert!(text.parse::<Method>().is_err(), "{text}");
        }
    }
}
