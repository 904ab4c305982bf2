use std::collections::HashSet;

use qiao_auth::Permit;
use qiao_db::Db;
use qiao_ledger::{AccountKind, KindTotal, Ledger};
use qiao_model::{Asset, Channel, Currency, Day, Scope, Timestamp};

use crate::access;
use crate::doubt::Doubt;
use crate::error::Error;
use crate::reconcile::{CURRENCY, Reconciliation};
use crate::settlement::Settlement;
use crate::store;

/// Days of a bank that one worker step ends at most; the next step goes on.
const END_DAYS_MAX: usize = 31;
/// How often a bank is asked what it keeps, when it is not what the books say:
/// money that moves in between looks like a difference once, not always.
const LOOKS_MAX: u32 = 3;
/// Accounts that are closed with one look at the books.
const CLOSE_ACCOUNTS_PAGE: usize = 500;

/// Whose money there is, and where it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CustodyCheck {
    /// In which currency.
    pub currency: Currency,
    /// The newest day that is over: every bank's statement of it has to be compared.
    pub closed: Day,
    /// People's balances.
    pub people_minor: i64,
    /// What institutions are owed for their customers' orders.
    pub institutions_minor: i64,
    /// What banks advanced to institutions.
    pub advances_minor: i64,
    /// Fees of institutions, of the platform and of channels.
    pub fees_minor: i64,
    /// Money between two accounts; nothing when no payment is being decided.
    pub clearing_minor: i64,
    /// What institutions owe: less than zero by that much.
    pub receivables_minor: i64,
    /// Play money, which no bank keeps.
    pub play_minor: i64,
    /// Each custody bank.
    pub channels: Vec<ChannelCustody>,
}

/// What one bank keeps.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ChannelCustody {
    /// Which bank.
    pub channel: Channel,
    /// What the books say that it keeps.
    pub books_minor: i64,
    /// What is held for payouts and withdrawals under way.
    pub leaving_minor: i64,
    /// What top-ups under way may have brought it already.
    pub coming_minor: i64,
    /// What it says itself; none when it was not asked or does not answer.
    pub bank_minor: Option<i64>,
    /// How the last day that was compared ended; none before the first.
    pub last_day: Option<DayCheck>,
    /// Differences that nobody has ended.
    pub open_cases: i64,
}

/// How a day ended at a bank.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DayCheck {
    /// The comparison.
    pub run: Reconciliation,
    /// The sum of the cases that are open or written off, up to that day. It explains
    /// where money went; it does not bring it back.
    pub cases_minor: i64,
}

impl DayCheck {
    /// By how much the bank kept more than the books said, without what was in
    /// transit at midnight: nothing, when every yuan was there.
    #[must_use]
    pub fn difference_minor(&self) -> i64 {
        let difference = self.run.bank_closing.saturating_sub(self.run.books_closing);
        difference.saturating_sub(self.run.in_transit)
    }

    /// What of the difference no case explains.
    #[must_use]
    pub fn unexplained_minor(&self) -> i64 {
        self.difference_minor().saturating_sub(self.cases_minor)
    }
}

impl CustodyCheck {
    /// The check as the database alone knows it: no bank is asked. For the
    /// operator's shell, which needs no running host.
    ///
    /// # Errors
    /// The database failed.
    pub async fn read(db: &Db, now: Timestamp) -> Result<Self, Error> {
        let totals = Ledger::new(db.clone()).kind_totals().await?;
        let mut check = sums(&totals, newest_closed(now));
        for channel in &mut check.channels {
            channel.last_day = last_day(db, channel.channel).await?;
            channel.open_cases = store::case::open_count(db, channel.channel).await?;
        }
        Ok(check)
    }

    /// What the books owe to somebody.
    #[must_use]
    pub fn owed_minor(&self) -> i64 {
        let parts = [
            self.people_minor,
            self.institutions_minor,
            self.advances_minor,
            self.fees_minor,
            self.clearing_minor,
        ];
        parts.into_iter().fold(0, i64::saturating_add)
    }

    /// What the books say that banks keep.
    #[must_use]
    pub fn custody_minor(&self) -> i64 {
        let books = self.channels.iter().map(|channel| channel.books_minor);
        books.fold(0, i64::saturating_add)
    }

    /// Whether everything owed is at a bank, but for what institutions owe
    /// themselves, and every bank's statement of the newest closed day proves it to
    /// the fen: [`CustodyCheck::doubts`] are none.
    #[must_use]
    pub fn holds(&self) -> bool {
        self.doubts().is_empty()
    }
}

impl Settlement {
    /// Whose money there is and where it is, now; banks are asked what they keep.
    /// Scope `operate`.
    ///
    /// # Errors
    /// No permit for it, or the database failed. A bank that does not answer is
    /// no error: what it keeps is left open.
    pub async fn custody(&self, permit: &Permit) -> Result<CustodyCheck, Error> {
        access::may_operate(permit)?;
        let mut looks = 1;
        loop {
            let check = self.look().await?;
            let differs = |doubt: &Doubt| matches!(doubt, Doubt::BankDiffers { .. });
            if looks >= LOOKS_MAX || !check.doubts().iter().any(differs) {
                return Ok(check);
            }
            looks = looks.saturating_add(1);
        }
    }

    async fn look(&self) -> Result<CustodyCheck, Error> {
        let inner = self.inner();
        let mut check = CustodyCheck::read(&inner.db, inner.env.now()).await?;
        for channel in &mut check.channels {
            let own = inner.own_permit(Scope::PaymentsRead);
            channel.coming_minor = inner.banks.coming_minor(&own, channel.channel).await?;
            match inner.banks.custody(&own, channel.channel).await {
                Ok(custody) => channel.bank_minor = Some(custody.balance.minor),
                Err(error) => {
                    tracing::warn!(channel = %channel.channel, %error, "a bank did not say what it keeps");
                }
            }
        }
        Ok(check)
    }

