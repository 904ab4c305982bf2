//! OAuth 2.0 for institutions' clients: one file per endpoint, named by its noun.
//!
//! Requests are forms, refusals are error bodies of RFC 6749 section 5.2 rather than
//! problems, and no answer may be stored (the layers say so for every route).

mod client;
mod introspection;
mod metadata;
mod refusal;
mod revocation;
mod token;

use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::App;

pub(crate) fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(token::issue_token))
        .routes(routes!(revocation::revoke_token))
        .routes(routes!(introspection::introspect_token))
        .routes(routes!(metadata::get_jwks))
        .routes(routes!(metadata::get_metadata))
}
