use qiao_model::{BankLinkId, BankTransferId, Channel, Money, PaymentId, Timestamp, UserId};
use qiao_payments::Party;

/// Where money goes, seen from the books.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Direction {
    /// From a bank account into the books: the bank debits its customer.
    In,
    /// Out of the books to a bank account: the bank credits it.
    Out,
}

impl Direction {
    /// The word of the banks' contract.
    #[must_use]
    pub const fn at_the_bank(self) -> &'static str {
        match self {
            Self::In => "debit",
            Self::Out => "credit",
        }
    }
}

/// What a transfer is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Purpose {
    /// A person fills their balance.
    TopUp,
    /// A person pays an order straight from the bank.
    Payment,
    /// A person takes money out.
    Withdrawal,
    /// An institution gets what it is owed.
    Payout,
    /// An institution's bank lends it money for instant redemptions.
    Advance,
    /// That bank gets it back.
    AdvanceReturn,
}

impl Purpose {
    /// Every purpose.
    pub const ALL: [Self; 6] = [
        Self::TopUp,
        Self::Payment,
        Self::Withdrawal,
        Self::Payout,
        Self::Advance,
        Self::AdvanceReturn,
    ];

    /// The stored and wire name, and the purpose of the split that it becomes.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::TopUp => "bank-top-up",
            Self::Payment => "bank-payment",
            Self::Withdrawal => "withdrawal",
            Self::Payout => "payout",
            Self::Advance => "advance",
            Self::AdvanceReturn => "advance-return",
        }
    }

    pub(crate) fn of_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|purpose| purpose.name() == name)
    }

    /// Where the money goes.
    #[must_use]
    pub const fn direction(self) -> Direction {
        match self {
            Self::TopUp | Self::Payment | Self::Advance => Direction::In,
            Self::Withdrawal | Self::Payout | Self::AdvanceReturn => Direction::Out,
        }
    }
}

/// Where a transfer stands. Each is further along than the one before it, and
/// the last two are final.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum TransferState {
    /// It is stored, and may be on its way to the bank.
    Requested,
    /// The bank was asked and gave no answer: nobody knows.
    Unknown,
    /// The bank has it and is not done.
    Accepted,
    /// The bank moved the money.
    Done,
    /// The bank certainly moves nothing.
    Rejected,
}

impl TransferState {
    /// Every state.
    pub const ALL: [Self; 5] = [
        Self::Requested,
        Self::Unknown,
        Self::Accepted,
        Self::Done,
        Self::Rejected,
    ];

    /// The stored and wire name.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Requested => "requested",
            Self::Unknown => "unknown",
            Self::Accepted => "accepted",
            Self::Done => "done",
            Self::Rejected => "rejected",
        }
    }

    pub(crate) fn of_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|state| state.name() == name)
    }

    /// Whether it has ended.
    #[must_use]
    pub const fn is_final(self) -> bool {
        matches!(self, Self::Done | Self::Rejected)
    }
}

impl std::fmt::Display for TransferState {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.name())
    }
}

/// Which node drives a transfer, and until when.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Lease {
    /// The node.
    pub node: String,
    /// After this another may take over.
    pub until: Timestamp,
}

/// What changes in a transfer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Standing {
    /// The state.
    pub state: TransferState,
    /// Why it is unknown or rejected: the bank's word, or a sentence.
    pub reason: Option<String>,
    /// The bank's own id of it.
    pub bank_reference: Option<String>,
    /// How often the bank was asked.
    pub attempt: u32,
    /// How often in a row it gave no final answer.
    pub failures: u32,
    /// When it is asked next; none when it has ended or waits for an operator.
    pub next_at: Option<Timestamp>,
    /// Who is asking.
    pub lease: Option<Lease>,
    /// When the bank booked it.
    pub booked_at: Option<Timestamp>,
    /// Answers that were kept as evidence.
    pub answers: u32,
    /// When it changed last.
    pub changed_at: Timestamp,
}

/// How a transfer goes: which channel, from or to which account, for what fee.
/// Another route is taken only when the one before certainly moved nothing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Route {
    /// Which route of the transfer, from 1.
    pub number: u32,
    /// The channel.
    pub channel: Channel,
    /// The linked account; none for an institution's transfer.
    pub link: Option<BankLinkId>,
    /// What the bank moves.
    pub amount: Money,
    /// What the channel takes, beside the amount.
    pub fee: Money,
    /// The payment on the books.
    pub payment: PaymentId,
}

/// Who chooses the channel.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Routing {
    /// Whoever asked for it named the account, and with it the channel.
    Fixed,
    /// The host takes the cheapest that works, and another when it fails.
    Free,
}

impl Routing {
    /// The stored name.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Fixed => "fixed",
            Self::Free => "free",
        }
    }

    pub(crate) fn of_name(name: &str) -> Option<Self> {
        [Self::Fixed, Self::Free]
            .into_iter()
            .find(|routing| routing.name() == name)
    }
}

/// Money on its way to or from a bank.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BankTransfer {
    /// Its id, which is its key at the bank.
    pub id: BankTransferId,
    /// What for.
    pub purpose: Purpose,
    /// Whose money on the books.
    pub party: Party,
    /// The account number of an institution's transfer.
    pub account_number: Option<String>,
    /// How it goes.
    pub route: Route,
    /// Whether another channel may carry it.
    pub routing: Routing,
    /// Channels that certainly moved nothing.
    pub tried: Vec<Channel>,
    /// What people and the bank's statement read.
    pub description: String,
    /// When it was asked for.
    pub requested_at: Timestamp,
    /// Where it stands.
    pub standing: Standing,
}

impl BankTransfer {
    /// Whose it is, if it is a person's.
    #[must_use]
    pub const fn user(&self) -> Option<UserId> {
        match self.party {
            Party::User(user) => Some(user),
            _ => None,
        }
    }

    /// Whether nobody asks any more and nobody knows.
    #[must_use]
    pub const fn is_stuck(&self) -> bool {
        !self.standing.state.is_final()
            && self.standing.next_at.is_none()
            && self.standing.lease.is_none()
    }

    /// The payment of one of its routes.
    pub(crate) fn payment_of(id: BankTransferId, route: u32) -> PaymentId {
        id.derive("bank transfer", u64::from(route))
    }
}

/// Which transfers, newest first.
#[derive(Clone, Copy, Debug)]
pub struct TransferPage {
    /// Only those before this one.
    pub before: Option<BankTransferId>,
    /// At most so many.
    pub limit: usize,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn purposes_and_states_survive_their_names() {
        for purpose in Purpose::ALL {
            assert_eq!(Purpose::of_name(purpose.name()), Some(purpose));
        }
        for state in TransferState::ALL {
            assert_eq!(TransferState::of_name(state.name()), Some(state));
        }
        assert_eq!(TransferState::of_name("sent"), None);
    }

    #[test]
    fn only_the_last_two_states_are_final() {
        let ended: Vec<_> = TransferState::ALL
            .into_iter()
            .filter(|s| s.is_final())
            .collect();
        assert_eq!(ended, [TransferState::Done, TransferState::Rejected]);
    }
}
