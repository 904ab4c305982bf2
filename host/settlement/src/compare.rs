//! Holds a day of a bank's statement against the bank transfers. No IO.

use std::collections::{HashMap, HashSet};

use crate::case::CaseKind;

/// A line of the bank's statement.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct BankLine {
    pub(crate) bank_reference: String,
    /// The platform's id, where the bank names one.
    pub(crate) transfer: Option<String>,
    /// What it does to custody.
    pub(crate) change_minor: i64,
}

/// A bank transfer that is done on the books.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct BooksLine {
    pub(crate) bank_reference: Option<String>,
    pub(crate) change_minor: i64,
    /// Whether its bank booked it on the day that is compared.
    pub(crate) is_of_day: bool,
}

/// One difference.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Difference {
    pub(crate) kind: CaseKind,
    pub(crate) transfer: Option<String>,
    pub(crate) bank_reference: Option<String>,
    pub(crate) bank_minor: Option<i64>,
    pub(crate) books_minor: Option<i64>,
}

impl Difference {
    /// What makes it one of its kind at its bank: the line that has no match.
    pub(crate) fn line(&self) -> String {
        let bank_line = self.bank_reference.as_ref();
        let of_books = || self.transfer.clone().unwrap_or_default();
        match self.kind {
            CaseKind::MissingHere | CaseKind::AmountDiffers => {
                bank_line.cloned().unwrap_or_else(of_books)
            }
            CaseKind::MissingThere => of_books(),
        }
    }
}

/// What came of a comparison.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Comparison {
    pub(crate) matched: usize,
    pub(crate) differences: Vec<Difference>,
}

/// Compares the lines of a day with the transfers that are done, by the
/// platform's id: those of the day, and those that a line names. A transfer of
/// the day whose line is on another day's statement is not missing.
pub(crate) fn compare(
    bank: &[BankLine],
    books: &HashMap<String, BooksLine>,
    elsewhere: &HashSet<String>,
) -> Comparison {
    let mut comparison = Comparison::default();
    let mut seen: HashSet<&str> = HashSet::new();
    for line in bank {
        let named = line.transfer.as_deref().unwrap_or_default();
        // A second line of one transfer is money that the books do not know.
        let found = books.get(named).filter(|_| !seen.contains(named));
        let kind = match found {
            None => CaseKind::MissingHere,
            Some(known) => {
                seen.insert(named);
                if known.change_minor == line.change_minor {
                    comparison.matched = comparison.matched.saturating_add(1);
                    continue;
                }
                CaseKind::AmountDiffers
            }
        };
        comparison.differences.push(Difference {
            kind,
            transfer: line.transfer.clone(),
            bank_reference: Some(line.bank_reference.clone()),
            bank_minor: Some(line.change_minor),
            books_minor: found.map(|known| known.change_minor),
        });
    }
    let mut missing: Vec<(&String, &BooksLine)> = books
        .iter()
        .filter(|(id, known)| {
            known.is_of_day && !seen.contains(id.as_str()) && !elsewhere.contains(*id)
        })
        .collect();
    missing.sort_by_key(|(id, _)| *id);
    comparison
        .differences
        .extend(missing.into_iter().map(|(id, known)| Difference {
            kind: CaseKind::MissingThere,
            transfer: Some(id.clone()),
            bank_reference: known.bank_reference.clone(),
            bank_minor: None,
            books_minor: Some(known.change_minor),
        }));
    comparison
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bank(reference: &str, transfer: &str, change_minor: i64) -> BankLine {
        BankLine {
            bank_reference: reference.to_owned(),
            transfer: Some(transfer.to_owned()).filter(|id| !id.is_empty()),
            change_minor,
        }
    }

    fn books(lines: &[(&str, i64, bool)]) -> HashMap<String, BooksLine> {
        let line = |(id, change_minor, is_of_day): &(&str, i64, bool)| {
            let line = BooksLine {
                bank_reference: None,
                change_minor: *change_minor,
                is_of_day: *is_of_day,
            };
            ((*id).to_owned(), line)
        };
        lines.iter().map(line).collect()
    }

    fn check(
        bank: &[BankLine],
        books: &HashMap<String, BooksLine>,
        matched: usize,
        expected: &[(CaseKind, &str)],
    ) {
        let comparison = compare(bank, books, &HashSet::new());
        let found: Vec<(CaseKind, String)> = comparison
            .differences
            .iter()
            .map(|difference| (difference.kind, difference.line()))
            .collect();
        let expected: Vec<(CaseKind, String)> = expected
            .iter()
            .map(|(kind, line)| (*kind, (*line).to_owned()))
            .collect();
        assert_eq!((comparison.matched, found), (matched, expected));
    }

    #[test]
    fn lines_that_say_the_same_match() {
        let lines = [bank("SB1", "btr_1", 500), bank("SB2", "btr_2", -200)];
        let known = books(&[("btr_1", 500, true), ("btr_2", -200, true)]);
        check(&lines, &known, 2, &[]);
    }

    #[test]
    fn each_difference_has_its_kind() {
        let lines = [
            bank("SB1", "btr_1", 501),
            bank("SB2", "btr_2", 7),
            bank("SB3", "", 9),
        ];
        let known = books(&[("btr_1", 500, true), ("btr_3", 300, true)]);
        let expected = [
            (CaseKind::AmountDiffers, "SB1"),
            (CaseKind::MissingHere, "SB2"),
            (CaseKind::MissingHere, "SB3"),
            (CaseKind::MissingThere, "btr_3"),
        ];
        check(&lines, &known, 0, &expected);
    }

    #[test]
    fn a_second_line_of_one_transfer_is_missing_here() {
        let lines = [bank("SB1", "btr_1", 500), bank("SB2", "btr_1", 500)];
        let known = books(&[("btr_1", 500, true)]);
        check(&lines, &known, 1, &[(CaseKind::MissingHere, "SB2")]);
    }

    #[test]
    fn the_wrong_direction_is_another_amount() {
        let lines = [bank("SB1", "btr_1", -500)];
        let known = books(&[("btr_1", 500, true)]);
        check(&lines, &known, 0, &[(CaseKind::AmountDiffers, "SB1")]);
    }

    #[test]
    fn a_transfer_of_another_day_matches_and_is_not_missed() {
        let known = books(&[("btr_1", 500, false), ("btr_2", 9, false)]);
        check(&[bank("SB1", "btr_1", 500)], &known, 1, &[]);
        let of_day = books(&[("btr_3", 5, true)]);
        let elsewhere = HashSet::from(["btr_3".to_owned()]);
        let comparison = compare(&[], &of_day, &elsewhere);
        assert_eq!(comparison, Comparison::default());
    }
}
