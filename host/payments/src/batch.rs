//! The money path: a batch of commands is loaded, decided one by one, and stored.
//!
//! The orders room composes these with rows of its own in one transaction:
//! `load` with every command of the batch, `decide` for each in order (a
//! refused command leaves no trace but its idempotency record), `store` once.

mod credit;
mod decide;
mod load;
mod mandate;
mod recover;
mod refund;

use std::collections::HashMap;

use qiao_db::attest::Fact;
use qiao_db::{Error, Tx};
use qiao_events::NewEvent;
use qiao_ledger::{Balance, State};
use qiao_model::{Currency, LedgerAccountId, MandateId, Money, PaymentId, RefundId, Timestamp};

use crate::answer::Answer;
use crate::command::{Keyed, Outcome};
use crate::grant::SpendUsage;
use crate::mandate::Mandate;
use crate::party::Party;
use crate::payment::{Payment, Refund};
use crate::refusal::Refusal;
use crate::store;

/// What a batch touches, locked until its transaction ends.
#[derive(Debug)]
pub struct Loaded {
    pub(crate) keys: HashMap<u128, StoredAnswer>,
    pub(crate) payments: HashMap<PaymentId, Record>,
    pub(crate) refunds: HashMap<RefundId, Refund>,
    pub(crate) mandates: HashMap<MandateId, Mandate>,
    pub(crate) ledger: State,
    pub(crate) changes: Changes,
}

impl Loaded {
    /// What a party whose account the commands name has free, after what was
    /// decided so far; nothing when no command names it.
    #[must_use]
    pub fn available(&self, party: Party, currency: Currency) -> i64 {
        let account = party.account(currency).id();
        self.ledger
            .balance(account)
            .map_or(0, |balance| balance.available())
    }

    /// Whether a payment that the commands name was made, before or in this batch.
    #[must_use]
    pub fn is_made(&self, payment: PaymentId) -> bool {
        self.payments.contains_key(&payment)
    }

    /// What is left to give back of a payment that the commands name, after what was
    /// decided so far; none when it was not made.
    #[must_use]
    pub fn refundable(&self, payment: PaymentId) -> Option<Money> {
        let payment = &self.payments.get(&payment)?.payment;
        payment.captured.minus(payment.refunded).ok()
    }

    /// What an account of the batch has, after what was decided so far; none when
    /// nothing ever moved on it, or the batch does not touch it.
    #[must_use]
    pub fn balance(&self, account: LedgerAccountId) -> Option<Balance> {
        self.ledger.balance(account)
    }
}

/// A stored payment with what its refunds need to know.
#[derive(Clone, Debug)]
pub(crate) struct Record {
    pub(crate) payment: Payment,
    /// For each split, what it gave back.
    pub(crate) returned: Vec<i64>,
    /// How often it was refunded.
    pub(crate) refunds: i64,
}

/// The answer that was given under an idempotency key.
#[derive(Clone, Debug)]
pub(crate) struct StoredAnswer {
    pub(crate) request_hash: String,
    pub(crate) answer: Answer,
}

/// What the batch adds and changes, beside the ledger.
#[derive(Debug, Default)]
pub(crate) struct Changes {
    pub(crate) new_payments: Vec<PaymentId>,
    /// Payments that change, as they were before.
    pub(crate) changed_payments: HashMap<PaymentId, Record>,
    pub(crate) new_refunds: Vec<RefundId>,
    pub(crate) new_keys: Vec<u128>,
    /// Mandates that were spent or given back to, with what was spent before.
    pub(crate) spent_mandates: HashMap<MandateId, SpendUsage>,
    pub(crate) events: Vec<NewEvent>,
}

/// Loads and locks what the commands touch.
///
/// # Errors
/// The database failed.
pub async fn load(tx: &mut Tx, commands: &[&Keyed]) -> Result<Loaded, Error> {
    load::load(tx, commands).await
}

/// Decides one command on top of what was decided before in the batch. Does no IO.
///
/// # Errors
/// The rule that the command breaks; then nothing of it is in the batch.
///
/// # Panics
/// The command was not named to [`load`].
pub fn decide(loaded: &mut Loaded, command: &Keyed, now: Timestamp) -> Result<Outcome, Refusal> {
    loaded.decide(command, now)
}

/// Writes what was decided and its entry of the journal; the caller commits.
///
/// # Errors
/// The database failed.
///
/// # Panics
/// The batch does not balance, which no command can cause.
pub async fn store(mut loaded: Loaded, tx: &mut Tx, now: Timestamp) -> Result<(), Error> {
    let mut facts = Vec::new();
    store::write::store_payments(tx, &loaded, &mut facts).await?;
    store::write::store_refunds(tx, &loaded, &mut facts).await?;
    let spent = loaded.changes.spent_mandates.iter();
    let spent: Vec<(&Mandate, SpendUsage)> = spent
        .map(|(id, before)| (&loaded.mandates[id], *before))
        .collect();
    store::mandate::store_usage(tx, &spent, &mut facts).await?;
    store::write::store_keys(tx, &loaded, &mut facts, now).await?;
    facts.extend(qiao_events::append_attested(tx, now, &loaded.changes.events).await?);
    loaded.ledger.attest(facts);
    loaded.ledger.store(tx, now).await
}

impl Loaded {
    /// Takes the facts of rows that another room writes in this batch into its
    /// entry of the journal; before [`store`].
    pub fn attest(&mut self, facts: impl IntoIterator<Item = Fact>) {
        self.ledger.attest(facts);
    }

    /// Writes another room's events with those of payments, and attests them.
    pub fn announce(&mut self, events: impl IntoIterator<Item = NewEvent>) {
        self.changes.events.extend(events);
    }
}
