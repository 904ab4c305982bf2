use qiao_auth::{Permit, PinProof};
use qiao_db::attest::Before;
use qiao_model::{InstitutionId, MandateId, Scope, UserId};

use crate::access;
use crate::attested::{ENDS, MANDATES, USAGES};
use crate::command::Command;
use crate::error::Error;
use crate::event;
use crate::idempotency::IdempotencyKey;
use crate::mandate::{Charge, MANDATES_PAGE_MAX, Mandate, MandateState, NewMandate};
use crate::method::Method;
use crate::payment::Payment;
use crate::payments::Payments;
use crate::refusal::{Invalid, Refusal};
use crate::store::mandate as store;

/// Mandates that one call of [`Payments::expire_mandates`] tells of at most.
pub const EXPIRED_MANDATES_MAX: i64 = 100;
/// Payments of one mandate that a listing gives at most.
pub const MANDATE_PAYMENTS_MAX: i64 = 50;

impl Payments {
    /// Stores the permission that a person gives now. The same id again gives
    /// the mandate that is there. Scope `account`.
    ///
    /// # Errors
    /// The permit or the PIN is not that person's, the mandate is malformed, or
    /// the database failed.
    pub async fn give_mandate(
        &self,
        permit: &Permit,
        new: NewMandate,
        pin: &PinProof,
    ) -> Result<Mandate, Error> {
        access::may_see_user(permit, new.user)?;
        let now = self.env.now();
        if pin.is_of(permit, now).is_err() {
            return Err(Error::PinForeign);
        }
        new.check(now).map_err(Refusal::InvalidMandate)?;
        let mandate = Mandate::given(new, now);
        let given = self
            .db
            .write(|| async {
                let mut tx = self.db.begin().await?;
                let id = mandate.id.to_string();
                let mut rows = Vec::new();
                for part in [&MANDATES, &ENDS, &USAGES] {
                    rows.push(Before::of(&mut tx, part, &[&id]).await?);
                }
                if !store::insert(&mut tx, &mandate).await? {
                    return Ok(false);
                }
                let given = event::of_mandate(&mandate, MandateState::Active, mandate.id);
                let mut facts = qiao_events::append_attested(&mut tx, now, &[given]).await?;
                for row in rows {
                    facts.extend(row.fact(&mut tx).await?);
                }
                qiao_ledger::attest(&mut tx, facts, now).await?;
                tx.commit().await?;
                Ok::<_, qiao_db::Error>(true)
            })
            .await?;
        if given {
            return Ok(mandate);
        }
        let stored = store::find(&self.db, mandate.id).await?;
        let own = stored.filter(|stored| stored.user == mandate.user);
        Ok(own.ok_or(Refusal::UnknownMandate(mandate.id))?)
    }

    /// Takes a permission back: the next charge is refused. A revoked mandate
    /// stays so. Scope `account`.
    ///
    /// # Errors
    /// The caller gave no such mandate, or the database failed.
    pub async fn revoke_mandate(&self, permit: &Permit, id: MandateId) -> Result<Mandate, Error> {
        permit.covers(Scope::Account)?;
        let user = permit.demand_user()?;
        let found = store::find(&self.db, id).await?;
        let mandate = found.filter(|mandate| mandate.user == user);
        let mandate = mandate.ok_or(Refusal::UnknownMandate(id))?;
        let now = self.env.now();
        self.db
            .write(|| async {
                let mut tx = self.db.begin().await?;
                let row = Before::of(&mut tx, &ENDS, &[&id.to_string()]).await?;
                if store::revoke_for_user(&mut tx, id, user, now).await? {
                    let revoked = event::of_mandate(&mandate, MandateState::Revoked, id);
                    let mut facts = qiao_events::append_attested(&mut tx, now, &[revoked]).await?;
                    facts.extend(row.fact(&mut tx).await?);
                    qiao_ledger::attest(&mut tx, facts, now).await?;
                }
                tx.commit().await?;
                Ok::<_, qiao_db::Error>(())
            })
            .await?;
        let stored = store::find(&self.db, id).await?;
        Ok(stored.ok_or(Refusal::UnknownMandate(id))?)
    }

