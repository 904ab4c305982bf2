use qiao_db::attest::{Attested, Form, IdForm, Keeping};
use qiao_model::id::noun;

/// The rows of this room that the journal attests. Leases and tries of a payout,
/// and the day that terms were looked at, say who works on it and are left out.
pub const ATTESTED: &[Attested] = &[TERMS, CLOSES, PLANNED, STANDING, LINES, RUNS, CASES];

pub(crate) const TERMS: Attested = Attested {
    name: "settlement_terms",
    table: "settlement_terms",
    id: IdForm::of::<noun::Institution>(),
    fields: &[
        ("institution", "institution_id", Form::Text),
        ("days", "days", Form::Integer),
        ("account_number", "account_number", Form::Text),
        ("minimum_minor", "minimum_minor", Form::Integer),
        ("state", "state", Form::Text),
        ("changed_by", "changed_by", Form::Text),
        ("changed_at", "changed_at", Form::Integer),
    ],
    keeping: Keeping::Whole,
};

pub(crate) const CLOSES: Attested = Attested {
    name: "settlement_close",
    table: "settlement_close",
    id: IdForm::key(2),
    fields: &[
        ("account", "account_id", Form::Text),
        ("day", "day", Form::Text),
        ("transfer", "transfer_id", Form::Text),
        ("credits", "credits", Form::Integer),
        ("debits", "debits", Form::Integer),
    ],
    keeping: Keeping::Whole,
};

/// What of a payout never changes.
pub(crate) const PLANNED: Attested = Attested {
    name: "payout",
    table: "payout",
    id: IdForm::of::<noun::Payout>(),
    fields: &[
        ("id", "id", Form::Text),
        ("institution", "institution_id", Form::Text),
        ("source", "source", Form::Text),
        ("currency", "currency", Form::Text),
        ("day", "day", Form::Text),
        ("part", "part", Form::Integer),
        ("through", "through_day", Form::Text),
        ("minor", "minor", Form::Integer),
        ("account_number", "account_number", Form::Text),
        ("created_at", "created_at", Form::Integer),
    ],
    keeping: Keeping::Whole,
};

/// Where a payout stands.
pub(crate) const STANDING: Attested = Attested {
    name: "payout/standing",
    table: "payout",
    id: IdForm::of::<noun::Payout>(),
    fields: &[
        ("id", "id", Form::Text),
        ("state", "state", Form::Text),
        ("reason", "reason", Form::Text),
        ("channel", "channel", Form::Text),
        ("bank_reference", "bank_reference", Form::Text),
        ("changed_at", "changed_at", Form::Integer),
    ],
    keeping: Keeping::Whole,
};

/// A line of a bank's statement, in the order in which `LineRow` writes it.
pub(crate) const LINES: Attested = Attested {
    name: "bank_statement_line",
    table: "bank_statement_line",
    id: IdForm::key(3),
    fields: &[
        ("channel", "channel", Form::Text),
        ("day", "day", Form::Text),
        ("bank_reference", "bank_reference", Form::Text),
        ("transfer", "transfer_id", Form::Text),
        ("change_minor", "change_minor", Form::Integer),
        ("booked_at", "booked_at", Form::Integer),
        ("fetched_at", "fetched_at", Form::Integer),
        ("withdrawn_at", "withdrawn_at", Form::Integer),
    ],
    keeping: Keeping::Whole,
};

pub(crate) const RUNS: Attested = Attested {
    name: "reconciliation",
    table: "reconciliation",
    id: IdForm::key(2),
    fields: &[
        ("channel", "channel", Form::Text),
        ("day", "day", Form::Text),
        ("bank_opening", "bank_opening", Form::Integer),
        ("bank_closing", "bank_closing", Form::Integer),
        ("books_closing", "books_closing", Form::Integer),
        ("in_transit", "in_transit", Form::Integer),
        ("lines", "lines", Form::Integer),
        ("matched", "matched", Form::Integer),
        ("ran_at", "ran_at", Form::Integer),
    ],
    keeping: Keeping::Whole,
};

pub(crate) const CASES: Attested = Attested {
    name: "reconciliation_case",
    table: "reconciliation_case",
    id: IdForm::of::<noun::Case>(),
    fields: &[
        ("id", "id", Form::Text),
        ("channel", "channel", Form::Text),
        ("day", "day", Form::Text),
        ("kind", "kind", Form::Text),
        ("line", "line", Form::Text),
        ("transfer", "transfer_id", Form::Text),
        ("bank_reference", "bank_reference", Form::Text),
        ("bank_minor", "bank_minor", Form::Integer),
        ("books_minor", "books_minor", Form::Integer),
        ("state", "state", Form::Text),
        ("note", "note", Form::Text),
        ("actor", "actor", Form::Text),
        ("opened_at", "opened_at", Form::Integer),
        ("changed_at", "changed_at", Form::Integer),
    ],
    keeping: Keeping::Whole,
};
