//! What transfers at banks do to the books, by what the banks themselves did: a
//! host may believe a bank, and may not know; it may not guess.

use qiao_model::{BankTransferId, Channel, Currency, InstitutionId, PaymentId};

use super::{Made, Model, Move, Paid};
use crate::ask::{AtBanks, BANKS, BankAsk, BankPurpose, BankState, BankTerms, Deal, Place};
use crate::auditor::tables::TransferRow;

/// A transfer as the books know it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Banked {
    ask: BankAsk,
    route: i64,
    bank: Channel,
    payment: PaymentId,
    /// What the first bank would have taken: a person agreed to no more.
    fee_agreed: i64,
    pub(crate) state: String,
}

type Checked = Result<(), String>;

impl Model {
    /// A transfer that was asked for is stored, and its money is held.
    pub(crate) fn begin_at_bank(&mut self, row: &TransferRow, ask: &BankAsk) -> Checked {
        let first = route_of(row, ask, 1)?;
        if ask.bank.is_some_and(|bank| bank != first.bank) {
            return Err(format!(
                "{} goes by {} and not as asked",
                row.id, first.bank
            ));
        }
        let banked = Banked {
            ask: ask.clone(),
            route: 1,
            bank: first.bank,
            payment: first.payment,
            fee_agreed: first.fee,
            state: "requested".to_owned(),
        };
        check_price(&first, &banked)?;
        if !ask.purpose.is_in() {
            self.hold_for_bank(&first, ask)?;
        }
        self.banked.insert(row.id.clone(), banked);
        Ok(())
    }

    /// What became of a transfer since it was looked at last.
    pub(crate) fn follow_at_bank(&mut self, row: &TransferRow, at_banks: &AtBanks) -> Checked {
        let found = self.banked.get(&row.id);
        let before = found
            .cloned()
            .ok_or_else(|| format!("nobody asked for {}", row.id))?;
        let mut now = Banked {
            route: row.route,
            bank: row.bank,
            payment: row.payment,
            state: row.state.clone(),
            ..before.clone()
        };
        if row.route == before.route {
            let is_same = (row.bank, row.payment) == (before.bank, before.payment);
            if !is_same || rank(&before.state) > rank(&row.state) {
                return Err(format!("{} went back from {before:?} to {row:?}", row.id));
            }
            if is_final(&before.state) && before.state != row.state {
                return Err(format!("{} had ended as {}", row.id, before.state));
            }
        } else {
            self.reroute(row, &before, at_banks)?;
        }
        check_price(row, &now)?;
        check_state(row, &now, at_banks)?;
        let is_news = row.state != before.state || row.route != before.route;
        if is_news && is_final(&row.state) {
            self.end_at_bank(row, &now)?;
        }
        now.route = row.route;
        self.banked.insert(row.id.clone(), now);
        Ok(())
    }

    /// Another bank carries it: only when every one before certainly did nothing.
    fn reroute(&mut self, row: &TransferRow, before: &Banked, at_banks: &AtBanks) -> Checked {
        let ask = &before.ask;
        let is_next = row.route > before.route && !is_final(&before.state);
        if ask.bank.is_some() || !is_next || row.tried.contains(&row.bank) {
            return Err(format!("{} may not go another way: {row:?}", row.id));
        }
        for tried in &row.tried {
            let there = at_banks.get(&(*tried, row.id.clone()));
            if there.is_some_and(|there| there.state != BankState::Rejected) {
                return Err(format!("{} left {tried}, which has it: {there:?}", row.id));
            }
        }
        if !ask.purpose.is_in() {
            for route in before.route..row.route {
                self.release(route_of(row, ask, route)?.payment)?;
                self.hold_for_bank(&route_of(row, ask, route + 1)?, ask)?;
            }
        }
        Ok(())
    }

    fn hold_for_bank(&mut self, row: &TransferRow, ask: &BankAsk) -> Checked {
        let (what, paid) = outgoing(row, ask);
        let held = self.begin(what, paid, "held");
        held.map(drop)
            .map_err(|cause| format!("{} holds what is not there: {cause}", row.id))
    }

    fn release(&mut self, payment: PaymentId) -> Checked {
        if let Some(paid) = self.payments.get(&payment) {
            for part in &paid.moves {
                *self.released.entry(part.from.clone()).or_default() += part.minor;
            }
        }
        let released = self.void(payment, None);
        released
            .map(drop)
            .map_err(|cause| format!("{payment} is not held: {cause}"))
    }

    fn end_at_bank(&mut self, row: &TransferRow, banked: &Banked) -> Checked {
        let is_done = row.state == "done";
        let done = match (banked.ask.purpose.is_in(), is_done) {
            (true, false) => return Ok(()),
            (true, true) => {
                let (id, paid) = incoming(row, &banked.ask);
                self.begin(id, paid, "posted")
            }
            (false, true) => self.capture(banked.payment, None),
            (false, false) => return self.release(banked.payment),
        };
        done.map(drop)
            .map_err(|cause| format!("{}: {cause}", row.id))
    }

    /// Whether somebody lacks what a transfer takes by any bank.
    pub(crate) fn lacks_for_bank(&self, ask: &BankAsk) -> bool {
        let account = ask.who.money(Currency::CNY);
        let sums = self.accounts.get(&account).copied().unwrap_or_default();
        let least = match ask.purpose {
            BankPurpose::PayOut => 0,
            _ => BANKS
                .iter()
                .map(|bank| fee(bank, ask.minor))
                .min()
                .unwrap_or(0),
        };
        !ask.purpose.is_in() && sums.posted - sums.out < ask.minor + least
    }
}

