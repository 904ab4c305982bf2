use std::collections::{BTreeMap, BTreeSet, HashMap};

use qiao_db::attest::Fact;
use qiao_db::{Error, Tx};
use qiao_model::{Day, OrderId, ProductId, UserId};
use qiao_payments::Account;

use super::{Lot, LotEffect, LotsDigest, Taken, digest, take};
use crate::head::Head;
use crate::rules::{MoneyStep, Refusal};
use crate::store::lots as store;

/// Whose lots of which product.
type Holder = (UserId, ProductId);

/// What a batch may need of the lots.
#[derive(Debug, Default)]
pub(crate) struct Wanted {
    holders: BTreeSet<Holder>,
    redemptions: BTreeSet<OrderId>,
}

impl Wanted {
    /// Names the lots that an order may touch when it is placed or when its money moves.
    pub(crate) fn add(&mut self, head: &Head) {
        match head.lots {
            LotEffect::Unkept => {}
            LotEffect::Added => {
                self.holders.insert((head.user, head.product));
            }
            LotEffect::Taken => {
                self.holders.insert((head.user, head.product));
                self.redemptions.insert(head.id);
            }
        }
    }
}

/// The lots that a batch touches, and what it does to them. Nobody else changes
/// them meanwhile: whoever moves a holding has locked its ledger account.
#[derive(Debug, Default)]
pub(crate) struct LoadedLots {
    /// The oldest first.
    lots: HashMap<Holder, Vec<Lot>>,
    /// What redemptions took, by redemption and lot.
    uses: HashMap<OrderId, Vec<(OrderId, i64)>>,
    added: Vec<store::NewLot>,
    used: Vec<store::NewUse>,
    /// Lots of which another rest is left, as they were before.
    changed: BTreeMap<OrderId, store::Left>,
}

impl LoadedLots {
    /// Loads what is wanted. The accounts of the holdings must be locked before.
    pub(crate) async fn load(tx: &mut Tx, wanted: &Wanted) -> Result<Self, Error> {
        let mut loaded = Self::default();
        if wanted.holders.is_empty() {
            return Ok(loaded);
        }
        for (redemption, lot, minor) in store::uses_of(tx, &wanted.redemptions).await? {
            loaded
                .uses
                .entry(redemption)
                .or_default()
                .push((lot, minor));
        }
        let used: BTreeSet<OrderId> = loaded
            .uses
            .values()
            .flatten()
            .map(|(lot, _)| *lot)
            .collect();
        for (user, product, lot) in store::load(tx, &wanted.holders, &used).await? {
            loaded.lots.entry((user, product)).or_default().push(lot);
        }
        for lots in loaded.lots.values_mut() {
            lots.sort_unstable_by_key(|lot| (lot.acquired, lot.order));
        }
        Ok(loaded)
    }

    /// What a placed redemption takes, if it is what its quote said; nothing for
    /// an order that takes no lots.
    ///
    /// # Errors
    /// [`Refusal::LotsChanged`].
    pub(crate) fn takes(
        &self,
        books: &qiao_payments::batch::Loaded,
        head: &Head,
        quoted: Option<LotsDigest>,
    ) -> Result<Vec<Taken>, Refusal> {
        let (LotEffect::Taken, Some(units)) = (head.lots, head.units_minor) else {
            return Ok(Vec::new());
        };
        let account = Account::Holding(head.user).of(head.product).id();
        let available = books
            .balance(account)
            .map_or(0, |balance| balance.available());
        let taken = take(self.of(head), available, units);
        if quoted != Some(digest(&taken)) {
            return Err(Refusal::LotsChanged(head.id));
        }
        Ok(taken)
    }

    /// Takes them.
    pub(crate) fn take(&mut self, head: &Head, taken: &[Taken]) {
        for taken in taken {
            let Some(lot) = taken.lot else { continue };
            self.change(head, lot.order, -taken.minor);
            self.used.push(store::NewUse {
                redemption: head.id,
                lot: lot.order,
                minor: taken.minor,
            });
            let uses = self.uses.entry(head.id).or_default();
            uses.push((lot.order, taken.minor));
        }
    }

    /// Follows what happened to an order's money.
    pub(crate) fn follow(&mut self, head: &Head, money: MoneyStep, today: Day) {
        match (head.lots, money) {
            (LotEffect::Added, MoneyStep::Post) => self.add(head, today),
            (LotEffect::Added, MoneyStep::Refund) => self.withdraw(head),
            (LotEffect::Taken, MoneyStep::Void | MoneyStep::Refund) => {
                for (lot, minor) in self.uses.remove(&head.id).unwrap_or_default() {
                    self.change(head, lot, minor);
                }
            }
            (LotEffect::Unkept, _)
            | (LotEffect::Added, MoneyStep::Nothing | MoneyStep::SetAside | MoneyStep::Void)
            | (LotEffect::Taken, MoneyStep::Nothing | MoneyStep::SetAside | MoneyStep::Post) => {}
        }
    }

    fn of(&self, head: &Head) -> &[Lot] {
        let lots = self.lots.get(&(head.user, head.product));
        lots.map_or(&[], Vec::as_slice)
    }

    fn add(&mut self, head: &Head, acquired: Day) {
        let Some(units_minor) = head.units_minor else {
            return;
        };
        let lot = Lot {
            order: head.id,
            acquired,
            left_minor: units_minor,
            changes: 0,
        };
        let lots = self.lots.entry((head.user, head.product)).or_default();
        // Newer than all before it, or of the same day and behind them.
        lots.push(lot);
        self.added.push(store::NewLot {
            lot,
            user: head.user,
            product: head.product,
            units_minor,
        });
    }

    /// The units of a refunded purchase go: of its own lot, and what a redemption
    /// took of that, of the newest lots instead.
    fn withdraw(&mut self, head: &Head) {
        let mut wanted = head.units_minor.unwrap_or(0);
        let mut lots = self.of(head).to_vec();
        lots.sort_by_key(|lot| lot.order == head.id);
        for lot in lots.into_iter().rev() {
            let minor = lot.left_minor.min(wanted);
            wanted -= minor;
            if minor > 0 {
                self.change(head, lot.order, -minor);
            }
        }
    }

    fn change(&mut self, head: &Head, order: OrderId, by_minor: i64) {
        let lots = self.lots.get_mut(&(head.user, head.product));
        let lot = lots.and_then(|lots| lots.iter_mut().find(|lot| lot.order == order));
        let lot = lot.expect("a lot that changes was loaded with its holding");
        let left = self.changed.entry(order).or_insert(store::Left {
            before: *lot,
            now_minor: 0,
        });
        lot.left_minor += by_minor;
        assert!(lot.left_minor >= 0, "a lot gives no more than it has");
        left.now_minor = lot.left_minor;
    }

    /// Writes what was decided, and adds what the journal attests of it.
    pub(crate) async fn store(self, tx: &mut Tx, facts: &mut Vec<Fact>) -> Result<(), Error> {
        store::insert(tx, &self.added, facts).await?;
        store::insert_uses(tx, &self.used, facts).await?;
        store::update(tx, &self.changed, facts).await
    }
}
