use qiao_model::{Currency, Day, InstitutionId, Money, PaymentId, ProductId, RefundId, UserId};

use crate::idempotency::IdempotencyKey;
use crate::mandate::Charge;
use crate::party::Party;
use crate::payment::{NewPayment, Payment, Refund};

/// Lines of one credit of income at most.
pub const CREDIT_LINES_MAX: usize = 2_000;

/// A change of the books, as data: a batch of them is decided by pure rules and
/// stored with a few statements. Each takes effect once, whatever is sent twice.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Command {
    /// Play money for a person of a sandbox host.
    TopUp(TopUp),
    /// Holds the payer's money and the units that go with it.
    Hold(NewPayment),
    /// Gives what is held to the receivers. One post resolves a hold: what it
    /// leaves goes back to the payer.
    Post {
        /// The held payment.
        payment: PaymentId,
        /// How much of it, each split by its share; none for all.
        amount: Option<Money>,
    },
    /// Releases what is held.
    Void {
        /// The held payment.
        payment: PaymentId,
    },
    /// Releases what is held past its time.
    Expire {
        /// The held payment.
        payment: PaymentId,
    },
    /// Moves the money at once.
    Pay(NewPayment),
    /// Holds or moves money by a mandate, for a product.
    Charge(Charge),
    /// Gives back a part or all of a posted payment.
    Refund(NewRefund),
    /// Credits a day's income to holders of a product.
    Credit(Credit),
    /// Takes off an institution's debt what it has by now.
    Recover(Recovery),
}

/// What an institution owes since a refund found a receiver short, to be taken
/// from one of its purses: as much as is there, and no more than the debt.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Recovery {
    /// The payment that it becomes.
    pub payment: PaymentId,
    /// Who owes.
    pub institution: InstitutionId,
    /// What it is taken from.
    pub purse: Purse,
    /// The currency of the debt.
    pub currency: Currency,
}

/// What an institution pays its debt from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Purse {
    /// Its own fees.
    Revenue,
    /// The money of its customers' orders that waits for payout.
    Settlement,
}

impl Purse {
    /// Every purse, in the order in which a debt is taken from them.
    pub const ALL: [Self; 2] = [Self::Revenue, Self::Settlement];
}

impl Recovery {
    pub(crate) const fn payer(&self) -> Party {
        match self.purse {
            Purse::Revenue => Party::Revenue(self.institution),
            Purse::Settlement => Party::Institution(self.institution),
        }
    }
}

/// Play money for a person.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TopUp {
    /// The payment that it becomes.
    pub payment: PaymentId,
    /// Who gets it.
    pub user: UserId,
    /// How much.
    pub amount: Money,
}

/// A refund to be made: every split gives back its share of what is left of it,
/// by largest remainder. What a receiver no longer has, the institution of the
/// payment owes from then on: the payer gets the whole refund.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewRefund {
    /// Its id; the same id and content again changes nothing.
    pub id: RefundId,
    /// The payment.
    pub payment: PaymentId,
    /// How much.
    pub amount: Money,
    /// Why, at most [`crate::DESCRIPTION_CHARS_MAX`] characters.
    pub reason: String,
}

/// Income of one day for holders of a product. A holder is credited once for a
/// day, whatever the commands that name them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Credit {
    /// The product.
    pub product: ProductId,
    /// The day whose income it is.
    pub day: Day,
    /// Who gets how many units, 1 to [`CREDIT_LINES_MAX`] lines.
    pub lines: Vec<CreditLine>,
}

/// One holder's income.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CreditLine {
    /// The holder.
    pub user: UserId,
    /// In hundredths of a unit; nothing is left out.
    pub minor: i64,
}

/// What became of a command.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// The payment after a top-up, hold, post, void, expiry, pay or recovery.
    Payment(Payment),
    /// The payment after a refund, and the refund.
    Refunded {
        /// The payment.
        payment: Payment,
        /// The refund.
        refund: Refund,
    },
    /// What a credit did.
    Credited(Credited),
}

impl Outcome {
    /// The payment, unless it was a credit.
    #[must_use]
    pub const fn payment(&self) -> Option<&Payment> {
        match self {
            Self::Payment(payment) | Self::Refunded { payment, .. } => Some(payment),
            Self::Credited(_) => None,
        }
    }
}

/// What a credit did.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Credited {
    /// Holders that it credited.
    pub holders: usize,
    /// Units that it credited, in hundredths.
    pub minor: i64,
    /// Holders that had been credited for the day before.
    pub existing: usize,
}

/// A command with the idempotency key that its caller sent, if any.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Keyed {
    /// The command.
    pub command: Command,
    /// The key.
    pub idempotency: Option<IdempotencyKey>,
}

impl Keyed {
    /// A command under a key.
    #[must_use]
    pub const fn new(command: Command, idempotency: Option<IdempotencyKey>) -> Self {
        Self {
            command,
            idempotency,
        }
    }
}

impl From<Command> for Keyed {
    fn from(command: Command) -> Self {
        Self::new(command, None)
    }
}
