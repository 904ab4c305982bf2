//! The words of a state, a kind, a party: one place for all pages.

use std::collections::HashMap;

use qiao_catalog::fee::ChargedLine;
use qiao_catalog::{OrderKind, Payer, Receiver};
use qiao_ledger::{AccountKind, Owner, Transfer, TransferKind, account_id};
use qiao_model::{
    Amount, Asset, Channel, InstitutionId, LedgerAccountId, Money, ProductId, UserId,
};
use qiao_orders::plan::Parties;
use qiao_orders::{Arrival, OrderState};
use qiao_payments::{Account as UnitsAccount, MandateState, Party, PaymentState, SpendLimits};
use qiao_registry::{InstitutionKind, InstitutionState, ReleaseState};

use super::purpose;
use super::text::{Text, fill};
use super::view::user::FeeLine;
use super::view::{Badge, Cell, Empty, Facts, Figure, Table, Tone};

/// An order's state in a word and in a sentence.
pub(crate) fn order_state(state: OrderState, t: &'static Text) -> (Badge, &'static str) {
    let (tone, word, sentence) = match state {
        OrderState::Held => (Tone::Info, t.state_held, t.state_held_text),
        OrderState::Paid => (Tone::Info, t.state_paid, t.state_paid_text),
        OrderState::Completed => (Tone::Good, t.state_completed, t.state_completed_text),
        OrderState::Voided => (Tone::Plain, t.state_voided, t.state_voided_text),
        OrderState::Refunded => (Tone::Warning, t.state_refunded, t.state_refunded_text),
        OrderState::Unknown => (Tone::Warning, t.state_unknown, t.state_unknown_text),
    };
    (Badge::new(tone, word), sentence)
}

/// A payment's state in a word.
pub(crate) fn payment_state(state: PaymentState, t: &Text) -> Badge {
    let (tone, word) = match state {
        PaymentState::Held => (Tone::Info, t.payment_held),
        PaymentState::Posted => (Tone::Good, t.payment_posted),
        PaymentState::Voided => (Tone::Plain, t.payment_voided),
        PaymentState::PartlyRefunded => (Tone::Warning, t.payment_partly_refunded),
        PaymentState::Refunded => (Tone::Warning, t.payment_refunded),
    };
    Badge::new(tone, word)
}

/// A payment's state as plain text.
pub(crate) fn payment_word(state: PaymentState, t: &Text) -> &'static str {
    match state {
        PaymentState::Held => t.payment_held,
        PaymentState::Posted => t.payment_posted,
        PaymentState::Voided => t.payment_voided,
        PaymentState::PartlyRefunded => t.payment_partly_refunded,
        PaymentState::Refunded => t.payment_refunded,
    }
}

/// A mandate's state in a word.
pub(crate) fn mandate_state(state: MandateState, t: &Text) -> Badge {
    let (tone, word) = match state {
        MandateState::Active => (Tone::Good, t.mandate_active),
        MandateState::Revoked => (Tone::Plain, t.mandate_revoked),
        MandateState::Expired => (Tone::Plain, t.mandate_expired),
        MandateState::UsedUp => (Tone::Warning, t.mandate_used_up),
    };
    Badge::new(tone, word)
}

/// What a mandate allows, limit by limit.
pub(crate) fn mandate_limits(limits: &SpendLimits, t: &Text) -> Facts {
    let most = |minor| {
        let money = Figure::money(Money::new(minor, limits.currency)).text();
        Cell::text(fill(t.at_most, &[&money]))
    };
    // It ends with a midnight: what counts is the day before.
    let last_day = limits.expires_at.plus_millis(-1).day();
    Facts::new()
        .with(t.mandate_per_payment, most(limits.per_payment))
        .with_some(t.mandate_per_day, limits.per_day.map(most))
        .with_some(t.mandate_per_month, limits.per_month.map(most))
        .with_some(
            t.mandate_count,
            limits
                .count
                .map(|count| Cell::text(fill(t.mandate_times, &[&count]))),
        )
        .with(t.mandate_until, Cell::text(last_day.to_string()))
}

/// What an order does.
pub(crate) fn order_kind(kind: OrderKind, t: &Text) -> &'static str {
    match kind {
        OrderKind::Purchase => t.purchase,
        OrderKind::Redeem => t.redeem,
        OrderKind::Pay => t.pay,
    }
}

/// Who pays a fee, told to the person who orders.
fn payer(payer: Payer, t: &Text) -> &'static str {
    match payer {
        Payer::User => t.paid_by_you,
        Payer::UserInside => t.paid_inside,
        Payer::Institution => t.paid_by_institution,
    }
}

