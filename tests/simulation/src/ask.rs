//! What is asked and answered, in the simulator's own words: the auditor reads
//! these and the tables, and nothing of the rooms that it audits.

use qiao_model::{
    Channel, Currency, Day, InstitutionId, PaymentId, ProductId, RefundId, Timestamp, UserId,
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
    pub(crate) payer: Place,
    pub(crate) currency: Currency,
    pub(crate) minor: i64,
    pub(crate) splits: Vec<(Place, i64)>,
    pub(crate) units: Vec<Units>,
    pub(crate) expires_at: Option<Timestamp>,
}

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
    /// The name of the refusal.
    Refused(String),
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
