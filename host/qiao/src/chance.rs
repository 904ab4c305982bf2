use std::sync::atomic::{AtomicI64, Ordering};
use std::time::{SystemTime, UNIX_EPOCH};

use qiao_model::{Clock, Entropy, Timestamp};

/// The system's clock, moved forward by what a sandbox was told.
#[derive(Debug, Default)]
pub struct HostClock {
    offset_millis: AtomicI64,
}

impl HostClock {
    /// Moves the clock forward: a sandbox's way to let a day pass.
    pub fn advance_millis(&self, millis: i64) {
        self.offset_millis.fetch_add(millis, Ordering::SeqCst);
    }
}

impl Clock for HostClock {
    #[expect(
        clippy::disallowed_methods,
        reason = "this is where time enters the house"
    )]
    fn now(&self) -> Timestamp {
        let since = SystemTime::now()
            .duration_since(UNIX_EPOCH)
            .map_or(0, |since| {
                i64::try_from(since.as_millis()).unwrap_or(i64::MAX)
            });
        Timestamp::from_millis(since).plus_millis(self.offset_millis.load(Ordering::SeqCst))
    }
}

/// The operating system's chance.
#[derive(Debug)]
pub struct HostEntropy;

impl Entropy for HostEntropy {
    fn fill(&self, buffer: &mut [u8]) {
        // A host that cannot draw chance cannot make a key or an id: it stops.
        assert!(
            aws_lc_rs::rand::fill(buffer).is_ok(),
            "the operating system gives no random bytes"
        );
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_clock_moves_forward_when_told() {
        let clock = HostClock::default();
        let before = clock.now();
        clock.advance_millis(86_400_000);
        assert!(clock.now() >= before.plus_millis(86_400_000));
    }

    #[test]
    fn chance_differs() {
        let (mut a, mut b) = ([0_u8; 32], [0_u8; 32]);
        HostEntropy.fill(&mut a);
        HostEntropy.fill(&mut b);
        assert_ne!(a, b);
    }
}
