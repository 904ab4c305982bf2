//! What is asked and answered, in the simulator's own words: the auditor reads
//! these and the tables, and nothing of the rooms that it audits.

use std::collections::BTreeMap;

use qiao_model::{
    BankTransferId, Channel, Currency, Day, InstitutionId, MandateId, PaymentId, ProductId,
    RefundId, Timestamp, UserId,
};

/// Where money or units are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Place {
    User(UserId),
    Settlement(InstitutionId),
    Revenue(InstitutionId),
    Receivable(InstitutionId),
    Platform,
    Bank(Channel),
    Fees(Channel),
    Holding(UserId),
    Issuance,
    Income,
}

/// An account by the words of its row: owner, kind, asset.
pub(crate) type AccountName = (String, &'static str, String);

impl Place {
    /// The account of this place for an asset.
    pub(crate) fn account(self, asset: impl ToString, product: Option<ProductId>) -> AccountName {
        let product = || product.map(|id| id.to_string()).unwrap_or_default();
        let (owner, kind) = match self {
            Self::User(user) => (user.to_string(), "available"),
            Self::Settlement(id) => (id.to_string(), "settlement"),
            Self::Revenue(id) => (id.to_string(), "revenue"),
            Self::Receivable(id) => (id.to_string(), "receivable"),
            Self::Platform => ("platform".to_owned(), "revenue"),
            Self::Bank(channel) => (format!("external:{channel}"), "external"),
            Self::Fees(channel) => (format!("external:{channel}"), "revenue"),
            Self::Holding(user) => (user.to_string(), "holding"),
            Self::Issuance => (product(), "issuance"),
            Self::Income => (product(), "income"),
        };
        (owner, kind, asset.to_string())
    }

    pub(crate) fn money(self, currency: Currency) -> AccountName {
        self.account(currency.code(), None)
    }

    pub(crate) fn units(self, product: ProductId) -> AccountName {
        self.account(qiao_model::Asset::Units(product), Some(product))
    }
}

/// Units that move with a payment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Units {
    pub(crate) from: Place,
    pub(crate) to: Place,
    pub(crate) product: ProductId,
    pub(crate) minor: i64,
}

/// A payment to be made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Deal {
    pub(crate) payment: PaymentId,
    pub(crate) institution: InstitutionId,
    /// What allows it, when nobody is asked.
    pub(crate) mandate: Option<MandateId>,
    pub(crate) payer: Place,
    pub(crate) currency: Currency,
    pub(crate) minor: i64,
    pub(crate) splits: Vec<(Place, i64)>,
    pub(crate) units: Vec<Units>,
    pub(crate) expires_at: Option<Timestamp>,
}

/// What a person allows an institution to take.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Permission {
    pub(crate) mandate: MandateId,
    pub(crate) user: UserId,
    pub(crate) institution: InstitutionId,
    pub(crate) per_payment: i64,
    pub(crate) per_day: Option<i64>,
    pub(crate) per_month: Option<i64>,
    pub(crate) count: Option<u32>,
    pub(crate) payees: Vec<InstitutionId>,
    pub(crate) products: Vec<ProductId>,
    pub(crate) expires_at: Timestamp,
}

/// A bank, and what it takes for a transfer.
#[derive(Clone, Copy, Debug)]
pub(crate) struct BankTerms {
    pub(crate) code: &'static str,
    pub(crate) flat_minor: i64,
    pub(crate) ppm: i64,
    pub(crate) minor_max: i64,
}

/// The banks of every run: which one is cheaper depends on the amount.
pub(crate) const BANKS: [BankTerms; 3] = [
    BankTerms {
        code: "river",
        flat_minor: 50,
        ppm: 1_000,
        minor_max: 5_000_000,
    },
    BankTerms {
        code: "hill",
        flat_minor: 0,
        ppm: 3_000,
        minor_max: 40_000,
    },
    BankTerms {
        code: "lake",
        flat_minor: 90,
        ppm: 0,
        minor_max: 5_000_000,
    },
];

/// When an institution is paid: T+n, and from how much on.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Payday {
    pub(crate) institution: u128,
    pub(crate) days: i64,
    pub(crate) minor_min: i64,
}

