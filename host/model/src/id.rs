use std::fmt;
use std::marker::PhantomData;
use std::str::FromStr;

use sha2::{Digest, Sha256};

/// What an id is the id of; gives its prefix.
pub trait Noun: 'static {
    /// Three letters: `ord` makes `ord_01k…`.
    const PREFIX: &'static str;
}

/// A typed id: 128 bits laid out as a UUIDv7 (48 bits of milliseconds, then
/// chance), written as its noun's prefix and 26 Crockford base-32 digits, so
/// that ids of a noun sort by the time they were made.
pub struct Id<N>(u128, PhantomData<fn() -> N>);

const DIGITS: &[u8; 32] = b"0123456789abcdefghjkmnpqrstvwxyz";
const DIGITS_LEN: usize = 26;
const CHANCE_BITS: u32 = 80;

impl<N: Noun> Id<N> {
    /// The id with these bits.
    #[must_use]
    pub const fn from_u128(bits: u128) -> Self {
        Self(bits, PhantomData)
    }

    /// The bits of the id.
    #[must_use]
    pub const fn as_u128(self) -> u128 {
        self.0
    }

    /// An id that follows from this one, a label and a number: the same inputs
    /// give the same id, and it sorts beside its parent. This is what makes a
    /// repeated command find its own earlier effect.
    #[must_use]
    pub fn derive<M: Noun>(self, label: &str, index: u64) -> Id<M> {
        let mut hash = Sha256::new();
        hash.update(N::PREFIX.as_bytes());
        hash.update(self.0.to_be_bytes());
        hash.update(M::PREFIX.as_bytes());
        hash.update(label.as_bytes());
        hash.update(index.to_be_bytes());
        let digest = hash.finalize();
        let mut low = [0_u8; 16];
        low.copy_from_slice(&digest[..16]);
        let chance = u128::from_be_bytes(low) & ((1_u128 << CHANCE_BITS) - 1);
        let time = self.0 & !((1_u128 << CHANCE_BITS) - 1);
        Id::from_u128(time | chance)
    }
}

impl<N> Clone for Id<N> {
    fn clone(&self) -> Self {
        *self
    }
}
impl<N> Copy for Id<N> {}
impl<N> PartialEq for Id<N> {
    fn eq(&self, other: &Self) -> bool {
        self.0 == other.0
    }
}
impl<N> Eq for Id<N> {}
impl<N> PartialOrd for Id<N> {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}
impl<N> Ord for Id<N> {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        self.0.cmp(&other.0)
    }
}
impl<N> std::hash::Hash for Id<N> {
    fn hash<H: std::hash::Hasher>(&self, state: &mut H) {
        self.0.hash(state);
    }
}

impl<N: Noun> fmt::Display for Id<N> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut text = [0_u8; DIGITS_LEN];
        let mut rest = self.0;
        for digit in text.iter_mut().rev() {
            *digit = DIGITS[(rest & 31) as usize];
            rest >>= 5;
        }
        let text = std::str::from_utf8(&text).map_err(|_| fmt::Error)?;
        write!(f, "{}_{text}", N::PREFIX)
    }
}

impl<N: Noun> fmt::Debug for Id<N> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// The text is not an id of the noun that was asked for.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{text}` is not an id of the form {prefix}_ and 26 base-32 digits")]
pub struct ParseIdError {
    text: String,
    prefix: &'static str,
}

impl<N: Noun> FromStr for Id<N> {
    type Err = ParseIdError;

    fn from_str(text: &str) -> Result<Self, ParseIdError> {
        let refuse = || ParseIdError {
            text: text.chars().take(40).collect(),
            prefix: N::PREFIX,
        };
        let digits = text
            .strip_prefix(N::PREFIX)
            .and_then(|rest| rest.strip_prefix('_'))
            .ok_or_else(refuse)?;
        if digits.len() != DIGITS_LEN || digits.as_bytes()[0] > b'7' {
            return Err(refuse());
        }
        let mut bits = 0_u128;
        for byte in digits.bytes() {
            let value = DIGITS.iter().position(|d| *d == byte).ok_or_else(refuse)?;
            bits = (bits << 5) | value as u128;
        }
        Ok(Self::from_u128(bits))
    }
}