/// Who gets a share of a fee.
fn receiver(receiver: Receiver, t: &Text) -> &'static str {
    match receiver {
        Receiver::Institution => t.receiver_institution,
        Receiver::Platform => t.receiver_platform,
        Receiver::Channel => t.receiver_channel,
        Receiver::Developer => t.receiver_developer,
        Receiver::Scene => t.receiver_scene,
    }
}

/// A fee with who pays it and who gets how much of it.
pub(crate) fn fee(line: &ChargedLine, t: &Text) -> FeeLine {
    let shares = line.shares.iter().filter(|(_, share)| share.minor > 0);
    let share = |(to, share): &(Receiver, Money)| {
        format!("{} {}", receiver(*to, t), Figure::money(*share).text())
    };
    let shares: Vec<String> = shares.map(share).collect();
    let payer = payer(line.payer, t);
    FeeLine {
        name: line.name.clone(),
        told: match shares.is_empty() {
            true => payer.to_owned(),
            false => format!("{payer} · {}", fill(t.fee_goes_to, &[&shares.join(", ")])),
        },
        amount: Figure::money(line.amount),
    }
}

/// What kind of institution it is.
pub(crate) fn institution_kind(kind: InstitutionKind, t: &Text) -> &'static str {
    match kind {
        InstitutionKind::Fund => t.fund_company,
        InstitutionKind::Insurer => t.insurer,
        InstitutionKind::Biller => t.biller,
        InstitutionKind::Bank => t.bank,
    }
}

/// Whether an institution may serve people.
pub(crate) fn institution_state(state: InstitutionState) -> Badge {
    let tone = match state {
        InstitutionState::Pending => Tone::Warning,
        InstitutionState::Active => Tone::Good,
        InstitutionState::Suspended => Tone::Bad,
    };
    Badge::new(tone, state.name())
}

/// Where a release stands.
pub(crate) fn release_state(state: &ReleaseState) -> Badge {
    let (tone, word) = match state {
        ReleaseState::InReview => (Tone::Info, "in review"),
        ReleaseState::Approved => (Tone::Good, "approved"),
        ReleaseState::Rejected { .. } => (Tone::Bad, "rejected"),
        ReleaseState::Active => (Tone::Good, "active"),
        ReleaseState::Superseded => (Tone::Plain, "superseded"),
    };
    Badge::new(tone, word)
}

/// The names of the ledger accounts that one order can touch.
#[derive(Debug)]
pub(crate) struct AccountNames {
    names: HashMap<LedgerAccountId, String>,
    t: &'static Text,
}

impl AccountNames {
    /// None yet.
    pub(crate) fn new(t: &'static Text) -> Self {
        Self {
            names: HashMap::new(),
            t,
        }
    }

