//! Which channel carries a transfer: the cheapest that works. Pure.

use qiao_model::{BankLinkId, Channel, Money};

use crate::channel::{Abilities, BankChannel, ChannelState};
use crate::transfer::{BankTransfer, Direction, Purpose, Route};

/// So many exchanges without an answer within [`CIRCUIT_SECS`] open a channel's
/// circuit: it is asked only when no other can.
pub const CIRCUIT_FAILURES: i64 = 5;
/// How long a failure counts against its channel.
pub const CIRCUIT_SECS: i64 = 300;

/// A channel that may carry a transfer.
#[derive(Clone, Debug)]
pub struct Candidate {
    /// The channel.
    pub channel: BankChannel,
    /// The person's account there; none for a payout.
    pub link: Option<BankLinkId>,
    /// Exchanges without an answer within [`CIRCUIT_SECS`].
    pub failures: i64,
}

/// What is to be carried.
#[derive(Clone, Debug)]
pub struct Ask<'a> {
    /// What for.
    pub purpose: Purpose,
    /// What the person or the institution named.
    pub wanted: Money,
    /// The fee that the person agreed to; a dearer channel is not taken.
    pub fee_max: Option<Money>,
    /// Channels that certainly moved nothing.
    pub tried: &'a [Channel],
}

/// A channel that works, with what it moves and takes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Choice {
    /// The channel.
    pub channel: Channel,
    /// The person's account there.
    pub link: Option<BankLinkId>,
    /// What the bank moves.
    pub amount: Money,
    /// What the channel takes beside it.
    pub fee: Money,
}

impl Choice {
    /// The choice as a route of a transfer.
    #[must_use]
    pub(crate) fn route(self, id: qiao_model::BankTransferId, number: u32) -> Route {
        Route {
            number,
            channel: self.channel,
            link: self.link,
            amount: self.amount,
            fee: self.fee,
            payment: BankTransfer::payment_of(id, number),
        }
    }
}

/// The channel to take: among those that can, are not paused, were not tried and
/// whose limit holds, those with a closed circuit first, then the cheapest, then
/// the one of the lowest priority number, then by code.
#[must_use]
pub fn choose(ask: &Ask<'_>, candidates: &[Candidate]) -> Option<Choice> {
    let works = candidates.iter().filter_map(|candidate| {
        let choice = offer(ask, candidate)?;
        let is_open = candidate.failures >= CIRCUIT_FAILURES;
        let order = (
            is_open,
            choice.fee.minor,
            candidate.channel.priority,
            choice.channel,
        );
        Some((order, choice))
    });
    works
        .min_by(|one, other| one.0.cmp(&other.0))
        .map(|(_, choice)| choice)
}

/// What a channel would do, if it can.
fn offer(ask: &Ask<'_>, candidate: &Candidate) -> Option<Choice> {
    let channel = &candidate.channel;
    let can = matches!(
        (ask.purpose.direction(), channel.abilities),
        (Direction::In, Abilities::Debit | Abilities::Both)
            | (Direction::Out, Abilities::Credit | Abilities::Both)
    );
    if !can || channel.state == ChannelState::Paused || ask.tried.contains(&channel.code) {
        return None;
    }
    let (amount, fee) = price(ask, channel)?;
    let is_within = amount.minor >= 1 && amount.minor <= channel.amount_max_minor;
    let is_agreed = ask.fee_max.is_none_or(|most| fee.minor <= most.minor);
    (is_within && is_agreed).then_some(Choice {
        channel: channel.code,
        link: candidate.link,
        amount,
        fee,
    })
}

/// What the bank moves and what the channel takes. A person gets the amount that
/// they named and pays the fee on top, at whichever side the money leaves, and so
/// does an advance line; a payout and what a line gives back take the whole of what
/// is owed from the books, and the fee out of it.
fn price(ask: &Ask<'_>, channel: &BankChannel) -> Option<(Money, Money)> {
    let fee = channel.cost.of(ask.wanted).ok()?;
    let amount = match ask.purpose {
        Purpose::TopUp | Purpose::Payment | Purpose::Advance => ask.wanted.plus(fee).ok()?,
        Purpose::Withdrawal => ask.wanted,
        Purpose::Payout | Purpose::AdvanceReturn => ask.wanted.minus(fee).ok()?,
    };
    Some((amount, fee))
}

#[cfg(test)]
mod tests {
    use qiao_model::{Rate, Timestamp};

    use super::*;
    use crate::channel::Cost;

    fn channel(code: &str, flat_minor: i64, ppm: i64) -> Candidate {
        Candidate {
            channel: BankChannel {
                code: code.parse().unwrap(),
                name: code.to_owned(),
                abilities: Abilities::Both,
                cost: Cost {
                    flat_minor,
                    rate: Rate::from_ppm(ppm),
                },
                priority: 100,
                amount_max_minor: 5_000_000,
                state: ChannelState::Active,
                paused_because: None,
                changed_at: Timestamp::from_millis(0),
            },
            link: None,
            failures: 0,
        }
    }

