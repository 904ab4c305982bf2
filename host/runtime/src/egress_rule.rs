use qiao_manifest::{EgressMethod, EgressRule};
use url::Url;

use crate::limits::EGRESS_PATH_BYTES_MAX;

/// Why a request has no address below the rule.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Refusal {
    /// The rule does not allow the method.
    Method,
    /// The path is malformed; the sentence says how.
    Path(&'static str),
}

/// The whole address of a request below this rule.
pub(crate) fn address(rule: &EgressRule, method: EgressMethod, path: &str) -> Result<Url, Refusal> {
    if !rule.methods.contains(&method) {
        return Err(Refusal::Method);
    }
    if path.len() > EGRESS_PATH_BYTES_MAX {
        return Err(Refusal::Path("the path is too long"));
    }
    if !path.starts_with('/') {
        return Err(Refusal::Path("the path does not begin with /"));
    }
    let printable = |byte: u8| (0x21..0x7f).contains(&byte);
    if path
        .bytes()
        .any(|byte| !printable(byte) || matches!(byte, b'\\' | b'#'))
    {
        return Err(Refusal::Path(
            "the path has a character that must be percent-encoded",
        ));
    }
    let (segments, query) = path
        .split_once('?')
        .map_or((path, None), |(segments, query)| (segments, Some(query)));
    if segments.split('/').any(climbs) {
        return Err(Refusal::Path("the path has a . or .. segment"));
    }
    let mut url = rule.url.clone();
    let below = rule.url.path().trim_end_matches('/');
    url.set_path(&format!("{below}{segments}"));
    url.set_query(query);
    url.set_fragment(None);
    // Whatever the parser made of it, it stays below the rule.
    let same_origin = url.origin() == rule.url.origin();
    let inside = url
        .path()
        .strip_prefix(below)
        .is_some_and(|rest| rest.starts_with('/'));
    if same_origin && inside {
        Ok(url)
    } else {
        Err(Refusal::Path("the path leaves the rule's address"))
    }
}

/// Whether a path segment is `.` or `..`, plain, percent-encoded (once or twice), or
/// hides a separator.
fn climbs(segment: &str) -> bool {
    let mut plain = segment.to_ascii_lowercase();
    for _ in 0..2 {
        plain = plain.replace("%25", "%");
    }
    let plain = plain.replace("%2e", ".");
    plain == "."
        || plain == ".."
        || plain.contains("%2f")
        || plain.contains("%5c")
        || plain.contains("%00")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rule(url: &str) -> EgressRule {
        EgressRule {
            name: "biller".to_owned(),
            url: url.parse().unwrap(),
            methods: [EgressMethod::Get].into(),
            reason: String::new(),
        }
    }

    fn get(rule: &EgressRule, path: &str) -> Result<Url, Refusal> {
        address(rule, EgressMethod::Get, path)
    }

    #[test]
    fn a_path_is_put_below_the_rules_address() {
        let address = |base, path| get(&rule(base), path).unwrap().to_string();
        assert_eq!(
            address("https://biller.example/api/", "/fines?plate=%E4%BA%AC"),
            "https://biller.example/api/fines?plate=%E4%BA%AC"
        );
        assert_eq!(
            address("http://127.0.0.1:9000", "/x//y"),
            "http://127.0.0.1:9000/x//y"
        );
        assert_eq!(
            address("https://biller.example/", "//other.example/x"),
            "https://biller.example//other.example/x"
        );
        assert_eq!(
            address("https://biller.example/api", "/v1..2/a.b?q=../.."),
            "https://biller.example/api/v1..2/a.b?q=../.."
        );
    }

    #[test]
    fn a_method_that_the_rule_does_not_name_is_refused() {
        let rule = rule("https://biller.example/");
        assert_eq!(
            super::address(&rule, EgressMethod::Post, "/"),
            Err(Refusal::Method)
        );
    }

    #[test]
    fn a_path_that_leaves_the_rule_is_refused() {
        let rule = rule("https://biller.example/api");
        for path in [
            "",
            "fines",
            "/../admin",
            "/x/..",
            "/./x",
            "/%2e%2e/admin",
            "/%2E./admin",
            "/%252e%252e/admin",
            "/..%2fadmin",
            "/..%5cadmin",
            "/a\\..\\b",
            "/a b",
            "/a#b",
            "/a\r\nhost: x",
            "/x%00",
            "/\u{e9}",
        ] {
            assert!(
                matches!(get(&rule, path), Err(Refusal::Path(_))),
                "{path:?}"
            );
        }
    }

    #[test]
    fn a_path_may_have_its_limit_of_bytes_and_not_one_more() {
        let rule = rule("https://biller.example/");
        let path = format!("/{}", "a".repeat(EGRESS_PATH_BYTES_MAX - 1));
        assert!(get(&rule, &path).is_ok());
        assert!(get(&rule, &format!("{path}a")).is_err());
    }
}
