use qiao_auth::{Auth, Permit};
use qiao_model::UserId;

use crate::ports::{Answering, PortUnavailable, UsersPort};

impl UsersPort for Auth {
    fn display_name<'a>(
        &'a self,
        _permit: &'a Permit,
        user: UserId,
    ) -> Answering<'a, Result<Option<String>, PortUnavailable>> {
        Box::pin(async move {
            match self.user(user).await {
                Ok(user) => Ok(user.map(|user| user.name)),
                Err(error) => Err(PortUnavailable::because("a user was not read", &error)),
            }
        })
    }
}
