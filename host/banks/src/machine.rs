use std::borrow::Cow;
use std::collections::{BTreeMap, HashMap};

use qiao_db::attest::Fact;
use qiao_db::{Error, Machine, Tx};
use qiao_model::{BankTransferId, Env, InstitutionId, Money, Timestamp};
use qiao_payments::{
    Command as PaymentCommand, IdempotencyKey, Keyed, Method, NewPayment, Party, Split,
};

use crate::answer::{ANSWERS_KEPT_MAX, Evidence};
use crate::rules::{self, Change, Heard, MoneyStep};
use crate::store::batch as store;
use crate::transfer::{BankTransfer, Direction, Route, TransferState};

/// The purpose of the split that a channel gets.
const CHANNEL_FEE: &str = "channel-fee";
/// Why a transfer ends whose hold could not be made for another channel.
const TOO_LITTLE_LEFT: &str = "too_little_left";

/// The caller's idempotency key of a request, as it is stored.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct RequestKey {
    pub(crate) digest: String,
    pub(crate) request_hash: String,
}

impl RequestKey {
    pub(crate) fn of(key: &IdempotencyKey) -> Self {
        Self {
            digest: format!("{:032x}", key.digest()),
            request_hash: key.request_hash(),
        }
    }
}

/// What the room asks for. Each has one effect, whatever is sent twice.
#[derive(Clone, Debug)]
pub(crate) enum Command {
    /// Stores a transfer, and holds its money when it goes out.
    Request {
        transfer: Box<BankTransfer>,
        key: Option<RequestKey>,
    },
    /// Changes a transfer, moves its money with it, and keeps what was learned.
    Change {
        transfer: BankTransferId,
        change: Change,
        evidence: Vec<Evidence>,
    },
}

/// What became of a command.
#[derive(Clone, Debug)]
pub(crate) enum Outcome {
    /// The transfer is stored and its money held.
    Requested,
    /// The key or the id had made this transfer before; nothing changed.
    Existing(Box<BankTransfer>),
    /// How the transfer is now.
    Changed(Box<BankTransfer>, Heard),
}

