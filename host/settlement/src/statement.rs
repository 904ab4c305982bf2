use qiao_auth::Permit;
use qiao_model::{Currency, Day, OrderId, PaymentId, Timestamp, TransferId};
use qiao_payments::{Party, Payment, Split, StatementLine, StatementOf};

use crate::error::Error;
use crate::mark::Mark;
use crate::settlement::{PAGE_MAX, Settlement};

/// Days of one statement at most: a leap year.
pub const PERIOD_DAYS_MAX: i64 = 366;
/// The purpose of what is no fee.
const PRINCIPAL: &str = "principal";
/// Lines of one whole statement at most; a page has at most [`PAGE_MAX`].
pub const STATEMENT_LINES_MAX: usize = 50_000;

/// Days from the first to the last, both of them counted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Period {
    from: Day,
    to: Day,
}

impl Period {
    /// The days from one to another.
    ///
    /// # Errors
    /// It ends before it begins, or is longer than [`PERIOD_DAYS_MAX`].
    pub fn new(from: Day, to: Day) -> Result<Self, Error> {
        let is_ordered = from <= to;
        if is_ordered && to < from.plus_days(PERIOD_DAYS_MAX) {
            Ok(Self { from, to })
        } else {
            Err(Error::Period(PERIOD_DAYS_MAX))
        }
    }

    /// The first day.
    #[must_use]
    pub const fn from(self) -> Day {
        self.from
    }

    /// The last day.
    #[must_use]
    pub const fn to(self) -> Day {
        self.to
    }
}

/// What a line is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LineKind {
    /// A part of a payment.
    Payment,
    /// A part of what a payment gave back.
    Refund,
    /// What left for a bank account.
    Payout,
}

impl LineKind {
    /// The wire name.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Payment => "payment",
            Self::Refund => "refund",
            Self::Payout => "payout",
        }
    }

    fn of_purpose(purpose: &str) -> Self {
        match purpose.split('/').next() {
            Some("refund") => Self::Refund,
            Some("payout" | "advance-return") => Self::Payout,
            _ => Self::Payment,
        }
    }
}

/// A posted movement of a receiver's account.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Line {
    /// The transfer in the books.
    pub transfer: TransferId,
    /// When.
    pub at: Timestamp,
    /// What it is.
    pub kind: LineKind,
    /// `principal`, or the code of a fee line.
    pub purpose: String,
    /// The payment that it is a part of.
    pub payment: Option<PaymentId>,
    /// The order that the payment paid.
    pub order: Option<OrderId>,
    /// What the payer paid in all.
    pub gross_minor: Option<i64>,
    /// What of it went to fees, whoever got them.
    pub fees_minor: Option<i64>,
    /// What it did to the balance.
    pub change_minor: i64,
    /// The balance after it.
    pub balance_minor: i64,
    /// What people read about it.
    pub description: String,
}

/// A receiver's account over a period.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Statement {
    /// Whose account.
    pub of: Party,
    /// In which currency.
    pub currency: Currency,
    /// Over which days.
    pub period: Period,
    /// The balance when the first day began.
    pub opening_minor: i64,
    /// Everything that came in.
    pub credited_minor: i64,
    /// Everything that went out.
    pub debited_minor: i64,
    /// The balance when the last day ended, or now while it lasts.
    pub closing_minor: i64,
    /// The lines: of a page the newest first, of a whole statement the oldest first.
    pub lines: Vec<Line>,
    /// Where the next page begins; none when this is the last.
    pub next: Option<TransferId>,
}

/// A period of an account's chain: after the one mark, up to the other.
struct Stretch {
    of: Party,
    currency: Currency,
    opening: Mark,
    closing: Mark,
}

impl Settlement {
    /// A page of a receiver's statement, the newest line first: from the end of
    /// the period, or from where the page before said that the next begins.
    ///
    /// # Errors
    /// The permit is not the receiver's, or the database failed.
    pub async fn statement(
        &self,
        permit: &Permit,
        (of, currency): (Party, Currency),
        period: Period,
        from: Option<TransferId>,
    ) -> Result<Statement, Error> {
        let stretch = self.stretch(permit, (of, currency), period).await?;
        let mut statement = stretch.statement(period);
        let start = from.or(stretch.closing.transfer);
        let (lines, next) = self.lines(permit, &stretch, start, PAGE_MAX).await?;
        statement.lines = lines;
        statement.next = next;
        Ok(statement)
    }

    /// A receiver's whole statement, the oldest line first.
    ///
    /// # Errors
    /// The permit is not the receiver's, it has more than
    /// [`STATEMENT_LINES_MAX`] lines, or the database failed.
    ///
    /// # Panics
    /// Opening balance and lines do not sum to the closing balance: the books
    /// are broken.
    pub async fn whole_statement(
        &self,
        permit: &Permit,
        (of, currency): (Party, Currency),
        period: Period,
    ) -> Result<Statement, Error> {
        let stretch = self.stretch(permit, (of, currency), period).await?;
        let mut statement = stretch.statement(period);
        let mut start = stretch.closing.transfer;
        while start.is_some() {
            let (lines, next) = self.lines(permit, &stretch, start, PAGE_MAX).await?;
            statement.lines.extend(lines);
            start = next;
            if statement.lines.len() > STATEMENT_LINES_MAX {
                return Err(Error::TooLong(STATEMENT_LINES_MAX));
            }
        }
        statement.lines.reverse();
        statement.assert_sums();
        Ok(statement)
    }

