/// Seconds from a failed attempt to the next (Standard Webhooks, operational
/// guidance). After the last one the delivery is given up.
pub const RETRY_DELAYS_SECS: [i64; 7] =
    [5, 5 * 60, 30 * 60, 2 * 3600, 5 * 3600, 10 * 3600, 10 * 3600];

/// Attempts of a delivery until it is given up or sent again by hand.
pub const TRIES_MAX: u32 = 8;

/// An endpoint whose every attempt failed for so long is disabled.
pub const DISABLED_AFTER_SECS: i64 = 120 * 3600;

/// How long an endpoint rests after a failed attempt, so that a dead one does
/// not take every place of a claim from its neighbours.
pub const PAUSE_AFTER_FAILURE_SECS: i64 = 5;

/// How long whoever claimed a delivery has to finish its attempt: well above
/// the time-out of a webhook.
pub const LEASE_SECS: i64 = 60;

/// Seconds to wait after the `tries`-th failed attempt; none after the last.
pub(crate) fn delay_secs(tries: u32) -> Option<i64> {
    let index = usize::try_from(tries).ok()?.checked_sub(1)?;
    RETRY_DELAYS_SECS.get(index).copied()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_failed_attempt_but_the_last_has_a_delay() {
        assert_eq!(delay_secs(0), None);
        assert_eq!(delay_secs(1), Some(5));
        assert_eq!(delay_secs(TRIES_MAX - 1), Some(36_000));
        assert_eq!(delay_secs(TRIES_MAX), None);
    }
}
