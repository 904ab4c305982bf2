use qiao_db::attest::{Attested, Form, IdForm, Keeping};
use qiao_model::id::noun;

use crate::payments::IDEMPOTENCY_KEEP_HOURS;

/// The rows of this room that the journal attests.
pub const ATTESTED: &[Attested] = &[PAYMENTS, REFUNDS, KEYS, MANDATES, ENDS, USAGES];

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

/// What was allowed, which never changes.
pub(crate) const MANDATES: Attested = Attested {
    name: "mandate",
    table: "mandate",
    id: IdForm::of::<noun::Mandate>(),
    fields: &[
        ("id", "id", Form::Text),
        ("user", "user_id", Form::Text),
        ("institution", "institution_id", Form::Text),
        ("plugin", "plugin_id", Form::Text),
        ("title", "title", Form::Text),
        ("purpose", "purpose", Form::Text),
        ("reference", "reference", Form::Text),
        ("currency", "currency", Form::Text),
        ("per_payment", "per_payment", Form::Integer),
        ("per_day", "per_day", Form::Integer),
        ("per_month", "per_month", Form::Integer),
        ("count_max", "count_max", Form::Integer),
        ("payees", "payees", Form::Text),
        ("products", "products", Form::Text),
        ("expires_at", "expires_at", Form::Integer),
        ("created_at", "created_at", Form::Integer),
    ],
    keeping: Keeping::Whole,
};

/// That a mandate is revoked or over, or neither.
pub(crate) const ENDS: Attested = Attested {
    name: "mandate/ended",
    table: "mandate",
    id: IdForm::of::<noun::Mandate>(),
    fields: &[
        ("id", "id", Form::Text),
        ("revoked_at", "revoked_at", Form::Integer),
        ("expired_at", "expired_at", Form::Integer),
    ],
    keeping: Keeping::Whole,
};

/// What was spent of a mandate, in the order in which `UsageRow` writes it. Money
/// comes back, so `changes` tells two times of one usage apart.
pub(crate) const USAGES: Attested = Attested {
    name: "mandate/used",
    table: "mandate",
    id: IdForm::of::<noun::Mandate>(),
    fields: &[
        ("id", "id", Form::Text),
        ("count", "used_count", Form::Integer),
        ("minor", "used_minor", Form::Integer),
        ("day", "used_day", Form::Text),
        ("day_minor", "used_day_minor", Form::Integer),
        ("month_minor", "used_month_minor", Form::Integer),
        ("changes", "changes", Form::Integer),
    ],
    keeping: Keeping::Whole,
};
