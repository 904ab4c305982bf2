use qiao_model::{AmountError, Channel, Money, Rate, Rounding, Secret, Timestamp};
use url::Url;

/// What a channel takes for one transfer, rounded up to the minor unit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Cost {
    /// In minor units, whatever the amount.
    pub flat_minor: i64,
    /// A share of the amount.
    pub rate: Rate,
}

impl Cost {
    /// Nothing.
    pub const FREE: Self = Self {
        flat_minor: 0,
        rate: Rate::ZERO,
    };

    /// The cost of an amount.
    ///
    /// # Errors
    /// More than 64 bits.
    pub fn of(self, amount: Money) -> Result<Money, AmountError> {
        let share = self.rate.of(amount.minor, Rounding::Up)?;
        Money::new(share, amount.currency).plus(Money::new(self.flat_minor, amount.currency))
    }
}

/// What a channel can do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Abilities {
    /// It takes from customers' accounts alone.
    Debit,
    /// It gives to accounts alone.
    Credit,
    /// Both.
    Both,
}

impl Abilities {
    /// The stored and configured name.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Debit => "debit",
            Self::Credit => "credit",
            Self::Both => "both",
        }
    }

    /// What has this name.
    #[must_use]
    pub fn of_name(name: &str) -> Option<Self> {
        [Self::Debit, Self::Credit, Self::Both]
            .into_iter()
            .find(|abilities| abilities.name() == name)
    }
}

/// A channel as the configuration gives it.
#[derive(Clone, Debug)]
pub struct NewChannel {
    /// Its code.
    pub code: Channel,
    /// What people read.
    pub name: String,
    /// The bank's issuer (RFC 8414).
    pub issuer: Url,
    /// Who the platform is to the bank.
    pub client_id: String,
    /// How it proves that.
    pub client_secret: Secret<String>,
    /// What the bank signs its callbacks with, decoded.
    pub callback_key: Secret<Vec<u8>>,
    /// What it can do.
    pub abilities: Abilities,
    /// What it costs.
    pub cost: Cost,
    /// Among equal costs the lower goes first.
    pub priority: i64,
    /// One transfer moves at most so many minor units.
    pub amount_max_minor: i64,
}

/// Whether a channel is used.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ChannelState {
    /// It is.
    Active,
    /// An operator stopped it: what is under way is asked for, nothing new begins.
    Paused,
}

impl ChannelState {
    /// The stored and wire name.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Active => "active",
            Self::Paused => "paused",
        }
    }

    pub(crate) fn of_name(name: &str) -> Option<Self> {
        [Self::Active, Self::Paused]
            .into_iter()
            .find(|state| state.name() == name)
    }
}

/// A channel as it is registered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BankChannel {
    /// Its code.
    pub code: Channel,
    /// What people read.
    pub name: String,
    /// What it can do.
    pub abilities: Abilities,
    /// What it costs.
    pub cost: Cost,
    /// Among equal costs the lower goes first.
    pub priority: i64,
    /// One transfer moves at most so many minor units.
    pub amount_max_minor: i64,
    /// Whether it is used.
    pub state: ChannelState,
    /// Why it is paused.
    pub paused_because: Option<String>,
    /// When it was registered, paused or resumed last.
    pub changed_at: Timestamp,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cost_is_rounded_up_to_the_fen() {
        let cost = Cost {
            flat_minor: 10,
            rate: Rate::from_ppm(1_000),
        };
        assert_eq!(cost.of(Money::cny(100_000)), Ok(Money::cny(110)));
        assert_eq!(cost.of(Money::cny(100_001)), Ok(Money::cny(111)));
        assert_eq!(Cost::FREE.of(Money::cny(1)), Ok(Money::cny(0)));
        assert!(cost.of(Money::cny(i64::MAX)).is_ok());
    }

    #[test]
    fn abilities_and_states_survive_their_names() {
        for abilities in [Abilities::Debit, Abilities::Credit, Abilities::Both] {
            assert_eq!(Abilities::of_name(abilities.name()), Some(abilities));
        }
        for state in [ChannelState::Active, ChannelState::Paused] {
            assert_eq!(ChannelState::of_name(state.name()), Some(state));
        }
        assert_eq!(Abilities::of_name("none"), None);
    }
}
