//! Keys and signatures: JWK sets of institutions, compact JWS over any payload.
//!
//! Two algorithms, ES256 and EdDSA (Ed25519), and nothing else: no RSA (FAPI
//! 2.0 forbids RS256), no shared secrets, no `none`. A signature is checked
//! together with its `typ`, so that one made for one purpose never serves
//! another.

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use jsonwebtoken::{Algorithm, DecodingKey, EncodingKey};
use qiao_model::{Secret, is_plain_text};
use serde::Deserialize;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

/// A JWK set has at most so many keys.
pub const JWKS_KEYS_MAX: usize = 8;
/// A `kid` has at most so many characters.
pub const KID_CHARS_MAX: usize = 128;
/// A compact JWS has at most so many bytes.
pub const JWS_BYTES_MAX: usize = 16 * 1024;

const COORDINATE_BYTES: usize = 32;
const PEM_LINE_CHARS: usize = 64;

/// Why a key or a signature is refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum KeyError {
    /// Not a PEM file with an ES256 or Ed25519 private key in PKCS #8.
    #[error("not a PKCS #8 PEM file with a P-256 or Ed25519 private key")]
    PrivateKey,
    /// Not `{"keys": [...]}`.
    #[error("not a JWK set: {0}")]
    NotAKeySet(String),
    /// None, or more than [`JWKS_KEYS_MAX`].
    #[error("a key set has 1 to {JWKS_KEYS_MAX} keys, this one has {0}")]
    KeyCount(usize),
    /// One key of the set.
    #[error("keys[{index}]: {cause}")]
    Key {
        /// Which.
        index: usize,
        /// What is wrong with it.
        cause: &'static str,
    },
    /// Two keys of one name.
    #[error("two keys have the kid `{0}`")]
    DuplicateKid(String),
    /// Not three base64url parts with a header of ours.
    #[error("not a compact JWS: {0}")]
    NotAJws(&'static str),
    /// Neither ES256 nor EdDSA.
    #[error("the signature algorithm is not ES256 or EdDSA")]
    Algorithm,
    /// A signature made for another purpose.
    #[error("the signature is of type `{0}`")]
    Type(String),
    /// No registered key has this `kid`, or none is of this algorithm.
    #[error("no registered key matches the signature's kid and algorithm")]
    UnknownKey,
    /// The signature is not of this key over this payload.
    #[error("the signature does not verify")]
    BadSignature,
    /// A cryptographic operation failed, which it never should.
    #[error("signing failed")]
    Signing,
}

/// What kind of key to make.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum KeyKind {
    /// ECDSA on P-256 with SHA-256.
    P256,
    /// Ed25519.
    Ed25519,
}

impl KeyKind {
    const fn algorithm(self) -> Algorithm {
        match self {
            Self::P256 => Algorithm::ES256,
            Self::Ed25519 => Algorithm::EdDSA,
        }
    }

    /// The `alg` of RFC 7518.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::P256 => "ES256",
            Self::Ed25519 => "EdDSA",
        }
    }

    fn parse(name: &str) -> Option<Self> {
        [Self::P256, Self::Ed25519]
            .into_iter()
            .find(|kind| kind.name() == name)
    }
}

/// A public key that verifies signatures.
#[derive(Clone, Debug)]
pub struct PublicKey {
    kid: String,
    kind: KeyKind,
    jwk: Value,
    decoding: DecodingKey,
}

#[derive(Deserialize)]
struct Jwk {
    kty: String,
    crv: Option<String>,
    x: Option<String>,
    y: Option<String>,
    d: Option<Value>,
    alg: Option<String>,
    #[serde(rename = "use")]
    usage: Option<String>,
    kid: Option<String>,
}

impl PublicKey {
    /// Its name: the `kid` it was registered with, else its RFC 7638 thumbprint.
    #[must_use]
    pub fn kid(&self) -> &str {
        &self.kid
    }

    /// Its kind.
    #[must_use]
    pub const fn kind(&self) -> KeyKind {
        self.kind
    }

    /// The public JWK, with `kid`, `alg` and `use`.
    #[must_use]
    pub const fn jwk(&self) -> &Value {
        &self.jwk
    }

