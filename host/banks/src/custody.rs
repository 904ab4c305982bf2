use qiao_auth::Permit;
use qiao_model::{BankTransferId, Channel, Day};

use crate::access;
use crate::banks::{Banks, TRANSFERS_PAGE_MAX};
use crate::client::statement::{Custody, Statement};
use crate::error::Error;
use crate::store;
use crate::store::transfer::Booked;
use crate::transfer::BankTransfer;

impl Banks {
    /// What the platform's custody account at a bank holds, as the bank says.
    /// For operators and the host's jobs.
    ///
    /// # Errors
    /// No permit for it, no such channel, or the bank does not answer.
    pub async fn custody(&self, permit: &Permit, code: Channel) -> Result<Custody, Error> {
        access::may_see_custody(permit)?;
        let custody = self.inner().client.custody(code).await;
        custody.map_err(|failure| Error::of_bank(code, failure))
    }

    /// The bank's statement of a day. For operators and the host's jobs.
    ///
    /// # Errors
    /// No permit for it, no such channel, or the bank does not answer.
    pub async fn statement(
        &self,
        permit: &Permit,
        code: Channel,
        day: Day,
    ) -> Result<Statement, Error> {
        access::may_see_custody(permit)?;
        let statement = self.inner().client.statement(code, day).await;
        statement.map_err(|failure| Error::of_bank(code, failure))
    }

    /// What top-ups and payments that are under way may have brought a channel's bank
    /// already. For operators and the host's jobs.
    ///
    /// # Errors
    /// No permit for it, or the database failed.
    pub async fn coming_minor(&self, permit: &Permit, code: Channel) -> Result<i64, Error> {
        access::may_see_custody(permit)?;
        Ok(store::transfer::coming(&self.inner().db, code).await?)
    }

    /// The day of a channel's first transfer; none before it. For operators and the
    /// host's jobs.
    ///
    /// # Errors
    /// No permit for it, or the database failed.
    pub async fn first_day(&self, permit: &Permit, code: Channel) -> Result<Option<Day>, Error> {
        access::may_see_custody(permit)?;
        Ok(store::transfer::first_day(&self.inner().db, code).await?)
    }

    /// The transfers that a channel's bank booked on a day, oldest first, at most
    /// [`TRANSFERS_PAGE_MAX`] after an id. For operators and the host's jobs.
    ///
    /// # Errors
    /// No permit for it, or the database failed.
    pub async fn booked(
        &self,
        permit: &Permit,
        code: Channel,
        day: Day,
        after: Option<BankTransferId>,
    ) -> Result<Vec<BankTransfer>, Error> {
        access::may_see_custody(permit)?;
        let booked = Booked {
            channel: code,
            from: day.start(),
            until: day.plus_days(1).start(),
            after,
            limit: TRANSFERS_PAGE_MAX,
        };
        Ok(store::transfer::list_booked(&self.inner().db, &booked).await?)
    }
}
