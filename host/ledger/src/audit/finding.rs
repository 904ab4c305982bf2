use std::collections::HashSet;
use std::fmt;
use std::io;

use qiao_model::Timestamp;

/// Findings that a report lists at most; the rest is counted.
pub const FINDINGS_MAX: usize = 10_000;

/// Something that is wrong with a row.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// The table.
    pub table: String,
    /// The row's id, as it is stored.
    pub row: String,
    /// What is wrong with it.
    pub problem: String,
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}: {}", self.table, self.row, self.problem)
    }
}

/// What an audit looked at and found.
#[derive(Debug)]
pub struct Report {
    now: Timestamp,
    findings: Vec<Finding>,
    unlisted: u64,
    /// Rows looked at, of every table.
    pub rows: u64,
    /// Entries of the journal.
    pub entries: u64,
}

impl Report {
    /// An audit at this time: what is older than its table keeps may be gone.
    #[must_use]
    pub const fn of(now: Timestamp) -> Self {
        Self {
            now,
            findings: Vec::new(),
            unlisted: 0,
            rows: 0,
            entries: 0,
        }
    }

    /// When the audit began, or the newest entry if that is later: a sandbox's
    /// clock can be moved forward.
    #[must_use]
    pub const fn now(&self) -> Timestamp {
        self.now
    }

    /// Adds a finding.
    pub fn add(&mut self, table: &str, row: impl fmt::Display, problem: impl Into<String>) {
        if self.findings.len() >= FINDINGS_MAX {
            self.unlisted = self.unlisted.saturating_add(1);
            return;
        }
        self.findings.push(Finding {
            table: table.to_owned(),
            row: row.to_string(),
            problem: problem.into(),
        });
    }

    /// What is wrong, in the order in which it was found.
    #[must_use]
    pub fn findings(&self) -> &[Finding] {
        &self.findings
    }

    /// The rows of a table in which something was found.
    pub(super) fn rows_of(&self, table: &str) -> HashSet<String> {
        let of_table = self.findings.iter().filter(|found| found.table == table);
        of_table.map(|found| found.row.clone()).collect()
    }

    /// Calls a row by another name in what was found.
    pub(super) fn rename(&mut self, table: &str, row: &str, name: &str) {
        for finding in &mut self.findings {
            if finding.table == table && finding.row == row {
                name.clone_into(&mut finding.row);
            }
        }
    }

    /// How many findings there are beside the listed ones.
    #[must_use]
    pub const fn unlisted(&self) -> u64 {
        self.unlisted
    }

    /// How many findings there are in all.
    #[must_use]
    pub fn findings_count(&self) -> u64 {
        let listed = u64::try_from(self.findings.len()).unwrap_or(u64::MAX);
        listed.saturating_add(self.unlisted)
    }

    /// Whether nothing is wrong.
    #[must_use]
    pub fn is_clean(&self) -> bool {
        self.findings.is_empty()
    }

    /// Counts an entry of the journal.
    pub(super) fn entry(&mut self, at: Timestamp) {
        self.entries = self.entries.saturating_add(1);
        self.now = self.now.max(at);
    }

    /// Counts a row that was looked at.
    pub fn row(&mut self) {
        self.rows = self.rows.saturating_add(1);
    }
}

/// Why an audit could not be finished.
#[derive(Debug, thiserror::Error)]
pub enum AuditError {
    /// The database failed.
    #[error("the database cannot be read")]
    Storage(#[from] qiao_db::Error),
    /// The temporary files failed.
    #[error("the audit has no room for its temporary files")]
    Files(#[from] io::Error),
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_finding_that_fits_is_listed_and_the_next_is_counted() {
        let mut report = Report::of(Timestamp::from_millis(0));
        for row in 0..FINDINGS_MAX {
            report.add("payment", row, "changed");
        }
        assert_eq!(
            (report.findings().len(), report.unlisted()),
            (FINDINGS_MAX, 0)
        );
        report.add("payment", "one more", "changed");
        assert_eq!(
            (report.findings().len(), report.unlisted()),
            (FINDINGS_MAX, 1)
        );
        assert_eq!(report.findings()[0].to_string(), "payment 0: changed");
        assert!(!report.is_clean());
    }
}
