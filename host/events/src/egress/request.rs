use std::time::Duration;

use reqwest::header::{HeaderMap, HeaderName, HeaderValue};
use url::Url;

use super::{
    EgressError, REQUEST_BODY_BYTES_MAX, REQUEST_HEADER_BYTES_MAX, REQUEST_HEADERS_MAX,
    REQUEST_URL_BYTES_MAX, TIMEOUT_MAX,
};

/// The methods that a request can have.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Method {
    /// GET.
    Get,
    /// POST.
    Post,
    /// PUT.
    Put,
    /// DELETE.
    Delete,
}

impl From<Method> for reqwest::Method {
    fn from(method: Method) -> Self {
        match method {
            Method::Get => Self::GET,
            Method::Post => Self::POST,
            Method::Put => Self::PUT,
            Method::Delete => Self::DELETE,
        }
    }
}

/// One request.
#[derive(Clone, Debug)]
pub struct EgressRequest {
    /// Its method.
    pub method: Method,
    /// The whole address.
    pub url: Url,
    /// Headers beside `host`, `content-length` and those of the connection.
    pub headers: Vec<(String, String)>,
    /// The body, empty for none.
    pub body: Vec<u8>,
    /// Time for the whole exchange, at most [`super::TIMEOUT_MAX`].
    pub timeout: Duration,
}

/// What the client sets itself: with these a request could be smuggled.
const RESERVED: [&str; 10] = [
    "connection",
    "content-length",
    "expect",
    "host",
    "keep-alive",
    "proxy-authorization",
    "te",
    "trailer",
    "transfer-encoding",
    "upgrade",
];

impl EgressRequest {
    /// The time that the exchange has.
    pub(super) fn time(&self) -> Duration {
        self.timeout.min(TIMEOUT_MAX)
    }

    /// Refuses what exceeds a limit.
    pub(super) fn check(&self) -> Result<(), EgressError> {
        let header_bytes: usize = self.headers.iter().map(|(n, v)| n.len() + v.len()).sum();
        let refuse = |cause| Err(EgressError::InvalidRequest(cause));
        if self.url.as_str().len() > REQUEST_URL_BYTES_MAX {
            refuse("the address is longer than 4 KiB")
        } else if self.headers.len() > REQUEST_HEADERS_MAX {
            refuse("there are more than 32 headers")
        } else if header_bytes > REQUEST_HEADER_BYTES_MAX {
            refuse("the headers are larger than 8 KiB")
        } else if self.body.len() > REQUEST_BODY_BYTES_MAX {
            refuse("the body is larger than 64 KiB")
        } else {
            Ok(())
        }
    }
}

pub(super) fn header_map(headers: &[(String, String)]) -> Result<HeaderMap, EgressError> {
    let mut map = HeaderMap::with_capacity(headers.len());
    for (name, value) in headers {
        let name = HeaderName::from_bytes(name.as_bytes())
            .map_err(|_| EgressError::InvalidRequest("a header's name is malformed"))?;
        if RESERVED.contains(&name.as_str()) {
            return Err(EgressError::InvalidRequest(
                "a header belongs to the connection",
            ));
        }
        let value = HeaderValue::from_str(value)
            .map_err(|_| EgressError::InvalidRequest("a header's value is malformed"))?;
        map.append(name, value);
    }
    Ok(map)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn request(
        url_bytes: usize,
        headers: usize,
        header_bytes: usize,
        body: usize,
    ) -> EgressRequest {
        let base = "https://shop.example/";
        let mut headers = vec![("a".to_owned(), String::new()); headers];
        if let Some((_, value)) = headers.first_mut() {
            *value = "v".repeat(header_bytes);
        }
        EgressRequest {
            method: Method::Post,
            url: Url::parse(&format!("{base}{}", "x".repeat(url_bytes - base.len()))).unwrap(),
            headers,
            body: vec![0; body],
            timeout: TIMEOUT_MAX,
        }
    }

    #[test]
    fn a_request_at_every_limit_is_sent_and_one_past_any_is_refused() {
        let at = (
            REQUEST_URL_BYTES_MAX,
            REQUEST_HEADERS_MAX,
            REQUEST_HEADER_BYTES_MAX - REQUEST_HEADERS_MAX,
            REQUEST_BODY_BYTES_MAX,
        );
        assert!(request(at.0, at.1, at.2, at.3).check().is_ok());
        assert!(request(at.0 + 1, at.1, at.2, at.3).check().is_err());
        assert!(request(at.0, at.1 + 1, at.2 - 1, at.3).check().is_err());
        assert!(request(at.0, at.1, at.2 + 1, at.3).check().is_err());
        assert!(request(at.0, at.1, at.2, at.3 + 1).check().is_err());
    }

    #[test]
    fn a_request_has_the_time_that_it_asks_for_and_never_more_than_there_is() {
        let asking = |timeout| EgressRequest {
            timeout,
            ..request(100, 0, 0, 0)
        };
        let millisecond = Duration::from_millis(1);
        assert_eq!(
            asking(TIMEOUT_MAX - millisecond).time(),
            TIMEOUT_MAX - millisecond
        );
        assert_eq!(asking(TIMEOUT_MAX).time(), TIMEOUT_MAX);
        assert_eq!(asking(TIMEOUT_MAX + millisecond).time(), TIMEOUT_MAX);
    }

    #[test]
    fn headers_that_could_smuggle_a_request_are_refused() {
        let refused =
            |name: &str, value: &str| header_map(&[(name.to_owned(), value.to_owned())]).is_err();
        for name in RESERVED {
            assert!(refused(name, "x"), "{name}");
            assert!(refused(&name.to_uppercase(), "x"), "{name}");
        }
        assert!(refused("x-a", "b\r\nhost: c"));
        assert!(refused("x-a\n", "b"));
        assert!(refused("", "b"));
        assert!(!refused("X-Api-Key", "b"));
    }
}
