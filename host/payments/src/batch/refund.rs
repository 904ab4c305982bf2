use qiao_ledger::{NewTransfer, Refusal as LedgerRefusal, TransferKind};
use qiao_model::{Money, Timestamp};

use super::Loaded;
use super::decide::accepted;
use crate::command::{NewRefund, Outcome};
use crate::event;
use crate::grant::Returned;
use crate::payment::{PaymentState, Refund};
use crate::refusal::{Invalid, Refusal};
use crate::rules::{self, Refundable};

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
        let parts = rules::refund_parts(of, new, now)?;
        let refunded = (record.payment.refunded)
            .plus(new.amount)
            .map_err(|_| Invalid::NotAddable)?;
        let is_whole = refunded == record.payment.captured;
        let moves = rules::refund_moves(&record.payment, &parts, is_whole);
        let reference = new.payment.to_string();
        let group = rules::transfers(new.id, "refund", &reference, moves, TransferKind::Posted);
        self.claw_back(&group)?;
        self.add_refund(new, parts, refunded, now)
    }

    fn add_refund(
        &mut self,
        new: &NewRefund,
        parts: Vec<i64>,
        refunded: Money,
        now: Timestamp,
    ) -> Result<Outcome, Refusal> {
        let refund = Refund {
            id: new.id,
            payment: new.payment,
            amount: new.amount,
            parts,
            reason: new.reason.clone(),
            created_at: now,
        };
        let payment = self.change_quietly(new.payment, now, |record| {
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
        self.refunds.insert(refund.id, refund.clone());
        Ok(Outcome::Refunded { payment, refund })
    }

    /// In a refund, what is missing is missing at a receiver.
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
