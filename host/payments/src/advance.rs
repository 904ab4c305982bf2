use std::borrow::Cow;

use qiao_model::{Channel, InstitutionId, Money, PaymentId};

use crate::method::Method;
use crate::party::Party;
use crate::payment::{NewPayment, Split};

/// Money that an institution's bank lends for instant redemptions.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Advance {
    /// Who may lend it out.
    pub institution: InstitutionId,
    /// The channel of the bank that put it into custody.
    pub channel: Channel,
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
            payer: Party::Bank(self.channel),
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
