use qiao_ledger::{NewTransfer, Refusal as LedgerRefusal, TransferKind, Verdict};
use qiao_model::{Amount, LedgerAccountId, Money, PaymentId, ProductId, Timestamp};

use super::{Loaded, Record, StoredAnswer};
use crate::answer::{Answer, Snapshot};
use crate::command::{Command, Keyed, Outcome, TopUp};
use crate::event;
use crate::grant::Returned;
use crate::payment::{NewPayment, Payment, PaymentState, VoidReason};
use crate::refusal::Refusal;
use crate::rules;

impl Loaded {
    pub(super) fn decide(&mut self, keyed: &Keyed, now: Timestamp) -> Result<Outcome, Refusal> {
        let Some(key) = &keyed.idempotency else {
            return self.command(&keyed.command, now);
        };
        if let Some(stored) = self.keys.get(&key.digest()) {
            if stored.request_hash != key.request_hash() {
                return Err(Refusal::KeyReused);
            }
            return self.replay(&stored.answer);
        }
        let outcome = self.command(&keyed.command, now);
        if let Some(answer) = Answer::to_keep(&outcome) {
            let stored = StoredAnswer {
                request_hash: key.request_hash(),
                answer,
            };
            self.keys.insert(key.digest(), stored);
            self.changes.new_keys.push(key.digest());
        }
        outcome
    }

    fn command(&mut self, command: &Command, now: Timestamp) -> Result<Outcome, Refusal> {
        match command {
            Command::TopUp(top_up) => self.top_up(top_up, now),
            Command::Hold(new) => self.make(new, None, PaymentState::Held, now),
            Command::Pay(new) => self.make(new, None, PaymentState::Posted, now),
            Command::Charge(charge) => self.charge(charge, now),
            Command::Post { payment, amount } => self.post(*payment, *amount, now),
            Command::Void { payment } => self.void(*payment, VoidReason::Released, now),
            Command::Expire { payment } => self.void(*payment, VoidReason::Expired, now),
            Command::Refund(new) => self.refund(new, now),
            Command::Credit(credit) => self.credit(credit),
            Command::Recover(recovery) => self.recover(recovery, now),
        }
    }

    /// The answer as it was given, whatever became of the payment since.
    fn replay(&self, answer: &Answer) -> Result<Outcome, Refusal> {
        match answer {
            Answer::Payment(snapshot) => Ok(Outcome::Payment(self.as_of(snapshot)?)),
            Answer::Refunded(refund, snapshot) => {
                let found = self.refunds.get(refund);
                let refund = found.ok_or(Refusal::UnknownPayment(snapshot.payment))?;
                Ok(Outcome::Refunded {
                    payment: self.as_of(snapshot)?,
                    refund: refund.clone(),
                })
            }
            Answer::Credited(credited) => Ok(Outcome::Credited(*credited)),
            Answer::Refused(refusal) => Err(refusal.clone()),
        }
    }

    fn as_of(&self, snapshot: &Snapshot) -> Result<Payment, Refusal> {
        let record = self.record(snapshot.payment)?;
        let currency = record.payment.amount.currency;
        Ok(Payment {
            state: snapshot.state,
            void_reason: snapshot.void_reason,
            captured: Money::new(snapshot.captured_minor, currency),
            refunded: Money::new(snapshot.refunded_minor, currency),
            changed_at: snapshot.changed_at,
            ..record.payment.clone()
        })
    }

    pub(super) fn record(&self, payment: PaymentId) -> Result<&Record, Refusal> {
        let found = self.payments.get(&payment);
        found.ok_or(Refusal::UnknownPayment(payment))
    }

    fn top_up(&mut self, command: &TopUp, now: Timestamp) -> Result<Outcome, Refusal> {
        let payment = rules::top_up(command, now);
        if let Some(record) = self.payments.get(&command.payment) {
            let stored = &record.payment;
            let is_same = stored.institution.is_none()
                && stored.payer == payment.payer
                && stored.splits == payment.splits;
            return if is_same {
                Ok(Outcome::Payment(stored.clone()))
            } else {
                Err(Refusal::PaymentConflict(command.payment))
            };
        }
        rules::check_top_up(command)?;
        self.move_new(payment)
    }

    /// Makes a new payment; one whose method is a mandate consumes it.
    pub(super) fn make(
        &mut self,
        new: &NewPayment,
        product: Option<ProductId>,
        state: PaymentState,
        now: Timestamp,
    ) -> Result<Outcome, Refusal> {
        if let Some(record) = self.payments.get(&new.id) {
            return if rules::is_same_payment(&record.payment, new) {
                Ok(Outcome::Payment(record.payment.clone()))
            } else {
                Err(Refusal::PaymentConflict(new.id))
            };
        }
        rules::check_payment(new)?;
        rules::check_expiry(new, now)?;
        let consumed = self.consume(new, product, now)?;
        let made = self.move_new(rules::payment(new, state, now));
        if let Some(consumed) = consumed {
            self.settle(consumed, &made, now);
        }
        made
    }

    /// Moves or holds what a new payment says, and adds it.
    pub(super) fn move_new(&mut self, payment: Payment) -> Result<Outcome, Refusal> {
        let (label, kind) = match payment.state {
            PaymentState::Held => (rules::HOLD, TransferKind::Pending),
            PaymentState::Posted
            | PaymentState::Voided
            | PaymentState::PartlyRefunded
            | PaymentState::Refunded => ("pay", TransferKind::Posted),
        };
        let reference = payment.id.to_string();
        let moves = rules::moves_of(&payment);
        let group = rules::transfers(payment.id, label, &reference, moves, kind);
        self.ledger_decide(&group)?;
        self.changes.new_payments.push(payment.id);
        self.changes.events.push(event::of_payment(&payment));
        let record = Record {
            returned: vec![0; payment.splits.len()],
            refunds: 0,
            payment: payment.clone(),
        };
        self.payments.insert(payment.id, record);
        Ok(Outcome::Payment(payment))
    }