    /// Reads one JWK.
    ///
    /// # Errors
    /// What is wrong with it, in a sentence.
    pub fn from_jwk(jwk: &Value) -> Result<Self, &'static str> {
        let jwk = Jwk::deserialize(jwk).map_err(|_| "not a JWK with kty and text members")?;
        if jwk.d.is_some() {
            return Err("this is a private key; register the public part alone");
        }
        if jwk.usage.as_deref().is_some_and(|usage| usage != "sig") {
            return Err("its use is not `sig`");
        }
        let kind = match (jwk.kty.as_str(), jwk.crv.as_deref()) {
            ("EC", Some("P-256")) => KeyKind::P256,
            ("OKP", Some("Ed25519")) => KeyKind::Ed25519,
            _ => return Err("only EC P-256 and OKP Ed25519 keys are taken"),
        };
        if jwk.alg.as_deref().is_some_and(|alg| alg != kind.name()) {
            return Err("its alg does not fit its curve");
        }
        let x = coordinate(jwk.x.as_deref()).ok_or("x is not 32 bytes in base64url")?;
        let y = match kind {
            KeyKind::Ed25519 => None,
            KeyKind::P256 => {
                Some(coordinate(jwk.y.as_deref()).ok_or("y is not 32 bytes in base64url")?)
            }
        };
        let kid = jwk.kid.unwrap_or_else(|| thumbprint(x, y));
        if !(1..=KID_CHARS_MAX).contains(&kid.chars().count()) || !is_plain_text(&kid) {
            return Err("its kid is empty, longer than 128 characters or not plain text");
        }
        Self::assemble(kid, kind, x, y).ok_or("it is not a point of its curve")
    }

    fn assemble(kid: String, kind: KeyKind, x: &str, y: Option<&str>) -> Option<Self> {
        let mut jwk = match y {
            None => json!({ "kty": "OKP", "crv": "Ed25519", "x": x }),
            Some(y) => json!({ "kty": "EC", "crv": "P-256", "x": x, "y": y }),
        };
        jwk["kid"] = kid.as_str().into();
        jwk["alg"] = kind.name().into();
        jwk["use"] = "sig".into();
        let decoding = match y {
            None => DecodingKey::from_ed_components(x),
            Some(y) => DecodingKey::from_ec_components(x, y),
        };
        let decoding = decoding.ok()?;
        if let KeyKind::P256 = kind {
            let bytes = decoding.try_get_as_bytes().ok()?;
            aws_lc_rs::signature::ParsedPublicKey::new(
                &aws_lc_rs::signature::ECDSA_P256_SHA256_FIXED,
                bytes,
            )
            .ok()?;
        }
        Some(Self {
            kid,
            kind,
            jwk,
            decoding,
        })
    }
}

/// Reads a JWK set, as an institution registers it.
///
/// # Errors
/// The first thing that is wrong with it.
pub fn parse_jwks(text: &str) -> Result<Vec<PublicKey>, KeyError> {
    #[derive(Deserialize)]
    struct KeySet {
        keys: Vec<Value>,
    }
    let set: KeySet =
        serde_json::from_str(text).map_err(|error| KeyError::NotAKeySet(error.to_string()))?;
    if set.keys.is_empty() || set.keys.len() > JWKS_KEYS_MAX {
        return Err(KeyError::KeyCount(set.keys.len()));
    }
    let mut keys: Vec<PublicKey> = Vec::with_capacity(set.keys.len());
    for (index, jwk) in set.keys.iter().enumerate() {
        let key = PublicKey::from_jwk(jwk).map_err(|cause| KeyError::Key { index, cause })?;
        if keys.iter().any(|other| other.kid == key.kid) {
            return Err(KeyError::DuplicateKid(key.kid));
        }
        keys.push(key);
    }
    Ok(keys)
}

/// The JWK set of these keys, as it is stored and published.
#[must_use]
pub fn write_jwks(keys: &[PublicKey]) -> Value {
    let keys: Vec<&Value> = keys.iter().map(PublicKey::jwk).collect();
    json!({ "keys": keys })
}

/// A private key that signs.
#[derive(Clone)]
pub struct SigningKey {
    encoding: EncodingKey,
    public: PublicKey,
}

impl std::fmt::Debug for SigningKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "SigningKey({})", self.public.kid)
    }
}

