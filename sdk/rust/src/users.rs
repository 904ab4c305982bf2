//! The person that the call is for. Scopes `users:profile`, `holdings:read`.

#[cfg(target_arch = "wasm32")]
use crate::bindings::qiao::host::users as host;
#[cfg(not(target_arch = "wasm32"))]
use crate::testing::imports::users as host;

pub use crate::bindings::qiao::host::users::{UserHolding, UserProfile, UsersError};

/// The user's profile. Scope `users:profile`, and the user's consent.
///
/// # Errors
/// [`UsersError::NotPresent`] when the call is not for this user.
pub fn profile(user: &str) -> Result<UserProfile, UsersError> {
    host::profile(user)
}

/// What the user holds of a product of this plugin. Scope `holdings:read`.
///
/// # Errors
/// [`UsersError::UnknownProduct`] when this plugin registered no such product.
pub fn holding(user: &str, product: &str) -> Result<UserHolding, UsersError> {
    host::holding(user, product)
}
