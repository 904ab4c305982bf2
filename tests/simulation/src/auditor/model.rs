//! What the books should be, by the requests alone: integers in ordered maps.

mod banked;
mod payday;

use std::collections::btree_map::Entry;
use std::collections::{BTreeMap, BTreeSet};

use qiao_model::{
    Currency, Day, InstitutionId, MandateId, PaymentId, ProductId, RefundId, Timestamp, UserId,
};
use sha2::{Digest, Sha256};

pub(crate) use banked::Banked;
pub(crate) use payday::PaidOut;

use super::days::day_of;
use super::mandates::{self, Mandate};
use super::shares::shares;
use crate::ask::{AccountName, Ask, Deal, Key, Permission, Place, Sent, Standing, Told};

/// Hours for which an answer is kept under its key.
const KEEP_MILLIS: i64 = 72 * 3600 * 1000;
const SPLITS_MAX: usize = 50;
const HOLD_MILLIS_MAX: i64 = 30 * 24 * 3600 * 1000;
const REFUNDS_MAX: usize = 50;
const REFUND_DAYS_MAX: i64 = 366;

/// What an account has.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Sums {
    pub(crate) posted: i64,
    pub(crate) out: i64,
    pub(crate) into: i64,
}

/// A payment, and what it moves.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Paid {
    what: Made,
    moves: Vec<Move>,
    pub(crate) state: &'static str,
    pub(crate) minor: i64,
    pub(crate) captured: i64,
    pub(crate) refunded: i64,
    /// For each split, what it got and what it gave back.
    pub(crate) got: Vec<i64>,
    pub(crate) returned: Vec<i64>,
    pub(crate) refunds: usize,
    expires_at: Option<Timestamp>,
    has_expired: bool,
    at: Timestamp,
}

/// What the payment was made from.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Made {
    TopUp(UserId, i64),
    Deal(Deal),
    /// Whose debt it paid, from which account, and how much.
    Recovery(InstitutionId, Place, i64),
}

#[derive(Clone, Debug, PartialEq, Eq)]
struct Move {
    from: AccountName,
    to: AccountName,
    minor: i64,
}

/// What a move does to its accounts.
#[derive(Clone, Copy)]
enum Step {
    Post,
    Hold,
    /// Posts so much of what is held and releases the rest.
    Resolve(i64),
}

#[derive(Clone, Debug)]
struct Kept {
    request: String,
    told: Told,
    at: Timestamp,
}

/// The books as they should be.
#[derive(Clone, Debug, Default)]
pub(crate) struct Model {
    pub(crate) accounts: BTreeMap<AccountName, Sums>,
    pub(crate) payments: BTreeMap<PaymentId, Paid>,
    pub(crate) refunds: BTreeMap<RefundId, (PaymentId, i64, Vec<i64>)>,
    pub(crate) income: BTreeMap<(UserId, ProductId), i64>,
    /// How often each kind of event was announced about a subject.
    pub(crate) events: BTreeMap<(&'static str, String), i64>,
    pub(crate) transfers: i64,
    pub(crate) mandates: BTreeMap<MandateId, Mandate>,
    /// Transfers at banks by their ids.
    pub(crate) banked: BTreeMap<String, Banked>,
    pub(crate) payouts: BTreeMap<String, PaidOut>,
    /// The last day on which each institution was paid.
    planned: BTreeMap<InstitutionId, String>,
    /// What came into each account and left it on each day.
    moved: Moved,
    /// What banks gave back in the step that is looked at.
    released: BTreeMap<AccountName, i64>,
    today: i64,
    credited: BTreeSet<(ProductId, Day, UserId)>,
    keys: BTreeMap<String, Kept>,
}

/// Credits and debits of each account by day.
type Moved = BTreeMap<AccountName, BTreeMap<i64, (i64, i64)>>;

type Answer = Result<Told, &'static str>;

impl Model {
    /// What the request should be answered, and does that to the books.
    pub(crate) fn run(&mut self, sent: &Sent, now: Timestamp) -> Told {
        self.today = day_of(now);
        let Some(key) = &sent.key else {
            return flat(self.ask(&sent.ask, now));
        };
        let digest = digest(key);
        if let Some(kept) = self.keys.get(&digest) {
            if kept.request != key.request {
                return Told::Refused("KeyReused".to_owned());
            }
            return kept.told.clone();
        }
        let told = flat(self.ask(&sent.ask, now));
        if told.is_final() {
            let kept = Kept {
                request: key.request.clone(),
                told: told.clone(),
                at: now,
            };
            self.keys.insert(digest, kept);
        }
        told
    }

