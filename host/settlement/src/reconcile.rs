use std::collections::{HashMap, HashSet};

use qiao_auth::Permit;
use qiao_banks::{BankTransfer, Direction, Statement, TransferState};
use qiao_db::attest::{Before, Fact};
use qiao_model::{BankTransferId, Channel, Currency, Day, Scope, Timestamp};
use qiao_payments::Party;

use crate::access;
use crate::attested::RUNS;
use crate::case::{Case, CaseKind, CaseState};
use crate::compare::{BankLine, BooksLine, Comparison, compare};
use crate::error::Error;
use crate::settlement::{PAGE_MAX, Settlement};
use crate::store;
use crate::store::line::StoredLine;

/// The one currency that custody banks keep.
pub(crate) const CURRENCY: Currency = Currency::CNY;

/// A day of a bank's statement held against the books.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reconciliation {
    /// Which bank.
    pub channel: Channel,
    /// Which day.
    pub day: Day,
    /// What the bank says that custody held when the day began.
    pub bank_opening: i64,
    /// What the bank says that custody held when the day ended.
    pub bank_closing: i64,
    /// What the books said when the day ended.
    pub books_closing: i64,
    /// What the bank booked that day and the books took in only after it.
    pub in_transit: i64,
    /// Lines of the bank's statement.
    pub lines: i64,
    /// Those that match.
    pub matched: i64,
    /// When it ran last.
    pub ran_at: Timestamp,
}

impl Settlement {
    /// Fetches a bank's statement of a day and holds it against the books. Run
    /// again, it opens no second case for a line, and closes those whose other
    /// half turned up. Scope `operate`.
    ///
    /// # Errors
    /// No permit for it, no such channel, the bank does not answer, or the
    /// database failed.
    pub async fn reconcile(
        &self,
        permit: &Permit,
        channel: Channel,
        day: Day,
    ) -> Result<Reconciliation, Error> {
        access::may_operate(permit)?;
        self.run_reconciliation(channel, day).await
    }

    /// Which days were reconciled, the newest first, at most a page. Scope `operate`.
    ///
    /// # Errors
    /// No permit for it, or the database failed.
    pub async fn reconciliations(&self, permit: &Permit) -> Result<Vec<Reconciliation>, Error> {
        access::may_operate(permit)?;
        Ok(store::line::runs(&self.inner().db, PAGE_MAX).await?)
    }

    pub(crate) async fn run_reconciliation(
        &self,
        channel: Channel,
        day: Day,
    ) -> Result<Reconciliation, Error> {
        let inner = self.inner();
        let permit = inner.own_permit(Scope::PaymentsRead);
        let statement = inner.banks.statement(&permit, channel, day).await?;
        let account = Party::Bank(channel).account(CURRENCY).id();
        let books = self.mark_at_end_of(account, day).await?;
        let of_day = self.booked(&permit, channel, day).await?;
        let lines = bank_lines(&statement);
        let known = self.known(&permit, &of_day, &lines).await?;
        let elsewhere = self.elsewhere(channel, day, &of_day).await?;
        let comparison = compare(&lines, &known, &elsewhere);
        let run = Reconciliation {
            channel,
            day,
            bank_opening: statement.opening_minor,
            bank_closing: statement.closing_minor,
            books_closing: books.balance().saturating_neg(),
            in_transit: in_transit(&of_day, day),
            lines: count(lines.len()),
            matched: count(comparison.matched),
            ran_at: inner.env.now(),
        };
        self.keep(&run, &statement, &comparison).await?;
        self.close_matched(&permit, channel).await?;
        Ok(run)
    }

    /// The transfers that the bank booked on the day, as the books know it.
    async fn booked(
        &self,
        permit: &Permit,
        channel: Channel,
        day: Day,
    ) -> Result<Vec<BankTransfer>, Error> {
        let banks = &self.inner().banks;
        let mut all: Vec<BankTransfer> = Vec::new();
        loop {
            let after = all.last().map(|transfer| transfer.id);
            let page = banks.booked(permit, channel, day, after).await?;
            if page.is_empty() {
                return Ok(all);
            }
            all.extend(page);
        }
    }

    /// The transfers of the day and those that a line names, as far as they are done.
    async fn known(
        &self,
        permit: &Permit,
        of_day: &[BankTransfer],
        lines: &[BankLine],
    ) -> Result<HashMap<String, BooksLine>, Error> {
        let mut known: HashMap<String, BooksLine> = of_day
            .iter()
            .map(|transfer| (transfer.id.to_string(), books_line(transfer, true)))
            .collect();
        for named in lines.iter().filter_map(|line| line.transfer.as_ref()) {
            if known.contains_key(named) {
                continue;
            }
            if let Some(transfer) = self.done(permit, named).await? {
                known.insert(named.clone(), books_line(&transfer, false));
            }
        }
        Ok(known)
    }

    /// The transfer of this id, if the books have it and it is done.
    async fn done(&self, permit: &Permit, id: &str) -> Result<Option<BankTransfer>, Error> {
        let Ok(id) = id.parse::<BankTransferId>() else {
            return Ok(None);
        };
        let found = self.inner().banks.transfer(permit, id).await?;
        Ok(found.filter(|transfer| transfer.standing.state == TransferState::Done))
    }

    /// Those of the day's transfers that are on another day's statement.
    async fn elsewhere(
        &self,
        channel: Channel,
        day: Day,
        of_day: &[BankTransfer],
    ) -> Result<HashSet<String>, Error> {
        let mut found = HashSet::new();
        for transfer in of_day {
            let id = transfer.id.to_string();
            let days = store::line::days_of(&self.inner().db, channel, &id).await?;
            if days.iter().any(|on| *on != day) {
                found.insert(id);
            }
        }
        Ok(found)
    }

