use qiao_auth::Permit;
use qiao_db::Db;
use qiao_ledger::{AccountKind, KindTotal, Ledger};
use qiao_model::{Asset, Channel, Currency, Day, Scope};

use crate::access;
use crate::error::Error;
use crate::reconcile::{CURRENCY, Reconciliation};
use crate::settlement::Settlement;
use crate::store;

/// Days that one worker step ends at most.
const END_DAYS_MAX: i64 = 31;
/// Accounts that are closed with one look at the books.
const CLOSE_ACCOUNTS_PAGE: usize = 500;

/// Whose money there is, and where it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CustodyCheck {
    /// In which currency.
    pub currency: Currency,
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
    /// What it says itself; none when it does not answer.
    pub bank_minor: Option<i64>,
    /// How its last closed day ended; none before the first.
    pub last_day: Option<DayCheck>,
}

/// How a day ended at a bank.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DayCheck {
    /// The comparison.
    pub run: Reconciliation,
    /// The sum of the cases that are open or written off, up to that day.
    pub cases_minor: i64,
}

impl DayCheck {
    /// What neither money in transit nor a case explains: nothing, when the day holds.
    #[must_use]
    pub fn unexplained_minor(&self) -> i64 {
        let difference = self.run.bank_closing.saturating_sub(self.run.books_closing);
        difference
            .saturating_sub(self.run.in_transit)
            .saturating_sub(self.cases_minor)
    }
}

impl CustodyCheck {
    /// The check as the database alone knows it: no bank is asked. For the
    /// operator's shell, which needs no running host.
    ///
    /// # Errors
    /// The database failed.
    pub async fn read(db: &Db) -> Result<Self, Error> {
        let mut check = sums(&Ledger::new(db.clone()).kind_totals().await?);
        for channel in &mut check.channels {
            channel.last_day = last_day(db, channel.channel).await?;
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
    /// themselves, and each bank's last day is explained to the fen.
    #[must_use]
    pub fn holds(&self) -> bool {
        let kept = self.custody_minor().saturating_sub(self.receivables_minor);
        let is_explained = |channel: &ChannelCustody| {
            let day = channel.last_day.as_ref();
            day.is_none_or(|day| day.unexplained_minor() == 0)
        };
        self.owed_minor() == kept && self.play_minor == 0 && self.channels.iter().all(is_explained)
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
        let inner = self.inner();
        let mut check = CustodyCheck::read(&inner.db).await?;
        for channel in &mut check.channels {
            let own = inner.own_permit(Scope::PaymentsRead);
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
    /// platform and channels, and holds each bank's statement against the books.
    /// A bank that does not answer is asked again by the next step. Gives how
    /// many statements it compared.
    ///
    /// # Errors
    /// The database failed.
    pub async fn end_days(&self) -> Result<usize, Error> {
        let inner = self.inner();
        let now = inner.env.now();
        let closed = now
            .plus_secs(crate::CLOSE_AFTER_SECS.saturating_neg())
            .day();
        let yesterday = closed.plus_days(-1);
        let mut compared = 0_usize;
        for channel in inner.banks.channels().await? {
            let last = store::line::last_run(&inner.db, channel.code).await?;
            let first = last.map_or(yesterday, |run| run.day.plus_days(1));
            let mut day = first.max(yesterday.plus_days(END_DAYS_MAX.saturating_neg()));
            while day <= yesterday {
                self.close_accounts(day).await?;
                match self.run_reconciliation(channel.code, day).await {
                    Ok(_) => compared = compared.saturating_add(1),
                    Err(Error::Banks(error)) => {
                        tracing::warn!(channel = %channel.code, %day, %error, "a statement cannot be had");
                        break;
                    }
                    Err(error) => return Err(error),
                }
                day = day.plus_days(1);
            }
        }
        Ok(compared)
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

async fn last_day(db: &Db, channel: Channel) -> Result<Option<DayCheck>, Error> {
    let Some(run) = store::line::last_run(db, channel).await? else {
        return Ok(None);
    };
    let cases_minor = store::case::sum_until(db, channel, run.day).await?;
    Ok(Some(DayCheck { run, cases_minor }))
}

/// The check as far as the books alone know it.
fn sums(totals: &[KindTotal]) -> CustodyCheck {
    let mut check = CustodyCheck {
        currency: CURRENCY,
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
                        bank_minor: None,
                        last_day: None,
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