    /// The digests of the keys whose answers are kept.
    pub(crate) fn digests(&self) -> BTreeSet<String> {
        self.keys.keys().cloned().collect()
    }

    /// Old answers are forgotten.
    pub(crate) fn sweep(&mut self, now: Timestamp) {
        self.keys
            .retain(|_, kept| kept.at.as_millis() >= now.as_millis() - KEEP_MILLIS);
    }

    fn ask(&mut self, ask: &Ask, now: Timestamp) -> Answer {
        match ask {
            Ask::TopUp {
                payment,
                user,
                minor,
            } => self.top_up(*payment, *user, *minor, now),
            Ask::Hold(deal) => self.make(deal, None, "held", now),
            Ask::Pay(deal) => self.make(deal, None, "posted", now),
            Ask::Charge {
                deal,
                product,
                is_held,
            } => {
                let state = if *is_held { "held" } else { "posted" };
                self.make(deal, *product, state, now)
            }
            Ask::Recover {
                payment,
                institution,
                from,
            } => self.recover(*payment, *institution, *from, now),
            // What a bank is asked for is judged by what the tables show of it.
            Ask::Bank(_) => Err("Invalid"),
            Ask::Give(permission) => self.give(permission, now),
            Ask::Revoke { mandate, user } => self.revoke(*mandate, *user),
            Ask::Capture { payment, minor } => self.capture(*payment, *minor),
            Ask::Void { payment } => self.void(*payment, None),
            Ask::Expire { payment } => self.void(*payment, Some(now)),
            Ask::Refund {
                refund,
                payment,
                minor,
            } => self.refund(*refund, *payment, *minor, now),
            Ask::Credit {
                product,
                day,
                lines,
            } => Ok(self.credit(*product, *day, lines)),
        }
    }

    fn top_up(&mut self, id: PaymentId, user: UserId, minor: i64, now: Timestamp) -> Answer {
        if let Some(known) = self.payments.get(&id) {
            let is_same = known.what == Made::TopUp(user, minor);
            return if is_same {
                Ok(known.told(id))
            } else {
                Err("PaymentConflict")
            };
        }
        if minor < 1 {
            return Err("Invalid");
        }
        let sandbox = ("external:sandbox".to_owned(), "external", "CNY".to_owned());
        let moves = vec![Move {
            from: sandbox,
            to: Place::User(user).money(Currency::CNY),
            minor,
        }];
        let paid = Paid::new(Made::TopUp(user, minor), moves, vec![minor], now);
        self.begin(id, paid, "posted")
    }

    fn give(&mut self, permission: &Permission, now: Timestamp) -> Answer {
        if !mandates::is_valid(permission, now) {
            return Err("InvalidMandate");
        }
        let id = permission.mandate;
        if let Entry::Vacant(free) = self.mandates.entry(id) {
            free.insert(Mandate::given(permission, now));
            self.announce("mandate.given", &id);
        }
        self.own_mandate(id, permission.user)
            .map(|mandate| mandate.told())
    }

    fn revoke(&mut self, id: MandateId, user: UserId) -> Answer {
        let mandate = self.own_mandate(id, user)?;
        let is_news = mandate.revoke();
        let told = mandate.told();
        if is_news {
            self.announce("mandate.revoked", &id);
        }
        Ok(told)
    }

    fn own_mandate(&mut self, id: MandateId, user: UserId) -> Result<&mut Mandate, &'static str> {
        let found = self.mandates.get_mut(&id);
        found
            .filter(|mandate| mandate.is_of(user))
            .ok_or("UnknownMandate")
    }

    /// As much of the debt as the account has.
    fn recover(
        &mut self,
        id: PaymentId,
        institution: InstitutionId,
        from: Place,
        now: Timestamp,
    ) -> Answer {
        if let Some(known) = self.payments.get(&id) {
            let is_same = matches!(&known.what, Made::Recovery(of, payer, _)
                if (*of, *payer) == (institution, from));
            return if is_same {
                Ok(known.told(id))
            } else {
                Err("PaymentConflict")
            };
        }
        let minor = self.recoverable(institution, from);
        if minor <= 0 {
            return Err("NothingToRecover");
        }
        let moves = vec![Move {
            from: from.money(Currency::CNY),
            to: Place::Receivable(institution).money(Currency::CNY),
            minor,
        }];
        let what = Made::Recovery(institution, from, minor);
        self.begin(id, Paid::new(what, moves, vec![minor], now), "posted")
    }

