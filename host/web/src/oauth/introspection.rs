//! The introspection endpoint (RFC 7662).

use axum::Form;
use axum::extract::State;
use axum::extract::rejection::FormRejection;
use qiao_auth::{ActiveToken, Introspection, OAuthError};
use serde::Serialize;
use utoipa::ToSchema;

use super::client::form_with_client;
use super::refusal::{Refusal, RefusalBody};
use crate::App;
use crate::extract::Json;

form_with_client! {
    /// Which token to tell about.
    IntrospectionForm {
        /// The access token.
        token,
    }
}

/// What is known of a token (RFC 7662 section 2.2).
#[derive(Serialize, ToSchema)]
pub(crate) struct IntrospectionBody {
    /// Whether it permits anything; when not, nothing else is told.
    active: bool,
    /// The rest.
    #[serde(flatten)]
    token: Option<ActiveTokenBody>,
}

/// A token that permits something.
#[derive(Serialize, ToSchema)]
pub(crate) struct ActiveTokenBody {
    /// What it carries.
    scope: String,
    /// Whose.
    client_id: String,
    /// `Bearer`.
    token_type: &'static str,
    /// When it ends, in seconds since the epoch.
    exp: i64,
    /// When it was issued.
    iat: i64,
    /// Whose.
    sub: String,
    /// Its own id.
    jti: String,
    /// The client's institution.
    institution: String,
}

impl From<ActiveToken> for ActiveTokenBody {
    fn from(token: ActiveToken) -> Self {
        Self {
            scope: token.scope.to_string(),
            client_id: token.client_id.to_string(),
            token_type: "Bearer",
            exp: token.expires_at.as_secs(),
            iat: token.issued_at.as_secs(),
            sub: token.client_id.to_string(),
            jti: token.jti,
            institution: token.institution.to_string(),
        }
    }
}

/// Ask what is known of an access token of one's own institution
#[utoipa::path(
    post,
    path = "/oauth/introspect",
    tag = "oauth",
    request_body(content = IntrospectionForm, content_type = "application/x-www-form-urlencoded"),
    responses(
        (status = 200, description = "What is known", body = IntrospectionBody),
        (status = 400, description = "A parameter is missing", body = RefusalBody),
        (status = 401, description = "The client did not prove who it is", body = RefusalBody),
    )
)]
pub(crate) async fn introspect_token(
    State(app): State<App>,
    form: Result<Form<IntrospectionForm>, FormRejection>,
) -> Result<Json<IntrospectionBody>, Refusal> {
    let Form(mut form) = form?;
    let client = form.client();
    let token = form
        .token
        .ok_or(OAuthError::InvalidRequest("token is missing"))?;
    let token = match app.auth.introspect(&client, &token).await? {
        Introspection::Active(token) => Some(ActiveTokenBody::from(token)),
        Introspection::Inactive => None,
    };
    Ok(Json(IntrospectionBody {
        active: token.is_some(),
        token,
    }))
}
