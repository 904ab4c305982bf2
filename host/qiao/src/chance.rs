use std::cell::RefCell;
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

/// Bytes that a thread draws at once: ids are drawn by the tens of thousands a second,
/// and a draw costs as much for this many bytes as for sixteen.
const DRAWN_BYTES: usize = 512;
/// What is longer is a key, and drawn for itself.
const ID_BYTES_MAX: usize = 16;

/// What a thread has drawn and not given out.
struct Drawn {
    bytes: [u8; DRAWN_BYTES],
    given: usize,
}

thread_local!(static DRAWN: RefCell<Drawn> = const {
    RefCell::new(Drawn { bytes: [0; DRAWN_BYTES], given: DRAWN_BYTES })
});

impl Drawn {
    /// Gives out bytes that were given to nobody, and forgets them.
    fn give(&mut self, buffer: &mut [u8]) {
        if self.given + buffer.len() > DRAWN_BYTES {
            draw(&mut self.bytes);
            self.given = 0;
        }
        let bytes = self.bytes.iter_mut().skip(self.given);
        for (out, byte) in buffer.iter_mut().zip(bytes) {
            *out = std::mem::take(byte);
        }
        self.given += buffer.len();
    }
}

impl Entropy for HostEntropy {
    fn fill(&self, buffer: &mut [u8]) {
        if buffer.len() <= ID_BYTES_MAX {
            DRAWN.with_borrow_mut(|drawn| drawn.give(buffer));
        } else {
            draw(buffer);
        }
    }
}

fn draw(buffer: &mut [u8]) {
    // A host that cannot draw chance cannot make a key or an id: it stops.
    assert!(
        aws_lc_rs::rand::fill(buffer).is_ok(),
        "the operating system gives no random bytes"
    );
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn the_clock_moves_forward_when_told() {
        let clock = HostClock::default();
        let before = clock.now();
        clock.advance_millis(86_400_000);
        assert!(clock.now() >= before.plus_millis(86_400_000));
    }

    #[test]
    fn no_id_is_drawn_twice() {
        let draw = || {
            let mut id = [0; ID_BYTES_MAX];
            HostEntropy.fill(&mut id);
            id
        };
        // Past several refills, and after an odd length that fits no whole number of times.
        HostEntropy.fill(&mut [0; 7]);
        let many = 10 * DRAWN_BYTES / ID_BYTES_MAX;
        let ids: BTreeSet<_> = (0..many).map(|_| draw()).collect();
        assert_eq!(ids.len(), many);
        let elsewhere = std::thread::spawn(draw).join().unwrap();
        assert!(!ids.contains(&elsewhere));
    }

    #[test]
    fn chance_differs() {
        let (mut a, mut b) = ([0_u8; 32], [0_u8; 32]);
        HostEntropy.fill(&mut a);
        HostEntropy.fill(&mut b);
        assert_ne!(a, b);
    }
}
