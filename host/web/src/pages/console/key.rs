use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use serde_json::{Value, json};

const PEM_BEGIN: &str = "-----BEGIN PUBLIC KEY-----";
const PEM_END: &str = "-----END PUBLIC KEY-----";

/// SubjectPublicKeyInfo of a P-256 key (RFC 5480), up to its uncompressed point.
const P256_PREFIX: [u8; 27] = [
    0x30, 0x59, 0x30, 0x13, 0x06, 0x07, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x02, 0x01, 0x06, 0x08, 0x2a,
    0x86, 0x48, 0xce, 0x3d, 0x03, 0x01, 0x07, 0x03, 0x42, 0x00, 0x04,
];
/// SubjectPublicKeyInfo of an Ed25519 key (RFC 8410), up to its 32 bytes.
const ED25519_PREFIX: [u8; 12] = [
    0x30, 0x2a, 0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, 0x70, 0x03, 0x21, 0x00,
];

/// A pasted public key (PEM, a JWK, or a JWK set) as a JWK set.
///
/// # Errors
/// A sentence for whoever pasted it. What the key itself is good for is for
/// `auth` to say.
pub(super) fn jwks_of_pasted(pasted: &str) -> Result<String, String> {
    let pasted = pasted.trim();
    if pasted.is_empty() {
        return Err("Paste the public key.".to_owned());
    }
    if pasted.contains("PRIVATE KEY-----") {
        return Err("This is a private key. Keep it to yourself; paste the public one.".to_owned());
    }
    if pasted.starts_with(PEM_BEGIN) {
        return Ok(json!({ "keys": [jwk_of_pem(pasted)?] }).to_string());
    }
    let value: Value = serde_json::from_str(pasted)
        .map_err(|error| format!("This is neither PEM nor JSON: {error}."))?;
    if value.get("keys").is_some() {
        Ok(value.to_string())
    } else {
        Ok(json!({ "keys": [value] }).to_string())
    }
}

fn jwk_of_pem(pem: &str) -> Result<Value, String> {
    let body = pem
        .strip_prefix(PEM_BEGIN)
        .and_then(|rest| rest.split_once(PEM_END));
    let Some((body, _)) = body else {
        return Err(format!("The key does not end with `{PEM_END}`."));
    };
    let digits: String = body.split_ascii_whitespace().collect();
    let der = STANDARD
        .decode(digits)
        .map_err(|_| "The key's text is not base-64.".to_owned())?;
    if let Some(point) = der.strip_prefix(&P256_PREFIX)
        && point.len() == 64
    {
        let [x, y] = [&point[..32], &point[32..]].map(|half| URL_SAFE_NO_PAD.encode(half));
        return Ok(json!({ "kty": "EC", "crv": "P-256", "x": x, "y": y }));
    }
    if let Some(key) = der.strip_prefix(&ED25519_PREFIX)
        && key.len() == 32
    {
        let x = URL_SAFE_NO_PAD.encode(key);
        return Ok(json!({ "kty": "OKP", "crv": "Ed25519", "x": x }));
    }
    Err("The key is of another kind; use P-256 (ES256) or Ed25519 (EdDSA).".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use qiao_auth::keys::{KeyKind, generate_key, parse_jwks};

    fn pem(prefix: &[u8], parts: &[&str]) -> String {
        let mut der = prefix.to_vec();
        for part in parts {
            der.extend(URL_SAFE_NO_PAD.decode(part).unwrap());
        }
        let digits = STANDARD.encode(der);
        let (first, rest) = digits.split_at(64);
        format!("{PEM_BEGIN}\n{first}\n{rest}\n{PEM_END}\n")
    }

    #[test]
    fn a_key_means_the_same_as_pem_jwk_and_set() {
        let (_, p256) = generate_key(KeyKind::P256).unwrap();
        let (_, ed25519) = generate_key(KeyKind::Ed25519).unwrap();
        let text = |jwk: &Value, name: &str| jwk[name].as_str().unwrap().to_owned();
        let p256_pem = pem(&P256_PREFIX, &[&text(&p256, "x"), &text(&p256, "y")]);
        let ed_digits = [
            &ED25519_PREFIX[..],
            &URL_SAFE_NO_PAD.decode(text(&ed25519, "x")).unwrap(),
        ];
        let ed_pem = format!(
            "{PEM_BEGIN}\n{}\n{PEM_END}",
            STANDARD.encode(ed_digits.concat())
        );
        for (jwk, pem) in [(p256, p256_pem), (ed25519, ed_pem)] {
            let kid = |pasted: &str| {
                let keys = parse_jwks(&jwks_of_pasted(pasted).unwrap()).unwrap();
                keys[0].kid().to_owned()
            };
            let of_jwk = kid(&jwk.to_string());
            assert_eq!(kid(&pem), of_jwk);
            assert_eq!(kid(&json!({ "keys": [jwk] }).to_string()), of_jwk);
        }
    }

    #[test]
    fn what_is_no_public_key_is_refused_with_a_reason() {
        for (pasted, reason) in [
            ("  ", "Paste"),
            ("-----BEGIN PRIVATE KEY-----", "private"),
            ("-----BEGIN PUBLIC KEY-----\nAAAA", "does not end"),
            (
                "-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----",
                "another kind",
            ),
            ("hello", "neither PEM nor JSON"),
        ] {
            let refusal = jwks_of_pasted(pasted).unwrap_err();
            assert!(refusal.contains(reason), "{refusal}");
        }
    }
}
