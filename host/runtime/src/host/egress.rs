use std::sync::Arc;

use qiao_manifest::EgressMethod;
use qiao_model::Scope;

use crate::bindings::v0_1_0::qiao::host::egress::{
    EgressError, Header, Host, Method, Request, Response,
};
use crate::egress_rule::{self, Refusal as RuleRefusal};
use crate::guest::Guest;
use crate::host::{Answer, Refusal};
use crate::limits::{
    EGRESS_HEADERS_MAX, EGRESS_REQUEST_BYTES_MAX, EGRESS_RESPONSE_BYTES_MAX, EGRESS_WAIT_MAX,
};
use crate::ports::{EgressPortError, HttpRequest};

impl Refusal for EgressError {
    fn denied(reason: String) -> Self {
        Self::Denied(reason)
    }

    fn unavailable() -> Self {
        Self::TimedOut
    }
}

impl From<EgressPortError> for EgressError {
    fn from(error: EgressPortError) -> Self {
        match error {
            EgressPortError::PrivateNetwork => Self::PrivateNetwork,
            EgressPortError::InvalidRequest(cause) => Self::InvalidRequest(cause),
            EgressPortError::ResponseTooLarge => Self::ResponseTooLarge(response_bytes_max()),
            EgressPortError::TimedOut => Self::TimedOut,
            EgressPortError::Unreachable => Self::Unreachable,
        }
    }
}

impl Host for Guest {
    fn fetch(&mut self, request: Request) -> Answer<Response, EgressError> {
        self.call(Scope::Egress, |guest, permit| {
            let request = match outgoing(guest, request) {
                Ok(request) => request,
                Err(refusal) => return Ok(Err(refusal)),
            };
            guest.meter.egress_request(request.body.len())?;
            let ports = Arc::clone(&guest.shared.ports);
            let sending = ports.egress.send(permit, request);
            let response = guest.wait(tokio::time::timeout(EGRESS_WAIT_MAX, sending));
            let response = match response {
                Some(Ok(Ok(response))) => response,
                Some(Ok(Err(error))) => return Ok(Err(error.into())),
                Some(Err(_)) | None => return Ok(Err(EgressError::TimedOut)),
            };
            guest.meter.egress_bytes(response.body.len())?;
            if response.body.len() > EGRESS_RESPONSE_BYTES_MAX {
                return Ok(Err(EgressError::ResponseTooLarge(response_bytes_max())));
            }
            let headers = response.headers.into_iter();
            Ok(Ok(Response {
                status: response.status,
                headers: headers
                    .map(|(name, value)| Header { name, value })
                    .collect(),
                body: response.body,
            }))
        })
    }
}

/// The request below the manifest's rule, within the guest's limits.
fn outgoing(guest: &Guest, request: Request) -> Result<HttpRequest, EgressError> {
    let invalid = |cause: &str| EgressError::InvalidRequest(cause.to_owned());
    let rules = &guest.shared.release.egress;
    let Some(rule) = rules.iter().find(|rule| rule.name == request.rule) else {
        let cause = format!("the manifest has no egress rule `{}`", request.rule);
        return Err(EgressError::NotAllowed(cause));
    };
    let method = match request.method {
        Method::Get => EgressMethod::Get,
        Method::Post => EgressMethod::Post,
        Method::Put => EgressMethod::Put,
        Method::Delete => EgressMethod::Delete,
    };
    let url =
        egress_rule::address(rule, method, &request.path).map_err(|refusal| match refusal {
            RuleRefusal::Method => EgressError::NotAllowed(format!(
                "the egress rule `{}` does not allow the method {method}",
                rule.name
            )),
            RuleRefusal::Path(cause) => invalid(cause),
        })?;
    if request.headers.len() > EGRESS_HEADERS_MAX {
        return Err(invalid("there are too many headers"));
    }
    if request.body.len() > EGRESS_REQUEST_BYTES_MAX {
        return Err(invalid("the body is too large"));
    }
    let mut headers = Vec::with_capacity(request.headers.len());
    for header in request.headers {
        if header.name.bytes().any(|byte| byte.is_ascii_uppercase()) {
            return Err(invalid("header names are lower case"));
        }
        headers.push((header.name, header.value));
    }
    Ok(HttpRequest {
        method,
        url,
        headers,
        body: request.body,
    })
}

fn response_bytes_max() -> u32 {
    u32::try_from(EGRESS_RESPONSE_BYTES_MAX).unwrap_or(u32::MAX)
}