    /// What an institution owes and has.
    fn recoverable(&self, institution: InstitutionId, from: Place) -> i64 {
        let sums = |place: Place| {
            let found = self.accounts.get(&place.money(Currency::CNY));
            found.copied().unwrap_or_default()
        };
        let free = sums(from).posted - sums(from).out;
        free.min(-sums(Place::Receivable(institution)).posted)
    }

    /// A step with banks begins.
    pub(crate) fn begin_step(&mut self, now: Timestamp) {
        self.released.clear();
        self.today = day_of(now);
    }

    fn make(
        &mut self,
        deal: &Deal,
        product: Option<ProductId>,
        state: &'static str,
        now: Timestamp,
    ) -> Answer {
        if let Some(known) = self.payments.get(&deal.payment) {
            let is_same = known.what == Made::Deal(deal.clone());
            return if is_same {
                Ok(known.told(deal.payment))
            } else {
                Err("PaymentConflict")
            };
        }
        if !is_valid(deal, now) {
            return Err("Invalid");
        }
        if let Some(id) = deal.mandate {
            let mandate = self.mandates.get(&id).ok_or("UnknownMandate")?;
            if let Some(cause) = mandate.refuses(deal, product, now) {
                return Err(cause);
            }
        }
        let money = deal.splits.iter().filter(|(_, minor)| *minor > 0);
        let money = money.map(|(to, minor)| Move {
            from: deal.payer.money(deal.currency),
            to: to.money(deal.currency),
            minor: *minor,
        });
        let units = deal.units.iter().map(|units| Move {
            from: units.from.units(units.product),
            to: units.to.units(units.product),
            minor: units.minor,
        });
        let moves = money.chain(units).collect();
        let got = deal.splits.iter().map(|(_, minor)| *minor).collect();
        let mut paid = Paid::new(Made::Deal(deal.clone()), moves, got, now);
        paid.expires_at = deal.expires_at;
        let told = self.begin(deal.payment, paid, state)?;
        let mandate = deal.mandate.and_then(|id| self.mandates.get_mut(&id));
        let is_last = mandate.is_some_and(|mandate| mandate.take(deal.payment, deal.minor, now));
        if let Some(id) = deal.mandate.filter(|_| is_last) {
            self.announce("mandate.used-up", &id);
        }
        Ok(told)
    }

    /// The mandate that paid for a payment, if one did.
    fn mandate_of(&mut self, payment: PaymentId) -> Option<&mut Mandate> {
        let Made::Deal(deal) = &self.payments.get(&payment)?.what else {
            return None;
        };
        self.mandates.get_mut(&deal.mandate?)
    }

    fn begin(&mut self, id: PaymentId, mut paid: Paid, state: &'static str) -> Answer {
        let is_held = state == "held";
        let step = if is_held { Step::Hold } else { Step::Post };
        let steps: Vec<_> = paid.moves.iter().map(|part| (part, step)).collect();
        if !do_all((&mut self.accounts, &mut self.moved), self.today, &steps) {
            return Err("InsufficientFunds");
        }
        self.transfers += i64::try_from(steps.len()).unwrap_or(0);
        paid.state = state;
        paid.captured = if is_held { 0 } else { paid.minor };
        if is_held {
            paid.got.fill(0);
        }
        let told = paid.told(id);
        self.payments.insert(id, paid);
        self.announce(
            if is_held {
                "payment.held"
            } else {
                "payment.posted"
            },
            &id,
        );
        Ok(told)
    }

