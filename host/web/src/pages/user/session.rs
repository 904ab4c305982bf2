use axum::extract::{Query, State};
use axum::http::HeaderMap;
use axum::response::{IntoResponse, Response};
use qiao_auth::{Error, NewUser, PASSWORD_CHARS_MAX, PASSWORD_CHARS_MIN, SessionToken};
use qiao_model::Secret;
use serde::Deserialize;

use crate::App;
use crate::extract::session_token;
use crate::pages::failed::{Failed, page, refused, see};
use crate::pages::sent::Sent;
use crate::pages::text::fill;
use crate::pages::view::user::{LogIn, Me, SignUp};
use crate::pages::view::{Badge, Cell, Facts, Field, Form, Kind, Link, Tone};
use crate::pages::visit::{Person, Visit, own_path, with_next};
use crate::session_cookie;

#[derive(Default, Deserialize)]
pub(super) struct NewPerson {
    #[serde(default)]
    name: String,
    #[serde(default)]
    login: String,
    #[serde(default)]
    password: String,
    #[serde(default)]
    next: String,
}

/// What is wrong with a person's fields, each in a sentence.
#[derive(Default)]
struct Wrong {
    name: Option<String>,
    login: Option<String>,
    password: Option<String>,
}

/// `GET /signup`
pub(super) async fn show_sign_up(
    visit: Visit,
    Query(asked): Query<Next>,
) -> Result<Response, Failed> {
    if visit.session.is_some() {
        return see(own_path(&asked.next));
    }
    let person = NewPerson {
        next: asked.next,
        ..NewPerson::default()
    };
    page(&sign_up_page(&visit, &person, Wrong::default()))
}

fn sign_up_page(visit: &Visit, person: &NewPerson, wrong: Wrong) -> SignUp {
    let t = visit.t();
    let name = Field::new("name", t.name, Kind::Text)
        .hint(t.name_hint)
        .autocomplete("name");
    let login = Field::new("login", t.login, Kind::Code).hint(t.login_hint);
    let password = Field::new("password", t.password, Kind::Password)
        .hint(fill(t.password_hint, &[&PASSWORD_CHARS_MIN]));
    SignUp {
        shell: visit.user_page(t.sign_up_title, ""),
        log_in: other_way_in("/login", &person.next),
        form: Form::new("sign-up", "/signup", visit.csrf(), t.create_account)
            .hidden("next", own_path(&person.next))
            .field(name.value(&person.name).error(wrong.name))
            .field(
                login
                    .autocomplete("username")
                    .value(&person.login)
                    .error(wrong.login),
            )
            .field(password.autocomplete("new-password").error(wrong.password)),
    }
}

/// `POST /signup`
pub(super) async fn sign_up(
    State(app): State<App>,
    visit: Visit,
    Sent(person): Sent<NewPerson>,
) -> Result<Response, Failed> {
    let t = visit.t();
    let password = Secret::new(person.password.clone());
    let new = NewUser {
        login: person.login.clone(),
        name: person.name.clone(),
        password: password.clone(),
    };
    let mut wrong = Wrong::default();
    match app.auth.sign_up(new).await {
        Ok(_) => {}
        Err(Error::LoginTaken(_)) => wrong.login = Some(t.login_taken.to_owned()),
        Err(Error::InvalidLogin) => wrong.login = Some(t.login_rule.to_owned()),
        Err(Error::InvalidName) => wrong.name = Some(t.name_rule.to_owned()),
        Err(Error::WeakPassword) => {
            let limits: [&dyn std::fmt::Display; 2] = [&PASSWORD_CHARS_MIN, &PASSWORD_CHARS_MAX];
            wrong.password = Some(fill(t.password_rule, &limits));
        }
        Err(error) => return Err(error.into()),
    }
    if wrong.name.is_some() || wrong.login.is_some() || wrong.password.is_some() {
        return refused(&sign_up_page(&visit, &person, wrong));
    }
    let token = app.auth.log_in(&person.login, &password).await?;
    match own_path(&person.next) {
        "/" => enter(&app, &token, "/?note=welcome"),
        next => enter(&app, &token, next),
    }
}

