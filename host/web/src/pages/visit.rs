use std::convert::Infallible;

use axum::extract::{FromRequestParts, Path, Query, Request, State};
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderValue, Method, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use qiao_auth::{Permit, Session};
use qiao_model::{InstitutionId, Scope, UserId};
use serde::Deserialize;
use url::form_urlencoded;

use super::failed::{Failed, page_with, told};
use super::note::Note;
use super::text::Text;
use super::view::{Face, Failure, Icon, Link, Locale, Shell, Visitor};
use crate::App;
use crate::extract::cookie;
use crate::problem::{Kind, Problem};

const LANGUAGE_COOKIE: &str = "qiao-lang";
const LANGUAGE_COOKIE_SECS: u32 = 365 * 86_400;
const GUEST_COOKIE: &str = "qiao-guest";
const GUEST_TOKEN_CHARS: usize = 43;

/// Who asks for a page, and in which language.
#[derive(Clone, Debug)]
pub(crate) struct Visit {
    /// The language: chosen by `?lang`, remembered by a cookie, or the browser's.
    pub(crate) locale: Locale,
    /// Whoever is signed in.
    pub(crate) session: Option<Session>,
    /// The path, to come back to.
    pub(crate) path: String,
    query: String,
    face: Face,
    note: Option<Note>,
    guest_token: String,
}

#[derive(Default, Deserialize)]
struct Asked {
    lang: Option<String>,
    note: Option<Note>,
}

/// Finds out who asks before the handler runs, and shows what failed after it.
pub(crate) async fn prepare(State(app): State<App>, request: Request, next: Next) -> Response {
    let (mut parts, body) = request.into_parts();
    let session = match crate::extract::session(&parts, &app).await {
        Ok(session) => session,
        Err(problem) => return problem.into_response(),
    };
    // A query that does not parse is no reason to show nothing.
    let asked = Query::<Asked>::try_from_uri(&parts.uri);
    let asked = asked.map(|Query(asked)| asked).unwrap_or_default();
    let chosen = asked.lang.as_deref().and_then(Locale::of_tag);
    let known_guest = guest_token(&parts.headers);
    let face = face_of(parts.uri.path());
    let visit = Visit {
        locale: match face {
            Face::User => chosen.unwrap_or_else(|| language(&parts.headers)),
            // Staff and operators work in English.
            Face::Console | Face::Operator => Locale::En,
        },
        session,
        path: parts.uri.path().to_owned(),
        query: parts.uri.query().unwrap_or_default().to_owned(),
        face,
        note: asked.note,
        guest_token: known_guest
            .clone()
            .unwrap_or_else(|| URL_SAFE_NO_PAD.encode(app.env.secret::<32>().expose())),
    };
    parts.extensions.insert(visit.clone());
    let mut response = next.run(Request::from_parts(parts, body)).await;
    if let Some(Failed::Problem(problem)) = response.extensions_mut().remove::<Failed>() {
        response = visit.failure(&problem);
    }
    if known_guest.is_none() && visit.session.is_none() {
        set_cookie(&app, &mut response, GUEST_COOKIE, &visit.guest_token, None);
    }
    if let Some(chosen) = chosen {
        let kept = Some(LANGUAGE_COOKIE_SECS);
        set_cookie(&app, &mut response, LANGUAGE_COOKIE, chosen.tag(), kept);
    }
    response
}

fn face_of(path: &str) -> Face {
    match path.split('/').nth(1) {
        Some("console") => Face::Console,
        Some("operator") => Face::Operator,
        Some(_) | None => Face::User,
    }
}

fn language(headers: &HeaderMap) -> Locale {
    if let Some(chosen) = cookie(headers, LANGUAGE_COOKIE)
        && let Some(known) = Locale::of_tag(chosen.value())
    {
        return known;
    }
    let accepted = headers
        .get(header::ACCEPT_LANGUAGE)
        .and_then(|v| v.to_str().ok());
    // In the order of the header: browsers write the most wanted first.
    accepted
        .unwrap_or_default()
        .split(',')
        .filter_map(|range| Locale::of_tag(range.split(';').next()?))
        .next()
        .unwrap_or(Locale::En)
}

fn guest_token(headers: &HeaderMap) -> Option<String> {
    let token = cookie(headers, GUEST_COOKIE)?.value().to_owned();
    (token.len() == GUEST_TOKEN_CHARS).then_some(token)
}

fn set_cookie(app: &App, response: &mut Response, name: &str, value: &str, max_age: Option<u32>) {
    let secure = if app.config.is_https() {
        "; Secure"
    } else {
        ""
    };
    let max_age = max_age.map_or_else(String::new, |secs| format!("; Max-Age={secs}"));
    let cookie = format!("{name}={value}; Path=/{max_age}; HttpOnly; SameSite=Lax{secure}");
    if let Ok(cookie) = HeaderValue::from_str(&cookie) {
        response.headers_mut().append(header::SET_COOKIE, cookie);
    }
}