/// Why a command was refused: nothing of it is stored.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Refused {
    #[error(transparent)]
    Transfer(#[from] rules::Refusal),
    #[error(transparent)]
    Payment(#[from] qiao_payments::Refusal),
    #[error("bank transfer {0} exists with other content")]
    Conflict(BankTransferId),
}

/// Transfers and their payments in one transaction: loads the transfers, then
/// what the payments touch, decides one command after the other by the rules of
/// both rooms, and stores both.
#[derive(Clone, Debug)]
pub(crate) struct BankMachine {
    env: Env,
}

impl BankMachine {
    pub(crate) const fn new(env: Env) -> Self {
        Self { env }
    }
}

impl Machine for BankMachine {
    type Command = Command;
    type Outcome = Result<Outcome, Refused>;

    async fn run(&self, tx: &mut Tx, commands: &[Command]) -> Result<Vec<Self::Outcome>, Error> {
        let now = self.env.now();
        let mut transfers = Loaded::load(tx, commands).await?;
        let possible: Vec<Keyed> = commands
            .iter()
            .flat_map(|command| transfers.payment_commands(command))
            .map(Keyed::from)
            .collect();
        let possible: Vec<&Keyed> = possible.iter().collect();
        let mut books = qiao_payments::batch::load(tx, &possible).await?;
        let outcomes = commands
            .iter()
            .map(|command| transfers.decide(&mut books, command, now))
            .collect();
        books.attest(transfers.store(tx).await?);
        qiao_payments::batch::store(books, tx, now).await?;
        Ok(outcomes)
    }
}

/// A stored transfer with the key that asked for it.
#[derive(Clone, Debug)]
pub(crate) struct Record {
    pub(crate) transfer: BankTransfer,
    pub(crate) key: Option<RequestKey>,
}

/// The transfers that a batch touches.
#[derive(Default)]
struct Loaded {
    records: HashMap<BankTransferId, Record>,
    by_key: HashMap<String, BankTransferId>,
    requested: Vec<BankTransferId>,
    /// Transfers that changed, as they were before.
    changed: BTreeMap<BankTransferId, BankTransfer>,
    evidence: Vec<(BankTransferId, u32, Evidence)>,
}

impl Loaded {
    async fn load(tx: &mut Tx, commands: &[Command]) -> Result<Self, Error> {
        let mut ids = Vec::new();
        let mut keys = Vec::new();
        for command in commands {
            match command {
                Command::Request { transfer, key } => {
                    ids.push(transfer.id);
                    keys.extend(key.as_ref().map(|key| key.digest.clone()));
                }
                Command::Change { transfer, .. } => ids.push(*transfer),
            }
        }
        ids.sort_unstable();
        ids.dedup();
        let mut loaded = Self::default();
        for record in store::lock_transfers(tx, &ids, &keys).await? {
            loaded.add(record);
        }
        Ok(loaded)
    }

    fn add(&mut self, record: Record) {
        let id = record.transfer.id;
        if let Some(key) = &record.key {
            self.by_key.insert(key.digest.clone(), id);
        }
        self.records.insert(id, record);
    }

    /// Every payment command that the command may lead to, so that what they
    /// touch is loaded; which of them runs is decided later.
    fn payment_commands(&self, command: &Command) -> Vec<PaymentCommand> {
        match command {
            Command::Request { transfer, .. } => match transfer.purpose.direction() {
                Direction::In => Vec::new(),
                Direction::Out => vec![PaymentCommand::Hold(payment(transfer, &transfer.route))],
            },
            Command::Change {
                transfer, change, ..
            } => {
                let Some(record) = self.records.get(transfer) else {
                    return Vec::new();
                };
                let steps = [
                    MoneyStep::Pay,
                    MoneyStep::Post,
                    MoneyStep::Void,
                    MoneyStep::Move,
                ];
                let is_in = record.transfer.purpose.direction() == Direction::In;
                let possible = steps
                    .into_iter()
                    .filter(|step| (*step == MoneyStep::Pay) == is_in);
                possible
                    .flat_map(|step| money_commands(&record.transfer, step, new_route(change)))
                    .collect()
            }
        }
    }

    fn decide(
        &mut self,
        books: &mut qiao_payments::batch::Loaded,
        command: &Command,
        now: Timestamp,
    ) -> Result<Outcome, Refused> {
        match command {
            Command::Request { transfer, key } => self.request(books, transfer, key.as_ref(), now),
            Command::Change {
                transfer,
                change,
                evidence,
            } => self.change(books, *transfer, change, evidence, now),
        }
    }

    fn request(
        &mut self,
        books: &mut qiao_payments::batch::Loaded,
        transfer: &BankTransfer,
        key: Option<&RequestKey>,
        now: Timestamp,
    ) -> Result<Outcome, Refused> {
        if let Some(existing) = self.existing(transfer, key)? {
            return Ok(Outcome::Existing(Box::new(existing)));
        }
        if transfer.purpose.direction() == Direction::Out {
            let hold = PaymentCommand::Hold(payment(transfer, &transfer.route));
            qiao_payments::batch::decide(books, &hold.into(), now)?;
        }
        self.add(Record {
            transfer: transfer.clone(),
            key: key.cloned(),
        });
        self.requested.push(transfer.id);
        Ok(Outcome::Requested)
    }

    fn existing(
        &self,
        transfer: &BankTransfer,
        key: Option<&RequestKey>,
    ) -> Result<Option<BankTransfer>, Refused> {
        if let Some(key) = key
            && let Some(id) = self.by_key.get(&key.digest)
        {
            let record = &self.records[id];
            return if record.key.as_ref() == Some(key) {
                Ok(Some(record.transfer.clone()))
            } else {
                Err(qiao_payments::Refusal::KeyReused.into())
            };
        }
        let Some(record) = self.records.get(&transfer.id) else {
            return Ok(None);
        };
        if is_same_request(&record.transfer, transfer) {
            Ok(Some(record.transfer.clone()))
        } else {
            Err(Refused::Conflict(transfer.id))
        }
    }

    fn change(
        &mut self,
        books: &mut qiao_payments::batch::Loaded,
        id: BankTransferId,
        change: &Change,
        evidence: &[Evidence],
        now: Timestamp,
    ) -> Result<Outcome, Refused> {
        let record = self.records.get_mut(&id);
        let transfer = &mut record.ok_or(rules::Refusal::Missing(id))?.transfer;
        let mut decision = rules::decide(transfer, change, now)?;
        for command in money_commands(transfer, decision.money, decision.route.as_ref()) {
            let decided = qiao_payments::batch::decide(books, &command.into(), now);
            match decided {
                Ok(_) => {}
                // The old hold is released; the dearer new one finds too little.
                Err(refusal) if decision.money == MoneyStep::Move => {
                    tracing::info!(transfer.id = %id, %refusal, "a bank transfer finds no other way");
                    decision.route = None;
                    decision.standing.state = TransferState::Rejected;
                    decision.standing.reason = Some(TOO_LITTLE_LEFT.to_owned());
                    decision.standing.next_at = None;
                    decision.standing.lease = None;
                }
                Err(refusal) => return Err(refusal.into()),
            }
        }
        let before = transfer.clone();
        transfer.standing = decision.standing;
        if let Some(route) = decision.route {
            let tried = std::mem::replace(&mut transfer.route, route);
            transfer.tried.push(tried.channel);
        }
        for item in evidence {
            if transfer.standing.answers < ANSWERS_KEPT_MAX {
                transfer.standing.answers = transfer.standing.answers.saturating_add(1);
                let number = transfer.standing.answers;
                self.evidence.push((id, number, item.clone()));
            }
        }
        if *transfer != before {
            self.changed.entry(id).or_insert(before);
        }
        Ok(Outcome::Changed(Box::new(transfer.clone()), decision.heard))
    }

    /// Writes the transfers, and gives what the journal attests of them.
    async fn store(mut self, tx: &mut Tx) -> Result<Vec<Fact>, Error> {
        let requested: Vec<&Record> = self.requested.iter().map(|id| &self.records[id]).collect();
        let mut facts = Vec::new();
        store::insert_transfers(tx, &requested, &mut facts).await?;
        self.changed.retain(|id, _| !self.requested.contains(id));
        let mut changed = Vec::with_capacity(self.changed.len());
        for (id, before) in &self.changed {
            let transfer = &self.records[id].transfer;
            facts.extend(store::moved_since(transfer, before));
            changed.push(transfer);
        }
        store::update_transfers(tx, &changed).await?;
        store::insert_answers(tx, &self.evidence, &mut facts).await?;
        Ok(facts)
    }
}

const fn new_route(change: &Change) -> Option<&Route> {
    match change {
        Change::Reroute { route, .. } => Some(route),
        Change::Answered { .. }
        | Change::Doubt { .. }
        | Change::NotSent { .. }
        | Change::Absent { .. } => None,
    }
}

fn is_same_request(stored: &BankTransfer, asked: &BankTransfer) -> bool {
    let whole = |transfer: &BankTransfer| {
        let route = &transfer.route;
        route.amount.plus(route.fee).ok()
    };
    stored.purpose == asked.purpose
        && stored.party == asked.party
        && stored.account_number == asked.account_number
        && whole(stored) == whole(asked)
}

/// What a money step asks of payments. Ids are derived from the transfer and its
/// route, so a command that is sent again finds its own effect.
fn money_commands(
    transfer: &BankTransfer,
    step: MoneyStep,
    route: Option<&Route>,
) -> Vec<PaymentCommand> {
    let id = transfer.route.payment;
    match step {
        MoneyStep::Nothing => Vec::new(),
        MoneyStep::Pay => vec![PaymentCommand::Pay(payment(transfer, &transfer.route))],
        MoneyStep::Post => vec![PaymentCommand::Post {
            payment: id,
            amount: None,
        }],
        MoneyStep::Void => vec![PaymentCommand::Void { payment: id }],
        MoneyStep::Move => {
            let hold = route.map(|route| PaymentCommand::Hold(payment(transfer, route)));
            let void = PaymentCommand::Void { payment: id };
            [void].into_iter().chain(hold).collect()
        }
    }
}

/// A transfer as a payment on the books.
fn payment(transfer: &BankTransfer, route: &Route) -> NewPayment {
    let bank = Party::Bank(route.channel);
    let purpose = Cow::Borrowed(transfer.purpose.name());
    let fee = Split {
        receiver: Party::Channel(route.channel),
        amount: route.fee,
        purpose: Cow::Borrowed(CHANNEL_FEE),
    };
    let currency = route.amount.currency;
    let (payer, amount, split) = match transfer.purpose.direction() {
        Direction::In => {
            let arrives = route.amount.minor.saturating_sub(route.fee.minor);
            let split = Split {
                receiver: transfer.party,
                amount: Money::new(arrives, currency),
                purpose,
            };
            (bank, route.amount, split)
        }
        Direction::Out => {
            let leaves = route.amount.minor.saturating_add(route.fee.minor);
            let split = Split {
                receiver: bank,
                amount: route.amount,
                purpose,
            };
            (transfer.party, Money::new(leaves, currency), split)
        }
    };
    let mut splits = vec![split];
    if fee.amount.minor > 0 {
        splits.push(fee);
    }
    NewPayment {
        id: route.payment,
        order: None,
        institution: institution(transfer.party),
        payer,
        method: route.link.map_or(Method::Balance, |link| Method::Bank {
            link,
            channel: route.channel,
        }),
        amount,
        splits,
        deliveries: Vec::new(),
        description: transfer.description.clone(),
        // The repair of the transfer resolves it; it must not end meanwhile.
        expires_at: None,
    }
}

const fn institution(party: Party) -> Option<InstitutionId> {
    match party {
        Party::Institution(id) | Party::Revenue(id) | Party::Advance(id) => Some(id),
        _ => None,
    }
}
