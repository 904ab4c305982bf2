use std::cell::{Cell, RefCell};
use std::collections::{BTreeMap, BTreeSet, VecDeque};

use crate::egress::{EgressError, Method, Request, Response};
use crate::log::Level;
use crate::orders::Order;
use crate::payments::{Charged, MandateRefusal, NewCharge, Payment};
use crate::users::{UserHolding, UserProfile};
use crate::{Date, Price, Product};

/// A message that a plugin sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SentMessage {
    /// To whom.
    pub user: String,
    /// What.
    pub text: String,
}

pub(super) struct PreparedReply {
    pub(super) method: Method,
    pub(super) rule: String,
    pub(super) path: String,
    pub(super) reply: Result<Response, EgressError>,
}

#[derive(Default)]
pub(super) struct State {
    pub(super) products: BTreeMap<String, Product>,
    pub(super) prices: BTreeMap<String, BTreeMap<Date, Price>>,
    pub(super) payments: BTreeMap<String, Payment>,
    pub(super) refund_keys: BTreeSet<String>,
    pub(super) mandates: BTreeMap<String, Result<(), MandateRefusal>>,
    pub(super) poor: BTreeSet<String>,
    pub(super) charges: Vec<(NewCharge, Charged)>,
    pub(super) orders: Vec<Order>,
    pub(super) profiles: BTreeMap<String, UserProfile>,
    pub(super) holdings: BTreeMap<(String, String), UserHolding>,
    pub(super) non_followers: BTreeSet<String>,
    pub(super) messages: Vec<SentMessage>,
    pub(super) stored: BTreeMap<String, Vec<u8>>,
    pub(super) replies: VecDeque<PreparedReply>,
    pub(super) requests: Vec<Request>,
    pub(super) log: Vec<(Level, String)>,
}

/// What a plugin's calls meet in a test, and what they left behind.
pub struct FakeHost {
    pub(super) state: RefCell<State>,
    pub(super) denied: RefCell<BTreeSet<String>>,
    pub(super) quoting: Cell<bool>,
}

impl FakeHost {
    pub(super) fn new() -> Self {
        Self {
            state: RefCell::default(),
            denied: RefCell::default(),
            quoting: Cell::new(false),
        }
    }

    /// From now on every call of an interface (`"storage"`, `"catalog"`, …) is denied,
    /// as it is without its scope.
    pub fn deny(&self, interface: &str) {
        self.denied.borrow_mut().insert(interface.to_owned());
    }

    /// Runs `quote` under the rule of the real host: no import but `log` may be called.
    pub fn quoting<R>(&self, quote: impl FnOnce() -> R) -> R {
        self.quoting.set(true);
        let answer = quote();
        self.quoting.set(false);
        answer
    }

    /// Publishes a price as if an earlier job had.
    pub fn set_price(&self, product: &str, price: Price) {
        let mut state = self.state.borrow_mut();
        state
            .prices
            .entry(product.to_owned())
            .or_default()
            .insert(price.day, price);
    }

    /// What a user holds of a product; nothing until it is set.
    pub fn set_holding(&self, user: &str, product: &str, holding: UserHolding) {
        let key = (user.to_owned(), product.to_owned());
        self.state.borrow_mut().holdings.insert(key, holding);
    }

    /// The profile of a user who consented.
    pub fn set_profile(&self, user: &str, display_name: &str) {
        let profile = UserProfile {
            display_name: display_name.to_owned(),
        };
        self.state
            .borrow_mut()
            .profiles
            .insert(user.to_owned(), profile);
    }

    /// Adds an order that the plugin can look up; the last one added is the newest.
    pub fn add_order(&self, order: Order) {
        self.state.borrow_mut().orders.push(order);
    }

    /// The payment of an order.
    pub fn set_payment(&self, order: &str, payment: Payment) {
        self.state
            .borrow_mut()
            .payments
            .insert(order.to_owned(), payment);
    }

    /// Adds a mandate that the plugin can charge; its limits are not kept here.
    pub fn add_mandate(&self, mandate: &str) {
        let mut state = self.state.borrow_mut();
        state.mandates.insert(mandate.to_owned(), Ok(()));
    }

    /// From now on charges of a mandate are refused.
    pub fn refuse_mandate(&self, mandate: &str, refusal: MandateRefusal) {
        let mut state = self.state.borrow_mut();
        state.mandates.insert(mandate.to_owned(), Err(refusal));
    }

    /// From now on whoever gave a mandate has too little money.
    pub fn empty_balance_of(&self, mandate: &str) {
        self.state.borrow_mut().poor.insert(mandate.to_owned());
    }

    /// The charges that placed an order, oldest first.
    #[must_use]
    pub fn charges(&self) -> Vec<NewCharge> {
        let state = self.state.borrow();
        state
            .charges
            .iter()
            .map(|(charge, _)| charge.clone())
            .collect()
    }

    /// The user does not follow the public account; everybody else does.
    pub fn unfollow(&self, user: &str) {
        self.state
            .borrow_mut()
            .non_followers
            .insert(user.to_owned());
    }

    /// Prepares the reply to the next request of this method, rule and path with query.
    pub fn reply(&self, method: Method, rule: &str, path: &str, status: u16, body: &str) {
        let response = Response {
            status,
            headers: Vec::new(),
            body: body.as_bytes().to_vec(),
        };
        self.prepare(method, rule, path, Ok(response));
    }

    /// Prepares a failure for the next request of this method, rule and path with query.
    pub fn fail(&self, method: Method, rule: &str, path: &str, error: EgressError) {
        self.prepare(method, rule, path, Err(error));
    }

    fn prepare(
        &self,
        method: Method,
        rule: &str,
        path: &str,
        reply: Result<Response, EgressError>,
    ) {
        self.state.borrow_mut().replies.push_back(PreparedReply {
            method,
            rule: rule.to_owned(),
            path: path.to_owned(),
            reply,
        });
    }

    /// The products that were registered, by code.
    #[must_use]
    pub fn products(&self) -> Vec<Product> {
        self.state.borrow().products.values().cloned().collect()
    }

    /// The prices of a product, oldest first.
    #[must_use]
    pub fn prices(&self, product: &str) -> Vec<Price> {
        let state = self.state.borrow();
        state
            .prices
            .get(product)
            .map(|days| days.values().copied().collect())
            .unwrap_or_default()
    }

    /// The messages that were sent.
    #[must_use]
    pub fn messages(&self) -> Vec<SentMessage> {
        self.state.borrow().messages.clone()
    }

    /// The stored value of a key.
    #[must_use]
    pub fn stored(&self, key: &str) -> Option<Vec<u8>> {
        self.state.borrow().stored.get(key).cloned()
    }

    /// The requests that were sent.
    #[must_use]
    pub fn requests(&self) -> Vec<Request> {
        self.state.borrow().requests.clone()
    }

    /// The payment of an order after refunds.
    #[must_use]
    pub fn payment(&self, order: &str) -> Option<Payment> {
        self.state.borrow().payments.get(order).cloned()
    }

    /// The lines that were logged.
    #[must_use]
    pub fn log(&self) -> Vec<(Level, String)> {
        self.state.borrow().log.clone()
    }

    /// The refusal of a call, when its interface is denied or a quote is running.
    pub(super) fn refusal(&self, interface: &str) -> Option<String> {
        if self.quoting.get() {
            return Some(format!("{interface} may not be called while quote runs"));
        }
        self.denied
            .borrow()
            .contains(interface)
            .then(|| format!("the manifest asks for no scope that covers {interface}"))
    }
}
