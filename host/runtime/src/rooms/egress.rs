use qiao_auth::Permit;
use qiao_events::{EgressError, EgressRequest, Method};
use qiao_manifest::EgressMethod;

use super::EgressDoor;
use crate::limits::EGRESS_WAIT_MAX;
use crate::ports::{Answering, EgressPort, EgressPortError, HttpRequest, HttpResponse};

impl EgressPort for EgressDoor {
    fn send<'a>(
        &'a self,
        _permit: &'a Permit,
        request: HttpRequest,
    ) -> Answering<'a, Result<HttpResponse, EgressPortError>> {
        Box::pin(async move {
            let request = EgressRequest {
                method: match request.method {
                    EgressMethod::Get => Method::Get,
                    EgressMethod::Post => Method::Post,
                    EgressMethod::Put => Method::Put,
                    EgressMethod::Delete => Method::Delete,
                },
                url: request.url,
                headers: request.headers,
                body: request.body,
                timeout: EGRESS_WAIT_MAX,
            };
            match self.egress.send(request, &self.policy).await {
                Ok(response) => Ok(HttpResponse {
                    status: response.status,
                    headers: response.headers,
                    body: response.body,
                }),
                Err(error) => Err(refusal(&error)),
            }
        })
    }
}

fn refusal(error: &EgressError) -> EgressPortError {
    match error {
        EgressError::PrivateNetwork { .. } => EgressPortError::PrivateNetwork,
        EgressError::InvalidRequest(cause) => EgressPortError::InvalidRequest((*cause).to_owned()),
        EgressError::Unreachable { .. } => EgressPortError::Unreachable,
        // Broken off: as with no answer in time, the effect is unknown.
        EgressError::TimedOut { .. } | EgressError::Interrupted { .. } => EgressPortError::TimedOut,
        EgressError::ResponseTooLarge { .. } => EgressPortError::ResponseTooLarge,
    }
}
