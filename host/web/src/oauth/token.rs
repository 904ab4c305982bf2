//! The token endpoint (RFC 6749 section 3.2).

use axum::Form;
use axum::extract::State;
use axum::extract::rejection::FormRejection;
use qiao_auth::TokenRequest;
use serde::Serialize;
use utoipa::ToSchema;

use super::client::form_with_client;
use super::refusal::{Refusal, RefusalBody};
use crate::App;
use crate::extract::Json;

form_with_client! {
    /// What a client asks for.
    TokenForm {
        /// `client_credentials`.
        grant_type,
        /// Space-separated; nothing means all that the client may have.
        scope,
    }
}

/// An access token (RFC 6749 section 5.1).
#[derive(Serialize, ToSchema)]
pub(crate) struct TokenBody {
    /// An RFC 9068 JWT.
    access_token: String,
    /// `Bearer`.
    token_type: &'static str,
    /// Seconds that it lives.
    expires_in: i64,
    /// What was granted.
    scope: String,
}

/// Get an access token
#[utoipa::path(
    post,
    path = "/oauth/token",
    tag = "oauth",
    request_body(content = TokenForm, content_type = "application/x-www-form-urlencoded"),
    responses(
        (status = 200, description = "The token", body = TokenBody),
        (status = 400, description = "A parameter is missing or not acceptable", body = RefusalBody),
        (status = 401, description = "The client did not prove who it is", body = RefusalBody),
    )
)]
pub(crate) async fn issue_token(
    State(app): State<App>,
    form: Result<Form<TokenForm>, FormRejection>,
) -> Result<Json<TokenBody>, Refusal> {
    let Form(mut form) = form?;
    let request = TokenRequest {
        client: form.client(),
        grant_type: form.grant_type,
        scope: form.scope,
    };
    let token = app.auth.token(request).await?;
    Ok(Json(TokenBody {
        access_token: token.access_token,
        token_type: "Bearer",
        expires_in: token.expires_in,
        scope: token.scope.to_string(),
    }))
}
