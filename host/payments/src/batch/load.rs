use std::collections::{HashMap, HashSet};

use qiao_db::{Error, Tx};
use qiao_ledger::{NewAccount, State};
use qiao_model::{PaymentId, RefundId, TransferId};

use super::{Changes, Loaded, Record, mandate};
use crate::answer::Answer;
use crate::command::{Command, Keyed};
use crate::mandate::Charge;
use crate::party::Party;
use crate::payment::{NewPayment, Payment, PaymentState};
use crate::rules;
use crate::store::load as rows;

pub(super) async fn load(tx: &mut Tx, commands: &[&Keyed]) -> Result<Loaded, Error> {
    let digests: Vec<u128> = commands
        .iter()
        .filter_map(|keyed| keyed.idempotency.as_ref())
        .map(crate::idempotency::IdempotencyKey::digest)
        .collect();
    let keys = rows::keys(tx, &digests).await?;

    let mut payments = Vec::new();
    let mut refunds = Vec::new();
    for answer in keys.values().map(|stored| &stored.answer) {
        name_answer(answer, &mut payments, &mut refunds);
    }
    for keyed in commands {
        name_command(&keyed.command, &mut payments, &mut refunds);
    }
    let payments = rows::payments(tx, payments).await?;
    let refunds = rows::refunds(tx, refunds).await?;
    let consumed = commands
        .iter()
        .filter_map(|keyed| mandate::of_command(&keyed.command));
    let given_back = payments
        .values()
        .filter_map(|r| mandate::mandate_of(r.payment.method));
    let mandates = crate::store::mandate::lock(tx, consumed.chain(given_back).collect()).await?;

    let mut touched = Touched::default();
    for keyed in commands {
        let replays =
            (keyed.idempotency.as_ref()).is_some_and(|key| keys.contains_key(&key.digest()));
        if !replays {
            touched.add(&keyed.command, |id| payments.get(&id));
        }
    }
    touched.refunds_of_new(commands, &payments);
    let ledger = State::load(tx, &touched.accounts, &touched.transfers).await?;
    Ok(Loaded {
        keys,
        payments,
        refunds,
        mandates,
        ledger,
        changes: Changes::default(),
    })
}

fn name_answer(answer: &Answer, payments: &mut Vec<PaymentId>, refunds: &mut Vec<RefundId>) {
    match answer {
        Answer::Payment(snapshot) => payments.push(snapshot.payment),
        Answer::Refunded(refund, snapshot) => {
            payments.push(snapshot.payment);
            refunds.push(*refund);
        }
        Answer::Credited(_) | Answer::Refused(_) => {}
    }
}

fn name_command(command: &Command, payments: &mut Vec<PaymentId>, refunds: &mut Vec<RefundId>) {
    match command {
        Command::TopUp(top_up) => payments.push(top_up.payment),
        Command::Hold(new) | Command::Pay(new) => payments.push(new.id),
        Command::Charge(charge) => payments.push(charge.payment.id),
        Command::Post { payment, .. } | Command::Void { payment } | Command::Expire { payment } => {
            payments.push(*payment);
        }
        Command::Refund(new) => {
            payments.push(new.payment);
            refunds.push(new.id);
        }
        Command::Recover(recovery) => payments.push(recovery.payment),
        Command::Credit(_) => {}
    }
}

/// The accounts and transfers that a batch names to the ledger.
#[derive(Default)]
struct Touched {
    seen: HashSet<qiao_model::LedgerAccountId>,
    accounts: Vec<NewAccount>,
    transfers: Vec<TransferId>,
}

impl Touched {
    fn add<'a>(&mut self, command: &Command, record: impl Fn(PaymentId) -> Option<&'a Record>) {
        match command {
            Command::TopUp(top_up) => {
                if record(top_up.payment).is_none() {
                    let currency = top_up.amount.currency;
                    self.account(Party::Sandbox.account(currency));
                    self.account(Party::User(top_up.user).account(currency));
                }
            }
            Command::Hold(new)
            | Command::Pay(new)
            | Command::Charge(Charge { payment: new, .. }) => {
                if record(new.id).is_none() {
                    self.new_payment(new);
                }
            }
            // A payment that an earlier command of this batch makes has its
            // accounts from there, and its pending transfers from `decide`.
            Command::Post { payment, .. }
            | Command::Void { payment }
            | Command::Expire { payment } => {
                if let Some(record) = record(*payment)
                    && record.payment.state == PaymentState::Held
                {
                    self.held_payment(&record.payment);
                }
            }
            Command::Refund(new) => {
                if let Some(record) = record(new.payment) {
                    self.payment(&record.payment);
                    if let Some(debtor) = rules::refund::debtor(&record.payment) {
                        let debt = Party::Receivable(debtor);
                        self.account(debt.account(record.payment.amount.currency));
                    }
                }
            }
            Command::Recover(recovery) => {
                let debt = Party::Receivable(recovery.institution);
                self.account(debt.account(recovery.currency));
                self.account(recovery.payer().account(recovery.currency));
            }
            Command::Credit(credit) => {
                for transfer in rules::credit_transfers(credit) {
                    self.account(transfer.debit);
                    self.account(transfer.credit);
                    self.transfers.push(transfer.id);
                }
            }
        }
    }

    /// What a refund may turn to a debt when its payment is made in this batch.
    fn refunds_of_new(&mut self, commands: &[&Keyed], payments: &HashMap<PaymentId, Record>) {
        let refunded = commands.iter().filter_map(|keyed| match &keyed.command {
            Command::Refund(new) if !payments.contains_key(&new.payment) => Some(new.payment),
            _ => None,
        });
        let refunded: HashSet<PaymentId> = refunded.collect();
        if refunded.is_empty() {
            return;
        }
        for keyed in commands {
            if let Command::Hold(new)
            | Command::Pay(new)
            | Command::Charge(Charge { payment: new, .. }) = &keyed.command
                && refunded.contains(&new.id)
                && let Some(debtor) = rules::refund::debtor_of(new.institution, new.payer)
            {
                let debt = Party::Receivable(debtor);
                self.account(debt.account(new.amount.currency));
            }
        }
    }

    fn new_payment(&mut self, new: &NewPayment) {
        // A malformed payment is refused before it reaches the ledger.
        if rules::check_payment(new).is_ok() {
            let currency = new.amount.currency;
            self.moves(rules::moves(
                new.payer,
                currency,
                &new.splits,
                &new.deliveries,
            ));
        }
    }

    fn payment(&mut self, payment: &Payment) -> usize {
        let currency = payment.amount.currency;
        let moves = rules::moves(
            payment.payer,
            currency,
            &payment.splits,
            &payment.deliveries,
        );
        let count = moves.len();
        self.moves(moves);
        count
    }

    fn held_payment(&mut self, payment: &Payment) {
        let count = self.payment(payment);
        let holds = (0_u64..).take(count);
        self.transfers
            .extend(holds.map(|index| rules::hold_id(payment.id, index)));
    }

    fn moves(&mut self, moves: Vec<rules::Move>) {
        for part in moves {
            self.account(part.debit);
            self.account(part.credit);
        }
    }

    fn account(&mut self, account: NewAccount) {
        if self.seen.insert(account.id()) {
            self.accounts.push(account);
        }
    }
}