macro_rules! nouns {
    ($($(#[$doc:meta])* $alias:ident = $noun:ident $prefix:literal;)*) => {
        /// The nouns that ids are of.
        pub mod noun {
            $(
                $(#[$doc])*
                #[derive(Debug)]
                pub enum $noun {}
                impl super::Noun for $noun {
                    const PREFIX: &'static str = $prefix;
                }
            )*
        }
        $($(#[$doc])* pub type $alias = Id<noun::$noun>;)*
    };
}

nouns! {
    /// A person with an account on the platform.
    UserId = User "usr";
    /// A browser session of a user.
    SessionId = Session "ses";
    /// An institution: fund company, insurer, biller or bank.
    InstitutionId = Institution "ins";
    /// An OAuth client of an institution.
    OAuthClientId = OAuthClient "cli";
    /// A plugin, owned by one institution.
    PluginId = Plugin "plg";
    /// One immutable version of a plugin.
    ReleaseId = Release "rel";
    /// An institution's public account.
    PublicAccountId = PublicAccount "acc";
    /// A message in a public account.
    MessageId = Message "msg";
    /// A product that a plugin registered.
    ProductId = Product "prd";
    /// One version of a product's fee schedule.
    FeeScheduleId = FeeSchedule "fee";
    /// A stored offer.
    OfferId = Offer "ofr";
    /// A user's order.
    OrderId = Order "ord";
    /// A payment.
    PaymentId = Payment "pay";
    /// A refund of a payment.
    RefundId = Refund "rfd";
    /// An account of the ledger.
    LedgerAccountId = LedgerAccount "lac";
    /// A transfer of the ledger.
    TransferId = Transfer "tra";
    /// An event of the outbox.
    EventId = Event "evt";
    /// A webhook endpoint.
    EndpointId = Endpoint "whk";
    /// A delivery of an event to one receiver.
    DeliveryId = Delivery "dlv";
    /// One call of a plugin.
    InvocationId = Invocation "inv";
    /// A standing permission to debit.
    MandateId = Mandate "mdt";
    /// A person's bank account, as they linked it.
    BankLinkId = BankLink "bnk";
    /// Money on its way to or from a bank.
    BankTransferId = BankTransfer "btr";
    /// What an institution is paid out.
    PayoutId = Payout "pyo";
    /// A difference between a bank's statement and the books.
    CaseId = Case "cse";
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_survives_its_text() {
        let id = OrderId::from_u128(0x0193_2f1b_8c00_7000_8000_1234_5678_9abc);
        let text = id.to_string();
        assert!(text.starts_with("ord_"));
        assert_eq!(text.len(), 30);
        assert_eq!(text.parse::<OrderId>(), Ok(id));
    }

    #[test]
    fn an_id_of_another_noun_is_refused() {
        let text = OrderId::from_u128(7).to_string();
        assert!(text.parse::<PaymentId>().is_err());
        assert!("ord_".parse::<OrderId>().is_err());
        assert!("ord_8zzzzzzzzzzzzzzzzzzzzzzzzz".parse::<OrderId>().is_err());
        assert!("ord_0000000000000000000000000u".parse::<OrderId>().is_err());
    }

    #[test]
    fn a_derived_id_is_stable_and_sorts_by_its_parents_time() {
        let parent = OrderId::from_u128(0x0193_2f1b_8c00_7000_8000_1234_5678_9abc);
        let hold: TransferId = parent.derive("hold", 0);
        assert_eq!(hold, parent.derive("hold", 0));
        assert_ne!(hold, parent.derive("hold", 1));
        assert_eq!(hold.as_u128() >> 80, parent.as_u128() >> 80);
    }
}
