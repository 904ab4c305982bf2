//! Whose money the bank keeps, what moved, and what the custody account holds.

use std::collections::BTreeMap;

use jiff::civil::Date;

use crate::account::{Account, CURRENCY, Customer};
use crate::clock::day_of;
use crate::payment::{Booking, Direction, NewPayment, Payment, PaymentState, Pending};
use crate::statement::{Statement, StatementLine};

/// The most that one payment may move, in fen.
pub const PAYMENT_MINOR_MAX: i64 = 1_000_000_000;

/// The longest id of a payment.
pub const PAYMENT_ID_CHARS_MAX: usize = 64;

/// Why a payment is refused before it is in the books.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Refusal {
    Malformed(&'static str),
    UnknownAccount,
    IdReused,
}

/// A payment, and whether this call brought it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Paid {
    pub(crate) payment: Payment,
    pub(crate) is_new: bool,
}

/// The bank's books.
#[derive(Debug, Default)]
pub(crate) struct Books {
    passwords: BTreeMap<String, String>,
    accounts: BTreeMap<String, Account>,
    payments: BTreeMap<String, Payment>,
    custody_opening_minor: i64,
    custody_minor: i64,
    references: u64,
}

impl Books {
    pub(crate) fn new(custody_opening_minor: i64) -> Self {
        Self {
            custody_opening_minor,
            custody_minor: custody_opening_minor,
            ..Self::default()
        }
    }

    /// Opens an account for a customer; who is known already gets one more.
    /// An account whose number is known already stays as it is.
    pub(crate) fn add_customer(&mut self, customer: &Customer) -> Account {
        self.passwords
            .insert(customer.name.clone(), customer.password.clone());
        if let Some(known) = self.by_number(&customer.account.number) {
            return known.clone();
        }
        let account = Account {
            id: format!("acc_{:04}", self.accounts.len() + 1),
            number: customer.account.number.clone(),
            customer: customer.name.clone(),
            balance_minor: customer.account.balance_minor,
            closed: false,
            is_debitable: customer.account.is_debitable,
        };
        self.accounts.insert(account.id.clone(), account.clone());
        account
    }

    /// Whether a customer of this name has this password.
    pub(crate) fn log_in(&self, name: &str, password: &str) -> bool {
        self.passwords
            .get(name)
            .is_some_and(|kept| kept == password)
    }

    pub(crate) fn accounts_of(&self, customer: &str) -> Vec<Account> {
        let mine = self.accounts.values().filter(|a| a.customer == customer);
        mine.cloned().collect()
    }

    pub(crate) fn account(&self, id: &str) -> Option<&Account> {
        self.accounts.get(id)
    }

    pub(crate) fn by_number(&self, number: &str) -> Option<&Account> {
        self.accounts.values().find(|a| a.number == number)
    }

    /// Closes an account or opens it again; `false` when there is none.
    pub(crate) fn set_closed(&mut self, number: &str, closed: bool) -> bool {
        let mut accounts = self.accounts.values_mut();
        let account = accounts.find(|account| account.number == number);
        account.map(|account| account.closed = closed).is_some()
    }

    /// The account that a payment names by id or by number.
    pub(crate) fn named_by(&self, new: &NewPayment) -> Option<&Account> {
        match (&new.account, &new.account_number) {
            (Some(id), None) => self.account(id),
            (None, Some(number)) => self.by_number(number),
            (Some(_), Some(_)) | (None, None) => None,
        }
    }

    /// Takes a payment on, or says where the one of the same id stands.
    pub(crate) fn pay(
        &mut self,
        id: &str,
        new: NewPayment,
        booking: Booking,
        now_ms: i64,
    ) -> Result<Paid, Refusal> {
        if let Some(earlier) = self.payments.get_mut(id) {
            if earlier.asked != new {
                return Err(Refusal::IdReused);
            }
            if let Some(pending) = &mut earlier.pending {
                pending.hidden = false;
            }
            return Ok(Paid {
                payment: earlier.clone(),
                is_new: false,
            });
        }
        check(id, &new)?;
        let account = self
            .named_by(&new)
            .ok_or(Refusal::UnknownAccount)?
            .id
            .clone();
        self.references += 1;
        let mut payment = Payment {
            id: id.to_owned(),
            bank_reference: format!("SB{:010}", self.references),
            direction: new.direction,
            account,
            amount_minor: new.amount_minor,
            reference: new.reference.clone(),
            state: PaymentState::Accepted,
            reason: None,
            booked_at: None,
            requested_at: new.requested_at.unwrap_or(now_ms),
            asked: new,
            pending: None,
        };
        match booking {
            Booking::AtOnce => self.book(&mut payment, 0),
            Booking::Rejected { reason } => reject(&mut payment, &reason),
            Booking::Later { delay_ms, hidden } => {
                payment.pending = Some(Pending {
                    delay_ms,
                    due_at: now_ms.saturating_add(delay_ms),
                    hidden,
                });
            }
        }
        self.payments.insert(id.to_owned(), payment.clone());
        Ok(Paid {
            payment,
            is_new: true,
        })
    }