/// The other way in, which leads on to where the visitor was going, if they were.
fn other_way_in(path: &str, next: &str) -> String {
    if next.is_empty() {
        path.to_owned()
    } else {
        with_next(path, own_path(next))
    }
}

#[derive(Default, Deserialize)]
pub(super) struct Credentials {
    #[serde(default)]
    login: String,
    #[serde(default)]
    password: String,
    #[serde(default)]
    next: String,
}

/// `GET /login`
pub(super) async fn show_log_in(
    visit: Visit,
    Query(credentials): Query<Next>,
) -> Result<Response, Failed> {
    if visit.session.is_some() {
        return see(own_path(&credentials.next));
    }
    page(&log_in_page(&visit, "", &credentials.next, None))
}

#[derive(Default, Deserialize)]
pub(super) struct Next {
    #[serde(default)]
    next: String,
}

fn log_in_page(visit: &Visit, login: &str, next: &str, problem: Option<String>) -> LogIn {
    let t = visit.t();
    let password = Field::new("password", t.password, Kind::Password);
    LogIn {
        shell: visit.user_page(t.log_in, ""),
        sign_up: other_way_in("/signup", next),
        form: Form::new("log-in", "/login", visit.csrf(), t.log_in)
            .hidden("next", own_path(next))
            .problem(problem)
            .field(
                Field::new("login", t.login, Kind::Code)
                    .autocomplete("username")
                    .value(login),
            )
            .field(password.autocomplete("current-password")),
    }
}

/// `POST /login`
pub(super) async fn log_in(
    State(app): State<App>,
    visit: Visit,
    Sent(sent): Sent<Credentials>,
) -> Result<Response, Failed> {
    let t = visit.t();
    let problem = match app
        .auth
        .log_in(&sent.login, &Secret::new(sent.password))
        .await
    {
        Ok(token) => return enter(&app, &token, own_path(&sent.next)),
        Err(Error::WrongCredentials) => t.wrong_login.to_owned(),
        Err(Error::TooManyAttempts { retry_after_secs }) => {
            let until = app.env.now().plus_secs(retry_after_secs).local();
            fill(t.too_many_log_ins, &[&until])
        }
        Err(error) => return Err(error.into()),
    };
    refused(&log_in_page(&visit, &sent.login, &sent.next, Some(problem)))
}

fn enter(app: &App, token: &SessionToken, path: &str) -> Result<Response, Failed> {
    let cookie = session_cookie::of_session(&app.config, token.expose());
    Ok((cookie, see(path)?).into_response())
}

/// The fields of a form that is a button alone.
#[derive(Debug, Deserialize)]
pub(in crate::pages) struct Nothing {}

/// `POST /logout`
pub(super) async fn log_out(
    State(app): State<App>,
    headers: HeaderMap,
    Sent(Nothing {}): Sent<Nothing>,
) -> Result<Response, Failed> {
    if let Some(token) = session_token(&headers, &app) {
        app.auth.log_out(&token).await?;
    }
    let cookie = session_cookie::forgotten(&app.config);
    Ok((cookie, see("/login?note=logged-out")?).into_response())
}

/// `GET /me`
pub(super) async fn show_me(State(app): State<App>, person: Person) -> Result<Response, Failed> {
    let Person {
        visit,
        user,
        permit,
        ..
    } = person;
    let t = visit.t();
    let pin = if app.auth.has_pin(&permit).await? {
        Badge::new(Tone::Good, t.pin_is_set)
    } else {
        Badge::new(Tone::Warning, t.pin_is_missing)
    };
    let session = visit.session.as_ref();
    let mut faces = vec![Link::new("/console", t.console)];
    if session.is_some_and(qiao_auth::Session::is_operator) {
        faces.push(Link::new("/operator", t.operator));
    }
    page(&Me {
        shell: visit.user_page(t.my_account, ""),
        facts: Facts::new()
            .with_some(t.name, session.map(|session| Cell::text(session.name())))
            .with_some(t.login, session.map(|session| Cell::text(session.login())))
            .with("ID", Cell::code(user)),
        pin,
        banks: app
            .banks
            .is_any_configured()
            .then(|| Link::new("/banks", t.banks)),
        faces,
        log_out: Form::new("log-out", "/logout", visit.csrf(), t.log_out).tone(Tone::Info),
    })
}
