use qiao_db::attest::{Attested, Form, IdForm, Keeping};
use qiao_model::id::noun;

/// The rows of this room that the journal attests. Accounts are not among them:
/// their sums follow from the transfers.
pub const ATTESTED: &[Attested] = &[TRANSFERS];

/// In the order in which `TransferRow` writes them.
pub(crate) const TRANSFERS: Attested = Attested {
    name: "ledger_transfer",
    table: "ledger_transfer",
    id: IdForm::of::<noun::Transfer>(),
    fields: &[
        ("id", "id", Form::Text),
        ("kind", "kind", Form::Text),
        ("debit", "debit_account", Form::Text),
        ("credit", "credit_account", Form::Text),
        ("minor", "minor", Form::Integer),
        ("pending", "pending_id", Form::Text),
        ("purpose", "purpose", Form::Text),
        ("reference", "reference", Form::Text),
        ("debit_previous", "debit_previous", Form::Text),
        ("credit_previous", "credit_previous", Form::Text),
        ("debit_balance", "debit_balance", Form::Integer),
        ("credit_balance", "credit_balance", Form::Integer),
        ("at", "at", Form::Integer),
    ],
    keeping: Keeping::Whole,
};
