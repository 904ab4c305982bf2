//! A statement as CSV (RFC 4180), safe to open with a spreadsheet.

use std::borrow::Cow;
use std::io;

use ::csv::{Terminator, WriterBuilder};
use qiao_model::{Day, Money};

use crate::error::Error;
use crate::statement::{Line, Statement};

/// A cell that begins with one of these is a formula to a spreadsheet.
const FORMULA_STARTS: [char; 6] = ['=', '+', '-', '@', '\t', '\r'];

const HEADER: [&str; 11] = [
    "at",
    "kind",
    "purpose",
    "payment",
    "order",
    "gross",
    "fees",
    "change",
    "balance",
    "currency",
    "description",
];

impl Statement {
    /// The statement as CSV: a header, the opening balance, the lines, the
    /// closing balance. Text that a spreadsheet would run begins with `'`.
    ///
    /// # Errors
    /// The writer failed.
    pub fn csv(&self) -> Result<Vec<u8>, Error> {
        let mut writer = WriterBuilder::new()
            .terminator(Terminator::CRLF)
            .from_writer(Vec::new());
        writer.write_record(HEADER).map_err(Error::Csv)?;
        let opening = self.balance_row("opening", self.period.from(), self.opening_minor);
        writer.write_record(&opening).map_err(Error::Csv)?;
        for line in &self.lines {
            writer.write_record(self.row(line)).map_err(Error::Csv)?;
        }
        let closing = self.balance_row("closing", self.period.to(), self.closing_minor);
        writer.write_record(&closing).map_err(Error::Csv)?;
        writer
            .into_inner()
            .map_err(|error| Error::Csv(io::Error::other(error.to_string()).into()))
    }

    fn row(&self, line: &Line) -> [String; 11] {
        let money = |minor: i64| Money::new(minor, self.currency).decimal();
        let option = |minor: Option<i64>| minor.map(money).unwrap_or_default();
        [
            line.at.local(),
            line.kind.name().to_owned(),
            cell(&line.purpose).into_owned(),
            line.payment.map(|id| id.to_string()).unwrap_or_default(),
            line.order.map(|id| id.to_string()).unwrap_or_default(),
            option(line.gross_minor),
            option(line.fees_minor),
            money(line.change_minor),
            money(line.balance_minor),
            self.currency.code().to_owned(),
            cell(&line.description).into_owned(),
        ]
    }

    fn balance_row(&self, name: &str, day: Day, minor: i64) -> [String; 11] {
        let mut row: [String; 11] = Default::default();
        row[0] = day.to_string();
        name.clone_into(&mut row[1]);
        row[8] = Money::new(minor, self.currency).decimal();
        self.currency.code().clone_into(&mut row[9]);
        row
    }
}

/// Text that no spreadsheet runs.
fn cell(text: &str) -> Cow<'_, str> {
    if text.starts_with(FORMULA_STARTS) {
        Cow::Owned(format!("'{text}"))
    } else {
        Cow::Borrowed(text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_that_a_spreadsheet_would_run_is_quoted() {
        for text in ["=1+1", "+1", "-1", "@sum(a1)", "\t=1", "\r=1"] {
            assert_eq!(cell(text), format!("'{text}"));
        }
        for text in ["", "tickets", "1=1", "'=1"] {
            assert_eq!(cell(text), text);
        }
    }
}
