//! Into which transfers a payout is cut, so that channels can carry it. Pure.

use qiao_model::Money;

use crate::channel::{Abilities, BankChannel, ChannelState};

/// A payout is cut into so many parts at most; what is more waits for another day.
pub const PAYOUT_PARTS_MAX: i64 = 100;

/// The parts of a payout: as few as the widest channel needs, and as equal as they
/// can be, so that no part is less than its channel's fee. A paused channel counts
/// when every one is, since the payout waits for it. Empty when no channel could
/// carry it.
#[must_use]
pub(crate) fn parts(whole: Money, channels: &[BankChannel]) -> Vec<Money> {
    let out = channels.iter().filter(|channel| pays_out(channel));
    let active = out.clone().filter(|c| c.state == ChannelState::Active);
    let widest = |channel: &BankChannel| channel.amount_max_minor;
    let Some(max) = active.map(widest).max().or_else(|| out.map(widest).max()) else {
        return Vec::new();
    };
    let minor = whole.minor.min(max.saturating_mul(PAYOUT_PARTS_MAX));
    if minor < 1 {
        return Vec::new();
    }
    let count = minor
        .saturating_add(max.saturating_sub(1))
        .checked_div(max)
        .unwrap_or(0);
    let each = minor.checked_div(count).unwrap_or(0);
    let over = minor.checked_rem(count).unwrap_or(0);
    let part = |number: i64| each.saturating_add(i64::from(number < over));
    let parts: Vec<Money> = (0..count)
        .map(|number| Money::new(part(number), whole.currency))
        .collect();
    let smallest = Money::new(each, whole.currency);
    match channels.iter().any(|channel| carries(channel, smallest)) {
        true => parts,
        false => Vec::new(),
    }
}

fn pays_out(channel: &BankChannel) -> bool {
    matches!(channel.abilities, Abilities::Credit | Abilities::Both)
}

/// Whether something is left of a part when the channel took its fee.
fn carries(channel: &BankChannel, part: Money) -> bool {
    let fee = channel.cost.of(part);
    pays_out(channel)
        && channel.amount_max_minor >= part.minor
        && fee.is_ok_and(|fee| fee.minor < part.minor)
}

#[cfg(test)]
mod tests {
    use qiao_model::{Rate, Timestamp};

    use super::*;
    use crate::channel::Cost;

    fn channel(amount_max_minor: i64, flat_minor: i64) -> BankChannel {
        BankChannel {
            code: "river".parse().unwrap(),
            name: "River".to_owned(),
            abilities: Abilities::Both,
            cost: Cost {
                flat_minor,
                rate: Rate::ZERO,
            },
            priority: 100,
            amount_max_minor,
            state: ChannelState::Active,
            paused_because: None,
            changed_at: Timestamp::from_millis(0),
        }
    }

    fn cut(minor: i64, channels: &[BankChannel]) -> Vec<i64> {
        let parts = parts(Money::cny(minor), channels);
        parts.into_iter().map(|part| part.minor).collect()
    }

    #[test]
    fn a_payout_is_cut_at_the_limit_and_into_equal_parts() {
        let channels = [channel(1_000, 0)];
        assert_eq!(cut(1_000, &channels), [1_000]);
        assert_eq!(cut(1_001, &channels), [501, 500]);
        assert_eq!(cut(2_500, &channels), [834, 833, 833]);
        assert_eq!(cut(0, &channels), [0_i64; 0]);
    }

    #[test]
    fn no_part_is_less_than_its_fee() {
        let channels = [channel(1_000, 100)];
        assert_eq!(cut(1_001, &channels), [501, 500]);
        assert_eq!(cut(101, &channels), [101]);
        assert_eq!(cut(100, &channels), [0_i64; 0]);
    }

    #[test]
    fn the_widest_channel_counts_and_a_paused_one_when_all_are() {
        let mut channels = [channel(1_000, 0), channel(400, 0)];
        assert_eq!(cut(800, &channels), [800]);
        channels[0].state = ChannelState::Paused;
        assert_eq!(cut(800, &channels), [400, 400]);
        channels[1].state = ChannelState::Paused;
        assert_eq!(cut(800, &channels), [800]);
        for channel in &mut channels {
            channel.abilities = Abilities::Debit;
        }
        assert_eq!(cut(800, &channels), [0_i64; 0]);
        assert_eq!(cut(800, &[]), [0_i64; 0]);
    }

    #[test]
    fn what_is_more_than_the_most_parts_is_left() {
        let channels = [channel(1_000, 0)];
        let most = 1_000 * PAYOUT_PARTS_MAX;
        let parts = cut(most, &channels);
        assert_eq!(parts.len(), 100);
        assert_eq!(cut(most + 1, &channels), parts);
    }
}
