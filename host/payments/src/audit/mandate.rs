//! What was taken by each mandate against what it says was taken and what it allows.

use qiao_db::Tx;
use qiao_ledger::audit::{AuditError, Report, Sorter, bytes_at};
use qiao_model::{Currency, Day, MandateId, PaymentId, Timestamp};

use super::outbox::Outbox;
use super::told;
use crate::mandate::Mandate;
use crate::method::Method;
use crate::party::Party;
use crate::payment::{Payment, PaymentState};
use crate::store::audit as store;

const MANDATE: &str = "mandate";

/// A mandate, what it is, a day, three ids, six numbers, a currency.
const PART: usize = 16 + 1 + 8 + 3 * 16 + 6 * 8 + 3;
const GRANT: u8 = 0;
const PAYEE: u8 = 1;
const PAYMENT: u8 = 2;

/// No limit.
const NONE: i64 = -1;

/// What was taken so shortly before midnight may have been counted for the next
/// day, by a host whose clock is ahead.
const CLOCK_SECS: i64 = 60;

/// The payments by mandate, while they go by.
#[derive(Debug, Default)]
pub(super) struct Spending(Sorter<PART>);

impl Spending {
    /// Takes a payment: what is held or was taken and not given back is used; a
    /// hold that ended without a capture is not.
    pub(super) fn take(&mut self, payment: &Payment) -> Result<(), AuditError> {
        let Method::Mandate(mandate) = payment.method else {
            return Ok(());
        };
        let (count, used) = match payment.state {
            PaymentState::Voided => (0, 0),
            PaymentState::Held => (1, payment.amount.minor),
            PaymentState::Posted | PaymentState::PartlyRefunded | PaymentState::Refunded => {
                let captured = payment.captured.minor;
                (1, captured.saturating_sub(payment.refunded.minor))
            }
        };
        let payer = match payment.payer {
            Party::User(user) => user.as_u128(),
            _ => 0,
        };
        let payee = payment.institution.map_or(0, qiao_model::Id::as_u128);
        let at = payment.created_at;
        let part = Part {
            mandate,
            tag: PAYMENT,
            day: at.day().start().as_millis(),
            ids: [payment.id.as_u128(), payer, payee],
            numbers: [count, used, payment.amount.minor, at.as_millis(), 0, 0],
            currency: currency(payment.amount.currency),
        };
        Ok(self.0.push(part.record())?)
    }

    /// Checks that every mandate says what its payments make, and that none of
    /// them is more than it allows.
    pub(super) async fn check(
        mut self,
        tx: &mut Tx,
        outbox: &mut Outbox,
        report: &mut Report,
    ) -> Result<(), AuditError> {
        store::mandates(tx, |id, mandate| {
            report.row();
            match mandate {
                Ok(mandate) => {
                    told::mandate(&mandate, outbox)?;
                    self.grant(&mandate)
                }
                Err(problem) => {
                    report.add(MANDATE, id, problem.to_string());
                    Ok(())
                }
            }
        })
        .await?;
        let mut used: Option<Used> = None;
        for record in self.0.sorted()? {
            let part = Part::of_record(&record?);
            if let Some(done) = used.take_if(|used| used.mandate != part.mandate) {
                done.finish(report);
            }
            let used = used.get_or_insert_with(|| Used::of(part.mandate));
            used.take(part, report);
        }
        if let Some(done) = used {
            done.finish(report);
        }
        Ok(())
    }

    fn grant(&mut self, mandate: &Mandate) -> Result<(), AuditError> {
        let limits = &mandate.grant.limits;
        let usage = &mandate.grant.usage;
        let empty = Part {
            mandate: mandate.id,
            tag: PAYEE,
            day: 0,
            ids: [0; 3],
            numbers: [0; 6],
            currency: currency(limits.currency),
        };
        let grant = Part {
            tag: GRANT,
            day: limits.expires_at.as_millis(),
            ids: [mandate.user.as_u128(), 0, 0],
            numbers: [
                usage.count.into(),
                usage.minor,
                limits.per_payment,
                limits.per_day.unwrap_or(NONE),
                limits.per_month.unwrap_or(NONE),
                limits.count.map_or(NONE, i64::from),
            ],
            ..empty
        };
        self.0.push(grant.record())?;
        for payee in &limits.payees {
            let ids = [payee.as_u128(), 0, 0];
            self.0.push(Part { ids, ..empty }.record())?;
        }
        Ok(())
    }
}

fn currency(currency: Currency) -> [u8; 3] {
    currency.code().as_bytes().try_into().unwrap_or_default()
}

/// A mandate, while its payments go by, the oldest first.
struct Used {
    mandate: MandateId,
    grant: Option<Part>,
    payees: Vec<u128>,
    count: i64,
    minor: i64,
    day: Option<(Day, i64)>,
    month_minor: i64,
}

impl Used {
    const fn of(mandate: MandateId) -> Self {
        Self {
            mandate,
            grant: None,
            payees: Vec::new(),
            count: 0,
            minor: 0,
            day: None,
            month_minor: 0,
        }
    }

    fn take(&mut self, part: Part, report: &mut Report) {
        match part.tag {
            GRANT => self.grant = Some(part),
            PAYEE => self.payees.push(part.ids[0]),
            _ => {
                let [count, minor, ..] = part.numbers;
                self.count = self.count.saturating_add(count);
                self.minor = self.minor.saturating_add(minor);
                if let Some(grant) = self.grant {
                    self.check(&grant, &part, report);
                }
            }
        }
    }

