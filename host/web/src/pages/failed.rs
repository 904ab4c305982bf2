use std::sync::Arc;

use askama::Template;
use axum::http::StatusCode;
use axum::response::{Html, IntoResponse, Redirect, Response};

use super::text::{Text, fill};
use super::visit::with_next;
use crate::problem::{Kind, Problem};

/// Why a page cannot be shown.
#[derive(Clone, Debug)]
pub(crate) enum Failed {
    /// Nobody is signed in.
    LogIn {
        /// The path to come back to.
        back_to: String,
        /// Whether a form was sent, which was not carried out.
        is_undone: bool,
    },
    /// Anything else. The response carries it to [`super::visit::prepare`], which
    /// knows the visitor and renders it for them.
    Problem(Arc<Problem>),
}

impl Failed {
    /// There is no such thing, or it is not the visitor's.
    pub(crate) fn not_found(detail: impl std::fmt::Display) -> Self {
        Problem::new(Kind::NotFound, detail.to_string()).into()
    }
}

impl<E> From<E> for Failed
where
    Problem: From<E>,
{
    fn from(error: E) -> Self {
        Self::Problem(Arc::new(error.into()))
    }
}

impl IntoResponse for Failed {
    fn into_response(self) -> Response {
        match self {
            Self::LogIn { back_to, is_undone } => {
                let log_in = with_next("/login", &back_to);
                let note = if is_undone { "&note=log-in-again" } else { "" };
                Redirect::to(&format!("{log_in}{note}")).into_response()
            }
            Self::Problem(problem) => {
                let mut response = problem.kind().status().into_response();
                response.extensions_mut().insert(Self::Problem(problem));
                response
            }
        }
    }
}

/// The title and the sentence of a problem's page.
pub(crate) fn told(problem: &Problem, t: &'static Text) -> (&'static str, String) {
    let (title, sentence) = match problem.kind() {
        Kind::NotFound | Kind::Method => (t.not_found, t.not_found_text),
        Kind::Forbidden | Kind::InsufficientScope => (t.not_allowed, t.not_allowed_text),
        Kind::Csrf => (t.try_again, t.form_expired),
        Kind::SignInRequired | Kind::InvalidToken => (t.log_in, t.log_in_first),
        Kind::TimedOut | Kind::Unavailable => (t.too_busy, t.too_busy_text),
        Kind::PluginFailed => (t.service_unavailable, t.plugin_failed),
        Kind::Internal => (t.something_failed, t.something_failed_text),
        Kind::KeyReused => (t.not_done, t.key_reused),
        Kind::KeyInFlight => (t.not_done, t.being_worked_on),
        Kind::Malformed
        | Kind::Invalid
        | Kind::TooLarge
        | Kind::MediaType
        | Kind::WrongCredentials
        | Kind::WrongPin
        | Kind::Locked
        | Kind::PinMissing
        | Kind::Conflict
        | Kind::IdempotencyKey
        | Kind::InsufficientFunds
        | Kind::MandateRefused
        | Kind::ReceiverShort
        | Kind::NotRefundable
        | Kind::HoldExpired
        | Kind::NotCapturable
        | Kind::QuoteInvalid
        | Kind::MethodDiffers
        | Kind::BankUnderWay
        | Kind::BankRejected
        | Kind::WrongState
        | Kind::NoBankRoute
        | Kind::LinkOver
        | Kind::NotAuthorized
        | Kind::BankFailed
        | Kind::BadSignature
        | Kind::PluginRefused
        | Kind::ReleaseRefused => {
            let because = sentence_of(problem.detail());
            return (t.not_done, fill(t.not_done_because, &[&because]));
        }
    };
    (title, sentence.to_owned())
}

/// A refusal as a sentence: `the handle is taken` becomes `The handle is taken.`
pub(crate) fn sentence_of(refusal: &str) -> String {
    let mut letters = refusal.chars();
    let first = letters
        .next()
        .map(|letter| letter.to_uppercase().to_string());
    let mut text = first.unwrap_or_default();
    text.push_str(letters.as_str());
    if !text.is_empty() && !text.ends_with(['.', '!', '?', '。']) {
        text.push('.');
    }
    text
}

/// A page.
pub(crate) fn page(view: &impl Template) -> Result<Response, Failed> {
    page_with(StatusCode::OK, view)
}

/// A page whose form was refused: the errors stand beside their fields.
pub(crate) fn refused(view: &impl Template) -> Result<Response, Failed> {
    page_with(StatusCode::UNPROCESSABLE_ENTITY, view)
}

/// A page with a status.
pub(crate) fn page_with(status: StatusCode, view: &impl Template) -> Result<Response, Failed> {
    let html = view.render().map_err(|error| Problem::internal(&error))?;
    Ok((status, Html(html)).into_response())
}

/// The page that a form leads to when it worked.
pub(crate) fn see(path: impl AsRef<str>) -> Result<Response, Failed> {
    Ok(Redirect::to(path.as_ref()).into_response())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_refusal_becomes_a_sentence() {
        assert_eq!(
            sentence_of("the handle `a` is taken"),
            "The handle `a` is taken."
        );
        assert_eq!(sentence_of("Already one."), "Already one.");
        assert_eq!(sentence_of(""), "");
    }
}