    /// The words that it names them in.
    pub(crate) const fn t(&self) -> &'static Text {
        self.t
    }

    /// With a person's accounts of an asset; `name` is `You` or a pseudonym.
    pub(crate) fn user(mut self, user: UserId, name: &str, asset: Asset) -> Self {
        self.add(&Owner::User(user), AccountKind::Available, asset, name);
        self.add(
            &Owner::User(user),
            AccountKind::Holding,
            asset,
            self.t.your_holding,
        );
        self
    }

    /// With an institution's accounts.
    pub(crate) fn institution(mut self, id: InstitutionId, name: &str, asset: Asset) -> Self {
        let owner = Owner::Institution(id);
        let settlement = fill(self.t.settlement_account, &[&name]);
        let revenue = fill(self.t.revenue_account, &[&name]);
        let debt = fill(self.t.receivable_account, &[&name]);
        let advance = fill(self.t.advance_account, &[&name]);
        self.add(&owner, AccountKind::Settlement, asset, &settlement);
        self.add(&owner, AccountKind::Revenue, asset, &revenue);
        self.add(&owner, AccountKind::Receivable, asset, &debt);
        self.add(&owner, AccountKind::Advance, asset, &advance);
        self
    }

    /// With the accounts of the other receivers of an order's fees.
    pub(crate) fn parties(mut self, parties: &Parties, asset: Asset) -> Self {
        let t = self.t;
        if let Some(channel) = parties.channel {
            let owner = Owner::External(channel);
            self.add(&owner, AccountKind::Revenue, asset, t.receiver_channel);
        }
        for (institution, name) in [
            (parties.developer, t.receiver_developer),
            (parties.scene, t.receiver_scene),
        ] {
            if let Some(id) = institution {
                self.add(&Owner::Institution(id), AccountKind::Revenue, asset, name);
            }
        }
        self
    }

    /// With the accounts of a product's units.
    pub(crate) fn product(mut self, id: ProductId) -> Self {
        let owner = Owner::Product(id);
        for kind in [AccountKind::Issuance, AccountKind::Income] {
            self.add(&owner, kind, Asset::Units(id), self.t.fund_units);
        }
        self
    }

    /// With the platform's own and the sandbox's.
    pub(crate) fn platform(mut self, asset: Asset) -> Self {
        let t = self.t;
        self.add(
            &Owner::Platform,
            AccountKind::Revenue,
            asset,
            t.platform_account,
        );
        let sandbox = Owner::External(Channel::SANDBOX);
        self.add(&sandbox, AccountKind::External, asset, t.sandbox_account);
        self
    }

    fn add(&mut self, owner: &Owner, kind: AccountKind, asset: Asset, name: &str) {
        self.names
            .insert(account_id(owner, kind, asset), name.to_owned());
    }

    fn of(&self, id: LedgerAccountId) -> Cell {
        match self.names.get(&id) {
            Some(name) => Cell::text(name),
            None => Cell::code(id),
        }
    }

    /// The transfers of an order with these fees as a table; an account whose asset
    /// is of units counts in units.
    pub(crate) fn table(
        &self,
        transfers: &[&Transfer],
        fees: &[ChargedLine],
        asset_of: impl Fn(&Transfer) -> Asset,
    ) -> Table {
        let t = self.t;
        let columns = [
            t.transfer_purpose,
            t.transfer_from,
            t.transfer_to,
            t.transfer_state,
            &format!(">{}", t.amount),
        ];
        let empty = Empty::new(t.no_transfers, t.no_transfers_text);
        let mut table = Table::new(t.transfers, &columns, empty);
        for transfer in transfers {
            let amount = Amount {
                minor: transfer.minor,
                asset: asset_of(transfer),
            };
            table.push(vec![
                Cell::text(purpose::told(&transfer.purpose, fees, t)),
                self.of(transfer.debit),
                self.of(transfer.credit),
                Cell::Badge(transfer_kind(transfer.kind, t)),
                Cell::Figure(Figure::amount(amount, t.units)),
            ]);
        }
        table
    }
}

fn transfer_kind(kind: TransferKind, t: &Text) -> Badge {
    match kind {
        TransferKind::Posted | TransferKind::PostPending { .. } => {
            Badge::new(Tone::Good, t.transfer_posted)
        }
        TransferKind::Pending => Badge::new(Tone::Info, t.transfer_pending),
        TransferKind::VoidPending { .. } => Badge::new(Tone::Plain, t.transfer_void),
    }
}

/// A party of a payment, told to the staff of the institution whose payment it is.
pub(crate) fn party(party: Party, institution: Option<InstitutionId>) -> String {
    match party {
        Party::User(_) => "the user".to_owned(),
        Party::Institution(_) => "your settlement account".to_owned(),
        Party::Revenue(id) if Some(id) == institution => "your fees".to_owned(),
        Party::Revenue(id) => format!("the fees of {id}"),
        Party::Receivable(_) => "what you owe".to_owned(),
        Party::Advance(_) => "your bank's advance".to_owned(),
        Party::Clearing(_) => "set aside for redemptions".to_owned(),
        Party::Bank(channel) => format!("the bank `{channel}`"),
        Party::Channel(channel) => format!("the fees of the bank `{channel}`"),
        Party::Platform => "the platform's fees".to_owned(),
        Party::Sandbox => "the sandbox bank".to_owned(),
    }
}

/// Where units go, told to staff: a person is no more than the user of the order,
/// whom the institution knows by a pseudonym alone.
pub(crate) fn units_move(from: UnitsAccount, to: UnitsAccount) -> String {
    let name = |account| match account {
        UnitsAccount::Holding(_) => "the user",
        UnitsAccount::Issuance => "issuance",
        UnitsAccount::Income => "income",
    };
    format!("{} to {}", name(from), name(to))
}

/// When a redemption's money arrives, in a sentence.
pub(crate) fn arrival(arrival: Arrival, t: &Text) -> String {
    match arrival {
        Arrival::Instant(_) => t.arrives_today.to_owned(),
        Arrival::Later(day) => fill(t.arrives_on, &[&day]),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn staff_never_read_whose_units_moved() {
        let holding = UnitsAccount::Holding(UserId::from_u128(7));
        let told = units_move(UnitsAccount::Issuance, holding);
        assert_eq!(told, "issuance to the user");
        assert_eq!(
            units_move(holding, UnitsAccount::Issuance),
            "the user to issuance"
        );
    }
}