    /// Worker step: tells of mandates whose time is over, at most
    /// [`EXPIRED_MANDATES_MAX`], each once; gives how many. None of them is charged
    /// meanwhile: that follows from the time alone.
    ///
    /// # Errors
    /// The database failed; the rest is told by the next call.
    pub async fn expire_mandates(&self) -> Result<usize, Error> {
        let now = self.env.now();
        let over = store::over(&self.db, now, EXPIRED_MANDATES_MAX).await?;
        let mut told: usize = 0;
        for mandate in &over {
            let is_told = self
                .db
                .write(|| async {
                    let mut tx = self.db.begin().await?;
                    let row = Before::of(&mut tx, &ENDS, &[&mandate.id.to_string()]).await?;
                    let is_told = store::expire(&mut tx, mandate.id, now).await?;
                    if is_told {
                        let expired = event::of_mandate(mandate, MandateState::Expired, mandate.id);
                        let mut facts =
                            qiao_events::append_attested(&mut tx, now, &[expired]).await?;
                        facts.extend(row.fact(&mut tx).await?);
                        qiao_ledger::attest(&mut tx, facts, now).await?;
                    }
                    tx.commit().await?;
                    Ok::<_, qiao_db::Error>(is_told)
                })
                .await?;
            told = told.saturating_add(usize::from(is_told));
        }
        Ok(told)
    }

    /// One mandate; none when there is none that the caller may see: the person
    /// who gave it, the institution that may debit, its plugin.
    ///
    /// # Errors
    /// The permit is for something else, or the database failed.
    pub async fn mandate(&self, permit: &Permit, id: MandateId) -> Result<Option<Mandate>, Error> {
        let Some(mandate) = store::find(&self.db, id).await? else {
            return Ok(None);
        };
        Ok(access::may_see_mandate(permit, &mandate)?.then_some(mandate))
    }

    /// A person's mandates before one, newest first, at most [`MANDATES_PAGE_MAX`].
    ///
    /// # Errors
    /// The permit is not that person's, or the database failed.
    pub async fn mandates_of_user(
        &self,
        permit: &Permit,
        user: UserId,
        before: Option<MandateId>,
    ) -> Result<Vec<Mandate>, Error> {
        access::may_see_user(permit, user)?;
        Ok(store::list_for_user(&self.db, user, before, page_rows()).await?)
    }

    /// What an institution may debit by, before one, newest first, at most
    /// [`MANDATES_PAGE_MAX`].
    ///
    /// # Errors
    /// The permit is not that institution's, or the database failed.
    pub async fn mandates_of_institution(
        &self,
        permit: &Permit,
        institution: InstitutionId,
        before: Option<MandateId>,
    ) -> Result<Vec<Mandate>, Error> {
        access::may_see_institution(permit, institution)?;
        Ok(store::list_for_institution(&self.db, institution, before, page_rows()).await?)
    }

    /// The newest payments that a mandate paid for, at most [`MANDATE_PAYMENTS_MAX`];
    /// none when the caller may not see it.
    ///
    /// # Errors
    /// The permit is for something else, or the database failed.
    pub async fn payments_of_mandate(
        &self,
        permit: &Permit,
        id: MandateId,
    ) -> Result<Vec<Payment>, Error> {
        if self.mandate(permit, id).await?.is_none() {
            return Ok(Vec::new());
        }
        Ok(store::payments(&self.db, id, MANDATE_PAYMENTS_MAX).await?)
    }

    /// Takes plain money by a mandate, with nobody asked. What a mandate for products
    /// pays for is an order, which a quote prices: `orders` charges those. Scope
    /// `payments:charge`.
    ///
    /// # Errors
    /// The mandate is not for this caller, it is for products, it does not allow
    /// the payment, the rules refuse, or the database failed.
    pub async fn charge(
        &self,
        permit: &Permit,
        charge: Charge,
        key: Option<IdempotencyKey>,
    ) -> Result<Payment, Error> {
        let Method::Mandate(id) = charge.payment.method else {
            return Err(Refusal::from(Invalid::ChargeMethod).into());
        };
        if charge.product.is_some() || charge.payment.order.is_some() {
            return Err(Refusal::from(Invalid::ChargeOfOrder).into());
        }
        self.chargeable(permit, id).await?;
        self.payment(Command::Charge(charge), key).await
    }

    /// The mandate that this caller may charge, whatever its state: what it
    /// allows is decided with the money. Scope `payments:charge`.
    ///
    /// # Errors
    /// There is none for this caller, or the database failed.
    pub async fn chargeable(&self, permit: &Permit, id: MandateId) -> Result<Mandate, Error> {
        access::may_charge(permit)?;
        let found = store::find(&self.db, id).await?;
        let own = found.filter(|mandate| access::is_chargeable_by(permit, mandate));
        Ok(own.ok_or(Refusal::UnknownMandate(id))?)
    }
}

fn page_rows() -> i64 {
    i64::try_from(MANDATES_PAGE_MAX).unwrap_or(1)
}
