//! Extractors: who asks, and what, as types in a handler's signature.

mod body;
mod caller;
mod path;

pub use body::{Json, Query};
pub(crate) use caller::cookie;
pub use caller::{
    Bearer, CSRF_HEADER, Operator, RequiredScope, SessionUser, check_csrf, scope, session,
    session_token,
};
pub use path::{PathPair, PathParam};
