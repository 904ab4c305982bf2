use std::collections::HashMap;

use qiao_catalog::OrderKind;
use qiao_db::attest::Fact;
use qiao_db::{Error, Machine, Tx};
use qiao_events::NewEvent;
use qiao_model::{Calendar, Env, OrderId, RefundId, Timestamp};
use qiao_payments::{
    Command as PaymentCommand, DESCRIPTION_CHARS_MAX, Keyed, NewRefund, Outcome as Refunded,
    Payment, PaymentState, Refund,
};

use crate::head::Head;
use crate::lots::{LoadedLots, Wanted};
use crate::order::{Order, Standing};
use crate::redemption::{self, Arrival, Redeeming};
use crate::redemptions::Redemptions;
use crate::rules::{self, Change, MoneyStep};
use crate::store::batch as store;

/// What the saga asks for. Each has one effect, whatever is sent twice.
#[derive(Debug)]
pub(crate) enum Command {
    /// Stores an order and holds its money.
    Place(Box<Placement>),
    /// Changes an order, and moves its money with it.
    Change {
        order: OrderId,
        attempt: u32,
        change: Change,
    },
    /// Gives back a part or all of an order's payment, as its institution says.
    Refund { order: OrderId, refund: Box<Keyed> },
}

/// A confirmed quote, ready to be stored.
#[derive(Clone, Debug)]
pub(crate) struct Placement {
    pub(crate) order: Order,
    pub(crate) head: Head,
    /// The hold, under the caller's idempotency key. Of a redemption that may be
    /// paid at once, the one that takes it from the bank's advance.
    pub(crate) hold: Keyed,
    /// The hold of such a redemption when it is not paid at once.
    pub(crate) later: Option<Keyed>,
}

/// What became of a command.
#[derive(Debug)]
pub(crate) enum Outcome {
    /// The order is stored and its money held.
    Placed,
    /// The same, and it is driven on its day.
    PlacedForLater,
    /// The quote had made this order before; nothing changed.
    Existing,
    /// Where the order stands now.
    Changed(Standing),
    /// The payment and what was given back of it.
    Refunded(Box<(Payment, Refund)>),
}

/// Why a command was refused: nothing of it is stored.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Refused {
    #[error(transparent)]
    Order(#[from] rules::Refusal),
    #[error(transparent)]
    Payment(#[from] qiao_payments::Refusal),
}

/// Orders and their payments in one transaction: loads the orders, then what
/// the payments touch, decides one command after the other by the rules of both
/// rooms, and stores both.
#[derive(Clone, Debug)]
pub(crate) struct OrderMachine {
    env: Env,
    calendar: Calendar,
}

impl OrderMachine {
    pub(crate) const fn new(env: Env, calendar: Calendar) -> Self {
        Self { env, calendar }
    }
}

impl Machine for OrderMachine {
    type Command = Command;
    type Outcome = Result<Outcome, Refused>;

    async fn run(&self, tx: &mut Tx, commands: &[Command]) -> Result<Vec<Self::Outcome>, Error> {
        let now = self.env.now();
        let mut orders = Loaded::load(tx, commands).await?;
        let possible: Vec<Keyed> = commands
            .iter()
            .flat_map(|command| orders.payment_commands(command))
            .collect();
        let possible: Vec<&Keyed> = possible.iter().collect();
        let mut books = qiao_payments::batch::load(tx, &possible).await?;
        // After the lock of the advances, so that no other host counts meanwhile.
        orders.redemptions = Redemptions::load(tx, commands, &self.calendar, now.day()).await?;
        orders.lots = LoadedLots::load(tx, &orders.wanted_lots(commands)).await?;
        let outcomes = commands
            .iter()
            .map(|command| orders.decide(&mut books, command, now))
            .collect();
        let facts = orders.store(tx).await?;
        books.attest(facts);
        books.announce(orders.events);
        qiao_payments::batch::store(books, tx, now).await?;
        Ok(outcomes)
    }
}

/// The orders that a batch touches.
#[derive(Default)]
struct Loaded<'a> {
    orders: HashMap<OrderId, Head>,
    lots: LoadedLots,
    placed: Vec<&'a Placement>,
    /// Orders that changed, with where they stood before.
    changed: HashMap<OrderId, Standing>,
    events: Vec<NewEvent>,
    redemptions: Redemptions,
}

impl<'a> Loaded<'a> {
    async fn load(tx: &mut Tx, commands: &'a [Command]) -> Result<Self, Error> {
        let id = |command: &Command| match command {
            Command::Place(placement) => placement.head.id,
            Command::Change { order, .. } | Command::Refund { order, .. } => *order,
        };
        let mut ids: Vec<OrderId> = commands.iter().map(id).collect();
        ids.sort_unstable();
        ids.dedup();
        let mut loaded = Self::default();
        for head in store::lock_orders(tx, &ids).await? {
            loaded.orders.insert(head.id, head);
        }
        Ok(loaded)
    }

