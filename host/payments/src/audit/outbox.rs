//! One row of the outbox for each change, and none for what never happened.

use std::fmt::Display;

use qiao_db::Tx;
use qiao_db::attest::IdForm;
use qiao_events::{EVENTS_KEPT_DAYS, each_event};
use qiao_ledger::audit::{AuditError, Report, Sorter, bytes_at};
use qiao_model::{EventId, Timestamp};

const EVENT: &str = "event";

/// An event, whether the outbox has it, its kind, whether it must be there, its subject.
const PART: usize = 16 + 1 + 1 + 1 + 16;
const EXPECTED: u8 = 0;
const STORED: u8 = 1;

/// A kind of event, and whose changes it tells of.
#[derive(Clone, Copy, Debug)]
pub struct EventKind {
    /// The stored name: a noun, a point, what happened.
    pub name: &'static str,
    /// The table of its subjects.
    pub table: &'static str,
    /// How it names its subject.
    pub subject: IdForm,
}

impl EventKind {
    fn noun(name: &str) -> &str {
        name.split_once('.').map_or(name, |(noun, _)| noun)
    }
}

/// The events of some kinds against the changes that the stored rows say there
/// were. An event's id follows from what changed and how, so a change that was
/// told twice has an event that follows from nothing.
#[derive(Debug)]
pub struct Outbox {
    kinds: &'static [EventKind],
    /// What was told before may be forgotten.
    since: Timestamp,
    parts: Sorter<PART>,
}

impl Outbox {
    /// An outbox whose events of these kinds, and of others with the same nouns,
    /// are all expected by somebody.
    #[must_use]
    pub fn new(kinds: &'static [EventKind], report: &Report) -> Self {
        let kept_secs = EVENTS_KEPT_DAYS.saturating_mul(86_400);
        Self {
            kinds,
            since: report.now().plus_secs(kept_secs.saturating_neg()),
            parts: Sorter::default(),
        }
    }

    /// A change that was told at this time: unless that is too long ago, its event
    /// is there.
    ///
    /// # Errors
    /// The temporary files cannot be written.
    pub fn told(
        &mut self,
        event: EventId,
        (kind, subject): (&'static str, u128),
        at: Timestamp,
    ) -> Result<(), AuditError> {
        let must = at >= self.since;
        self.expect(event, (kind, subject), must)
    }

    /// A change that there may have been.
    ///
    /// # Errors
    /// The temporary files cannot be written.
    pub fn perhaps(
        &mut self,
        event: EventId,
        (kind, subject): (&'static str, u128),
    ) -> Result<(), AuditError> {
        self.expect(event, (kind, subject), false)
    }

    fn expect(
        &mut self,
        event: EventId,
        (kind, subject): (&'static str, u128),
        must: bool,
    ) -> Result<(), AuditError> {
        let Some(kind) = self.kind_of(kind) else {
            return Ok(());
        };
        let part = Part {
            event: event.as_u128(),
            tag: EXPECTED,
            kind,
            must,
            subject,
        };
        Ok(self.parts.push(part.record())?)
    }

    fn kind_of(&self, name: &str) -> Option<u8> {
        let at = self.kinds.iter().position(|kind| kind.name == name)?;
        u8::try_from(at).ok()
    }

    fn is_of_these(&self, name: &str) -> bool {
        let noun = EventKind::noun(name);
        let mut kinds = self.kinds.iter();
        kinds.any(|kind| EventKind::noun(kind.name) == noun)
    }

    /// Reads the outbox, and says which changes were not told and which events
    /// tell of no change.
    ///
    /// # Errors
    /// The database or the temporary files failed.
    pub async fn check(mut self, tx: &mut Tx, report: &mut Report) -> Result<(), AuditError> {
        each_event(tx, |stored| {
            let event = match stored {
                Ok(event) => event,
                Err((id, problem)) => {
                    report.add(EVENT, id, problem.to_string());
                    return Ok(());
                }
            };
            if !self.is_of_these(&event.kind) {
                return Ok(());
            }
            let Some(kind) = self.kind_of(&event.kind) else {
                let problem = format!("is of the kind `{}`, which nothing makes", event.kind);
                report.add(EVENT, event.id, problem);
                return Ok(());
            };
            let form = self.kinds[usize::from(kind)].subject;
            let Some(subject) = form.read(&event.subject) else {
                report.add(EVENT, event.id, "its subject is not readable");
                return Ok(());
            };
            let part = Part {
                event: event.id.as_u128(),
                tag: STORED,
                kind,
                must: false,
                subject,
            };
            Ok::<_, AuditError>(self.parts.push(part.record())?)
        })
        .await?;
        let kinds = self.kinds;
        let mut expected: Option<Part> = None;
        for record in self.parts.sorted()? {
            let part = Part::of_record(&record?);
            if part.tag == EXPECTED {
                missing(kinds, expected.replace(part), report);
                continue;
            }
            match expected.take_if(|expected| expected.event == part.event) {
                Some(told) if (told.kind, told.subject) == (part.kind, part.subject) => {}
                Some(told) => {
                    let problem = format!("is not the `{}` that it must be", told.tells(kinds));
                    report.add(EVENT, EventId::from_u128(part.event), problem);
                }
                None => {
                    let problem =
                        format!("tells of no change that there was: {}", part.tells(kinds));
                    report.add(EVENT, EventId::from_u128(part.event), problem);
                }
            }
        }
        missing(kinds, expected, report);
        Ok(())
    }
}

fn missing(kinds: &[EventKind], expected: Option<Part>, report: &mut Report) {
    let Some(expected) = expected.filter(|expected| expected.must) else {
        return;
    };
    let kind = &kinds[usize::from(expected.kind)];
    let event = EventId::from_u128(expected.event);
    let problem = format!("its event `{}`, {event}, is not in the outbox", kind.name);
    report.add(kind.table, kind.subject.write(expected.subject), problem);
}

#[derive(Clone, Copy)]
struct Part {
    event: u128,
    tag: u8,
    kind: u8,
    must: bool,
    subject: u128,
}

impl Part {
    fn record(&self) -> [u8; PART] {
        let mut record = [0; PART];
        record[..16].copy_from_slice(&self.event.to_be_bytes());
        record[16] = self.tag;
        record[17] = self.kind;
        record[18] = u8::from(self.must);
        record[19..].copy_from_slice(&self.subject.to_be_bytes());
        record
    }

    fn of_record(record: &[u8; PART]) -> Self {
        let id = |at| u128::from_be_bytes(bytes_at(record, at));
        Self {
            event: id(0),
            tag: record[16],
            kind: record[17],
            must: record[18] == 1,
            subject: id(19),
        }
    }

    fn tells(&self, kinds: &[EventKind]) -> impl Display + use<> {
        let kind = &kinds[usize::from(self.kind)];
        format!("{} of {}", kind.name, kind.subject.write(self.subject))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_part_survives_its_bytes() {
        let part = Part {
            event: 1,
            tag: STORED,
            kind: 7,
            must: true,
            subject: u128::MAX,
        };
        assert_eq!(Part::of_record(&part.record()).record(), part.record());
    }
}