impl Visit {
    /// The words of the visit's language.
    pub(crate) fn t(&self) -> &'static Text {
        Text::of(self.locale)
    }

    /// What every form of the visit carries: the session's token; for a guest the
    /// cookie's own value, which no other site can read or set (double submit).
    pub(crate) fn csrf(&self) -> &str {
        match &self.session {
            Some(session) => session.csrf(),
            None => &self.guest_token,
        }
    }

    /// Demands that a form carried the token.
    pub(crate) fn check_csrf(&self, sent: &str) -> Result<(), Failed> {
        let matches = match &self.session {
            Some(session) => session.is_csrf(sent),
            None => self.guest_token == sent,
        };
        if matches {
            Ok(())
        } else {
            Err(Problem::new(Kind::Csrf, "the form's csrf field is not this visit's").into())
        }
    }

    fn visitor(&self) -> Option<Visitor> {
        self.session.as_ref().map(|session| Visitor {
            name: session.name().to_owned(),
            is_staff: !session.institutions().is_empty(),
            is_operator: session.is_operator(),
        })
    }

    fn shell(&self, face: Face, title: impl Into<String>) -> Shell {
        Shell::new(face, self.locale, title)
            .asked_with(&self.query)
            .seen_by(self.visitor())
            .notice(self.note.map(|note| note.notice(self.t())))
    }

    /// The surroundings of a page of the user's face; `at` is the tab that it is under.
    pub(crate) fn user_page(&self, title: impl Into<String>, at: &str) -> Shell {
        let t = self.t();
        let shell = self.shell(Face::User, title);
        if self.session.is_none() {
            return shell;
        }
        [
            ("/", t.home, Icon::Bridge),
            ("/orders", t.orders, Icon::Orders),
            ("/holdings", t.holdings, Icon::Holdings),
            ("/wallet", t.wallet, Icon::Wallet),
        ]
        .into_iter()
        .fold(shell, |shell, (href, label, icon)| {
            shell.tab(href, label, icon, href == at)
        })
    }

    /// The surroundings of a page of the console; with an institution, its tabs.
    pub(crate) fn console_page(
        &self,
        title: impl Into<String>,
        institution: Option<InstitutionId>,
        at: &str,
    ) -> Shell {
        let shell = self.shell(Face::Console, title);
        let Some(institution) = institution else {
            return shell;
        };
        [
            ("", "Overview"),
            ("/plugins", "Plugins"),
            ("/products", "Products"),
            ("/orders", "Orders"),
            ("/revenue", "Revenue"),
            ("/settlement", "Settlement"),
            ("/invocations", "Invocations"),
            ("/webhooks", "Webhooks"),
        ]
        .into_iter()
        .fold(shell, |shell, (path, label)| {
            let href = format!("/console/{institution}{path}");
            shell.tab(href, label, Icon::Chevron, path == at)
        })
    }

    /// The surroundings of a page of the operator's face.
    pub(crate) fn operator_page(&self, app: &App, title: impl Into<String>, at: &str) -> Shell {
        let clock = app.config.sandbox.then_some(("/clock", "Clock"));
        [
            ("", "Today"),
            ("/institutions", "Institutions"),
            ("/releases", "Releases"),
            ("/orders", "Orders"),
            ("/banks", "Banks"),
            ("/books", "Books"),
            ("/custody", "Custody"),
            ("/reconciliation", "Reconciliation"),
            ("/payouts", "Payouts"),
            ("/advances", "Advances"),
            ("/audit", "Audit"),
        ]
        .into_iter()
        .chain(clock)
        .fold(self.shell(Face::Operator, title), |shell, (path, label)| {
            shell.tab(format!("/operator{path}"), label, Icon::Chevron, path == at)
        })
    }

    /// The page that says what failed.
    fn failure(&self, problem: &Problem) -> Response {
        let t = self.t();
        let (title, mut text) = told(problem, t);
        // Staff and operators read what exactly it was.
        let is_told_exactly =
            self.face != Face::User && !matches!(problem.kind(), Kind::Internal | Kind::Forbidden);
        if is_told_exactly {
            text = super::failed::sentence_of(problem.detail());
        }
        let link = match (problem.kind(), self.face) {
            (Kind::Csrf, _) => Link::new(&self.path, t.try_again),
            (Kind::KeyInFlight | Kind::KeyReused, _) => Link::new("/orders", t.see_orders),
            // Whoever may not be here is not led back here.
            (Kind::Forbidden, _) | (_, Face::User) => Link::new("/", t.go_home),
            (_, Face::Console) => Link::new("/console", t.console),
            (_, Face::Operator) => Link::new("/operator", t.operator),
        };
        let view = Failure {
            shell: self.shell(self.face, title).notice(None),
            text,
            status: problem.kind().status().as_u16(),
            link,
        };
        match page_with(problem.kind().status(), &view) {
            Ok(response) => response,
            Err(_) => problem.kind().status().into_response(),
        }
    }
}

