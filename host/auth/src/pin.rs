use qiao_model::{Scope, Secret, Timestamp, UserId};

use crate::audit::AuditEntry;
use crate::permit::Permit;
use crate::store::pin::{self as store, Attempt};
use crate::{Auth, Error, Session};

/// A payment PIN has so many digits.
pub const PIN_DIGITS: usize = 6;
/// The last of so many wrong PINs in a row locks.
pub const PIN_TRIES_MAX: i64 = 5;
/// For so long.
pub const PIN_LOCK_SECS: i64 = 15 * 60;
/// A proof counts for so long: one checkout, not one evening.
const PIN_PROOF_LIFETIME_SECS: i64 = 120;

/// Proof that a person just gave their payment PIN. Only this room makes one.
#[derive(Debug)]
pub struct PinProof {
    user: UserId,
    given_at: Timestamp,
}

impl PinProof {
    /// Whose PIN it was.
    #[must_use]
    pub const fn user(&self) -> UserId {
        self.user
    }

    /// Demands that the permit's own person gave it, just now.
    ///
    /// # Errors
    /// It was somebody else, or two minutes ago.
    pub fn is_of(&self, permit: &Permit, now: Timestamp) -> Result<UserId, Error> {
        let is_fresh = now < self.given_at.plus_secs(PIN_PROOF_LIFETIME_SECS);
        if permit.user() == Some(self.user) && is_fresh {
            Ok(self.user)
        } else {
            Err(Error::InvalidPinProof)
        }
    }
}

impl Auth {
    /// Sets a person's first payment PIN. Scope `account`.
    ///
    /// # Errors
    /// The PIN is weak, or one is set already: that takes [`Auth::change_pin`],
    /// so that a stolen session cannot pay.
    pub async fn set_pin(&self, permit: &Permit, pin: &Secret<String>) -> Result<(), Error> {
        let user = own_account(permit)?;
        let inner = self.inner();
        let hash = self.hash_pin(pin).await?;
        inner
            .db
            .write(|| async {
                let mut tx = inner.db.begin().await?;
                if !store::insert(&mut tx, user, &hash, inner.env.now()).await? {
                    return Err(Error::PinAlreadySet);
                }
                let entry = AuditEntry::allowed(permit.actor(), "pin.set", user);
                self.audit_in(&mut tx, &entry).await?;
                tx.commit().await?;
                Ok(())
            })
            .await
    }

    /// Replaces the payment PIN of the person who just gave the old one. Scope `account`.
    ///
    /// # Errors
    /// The new PIN is weak, or the proof is not this person's.
    pub async fn change_pin(
        &self,
        permit: &Permit,
        proof: PinProof,
        pin: &Secret<String>,
    ) -> Result<(), Error> {
        own_account(permit)?;
        let inner = self.inner();
        let user = proof.is_of(permit, inner.env.now())?;
        let hash = self.hash_pin(pin).await?;
        inner
            .db
            .write(|| async {
                let mut tx = inner.db.begin().await?;
                store::replace(&mut tx, user, &hash, inner.env.now()).await?;
                let entry = AuditEntry::allowed(permit.actor(), "pin.change", user);
                self.audit_in(&mut tx, &entry).await?;
                tx.commit().await?;
                Ok(())
            })
            .await
    }

    /// Whether the permit's person has a payment PIN. Scope `account`.
    ///
    /// # Errors
    /// The permit is no person's, or the database does not answer.
    pub async fn has_pin(&self, permit: &Permit) -> Result<bool, Error> {
        let user = own_account(permit)?;
        Ok(store::is_set(&self.inner().db, user).await?)
    }

    /// Compares a payment PIN. Scope `account`.
    ///
    /// # Errors
    /// None is set, it is wrong, or too many were wrong.
    pub async fn verify_pin(
        &self,
        permit: &Permit,
        pin: &Secret<String>,
    ) -> Result<PinProof, Error> {
        let user = own_account(permit)?;
        let verified = self.compare_pin(user, pin).await;
        self.audit_wrong_pin(permit, user, &verified).await?;
        verified.map(|(proof, _)| proof)
    }

    /// Compares a payment PIN in a session. One that was right in this session
    /// minutes ago ([`PIN_MEMORY_SECS`]) is recognised without another slow
    /// comparison, unless the PIN was changed, or a wrong one was tried since.
    /// Scope `account`.
    ///
    /// [`PIN_MEMORY_SECS`]: crate::PIN_MEMORY_SECS
    ///
    /// # Errors
    /// As [`Auth::verify_pin`]; or the session is somebody else's.
    pub async fn verify_pin_in_session(
        &self,
        permit: &Permit,
        session: &Session,
        pin: &Secret<String>,
    ) -> Result<PinProof, Error> {
        let user = own_account(permit)?;
        if session.user() != user {
            return Err(Error::InvalidPinProof);
        }
        if let Some(proof) = self.recognise_pin(session, pin).await? {
            return Ok(proof);
        }
        let verified = self.compare_pin(user, pin).await;
        self.audit_wrong_pin(permit, user, &verified).await?;
        let (proof, hash) = verified?;
        let memory = &self.inner().pins;
        memory.remember(session.id(), &hash, pin, proof.given_at);
        Ok(proof)
    }

