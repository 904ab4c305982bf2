use qiao_catalog::OrderKind;
use qiao_events::NewEvent;
use qiao_model::{InstitutionId, Money, OrderId, PaymentId, PluginId, ProductId, UserId};
use qiao_runtime::OrderState;
use serde_json::json;

use crate::lots::LotEffect;
use crate::order::{Standing, state_name};

/// What the money path needs of an order, without its quote.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Head {
    pub(crate) id: OrderId,
    pub(crate) user: UserId,
    pub(crate) subject: String,
    pub(crate) plugin: PluginId,
    pub(crate) institution: InstitutionId,
    pub(crate) product: ProductId,
    pub(crate) kind: OrderKind,
    pub(crate) reference: String,
    pub(crate) payment: PaymentId,
    pub(crate) principal: Money,
    pub(crate) amount: Money,
    pub(crate) paid: Money,
    pub(crate) units_minor: Option<i64>,
    pub(crate) lots: LotEffect,
    pub(crate) standing: Standing,
}

impl Head {
    /// What the institution and the plugin are told of the state that it is in
    /// now. The id follows from order and state: one change, one event.
    pub(crate) fn event(&self) -> NewEvent {
        let state = self.standing.state;
        let receipt = self.standing.receipt.as_ref();
        NewEvent {
            id: self.id.derive(event_kind(state), 0),
            kind: event_kind(state),
            institution: Some(self.institution),
            plugin: Some(self.plugin),
            subject: self.id.to_string(),
            payload: json!({
                "order": self.id.to_string(),
                "state": state_name(state),
                "kind": self.kind.name(),
                "product": self.product.to_string(),
                "reference": self.reference,
                "user": self.subject,
                "payment": self.payment.to_string(),
                "principal": money(self.principal),
                "amount": money(self.amount),
                "units_minor": self.units_minor,
                "receipt": receipt.map(|r| r.number.clone()),
            }),
        }
    }
}

fn money(money: Money) -> serde_json::Value {
    json!({ "minor": money.minor, "currency": money.currency.code() })
}

/// The kind of the event that tells of a state.
pub(crate) const fn event_kind(state: OrderState) -> &'static str {
    match state {
        OrderState::Held => "order.held",
        OrderState::Paid => "order.paid",
        OrderState::Completed => "order.completed",
        OrderState::Voided => "order.voided",
        OrderState::Refunded => "order.refunded",
        OrderState::Unknown => "order.unknown",
    }
}
