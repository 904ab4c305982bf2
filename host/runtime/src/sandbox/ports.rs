use std::future::ready;
use std::sync::Arc;

use qiao_auth::{Denied, Permit, PluginCaller};
use qiao_catalog::{NewProduct, Price, Problem};
use qiao_model::{InstitutionId, Money, OrderId, PluginId, Scope, UserId};

use super::Sandbox;
use crate::limits::{ORDERS_PAGE, STORAGE_BYTES_MAX, STORAGE_KEYS_PAGE};
use crate::ports::{
    Answering, CatalogPort, CatalogPortError, EgressPort, EgressPortError, GatePort, HttpRequest,
    HttpResponse, MessagesPort, MessagesPortError, OrdersPort, PaymentsPort, PaymentsPortError,
    PortUnavailable, RefundRequest, StoragePort, StoragePortError, UsersPort,
};
use crate::{ChargePortError, ChargeRequest, ChargedOrder, PaymentView, PluginOrder, UserHolding};

fn now<'a, T: Send + 'a>(answer: T) -> Answering<'a, T> {
    Box::pin(ready(answer))
}

/// A real gate, and the people of the sandbox.
pub(super) struct SandboxGate {
    pub(super) gate: Arc<dyn GatePort>,
    pub(super) sandbox: Sandbox,
}

impl GatePort for SandboxGate {
    fn permit(&self, caller: &PluginCaller, scope: Scope) -> Result<Permit, Denied> {
        self.gate.permit(caller, scope)
    }

    fn subject(&self, institution: InstitutionId, user: UserId) -> String {
        self.gate.subject(institution, user)
    }

    fn user_of_subject<'a>(
        &'a self,
        institution: InstitutionId,
        subject: &'a str,
    ) -> Answering<'a, Result<Option<UserId>, PortUnavailable>> {
        let users: Vec<UserId> = self.sandbox.0.lock().names.keys().copied().collect();
        let mut users = users.into_iter();
        now(Ok(
            users.find(|user| self.subject(institution, *user) == subject)
        ))
    }
}

impl CatalogPort for Sandbox {
    fn register_product<'a>(
        &'a self,
        _permit: &'a Permit,
        product: NewProduct,
    ) -> Answering<'a, Result<(), CatalogPortError>> {
        now(match product.check_fees() {
            Ok(()) => {
                let mut state = self.0.lock();
                state.products.insert(product.code.clone(), product);
                Ok(())
            }
            Err(problem) => Err(CatalogPortError::InvalidFeeSchedule(problem)),
        })
    }

    fn publish_price<'a>(
        &'a self,
        _permit: &'a Permit,
        _plugin: PluginId,
        product: &'a str,
        price: Price,
    ) -> Answering<'a, Result<(), CatalogPortError>> {
        let mut state = self.0.lock();
        if !state.products.contains_key(product) {
            return now(Err(CatalogPortError::UnknownProduct(product.to_owned())));
        }
        let prices = state.prices.entry(product.to_owned()).or_default();
        now(match prices.iter().find(|other| other.day == price.day) {
            Some(other) if *other == price => Ok(()),
            Some(other) => Err(CatalogPortError::InvalidPrice(Problem::new(
                "day",
                format!("another price of {} was published before", other.day),
            ))),
            None => {
                prices.push(price);
                Ok(())
            }
        })
    }

    fn latest_price<'a>(
        &'a self,
        _permit: &'a Permit,
        _plugin: PluginId,
        product: &'a str,
    ) -> Answering<'a, Result<Option<Price>, CatalogPortError>> {
        if !self.0.lock().products.contains_key(product) {
            return now(Err(CatalogPortError::UnknownProduct(product.to_owned())));
        }
        now(Ok(Sandbox::latest_price(self, product)))
    }
}

impl PaymentsPort for Sandbox {
    fn payment<'a>(
        &'a self,
        _permit: &'a Permit,
        order: OrderId,
    ) -> Answering<'a, Result<PaymentView, PaymentsPortError>> {
        let payment = Sandbox::payment(self, order);
        now(payment.ok_or(PaymentsPortError::UnknownOrder(order)))
    }
}

impl Sandbox {
    fn refund_once(&self, request: &RefundRequest<'_>) -> Result<PaymentView, PaymentsPortError> {
        let mut state = self.0.lock();
        let order = request.order;
        let unknown = PaymentsPortError::UnknownOrder(order);
        let key = (order, request.key.to_owned());
        let before = state.refund_keys.get(&key).copied();
        let payment = state.payments.get_mut(&order).ok_or(unknown)?;
        match before {
            Some(minor) if minor == request.amount.minor => return Ok(payment.clone()),
            Some(_) => {
                let cause = "the key was used with a different refund of this order";
                return Err(PaymentsPortError::WrongState(cause.to_owned()));
            }
            None => {}
        }
        let left = payment.paid.minor.saturating_sub(payment.refunded.minor);
        if request.amount.currency != payment.paid.currency || request.amount.minor > left {
            return Err(PaymentsPortError::ExceedsRefundable(left.unsigned_abs()));
        }
        let minor = payment.refunded.minor.saturating_add(request.amount.minor);
        payment.refunded = Money::new(minor, payment.paid.currency);
        let payment = payment.clone();
        state.refund_keys.insert(key, request.amount.minor);
        Ok(payment)
    }
}

