use qiao_model::Timestamp;

use crate::session::refused_log_in;
use crate::store::throttle as store;
use crate::{Auth, Error};

/// So many failures in a row cost nothing but themselves.
pub const LOGIN_FAILURES_FREE: i64 = 5;
/// The pause after the next one; it doubles with each further failure.
pub const LOGIN_LOCK_SECS_FIRST: i64 = 30;
/// The longest pause: a stranger who guesses cannot lock a person out for good.
pub const LOGIN_LOCK_SECS_MAX: i64 = 900;
/// Failures are forgotten after a quiet day.
pub(crate) const LOGIN_FORGET_SECS: i64 = 86_400;

/// Failures at one log-in name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Throttle {
    pub(crate) failures: i64,
    pub(crate) locked_until: Timestamp,
    pub(crate) last_failed_at: Timestamp,
    /// Guesses that were refused during the present pause.
    pub(crate) refusals: i64,
}

impl Throttle {
    /// Counts one more guess, or says when the next one may come.
    fn count(self, now: Timestamp) -> Result<Self, Timestamp> {
        if now < self.locked_until {
            return Err(self.locked_until);
        }
        let is_forgotten = now >= self.last_failed_at.plus_secs(LOGIN_FORGET_SECS);
        let before = if is_forgotten { 0 } else { self.failures };
        let failures = before.saturating_add(1);
        Ok(Self {
            failures,
            locked_until: now.plus_secs(pause_secs(failures)),
            last_failed_at: now,
            refusals: 0,
        })
    }

    /// Counts a guess that came during the pause.
    const fn refuse(self) -> Self {
        Self {
            refusals: self.refusals.saturating_add(1),
            ..self
        }
    }
}

fn pause_secs(failures: i64) -> i64 {
    let beyond = failures.saturating_sub(LOGIN_FAILURES_FREE);
    if beyond <= 0 {
        return 0;
    }
    let doublings = u32::try_from(beyond - 1).unwrap_or(u32::MAX);
    2_i64
        .checked_pow(doublings)
        .and_then(|factor| factor.checked_mul(LOGIN_LOCK_SECS_FIRST))
        .map_or(LOGIN_LOCK_SECS_MAX, |secs| secs.min(LOGIN_LOCK_SECS_MAX))
}

impl Auth {
    /// Counts a guess as a failure before it is compared, so that a hundred
    /// guesses in parallel count as a hundred. Guesses during a pause are counted in
    /// the row, and the first of each pause is audited.
    pub(crate) async fn count_guess(&self, login: &str) -> Result<(), Error> {
        let inner = self.inner();
        let now = inner.env.now();
        let counted = inner
            .db
            .write(|| async {
                let mut tx = inner.db.begin().await?;
                let before = store::lock(&mut tx, login, now).await?;
                let counted = before.count(now).map_err(|until| too_many(until, now));
                let after = match &counted {
                    Ok(after) => *after,
                    Err(_) => before.refuse(),
                };
                store::update(&mut tx, login, after).await?;
                if let Err(refusal) = &counted
                    && after.refusals == 1
                {
                    let entry = refused_log_in(login, refusal);
                    self.audit_in(&mut tx, &entry).await?;
                }
                tx.commit().await?;
                Ok::<_, Error>(counted)
            })
            .await?;
        counted.map(|_| ())
    }
}

fn too_many(until: Timestamp, now: Timestamp) -> Error {
    let millis = until.as_millis().saturating_sub(now.as_millis());
    Error::TooManyAttempts {
        retry_after_secs: millis.div_euclid(1000).saturating_add(1),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_pause_begins_after_the_free_failures_doubles_and_is_bounded() {
        assert_eq!(pause_secs(LOGIN_FAILURES_FREE), 0);
        assert_eq!(pause_secs(LOGIN_FAILURES_FREE + 1), LOGIN_LOCK_SECS_FIRST);
        assert_eq!(
            pause_secs(LOGIN_FAILURES_FREE + 2),
            2 * LOGIN_LOCK_SECS_FIRST
        );
        assert_eq!(pause_secs(LOGIN_FAILURES_FREE + 7), LOGIN_LOCK_SECS_MAX);
        assert_eq!(pause_secs(i64::MAX), LOGIN_LOCK_SECS_MAX);
    }

    #[test]
    fn a_guess_during_the_pause_is_refused_and_a_quiet_day_forgets() {
        let start = Timestamp::from_millis(0);
        let mut throttle = Throttle {
            failures: 0,
            locked_until: start,
            last_failed_at: start,
            refusals: 0,
        };
        for _ in 0..=LOGIN_FAILURES_FREE {
            throttle = throttle.count(start).unwrap();
        }
        let end = start.plus_secs(LOGIN_LOCK_SECS_FIRST);
        assert_eq!(throttle.count(end.plus_millis(-1)), Err(end));
        let refused = throttle.refuse().refuse();
        assert_eq!(refused.refusals, 2);
        let next = refused.count(end).unwrap();
        assert_eq!(next.refusals, 0);
        assert_eq!(next.locked_until, end.plus_secs(2 * LOGIN_LOCK_SECS_FIRST));
        let later = end.plus_secs(LOGIN_FORGET_SECS);
        assert_eq!(next.count(later).unwrap().failures, 1);
    }
}
