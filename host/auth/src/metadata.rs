use qiao_model::Scope;
use serde_json::{Value, json};

use crate::Auth;
use crate::keys::{KeyKind, write_jwks};

/// Where the metadata is served (RFC 8414 section 3).
pub const METADATA_PATH: &str = "/.well-known/oauth-authorization-server";
/// The token endpoint, below the issuer.
pub const TOKEN_PATH: &str = "/oauth/token";
/// The revocation endpoint (RFC 7009).
pub const REVOCATION_PATH: &str = "/oauth/revoke";
/// The introspection endpoint (RFC 7662).
pub const INTROSPECTION_PATH: &str = "/oauth/introspect";
/// The keys that access tokens are signed with.
pub const JWKS_PATH: &str = "/oauth/jwks";

impl Auth {
    /// The metadata of this authorization server (RFC 8414 section 2).
    #[must_use]
    pub fn metadata(&self) -> Value {
        let issuer = self.issuer();
        let scopes: Vec<&str> = Scope::ALL
            .into_iter()
            .filter(|scope| scope.grantable_to_client())
            .map(Scope::name)
            .collect();
        let methods = ["private_key_jwt"];
        let algorithms = [KeyKind::P256.name(), KeyKind::Ed25519.name()];
        json!({
            "issuer": issuer,
            "token_endpoint": format!("{issuer}{TOKEN_PATH}"),
            "revocation_endpoint": format!("{issuer}{REVOCATION_PATH}"),
            "introspection_endpoint": format!("{issuer}{INTROSPECTION_PATH}"),
            "jwks_uri": format!("{issuer}{JWKS_PATH}"),
            "scopes_supported": scopes,
            "response_types_supported": [],
            "grant_types_supported": ["client_credentials"],
            "token_endpoint_auth_methods_supported": methods,
            "token_endpoint_auth_signing_alg_values_supported": algorithms,
            "revocation_endpoint_auth_methods_supported": methods,
            "revocation_endpoint_auth_signing_alg_values_supported": algorithms,
            "introspection_endpoint_auth_methods_supported": methods,
            "introspection_endpoint_auth_signing_alg_values_supported": algorithms,
        })
    }

    /// The public keys that access tokens are signed with, as a JWK set.
    #[must_use]
    pub fn jwks(&self) -> Value {
        write_jwks(std::slice::from_ref(self.inner().signing.public()))
    }
}