    async fn keep(
        &self,
        run: &Reconciliation,
        statement: &Statement,
        comparison: &Comparison,
    ) -> Result<(), Error> {
        let inner = self.inner();
        let lines: Vec<StoredLine> = statement.lines.iter().map(stored_line).collect();
        let cases: Vec<Case> = comparison
            .differences
            .iter()
            .map(|difference| Case {
                id: inner.env.id(),
                channel: run.channel,
                day: run.day,
                kind: difference.kind,
                transfer: difference.transfer.clone(),
                bank_reference: difference.bank_reference.clone(),
                bank_minor: difference.bank_minor,
                books_minor: difference.books_minor,
                state: CaseState::Open,
                note: None,
                actor: None,
                opened_at: run.ran_at,
                changed_at: run.ran_at,
            })
            .collect();
        let names: Vec<String> = comparison
            .differences
            .iter()
            .map(super::compare::Difference::line)
            .collect();
        inner
            .db
            .write(|| async {
                let mut tx = inner.db.begin().await?;
                // First, so that two runs of one day follow each other.
                let (channel, day) = (run.channel.to_string(), run.day.to_string());
                let ran = Before::of(&mut tx, &RUNS, &[&channel, &day]).await?;
                store::line::keep_run(&mut tx, run).await?;
                let mut facts: Vec<Fact> = ran.fact(&mut tx).await?.into_iter().collect();
                store::line::replace(&mut tx, run, &lines, &mut facts).await?;
                for (id, kind, line) in store::case::open_of_day(&mut tx, run).await? {
                    let lasts = cases
                        .iter()
                        .zip(&names)
                        .any(|(case, name)| case.kind == kind && *name == line);
                    if !lasts {
                        facts.extend(store::case::matched(&mut tx, id, run.ran_at).await?);
                    }
                }
                for (case, line) in cases.iter().zip(&names) {
                    facts.extend(store::case::open(&mut tx, case, line).await?);
                }
                qiao_ledger::attest(&mut tx, facts, run.ran_at).await?;
                tx.commit().await?;
                Ok::<_, Error>(())
            })
            .await
    }

    /// Closes the open cases of other days whose other half is known by now.
    async fn close_matched(&self, permit: &Permit, channel: Channel) -> Result<(), Error> {
        let inner = self.inner();
        for case in store::case::open_of(&inner.db, channel, PAGE_MAX).await? {
            let has_match = match (case.kind, &case.transfer) {
                (CaseKind::MissingThere, Some(id)) => {
                    let days = store::line::days_of(&inner.db, channel, id).await?;
                    !days.is_empty()
                }
                (CaseKind::MissingHere, Some(id)) => self.turned_up(permit, &case, id).await?,
                (CaseKind::AmountDiffers, _) | (_, None) => false,
            };
            if has_match {
                let db = &inner.db;
                db.write(|| async {
                    let (mut tx, now) = (db.begin().await?, inner.env.now());
                    let fact = store::case::matched(&mut tx, case.id, now).await?;
                    qiao_ledger::attest(&mut tx, fact, now).await?;
                    tx.commit().await?;
                    Ok::<_, Error>(())
                })
                .await?;
            }
        }
        Ok(())
    }

    /// Whether a transfer that was missing here is done by now, with the bank's
    /// amount and as this line and no other.
    async fn turned_up(&self, permit: &Permit, case: &Case, id: &str) -> Result<bool, Error> {
        let Some(transfer) = self.done(permit, id).await? else {
            return Ok(false);
        };
        let line = books_line(&transfer, false);
        let is_same_line = line.bank_reference == case.bank_reference;
        Ok(is_same_line && Some(line.change_minor) == case.bank_minor)
    }
}

fn bank_lines(statement: &Statement) -> Vec<BankLine> {
    let lines = statement.lines.iter().map(|line| BankLine {
        bank_reference: line.bank_reference.clone(),
        transfer: line.id.clone(),
        change_minor: change(line.direction, line.amount.minor),
    });
    lines.collect()
}

fn stored_line(line: &qiao_banks::StatementLine) -> StoredLine {
    StoredLine {
        bank_reference: line.bank_reference.clone(),
        transfer: line.id.clone(),
        change_minor: change(line.direction, line.amount.minor),
        booked_at: line.booked_at,
    }
}

fn books_line(transfer: &BankTransfer, is_of_day: bool) -> BooksLine {
    BooksLine {
        bank_reference: transfer.standing.bank_reference.clone(),
        change_minor: change_of(transfer),
        is_of_day,
    }
}

/// What a transfer does to custody.
fn change_of(transfer: &BankTransfer) -> i64 {
    change(transfer.purpose.direction(), transfer.route.amount.minor)
}

fn change(direction: Direction, minor: i64) -> i64 {
    match direction {
        Direction::In => minor,
        Direction::Out => minor.saturating_neg(),
    }
}

/// What the bank booked on the day and the books took in after it had ended.
fn in_transit(of_day: &[BankTransfer], day: Day) -> i64 {
    let end = day.plus_days(1).start();
    let later = of_day.iter().filter(|t| t.standing.changed_at >= end);
    later.fold(0, |sum: i64, t| sum.saturating_add(change_of(t)))
}

fn count(lines: usize) -> i64 {
    i64::try_from(lines).unwrap_or(i64::MAX)
}
