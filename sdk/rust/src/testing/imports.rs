//! The host's interfaces, with the names and signatures that wit-bindgen gives them.

use super::{catalog_rules, current};

pub mod catalog {
    use super::{catalog_rules, current};
    use crate::catalog::{CatalogError, Problem};
    use crate::{Price, Product};

    pub fn register_product(product: &Product) -> Result<(), CatalogError> {
        let host = allowed()?;
        catalog_rules::check(product)?;
        host.state
            .borrow_mut()
            .products
            .insert(product.code.clone(), product.clone());
        Ok(())
    }

    pub fn publish_price(product: &str, price: Price) -> Result<(), CatalogError> {
        let host = allowed()?;
        let mut state = host.state.borrow_mut();
        if !state.products.contains_key(product) {
            return Err(CatalogError::UnknownProduct(product.to_owned()));
        }
        let days = state.prices.entry(product.to_owned()).or_default();
        let cause = match days.get(&price.day) {
            Some(published) if *published != price => "another price was published for this day",
            Some(_) | None if price.nav_e4 == 0 => "the net asset value is zero",
            Some(_) | None => {
                days.insert(price.day, price);
                return Ok(());
            }
        };
        Err(CatalogError::InvalidPrice(Problem {
            at: "price".to_owned(),
            cause: cause.to_owned(),
        }))
    }

    pub fn latest_price(product: &str) -> Result<Option<Price>, CatalogError> {
        let host = allowed()?;
        let state = host.state.borrow();
        Ok(state
            .prices
            .get(product)
            .and_then(|days| days.values().next_back().copied()))
    }

    fn allowed() -> Result<std::rc::Rc<super::super::FakeHost>, CatalogError> {
        let host = current();
        host.refusal("catalog")
            .map_or(Ok(host), |cause| Err(CatalogError::Denied(cause)))
    }
}

pub mod payments {
    use super::current;
    use crate::payments::{Charged, NewCharge, Payment, PaymentsError};
    use crate::{Money, OrderKind, OrderState};

    const KEY_BYTES_MAX: usize = 128;

    /// Charges what the offer says, as of a product without fees.
    pub fn charge(charge: &NewCharge) -> Result<Charged, PaymentsError> {
        let host = current();
        if let Some(cause) = host.refusal("payments") {
            return Err(PaymentsError::Denied(cause));
        }
        if charge.key.is_empty() || charge.key.len() > KEY_BYTES_MAX {
            return Err(PaymentsError::NotOrderable(
                "a key has 1 to 128 bytes".to_owned(),
            ));
        }
        let mut state = host.state.borrow_mut();
        let mut before = state.charges.iter();
        if let Some((same, charged)) = before.find(|(other, _)| other.key == charge.key) {
            let used =
                || PaymentsError::NotOrderable("the key was used for another charge".to_owned());
            return (same == charge).then(|| charged.clone()).ok_or_else(used);
        }
        match state.mandates.get(&charge.mandate) {
            None => return Err(PaymentsError::UnknownMandate(charge.mandate.clone())),
            Some(Err(refusal)) => return Err(PaymentsError::MandateRefused(refusal.clone())),
            Some(Ok(())) => {}
        }
        if state.poor.contains(&charge.mandate) {
            return Err(PaymentsError::InsufficientFunds);
        }
        let amount = charge.offer.amount.clone();
        let Some(amount) = amount.filter(|_| charge.offer.kind != OrderKind::Redeem) else {
            let cause = "a charge is a purchase or a payment of an amount";
            return Err(PaymentsError::NotOrderable(cause.to_owned()));
        };
        let charged = Charged {
            order: format!("ord_charge_{}", state.charges.len() + 1),
            state: OrderState::Held,
            amount,
        };
        state.charges.push((charge.clone(), charged.clone()));
        Ok(charged)
    }

    pub fn get(order: &str) -> Result<Payment, PaymentsError> {
        let host = current();
        if let Some(cause) = host.refusal("payments") {
            return Err(PaymentsError::Denied(cause));
        }
        host.payment(order)
            .ok_or_else(|| PaymentsError::UnknownOrder(order.to_owned()))
    }

    pub fn refund(
        order: &str,
        amount: &Money,
        _reason: &str,
        key: &str,
    ) -> Result<Payment, PaymentsError> {
        let mut payment = get(order)?;
        let host = current();
        let mut state = host.state.borrow_mut();
        if state.refund_keys.contains(key) {
            return Ok(payment);
        }
        let left = payment.paid.minor - payment.refunded.minor;
        if amount.minor <= 0 || amount.minor > left || amount.currency != payment.paid.currency {
            return Err(PaymentsError::ExceedsRefundable(left.unsigned_abs()));
        }
        payment.refunded.minor += amount.minor;
        state.refund_keys.insert(key.to_owned());
        state.payments.insert(order.to_owned(), payment.clone());
        Ok(payment)
    }
}

pub mod orders {
    use super::current;
    use crate::orders::{Order, OrdersError};

    const ORDERS_MAX: usize = 20;

    pub fn get(id: &str) -> Result<Order, OrdersError> {
        let host = current();
        if let Some(cause) = host.refusal("orders") {
            return Err(OrdersError::Denied(cause));
        }
        let state = host.state.borrow();
        let order = state.orders.iter().find(|order| order.id == id).cloned();
        order.ok_or_else(|| OrdersError::UnknownOrder(id.to_owned()))
    }

