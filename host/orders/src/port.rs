//! What a guest reaches of this room.

use std::sync::{Arc, Weak};

use qiao_auth::Permit;
use qiao_model::{OrderId, PluginId, Scope, UserId};
use qiao_runtime::limits::ORDERS_PAGE;
use qiao_runtime::{
    Answering, ChargePortError, ChargeRequest, ChargedOrder, OrdersPort, PaymentView,
    PaymentsPortError, PluginOrder, PortUnavailable, RefundRequest, UserHolding,
};

use crate::charge;
use crate::error::Error;
use crate::holdings::income_so_far;
use crate::order::Order;
use crate::orders::{Inner, Orders};
use crate::store;

/// The room as a guest's host calls reach it. It does not keep the room alive:
/// the room drives the runtime that holds this, and neither would ever end.
struct Port(Weak<Inner>);

impl Port {
    fn orders(&self) -> Result<Orders, PortUnavailable> {
        let inner = self.0.upgrade().ok_or(PortUnavailable)?;
        Ok(Orders::of(inner))
    }
}

impl OrdersPort for Port {
    fn order<'a>(
        &'a self,
        permit: &'a Permit,
        plugin: PluginId,
        order: OrderId,
    ) -> Answering<'a, Result<Option<PluginOrder>, PortUnavailable>> {
        Box::pin(async move {
            let found = self.orders()?.order_of_plugin(permit, plugin, order).await;
            found.map_err(|error| unavailable(plugin, &error))
        })
    }

    fn orders_by_reference<'a>(
        &'a self,
        permit: &'a Permit,
        plugin: PluginId,
        reference: &'a str,
    ) -> Answering<'a, Result<Vec<PluginOrder>, PortUnavailable>> {
        Box::pin(async move {
            let orders = self.orders()?;
            let found = orders.orders_of_reference(permit, plugin, reference).await;
            found.map_err(|error| unavailable(plugin, &error))
        })
    }

    fn holding<'a>(
        &'a self,
        permit: &'a Permit,
        plugin: PluginId,
        user: UserId,
        product: &'a str,
    ) -> Answering<'a, Result<Option<UserHolding>, PortUnavailable>> {
        Box::pin(async move {
            let orders = self.orders()?;
            let found = orders.holding_of_user(permit, plugin, user, product).await;
            found.map_err(|error| unavailable(plugin, &error))
        })
    }

    fn charge<'a>(
        &'a self,
        permit: &'a Permit,
        request: ChargeRequest<'a>,
    ) -> Answering<'a, Result<ChargedOrder, ChargePortError>> {
        Box::pin(async move {
            let orders = self.orders().map_err(|_| ChargePortError::Unavailable)?;
            let placed = orders.charge(permit, &request).await;
            placed.map_err(|error| charge::refusal(&request, error))
        })
    }

    fn refund<'a>(
        &'a self,
        permit: &'a Permit,
        request: RefundRequest<'a>,
    ) -> Answering<'a, Result<PaymentView, PaymentsPortError>> {
        Box::pin(async move {
            let orders = self.orders();
            let orders = orders.map_err(|_| PaymentsPortError::Unavailable)?;
            orders.refund_of_plugin(permit, &request).await
        })
    }
}

impl Orders {
    /// What guests may reach of orders, for [`qiao_runtime::Runtime::connect_orders`].
    #[must_use]
    pub fn port(&self) -> Arc<dyn OrdersPort> {
        Arc::new(Port(self.downgrade()))
    }

    async fn order_of_plugin(
        &self,
        permit: &Permit,
        plugin: PluginId,
        order: OrderId,
    ) -> Result<Option<PluginOrder>, Error> {
        permit.covers(Scope::OrdersRead)?;
        let found = store::orders::find(&self.inner().db, order).await?;
        let own = found.filter(|order| order.quote.plugin == plugin);
        Ok(own.map(plugin_order))
    }

    async fn orders_of_reference(
        &self,
        permit: &Permit,
        plugin: PluginId,
        reference: &str,
    ) -> Result<Vec<PluginOrder>, Error> {
        permit.covers(Scope::OrdersRead)?;
        let db = &self.inner().db;
        let found = store::orders::list_for_plugin(db, plugin, reference, ORDERS_PAGE).await?;
        Ok(found.into_iter().map(plugin_order).collect())
    }

    async fn holding_of_user(
        &self,
        permit: &Permit,
        plugin: PluginId,
        user: UserId,
        product: &str,
    ) -> Result<Option<UserHolding>, Error> {
        let inner = self.inner();
        let Some(product) = inner.catalog.product_by_code(plugin, product).await? else {
            return Ok(None);
        };
        let mut tx = inner.db.begin_snapshot().await?;
        let held = qiao_payments::holding_in(&mut tx, permit, user, product.id).await?;
        let income_minor = income_so_far(&mut tx, user, &held).await?;
        tx.commit().await?;
        Ok(Some(UserHolding {
            available_minor: held.balance.available(),
            held_minor: held.balance.pending_out,
            income_minor,
        }))
    }
}

fn plugin_order(order: Order) -> PluginOrder {
    PluginOrder {
        id: order.id,
        kind: order.quote.kind,
        state: order.standing.state,
        product: order.quote.product_code,
        reference: order.quote.reference,
        user: order.quote.user,
        principal: order.quote.principal,
        confirmed_at: order.confirmed_at,
    }
}

/// A guest is not told why; the operator is.
fn unavailable(plugin: PluginId, error: &Error) -> PortUnavailable {
    tracing::warn!(plugin.id = %plugin, %error, "a guest was not given what it asked of orders");
    PortUnavailable
}
