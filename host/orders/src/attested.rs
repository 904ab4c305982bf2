use qiao_db::attest::{Attested, Form, IdForm, Keeping};
use qiao_model::id::noun;

/// The rows of this room that the journal attests. Leases, attempts and problems
/// of an order say who works on it, not where its money is, and are left out.
pub const ATTESTED: &[Attested] = &[CONFIRMED, MOVED, LOTS, LEFT, USES];

/// What of an order never changes, in the order in which `ConfirmedRow` writes it.
pub(crate) const CONFIRMED: Attested = Attested {
    name: "orders",
    table: "orders",
    id: IdForm::of::<noun::Order>(),
    fields: &[
        ("id", "id", Form::Text),
        ("token", "token", Form::Text),
        ("offer", "offer_id", Form::Text),
        ("user", "user_id", Form::Text),
        ("subject", "subject", Form::Text),
        ("plugin", "plugin_id", Form::Text),
        ("institution", "institution_id", Form::Text),
        ("product", "product_id", Form::Text),
        ("kind", "kind", Form::Text),
        ("reference", "reference", Form::Text),
        ("payment", "payment_id", Form::Text),
        ("currency", "currency", Form::Text),
        ("principal_minor", "principal_minor", Form::Integer),
        ("amount_minor", "amount_minor", Form::Integer),
        ("paid_minor", "paid_minor", Form::Integer),
        ("units_minor", "units_minor", Form::Integer),
        ("lots", "lots", Form::Text),
        ("confirmed_at", "confirmed_at", Form::Integer),
    ],
    keeping: Keeping::Whole,
};

/// Where an order's money is, in the order in which `MovedRow` writes it.
pub(crate) const MOVED: Attested = Attested {
    name: "orders/moved",
    table: "orders",
    id: IdForm::of::<noun::Order>(),
    fields: &[
        ("id", "id", Form::Text),
        ("state", "state", Form::Text),
        ("captured", "captured", Form::Integer),
        ("receipt", "receipt", Form::Text),
        ("posted_at", "posted_at", Form::Integer),
        ("returned_at", "returned_at", Form::Integer),
    ],
    keeping: Keeping::Whole,
};

/// What a lot was, in the order in which `LotRow` writes it.
pub(crate) const LOTS: Attested = Attested {
    name: "lot",
    table: "lot",
    id: IdForm::of::<noun::Order>(),
    fields: &[
        ("order", "order_id", Form::Text),
        ("user", "user_id", Form::Text),
        ("product", "product_id", Form::Text),
        ("acquired", "acquired", Form::Text),
        ("units_minor", "units_minor", Form::Integer),
    ],
    keeping: Keeping::Whole,
};

/// What is left of a lot, in the order in which `LeftRow` writes it. Units come
/// back, so `changes` tells two times of one rest apart.
pub(crate) const LEFT: Attested = Attested {
    name: "lot/left",
    table: "lot",
    id: IdForm::of::<noun::Order>(),
    fields: &[
        ("lot", "order_id", Form::Text),
        ("left_minor", "left_minor", Form::Integer),
        ("changes", "changes", Form::Integer),
    ],
    keeping: Keeping::Whole,
};

/// What a redemption took of a lot, in the order in which `UseRow` writes it.
pub(crate) const USES: Attested = Attested {
    name: "lot_use",
    table: "lot_use",
    id: IdForm::key(2),
    fields: &[
        ("redemption", "order_id", Form::Text),
        ("lot", "lot_id", Form::Text),
        ("minor", "minor", Form::Integer),
    ],
    keeping: Keeping::Whole,
};