    fn capture(&mut self, id: PaymentId, minor: Option<i64>) -> Answer {
        let paid = self.payments.get_mut(&id).ok_or("UnknownPayment")?;
        let captured = minor.unwrap_or(paid.minor);
        match paid.state {
            "held" => {}
            "voided" if paid.has_expired => return Err("HoldExpired"),
            "voided" => return Err("WrongState"),
            _ if paid.captured == captured => return Ok(paid.told(id)),
            _ => return Err("WrongState"),
        }
        if captured < 1 || captured > paid.minor {
            return Err("ExceedsHeld");
        }
        let Made::Deal(deal) = &paid.what else {
            return Err("a top-up is never held");
        };
        if captured < paid.minor && !deal.units.is_empty() {
            return Err("WholeCaptureOnly");
        }
        let wanted: Vec<i64> = deal.splits.iter().map(|(_, minor)| *minor).collect();
        paid.got = shares(captured, &wanted);
        let money = wanted
            .iter()
            .zip(&paid.got)
            .filter(|(split, _)| **split > 0);
        let posted = money.map(|(_, got)| *got);
        let posted = posted.chain(deal.units.iter().map(|units| units.minor));
        let steps: Vec<_> = (paid.moves.iter().zip(posted))
            .map(|(part, posted)| (part, Step::Resolve(posted)))
            .collect();
        do_all((&mut self.accounts, &mut self.moved), self.today, &steps);
        self.transfers += i64::try_from(steps.len()).unwrap_or(0);
        paid.state = "posted";
        paid.captured = captured;
        let rest = paid.minor - captured;
        let told = paid.told(id);
        self.announce("payment.posted", &id);
        if let Some(mandate) = self.mandate_of(id) {
            mandate.give_back(id, rest);
        }
        Ok(told)
    }

    fn void(&mut self, id: PaymentId, expires_now: Option<Timestamp>) -> Answer {
        let paid = self.payments.get_mut(&id).ok_or("UnknownPayment")?;
        match paid.state {
            "held" => {}
            "voided" => return Ok(paid.told(id)),
            _ => return Err("WrongState"),
        }
        if let Some(now) = expires_now {
            if paid.expires_at.is_none_or(|at| at > now) {
                return Err("NotExpired");
            }
            paid.has_expired = true;
        }
        let steps: Vec<_> = (paid.moves.iter())
            .map(|part| (part, Step::Resolve(0)))
            .collect();
        do_all((&mut self.accounts, &mut self.moved), self.today, &steps);
        self.transfers += i64::try_from(steps.len()).unwrap_or(0);
        paid.state = "voided";
        let told = paid.told(id);
        self.announce("payment.voided", &id);
        if let Some(mandate) = self.mandate_of(id) {
            mandate.forget(id);
        }
        Ok(told)
    }

    fn refund(&mut self, id: RefundId, of: PaymentId, minor: i64, now: Timestamp) -> Answer {
        if let Some((payment, known, parts)) = self.refunds.get(&id) {
            if (*payment, *known) != (of, minor) {
                return Err("RefundConflict");
            }
            let paid = self.payments.get(&of).ok_or("UnknownPayment")?;
            return Ok(Told::Refunded {
                standing: paid.standing(of),
                refund: id,
                parts: parts.clone(),
            });
        }
        let paid = self.payments.get_mut(&of).ok_or("UnknownPayment")?;
        if matches!(paid.state, "held" | "voided") {
            return Err("WrongState");
        }
        if !paid.gives_back() {
            return Err("NotRefundable");
        }
        if minor < 1 {
            return Err("Invalid");
        }
        if minor > paid.captured - paid.refunded {
            return Err("ExceedsRefundable");
        }
        if paid.refunds >= REFUNDS_MAX {
            return Err("TooManyRefunds");
        }
        if day_of(now) - day_of(paid.at) > REFUND_DAYS_MAX {
            return Err("RefundTooLate");
        }
        let left: Vec<i64> = (paid.got.iter().zip(&paid.returned))
            .map(|(got, returned)| got - returned)
            .collect();
        let parts = shares(minor, &left);
        let is_whole = paid.refunded + minor == paid.captured;
        let owed = owed(&self.accounts, paid, &parts).ok_or("ReceiverShort")?;
        let moves = paid.backwards(&parts, &owed, is_whole);
        let steps: Vec<_> = moves.iter().map(|part| (part, Step::Post)).collect();
        if !do_all((&mut self.accounts, &mut self.moved), self.today, &steps) {
            return Err("ReceiverShort");
        }
        self.transfers += i64::try_from(steps.len()).unwrap_or(0);
        for (returned, part) in paid.returned.iter_mut().zip(&parts) {
            *returned += part;
        }
        paid.refunded += minor;
        paid.refunds += 1;
        paid.state = if is_whole {
            "refunded"
        } else {
            "partly-refunded"
        };
        let standing = paid.standing(of);
        self.refunds.insert(id, (of, minor, parts.clone()));
        self.announce("payment.refunded", &of);
        if owed.iter().any(|owed| *owed > 0) {
            self.announce("receivable.opened", &of);
        }
        if let Some(mandate) = self.mandate_of(of) {
            mandate.give_back(of, minor);
        }
        Ok(Told::Refunded {
            standing,
            refund: id,
            parts,
        })
    }