/// The terms of every run.
pub(crate) const PAYDAYS: [Payday; 2] = [
    Payday {
        institution: 100,
        days: 1,
        minor_min: 500,
    },
    Payday {
        institution: 101,
        days: 0,
        minor_min: 0,
    },
];

/// The sums of a statement.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct StatementSums {
    pub(crate) opening: i64,
    pub(crate) credited: i64,
    pub(crate) debited: i64,
    pub(crate) closing: i64,
}

/// What a transfer at a bank is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum BankPurpose {
    TopUp,
    PayIn,
    Withdraw,
    PayOut,
}

impl BankPurpose {
    pub(crate) const fn is_in(self) -> bool {
        matches!(self, Self::TopUp | Self::PayIn)
    }
}

/// A transfer that somebody wants of a bank.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct BankAsk {
    /// The id of a payout; others are known by their key.
    pub(crate) transfer: BankTransferId,
    pub(crate) purpose: BankPurpose,
    pub(crate) who: Place,
    /// The bank that was named, if one was.
    pub(crate) bank: Option<Channel>,
    pub(crate) minor: i64,
}

/// Where a payment stands at its bank.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum BankState {
    Accepted,
    Done,
    Rejected,
}

/// A payment as its bank has it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct AtBank {
    pub(crate) is_in: bool,
    pub(crate) minor: i64,
    pub(crate) state: BankState,
    pub(crate) reason: &'static str,
}

/// What the banks did, by bank and the id that the host gave it.
pub(crate) type AtBanks = BTreeMap<(Channel, String), AtBank>;

/// What somebody asks for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Ask {
    TopUp {
        payment: PaymentId,
        user: UserId,
        minor: i64,
    },
    Hold(Deal),
    Pay(Deal),
    /// A payment that its mandate allows, held or at once.
    Charge {
        deal: Deal,
        product: Option<ProductId>,
        is_held: bool,
    },
    /// Takes what an institution owes from one of its accounts.
    Recover {
        payment: PaymentId,
        institution: InstitutionId,
        from: Place,
    },
    Give(Permission),
    Revoke {
        mandate: MandateId,
        user: UserId,
    },
    Bank(BankAsk),
    Capture {
        payment: PaymentId,
        minor: Option<i64>,
    },
    Void {
        payment: PaymentId,
    },
    Expire {
        payment: PaymentId,
    },
    Refund {
        refund: RefundId,
        payment: PaymentId,
        minor: i64,
    },
    Credit {
        product: ProductId,
        day: Day,
        lines: Vec<(UserId, i64)>,
    },
}

impl Ask {
    /// Whether it is served by itself, in a transaction of its own, and not in a
    /// batch of payments.
    pub(crate) const fn is_alone(&self) -> bool {
        matches!(self, Self::Give(_) | Self::Revoke { .. } | Self::Bank(_))
    }
}

/// An idempotency key with the request that it came with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Key {
    pub(crate) owner: String,
    pub(crate) key: String,
    pub(crate) request: String,
}

/// A request as it arrives.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Sent {
    pub(crate) ask: Ask,
    pub(crate) key: Option<Key>,
}

/// A payment as an answer shows it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Standing {
    pub(crate) payment: PaymentId,
    pub(crate) state: String,
    pub(crate) captured: i64,
    pub(crate) refunded: i64,
}

/// What is answered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Told {
    Payment(Standing),
    Refunded {
        standing: Standing,
        refund: RefundId,
        parts: Vec<i64>,
    },
    Credited {
        holders: usize,
        minor: i64,
        existing: usize,
    },
    /// What is left of a mandate's story: how often and how much was taken.
    Mandate {
        mandate: MandateId,
        count: i64,
        minor: i64,
        is_revoked: bool,
    },
    /// The id of a transfer at a bank.
    Transfer(String),
    /// The name of the refusal.
    Refused(String),
}

impl Told {
    /// Whether it is kept under its key: what is malformed is refused anew, and
    /// there may be something to recover later.
    pub(crate) fn is_final(&self) -> bool {
        let anew = ["Invalid", "Ledger", "NothingToRecover"];
        !matches!(self, Self::Refused(name) if anew.contains(&name.as_str()))
    }
}

/// What a caller hears: an answer, or that storage failed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Heard {
    Told(Told),
    /// It failed and nothing of it is written.
    Untouched(String),
    /// Whether it took effect is unknown.
    Unknown(String),
}