    /// The proof that the session's memory of a right PIN gives, if it gives one.
    /// It counts no try and clears none: with a wrong one on the count, or a lock,
    /// it gives nothing.
    async fn recognise_pin(
        &self,
        session: &Session,
        pin: &Secret<String>,
    ) -> Result<Option<PinProof>, Error> {
        let inner = self.inner();
        if !inner.pins.knows(session.id(), inner.env.now()) {
            return Ok(None);
        }
        let Some(hash) = store::untried_hash(&inner.db, session.user()).await? else {
            return Ok(None);
        };
        let given_at = inner.env.now();
        let is_right = inner.pins.is_right(session.id(), &hash, pin, given_at);
        Ok(is_right.then_some(PinProof {
            user: session.user(),
            given_at,
        }))
    }

    async fn audit_wrong_pin<T>(
        &self,
        permit: &Permit,
        user: UserId,
        verified: &Result<T, Error>,
    ) -> Result<(), Error> {
        if let Err(cause @ (Error::WrongPin { .. } | Error::PinLocked { .. })) = verified {
            let entry = AuditEntry::refused(permit.actor(), "pin.verify", user, cause);
            self.audit(entry).await?;
        }
        Ok(())
    }

    /// The proof, and the hash that the PIN was compared with.
    async fn compare_pin(
        &self,
        user: UserId,
        pin: &Secret<String>,
    ) -> Result<(PinProof, String), Error> {
        let inner = self.inner();
        let now = inner.env.now();
        // An empty field or a slip of the finger is no guess: no PIN is like that.
        if !has_form_of_pin(pin.expose()) {
            return match store::failures(&inner.db, user, now).await? {
                Attempt::NoPin => Err(Error::NoPin),
                Attempt::Locked { until } => Err(Error::PinLocked { until }),
                Attempt::Counted { failures, .. } => Err(wrong_pin(failures, now)),
            };
        }
        // The try is counted before it is compared: tries in parallel gain nothing.
        let attempt = inner
            .db
            .write(|| async {
                let mut tx = inner.db.begin().await?;
                let attempt = store::count_try(&mut tx, user, now).await?;
                tx.commit().await?;
                Ok::<_, Error>(attempt)
            })
            .await?;
        let (hash, failures) = match attempt {
            Attempt::NoPin => return Err(Error::NoPin),
            Attempt::Locked { until } => return Err(Error::PinLocked { until }),
            Attempt::Counted { hash, failures } => (hash, failures),
        };
        if !inner.hasher.matches(pin, hash.clone()).await? {
            return Err(wrong_pin(failures, now));
        }
        inner
            .db
            .write(|| async {
                let mut tx = inner.db.begin().await?;
                store::reset_tries(&mut tx, user, &hash).await?;
                tx.commit().await?;
                Ok::<(), Error>(())
            })
            .await?;
        let given_at = inner.env.now();
        Ok((PinProof { user, given_at }, hash))
    }

    async fn hash_pin(&self, pin: &Secret<String>) -> Result<String, Error> {
        if !is_pin(pin.expose()) {
            return Err(Error::WeakPin);
        }
        self.inner().hasher.hash(pin).await
    }
}

/// What a wrong PIN is answered with after so many failures.
fn wrong_pin(failures: i64, now: Timestamp) -> Error {
    match u32::try_from(PIN_TRIES_MAX.saturating_sub(failures)) {
        Ok(tries_left @ 1..) => Error::WrongPin { tries_left },
        _ => Error::PinLocked {
            until: now.plus_secs(PIN_LOCK_SECS),
        },
    }
}

fn own_account(permit: &Permit) -> Result<UserId, Error> {
    permit.covers(Scope::Account)?;
    Ok(permit.demand_user()?)
}

fn has_form_of_pin(pin: &str) -> bool {
    pin.len() == PIN_DIGITS && pin.bytes().all(|digit| digit.is_ascii_digit())
}

fn is_pin(pin: &str) -> bool {
    let digits = pin.as_bytes();
    let is_run = |step: i16| {
        digits
            .windows(2)
            .all(|pair| i16::from(pair[1]) - i16::from(pair[0]) == step)
    };
    has_form_of_pin(pin) && ![-1, 0, 1].into_iter().any(is_run)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pin_is_six_digits_that_are_not_all_the_same_or_in_sequence() {
        for pin in ["135790", "000001", "112233", "123455", "987650"] {
            assert!(is_pin(pin), "{pin}");
        }
        for pin in [
            "",
            "12345",
            "1357901",
            "13579a",
            "１２３４５６",
            "000000",
            "123456",
            "987654",
        ] {
            assert!(!is_pin(pin), "{pin}");
        }
    }
}
