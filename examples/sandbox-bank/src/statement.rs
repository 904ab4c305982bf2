use jiff::civil::Date;
use serde::{Deserialize, Serialize};

use crate::account::CURRENCY;
use crate::payment::{Direction, Payment};

/// One day of the custody account.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(crate) struct Statement {
    pub(crate) day: Date,
    pub(crate) currency: &'static str,
    pub(crate) opening_minor: i64,
    pub(crate) closing_minor: i64,
    pub(crate) lines: Vec<StatementLine>,
}

/// One movement, its direction as the customer sees it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct StatementLine {
    /// The bank's own number.
    pub bank_reference: String,
    /// The platform's id.
    pub id: String,
    /// Which way the money goes.
    pub direction: Direction,
    /// How much, in fen.
    pub amount_minor: i64,
    /// Always CNY.
    pub currency: String,
    /// When it was booked.
    pub booked_at: i64,
    /// What the platform wrote on it.
    #[serde(default)]
    pub reference: String,
}

impl StatementLine {
    pub(crate) fn of(payment: &Payment, booked_at: i64) -> Self {
        Self {
            bank_reference: payment.bank_reference.clone(),
            id: payment.id.clone(),
            direction: payment.direction,
            amount_minor: payment.amount_minor,
            currency: CURRENCY.to_owned(),
            booked_at,
            reference: payment.reference.clone(),
        }
    }
}

impl Statement {
    /// A day without movements yet.
    pub(crate) fn opened(day: Date, opening_minor: i64) -> Self {
        Self {
            day,
            currency: CURRENCY,
            opening_minor,
            closing_minor: opening_minor,
            lines: Vec::new(),
        }
    }

    /// Misprints the lines; the balances stay true.
    pub(crate) fn misprint(&mut self, misprint: &Misprint) {
        match misprint {
            Misprint::Drop(reference) => self.lines.retain(|l| l.bank_reference != *reference),
            Misprint::Add(line) => self.lines.push(line.clone()),
            Misprint::Alter {
                bank_reference,
                amount_minor,
            } => {
                let altered = self.lines.iter_mut();
                for line in altered.filter(|line| line.bank_reference == *bank_reference) {
                    line.amount_minor = *amount_minor;
                }
            }
        }
    }
}

/// An error that a statement is printed with on purpose.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Misprint {
    /// The line with this bank reference is missing.
    Drop(String),
    /// A line shows another amount.
    Alter {
        /// The line's bank reference.
        bank_reference: String,
        /// What it shows, in fen.
        amount_minor: i64,
    },
    /// A line that never happened.
    Add(StatementLine),
}
