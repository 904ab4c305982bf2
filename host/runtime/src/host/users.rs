use std::sync::Arc;

use qiao_model::{Scope, UserId};

use crate::bindings::v0_1_0::qiao::host::users::{Host, UserHolding, UserProfile, UsersError};
use crate::guest::Guest;
use crate::host::{Answer, Refusal};

impl Refusal for UsersError {
    fn denied(reason: String) -> Self {
        Self::Denied(reason)
    }

    fn unavailable() -> Self {
        Self::Unavailable
    }
}

impl Host for Guest {
    fn profile(&mut self, subject: String) -> Answer<UserProfile, UsersError> {
        self.call(Scope::UsersProfile, |guest, permit| {
            let Some(user) = guest.present(&subject) else {
                return Ok(Err(UsersError::NotPresent));
            };
            let ports = Arc::clone(&guest.shared.ports);
            let name = guest.wait(ports.users.display_name(permit, user));
            Ok(match name {
                Some(Ok(Some(display_name))) => Ok(UserProfile { display_name }),
                Some(Ok(None)) => Err(UsersError::NotPresent),
                Some(Err(_)) | None => Err(UsersError::Unavailable),
            })
        })
    }

    fn holding(&mut self, subject: String, product: String) -> Answer<UserHolding, UsersError> {
        self.call(Scope::HoldingsRead, |guest, permit| {
            let Some(user) = guest.present(&subject) else {
                return Ok(Err(UsersError::NotPresent));
            };
            let ports = Arc::clone(&guest.shared.ports);
            let Some(orders) = ports.orders.get() else {
                return Ok(Err(UsersError::Unavailable));
            };
            let plugin = guest.shared.release.plugin;
            let holding = guest.wait(orders.holding(permit, plugin, user, &product));
            Ok(match holding {
                Some(Ok(Some(holding))) => Ok(UserHolding {
                    available_minor: holding.available_minor,
                    held_minor: holding.held_minor,
                    income_minor: holding.income_minor,
                }),
                Some(Ok(None)) => Err(UsersError::UnknownProduct(product)),
                Some(Err(_)) | None => Err(UsersError::Unavailable),
            })
        })
    }
}

impl Guest {
    /// The user that the call is for, if this is their pseudonym: a plugin learns nothing
    /// about anybody else, whatever it remembers.
    fn present(&self, subject: &str) -> Option<UserId> {
        let user = self.user?;
        let own = self
            .shared
            .ports
            .gate
            .subject(self.shared.release.institution, user);
        (own == subject).then_some(user)
    }
}
