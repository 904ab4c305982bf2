//! Which events an order must have, and may have.

use qiao_db::attest::IdForm;
use qiao_ledger::audit::AuditError;
use qiao_model::id::noun;
use qiao_payments::audit::{EventKind, Outbox};
use qiao_runtime::OrderState;

use super::ORDERS;
use crate::order::{Captured, STATES};
use crate::rules::rank;
use crate::store::audit::StoredOrder;

/// The name of what tells of a state; written here again, since the audit does not
/// trust what made the events.
const fn name(state: OrderState) -> &'static str {
    match state {
        OrderState::Held => "order.held",
        OrderState::Paid => "order.paid",
        OrderState::Completed => "order.completed",
        OrderState::Voided => "order.voided",
        OrderState::Refunded => "order.refunded",
        OrderState::Unknown => "order.unknown",
    }
}

const fn kind(state: OrderState) -> EventKind {
    EventKind {
        name: name(state),
        table: ORDERS,
        subject: IdForm::of::<noun::Order>(),
    }
}

/// Every kind that orders make.
pub(super) const KINDS: &[EventKind] = &[
    kind(OrderState::Held),
    kind(OrderState::Paid),
    kind(OrderState::Completed),
    kind(OrderState::Voided),
    kind(OrderState::Refunded),
    kind(OrderState::Unknown),
];

/// An order is told of when it is placed and in the state that it is in; of the
/// states that it may have come through it may be told. None of its events is
/// older than the order.
pub(super) fn order(order: &StoredOrder, outbox: &mut Outbox) -> Result<(), AuditError> {
    let head = &order.head;
    let now = head.standing.state;
    for state in STATES {
        let event = head.id.derive(name(state), 0);
        let tells = (name(state), head.id.as_u128());
        let is_between = rank(state) < rank(now)
            && (state != OrderState::Paid || head.standing.capture == Captured::Yes);
        if state == now || state == OrderState::Held {
            outbox.told(event, tells, order.confirmed_at)?;
        } else if is_between {
            outbox.perhaps(event, tells)?;
        }
    }
    Ok(())
}
