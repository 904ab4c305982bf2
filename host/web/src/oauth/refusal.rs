use axum::extract::rejection::FormRejection;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use qiao_auth::OAuthError;
use serde::Serialize;
use utoipa::ToSchema;

use crate::problem::Problem;

/// The body of a refusal (RFC 6749 section 5.2).
#[derive(Serialize, ToSchema)]
#[schema(as = OAuthError)]
pub(crate) struct RefusalBody {
    /// `invalid_request`, `invalid_client`, `invalid_scope`, …
    error: &'static str,
    /// What exactly is wrong.
    error_description: String,
}

/// A refusal of an OAuth endpoint.
#[derive(Debug)]
pub(crate) enum Refusal {
    /// The form does not parse; a parameter that is sent twice is of this kind.
    Form(FormRejection),
    /// The authorization server refused.
    OAuth(OAuthError),
}

impl From<FormRejection> for Refusal {
    fn from(rejection: FormRejection) -> Self {
        Self::Form(rejection)
    }
}

impl From<OAuthError> for Refusal {
    fn from(error: OAuthError) -> Self {
        Self::OAuth(error)
    }
}

impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        match self {
            Self::Form(rejection) => {
                let body = body("invalid_request", rejection.body_text());
                (StatusCode::BAD_REQUEST, body).into_response()
            }
            Self::OAuth(error) => answer(error),
        }
    }
}

fn answer(error: OAuthError) -> Response {
    let code = error.code();
    let status = match error {
        OAuthError::InvalidRequest(_)
        | OAuthError::UnsupportedGrantType
        | OAuthError::InvalidScope(_) => StatusCode::BAD_REQUEST,
        OAuthError::InvalidClient(_) => StatusCode::UNAUTHORIZED,
        // RFC 6749 has no code for a fault of the token endpoint: a problem tells more.
        OAuthError::Internal(error) => return Problem::from(error).into_response(),
    };
    (status, body(code, error.to_string())).into_response()
}

fn body(error: &'static str, error_description: String) -> axum::Json<RefusalBody> {
    axum::Json(RefusalBody {
        error,
        error_description,
    })
}
