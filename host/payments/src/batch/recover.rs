use qiao_model::Timestamp;

use super::Loaded;
use crate::command::{Outcome, Recovery};
use crate::party::Party;
use crate::refusal::Refusal;
use crate::rules::recovery;

impl Loaded {
    /// Takes off the debt what the purse has; the debt is below zero by its size.
    pub(super) fn recover(
        &mut self,
        command: &Recovery,
        now: Timestamp,
    ) -> Result<Outcome, Refusal> {
        if let Some(record) = self.payments.get(&command.payment) {
            let stored = &record.payment;
            return if recovery::is_same(stored, command) {
                Ok(Outcome::Payment(stored.clone()))
            } else {
                Err(Refusal::PaymentConflict(command.payment))
            };
        }
        let balance = |party: Party| {
            let account = party.account(command.currency).id();
            self.ledger.balance(account).unwrap_or_default()
        };
        let debt = balance(Party::Receivable(command.institution));
        let free = balance(command.payer()).available();
        let minor = debt.posted.saturating_neg().min(free);
        if minor < 1 {
            return Err(Refusal::NothingToRecover(command.institution));
        }
        self.move_new(recovery::recovered(command, minor, now))
    }
}