    /// Worker step: once a day is over, closes the accounts of institutions, the
    /// platform and channels, and holds each bank's statement against the books:
    /// the newest day first, then every day since the bank's first that was missed,
    /// however old. A bank that does not answer is asked again by the next step.
    /// Gives how many statements it compared.
    ///
    /// # Errors
    /// The database failed.
    pub async fn end_days(&self) -> Result<usize, Error> {
        let inner = self.inner();
        let newest = newest_closed(inner.env.now());
        let mut compared = 0_usize;
        for channel in inner.banks.channels().await? {
            for day in self.missing_days(channel.code, newest).await? {
                self.close_accounts(day).await?;
                match self.run_reconciliation(channel.code, day).await {
                    Ok(_) => compared = compared.saturating_add(1),
                    Err(Error::Banks(error)) => {
                        tracing::warn!(channel = %channel.code, %day, %error, "a statement cannot be had");
                        break;
                    }
                    Err(error) => return Err(error),
                }
            }
        }
        Ok(compared)
    }

    /// The days of a bank that were not compared, at most [`END_DAYS_MAX`]: the newest
    /// closed one first, since custody is judged by it, then the oldest.
    async fn missing_days(&self, channel: Channel, newest: Day) -> Result<Vec<Day>, Error> {
        let inner = self.inner();
        let compared = store::line::compared(&inner.db, channel).await?;
        let own = inner.own_permit(Scope::PaymentsRead);
        let first = match compared {
            Some(compared) => compared.first,
            None => {
                let began = inner.banks.first_day(&own, channel).await?;
                began.map_or(newest, |began| began.min(newest))
            }
        };
        let wanted = newest.days_since(first).saturating_add(1);
        if compared.is_some_and(|compared| compared.last >= newest && compared.days >= wanted) {
            return Ok(Vec::new());
        }
        let known: HashSet<Day> = store::line::compared_days(&inner.db, channel, first)
            .await?
            .into_iter()
            .collect();
        let oldest_first = (0..wanted.saturating_sub(1)).map(|days| first.plus_days(days));
        Ok(std::iter::once(newest)
            .chain(oldest_first)
            .filter(|day| !known.contains(day))
            .take(END_DAYS_MAX)
            .collect())
    }

    /// Fixes where each business account stood when a day ended.
    async fn close_accounts(&self, day: Day) -> Result<(), Error> {
        let mut after = None;
        loop {
            let ledger = &self.inner().ledger;
            let accounts = ledger.business_accounts(after, CLOSE_ACCOUNTS_PAGE).await?;
            let Some(last) = accounts.last() else {
                return Ok(());
            };
            after = Some(last.id);
            for account in &accounts {
                self.mark_at_end_of(account.id, day).await?;
            }
        }
    }
}

/// The newest day whose accounts can be closed.
fn newest_closed(now: Timestamp) -> Day {
    let closing = now.plus_secs(crate::CLOSE_AFTER_SECS.saturating_neg());
    closing.day().plus_days(-1)
}

async fn last_day(db: &Db, channel: Channel) -> Result<Option<DayCheck>, Error> {
    let Some(run) = store::line::last_run(db, channel).await? else {
        return Ok(None);
    };
    let cases_minor = store::case::sum_until(db, channel, run.day).await?;
    Ok(Some(DayCheck { run, cases_minor }))
}

/// The check as far as the books alone know it.
fn sums(totals: &[KindTotal], closed: Day) -> CustodyCheck {
    let mut check = CustodyCheck {
        currency: CURRENCY,
        closed,
        people_minor: 0,
        institutions_minor: 0,
        advances_minor: 0,
        fees_minor: 0,
        clearing_minor: 0,
        receivables_minor: 0,
        play_minor: 0,
        channels: Vec::new(),
    };
    let of_currency = totals
        .iter()
        .filter(|total| total.asset == Asset::Currency(CURRENCY));
    for total in of_currency {
        let sum = match (total.kind, &total.outside) {
            (AccountKind::Available, _) => &mut check.people_minor,
            (AccountKind::Settlement, _) => &mut check.institutions_minor,
            (AccountKind::Revenue, _) => &mut check.fees_minor,
            (AccountKind::Clearing, _) => &mut check.clearing_minor,
            (AccountKind::Advance, _) => &mut check.advances_minor,
            (AccountKind::Receivable, _) => &mut check.receivables_minor,
            (AccountKind::External, Some(owner)) => {
                match channel_of(owner) {
                    Some(channel) => check.channels.push(ChannelCustody {
                        channel,
                        books_minor: total.posted.saturating_neg(),
                        leaving_minor: total.pending_in,
                        coming_minor: 0,
                        bank_minor: None,
                        last_day: None,
                        open_cases: 0,
                    }),
                    None => {
                        let play = total.posted.saturating_neg();
                        check.play_minor = check.play_minor.saturating_add(play);
                    }
                }
                continue;
            }
            (
                AccountKind::External
                | AccountKind::Holding
                | AccountKind::Issuance
                | AccountKind::Income,
                _,
            ) => continue,
        };
        *sum = sum.saturating_add(total.posted);
    }
    check
}

/// The bank behind an external owner; none for play money.
fn channel_of(owner: &str) -> Option<Channel> {
    let channel: Channel = owner.strip_prefix("external:")?.parse().ok()?;
    Some(channel).filter(|channel| *channel != Channel::SANDBOX)
}
