use qiao_db::attest::{Attested, Form, IdForm, Keeping};
use qiao_model::id::noun;

use crate::payments::IDEMPOTENCY_KEEP_HOURS;

/// The rows of this room that the journal attests. The income of a holding is
/// not among them: it follows from the transfers.
pub const ATTESTED: &[Attested] = &[PAYMENTS, REFUNDS, KEYS];

/// In the order in which `PaymentRow` writes them.
pub(crate) const PAYMENTS: Attested = Attested {
    name: "payment",
    table: "payment",
    id: IdForm::of::<noun::Payment>(),
    fields: &[
        ("id", "id", Form::Text),
        ("order", "order_id", Form::Text),
        ("institution", "institution_id", Form::Text),
        ("payer", "payer", Form::Text),
        ("method", "method", Form::Text),
        ("currency", "currency", Form::Text),
        ("minor", "minor", Form::Integer),
        ("splits", "splits", Form::Text),
        ("deliveries", "deliveries", Form::Text),
        ("description", "description", Form::Text),
        ("state", "state", Form::Text),
        ("expires_at", "expires_at", Form::Integer),
        ("void_reason", "void_reason", Form::Text),
        ("captured", "captured", Form::Integer),
        ("refunded", "refunded", Form::Integer),
        ("refunds", "refunds", Form::Integer),
        ("returned", "returned", Form::Text),
        ("created_at", "created_at", Form::Integer),
        ("changed_at", "changed_at", Form::Integer),
    ],
    keeping: Keeping::Whole,
};

/// In the order in which `RefundRow` writes them.
pub(crate) const REFUNDS: Attested = Attested {
    name: "payment_refund",
    table: "payment_refund",
    id: IdForm::of::<noun::Refund>(),
    fields: &[
        ("id", "id", Form::Text),
        ("payment", "payment_id", Form::Text),
        ("currency", "currency", Form::Text),
        ("minor", "minor", Form::Integer),
        ("parts", "parts", Form::Text),
        ("owed", "owed", Form::Text),
        ("reason", "reason", Form::Text),
        ("created_at", "created_at", Form::Integer),
    ],
    keeping: Keeping::Whole,
};

/// In the order in which `KeyRow` writes them.
pub(crate) const KEYS: Attested = Attested {
    name: "payment_idempotency",
    table: "payment_idempotency",
    id: IdForm::hex(),
    fields: &[
        ("digest", "digest", Form::Text),
        ("request_hash", "request_hash", Form::Text),
        ("answer", "answer", Form::Text),
        ("created_at", "created_at", Form::Integer),
    ],
    keeping: Keeping::Swept {
        kept_secs: IDEMPOTENCY_KEEP_HOURS.saturating_mul(3600),
    },
};