impl Banked {
    /// Whether the host knows how it ended.
    pub(crate) fn has_ended(&self) -> bool {
        is_final(&self.state)
    }

    pub(crate) const fn bank(&self) -> Channel {
        self.bank
    }

    /// What it is at its bank, if its bank knows it.
    pub(crate) fn at(&self, id: &str, at_banks: &AtBanks) -> Option<BankState> {
        let there = at_banks.get(&(self.bank, id.to_owned()));
        there.map(|there| there.state)
    }
}

/// A transfer as it was on one of its routes.
fn route_of(row: &TransferRow, ask: &BankAsk, route: i64) -> Result<TransferRow, String> {
    let strange = || format!("{} has no route {route}", row.id);
    if route == row.route {
        return Ok(row.clone());
    }
    let index = usize::try_from(route - 1).map_err(|_| strange())?;
    let bank = *row.tried.get(index).ok_or_else(strange)?;
    let transfer: BankTransferId = row.id.parse().map_err(|_| strange())?;
    let terms = terms_of(bank)?;
    let fee = fee(terms, ask.minor);
    Ok(TransferRow {
        bank,
        route,
        fee,
        minor: moved(ask, fee),
        payment: transfer.derive("bank transfer", route.unsigned_abs()),
        ..row.clone()
    })
}

fn terms_of(bank: Channel) -> Result<&'static BankTerms, String> {
    let terms = BANKS.iter().find(|terms| terms.code == bank.code());
    terms.ok_or_else(|| format!("there is no bank {bank}"))
}

/// What the bank moves: a person pays the fee on top, an institution out of it.
const fn moved(ask: &BankAsk, fee: i64) -> i64 {
    match ask.purpose {
        BankPurpose::TopUp | BankPurpose::PayIn => ask.minor + fee,
        BankPurpose::Withdraw => ask.minor,
        BankPurpose::PayOut => ask.minor - fee,
    }
}

/// A share is rounded up.
pub(super) const fn fee(bank: &BankTerms, minor: i64) -> i64 {
    let share = minor * bank.ppm;
    bank.flat_minor + share / 1_000_000 + (share % 1_000_000 > 0) as i64
}

/// What the bank moves and takes is what was asked for, by its terms.
fn check_price(row: &TransferRow, banked: &Banked) -> Checked {
    let ask = &banked.ask;
    let terms = terms_of(row.bank)?;
    let due = fee(terms, ask.minor);
    let moved = moved(ask, due);
    if (row.minor, row.fee) != (moved, due) {
        return Err(format!(
            "{} moves {} for {} and should move {moved} for {due}",
            row.id, row.minor, row.fee
        ));
    }
    if ask.purpose != BankPurpose::PayOut && due > banked.fee_agreed {
        return Err(format!("{} is dearer than agreed", row.id));
    }
    if moved > terms.minor_max {
        return Err(format!("{} is more than {} carries", row.id, row.bank));
    }
    Ok(())
}

/// What the host says of it is what its bank did.
fn check_state(row: &TransferRow, banked: &Banked, at_banks: &AtBanks) -> Checked {
    let there = at_banks.get(&(row.bank, row.id.clone()));
    let due = (banked.ask.purpose.is_in(), row.minor);
    if there.is_some_and(|there| (there.is_in, there.minor) != due) {
        return Err(format!(
            "{} is something else at its bank: {there:?}",
            row.id
        ));
    }
    let state = there.map(|there| there.state);
    let is_so = match row.state.as_str() {
        "requested" | "unknown" => true,
        "accepted" => state.is_some(),
        "done" => state == Some(BankState::Done),
        "rejected" => matches!(state, None | Some(BankState::Rejected)),
        _ => false,
    };
    if is_so {
        Ok(())
    } else {
        Err(format!(
            "{} is {} and at its bank {there:?}",
            row.id, row.state
        ))
    }
}

fn rank(state: &str) -> usize {
    let order = ["requested", "unknown", "accepted", "done", "rejected"];
    order.iter().position(|known| *known == state).unwrap_or(0)
}

fn is_final(state: &str) -> bool {
    matches!(state, "done" | "rejected")
}

/// What leaves the books, and its fee beside it.
fn outgoing(row: &TransferRow, ask: &BankAsk) -> (PaymentId, Paid) {
    let splits = vec![
        (Place::Bank(row.bank), row.minor),
        (Place::Fees(row.bank), row.fee),
    ];
    paid(row, ask.who, splits)
}

/// What comes in: the fee is out of what the bank moved.
fn incoming(row: &TransferRow, ask: &BankAsk) -> (PaymentId, Paid) {
    let splits = vec![
        (ask.who, row.minor - row.fee),
        (Place::Fees(row.bank), row.fee),
    ];
    paid(row, Place::Bank(row.bank), splits)
}

fn paid(row: &TransferRow, payer: Place, mut splits: Vec<(Place, i64)>) -> (PaymentId, Paid) {
    splits.retain(|(_, minor)| *minor > 0);
    let moves = splits.iter().map(|(to, minor)| Move {
        from: payer.money(Currency::CNY),
        to: to.money(Currency::CNY),
        minor: *minor,
    });
    let got: Vec<i64> = splits.iter().map(|(_, minor)| *minor).collect();
    let deal = Deal {
        payment: row.payment,
        // Nobody asks for these payments again, or refunds them.
        institution: InstitutionId::from_u128(0),
        mandate: None,
        payer,
        currency: Currency::CNY,
        minor: got.iter().sum(),
        splits: splits.clone(),
        units: Vec::new(),
        expires_at: None,
    };
    let moves = moves.collect();
    (row.payment, Paid::new(Made::Deal(deal), moves, got, row.at))
}
