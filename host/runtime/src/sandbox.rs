//! A host in memory: what `qiao plugin run` and the upload check put in the place of the
//! rooms. It keeps what a plugin registers, stores and sends, moves no money (a charge is
//! counted against its mandate and placed on no books), and knows no person but the ones
//! it is told of.

mod charge;
mod ports;

use std::collections::BTreeMap;
use std::sync::{Arc, OnceLock};

use parking_lot::Mutex;
use qiao_catalog::{NewProduct, Price};
use qiao_model::{MandateId, OrderId, UserId};
use qiao_payments::MandateState;

use crate::ports::{EgressPort, GatePort};
use crate::{ChargedOrder, MandateOffer, Offer, PaymentView, PluginOrder, Ports, UserHolding};

/// A host in memory. Cheap to clone; clones are one host.
#[derive(Clone, Default)]
pub struct Sandbox(Arc<Mutex<State>>);

#[derive(Default)]
struct State {
    products: BTreeMap<String, NewProduct>,
    prices: BTreeMap<String, Vec<Price>>,
    storage: BTreeMap<String, Vec<u8>>,
    messages: Vec<(UserId, String)>,
    names: BTreeMap<UserId, String>,
    holdings: BTreeMap<(UserId, String), UserHolding>,
    orders: BTreeMap<OrderId, PluginOrder>,
    payments: BTreeMap<OrderId, PaymentView>,
    refund_keys: BTreeMap<(OrderId, String), i64>,
    mandates: BTreeMap<MandateId, SandboxMandate>,
    charges: BTreeMap<String, (MandateId, Offer, ChargedOrder)>,
}

/// A mandate of the sandbox, and what was charged by it.
#[derive(Clone, Debug)]
pub struct SandboxMandate {
    /// Who gave it.
    pub user: UserId,
    /// What it allows.
    pub offer: MandateOffer,
    /// Whether it was revoked.
    pub state: MandateState,
    /// Charges so far.
    pub count: u32,
}

impl Sandbox {
    /// The ports of this host. The gate is a real one, so scopes hold here as they do in
    /// production (who stands behind a pseudonym is for the sandbox to say); without a way
    /// out, every address is unreachable.
    #[must_use]
    pub fn ports(&self, gate: Arc<dyn GatePort>, egress: Option<Arc<dyn EgressPort>>) -> Ports {
        let orders = OnceLock::new();
        // A new lock is empty, so this is the orders port that stays.
        drop(orders.set(Arc::new(self.clone()) as _));
        Ports {
            gate: Arc::new(ports::SandboxGate {
                gate,
                sandbox: self.clone(),
            }),
            catalog: Arc::new(self.clone()),
            payments: Arc::new(self.clone()),
            orders: Arc::new(orders),
            users: Arc::new(self.clone()),
            messages: Arc::new(self.clone()),
            storage: Arc::new(self.clone()),
            egress: egress.unwrap_or_else(|| Arc::new(self.clone())),
        }
    }

    /// What the plugin registered, by code.
    #[must_use]
    pub fn products(&self) -> Vec<NewProduct> {
        self.0.lock().products.values().cloned().collect()
    }

    /// The newest price that the plugin published for a product.
    #[must_use]
    pub fn latest_price(&self, product: &str) -> Option<Price> {
        let state = self.0.lock();
        let prices = state.prices.get(product)?;
        prices.iter().max_by_key(|price| price.day).copied()
    }

    /// What the plugin sent, oldest first.
    #[must_use]
    pub fn messages(&self) -> Vec<(UserId, String)> {
        self.0.lock().messages.clone()
    }

    /// Adds a person, who follows the public account.
    pub fn add_user(&self, user: UserId, name: &str) {
        self.0.lock().names.insert(user, name.to_owned());
    }

    /// Says what a person holds of a product.
    pub fn set_holding(&self, user: UserId, product: &str, holding: UserHolding) {
        let key = (user, product.to_owned());
        self.0.lock().holdings.insert(key, holding);
    }

    /// Adds an order or changes its state, and says what was paid for it.
    pub fn set_order(&self, order: PluginOrder, payment: PaymentView) {
        let mut state = self.0.lock();
        state.payments.insert(order.id, payment);
        state.orders.insert(order.id, order);
    }

    /// A person gives a mandate that the plugin offered; gives its id.
    pub fn give_mandate(&self, user: UserId, offer: MandateOffer) -> MandateId {
        let mut state = self.0.lock();
        let number = state.mandates.len() as u128 + 1;
        let id = MandateId::from_u128(number);
        let mandate = SandboxMandate {
            user,
            offer,
            state: MandateState::Active,
            count: 0,
        };
        state.mandates.insert(id, mandate);
        id
    }

    /// The person takes it back.
    pub fn revoke_mandate(&self, id: MandateId) {
        if let Some(mandate) = self.0.lock().mandates.get_mut(&id) {
            mandate.state = MandateState::Revoked;
        }
    }

    /// The mandates that were given.
    #[must_use]
    pub fn mandates(&self) -> Vec<(MandateId, SandboxMandate)> {
        let state = self.0.lock();
        state
            .mandates
            .iter()
            .map(|(id, m)| (*id, m.clone()))
            .collect()
    }

    /// The orders that charges placed.
    #[must_use]
    pub fn charges(&self) -> Vec<ChargedOrder> {
        self.0
            .lock()
            .charges
            .values()
            .map(|(_, _, order)| *order)
            .collect()
    }

    /// What was paid and given back for an order.
    #[must_use]
    pub fn payment(&self, order: OrderId) -> Option<PaymentView> {
        self.0.lock().payments.get(&order).cloned()
    }
}

impl std::fmt::Debug for Sandbox {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Sandbox")
    }
}
