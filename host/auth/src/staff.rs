use qiao_db::Tx;
use qiao_model::{InstitutionId, Scope, UserId};

use crate::audit::AuditEntry;
use crate::client::{NewClient, OAuthClient};
use crate::permit::{Actor, Permit};
use crate::store::staff::Bar;
use crate::store::{revision, staff as store, user};
use crate::{Auth, Denied, Error};

impl Auth {
    /// Puts a person on the staff of an institution. An operator may for any,
    /// its own staff for itself.
    ///
    /// # Errors
    /// The permit is for neither, or there is no such person.
    pub async fn add_staff(
        &self,
        permit: &Permit,
        institution: InstitutionId,
        user: UserId,
    ) -> Result<(), Error> {
        governs(permit, institution)?;
        if user::find(&self.inner().db, user).await?.is_none() {
            return Err(Error::UnknownUser(user));
        }
        let inner = self.inner();
        inner
            .db
            .write(|| async {
                let mut tx = inner.db.begin().await?;
                let actor = permit.actor().to_string();
                store::insert(&mut tx, institution, user, &actor, inner.env.now()).await?;
                revision::raise_sessions(&mut tx).await?;
                let entry =
                    AuditEntry::allowed(permit.actor(), "staff.add", institution).detail(user);
                self.audit_in(&mut tx, &entry).await?;
                tx.commit().await?;
                Ok(())
            })
            .await
    }

    /// Takes a person off the staff; counts on the very next call.
    ///
    /// # Errors
    /// As [`Auth::add_staff`].
    pub async fn remove_staff(
        &self,
        permit: &Permit,
        institution: InstitutionId,
        user: UserId,
    ) -> Result<(), Error> {
        governs(permit, institution)?;
        let inner = self.inner();
        inner
            .db
            .write(|| async {
                let mut tx = inner.db.begin().await?;
                if !store::delete(&mut tx, institution, user).await? {
                    return Err(Error::UnknownUser(user));
                }
                revision::raise_sessions(&mut tx).await?;
                let entry =
                    AuditEntry::allowed(permit.actor(), "staff.remove", institution).detail(user);
                self.audit_in(&mut tx, &entry).await?;
                tx.commit().await?;
                Ok(())
            })
            .await
    }

    /// Makes the permit's person the first staff member of a new institution and
    /// registers its first client, in the transaction that founds it. The client gets
    /// no token before an operator admits the institution. Scope `account`.
    ///
    /// # Errors
    /// The permit is no person's, the institution has staff already, or the
    /// client is refused as by [`Auth::register_client`].
    pub async fn found_institution(
        &self,
        tx: &mut Tx,
        permit: &Permit,
        client: &NewClient,
    ) -> Result<OAuthClient, Error> {
        permit.covers(Scope::Account)?;
        let founder = permit.demand_user()?;
        let institution = client.institution;
        if store::count(tx, institution).await? > 0 {
            let reason = "the institution has staff already";
            return Err(Denied::new(permit.actor(), Scope::Institution, reason).into());
        }
        let actor = permit.actor().to_string();
        let now = self.inner().env.now();
        store::insert(tx, institution, founder, &actor, now).await?;
        store::bar(tx, institution, Bar::Pending, now).await?;
        revision::raise_sessions(tx).await?;
        let staff = Actor::Staff {
            user: founder,
            institution,
        };
        self.insert_client(tx, &staff, client).await
    }

    /// Refuses an institution's staff and clients from their very next call on,
    /// in the transaction that suspends it. Scope `operate`.
    ///
    /// # Errors
    /// The caller is no operator, or the database did not take it.
    pub async fn suspend_institution(
        &self,
        tx: &mut Tx,
        permit: &Permit,
        institution: InstitutionId,
    ) -> Result<(), Error> {
        permit.covers(Scope::Operate)?;
        store::bar(tx, institution, Bar::Suspended, self.inner().env.now()).await?;
        revision::raise_both(tx).await?;
        Ok(())
    }

    /// Whether an institution is suspended now. Read each time: money must not go
    /// where it was stopped a moment ago.
    ///
    /// # Errors
    /// The database did not answer.
    pub async fn is_suspended(&self, institution: InstitutionId) -> Result<bool, Error> {
        Ok(store::is_suspended(&self.inner().db, institution).await?)
    }

    /// Lets the clients of a new institution in, or the staff and clients of a
    /// suspended one again, in the transaction that approves it. Scope `operate`.
    ///
    /// # Errors
    /// The caller is no operator, or the database did not take it.
    pub async fn admit_institution(
        &self,
        tx: &mut Tx,
        permit: &Permit,
        institution: InstitutionId,
    ) -> Result<(), Error> {
        permit.covers(Scope::Operate)?;
        store::admit(tx, institution).await?;
        revision::raise_both(tx).await?;
        Ok(())
    }
}

/// An operator governs every institution, staff their own; a client none.
pub(crate) fn governs(permit: &Permit, institution: InstitutionId) -> Result<(), Denied> {
    if permit.covers(Scope::Operate).is_ok() {
        return Ok(());
    }
    permit.covers(Scope::Institution)?;
    permit.is_for_institution(institution)
}
