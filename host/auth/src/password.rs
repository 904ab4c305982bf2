use std::sync::Arc;

use argon2::password_hash::phc::PasswordHash;
use argon2::{Algorithm, Argon2, Params, PasswordHasher, PasswordVerifier, Version};
use qiao_model::{Env, Secret};
use tokio::sync::{OnceCell, Semaphore};

use crate::Error;

/// Memory of one hash (OWASP Password Storage Cheat Sheet: argon2id, 19 MiB, 2, 1).
pub const ARGON2_MEMORY_KIB: u32 = 19 * 1024;
/// Passes over it.
pub const ARGON2_ITERATIONS: u32 = 2;
/// Lanes.
pub const ARGON2_LANES: u32 = 1;

/// Hashes at once at most, however many cores there are: 152 MiB.
pub const ARGON2_AT_ONCE_MAX: usize = 8;

const SALT_BYTES: usize = 16;
/// What a guess at an unknown name is compared with; nobody can type it.
const NOBODY: &str = "\u{0}nobody";

/// Hashes and compares passwords and PINs on blocking threads, as many at once
/// as there are cores and [`ARGON2_AT_ONCE_MAX`] at most: each takes 19 MiB and
/// 20 ms or so. Whoever comes later waits and holds no memory.
pub(crate) struct Hasher {
    pepper: Secret<[u8; 32]>,
    env: Env,
    running: Arc<Semaphore>,
    nobody: OnceCell<String>,
}

impl Hasher {
    pub(crate) fn new(pepper: &Secret<[u8; 32]>, env: Env) -> Self {
        let cores = std::thread::available_parallelism().map_or(2, usize::from);
        Self {
            pepper: pepper.clone(),
            env,
            running: Arc::new(Semaphore::new(cores.min(ARGON2_AT_ONCE_MAX))),
            nobody: OnceCell::new(),
        }
    }

    /// The PHC string of a secret, with a fresh salt.
    pub(crate) async fn hash(&self, secret: &Secret<String>) -> Result<String, Error> {
        let salt = self.env.secret::<SALT_BYTES>();
        let (pepper, secret) = (self.pepper.clone(), secret.clone());
        self.blocking(move || {
            let hash = argon2(&pepper)?
                .hash_password_with_salt(secret.expose().as_bytes(), salt.expose())
                .map_err(|_| Error::Crypto("hashing with argon2id"))?;
            Ok(hash.to_string())
        })
        .await
    }

    /// Whether the secret is the one that was hashed.
    pub(crate) async fn matches(
        &self,
        secret: &Secret<String>,
        hash: String,
    ) -> Result<bool, Error> {
        let (pepper, secret) = (self.pepper.clone(), secret.clone());
        self.blocking(move || {
            let hash = PasswordHash::new(&hash)
                .map_err(|_| Error::Crypto("reading a stored argon2id hash"))?;
            let verified = argon2(&pepper)?.verify_password(secret.expose().as_bytes(), &hash);
            Ok(verified.is_ok())
        })
        .await
    }

    /// Takes as long as a comparison, so that an unknown name answers no sooner.
    pub(crate) async fn match_nobody(&self, secret: &Secret<String>) -> Result<(), Error> {
        let nobody = Secret::new(NOBODY.to_owned());
        let hash = self.nobody.get_or_try_init(|| self.hash(&nobody)).await?;
        self.matches(secret, hash.clone()).await.map(drop)
    }

    async fn blocking<T: Send + 'static>(
        &self,
        work: impl FnOnce() -> Result<T, Error> + Send + 'static,
    ) -> Result<T, Error> {
        let place = Arc::clone(&self.running)
            .acquire_owned()
            .await
            .map_err(|_| Error::Crypto("waiting for a hashing thread"))?;
        tokio::task::spawn_blocking(move || {
            // Held by the work itself: a caller that goes away does not free a busy core.
            let _place = place;
            work()
        })
        .await
        .map_err(|_| Error::Crypto("hashing on a blocking thread"))?
    }
}

fn argon2(pepper: &Secret<[u8; 32]>) -> Result<Argon2<'_>, Error> {
    let params = Params::new(ARGON2_MEMORY_KIB, ARGON2_ITERATIONS, ARGON2_LANES, None)
        .map_err(|_| Error::Crypto("configuring argon2id"))?;
    Argon2::new_with_secret(pepper.expose(), Algorithm::Argon2id, Version::V0x13, params)
        .map_err(|_| Error::Crypto("configuring argon2id"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use qiao_model::Timestamp;

    #[tokio::test]
    async fn a_hash_is_salted_peppered_and_has_the_parameters_of_owasp() {
        let (env, _) = Env::fixed(Timestamp::from_millis(0), 1);
        let hasher = Hasher::new(&Secret::new([1; 32]), env.clone());
        let secret = Secret::new("correct horse".to_owned());
        let hash = hasher.hash(&secret).await.unwrap();
        assert!(
            hash.starts_with("$argon2id$v=19$m=19456,t=2,p=1$"),
            "{hash}"
        );
        assert_ne!(hash, hasher.hash(&secret).await.unwrap());
        assert!(hasher.matches(&secret, hash.clone()).await.unwrap());
        let wrong = Secret::new("correct hors".to_owned());
        assert!(!hasher.matches(&wrong, hash.clone()).await.unwrap());
        let other_pepper = Hasher::new(&Secret::new([2; 32]), env);
        assert!(!other_pepper.matches(&secret, hash).await.unwrap());
    }
}