    /// One payment against what the mandate allows.
    fn check(&mut self, grant: &Part, part: &Part, report: &mut Report) {
        let [payment, payer, payee] = part.ids;
        let (payment, mandate) = (PaymentId::from_u128(payment), self.mandate);
        let mut wrong = |problem: String| {
            report.add(MANDATE, mandate, format!("{payment} {problem}"));
        };
        let [_, _, per_payment, per_day, per_month, _] = grant.numbers;
        let [_, used, amount, at, ..] = part.numbers;
        if part.currency != grant.currency {
            wrong("is in a currency that it does not allow".to_owned());
        }
        if amount > per_payment {
            wrong(format!("took {amount}, it allows {per_payment} at once"));
        }
        if payer != grant.ids[0] {
            wrong("was not paid by its giver".to_owned());
        }
        if !self.payees.contains(&payee) {
            wrong("was paid to nobody whom it names".to_owned());
        }
        if at >= grant.day {
            wrong("was made after its end".to_owned());
        }
        let at = Timestamp::from_millis(at);
        if at.plus_secs(CLOCK_SECS).day() != at.day() {
            return;
        }
        let [day_minor, month_minor] = self.spend(at.day(), used);
        for (limit, sum, window) in [
            (per_day, day_minor, "day"),
            (per_month, month_minor, "month"),
        ] {
            if limit != NONE && sum > limit {
                wrong(format!(
                    "makes {sum} in its {window}, the mandate allows {limit}"
                ));
            }
        }
    }

    /// What is spent in the day's and the month's windows with this.
    fn spend(&mut self, day: Day, minor: i64) -> [i64; 2] {
        let month = |day: Day| (day.parts().0, day.parts().1);
        let (is_same_day, is_same_month) = self.day.map_or((false, false), |(last, _)| {
            (last == day, month(last) == month(day))
        });
        let before = self
            .day
            .filter(|_| is_same_day)
            .map_or(0, |(_, minor)| minor);
        let of_day = before.saturating_add(minor);
        self.day = Some((day, of_day));
        let before = if is_same_month { self.month_minor } else { 0 };
        self.month_minor = before.saturating_add(minor);
        [of_day, self.month_minor]
    }

    fn finish(self, report: &mut Report) {
        let Some(grant) = self.grant else {
            let problem = "is not there, though payments were made by it";
            report.add(MANDATE, self.mandate, problem);
            return;
        };
        let [count, minor, _, _, _, most] = grant.numbers;
        if (count, minor) != (self.count, self.minor) {
            let problem = format!(
                "says {count} payments of {minor}, there are {} of {}",
                self.count, self.minor
            );
            report.add(MANDATE, self.mandate, problem);
        }
        if most != NONE && self.count > most {
            let problem = format!("allows {most} payments, there are {}", self.count);
            report.add(MANDATE, self.mandate, problem);
        }
    }
}

#[derive(Clone, Copy)]
struct Part {
    mandate: MandateId,
    tag: u8,
    /// Of a payment its day, of a mandate its end.
    day: i64,
    ids: [u128; 3],
    numbers: [i64; 6],
    currency: [u8; 3],
}

impl Part {
    fn record(&self) -> [u8; PART] {
        let mut record = [0; PART];
        record[..16].copy_from_slice(&self.mandate.as_u128().to_be_bytes());
        record[16] = self.tag;
        record[17..25].copy_from_slice(&self.day.to_be_bytes());
        for (bytes, id) in record[25..73].chunks_exact_mut(16).zip(self.ids) {
            bytes.copy_from_slice(&id.to_be_bytes());
        }
        for (bytes, number) in record[73..121].chunks_exact_mut(8).zip(self.numbers) {
            bytes.copy_from_slice(&number.to_be_bytes());
        }
        record[121..].copy_from_slice(&self.currency);
        record
    }

    fn of_record(record: &[u8; PART]) -> Self {
        Self {
            mandate: MandateId::from_u128(u128::from_be_bytes(bytes_at(record, 0))),
            tag: record[16],
            day: i64::from_be_bytes(bytes_at(record, 17)),
            ids: [25, 41, 57].map(|at| u128::from_be_bytes(bytes_at(record, at))),
            numbers: [73, 81, 89, 97, 105, 113].map(|at| i64::from_be_bytes(bytes_at(record, at))),
            currency: bytes_at(record, 121),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_part_survives_its_bytes() {
        let part = Part {
            mandate: MandateId::from_u128(7),
            tag: PAYMENT,
            day: 8,
            ids: [1, u128::MAX, 3],
            numbers: [1, -2, i64::MAX, i64::MIN, 5, 6],
            currency: *b"CNY",
        };
        assert_eq!(Part::of_record(&part.record()).record(), part.record());
    }

    #[test]
    fn what_is_spent_is_counted_by_day_and_by_month() {
        let mut used = Used::of(MandateId::from_u128(1));
        let day = |day| Day::new(2026, 11, day).unwrap();
        assert_eq!(used.spend(day(1), 5), [5, 5]);
        assert_eq!(used.spend(day(1), 6), [11, 11]);
        assert_eq!(used.spend(day(30), 1), [1, 12]);
        assert_eq!(used.spend(day(30).plus_days(1), 2), [2, 2]);
    }
}
