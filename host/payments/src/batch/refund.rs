use qiao_ledger::{NewTransfer, Refusal as LedgerRefusal, TransferKind};
use qiao_model::{Money, Timestamp};

use super::Loaded;
use super::decide::accepted;
use crate::command::{NewRefund, Outcome};
use crate::event;
use crate::grant::Returned;
use crate::payment::{PaymentState, Refund};
use crate::refusal::{Invalid, Refusal};
use crate::rules;
use crate::rules::refund::Refundable;

impl Loaded {
    pub(super) fn refund(&mut self, new: &NewRefund, now: Timestamp) -> Result<Outcome, Refusal> {
        if let Some(stored) = self.refunds.get(&new.id) {
            let is_same = stored.payment == new.payment
                && stored.amount == new.amount
                && stored.reason == new.reason;
            if !is_same {
                return Err(Refusal::RefundConflict(new.id));
            }
            return Ok(Outcome::Refunded {
                payment: self.record(new.payment)?.payment.clone(),
                refund: stored.clone(),
            });
        }
        let record = self.record(new.payment)?;
        let of = Refundable {
            payment: &record.payment,
            returned: &record.returned,
            refunds: record.refunds,
        };
        let parts = rules::refund::parts(of, new, now)?;
        let owed = rules::refund::shortfalls(&record.payment, &parts, |account| {
            self.ledger.balance(account).map_or(0, |b| b.available())
        })?;
        let refunded = (record.payment.refunded)
            .plus(new.amount)
            .map_err(|_| Invalid::NotAddable)?;
        let is_whole = refunded == record.payment.captured;
        let moves = rules::refund::moves(&record.payment, &parts, &owed, is_whole);
        let reference = new.payment.to_string();
        let group = rules::transfers(new.id, "refund", &reference, moves, TransferKind::Posted);
        self.claw_back(&group)?;
        let refund = Refund {
            id: new.id,
            payment: new.payment,
            amount: new.amount,
            parts,
            owed,
            reason: new.reason.clone(),
            created_at: now,
        };
        self.add_refund(refund, refunded, now)
    }

    fn add_refund(
        &mut self,
        refund: Refund,
        refunded: Money,
        now: Timestamp,
    ) -> Result<Outcome, Refusal> {
        let payment = self.change_quietly(refund.payment, now, |record| {
            for (returned, part) in record.returned.iter_mut().zip(&refund.parts) {
                *returned = returned.saturating_add(*part);
            }
            record.refunds = record.refunds.saturating_add(1);
            record.payment.refunded = refunded;
            record.payment.state = if refunded == record.payment.captured {
                PaymentState::Refunded
            } else {
                PaymentState::PartlyRefunded
            };
        })?;
        self.give_back(&payment, refund.amount.minor, Returned::Refunded);
        self.changes.new_refunds.push(refund.id);
        self.changes
            .events
            .push(event::of_refund(&payment, &refund));
        let debtor = rules::refund::debtor(&payment).filter(|_| refund.receivable().minor > 0);
        let debt = debtor.map(|debtor| event::of_receivable(debtor, &refund));
        self.changes.events.extend(debt);
        self.refunds.insert(refund.id, refund.clone());
        Ok(Outcome::Refunded { payment, refund })
    }

    /// Money was found or became a debt before; units that are missing are
    /// missing at their receiver.
    fn claw_back(&mut self, group: &[NewTransfer]) -> Result<(), Refusal> {
        match self.ledger.decide(group) {
            Err(LedgerRefusal::InsufficientFunds { account, .. }) => {
                let (available, requested) = self.shortage(group, account);
                Err(Refusal::ReceiverShort {
                    account,
                    requested,
                    available_minor: available.minor,
                })
            }
            verdict => accepted(group, verdict),
        }
    }
}