    /// Gives a part or all of what is held to the receivers and releases the rest.
    fn post(
        &mut self,
        id: PaymentId,
        amount: Option<Money>,
        now: Timestamp,
    ) -> Result<Outcome, Refusal> {
        let payment = &self.record(id)?.payment;
        let captured = amount.unwrap_or(payment.amount);
        match payment.state {
            PaymentState::Held => {}
            PaymentState::Posted | PaymentState::PartlyRefunded | PaymentState::Refunded
                if payment.captured == captured =>
            {
                return Ok(Outcome::Payment(payment.clone()));
            }
            PaymentState::Voided if payment.void_reason == Some(VoidReason::Expired) => {
                return Err(Refusal::HoldExpired(id));
            }
            state => return Err(Refusal::WrongState { payment: id, state }),
        }
        rules::check_capture(payment, captured)?;
        let group = rules::capture(payment, captured);
        self.ledger_decide(&group)?;
        let payment = self.change(id, now, |record| {
            record.payment.state = PaymentState::Posted;
            record.payment.captured = captured;
        })?;
        let rest = payment.amount.minor.saturating_sub(captured.minor);
        self.give_back(&payment, rest, Returned::Refunded);
        Ok(Outcome::Payment(payment))
    }

    /// Releases what is held, as its institution says or since its time ran out.
    fn void(
        &mut self,
        id: PaymentId,
        reason: VoidReason,
        now: Timestamp,
    ) -> Result<Outcome, Refusal> {
        let payment = &self.record(id)?.payment;
        match payment.state {
            PaymentState::Held => {}
            PaymentState::Voided => return Ok(Outcome::Payment(payment.clone())),
            PaymentState::Posted | PaymentState::PartlyRefunded | PaymentState::Refunded => {
                return Err(Refusal::WrongState {
                    payment: id,
                    state: payment.state,
                });
            }
        }
        let is_due = payment.expires_at.is_some_and(|at| at <= now);
        if reason == VoidReason::Expired && !is_due {
            return Err(Refusal::NotExpired(id));
        }
        let group = rules::release(payment);
        self.ledger_decide(&group)?;
        let payment = self.change(id, now, |record| {
            record.payment.state = PaymentState::Voided;
            record.payment.void_reason = Some(reason);
        })?;
        self.give_back(&payment, payment.amount.minor, Returned::Voided);
        Ok(Outcome::Payment(payment))
    }

    /// Changes a payment and announces its new state.
    fn change(
        &mut self,
        id: PaymentId,
        now: Timestamp,
        how: impl FnOnce(&mut Record),
    ) -> Result<Payment, Refusal> {
        let payment = self.change_quietly(id, now, how)?;
        self.changes.events.push(event::of_payment(&payment));
        Ok(payment)
    }

    pub(super) fn change_quietly(
        &mut self,
        id: PaymentId,
        now: Timestamp,
        how: impl FnOnce(&mut Record),
    ) -> Result<Payment, Refusal> {
        let record = self.payments.get_mut(&id);
        let record = record.ok_or(Refusal::UnknownPayment(id))?;
        let changed = self.changes.changed_payments.entry(id);
        changed.or_insert_with(|| record.clone());
        how(record);
        record.payment.changed_at = now;
        Ok(record.payment.clone())
    }

    pub(super) fn ledger_decide(&mut self, group: &[NewTransfer]) -> Result<(), Refusal> {
        match self.ledger.decide(group) {
            Err(LedgerRefusal::InsufficientFunds { account, .. }) => {
                let (available, requested) = self.shortage(group, account);
                Err(Refusal::InsufficientFunds {
                    available,
                    requested,
                })
            }
            verdict => accepted(group, verdict),
        }
    }

    /// What the account that has too little has free, and what the whole group
    /// takes from it.
    pub(super) fn shortage(
        &self,
        group: &[NewTransfer],
        account: LedgerAccountId,
    ) -> (Amount, Amount) {
        let taken = group.iter().filter(|t| t.debit.id() == account);
        let requested = taken.fold(None, |sum: Option<Amount>, t| {
            let before = sum.map_or(0, |sum| sum.minor);
            Some(Amount {
                minor: before.saturating_add(t.minor),
                asset: t.debit.asset(),
            })
        });
        let Some(requested) = requested else {
            panic!("the ledger names an account that the group does not debit");
        };
        let free = self.ledger.balance(account).map_or(0, |b| b.available());
        let available = Amount {
            minor: free,
            ..requested
        };
        (available, requested)
    }
}

pub(super) fn accepted(
    group: &[NewTransfer],
    verdict: Result<Verdict, LedgerRefusal>,
) -> Result<(), Refusal> {
    match verdict {
        Ok(Verdict::Accepted) => Ok(()),
        // Only payments writes these ids, and it had no such payment.
        Ok(Verdict::Existing) => {
            let first = group.first().map(|transfer| transfer.id);
            let refusal = first.map_or(LedgerRefusal::GroupSize(0), LedgerRefusal::IdConflict);
            Err(Refusal::Ledger(refusal))
        }
        Err(refusal) => Err(Refusal::Ledger(refusal)),
    }
}