    /// Every payment command that the command may lead to, so that what they
    /// touch is loaded; which of them runs is decided later.
    fn payment_commands(&self, command: &Command) -> Vec<Keyed> {
        match command {
            Command::Place(placement) => {
                let later = placement.later.iter();
                std::iter::once(&placement.hold)
                    .chain(later)
                    .cloned()
                    .collect()
            }
            Command::Refund { refund, .. } => vec![refund.as_ref().clone()],
            Command::Change { order, change, .. } => {
                let Some(head) = self.orders.get(order) else {
                    return Vec::new();
                };
                let steps: &[MoneyStep] = match change {
                    Change::SetAside => &[MoneyStep::SetAside],
                    Change::Capture | Change::Complete(_) => &[MoneyStep::Post],
                    Change::Reject(_) => &[MoneyStep::Void, MoneyStep::Refund],
                    Change::Short(_)
                    | Change::Wait(_)
                    | Change::Doubt(_)
                    | Change::Cancelled
                    | Change::CancelFailed => &[],
                };
                let commands = steps.iter().filter_map(|s| money_command(head, *s, change));
                let mut commands: Vec<Keyed> = commands.map(Keyed::from).collect();
                if let (OrderKind::Redeem, Change::Reject(_)) = (head.kind, change) {
                    commands.extend(of_what_is_set_aside(head).map(Keyed::from));
                }
                commands
            }
        }
    }

    /// The lots that orders of the batch may touch.
    fn wanted_lots(&self, commands: &[Command]) -> Wanted {
        let mut wanted = Wanted::default();
        for command in commands {
            match command {
                Command::Place(placement) => wanted.add(&placement.head),
                Command::Change {
                    order,
                    change: Change::Capture | Change::Complete(_) | Change::Reject(_),
                    ..
                }
                | Command::Refund { order, .. } => {
                    if let Some(head) = self.orders.get(order) {
                        wanted.add(head);
                    }
                }
                Command::Change {
                    change:
                        Change::SetAside
                        | Change::Short(_)
                        | Change::Wait(_)
                        | Change::Doubt(_)
                        | Change::Cancelled
                        | Change::CancelFailed,
                    ..
                } => {}
            }
        }
        wanted
    }

    fn decide(
        &mut self,
        books: &mut qiao_payments::batch::Loaded,
        command: &'a Command,
        now: Timestamp,
    ) -> Result<Outcome, Refused> {
        match command {
            Command::Place(placement) => self.place(books, placement, now),
            Command::Change {
                order,
                attempt,
                change,
            } => self.change(books, *order, *attempt, change, now),
            Command::Refund { order, refund } => self.refund(books, *order, refund, now),
        }
    }

    fn place(
        &mut self,
        books: &mut qiao_payments::batch::Loaded,
        placement: &'a Placement,
        now: Timestamp,
    ) -> Result<Outcome, Refused> {
        let mut head = placement.head.clone();
        let quoted = placement.order.quote.lots_digest;
        let taken = match self.orders.contains_key(&head.id) {
            true => Vec::new(),
            false => self.lots.takes(books, &head, quoted)?,
        };
        let redeeming = self.redemptions.choose(books, placement);
        let hold = match (&redeeming, &placement.later) {
            (
                Some(Redeeming {
                    arrival: Arrival::Later(_),
                    ..
                }),
                Some(later),
            ) => later,
            _ => &placement.hold,
        };
        let held = qiao_payments::batch::decide(books, hold, now);
        if self.orders.contains_key(&head.id) {
            return match held {
                Err(refusal @ qiao_payments::Refusal::KeyReused) => Err(refusal.into()),
                _ => Ok(Outcome::Existing),
            };
        }
        held?;
        self.lots.take(&head, &taken);
        let outcome = match redeeming.as_ref().map(|redeeming| redeeming.arrival) {
            Some(Arrival::Later(day)) => {
                head.standing.next_at = Some(day.start());
                head.standing.lease = None;
                Outcome::PlacedForLater
            }
            Some(Arrival::Instant(_)) | None => Outcome::Placed,
        };
        if let Some(redeeming) = redeeming {
            self.redemptions.take(redeeming);
        }
        self.events.push(head.event());
        self.orders.insert(head.id, head);
        self.placed.push(placement);
        Ok(outcome)
    }

