use std::collections::{HashMap, HashSet};

use qiao_db::{Error, Tx};
use qiao_model::{Calendar, Day, OrderId};
use qiao_payments::{Party, batch};

use crate::machine::{Command, Placement};
use crate::redemption::{self, Allowance, Arrival, Redeemed, Redeeming, allowance_of};
use crate::rules::Change;
use crate::store::redemption as store;

/// The redemptions that a batch touches, and what is taken of the daily limits.
#[derive(Default)]
pub(crate) struct Redemptions {
    /// What a decision needs beside them; none for a batch that redeems nothing.
    today: Option<(Day, Calendar)>,
    taken: HashMap<Allowance, i64>,
    known: HashMap<OrderId, Redeeming>,
    changed: HashSet<OrderId>,
}

impl Redemptions {
    /// Loads and locks the limits that new redemptions count against and those
    /// that rejected ones give back to.
    pub(crate) async fn load(
        tx: &mut Tx,
        commands: &[Command],
        calendar: &Calendar,
        today: Day,
    ) -> Result<Self, Error> {
        let mut wanted = Vec::new();
        let mut rejected = Vec::new();
        for command in commands {
            match command {
                Command::Place(placement) if placement.later.is_some() => {
                    wanted.push(allowance_of(&placement.order.quote, today));
                }
                Command::Change {
                    order,
                    change: Change::Reject(_),
                    ..
                }
                | Command::Refund { order, .. } => rejected.push(*order),
                Command::Place(_) | Command::Change { .. } => {}
            }
        }
        let known = store::load(tx, &rejected).await?;
        wanted.extend(known.iter().map(|redeeming| redeeming.allowance.clone()));
        if wanted.is_empty() {
            return Ok(Self::default());
        }
        wanted.sort_unstable();
        wanted.dedup();
        Ok(Self {
            today: Some((today, calendar.clone())),
            taken: store::load_allowances(tx, &wanted).await?,
            known: known
                .into_iter()
                .map(|found| (found.order, found))
                .collect(),
            changed: HashSet::new(),
        })
    }

    /// How a new redemption is paid; none for an order that is none.
    pub(crate) fn choose(&self, books: &batch::Loaded, placement: &Placement) -> Option<Redeeming> {
        placement.later.as_ref()?;
        let (today, calendar) = self.today.as_ref()?;
        let head = &placement.head;
        let allowance = allowance_of(&placement.order.quote, *today);
        let used = self.taken.get(&allowance).copied().unwrap_or(0);
        let line = books.available(Party::Advance(head.institution), head.paid.currency);
        let redeemed = Redeemed {
            minor: head.amount.minor,
            paid_minor: head.paid.minor,
        };
        let arrival = redemption::arrival(&redeemed, used, line, *today, calendar);
        Some(Redeeming {
            order: head.id,
            institution: head.institution,
            allowance,
            amount: head.amount,
            paid: head.paid,
            arrival,
            settles_on: calendar.plus_business_days(*today, 1),
            is_given_back: false,
        })
    }

    /// Adds a redemption, and counts it when it is paid at once.
    pub(crate) fn take(&mut self, redeeming: Redeeming) {
        if let Arrival::Instant(_) = redeeming.arrival {
            let taken = self.taken.entry(redeeming.allowance.clone()).or_default();
            *taken = taken.saturating_add(redeeming.amount.minor);
        }
        self.changed.insert(redeeming.order);
        self.known.insert(redeeming.order, redeeming);
    }

    /// Counts a redemption no more whose money goes back, if the order is one.
    pub(crate) fn give_back(&mut self, order: OrderId) {
        let Some(redeeming) = self.known.get_mut(&order) else {
            return;
        };
        if redeeming.is_given_back {
            return;
        }
        redeeming.is_given_back = true;
        self.changed.insert(order);
        if let Arrival::Instant(_) = redeeming.arrival {
            let taken = self.taken.entry(redeeming.allowance.clone()).or_default();
            *taken = taken.saturating_sub(redeeming.amount.minor);
        }
    }

    pub(crate) async fn store(&self, tx: &mut Tx) -> Result<(), Error> {
        let mut changed: Vec<&Redeeming> = self.changed.iter().map(|id| &self.known[id]).collect();
        changed.sort_unstable_by_key(|redeeming| redeeming.order);
        let mut taken: Vec<(&Allowance, i64)> = (changed.iter())
            .filter(|redeeming| matches!(redeeming.arrival, Arrival::Instant(_)))
            .map(|redeeming| (&redeeming.allowance, self.taken[&redeeming.allowance]))
            .collect();
        taken.sort_unstable();
        taken.dedup();
        store::store_allowances(tx, &taken).await?;
        store::store(tx, &changed).await
    }
}
