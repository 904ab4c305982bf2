use super::Loaded;
use crate::command::{Credit, Credited, Outcome};
use crate::event;
use crate::refusal::Refusal;
use crate::rules;

impl Loaded {
    pub(super) fn credit(&mut self, credit: &Credit) -> Result<Outcome, Refusal> {
        rules::check_credit(credit)?;
        let mut credited = Credited::default();
        let mut group = Vec::with_capacity(credit.lines.len());
        let lines = credit.lines.iter().filter(|line| line.minor > 0);
        for (line, transfer) in lines.zip(rules::credit_transfers(credit)) {
            if self.ledger.has(transfer.id) {
                credited.existing = credited.existing.saturating_add(1);
                continue;
            }
            credited.holders = credited.holders.saturating_add(1);
            credited.minor = credited.minor.saturating_add(line.minor);
            group.push(transfer);
        }
        if let Some(first) = group.first() {
            let event = event::of_credit(credit, &credited, first.id);
            self.ledger_decide(&group)?;
            self.changes.events.push(event);
        }
        Ok(Outcome::Credited(credited))
    }
}