    fn ask(purpose: Purpose, fen: i64) -> Ask<'static> {
        Ask {
            purpose,
            wanted: Money::cny(fen),
            fee_max: None,
            tried: &[],
        }
    }

    fn chosen(ask: &Ask<'_>, candidates: &[Candidate]) -> Option<String> {
        choose(ask, candidates).map(|choice| choice.channel.to_string())
    }

    /// Two channels: a flat one and one by share; they cost the same at 1,000.00.
    fn two() -> [Candidate; 2] {
        [channel("flat", 100, 0), channel("share", 0, 1_000)]
    }

    #[test]
    fn the_cheapest_channel_for_the_amount_is_taken() {
        let rows = [(99_000, "share"), (100_000, "flat"), (100_100, "flat")];
        for (fen, code) in rows {
            let ask = ask(Purpose::Withdrawal, fen);
            assert_eq!(chosen(&ask, &two()).as_deref(), Some(code), "{fen}");
        }
    }

    #[test]
    fn among_equal_costs_priority_and_then_the_code_decide() {
        let mut candidates = [channel("b", 5, 0), channel("a", 5, 0)];
        let ask = ask(Purpose::TopUp, 100);
        assert_eq!(chosen(&ask, &candidates).as_deref(), Some("a"));
        candidates[0].channel.priority = 1;
        assert_eq!(chosen(&ask, &candidates).as_deref(), Some("b"));
    }

    #[test]
    fn a_channel_that_cannot_is_not_taken() {
        let ask_out = ask(Purpose::Payout, 100_000);
        type Change = (&'static str, fn(&mut Candidate));
        let change: [Change; 3] = [
            ("paused", |c| c.channel.state = ChannelState::Paused),
            ("debits alone", |c| c.channel.abilities = Abilities::Debit),
            ("limit", |c| c.channel.amount_max_minor = 99_899),
        ];
        for (why, change) in change {
            let mut candidates = two();
            change(&mut candidates[0]);
            assert_eq!(
                chosen(&ask_out, &candidates).as_deref(),
                Some("share"),
                "{why}"
            );
        }
        let tried = ["flat".parse().unwrap(), "share".parse().unwrap()];
        let ask = Ask {
            tried: &tried,
            ..ask_out
        };
        assert_eq!(chosen(&ask, &two()), None);
    }

    #[test]
    fn a_limit_holds_at_the_fen() {
        let one = [channel("a", 0, 0)];
        let at = ask(Purpose::Withdrawal, 5_000_000);
        assert!(choose(&at, &one).is_some());
        let past = ask(Purpose::Withdrawal, 5_000_001);
        assert!(choose(&past, &one).is_none());
        assert!(choose(&ask(Purpose::Withdrawal, 0), &one).is_none());
    }

    #[test]
    fn an_open_circuit_is_taken_only_when_no_other_works() {
        let mut candidates = two();
        let ask = ask(Purpose::Withdrawal, 200_000);
        candidates[0].failures = CIRCUIT_FAILURES - 1;
        assert_eq!(chosen(&ask, &candidates).as_deref(), Some("flat"));
        candidates[0].failures = CIRCUIT_FAILURES;
        assert_eq!(chosen(&ask, &candidates).as_deref(), Some("share"));
        candidates[1].channel.state = ChannelState::Paused;
        assert_eq!(chosen(&ask, &candidates).as_deref(), Some("flat"));
    }

    #[test]
    fn a_person_never_pays_more_than_they_agreed_to() {
        let ask = Ask {
            fee_max: Some(Money::cny(100)),
            ..ask(Purpose::Withdrawal, 200_000)
        };
        assert_eq!(chosen(&ask, &two()).as_deref(), Some("flat"));
        let ask = Ask {
            fee_max: Some(Money::cny(99)),
            ..ask
        };
        assert_eq!(chosen(&ask, &two()), None);
    }

    #[test]
    fn a_person_pays_the_fee_on_top_and_a_payout_out_of_it() {
        let rows = [
            (Purpose::TopUp, 10_100),
            (Purpose::Payment, 10_100),
            (Purpose::Withdrawal, 10_000),
            (Purpose::Payout, 9_900),
            (Purpose::Advance, 10_100),
            (Purpose::AdvanceReturn, 9_900),
        ];
        for (purpose, moved) in rows {
            let choice = choose(&ask(purpose, 10_000), &[channel("a", 100, 0)]).unwrap();
            assert_eq!(
                (choice.amount, choice.fee),
                (Money::cny(moved), Money::cny(100))
            );
        }
        let all_fee = choose(&ask(Purpose::Payout, 100), &[channel("a", 100, 0)]);
        assert_eq!(all_fee, None, "a payout that its fee eats up is not made");
    }
}
