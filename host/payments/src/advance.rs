use std::borrow::Cow;

use qiao_model::{InstitutionId, Money, PaymentId};

use crate::method::Method;
use crate::party::Party;
use crate::payment::{NewPayment, Split};

/// Play money of a sandbox host for instant redemptions; a bank lends real money
/// by a transfer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Advance {
    /// Who may lend it out.
    pub institution: InstitutionId,
    /// How much.
    pub amount: Money,
}

impl Advance {
    /// The payment that it becomes.
    pub(crate) fn payment(&self, id: PaymentId) -> NewPayment {
        NewPayment {
            id,
            order: None,
            institution: Some(self.institution),
            payer: Party::Sandbox,
            method: Method::Balance,
            amount: self.amount,
            splits: vec![Split {
                receiver: Party::Advance(self.institution),
                amount: self.amount,
                purpose: Cow::Borrowed("advance"),
            }],
            deliveries: Vec::new(),
            description: "advance".to_owned(),
            expires_at: None,
        }
    }
}
