//! Sessions: logging in and out over JSON. Browsers use the pages instead.

use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::response::IntoResponse;
use qiao_auth::Session;
use qiao_model::Secret;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::App;
use crate::extract::{Json, SessionUser, session_token};
use crate::problem::{Kind, Problem, ProblemBody};
use crate::session_cookie;

/// Who logs in.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct NewSessionBody {
    /// The log-in name.
    login: String,
    /// The password.
    password: String,
}

/// A session.
#[derive(Serialize, ToSchema)]
pub(crate) struct SessionBody {
    /// `usr_…`.
    user: String,
    /// How they are called.
    name: String,
    /// What the header `x-csrf-token` of requests that change something carries.
    csrf: String,
    /// Whether they operate the platform.
    is_operator: bool,
    /// The institutions that they are on the staff of.
    institutions: Vec<String>,
}

impl From<&Session> for SessionBody {
    fn from(session: &Session) -> Self {
        Self {
            user: session.user().to_string(),
            name: session.name().to_owned(),
            csrf: session.csrf().to_owned(),
            is_operator: session.is_operator(),
            institutions: session
                .institutions()
                .iter()
                .map(ToString::to_string)
                .collect(),
        }
    }
}

/// Log in: the answer sets the session's cookie
#[utoipa::path(
    post,
    path = "/v1/sessions",
    tag = "people",
    request_body = NewSessionBody,
    responses(
        (status = 201, description = "The session; the cookie is set", body = SessionBody),
        (status = 401, description = "Login or password is wrong", content_type = "application/problem+json", body = ProblemBody),
        (status = 429, description = "Too many wrong tries", content_type = "application/problem+json", body = ProblemBody),
    )
)]
pub(crate) async fn log_in(
    State(app): State<App>,
    Json(body): Json<NewSessionBody>,
) -> Result<impl IntoResponse, Problem> {
    let password = Secret::new(body.password);
    let token = app.auth.log_in(&body.login, &password).await?;
    let Some(session) = app.auth.session(token.expose()).await? else {
        let detail = "the session ended as it began";
        return Err(Problem::new(Kind::SignInRequired, detail));
    };
    let cookie = session_cookie::of_session(&app.config, token.expose());
    Ok((
        StatusCode::CREATED,
        cookie,
        Json(SessionBody::from(&session)),
    ))
}

/// Who is signed in
#[utoipa::path(
    get,
    path = "/v1/sessions/current",
    tag = "people",
    security(("session" = [])),
    responses((status = 200, description = "The session", body = SessionBody))
)]
pub(crate) async fn get_session(caller: SessionUser) -> Json<SessionBody> {
    Json(SessionBody::from(&caller.session))
}

/// Log out
#[utoipa::path(
    delete,
    path = "/v1/sessions/current",
    tag = "people",
    security(("session" = [], "csrf" = [])),
    responses((status = 204, description = "The session has ended"))
)]
pub(crate) async fn log_out(
    State(app): State<App>,
    _caller: SessionUser,
    headers: HeaderMap,
) -> Result<impl IntoResponse, Problem> {
    if let Some(token) = session_token(&headers, &app) {
        app.auth.log_out(&token).await?;
    }
    Ok((
        StatusCode::NO_CONTENT,
        session_cookie::forgotten(&app.config),
    ))
}