    fn change(
        &mut self,
        books: &mut qiao_payments::batch::Loaded,
        order: OrderId,
        attempt: u32,
        change: &Change,
        now: Timestamp,
    ) -> Result<Outcome, Refused> {
        let head = self.orders.get(&order);
        let head = head.ok_or(rules::Refusal::Missing(order))?;
        let decision = rules::decide(&head.standing, attempt, change, now)?;
        if let Some(mut command) = money_command(head, decision.money, change) {
            if let PaymentCommand::Refund(refund) = &mut command {
                // Its institution may have given back a part before.
                let left = books.refundable(refund.payment);
                refund.amount = left.unwrap_or(refund.amount);
            }
            qiao_payments::batch::decide(books, &Keyed::from(command), now)?;
            self.lots.follow(head, decision.money, now.day());
        }
        if matches!(decision.money, MoneyStep::Void | MoneyStep::Refund) {
            let set_aside = redemption::set_aside(head);
            if books.is_made(set_aside.id) {
                let back = redemption::put_back(head);
                let back = Keyed::from(PaymentCommand::Pay(back));
                qiao_payments::batch::decide(books, &back, now)?;
            }
            self.redemptions.give_back(order);
        }
        Ok(Outcome::Changed(self.stand(order, decision.standing)))
    }

    /// Refunds; an order whose whole payment went back gives back its units, its
    /// lots and what it took of a limit with it.
    fn refund(
        &mut self,
        books: &mut qiao_payments::batch::Loaded,
        order: OrderId,
        refund: &Keyed,
        now: Timestamp,
    ) -> Result<Outcome, Refused> {
        let head = self.orders.get(&order);
        let head = head.ok_or(rules::Refusal::Missing(order))?;
        let (payment, refund) = match qiao_payments::batch::decide(books, refund, now)? {
            Refunded::Refunded { payment, refund } => (payment, refund),
            Refunded::Payment(_) | Refunded::Credited(_) => {
                return Err(qiao_payments::Refusal::KeyReused.into());
            }
        };
        let is_whole = payment.state == PaymentState::Refunded;
        if let Some(standing) = rules::refunded(&head.standing, now).filter(|_| is_whole) {
            self.lots.follow(head, MoneyStep::Refund, now.day());
            self.redemptions.give_back(order);
            self.stand(order, standing);
        }
        Ok(Outcome::Refunded(Box::new((payment, refund))))
    }

    /// Lets an order of the batch stand elsewhere, and announces another state.
    fn stand(&mut self, order: OrderId, standing: Standing) -> Standing {
        let head = self.orders.get_mut(&order);
        let head = head.expect("an order that changes was loaded");
        let before = std::mem::replace(&mut head.standing, standing);
        if head.standing.state != before.state {
            self.events.push(head.event());
        }
        let standing = head.standing.clone();
        if standing != before {
            self.changed.entry(order).or_insert(before);
        }
        standing
    }

    /// Writes the orders, and gives what the journal attests of them.
    async fn store(&mut self, tx: &mut Tx) -> Result<Vec<Fact>, Error> {
        let lots = std::mem::take(&mut self.lots);
        let placed: Vec<(&Placement, &Standing)> = self
            .placed
            .iter()
            .map(|placement| (*placement, &self.orders[&placement.head.id].standing))
            .collect();
        let mut facts = store::insert_orders(tx, &placed).await?;
        let is_new = |id: &OrderId| placed.iter().any(|(p, _)| p.head.id == *id);
        let mut changed: Vec<(&Head, &Standing)> = (self.changed.iter())
            .filter(|(id, _)| !is_new(id))
            .map(|(id, before)| (&self.orders[id], before))
            .collect();
        changed.sort_unstable_by_key(|(head, _)| head.id);
        let moved = changed.iter();
        facts.extend(moved.filter_map(|(head, before)| store::moved_since(head, before)));
        let heads: Vec<&Head> = changed.iter().map(|(head, _)| *head).collect();
        store::update_orders(tx, &heads).await?;
        self.redemptions.store(tx).await?;
        lots.store(tx, &mut facts).await?;
        Ok(facts)
    }
}

/// What the money step asks of payments. Ids are derived from the order, so a
/// command that is sent again finds its own effect.
fn money_command(head: &Head, step: MoneyStep, change: &Change) -> Option<PaymentCommand> {
    let payment = head.payment;
    match step {
        MoneyStep::Nothing => None,
        MoneyStep::SetAside => Some(PaymentCommand::Pay(redemption::set_aside(head))),
        MoneyStep::Post => Some(PaymentCommand::Post {
            payment,
            amount: None,
        }),
        MoneyStep::Void => Some(PaymentCommand::Void { payment }),
        MoneyStep::Refund => Some(PaymentCommand::Refund(NewRefund {
            id: rejection_refund(head.id),
            payment,
            amount: head.paid,
            reason: match change {
                Change::Reject(reason) => reason.chars().take(DESCRIPTION_CHARS_MAX).collect(),
                _ => String::new(),
            },
        })),
    }
}

/// What a rejected redemption that was to be paid later may give back, and what
/// tells whether there is anything.
fn of_what_is_set_aside(head: &Head) -> [PaymentCommand; 2] {
    [redemption::set_aside(head), redemption::put_back(head)].map(PaymentCommand::Pay)
}

/// The refund of a captured order that its plugin rejected.
fn rejection_refund(order: OrderId) -> RefundId {
    order.derive("rejected", 0)
}
