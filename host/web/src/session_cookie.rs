//! The cookie that carries a session.

use axum::http::{HeaderName, HeaderValue, header};
use qiao_auth::SESSION_LIFETIME_SECS;

use crate::WebConfig;

/// A header that sets a cookie.
pub(crate) type SetCookie = [(HeaderName, HeaderValue); 1];

/// The cookie of a new session. `SameSite=Lax`: a link from elsewhere arrives signed
/// in, a form or a script from elsewhere does not.
pub(crate) fn of_session(config: &WebConfig, token: &str) -> SetCookie {
    cookie(config, token, SESSION_LIFETIME_SECS)
}

/// What makes a browser forget it.
pub(crate) fn forgotten(config: &WebConfig) -> SetCookie {
    cookie(config, "", 0)
}

fn cookie(config: &WebConfig, value: &str, lifetime_secs: i64) -> SetCookie {
    let name = config.session_cookie();
    let secure = if config.is_https() { "; Secure" } else { "" };
    let text =
        format!("{name}={value}; Path=/; Max-Age={lifetime_secs}; HttpOnly; SameSite=Lax{secure}");
    let mut value = HeaderValue::from_str(&text).expect("a session token is of base-64 digits");
    value.set_sensitive(true);
    [(header::SET_COOKIE, value)]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_cookie_is_locked_to_the_host_over_tls() {
        let mut config = WebConfig {
            public_url: "http://127.0.0.1:8080".to_owned(),
            sandbox: true,
        };
        let text = |config: &WebConfig| {
            let [(_, value)] = of_session(config, "abc");
            value.to_str().unwrap().to_owned()
        };
        assert!(text(&config).starts_with("qiao=abc; Path=/; "));
        assert!(text(&config).ends_with("; HttpOnly; SameSite=Lax"));
        config.public_url = "https://qiao.example".to_owned();
        assert!(text(&config).starts_with("__Host-qiao=abc; Path=/; "));
        assert!(text(&config).ends_with("; Secure"));
    }
}