impl<S: Send + Sync> FromRequestParts<S> for Visit {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Infallible> {
        let visit = parts.extensions.get::<Self>();
        Ok(visit
            .expect("the layer around the pages prepares the visit")
            .clone())
    }
}

/// A person who is signed in and acts for themselves.
#[derive(Debug)]
pub(crate) struct Person {
    /// Their visit.
    pub(crate) visit: Visit,
    /// Who.
    pub(crate) user: UserId,
    /// Their session.
    pub(crate) session: Session,
    /// What they may do.
    pub(crate) permit: Permit,
}

impl FromRequestParts<App> for Person {
    type Rejection = Failed;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, Failed> {
        let (visit, session) = signed_in(parts).await?;
        Ok(Self {
            user: session.user(),
            permit: app.auth.permit_session(&session, Scope::Account)?,
            session,
            visit,
        })
    }
}

/// A person who acts for the institution of the path.
#[derive(Debug)]
pub(crate) struct Staff {
    /// Their visit.
    pub(crate) visit: Visit,
    /// For whom.
    pub(crate) institution: InstitutionId,
    /// What they may do.
    pub(crate) permit: Permit,
}

impl Staff {
    /// A path of the institution's console.
    pub(crate) fn path(&self, below: impl std::fmt::Display) -> String {
        format!("/console/{}{below}", self.institution)
    }
}

#[derive(Deserialize)]
struct InstitutionPath {
    institution: String,
}

impl FromRequestParts<App> for Staff {
    type Rejection = Failed;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, Failed> {
        let (visit, session) = signed_in(parts).await?;
        let path = Path::<InstitutionPath>::from_request_parts(parts, app).await;
        let Path(InstitutionPath { institution }) = path.map_err(Failed::not_found)?;
        let institution = institution.parse().map_err(Failed::not_found)?;
        Ok(Self {
            permit: app.auth.permit_staff(&session, institution)?,
            institution,
            visit,
        })
    }
}

/// An operator of the platform.
#[derive(Debug)]
pub(crate) struct Operator {
    /// Their visit.
    pub(crate) visit: Visit,
    /// What they may do.
    pub(crate) permit: Permit,
}

impl FromRequestParts<App> for Operator {
    type Rejection = Failed;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, Failed> {
        let (visit, session) = signed_in(parts).await?;
        let permit = app.auth.permit_session(&session, Scope::Operate)?;
        Ok(Self { visit, permit })
    }
}

async fn signed_in(parts: &mut Parts) -> Result<(Visit, Session), Failed> {
    let Ok(visit) = Visit::from_request_parts(parts, &()).await;
    match visit.session.clone() {
        Some(session) => Ok((visit, session)),
        None => Err(Failed::LogIn {
            is_undone: parts.method == Method::POST,
            back_to: back_to(&visit, &parts.method),
        }),
    }
}

/// Where whoever has logged in goes on: the page with what it was asked for with; a form
/// whose session ran out was not carried out, and its page is opened again.
fn back_to(visit: &Visit, method: &Method) -> String {
    if method == Method::GET && !visit.query.is_empty() {
        format!("{}?{}", visit.path, visit.query)
    } else {
        visit.path.clone()
    }
}

/// A way in that leads on to a path.
pub(crate) fn with_next(path: &str, next: &str) -> String {
    let next: String = form_urlencoded::byte_serialize(next.as_bytes()).collect();
    format!("{path}?next={next}")
}

/// A path of this host to go on to; anything else leads home.
pub(crate) fn own_path(next: &str) -> &str {
    let is_own = next.starts_with('/')
        && !next.starts_with("//")
        && next
            .bytes()
            .all(|byte| byte.is_ascii_graphic() && byte != b'\\');
    if is_own { next } else { "/" }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_language_is_the_cookies_then_the_browsers() {
        let of = |cookie: &'static str, accept: &'static str| {
            let mut headers = HeaderMap::new();
            headers.insert(header::COOKIE, HeaderValue::from_static(cookie));
            headers.insert(header::ACCEPT_LANGUAGE, HeaderValue::from_static(accept));
            language(&headers)
        };
        assert_eq!(of("qiao-lang=zh-CN", "en"), Locale::ZhCn);
        assert_eq!(of("a=b", "fr;q=1, zh-TW;q=0.9, en;q=0.8"), Locale::ZhCn);
        assert_eq!(of("qiao-lang=xx", "de"), Locale::En);
    }

    #[test]
    fn only_a_path_of_this_host_is_gone_on_to() {
        assert_eq!(own_path("/orders?before=x"), "/orders?before=x");
        for foreign in [
            "",
            "//evil.example",
            "https://evil.example",
            "/\\evil",
            "/a b",
        ] {
            assert_eq!(own_path(foreign), "/");
        }
    }

    #[test]
    fn each_path_belongs_to_a_face() {
        assert_eq!(face_of("/console/ins_1"), Face::Console);
        assert_eq!(face_of("/operator"), Face::Operator);
        assert_eq!(face_of("/a/console"), Face::User);
    }
}