impl OrdersPort for Sandbox {
    fn refund<'a>(
        &'a self,
        _permit: &'a Permit,
        request: RefundRequest<'a>,
    ) -> Answering<'a, Result<PaymentView, PaymentsPortError>> {
        now(self.refund_once(&request))
    }

    fn order<'a>(
        &'a self,
        _permit: &'a Permit,
        _plugin: PluginId,
        order: OrderId,
    ) -> Answering<'a, Result<Option<PluginOrder>, PortUnavailable>> {
        now(Ok(self.0.lock().orders.get(&order).cloned()))
    }

    fn orders_by_reference<'a>(
        &'a self,
        _permit: &'a Permit,
        _plugin: PluginId,
        reference: &'a str,
    ) -> Answering<'a, Result<Vec<PluginOrder>, PortUnavailable>> {
        let state = self.0.lock();
        let newest_first = state.orders.values().rev();
        let found = newest_first.filter(|order| order.reference == reference);
        now(Ok(found.take(ORDERS_PAGE).cloned().collect()))
    }

    fn holding<'a>(
        &'a self,
        _permit: &'a Permit,
        _plugin: PluginId,
        user: UserId,
        product: &'a str,
    ) -> Answering<'a, Result<Option<UserHolding>, PortUnavailable>> {
        let state = self.0.lock();
        if !state.products.contains_key(product) {
            return now(Ok(None));
        }
        let holding = state.holdings.get(&(user, product.to_owned()));
        now(Ok(Some(holding.copied().unwrap_or_default())))
    }

    fn charge<'a>(
        &'a self,
        _permit: &'a Permit,
        request: ChargeRequest<'a>,
    ) -> Answering<'a, Result<ChargedOrder, ChargePortError>> {
        now(self.charge_once(&request))
    }
}

impl UsersPort for Sandbox {
    fn display_name<'a>(
        &'a self,
        _permit: &'a Permit,
        user: UserId,
    ) -> Answering<'a, Result<Option<String>, PortUnavailable>> {
        now(Ok(self.0.lock().names.get(&user).cloned()))
    }
}

impl MessagesPort for Sandbox {
    fn send<'a>(
        &'a self,
        _permit: &'a Permit,
        user: UserId,
        text: &'a str,
    ) -> Answering<'a, Result<(), MessagesPortError>> {
        let mut state = self.0.lock();
        if !state.names.contains_key(&user) {
            return now(Err(MessagesPortError::NotFollower));
        }
        state.messages.push((user, text.to_owned()));
        now(Ok(()))
    }
}

impl StoragePort for Sandbox {
    fn get<'a>(
        &'a self,
        _permit: &'a Permit,
        _plugin: PluginId,
        key: &'a str,
    ) -> Answering<'a, Result<Option<Vec<u8>>, StoragePortError>> {
        now(Ok(self.0.lock().storage.get(key).cloned()))
    }

    fn set<'a>(
        &'a self,
        _permit: &'a Permit,
        _plugin: PluginId,
        key: &'a str,
        value: &'a [u8],
    ) -> Answering<'a, Result<(), StoragePortError>> {
        let mut state = self.0.lock();
        let others = state
            .storage
            .iter()
            .filter(|(other, _)| other.as_str() != key);
        let bytes: usize = others.map(|(key, value)| key.len() + value.len()).sum();
        if bytes + key.len() + value.len() > STORAGE_BYTES_MAX {
            return now(Err(StoragePortError::QuotaExceeded));
        }
        state.storage.insert(key.to_owned(), value.to_vec());
        now(Ok(()))
    }

    fn delete<'a>(
        &'a self,
        _permit: &'a Permit,
        _plugin: PluginId,
        key: &'a str,
    ) -> Answering<'a, Result<(), StoragePortError>> {
        self.0.lock().storage.remove(key);
        now(Ok(()))
    }

    fn keys<'a>(
        &'a self,
        _permit: &'a Permit,
        _plugin: PluginId,
        prefix: &'a str,
        after: Option<&'a str>,
    ) -> Answering<'a, Result<Vec<String>, StoragePortError>> {
        let state = self.0.lock();
        let after = after.unwrap_or("");
        let keys = state.storage.keys();
        let found = keys.filter(|key| key.starts_with(prefix) && key.as_str() > after);
        now(Ok(found.take(STORAGE_KEYS_PAGE).cloned().collect()))
    }
}

impl EgressPort for Sandbox {
    fn send<'a>(
        &'a self,
        _permit: &'a Permit,
        _request: HttpRequest,
    ) -> Answering<'a, Result<HttpResponse, EgressPortError>> {
        now(Err(EgressPortError::Unreachable))
    }
}
