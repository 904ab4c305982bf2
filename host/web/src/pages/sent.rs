use axum::body::{Body, Bytes};
use axum::extract::{Form, FromRequest, Multipart, RawForm, Request};
use axum::http::{Extensions, HeaderMap};
use serde::de::DeserializeOwned;

use super::failed::Failed;
use super::visit::Visit;
use crate::App;
use crate::problem::{Kind, Problem};

const CSRF: &str = "csrf";
/// Fields of a form of the pages at most.
pub const FIELDS_MAX: usize = 64;

/// A form of the host's own, with the visitor's CSRF token; its refusals are pages.
#[derive(Debug)]
pub(crate) struct Sent<T>(pub(crate) T);

impl<T: DeserializeOwned> FromRequest<App> for Sent<T> {
    type Rejection = Failed;

    async fn from_request(request: Request, app: &App) -> Result<Self, Failed> {
        let visit = visit(request.extensions())?;
        refuse_foreign(request.headers())?;
        let (parts, body) = request.into_parts();
        let request = Request::from_parts(parts.clone(), body);
        let RawForm(bytes) = RawForm::from_request(request, app)
            .await
            .map_err(|error| malformed(&error.body_text()))?;
        let mut fields = url::form_urlencoded::parse(&bytes);
        let token = fields.find(|(name, _)| name == CSRF);
        visit.check_csrf(token.as_ref().map_or("", |(_, value)| value))?;
        if url::form_urlencoded::parse(&bytes).count() > FIELDS_MAX {
            return Err(malformed("the form has too many fields"));
        }
        let request = Request::from_parts(parts, Body::from(bytes));
        let Form(fields) = Form::from_request(request, app)
            .await
            .map_err(|error| malformed(&error.body_text()))?;
        Ok(Self(fields))
    }
}

/// One file, sent by a form of the host's own.
#[derive(Debug)]
pub(crate) struct SentFile(pub(crate) Bytes);

impl FromRequest<App> for SentFile {
    type Rejection = Failed;

    async fn from_request(request: Request, app: &App) -> Result<Self, Failed> {
        let visit = visit(request.extensions())?;
        refuse_foreign(request.headers())?;
        let mut multipart = Multipart::from_request(request, app)
            .await
            .map_err(|error| malformed(&error.body_text()))?;
        let mut token = String::new();
        let mut file = Bytes::new();
        while let Some(field) = multipart.next_field().await.map_err(|e| too_large(&e))? {
            match field.name() {
                Some(CSRF) => token = field.text().await.map_err(|e| too_large(&e))?,
                Some("component") => {
                    // The token comes first, so nobody fills memory without one.
                    visit.check_csrf(&token)?;
                    file = field.bytes().await.map_err(|e| too_large(&e))?;
                }
                Some(_) | None => {}
            }
        }
        visit.check_csrf(&token)?;
        Ok(Self(file))
    }
}

fn visit(extensions: &Extensions) -> Result<Visit, Failed> {
    let visit = extensions.get::<Visit>().cloned();
    visit.ok_or_else(|| Problem::new(Kind::Csrf, "a form was sent past the pages").into())
}

/// Browsers say where a form comes from (Fetch Metadata); none of ours comes from elsewhere.
fn refuse_foreign(headers: &HeaderMap) -> Result<(), Failed> {
    match headers
        .get("sec-fetch-site")
        .map(axum::http::HeaderValue::as_bytes)
    {
        Some(b"cross-site" | b"same-site") => {
            Err(Problem::new(Kind::Csrf, "the form came from another site").into())
        }
        Some(_) | None => Ok(()),
    }
}

fn malformed(cause: &str) -> Failed {
    Problem::new(Kind::Malformed, cause).into()
}

fn too_large(error: &axum::extract::multipart::MultipartError) -> Failed {
    let kind = match error.status().as_u16() {
        413 => Kind::TooLarge,
        _ => Kind::Malformed,
    };
    Problem::new(kind, error.body_text()).into()
}
