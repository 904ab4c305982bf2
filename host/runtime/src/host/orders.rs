use std::sync::Arc;

use qiao_auth::Permit;
use qiao_model::{OrderId, Scope};

use crate::bindings::v0_1_0::qiao::host::orders::{Host, Order, OrdersError};
use crate::guest::Guest;
use crate::host::{Answer, Refusal};
use crate::ports::PluginOrder;
use crate::wire;

impl Refusal for OrdersError {
    fn denied(reason: String) -> Self {
        Self::Denied(reason)
    }

    fn unavailable() -> Self {
        Self::Unavailable
    }
}

impl Host for Guest {
    fn get(&mut self, id: String) -> Answer<Order, OrdersError> {
        self.call(Scope::OrdersRead, |guest, permit| {
            let Ok(order) = id.parse::<OrderId>() else {
                return Ok(Err(OrdersError::UnknownOrder(id)));
            };
            Ok(match guest.own_order(permit, order) {
                OwnOrder::Found(order) => Ok(guest.order_to_wire(order)),
                OwnOrder::None => Err(OrdersError::UnknownOrder(id)),
                OwnOrder::Unavailable => Err(OrdersError::Unavailable),
            })
        })
    }

    fn by_reference(&mut self, reference: String) -> Answer<Vec<Order>, OrdersError> {
        self.call(Scope::OrdersRead, |guest, permit| {
            let ports = Arc::clone(&guest.shared.ports);
            let Some(orders) = ports.orders.get() else {
                return Ok(Err(OrdersError::Unavailable));
            };
            let plugin = guest.shared.release.plugin;
            let found = guest.wait(orders.orders_by_reference(permit, plugin, &reference));
            Ok(match found {
                Some(Ok(orders)) => Ok(orders
                    .into_iter()
                    .take(crate::limits::ORDERS_PAGE)
                    .map(|order| guest.order_to_wire(order))
                    .collect()),
                Some(Err(_)) | None => Err(OrdersError::Unavailable),
            })
        })
    }
}

/// What the orders room says about an id.
pub(crate) enum OwnOrder {
    /// It is an order of this plugin.
    Found(PluginOrder),
    /// It is not, or there is none.
    None,
    /// The room does not answer.
    Unavailable,
}

impl Guest {
    /// The order, if it is this plugin's own.
    pub(crate) fn own_order(&mut self, permit: &Permit, order: OrderId) -> OwnOrder {
        let ports = Arc::clone(&self.shared.ports);
        let Some(orders) = ports.orders.get() else {
            return OwnOrder::Unavailable;
        };
        let plugin = self.shared.release.plugin;
        match self.wait(orders.order(permit, plugin, order)) {
            Some(Ok(Some(order))) => OwnOrder::Found(order),
            Some(Ok(None)) => OwnOrder::None,
            Some(Err(_)) | None => OwnOrder::Unavailable,
        }
    }

    fn order_to_wire(&self, order: PluginOrder) -> Order {
        let institution = self.shared.release.institution;
        Order {
            id: order.id.to_string(),
            kind: wire::order_kind(order.kind),
            state: wire::order_state(order.state),
            product: order.product,
            reference: order.reference,
            user: self.shared.ports.gate.subject(institution, order.user),
            principal: wire::money(order.principal),
            confirmed_at: wire::timestamp(order.confirmed_at),
        }
    }
}