    fn credit(&mut self, product: ProductId, day: Day, lines: &[(UserId, i64)]) -> Told {
        let (mut holders, mut sum, mut existing) = (0, 0, 0);
        for (user, minor) in lines.iter().filter(|(_, minor)| *minor > 0) {
            if !self.credited.insert((product, day, *user)) {
                existing += 1;
                continue;
            }
            let part = Move {
                from: Place::Income.units(product),
                to: Place::Holding(*user).units(product),
                minor: *minor,
            };
            let books = (&mut self.accounts, &mut self.moved);
            do_all(books, self.today, &[(&part, Step::Post)]);
            self.transfers += 1;
            *self.income.entry((*user, product)).or_default() += minor;
            holders += 1;
            sum += minor;
        }
        if holders > 0 {
            self.announce("income.credited", &product);
        }
        Told::Credited {
            holders,
            minor: sum,
            existing,
        }
    }

    fn announce(&mut self, kind: &'static str, subject: &impl ToString) {
        *self.events.entry((kind, subject.to_string())).or_default() += 1;
    }
}

impl Paid {
    fn new(what: Made, moves: Vec<Move>, got: Vec<i64>, at: Timestamp) -> Self {
        Self {
            what,
            moves,
            state: "held",
            minor: got.iter().sum(),
            captured: 0,
            refunded: 0,
            returned: vec![0; got.len()],
            got,
            refunds: 0,
            expires_at: None,
            has_expired: false,
            at,
        }
    }

    fn standing(&self, id: PaymentId) -> Standing {
        Standing {
            payment: id,
            state: self.state.to_owned(),
            captured: self.captured,
            refunded: self.refunded,
        }
    }

    fn told(&self, id: PaymentId) -> Told {
        Told::Payment(self.standing(id))
    }

    /// Where each split went; none for a split of nothing.
    fn receivers(&self) -> Vec<Option<&Move>> {
        let mut money = self.moves.iter();
        let wanted: Vec<i64> = match &self.what {
            Made::TopUp(_, minor) | Made::Recovery(_, _, minor) => vec![*minor],
            Made::Deal(deal) => deal.splits.iter().map(|(_, minor)| *minor).collect(),
        };
        let of = |split: i64| if split > 0 { money.next() } else { None };
        wanted.into_iter().map(of).collect()
    }

    /// Whether the books can take it back: what went to a bank is gone.
    fn gives_back(&self) -> bool {
        match &self.what {
            Made::TopUp(..) => true,
            Made::Recovery(..) => false,
            Made::Deal(deal) => !(deal.splits.iter())
                .any(|(place, _)| matches!(place, Place::Bank(_) | Place::Receivable(_))),
        }
    }

    /// Whose debt it is when a receiver lacks its part: the institution's, but not
    /// towards itself.
    fn debt(&self) -> Option<AccountName> {
        let Made::Deal(deal) = &self.what else {
            return None;
        };
        let is_own = match deal.payer {
            Place::Settlement(id) | Place::Revenue(id) => id == deal.institution,
            _ => false,
        };
        (!is_own).then(|| Place::Receivable(deal.institution).money(deal.currency))
    }

    /// Each part to the payer, from its receiver and from whoever owes what that
    /// lacks, and with the last of it the units.
    fn backwards(&self, parts: &[i64], owed: &[i64], is_whole: bool) -> Vec<Move> {
        let receivers = self.receivers();
        let units = receivers.iter().flatten().count();
        let mut back = Vec::new();
        for ((moved, part), owed) in receivers.into_iter().zip(parts).zip(owed) {
            let Some(moved) = moved else { continue };
            if part > owed {
                back.push(moved.back(part - owed));
            }
            if let Some(debt) = self.debt().filter(|_| *owed > 0) {
                let from = Move {
                    to: debt,
                    ..moved.clone()
                };
                back.push(from.back(*owed));
            }
        }
        if is_whole {
            let units = self.moves[units..].iter();
            back.extend(units.map(|units| units.back(units.minor)));
        }
        back
    }
}

