use qiao_ledger::{LedgerAccount, Owner};
use qiao_model::{Asset, Calendar, Day, Money, Scope, Timestamp};

use crate::error::Error;
use crate::payout::{Payout, PayoutState, Source};
use crate::reconcile::CURRENCY;
use crate::settlement::{PAGE_MAX, Settlement};
use crate::store;
use crate::terms::Terms;

/// From this minute of a business day in Asia/Shanghai on, what earlier days brought is paid.
pub const PAYOUT_MINUTE: u16 = 9 * 60;
/// The cut of T+0: from this minute on, what the day brought so far is paid.
pub const SAME_DAY_PAYOUT_MINUTE: u16 = 17 * 60;

/// So far back the last day of a T+n is looked for: longer than any chain of holidays.
const LOOK_BACK_DAYS: i64 = 60;

/// The last day whose credits are due on a business day at T+n; none when no day is.
#[must_use]
pub fn due_through(calendar: &Calendar, today: Day, n: u32) -> Option<Day> {
    (0..LOOK_BACK_DAYS)
        .map(|back| today.plus_days(back.saturating_neg()))
        .find(|day| calendar.plus_business_days(*day, n) <= today)
}

/// What is due of an account: what it has free now, without what came after the
/// mark and without what payouts that wait for a channel are about to take.
/// Refunds and payouts since the mark lessen it.
fn due_minor(account: &LedgerAccount, credits_at_mark: i64, waiting_minor: i64) -> i64 {
    let since = account.credits.saturating_sub(credits_at_mark);
    let due = account.balance.available().saturating_sub(since);
    due.saturating_sub(waiting_minor).max(0)
}

impl Settlement {
    /// Worker step: stores the payouts of today for institutions whose terms
    /// hold, that are not suspended and that were not looked at today. Gives how many
    /// it stored.
    ///
    /// # Errors
    /// The database failed.
    pub async fn plan_payouts(&self) -> Result<usize, Error> {
        let inner = self.inner();
        let now = inner.env.now();
        let today = now.day();
        if !inner.calendar.is_business_day(today) || now.minute_of_day() < PAYOUT_MINUTE {
            return Ok(0);
        }
        let days_min = match now.minute_of_day() >= SAME_DAY_PAYOUT_MINUTE {
            true => 0,
            false => 1,
        };
        let (mut planned, mut after) = (0_usize, None);
        loop {
            let page = store::terms::to_plan(&inner.db, today, days_min, after, PAGE_MAX).await?;
            let Some(last) = page.last() else {
                return Ok(planned);
            };
            after = Some(last.institution);
            for terms in &page {
                // Not marked as looked at, so that it is paid on the day that it is resumed.
                if !inner.auth.is_suspended(terms.institution).await? {
                    planned = planned.saturating_add(self.plan(terms, now).await?);
                }
            }
        }
    }

    async fn plan(&self, terms: &Terms, now: Timestamp) -> Result<usize, Error> {
        let inner = self.inner();
        let today = now.day();
        let mut payouts = Vec::new();
        if let Some(through) = due_through(&inner.calendar, today, terms.says.days) {
            let owner = Owner::Institution(terms.institution);
            self.recover(terms).await?;
            for account in inner.ledger.accounts_of(&owner).await? {
                let due = self.payouts_of(terms, &account, (through, now)).await?;
                payouts.extend(due);
            }
        }
        let (db, institution) = (&inner.db, terms.institution);
        let stored = db
            .write(|| async {
                let mut tx = db.begin().await?;
                // Another node may have been faster, and its payouts stand.
                if !store::terms::mark_planned(&mut tx, institution, today).await? {
                    return Ok::<_, Error>(0);
                }
                let mut facts = Vec::new();
                for payout in &payouts {
                    store::payout::insert(&mut tx, payout, &mut facts).await?;
                }
                qiao_ledger::attest(&mut tx, facts, now).await?;
                tx.commit().await?;
                Ok(payouts.len())
            })
            .await?;
        Ok(stored)
    }

    /// Takes what the institution owes off what it is owed, before it is paid.
    async fn recover(&self, terms: &Terms) -> Result<(), Error> {
        let permit = self.inner().own_permit(Scope::PaymentsWrite);
        let payments = &self.inner().payments;
        let recovered = payments.recover(&permit, terms.institution, CURRENCY);
        recovered.await?;
        Ok(())
    }

    /// What one account pays today, in the parts that a bank's channel can carry.
    async fn payouts_of(
        &self,
        terms: &Terms,
        account: &LedgerAccount,
        (through, now): (Day, Timestamp),
    ) -> Result<Vec<Payout>, Error> {
        let (Some(source), Asset::Currency(currency)) =
            (Source::of_kind(account.kind), account.asset)
        else {
            return Ok(Vec::new());
        };
        let (db, institution) = (&self.inner().db, terms.institution);
        // Read before the account: a payout that is sent in between is counted twice
        // today and paid on the next day, and never the other way round.
        let waiting = store::payout::waiting(db, institution, source, currency).await?;
        let mark = self.mark_at_end_of(account.id, through).await?;
        // Read after the mark, so that nothing is before the one and after the other.
        let Some(account) = self.inner().ledger.account(account.id).await? else {
            return Ok(Vec::new());
        };
        let credits = match through == now.day() {
            true => account.credits,
            false => mark.credits,
        };
        let minor = due_minor(&account, credits, waiting);
        if minor < terms.says.minimum_minor.max(1) {
            return Ok(Vec::new());
        }
        let whole = Money::new(minor, currency);
        let parts = self.inner().banks.payout_parts(whole).await?;
        if parts.is_empty() {
            tracing::warn!(%institution, amount.minor = minor, "no bank's channel can carry what is due");
        }
        let numbered = (1..).zip(parts);
        Ok(numbered
            .map(|part| self.new_payout(terms, source, part, (through, now)))
            .collect())
    }

    fn new_payout(
        &self,
        terms: &Terms,
        source: Source,
        (part, amount): (u32, Money),
        (through, now): (Day, Timestamp),
    ) -> Payout {
        Payout {
            id: self.inner().env.id(),
            institution: terms.institution,
            source,
            amount,
            day: now.day(),
            part,
            through,
            account_number: terms.says.account_number.clone(),
            state: PayoutState::Due,
            reason: None,
            channel: None,
            bank_reference: None,
            attempts: 0,
            created_at: now,
            changed_at: now,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn through(today: &str, n: u32) -> String {
        let day = due_through(&Calendar::mainland(), today.parse().unwrap(), n);
        day.unwrap().to_string()
    }

    #[test]
    fn a_business_day_pays_the_days_that_fall_due_on_it() {
        assert_eq!(through("2026-11-25", 0), "2026-11-25");
        assert_eq!(through("2026-11-25", 1), "2026-11-24");
        assert_eq!(through("2026-11-25", 2), "2026-11-23");
        assert_eq!(through("2026-11-30", 1), "2026-11-27");
        // Saturday and Sunday count as Monday, so they are due on Tuesday.
        assert_eq!(through("2026-12-01", 1), "2026-11-30");
    }

    #[test]
    fn holidays_put_off_what_is_due() {
        assert_eq!(through("2026-10-08", 1), "2026-09-30");
        assert_eq!(through("2026-10-09", 1), "2026-10-08");
        assert_eq!(through("2026-10-08", 5), "2026-09-23");
        assert_eq!(through("2026-02-24", 1), "2026-02-13");
    }
}
