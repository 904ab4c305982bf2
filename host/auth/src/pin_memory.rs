use std::fmt;

use aws_lc_rs::hmac;
use qiao_model::{Env, Secret, SessionId, Timestamp};
use quick_cache::sync::Cache;

/// A PIN that was compared and right spares its session the next comparison for so long.
pub const PIN_MEMORY_SECS: i64 = 300;
/// Sessions whose PIN is remembered at most; the longest unused is forgotten first.
pub const PINS_REMEMBERED_MAX: usize = 20_000;

/// PINs that were just compared and right, as MACs under a key that this process
/// drew and never writes anywhere: a right PIN again costs one look instead of
/// 19 MiB and two durable transactions.
///
/// A MAC is of one session, of the hash that is stored, and of the PIN. So another
/// session and a changed PIN find nothing. Anything but a match is no answer: the
/// caller goes the slow way, where the guess is counted before it is compared.
pub(crate) struct PinMemory {
    key: hmac::Key,
    right: Cache<SessionId, Remembered>,
}

#[derive(Clone, Copy)]
struct Remembered {
    tag: hmac::Tag,
    until: Timestamp,
}

impl PinMemory {
    pub(crate) fn new(env: &Env) -> Self {
        Self {
            key: hmac::Key::new(hmac::HMAC_SHA256, env.secret::<32>().expose()),
            right: Cache::new(PINS_REMEMBERED_MAX),
        }
    }

    /// Whether anything is remembered of the session: worth reading the stored hash for.
    pub(crate) fn knows(&self, session: SessionId, now: Timestamp) -> bool {
        self.right
            .get(&session)
            .is_some_and(|right| now < right.until)
    }

    /// Whether this PIN was right for this hash in this session, minutes ago at most.
    pub(crate) fn is_right(
        &self,
        session: SessionId,
        hash: &str,
        pin: &Secret<String>,
        now: Timestamp,
    ) -> bool {
        let Some(right) = self.right.get(&session).filter(|right| now < right.until) else {
            return false;
        };
        let message = message(session, hash, pin);
        hmac::verify(&self.key, message.expose(), right.tag.as_ref()).is_ok()
    }

    /// Remembers a PIN that was just compared with this hash and right.
    pub(crate) fn remember(
        &self,
        session: SessionId,
        hash: &str,
        pin: &Secret<String>,
        now: Timestamp,
    ) {
        let message = message(session, hash, pin);
        let right = Remembered {
            tag: hmac::sign(&self.key, message.expose()),
            until: now.plus_secs(PIN_MEMORY_SECS),
        };
        self.right.insert(session, right);
    }

    /// Forgets what a session that ended had right.
    pub(crate) fn forget(&self, session: SessionId) {
        self.right.remove(&session);
    }
}

impl fmt::Debug for PinMemory {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("PinMemory")
    }
}

/// The lengths go first, so that no two triples make the same message.
fn message(session: SessionId, hash: &str, pin: &Secret<String>) -> Secret<Vec<u8>> {
    let session = session.to_string();
    let mut message = Vec::with_capacity(256);
    for part in [session.as_str(), hash, pin.expose()] {
        message.extend_from_slice(&(part.len() as u64).to_be_bytes());
        message.extend_from_slice(part.as_bytes());
    }
    Secret::new(message)
}

#[cfg(test)]
mod tests {
    use super::*;

    const SESSION: SessionId = SessionId::from_u128(1);
    const START: Timestamp = Timestamp::from_millis(0);

    fn memory() -> (PinMemory, Secret<String>) {
        let (env, _) = Env::fixed(START, 1);
        let (memory, pin) = (PinMemory::new(&env), Secret::new("135790".to_owned()));
        memory.remember(SESSION, "hash", &pin, START);
        (memory, pin)
    }

    #[test]
    fn a_right_pin_is_remembered_to_the_last_second_and_not_one_longer() {
        let (memory, pin) = memory();
        let last = START.plus_secs(PIN_MEMORY_SECS).plus_millis(-1);
        assert!(memory.is_right(SESSION, "hash", &pin, last));
        assert!(memory.knows(SESSION, last));
        let end = START.plus_secs(PIN_MEMORY_SECS);
        assert!(!memory.is_right(SESSION, "hash", &pin, end));
        assert!(!memory.knows(SESSION, end));
    }

    #[test]
    fn another_session_hash_or_pin_is_not_remembered() {
        let (memory, pin) = memory();
        let other = SessionId::from_u128(2);
        assert!(!memory.is_right(other, "hash", &pin, START));
        assert!(!memory.is_right(SESSION, "hasj", &pin, START));
        let wrong = Secret::new("135791".to_owned());
        assert!(!memory.is_right(SESSION, "hash", &wrong, START));
        memory.forget(SESSION);
        assert!(!memory.is_right(SESSION, "hash", &pin, START));
    }

    #[test]
    fn no_more_sessions_are_remembered_than_there_is_room_for() {
        let (memory, pin) = memory();
        for session in 0..2 * PINS_REMEMBERED_MAX as u128 {
            memory.remember(SessionId::from_u128(session), "hash", &pin, START);
        }
        assert!(memory.right.len() <= PINS_REMEMBERED_MAX);
    }
}
