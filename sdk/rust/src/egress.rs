//! HTTP to the addresses that the manifest's egress rules name. Scope `egress`.
//!
//! ```no_run
//! # fn look_up(plate: &str) -> Result<(), qiao_sdk::egress::EgressError> {
//! use qiao_sdk::egress::Request;
//!
//! let response = Request::get("biller", "/fines").query("plate", plate).send()?;
//! if response.is_success() {
//!     let _fines = response.json::<serde_json::Value>();
//! }
//! # Ok(())
//! # }
//! ```

#[cfg(target_arch = "wasm32")]
use crate::bindings::qiao::host::egress as host;
#[cfg(not(target_arch = "wasm32"))]
use crate::testing::imports::egress as host;
use serde::Serialize;
use serde::de::DeserializeOwned;

pub use crate::bindings::qiao::host::egress::{EgressError, Header, Method, Request, Response};

impl Request {
    /// A request without headers and body. `rule` is the name of an egress rule of the
    /// manifest, `path` lies below its address and begins with `/`.
    #[must_use]
    pub fn new(method: Method, rule: &str, path: &str) -> Self {
        Self {
            method,
            rule: rule.to_owned(),
            path: path.to_owned(),
            headers: Vec::new(),
            body: Vec::new(),
        }
    }

    /// A GET request.
    #[must_use]
    pub fn get(rule: &str, path: &str) -> Self {
        Self::new(Method::Get, rule, path)
    }

    /// A POST request.
    #[must_use]
    pub fn post(rule: &str, path: &str) -> Self {
        Self::new(Method::Post, rule, path)
    }

    /// Adds a percent-encoded query parameter.
    #[must_use]
    pub fn query(mut self, name: &str, value: &str) -> Self {
        self.path
            .push(if self.path.contains('?') { '&' } else { '?' });
        push_encoded(&mut self.path, name);
        self.path.push('=');
        push_encoded(&mut self.path, value);
        self
    }

    /// Adds a header.
    #[must_use]
    pub fn header(mut self, name: &str, value: &str) -> Self {
        self.headers.push(Header {
            name: name.to_owned(),
            value: value.to_owned(),
        });
        self
    }

    /// Sets the body to a JSON value.
    ///
    /// # Panics
    /// When the value has no JSON form (a map whose keys are not texts).
    #[must_use]
    pub fn json(mut self, value: &impl Serialize) -> Self {
        self.body = match serde_json::to_vec(value) {
            Ok(body) => body,
            Err(error) => panic!("the request body has no JSON form: {error}"),
        };
        self.header("content-type", "application/json")
    }

    /// Sends it and waits for the response of whatever status.
    ///
    /// # Errors
    /// After [`EgressError::TimedOut`] and [`EgressError::ResponseTooLarge`] the request may
    /// have had its effect; after the others nothing was sent.
    pub fn send(&self) -> Result<Response, EgressError> {
        host::fetch(self)
    }
}

impl Response {
    /// Whether the status is 200 to 299.
    #[must_use]
    pub fn is_success(&self) -> bool {
        (200..300).contains(&self.status)
    }

    /// The first header of that lower-case name.
    #[must_use]
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers
            .iter()
            .find(|header| header.name == name)
            .map(|header| header.value.as_str())
    }

    /// The body as a JSON value.
    ///
    /// # Errors
    /// When it is not JSON, or not of this form.
    pub fn json<T: DeserializeOwned>(&self) -> Result<T, serde_json::Error> {
        serde_json::from_slice(&self.body)
    }
}

/// Appends everything but RFC 3986's unreserved characters as `%XX`.
fn push_encoded(path: &mut String, text: &str) {
    const HEX: &[u8; 16] = b"0123456789ABCDEF";
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            path.push(char::from(byte));
        } else {
            path.push('%');
            path.push(char::from(HEX[usize::from(byte >> 4)]));
            path.push(char::from(HEX[usize::from(byte & 15)]));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Request;

    #[test]
    fn query_parameters_are_percent_encoded() {
        let request = Request::get("biller", "/fines")
            .query("plate", "京A12345")
            .query("a b", "&");
        assert_eq!(request.path, "/fines?plate=%E4%BA%ACA12345&a%20b=%26");
    }

    #[test]
    fn a_json_body_says_what_it_is() {
        let request = Request::post("biller", "/payments").json(&serde_json::json!({"fine": "1"}));
        assert_eq!(request.body, br#"{"fine":"1"}"#);
        assert_eq!(request.headers[0].value, "application/json");
    }
}
