use aws_lc_rs::cipher::{
    AES_256, DecryptingKey, DecryptionContext, EncryptingKey, UnboundCipherKey,
};
use qiao_model::id::{Id, Noun};
use qiao_model::{InstitutionId, Secret, UserId};

use crate::config::derive;
use crate::{Auth, Error};

/// A person as one institution knows them.
enum Subject {}

impl Noun for Subject {
    const PREFIX: &'static str = "sub";
}

impl Auth {
    /// The person as this institution alone knows them: the user's id encrypted
    /// as one AES-256 block under a key of the institution (OpenID Connect Core
    /// section 8.1). The same person is somebody else to another institution,
    /// the host alone can turn it back, and nothing has to be stored.
    #[must_use]
    pub fn subject(&self, institution: InstitutionId, user: UserId) -> String {
        let key = self.subject_key(institution);
        let mut block = user.as_u128().to_be_bytes();
        encrypt(&key, &mut block);
        Id::<Subject>::from_u128(u128::from_be_bytes(block)).to_string()
    }

    /// The user behind a subject of this institution.
    ///
    /// # Errors
    /// The database does not answer.
    pub async fn user_of_subject(
        &self,
        institution: InstitutionId,
        subject: &str,
    ) -> Result<Option<UserId>, Error> {
        let Ok(subject) = subject.parse::<Id<Subject>>() else {
            return Ok(None);
        };
        let key = self.subject_key(institution);
        let mut block = subject.as_u128().to_be_bytes();
        decrypt(&key, &mut block);
        let user = UserId::from_u128(u128::from_be_bytes(block));
        // Any block decrypts to something; only a person who exists is meant.
        Ok(self.is_known(user).await?.then_some(user))
    }

    /// Whether there is such a person. Nobody ever ceases to be one, so a yes is kept.
    async fn is_known(&self, user: UserId) -> Result<bool, Error> {
        let known = &self.inner().known_users;
        if known.get(&user).is_some() {
            return Ok(true);
        }
        let is_known = self.user(user).await?.is_some();
        if is_known {
            known.insert(user, ());
        }
        Ok(is_known)
    }

    fn subject_key(&self, institution: InstitutionId) -> Secret<[u8; 32]> {
        derive(&self.inner().pepper, &format!("subject of {institution}"))
    }
}

/// One block, so the mode is the bare permutation and the same id always gives
/// the same subject, which is what is wanted here and nowhere else.
fn encrypt(key: &Secret<[u8; 32]>, block: &mut [u8; 16]) {
    let done = UnboundCipherKey::new(&AES_256, key.expose())
        .and_then(EncryptingKey::ecb)
        .and_then(|key| key.encrypt(block));
    assert!(
        done.is_ok(),
        "AES-256 takes 32 bytes of key and whole blocks"
    );
}

fn decrypt(key: &Secret<[u8; 32]>, block: &mut [u8; 16]) {
    let done = UnboundCipherKey::new(&AES_256, key.expose())
        .and_then(DecryptingKey::ecb)
        .and_then(|key| key.decrypt(block, DecryptionContext::None).map(drop));
    assert!(
        done.is_ok(),
        "AES-256 takes 32 bytes of key and whole blocks"
    );
}
