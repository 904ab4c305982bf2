use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};

use sha2::{Digest, Sha256};

use crate::id::{Id, Noun};
use crate::{Day, Secret, Timestamp};

/// A source of time.
pub trait Clock: Send + Sync {
    /// The present.
    fn now(&self) -> Timestamp;
}

/// A source of chance.
pub trait Entropy: Send + Sync {
    /// Fills the buffer with bytes that nobody can foretell.
    fn fill(&self, buffer: &mut [u8]);
}

/// Time and chance, injected: a room that wants either takes an `Env`, so that
/// a test or the simulator decides what it sees.
#[derive(Clone)]
pub struct Env {
    clock: Arc<dyn Clock>,
    entropy: Arc<dyn Entropy>,
}

impl Env {
    /// An environment of this clock and this chance.
    #[must_use]
    pub fn new(clock: Arc<dyn Clock>, entropy: Arc<dyn Entropy>) -> Self {
        Self { clock, entropy }
    }

    /// A deterministic environment: a clock that stands at `now`, chance from a seed.
    #[must_use]
    pub fn fixed(now: Timestamp, seed: u64) -> (Self, Arc<ManualClock>) {
        let clock = Arc::new(ManualClock::at(now));
        let entropy = Arc::new(SeededEntropy::new(seed));
        (Self::new(clock.clone(), entropy), clock)
    }

    /// The present.
    #[must_use]
    pub fn now(&self) -> Timestamp {
        self.clock.now()
    }

    /// Today in Asia/Shanghai.
    #[must_use]
    pub fn today(&self) -> Day {
        self.now().day()
    }

    /// A new id (laid out as RFC 9562 UUIDv7).
    #[must_use]
    pub fn id<N: Noun>(&self) -> Id<N> {
        let mut chance = [0_u8; 16];
        self.entropy.fill(&mut chance[6..]);
        let millis = u64::try_from(self.now().as_millis()).unwrap_or(0);
        chance[..6].copy_from_slice(&millis.to_be_bytes()[2..]);
        chance[6] = (chance[6] & 0x0f) | 0x70;
        chance[8] = (chance[8] & 0x3f) | 0x80;
        Id::from_u128(u128::from_be_bytes(chance))
    }

    /// Bytes that nobody can foretell.
    #[must_use]
    pub fn secret<const N: usize>(&self) -> Secret<[u8; N]> {
        let mut bytes = [0_u8; N];
        self.entropy.fill(&mut bytes);
        Secret::new(bytes)
    }
}

impl fmt::Debug for Env {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Env")
    }
}

/// A clock that moves only when told.
#[derive(Debug)]
pub struct ManualClock(AtomicI64);

impl ManualClock {
    /// A clock that stands at this time.
    #[must_use]
    pub const fn at(now: Timestamp) -> Self {
        Self(AtomicI64::new(now.as_millis()))
    }

    /// Moves it forward.
    pub fn advance_millis(&self, millis: i64) {
        self.0.fetch_add(millis, Ordering::SeqCst);
    }
}

impl Clock for ManualClock {
    fn now(&self) -> Timestamp {
        Timestamp::from_millis(self.0.load(Ordering::SeqCst))
    }
}

/// Chance that follows from a seed: for tests and the simulator alone.
#[derive(Debug)]
pub struct SeededEntropy {
    seed: u64,
    calls: AtomicU64,
}

impl SeededEntropy {
    /// The chance of this seed.
    #[must_use]
    pub const fn new(seed: u64) -> Self {
        Self {
            seed,
            calls: AtomicU64::new(0),
        }
    }
}

impl Entropy for SeededEntropy {
    fn fill(&self, buffer: &mut [u8]) {
        for chunk in buffer.chunks_mut(32) {
            let call = self.calls.fetch_add(1, Ordering::SeqCst);
            let mut hash = Sha256::new();
            hash.update(self.seed.to_be_bytes());
            hash.update(call.to_be_bytes());
            chunk.copy_from_slice(&hash.finalize()[..chunk.len()]);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::OrderId;

    #[test]
    fn ids_of_one_seed_repeat_and_carry_their_time() {
        let now = Timestamp::from_millis(1_790_000_000_000);
        let (env, clock) = Env::fixed(now, 7);
        let first: OrderId = env.id();
        let (again, _) = Env::fixed(now, 7);
        assert_eq!(first, again.id());
        assert_eq!((first.as_u128() >> 80) as i64, now.as_millis());
        clock.advance_millis(5);
        assert!(env.id::<crate::id::noun::Order>() > first);
    }
}
