//! People: signing up, and their payment PIN.

use axum::extract::State;
use axum::http::StatusCode;
use qiao_auth::NewUser;
use qiao_model::Secret;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::App;
use crate::extract::{Json, SessionUser};
use crate::problem::{Problem, ProblemBody};

/// A person who signs up.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct NewUserBody {
    /// The log-in name: 3 to 64 of `a-z 0-9 . _ - @ +`.
    #[schema(example = "li.wei")]
    login: String,
    /// How they are called.
    name: String,
    /// 8 to 128 characters.
    password: String,
}

/// Who signed up.
#[derive(Serialize, ToSchema)]
pub(crate) struct UserBody {
    /// `usr_…`.
    id: String,
}

/// Sign up
#[utoipa::path(
    post,
    path = "/v1/users",
    tag = "people",
    request_body = NewUserBody,
    responses(
        (status = 201, description = "The person can log in", body = UserBody),
        (status = 409, description = "The log-in name is taken", content_type = "application/problem+json", body = ProblemBody),
        (status = 422, description = "A value is not acceptable", content_type = "application/problem+json", body = ProblemBody),
    )
)]
pub(crate) async fn sign_up(
    State(app): State<App>,
    Json(body): Json<NewUserBody>,
) -> Result<(StatusCode, Json<UserBody>), Problem> {
    let user = NewUser {
        login: body.login,
        name: body.name,
        password: Secret::new(body.password),
    };
    let id = app.auth.sign_up(user).await?.to_string();
    Ok((StatusCode::CREATED, Json(UserBody { id })))
}

/// A payment PIN.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct PinBody {
    /// 6 digits, not all the same and not in sequence.
    pin: String,
}

/// Set one's payment PIN
#[utoipa::path(
    post,
    path = "/v1/pin",
    tag = "people",
    request_body = PinBody,
    security(("session" = [], "csrf" = [])),
    responses(
        (status = 204, description = "It is set"),
        (status = 409, description = "One is set already", content_type = "application/problem+json", body = ProblemBody),
        (status = 422, description = "The PIN is weak", content_type = "application/problem+json", body = ProblemBody),
    )
)]
pub(crate) async fn set_pin(
    State(app): State<App>,
    caller: SessionUser,
    Json(body): Json<PinBody>,
) -> Result<StatusCode, Problem> {
    let pin = Secret::new(body.pin);
    app.auth.set_pin(&caller.permit, &pin).await?;
    Ok(StatusCode::NO_CONTENT)
}
