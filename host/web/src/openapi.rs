//! The OpenAPI document: what is the same for every route.

use axum::body::Bytes;
use axum::extract::State;
use axum::http::header;
use axum::response::IntoResponse;
use qiao_model::Scope;
use utoipa::openapi::OpenApi as Document;
use utoipa::openapi::security::{
    ApiKey, ApiKeyValue, ClientCredentials, Flow, OAuth2, Scopes, SecurityScheme,
};
use utoipa::{Modify, OpenApi};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::App;
use crate::extract::CSRF_HEADER;

#[derive(OpenApi)]
#[openapi(
    info(
        title = "Qiao",
        description = "The API of a finance super-app: institutions publish plugins, people reach \
            them through public accounts, and every payment goes through one set of books. \
            Errors are problems of RFC 9457."
    ),
    tags(
        (name = "institutions", description = "Who publishes, and their public accounts"),
        (name = "releases", description = "Plugins and their immutable releases"),
        (name = "products", description = "Products, fee schedules and prices"),
        (name = "orders", description = "A person's way from a service's page to a receipt"),
        (name = "payments", description = "Money between accounts"),
        (name = "mandates", description = "Standing permissions to debit, and charges by them"),
        (name = "banks", description = "Linked bank accounts, and money to and from them"),
        (name = "settlement", description = "What receivers got, and when institutions are paid"),
        (name = "webhooks", description = "Events delivered to an institution's server"),
        (name = "people", description = "Users, sessions and payment PINs"),
        (name = "operator", description = "For operators of the platform"),
        (name = "sandbox", description = "Play money and a movable clock; absent in production"),
        (name = "oauth", description = "Tokens for institutions' clients"),
        (name = "host", description = "Health, metrics and this document"),
    ),
    modifiers(&Schemes)
)]
struct Api;

/// The ways to authenticate.
struct Schemes;

impl Modify for Schemes {
    fn modify(&self, document: &mut Document) {
        let scopes = Scope::ALL.into_iter().filter(|s| s.grantable_to_client());
        let client = Flow::ClientCredentials(ClientCredentials::new(
            "/oauth/token",
            Scopes::from_iter(scopes.map(|scope| (scope.name(), scope.name()))),
        ));
        let components = document.components.get_or_insert_default();
        let mut add = |name: &str, scheme| components.add_security_scheme(name, scheme);
        add("bearer", SecurityScheme::OAuth2(OAuth2::new([client])));
        let cookie = ApiKeyValue::with_description(
            "qiao",
            "the cookie of `POST /v1/sessions`; over TLS it is called `__Host-qiao`",
        );
        add("session", SecurityScheme::ApiKey(ApiKey::Cookie(cookie)));
        let csrf = ApiKeyValue::with_description(
            CSRF_HEADER,
            "the session's `csrf` value; wanted beside the cookie by everything but GET",
        );
        add("csrf", SecurityScheme::ApiKey(ApiKey::Header(csrf)));
    }
}

/// A router without routes but the document's own, which routes describe themselves into.
pub(crate) fn described() -> OpenApiRouter<App> {
    OpenApiRouter::with_openapi(Api::openapi()).routes(routes!(get_document))
}

/// The document as it is served.
pub(crate) fn text(document: &Document) -> Bytes {
    let text = document.to_json();
    text.expect("a document of strings and maps is writable as JSON")
        .into()
}

/// This document
#[utoipa::path(
    get,
    path = "/openapi.json",
    tag = "host",
    responses((status = 200, description = "The OpenAPI 3.1 document", content_type = "application/json"))
)]
async fn get_document(State(app): State<App>) -> impl IntoResponse {
    ([(header::CONTENT_TYPE, "application/json")], app.document())
}