    /// Books what is due, and answers with it.
    pub(crate) fn settle(&mut self, now_ms: i64) -> Vec<Payment> {
        let is_due = |payment: &&Payment| payment.pending.is_some_and(|p| p.due_at <= now_ms);
        let due: Vec<Payment> = self.payments.values().filter(is_due).cloned().collect();
        let mut settled = Vec::with_capacity(due.len());
        for mut payment in due {
            let delay_ms = payment.pending.take().map_or(0, |pending| pending.delay_ms);
            self.book(&mut payment, delay_ms);
            self.payments.insert(payment.id.clone(), payment.clone());
            settled.push(payment);
        }
        settled
    }

    /// A payment that a query may see.
    pub(crate) fn find(&self, id: &str) -> Option<&Payment> {
        let seen = |payment: &&Payment| !payment.pending.is_some_and(|p| p.hidden);
        self.payments.get(id).filter(seen)
    }

    /// Every payment, by id.
    pub(crate) fn payments(&self) -> Vec<Payment> {
        self.payments.values().cloned().collect()
    }

    /// What the custody account holds.
    pub(crate) fn custody_minor(&self) -> i64 {
        self.custody_minor
    }

    /// What moved on the custody account on a day, in the order of booking.
    pub(crate) fn statement(&self, day: Date) -> Statement {
        let mut statement = Statement::opened(day, self.custody_opening_minor);
        let mut lines = Vec::new();
        for payment in self.payments.values() {
            let Some(booked_at) = payment.booked_at else {
                continue;
            };
            let change = payment.direction.custody_change(payment.amount_minor);
            let booked_on = day_of(booked_at);
            if booked_on < day {
                statement.opening_minor += change;
            }
            if booked_on <= day {
                statement.closing_minor += change;
            }
            if booked_on == day {
                lines.push(StatementLine::of(payment, booked_at));
            }
        }
        lines.sort_by(|a, b| {
            (a.booked_at, &a.bank_reference).cmp(&(b.booked_at, &b.bank_reference))
        });
        statement.lines = lines;
        statement
    }

    /// Moves the money, or rejects with the reason why it cannot move.
    fn book(&mut self, payment: &mut Payment, delay_ms: i64) {
        let Some(account) = self.accounts.get_mut(&payment.account) else {
            return reject(payment, "account_closed");
        };
        if account.closed {
            return reject(payment, "account_closed");
        }
        let change = payment.direction.custody_change(payment.amount_minor);
        let short = match payment.direction {
            Direction::Debit => account.balance_minor < payment.amount_minor,
            Direction::Credit => self.custody_minor < payment.amount_minor,
        };
        if short {
            return reject(payment, "insufficient_funds");
        }
        account.balance_minor -= change;
        self.custody_minor += change;
        payment.state = PaymentState::Done;
        payment.booked_at = Some(payment.requested_at.saturating_add(delay_ms));
    }
}

fn reject(payment: &mut Payment, reason: &str) {
    payment.state = PaymentState::Rejected;
    payment.reason = Some(reason.to_owned());
}

fn check(id: &str, new: &NewPayment) -> Result<(), Refusal> {
    if id.is_empty() || id.chars().count() > PAYMENT_ID_CHARS_MAX {
        return Err(Refusal::Malformed("the id has 1 to 64 characters"));
    }
    if !(1..=PAYMENT_MINOR_MAX).contains(&new.amount_minor) {
        return Err(Refusal::Malformed("the amount is 1 to 1,000,000,000 fen"));
    }
    if new.currency != CURRENCY {
        return Err(Refusal::Malformed("the bank keeps CNY alone"));
    }
    Ok(())
}
