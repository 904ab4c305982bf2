use qiao_db::attest::{Attested, Form, IdForm, Keeping};
use qiao_model::id::noun;

/// The rows of this room that the journal attests. Leases, attempts and pauses of
/// a transfer say who asks the bank, not where its money is; the tokens of a link
/// are secrets that their seal protects; both are left out.
pub const ATTESTED: &[Attested] = &[ASKED, MOVED, ANSWERS, LINKS];

/// What was asked of a bank, in the order in which `AskedRow` writes it.
pub(crate) const ASKED: Attested = Attested {
    name: "bank_transfer",
    table: "bank_transfer",
    id: IdForm::of::<noun::BankTransfer>(),
    fields: &[
        ("id", "id", Form::Text),
        ("key_digest", "key_digest", Form::Text),
        ("request_hash", "request_hash", Form::Text),
        ("purpose", "purpose", Form::Text),
        ("party", "party", Form::Text),
        ("account_number", "account_number", Form::Text),
        ("currency", "currency", Form::Text),
        ("routing", "routing", Form::Text),
        ("description", "description", Form::Text),
        ("requested_at", "requested_at", Form::Integer),
    ],
    keeping: Keeping::Whole,
};

/// How a transfer goes and where its money is, in the order in which `MovedRow`
/// writes it.
pub(crate) const MOVED: Attested = Attested {
    name: "bank_transfer/moved",
    table: "bank_transfer",
    id: IdForm::of::<noun::BankTransfer>(),
    fields: &[
        ("id", "id", Form::Text),
        ("route", "route", Form::Integer),
        ("channel", "channel", Form::Text),
        ("link_id", "link_id", Form::Text),
        ("amount_minor", "amount_minor", Form::Integer),
        ("fee_minor", "fee_minor", Form::Integer),
        ("payment_id", "payment_id", Form::Text),
        ("tried", "tried", Form::Text),
        ("state", "state", Form::Text),
        ("reason", "reason", Form::Text),
        ("bank_reference", "bank_reference", Form::Text),
        ("booked_at", "booked_at", Form::Integer),
        ("answers", "answers", Form::Integer),
        ("changed_at", "changed_at", Form::Integer),
    ],
    keeping: Keeping::Whole,
};

/// What a bank answered, in the order in which `AnswerRow` writes it.
pub(crate) const ANSWERS: Attested = Attested {
    name: "bank_answer",
    table: "bank_answer",
    id: IdForm::key(2),
    fields: &[
        ("transfer_id", "transfer_id", Form::Text),
        ("number", "number", Form::Integer),
        ("at", "at", Form::Integer),
        ("channel", "channel", Form::Text),
        ("via", "via", Form::Text),
        ("outcome", "outcome", Form::Text),
        ("detail", "detail", Form::Text),
    ],
    keeping: Keeping::Whole,
};

/// Whose account is linked, and whether it still is. Every change counts up
/// `token_version`, so that a link that is taken up again is not as it was.
pub(crate) const LINKS: Attested = Attested {
    name: "bank_link",
    table: "bank_link",
    id: IdForm::of::<noun::BankLink>(),
    fields: &[
        ("id", "id", Form::Text),
        ("user", "user_id", Form::Text),
        ("channel", "channel", Form::Text),
        ("account", "account", Form::Text),
        ("name", "name", Form::Text),
        ("number_masked", "number_masked", Form::Text),
        ("state", "state", Form::Text),
        ("token_version", "token_version", Form::Integer),
        ("linked_at", "linked_at", Form::Integer),
        ("changed_at", "changed_at", Form::Integer),
    ],
    keeping: Keeping::Whole,
};
