//! The revocation endpoint (RFC 7009).

use axum::Form;
use axum::extract::State;
use axum::extract::rejection::FormRejection;
use axum::http::StatusCode;
use qiao_auth::OAuthError;

use super::client::form_with_client;
use super::refusal::{Refusal, RefusalBody};
use crate::App;

form_with_client! {
    /// Which token to end.
    RevocationForm {
        /// The access token.
        token,
    }
}

/// End an access token before its time
#[utoipa::path(
    post,
    path = "/oauth/revoke",
    tag = "oauth",
    request_body(content = RevocationForm, content_type = "application/x-www-form-urlencoded"),
    responses(
        (status = 200, description = "It counts no more; a token that was none is answered the same way"),
        (status = 400, description = "A parameter is missing", body = RefusalBody),
        (status = 401, description = "The client did not prove who it is", body = RefusalBody),
    )
)]
pub(crate) async fn revoke_token(
    State(app): State<App>,
    form: Result<Form<RevocationForm>, FormRejection>,
) -> Result<StatusCode, Refusal> {
    let Form(mut form) = form?;
    let client = form.client();
    let token = form
        .token
        .ok_or(OAuthError::InvalidRequest("token is missing"))?;
    app.auth.revoke(&client, &token).await?;
    Ok(StatusCode::OK)
}
