use std::sync::Arc;

use axum::extract::FromRequestParts;
use axum::http::header;
use axum::http::request::Parts;

use crate::grant::{Grant, Scope, Subject};
use crate::office::Office;
use crate::problem::Problem;

/// Who calls, from the bearer token of the request (RFC 6750).
pub(crate) struct Caller(Grant);

impl Caller {
    /// The customer's name and account, with this scope.
    pub(crate) fn customer(&self, scope: Scope) -> Result<(&str, &str), Problem> {
        match &self.0.subject {
            Subject::Customer { name, account } if self.0.scopes.contains(&scope) => {
                Ok((name, account))
            }
            Subject::Customer { .. } | Subject::Platform => Err(Problem::FORBIDDEN),
        }
    }

    pub(crate) fn is_platform(&self) -> bool {
        self.0.subject == Subject::Platform
    }
}

impl FromRequestParts<Arc<Office>> for Caller {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, office: &Arc<Office>) -> Result<Self, Problem> {
        let header = parts.headers.get(header::AUTHORIZATION);
        let token = header
            .and_then(|value| value.to_str().ok())
            .and_then(|value| value.strip_prefix("Bearer "))
            .ok_or(Problem::UNAUTHENTICATED)?;
        let desk = office.desk();
        let grant = desk.grants.find(token, office.now_ms());
        grant.cloned().map(Self).ok_or(Problem::UNAUTHENTICATED)
    }
}