impl SigningKey {
    /// Reads a PKCS #8 PEM file.
    ///
    /// # Errors
    /// It holds no P-256 or Ed25519 private key.
    pub fn from_pem(pem: &Secret<String>) -> Result<Self, KeyError> {
        let text = pem.expose().as_bytes();
        let (encoding, kind) = if let Ok(key) = EncodingKey::from_ec_pem(text) {
            (key, KeyKind::P256)
        } else {
            let key = EncodingKey::from_ed_pem(text).map_err(|_| KeyError::PrivateKey)?;
            (key, KeyKind::Ed25519)
        };
        let jwk = jsonwebtoken::jwk::Jwk::from_encoding_key(&encoding, kind.algorithm())
            .map_err(|_| KeyError::PrivateKey)?;
        let jwk = serde_json::to_value(jwk).map_err(|_| KeyError::PrivateKey)?;
        let public = PublicKey::from_jwk(&jwk).map_err(|_| KeyError::PrivateKey)?;
        Ok(Self { encoding, public })
    }

    /// Its public half.
    #[must_use]
    pub const fn public(&self) -> &PublicKey {
        &self.public
    }

    /// Signs a payload as a compact JWS of this `typ`.
    ///
    /// # Errors
    /// The library refuses, which it never should.
    pub fn sign(&self, typ: &str, payload: &[u8]) -> Result<String, KeyError> {
        let header = json!({ "alg": self.public.kind.name(), "kid": self.public.kid, "typ": typ });
        let message = format!(
            "{}.{}",
            URL_SAFE_NO_PAD.encode(header.to_string()),
            URL_SAFE_NO_PAD.encode(payload)
        );
        let algorithm = self.public.kind.algorithm();
        let signature = jsonwebtoken::crypto::sign(message.as_bytes(), &self.encoding, algorithm)
            .map_err(|_| KeyError::Signing)?;
        Ok(format!("{message}.{signature}"))
    }
}

/// Makes a key: the private half as PKCS #8 PEM, the public half as a JWK.
///
/// # Errors
/// The library refuses, which it never should.
pub fn generate_key(kind: KeyKind) -> Result<(Secret<String>, Value), KeyError> {
    use aws_lc_rs::rand::SystemRandom;
    use aws_lc_rs::signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, Ed25519KeyPair};
    let random = SystemRandom::new();
    let document = match kind {
        KeyKind::P256 => EcdsaKeyPair::generate_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, &random),
        KeyKind::Ed25519 => Ed25519KeyPair::generate_pkcs8v1(&random),
    };
    let document = document.map_err(|_| KeyError::Signing)?;
    let pem = Secret::new(write_pem(document.as_ref()));
    let public = SigningKey::from_pem(&pem)?.public.jwk;
    Ok((pem, public))
}

/// Signs a payload with the key of a PEM file as a compact JWS of this `typ`.
///
/// # Errors
/// The file holds no key of ours.
pub fn sign_jws(pem: &Secret<String>, typ: &str, payload: &[u8]) -> Result<String, KeyError> {
    SigningKey::from_pem(pem)?.sign(typ, payload)
}

/// What a signature proved.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Verified {
    /// The key that signed.
    pub kid: String,
    /// What it signed.
    pub payload: Vec<u8>,
}

/// Checks a compact JWS of this `typ` against registered keys.
///
/// # Errors
/// It is malformed, of another type or algorithm, of a key that is not
/// registered, or does not verify.
pub fn verify_jws(keys: &[PublicKey], typ: &str, jws: &str) -> Result<Verified, KeyError> {
    let (found, verified) = verify_any_type(keys, jws)?;
    match found {
        Some(found) if found.eq_ignore_ascii_case(typ) => Ok(verified),
        found => Err(KeyError::Type(found.unwrap_or_default())),
    }
}

#[derive(Deserialize)]
struct Header {
    alg: String,
    typ: Option<String>,
    kid: Option<String>,
    crit: Option<Value>,
}

