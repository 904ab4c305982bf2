use qiao_ledger::Refusal as LedgerRefusal;
use qiao_model::{Amount, InstitutionId, LedgerAccountId, MandateId, Money, PaymentId, RefundId};

use crate::command::CREDIT_LINES_MAX;
use crate::grant::GrantRefusal;
use crate::idempotency::IDEMPOTENCY_KEY_CHARS_MAX;
use crate::mandate::InvalidMandate;
use crate::party::Party;
use crate::payment::{
    DELIVERIES_MAX, DESCRIPTION_CHARS_MAX, HOLD_SECS_MAX, PURPOSE_BYTES_MAX, PaymentState,
    REFUND_DAYS_MAX, REFUNDS_MAX, SPLITS_MAX,
};

/// Why a command was refused: nothing of it is in the books.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// The payer has too little money free, or the one who gives units too few.
    #[error("{available} is available, {requested} is needed")]
    InsufficientFunds {
        /// What is free.
        available: Amount,
        /// What the whole command takes.
        requested: Amount,
    },
    /// A receiver has too little left to give its part of a refund back, and no
    /// institution stands in for it.
    #[error("account {account} cannot give {requested} back")]
    ReceiverShort {
        /// The receiver's account.
        account: LedgerAccountId,
        /// Its part of the refund.
        requested: Amount,
        /// What it has free of that, in minor units.
        available_minor: i64,
    },
    /// There is no such payment.
    #[error("there is no payment {0}")]
    UnknownPayment(PaymentId),
    /// The id is taken by a payment of other content.
    #[error("payment {0} exists with other content")]
    PaymentConflict(PaymentId),
    /// The id is taken by a refund of other content.
    #[error("refund {0} exists with other content")]
    RefundConflict(RefundId),
    /// The payment's state does not allow it.
    #[error("payment {payment} is {state}")]
    WrongState {
        /// The payment.
        payment: PaymentId,
        /// Where it stands.
        state: PaymentState,
    },
    /// The hold ran out before it was posted.
    #[error("the hold of payment {0} expired")]
    HoldExpired(PaymentId),
    /// The hold does not expire, or not yet.
    #[error("the hold of payment {0} has not expired")]
    NotExpired(PaymentId),
    /// A capture of more than is held, of another currency, or of nothing.
    #[error("payment {payment} holds {held}, of which {requested} cannot be captured")]
    ExceedsHeld {
        /// The payment.
        payment: PaymentId,
        /// What is held.
        held: Money,
        /// What was asked for.
        requested: Money,
    },
    /// Units move with the payment, and they do not divide with the money.
    #[error("payment {0} delivers units and is captured as a whole")]
    WholeCaptureOnly(PaymentId),
    /// More than what is left to refund.
    #[error("payment {payment} has {refundable} left to refund, not {requested}")]
    ExceedsRefundable {
        /// The payment.
        payment: PaymentId,
        /// What is left.
        refundable: Money,
        /// What was asked for.
        requested: Money,
    },
    /// The money left the books, paid a debt, or is a person's by now, from whom
    /// nobody takes it without their consent.
    #[error("payment {0} went to a person or a bank, or paid a debt, and is not refunded")]
    NotRefundable(PaymentId),
    /// The institution owes nothing, or has nothing.
    #[error("nothing can be recovered from {0}")]
    NothingToRecover(InstitutionId),
    /// The payment was refunded [`REFUNDS_MAX`] times.
    #[error("payment {0} was refunded {REFUNDS_MAX} times, which is the limit")]
    TooManyRefunds(PaymentId),
    /// The payment is older than [`REFUND_DAYS_MAX`] days.
    #[error("payment {0} is older than {REFUND_DAYS_MAX} days")]
    RefundTooLate(PaymentId),
    /// There is no such mandate for this caller.
    #[error("there is no mandate {0}")]
    UnknownMandate(MandateId),
    /// The mandate does not allow the payment.
    #[error("mandate {mandate} does not allow it: {cause}")]
    Mandate {
        /// The mandate.
        mandate: MandateId,
        /// What it does not allow.
        cause: GrantRefusal,
    },
    /// The new mandate is malformed.
    #[error(transparent)]
    InvalidMandate(InvalidMandate),
    /// The command itself is malformed.
    #[error(transparent)]
    Invalid(#[from] Invalid),
    /// The key is empty or too long.
    #[error("an idempotency key has 1 to {IDEMPOTENCY_KEY_CHARS_MAX} characters")]
    InvalidKey,
    /// The idempotency key was used with another request.
    #[error("the idempotency key was used with a different request")]
    KeyReused,
    /// A request with the idempotency key is being worked on.
    #[error("a request with this idempotency key is in flight")]
    InFlight,
    /// The ledger refused for a reason that payments do not cause.
    #[error("the ledger refused")]
    Ledger(#[source] LedgerRefusal),
}

/// What is wrong with a command.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Invalid {
    /// An amount below one minor unit, or a split below zero.
    #[error("{0} is not an amount to be moved")]
    Amount(Amount),
    /// The splits do not sum to the amount.
    #[error("the splits sum to {splits}, not to {amount}")]
    SplitSum {
        /// Their sum.
        splits: Money,
        /// The amount.
        amount: Money,
    },
    /// Two currencies, or a sum beyond 64 bits.
    #[error("the splits cannot be added to the amount")]
    NotAddable,
    /// No split, or too many.
    #[error("{0} splits are not within 1 to {SPLITS_MAX}")]
    SplitCount(usize),
    /// A receiver is the payer.
    #[error("{0} cannot pay itself")]
    PaysItself(Party),
    /// A purpose is empty, too long or not plain text.
    #[error("the purpose of a split has 1 to {PURPOSE_BYTES_MAX} bytes of plain text")]
    Purpose,
    /// Too many deliveries.
    #[error("{0} deliveries are more than {DELIVERIES_MAX}")]
    DeliveryCount(usize),
    /// A delivery is of money, of nothing, or between one account.
    #[error("a delivery of {0} moves no units from one account to another")]
    Delivery(Amount),
    /// A hold would end before it began, or last too long.
    #[error("a hold lasts at most {HOLD_SECS_MAX} seconds from now")]
    Expiry,
    /// The description or the reason is too long or not plain text.
    #[error("a description has at most {DESCRIPTION_CHARS_MAX} characters of plain text")]
    Description,
    /// A charge is made by something else than a mandate.
    #[error("the method of a charge is a mandate")]
    ChargeMethod,
    /// A charge of plain money names a product or an order.
    #[error("a charge of plain money is for no product and no order")]
    ChargeOfOrder,
    /// No line of a credit, or too many.
    #[error("{0} lines of a credit are not within 1 to {CREDIT_LINES_MAX}")]
    CreditLines(usize),
}