/// Of each part of a refund, what its receiver lacks; none when nobody owes it.
fn owed(accounts: &BTreeMap<AccountName, Sums>, paid: &Paid, parts: &[i64]) -> Option<Vec<i64>> {
    let mut free: BTreeMap<&AccountName, i64> = BTreeMap::new();
    let mut owed = Vec::new();
    for (moved, part) in paid.receivers().into_iter().zip(parts) {
        let Some(moved) = moved else {
            owed.push(0);
            continue;
        };
        let sums = accounts.get(&moved.to).copied().unwrap_or_default();
        let left = free
            .entry(&moved.to)
            .or_insert_with(|| (sums.posted - sums.out).max(0));
        let given = (*part).min(*left);
        *left -= given;
        owed.push(part - given);
    }
    let is_owed = owed.iter().any(|owed| *owed > 0);
    (!is_owed || paid.debt().is_some()).then_some(owed)
}

impl Move {
    fn back(&self, minor: i64) -> Self {
        Self {
            from: self.to.clone(),
            to: self.from.clone(),
            minor,
        }
    }
}

/// Does all of it, or nothing when an account would fall below its floor.
fn do_all(
    (accounts, moved): (&mut BTreeMap<AccountName, Sums>, &mut Moved),
    today: i64,
    steps: &[(&Move, Step)],
) -> bool {
    let before = accounts.clone();
    for (part, step) in steps {
        let from = accounts.entry(part.from.clone()).or_default();
        match step {
            Step::Post | Step::Hold => {
                if has_floor(part.from.1) && from.posted - from.out < part.minor {
                    *accounts = before;
                    return false;
                }
            }
            Step::Resolve(_) => from.out -= part.minor,
        }
        match step {
            Step::Post => from.posted -= part.minor,
            Step::Hold => from.out += part.minor,
            Step::Resolve(minor) => from.posted -= minor,
        }
        let to = accounts.entry(part.to.clone()).or_default();
        match step {
            Step::Post => to.posted += part.minor,
            Step::Hold => to.into += part.minor,
            Step::Resolve(minor) => {
                to.into -= part.minor;
                to.posted += minor;
            }
        }
    }
    for (part, step) in steps {
        let posted = match step {
            Step::Post => part.minor,
            Step::Hold => 0,
            Step::Resolve(minor) => *minor,
        };
        for (account, credit, debit) in [(&part.to, posted, 0), (&part.from, 0, posted)] {
            let days = moved.entry(account.clone()).or_default();
            let (credits, debits) = days.entry(today).or_default();
            *credits += credit;
            *debits += debit;
        }
    }
    true
}

/// Whether an account of this kind may not fall below zero.
pub(crate) fn has_floor(kind: &str) -> bool {
    !matches!(kind, "external" | "receivable" | "issuance" | "income")
}

fn is_valid(deal: &Deal, now: Timestamp) -> bool {
    let sum: i64 = deal.splits.iter().map(|(_, minor)| minor).sum();
    let splits = deal.splits.len();
    let in_time = deal.expires_at.is_none_or(|at| {
        let left = at.as_millis() - now.as_millis();
        left > 0 && left <= HOLD_MILLIS_MAX
    });
    let is_split = |(place, minor): &(Place, i64)| *minor >= 0 && *place != deal.payer;
    deal.minor > 0
        && (1..=SPLITS_MAX).contains(&splits)
        && deal.splits.iter().all(is_split)
        && sum == deal.minor
        && deal
            .units
            .iter()
            .all(|units| units.minor > 0 && units.from != units.to)
        && in_time
}

fn flat(answer: Answer) -> Told {
    answer.unwrap_or_else(|refusal| Told::Refused(refusal.to_owned()))
}

/// The digest under which an answer is kept: 16 bytes of owner, zero and key.
pub(crate) fn digest(key: &Key) -> String {
    let mut hash = Sha256::new();
    hash.update(format!("{}\0{}", key.owner, key.key));
    hash.finalize()[..16]
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect()
}
