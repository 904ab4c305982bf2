use qiao_auth::{AuditEntry, Permit};
use qiao_db::Claim;
use qiao_model::{PayoutId, Scope};

use crate::access;
use crate::case::NOTE_CHARS_MAX;
use crate::error::Error;
use crate::pay::{event_of, given_up};
use crate::payout::Payout;
use crate::settlement::Settlement;
use crate::store;

impl Settlement {
    /// Gives up a payout that no bank was asked for, with a reason for the audit: what
    /// it would have paid is owed again and part of a later day's payout. Scope
    /// `operate`.
    ///
    /// # Errors
    /// No permit for it, no reason, no such payout, a bank was asked for it or a node
    /// is asking one now, or the database failed.
    pub async fn give_up_payout(
        &self,
        permit: &Permit,
        id: PayoutId,
        reason: &str,
    ) -> Result<Payout, Error> {
        access::may_operate(permit)?;
        let reason = reason.trim();
        if !(1..=NOTE_CHARS_MAX).contains(&reason.chars().count()) {
            return Err(Error::Note(NOTE_CHARS_MAX));
        }
        let payout = self.take_due(id).await?;
        let inner = self.inner();
        let own = inner.own_permit(Scope::PaymentsRead);
        let transfer = inner.banks.transfer(&own, payout.bank_transfer()).await?;
        if transfer.is_some() {
            // The worker sees how it ended, once the lease runs out.
            return Err(Error::PayoutUnderWay(id));
        }
        let standing = given_up(reason);
        let event = event_of(&payout, &standing);
        let entry = AuditEntry::allowed(permit.actor(), "settlement.give-up-payout", id);
        let entry = entry.detail(reason);
        let now = inner.env.now();
        let done = inner
            .db
            .write(|| async {
                let mut tx = inner.db.begin().await?;
                let mut facts = Vec::new();
                let stands = (now, &mut facts);
                let done = store::payout::finish(&mut tx, &payout, &standing, stands).await?;
                if done {
                    let told = qiao_events::append_attested(&mut tx, now, event.as_slice());
                    facts.extend(told.await?);
                    inner.auth.audit_in(&mut tx, &entry).await?;
                }
                qiao_ledger::attest(&mut tx, facts, now).await?;
                tx.commit().await?;
                Ok::<_, Error>(done)
            })
            .await?;
        match done {
            true => self.stored_payout(id).await,
            false => Err(Error::PayoutUnderWay(id)),
        }
    }

    /// Takes the lease of one payout that is due, so that no node asks a bank meanwhile.
    async fn take_due(&self, id: PayoutId) -> Result<Payout, Error> {
        let inner = self.inner();
        let now = inner.env.now();
        let claim = Claim {
            node: &inner.node,
            now,
            until: now.plus_secs(crate::PAYOUT_LEASE_SECS),
            limit: 1,
        };
        let taken = store::payout::claim_due(&inner.db, &claim, id).await?;
        match taken {
            Some(payout) => Ok(payout),
            None => {
                self.stored_payout(id).await?;
                Err(Error::PayoutUnderWay(id))
            }
        }
    }

    async fn stored_payout(&self, id: PayoutId) -> Result<Payout, Error> {
        let found = store::payout::find(&self.inner().db, id).await?;
        found.ok_or(Error::UnknownPayout(id))
    }
}