    pub fn by_reference(reference: &str) -> Result<Vec<Order>, OrdersError> {
        let host = current();
        if let Some(cause) = host.refusal("orders") {
            return Err(OrdersError::Denied(cause));
        }
        let state = host.state.borrow();
        let newest_first = state.orders.iter().rev();
        let matching = newest_first.filter(|order| order.reference == reference);
        Ok(matching.take(ORDERS_MAX).cloned().collect())
    }
}

pub mod users {
    use super::current;
    use crate::users::{UserHolding, UserProfile, UsersError};

    pub fn profile(user: &str) -> Result<UserProfile, UsersError> {
        let host = current();
        if let Some(cause) = host.refusal("users") {
            return Err(UsersError::Denied(cause));
        }
        let profile = host.state.borrow().profiles.get(user).cloned();
        profile.ok_or_else(|| UsersError::Denied("the user did not consent".to_owned()))
    }

    pub fn holding(user: &str, product: &str) -> Result<UserHolding, UsersError> {
        let host = current();
        if let Some(cause) = host.refusal("users") {
            return Err(UsersError::Denied(cause));
        }
        let state = host.state.borrow();
        let key = (user.to_owned(), product.to_owned());
        let nothing = UserHolding {
            available_minor: 0,
            held_minor: 0,
            income_minor: 0,
        };
        Ok(state.holdings.get(&key).copied().unwrap_or(nothing))
    }
}

pub mod messages {
    use super::super::SentMessage;
    use super::current;
    use crate::messages::MessagesError;

    const TEXT_CHARS_MAX: usize = 600;

    pub fn send(user: &str, text: &str) -> Result<(), MessagesError> {
        let host = current();
        if let Some(cause) = host.refusal("messages") {
            return Err(MessagesError::Denied(cause));
        }
        if text.is_empty() || text.chars().count() > TEXT_CHARS_MAX {
            return Err(MessagesError::InvalidText);
        }
        let mut state = host.state.borrow_mut();
        if state.non_followers.contains(user) {
            return Err(MessagesError::NotFollower);
        }
        state.messages.push(SentMessage {
            user: user.to_owned(),
            text: text.to_owned(),
        });
        Ok(())
    }
}

pub mod storage {
    use std::rc::Rc;

    use super::super::FakeHost;
    use super::current;
    use crate::storage::StorageError;

    const KEY_BYTES_MAX: usize = 128;
    const KEYS_MAX: usize = 100;

    pub fn get(key: &str) -> Result<Option<Vec<u8>>, StorageError> {
        let host = allowed()?;
        check_key(key)?;
        Ok(host.stored(key))
    }

    pub fn set(key: &str, value: &[u8]) -> Result<(), StorageError> {
        let host = allowed()?;
        check_key(key)?;
        host.state
            .borrow_mut()
            .stored
            .insert(key.to_owned(), value.to_vec());
        Ok(())
    }

    pub fn delete(key: &str) -> Result<(), StorageError> {
        let host = allowed()?;
        check_key(key)?;
        host.state.borrow_mut().stored.remove(key);
        Ok(())
    }

    pub fn keys(prefix: &str, after: Option<&str>) -> Result<Vec<String>, StorageError> {
        let host = allowed()?;
        let state = host.state.borrow();
        let matching = state.stored.keys().filter(|key| key.starts_with(prefix));
        let later = matching.filter(|key| after.is_none_or(|after| key.as_str() > after));
        Ok(later.take(KEYS_MAX).cloned().collect())
    }

    fn check_key(key: &str) -> Result<(), StorageError> {
        let is_plain = |char: char| !char.is_control() || matches!(char, '\t' | '\n' | '\r');
        if key.is_empty() || key.len() > KEY_BYTES_MAX || !key.chars().all(is_plain) {
            return Err(StorageError::InvalidKey);
        }
        Ok(())
    }

    fn allowed() -> Result<Rc<FakeHost>, StorageError> {
        let host = current();
        host.refusal("storage")
            .map_or(Ok(host), |cause| Err(StorageError::Denied(cause)))
    }
}

pub mod egress {
    use super::current;
    use crate::egress::{EgressError, Request, Response};

    pub fn fetch(request: &Request) -> Result<Response, EgressError> {
        let host = current();
        if let Some(cause) = host.refusal("egress") {
            return Err(EgressError::Denied(cause));
        }
        if !request.path.starts_with('/') || request.path.contains("..") {
            return Err(EgressError::InvalidRequest(request.path.clone()));
        }
        let mut state = host.state.borrow_mut();
        state.requests.push(request.clone());
        let prepared = state.replies.iter().position(|prepared| {
            prepared.method == request.method
                && prepared.rule == request.rule
                && prepared.path == request.path
        });
        let Some(prepared) = prepared.and_then(|index| state.replies.remove(index)) else {
            panic!(
                "no reply is prepared for {:?} {} {}",
                request.method, request.rule, request.path
            );
        };
        prepared.reply
    }
}

pub mod log {
    use super::current;
    use crate::log::Level;

    pub fn write(level: Level, message: &str) {
        current()
            .state
            .borrow_mut()
            .log
            .push((level, message.to_owned()));
    }
}
