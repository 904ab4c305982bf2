use std::collections::HashSet;
use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};

use qiao_auth::Permit;
use sha2::{Digest, Sha256};

use crate::refusal::Refusal;

/// Characters of an idempotency key at most.
pub const IDEMPOTENCY_KEY_CHARS_MAX: usize = 255;

/// A caller's key for one request: the same key and request again gives the
/// stored answer, the same key and another request is refused. Keys of two
/// callers never meet. Owner and key are kept as a digest alone.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct IdempotencyKey {
    digest: u128,
    request_hash: [u8; 32],
}

impl IdempotencyKey {
    /// The key that the owner of a permit sent with a request.
    ///
    /// # Errors
    /// The key is empty or too long.
    pub fn of(permit: &Permit, key: &str, request: &[u8]) -> Result<Self, Refusal> {
        Self::new(&permit.actor().to_string(), key, request)
    }

    /// The key that an owner sent with a request. The request is what makes two
    /// requests the same: method, path and body.
    ///
    /// # Errors
    /// The key is empty or too long.
    pub fn new(owner: &str, key: &str, request: &[u8]) -> Result<Self, Refusal> {
        let chars = key.chars().count();
        if chars == 0 || chars > IDEMPOTENCY_KEY_CHARS_MAX {
            return Err(Refusal::InvalidKey);
        }
        let mut hash = Sha256::new();
        hash.update(owner.as_bytes());
        hash.update([0]);
        hash.update(key.as_bytes());
        let digest = hash.finalize();
        let mut first = [0_u8; 16];
        first.copy_from_slice(&digest[..16]);
        Ok(Self {
            digest: u128::from_be_bytes(first),
            request_hash: Sha256::digest(request).into(),
        })
    }

    /// Which key of which owner: for a room that keeps it with a row of its own.
    #[must_use]
    pub const fn digest(&self) -> u128 {
        self.digest
    }

    /// What the key was sent with, as 64 hexadecimal digits.
    #[must_use]
    pub fn request_hash(&self) -> String {
        let (mut high, mut low) = ([0_u8; 16], [0_u8; 16]);
        high.copy_from_slice(&self.request_hash[..16]);
        low.copy_from_slice(&self.request_hash[16..]);
        let (high, low) = (u128::from_be_bytes(high), u128::from_be_bytes(low));
        format!("{high:032x}{low:032x}")
    }
}

impl fmt::Debug for IdempotencyKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "IdempotencyKey({:032x})", self.digest)
    }
}

/// The keys whose requests this host is working on. A hint that spares the
/// second sender the wait: that a key has one effect is up to the batch.
#[derive(Clone, Debug, Default)]
pub struct InFlight {
    digests: Arc<Mutex<HashSet<u128>>>,
}

impl InFlight {
    /// Marks the key until the guard is dropped.
    ///
    /// # Errors
    /// [`Refusal::InFlight`] when it is marked.
    pub fn enter(&self, key: &IdempotencyKey) -> Result<InFlightGuard, Refusal> {
        if self.digests().insert(key.digest) {
            Ok(InFlightGuard {
                in_flight: self.clone(),
                digest: key.digest,
            })
        } else {
            Err(Refusal::InFlight)
        }
    }

    fn digests(&self) -> std::sync::MutexGuard<'_, HashSet<u128>> {
        self.digests.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Keeps a key marked as in flight.
#[derive(Debug)]
pub struct InFlightGuard {
    in_flight: InFlight,
    digest: u128,
}

impl Drop for InFlightGuard {
    fn drop(&mut self) {
        self.in_flight.digests().remove(&self.digest);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_belongs_to_its_owner_and_request() {
        let key = IdempotencyKey::new("client a", "k", b"body").unwrap();
        assert_eq!(key, IdempotencyKey::new("client a", "k", b"body").unwrap());
        let of_another = IdempotencyKey::new("client b", "k", b"body").unwrap();
        assert_ne!(key.digest(), of_another.digest());
        let other_body = IdempotencyKey::new("client a", "k", b"bodi").unwrap();
        assert_eq!(key.digest(), other_body.digest());
        assert_ne!(key.request_hash(), other_body.request_hash());
        assert_eq!(key.request_hash().len(), 64);
    }

    #[test]
    fn a_key_of_255_characters_is_accepted_and_one_more_is_not() {
        let key = |chars| IdempotencyKey::new("client", &"桥".repeat(chars), b"");
        assert!(key(IDEMPOTENCY_KEY_CHARS_MAX).is_ok());
        assert_eq!(key(IDEMPOTENCY_KEY_CHARS_MAX + 1), Err(Refusal::InvalidKey));
        assert_eq!(key(0), Err(Refusal::InvalidKey));
    }

    #[test]
    fn a_key_in_flight_is_refused_until_its_request_ends() {
        let in_flight = InFlight::default();
        let key = IdempotencyKey::new("client", "k", b"").unwrap();
        let guard = in_flight.enter(&key).unwrap();
        assert_eq!(in_flight.enter(&key).err(), Some(Refusal::InFlight));
        drop(guard);
        assert!(in_flight.enter(&key).is_ok());
    }
}
