//! What a client can find out by itself: metadata (RFC 8414) and keys (RFC 7517).

use axum::extract::State;
use serde_json::Value;

use crate::App;
use crate::extract::Json;

/// The authorization server's metadata
#[utoipa::path(
    get,
    path = "/.well-known/oauth-authorization-server",
    tag = "oauth",
    responses((status = 200, description = "Metadata of RFC 8414", content_type = "application/json", body = Object))
)]
pub(crate) async fn get_metadata(State(app): State<App>) -> Json<Value> {
    Json(app.auth.metadata())
}

/// The keys that access tokens are signed with
#[utoipa::path(
    get,
    path = "/oauth/jwks",
    tag = "oauth",
    responses((status = 200, description = "A JWK set", content_type = "application/json", body = Object))
)]
pub(crate) async fn get_jwks(State(app): State<App>) -> Json<Value> {
    Json(app.auth.jwks())
}