/// Checks a compact JWS and tells its `typ`, for a caller that checks it itself.
pub(crate) fn verify_any_type(
    keys: &[PublicKey],
    jws: &str,
) -> Result<(Option<String>, Verified), KeyError> {
    if jws.len() > JWS_BYTES_MAX {
        return Err(KeyError::NotAJws("it is too long"));
    }
    let (message, signature) = jws
        .rsplit_once('.')
        .ok_or(KeyError::NotAJws("it has no signature part"))?;
    let (header, payload) = message
        .split_once('.')
        .ok_or(KeyError::NotAJws("it has no payload part"))?;
    let header = URL_SAFE_NO_PAD
        .decode(header)
        .ok()
        .and_then(|bytes| serde_json::from_slice::<Header>(&bytes).ok())
        .ok_or(KeyError::NotAJws("its header is not readable"))?;
    // RFC 7515 section 4.1.11: an extension that is not understood is refused, and none is.
    if header.crit.is_some() {
        return Err(KeyError::NotAJws("it has critical extensions"));
    }
    let kind = KeyKind::parse(&header.alg).ok_or(KeyError::Algorithm)?;
    let payload = URL_SAFE_NO_PAD
        .decode(payload)
        .map_err(|_| KeyError::NotAJws("its payload is not base64url"))?;
    let candidates = keys
        .iter()
        .filter(|key| key.kind == kind && header.kid.as_ref().is_none_or(|kid| *kid == key.kid));
    let mut error = KeyError::UnknownKey;
    for key in candidates {
        let algorithm = kind.algorithm();
        if jsonwebtoken::crypto::verify(signature, message.as_bytes(), &key.decoding, algorithm)
            .unwrap_or(false)
        {
            let kid = key.kid.clone();
            return Ok((header.typ, Verified { kid, payload }));
        }
        error = KeyError::BadSignature;
    }
    Err(error)
}

/// The payload of a compact JWS that nobody has checked yet.
pub(crate) fn unverified_payload(jws: &str) -> Option<Vec<u8>> {
    if jws.len() > JWS_BYTES_MAX {
        return None;
    }
    let payload = jws.split('.').nth(1)?;
    URL_SAFE_NO_PAD.decode(payload).ok()
}

fn coordinate(text: Option<&str>) -> Option<&str> {
    let text = text?;
    let bytes = URL_SAFE_NO_PAD.decode(text).ok()?;
    (bytes.len() == COORDINATE_BYTES).then_some(text)
}