    async fn stretch(
        &self,
        permit: &Permit,
        (of, currency): (Party, Currency),
        period: Period,
    ) -> Result<Stretch, Error> {
        // Asks the books' room whether the caller may: a page of nothing.
        let may = StatementOf::Party(of, currency);
        self.inner()
            .payments
            .statement(permit, may, None, 1)
            .await?;
        let account = of.account(currency).id();
        Ok(Stretch {
            of,
            currency,
            closing: self.mark_at_end_of(account, period.to).await?,
            opening: self
                .mark_at_end_of(account, period.from.plus_days(-1))
                .await?,
        })
    }

    /// Lines from a transfer back to the opening mark, at most so many, and
    /// where the next page begins.
    async fn lines(
        &self,
        permit: &Permit,
        stretch: &Stretch,
        start: Option<TransferId>,
        limit: usize,
    ) -> Result<(Vec<Line>, Option<TransferId>), Error> {
        let of = StatementOf::Party(stretch.of, stretch.currency);
        let Some(start) = start.filter(|_| stretch.closing != stretch.opening) else {
            return Ok((Vec::new(), None));
        };
        let payments = &self.inner().payments;
        let page = payments.statement(permit, of, Some(start), limit).await?;
        let mut next = page.next;
        let mut lines = Vec::with_capacity(page.lines.len());
        for line in page.lines {
            if Some(line.transfer.id) == stretch.opening.transfer {
                next = None;
                break;
            }
            if line.change != 0 {
                lines.push(Line::of(line));
            }
        }
        let next = next.filter(|next| Some(*next) != stretch.opening.transfer);
        Ok((lines, next))
    }
}

impl Stretch {
    fn statement(&self, period: Period) -> Statement {
        let (opening, closing) = (self.opening, self.closing);
        Statement {
            of: self.of,
            currency: self.currency,
            period,
            opening_minor: opening.balance(),
            credited_minor: closing.credits.saturating_sub(opening.credits),
            debited_minor: closing.debits.saturating_sub(opening.debits),
            closing_minor: closing.balance(),
            lines: Vec::new(),
            next: None,
        }
    }
}

impl Statement {
    fn assert_sums(&self) {
        let mut balance = self.opening_minor;
        for line in &self.lines {
            balance = balance.saturating_add(line.change_minor);
            assert_eq!(
                balance, line.balance_minor,
                "{} at {}",
                self.of, line.transfer
            );
        }
        assert_eq!(balance, self.closing_minor, "the statement of {}", self.of);
        let moved = self.credited_minor.saturating_sub(self.debited_minor);
        let closing = self.opening_minor.saturating_add(moved);
        assert_eq!(closing, self.closing_minor, "the sums of {}", self.of);
    }
}

impl Line {
    fn of(line: StatementLine) -> Self {
        let payment = line.payment;
        let fees = payment.as_ref().and_then(fees_of);
        Self {
            transfer: line.transfer.id,
            at: line.transfer.at,
            kind: LineKind::of_purpose(&line.transfer.purpose),
            purpose: line.transfer.purpose,
            payment: payment.as_ref().map(|payment| payment.id),
            order: payment.as_ref().and_then(|payment| payment.order),
            gross_minor: payment.as_ref().map(|payment| payment.amount.minor),
            fees_minor: fees,
            change_minor: line.change,
            balance_minor: line.balance,
            description: payment.map_or_else(String::new, |payment| payment.description),
        }
    }
}

/// What of a payment is no principal; none when it is no purchase at all.
fn fees_of(payment: &Payment) -> Option<i64> {
    let (principal, fees): (Vec<&Split>, Vec<&Split>) = payment
        .splits
        .iter()
        .partition(|split| split.purpose == PRINCIPAL);
    let sum = fees.iter().map(|split| split.amount.minor);
    let sum = sum.fold(0, i64::saturating_add);
    (!principal.is_empty()).then_some(sum)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_period_has_a_leap_year_at_most() {
        let first: Day = "2026-01-01".parse().unwrap();
        assert!(Period::new(first, first).is_ok());
        assert!(Period::new(first, first.plus_days(-1)).is_err());
        assert!(Period::new(first, first.plus_days(PERIOD_DAYS_MAX - 1)).is_ok());
        assert!(Period::new(first, first.plus_days(PERIOD_DAYS_MAX)).is_err());
    }

    #[test]
    fn a_purpose_says_what_a_line_is() {
        assert_eq!(LineKind::of_purpose("principal"), LineKind::Payment);
        assert_eq!(LineKind::of_purpose("refund/principal"), LineKind::Refund);
        assert_eq!(LineKind::of_purpose("payout"), LineKind::Payout);
    }
}
