//! Secrets at rest: AES-256-GCM under a key of the host, bound to the row that
//! holds them, so that a sealed value moved to another row does not open.

use std::fmt;
use std::sync::Arc;

use aws_lc_rs::aead::{AES_256_GCM, Aad, LessSafeKey, NONCE_LEN, Nonce, UnboundKey};
use qiao_model::{Env, Secret};

/// The form of a sealed value: this byte, the nonce, the ciphertext and its tag.
const FORM: u8 = 1;

/// The value cannot be sealed or opened. It says no more on purpose.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the cipher refused")]
pub struct SealError;

/// Seals small secrets under one key of the host. Cheap to clone.
///
/// The nonces are random, so one key seals fewer than 2^32 values
/// (NIST SP 800-38D section 8.3); a host seals one for each secret it stores.
#[derive(Clone)]
pub struct Sealer {
    key: Arc<LessSafeKey>,
    env: Env,
}

impl Sealer {
    /// A sealer under this key.
    ///
    /// # Errors
    /// The cipher refuses the key, which it does not for 32 bytes.
    pub fn new(key: &Secret<[u8; 32]>, env: Env) -> Result<Self, SealError> {
        let key = UnboundKey::new(&AES_256_GCM, key.expose()).map_err(|_| SealError)?;
        Ok(Self {
            key: Arc::new(LessSafeKey::new(key)),
            env,
        })
    }

    /// Seals a secret for `context`: the id of the row that holds it.
    ///
    /// # Errors
    /// The cipher failed.
    pub fn seal(&self, context: &str, plain: &[u8]) -> Result<Vec<u8>, SealError> {
        let nonce: Secret<[u8; NONCE_LEN]> = self.env.secret();
        let mut text = plain.to_vec();
        self.key
            .seal_in_place_append_tag(
                Nonce::assume_unique_for_key(*nonce.expose()),
                Aad::from(context.as_bytes()),
                &mut text,
            )
            .map_err(|_| SealError)?;
        let mut sealed = vec![FORM];
        sealed.extend_from_slice(nonce.expose());
        sealed.append(&mut text);
        Ok(sealed)
    }

    /// Opens what [`Sealer::seal`] made for the same context.
    ///
    /// # Errors
    /// Another key, another context, or a changed byte.
    pub fn open(&self, context: &str, sealed: &[u8]) -> Result<Secret<Vec<u8>>, SealError> {
        let (form, rest) = sealed.split_first().ok_or(SealError)?;
        if *form != FORM || rest.len() < NONCE_LEN {
            return Err(SealError);
        }
        let (nonce, text) = rest.split_at(NONCE_LEN);
        let nonce = Nonce::try_assume_unique_for_key(nonce).map_err(|_| SealError)?;
        let mut text = text.to_vec();
        let plain = self
            .key
            .open_in_place(nonce, Aad::from(context.as_bytes()), &mut text)
            .map_err(|_| SealError)?;
        Ok(Secret::new(plain.to_vec()))
    }
}

impl fmt::Debug for Sealer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Sealer")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use qiao_model::Timestamp;

    fn sealer(key: u8) -> Sealer {
        let (env, _) = Env::fixed(Timestamp::from_millis(0), u64::from(key));
        Sealer::new(&Secret::new([key; 32]), env).unwrap()
    }

    #[test]
    fn a_sealed_secret_opens_in_its_context_alone() {
        let ours = sealer(1);
        let sealed = ours.seal("whk_1", b"hunter2").unwrap();
        assert_eq!(ours.open("whk_1", &sealed).unwrap().expose(), b"hunter2");
        assert_eq!(ours.open("whk_2", &sealed), Err(SealError));
        assert_eq!(sealer(2).open("whk_1", &sealed), Err(SealError));
        assert!(!sealed.windows(7).any(|part| part == b"hunter2"));
    }

    #[test]
    fn the_same_secret_seals_differently_each_time() {
        let ours = sealer(1);
        assert_ne!(ours.seal("a", b"x").unwrap(), ours.seal("a", b"x").unwrap());
    }

    #[test]
    fn no_changed_byte_and_no_cut_value_opens() {
        let ours = sealer(1);
        let sealed = ours.seal("whk_1", b"hunter2").unwrap();
        for index in 0..sealed.len() {
            let mut changed = sealed.clone();
            changed[index] ^= 1;
            assert_eq!(ours.open("whk_1", &changed), Err(SealError), "{index}");
            assert_eq!(ours.open("whk_1", &sealed[..index]), Err(SealError));
        }
    }
}