/// RFC 7638 section 3: the required members in lexical order, hashed.
fn thumbprint(x: &str, y: Option<&str>) -> String {
    let members = match y {
        None => format!(r#"{{"crv":"Ed25519","kty":"OKP","x":"{x}"}}"#),
        Some(y) => format!(r#"{{"crv":"P-256","kty":"EC","x":"{x}","y":"{y}"}}"#),
    };
    URL_SAFE_NO_PAD.encode(Sha256::digest(members))
}

fn write_pem(der: &[u8]) -> String {
    let text = STANDARD.encode(der);
    let mut pem = String::from("-----BEGIN PRIVATE KEY-----\n");
    let mut rest = text.as_str();
    while !rest.is_empty() {
        let (line, tail) = rest.split_at(rest.len().min(PEM_LINE_CHARS));
        pem.push_str(line);
        pem.push('\n');
        rest = tail;
    }
    pem.push_str("-----END PRIVATE KEY-----\n");
    pem
}

#[cfg(test)]
mod tests {
    use super::*;

    const BOTH: [KeyKind; 2] = [KeyKind::P256, KeyKind::Ed25519];

    fn key(kind: KeyKind) -> (Secret<String>, PublicKey) {
        let (pem, jwk) = generate_key(kind).unwrap();
        (pem, PublicKey::from_jwk(&jwk).unwrap())
    }

    #[test]
    fn a_signature_of_each_kind_verifies_and_tells_its_key() {
        for kind in BOTH {
            let (pem, public) = key(kind);
            let jws = sign_jws(&pem, "test+jws", b"payload").unwrap();
            let verified = verify_jws(std::slice::from_ref(&public), "test+jws", &jws).unwrap();
            assert_eq!(verified.payload, b"payload");
            assert_eq!(verified.kid, public.kid());
        }
    }

    #[test]
    fn a_changed_signature_is_refused_with_its_cause() {
        for kind in BOTH {
            let (pem, public) = key(kind);
            let (_, stranger) = key(kind);
            let keys = [public];
            let jws = sign_jws(&pem, "test+jws", b"payload").unwrap();
            let check = |jws: &str| verify_jws(&keys, "test+jws", jws);
            let (message, _) = jws.rsplit_once('.').unwrap();
            let (header, _) = message.split_once('.').unwrap();
            let other = sign_jws(&pem, "test+jws", b"another").unwrap();
            let (_, signature) = other.rsplit_once('.').unwrap();
            assert_eq!(
                check(&format!("{message}.{signature}")),
                Err(KeyError::BadSignature)
            );
            assert_eq!(check(&format!("{message}.")), Err(KeyError::BadSignature));
            assert!(matches!(check(header), Err(KeyError::NotAJws(_))));
            assert!(matches!(check("a.b.c"), Err(KeyError::NotAJws(_))));
            assert_eq!(
                verify_jws(&[stranger], "test+jws", &jws),
                Err(KeyError::UnknownKey)
            );
            assert_eq!(
                verify_jws(&keys, "other+jws", &jws),
                Err(KeyError::Type("test+jws".to_owned()))
            );
            let long = "a".repeat(JWS_BYTES_MAX + 1);
            assert!(matches!(check(&long), Err(KeyError::NotAJws(_))));
        }
    }

    #[test]
    fn none_rs256_and_critical_extensions_are_refused() {
        let (_, public) = key(KeyKind::P256);
        let keys = [public];
        let forge = |header: Value| {
            let header = URL_SAFE_NO_PAD.encode(header.to_string());
            verify_jws(&keys, "t", &format!("{header}.e30.AAAA"))
        };
        for alg in ["none", "HS256", "RS256", "ES384", "es256"] {
            assert_eq!(
                forge(json!({ "alg": alg, "typ": "t" })),
                Err(KeyError::Algorithm)
            );
        }
        assert!(matches!(
            forge(json!({ "alg": "ES256", "typ": "t", "crit": ["exp"] })),
            Err(KeyError::NotAJws(_))
        ));
        assert_eq!(
            forge(json!({ "alg": "EdDSA", "typ": "t" })),
            Err(KeyError::UnknownKey)
        );
    }

    #[test]
    fn the_thumbprint_is_of_rfc_7638() {
        // RFC 8037 appendix A.3 gives this key and this thumbprint.
        let jwk = json!({
            "kty": "OKP", "crv": "Ed25519",
            "x": "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"
        });
        let key = PublicKey::from_jwk(&jwk).unwrap();
        assert_eq!(key.kid(), "kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k");
    }

    #[test]
    fn a_key_set_is_refused_with_its_cause() {
        let (_, good) = key(KeyKind::P256);
        let jwk = good.jwk().clone();
        let with = |name: &str, value: Value| {
            let mut jwk = jwk.clone();
            jwk[name] = value;
            jwk
        };
        let refused = |keys: Value| parse_jwks(&json!({ "keys": keys }).to_string()).unwrap_err();
        assert_eq!(
            parse_jwks(&json!({ "keys": [jwk] }).to_string())
                .unwrap()
                .len(),
            1
        );
        assert!(matches!(parse_jwks("[]"), Err(KeyError::NotAKeySet(_))));
        assert!(matches!(parse_jwks("{"), Err(KeyError::NotAKeySet(_))));
        assert_eq!(refused(json!([])), KeyError::KeyCount(0));
        let many: Vec<Value> = (0..=JWKS_KEYS_MAX)
            .map(|n| with("kid", n.to_string().into()))
            .collect();
        assert_eq!(refused(many.into()), KeyError::KeyCount(JWKS_KEYS_MAX + 1));
        assert!(matches!(
            refused(json!([jwk, jwk])),
            KeyError::DuplicateKid(_)
        ));
        for bad in [
            with("d", "AAAA".into()),
            with("use", "enc".into()),
            with("crv", "P-384".into()),
            with("kty", "RSA".into()),
            with("alg", "EdDSA".into()),
            with("kid", "".into()),
            with("kid", "k".repeat(KID_CHARS_MAX + 1).into()),
            with("x", "AAAA".into()),
            with("y", URL_SAFE_NO_PAD.encode([1_u8; 32]).into()),
            json!(7),
        ] {
            assert!(
                matches!(refused(json!([bad])), KeyError::Key { index: 0, .. }),
                "{bad}"
            );
        }
    }

    #[test]
    fn only_a_private_key_of_ours_signs() {
        for text in [
            "",
            "-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n",
        ] {
            let pem = Secret::new(text.to_owned());
            assert_eq!(sign_jws(&pem, "t", b""), Err(KeyError::PrivateKey));
        }
    }
}
