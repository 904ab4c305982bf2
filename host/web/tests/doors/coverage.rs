//! Coverage by enumeration: whatever the document lists is tried without permission.

use std::path::Path;

use serde_json::Value;

use crate::caller::Caller;
use crate::host::{Host, Institution};

/// What anybody may call. A route that forgets to say who may call it fails here.
const PUBLIC: [&str; 18] = [
    "get /.well-known/oauth-authorization-server",
    "get /healthz",
    "get /metrics",
    "get /oauth/jwks",
    "get /openapi.json",
    "get /readyz",
    "get /v1/plugins/{id}/products",
    "get /v1/products/{id}",
    "get /v1/products/{id}/fee-schedules",
    "get /v1/products/{id}/prices",
    "get /v1/public-accounts",
    "get /v1/public-accounts/{handle}",
    "post /oauth/introspect",
    "post /oauth/revoke",
    "post /oauth/token",
    "post /v1/bank-callbacks/{channel}",
    "post /v1/sessions",
    "post /v1/users",
];

/// Every POST that moves no money. All others want an idempotency key, so a new one
/// that moves money cannot be forgotten. A bank's callback moves some and has none: it is
/// signed and names its transfer, which is its key.
const MOVES_NOTHING: [&str; 36] = [
    "post /oauth/introspect",
    "post /oauth/revoke",
    "post /oauth/token",
    "post /v1/bank-callbacks/{channel}",
    "post /v1/bank-channels/{channel}/pause",
    "post /v1/bank-channels/{channel}/resume",
    "post /v1/bank-links",
    "post /v1/cases/{id}/end",
    "post /v1/clients/{id}/scopes",
    "post /v1/deliveries/{id}/redeliver",
    "post /v1/institution/mandate-offers",
    "post /v1/institutions",
    "post /v1/institutions/{id}/approve",
    "post /v1/institutions/{id}/clients",
    "post /v1/institutions/{id}/settlement-terms",
    "post /v1/institutions/{id}/settlement-terms/approve",
    "post /v1/institutions/{id}/suspend",
    "post /v1/mandates",
    "post /v1/open-bank-transfers/{id}/ask-again",
    "post /v1/payouts/{id}/give-up",
    "post /v1/pin",
    "post /v1/plugins/{id}/roll-back",
    "post /v1/plugins/{id}/stop",
    "post /v1/public-accounts/{handle}/services/{service}",
    "post /v1/quotes",
    "post /v1/reconciliations",
    "post /v1/releases",
    "post /v1/releases/{id}/activate",
    "post /v1/releases/{id}/approve",
    "post /v1/releases/{id}/reject",
    "post /v1/sandbox/clock",
    "post /v1/sessions",
    "post /v1/stuck-orders/{id}/ask-again",
    "post /v1/users",
    "post /v1/webhooks",
    "post /v1/webhooks/{id}/enable",
];

/// One operation of the document.
#[derive(Clone, Debug)]
struct Operation {
    method: String,
    route: String,
    description: Value,
}

impl Operation {
    fn name(&self) -> String {
        format!("{} {}", self.method, self.route)
    }

    /// The route with something in place of its parameters.
    fn path(&self) -> String {
        let parts = self.route.split('/').map(|part| match part {
            "{handle}" | "{service}" => "nobody",
            part if part.starts_with('{') => "xxx_00000000000000000000000000",
            part => part,
        });
        parts.collect::<Vec<_>>().join("/")
    }

    fn scheme(&self, name: &str) -> Option<&Value> {
        let requirements = self.description["security"].as_array()?;
        requirements.iter().find_map(|one| one.get(name))
    }

    fn is_for_operators(&self) -> bool {
        let operator = Value::from("operator");
        let clock = self.route == "/v1/sandbox/clock";
        clock
            || self.description["tags"]
                .as_array()
                .unwrap()
                .contains(&operator)
    }

    fn takes_key(&self) -> bool {
        let parameters = self.description["parameters"].as_array();
        parameters.is_some_and(|all| all.iter().any(|one| one["name"] == "idempotency-key"))
    }

    async fn called_by(&self, caller: &Caller) -> crate::caller::Answer {
        caller.bare(&self.method, &self.path()).await
    }
}

async fn operations(host: &Host) -> Vec<Operation> {
    let document = host.guest().get("/openapi.json").await.expect(200).body;
    let version = document["openapi"].as_str().unwrap();
    assert!(version.starts_with("3.1."), "{version}");
    let paths = document["paths"].as_object().unwrap();
    let operations = paths.iter().flat_map(|(route, methods)| {
        let methods = methods.as_object().unwrap().iter();
        methods.map(|(method, description)| Operation {
            method: method.clone(),
            route: route.clone(),
            description: description.clone(),
        })
    });
    operations.collect()
}

async fn host() -> Host {
    Host::open(qiao_tests::sqlite().await).await
}

#[tokio::test]
async fn every_operation_is_public_on_purpose_or_refuses_who_shows_nothing() {
    let host = host().await;
    let mut public = Vec::new();
    for operation in operations(&host).await {
        if operation.description.get("security").is_none() {
            public.push(operation.name());
            continue;
        }
        let answer = operation.called_by(&host.guest()).await;
        assert_eq!(answer.status, 401, "{}: {}", operation.name(), answer.text);
        assert_eq!(answer.headers["content-type"], "application/problem+json");
    }
    public.sort();
    let mut expected = PUBLIC.to_vec();
    expected.sort_unstable();
    assert_eq!(public, expected);
}

#[tokio::test]
async fn every_operation_of_a_server_takes_a_token_of_its_own_scope_and_no_other() {
    let host = host().await;
    let operator = host.operator().await;
    let institution = host.institution(&operator, "harvest").await;
    let client = host.able_client(&institution).await;
    let person = host.person("li.wei").await;
    let mut tried = 0;
    for operation in operations(&host).await {
        let Some(scopes) = operation.scheme("bearer") else {
            continue;
        };
        let scope = scopes[0].as_str().unwrap();
        let name = operation.name();
        let others = with(&host, &institution, &client, |other| other != scope).await;
        let answer = operation.called_by(&others).await;
        assert_eq!(
            answer.slug(),
            "insufficient-scope",
            "{name}: {}",
            answer.text
        );
        let challenge = answer.headers["www-authenticate"].to_str().unwrap();
        assert!(challenge.contains(scope), "{name}: {challenge}");
        let own = with(&host, &institution, &client, |other| other == scope).await;
        let answer = operation.called_by(&own).await;
        assert!(
            !matches!(answer.status, 401 | 403),
            "{name}: {}",
            answer.text
        );
        let answer = operation.called_by(&person).await;
        assert_eq!(answer.status, 401, "{name} took a session: {}", answer.text);
        tried += 1;
    }
    assert!(tried > 20, "only {tried} operations take a token");
}

/// A server whose token has the chosen scopes.
async fn with(
    host: &Host,
    of: &Institution,
    client: &str,
    choose: impl Fn(&str) -> bool,
) -> Caller {
    let scopes = qiao_model::Scope::ALL.into_iter();
    let chosen: Vec<&str> = scopes
        .filter(|scope| scope.grantable_to_client())
        .map(qiao_model::Scope::name)
        .filter(|name| choose(name))
        .collect();
    let token = host.token(of, client, Some(&chosen.join(" "))).await;
    host.guest().bearing(&token)
}

#[tokio::test]
async fn every_operation_of_a_person_that_changes_something_wants_the_csrf_token() {
    let host = host().await;
    let person = host.person("li.wei").await;
    let mut tried = 0;
    for operation in operations(&host).await {
        if operation.scheme("session").is_none() {
            assert!(operation.scheme("csrf").is_none(), "{}", operation.name());
            continue;
        }
        let changes = operation.method != "get";
        let name = operation.name();
        assert_eq!(operation.scheme("csrf").is_some(), changes, "{name}");
        let answer = operation.called_by(&person.without_csrf()).await;
        assert_eq!(
            answer.slug() == "csrf-token-mismatch",
            changes,
            "{name}: {}",
            answer.text
        );
        tried += 1;
    }
    assert!(tried > 20, "only {tried} operations take a session");
}

#[tokio::test]
async fn every_operation_of_an_operator_refuses_other_people() {
    let host = host().await;
    let operator = host.operator().await;
    let person = host.person("li.wei").await;
    let mut tried = 0;
    for operation in operations(&host).await {
        if !operation.is_for_operators() {
            continue;
        }
        let name = operation.name();
        let answer = operation.called_by(&person).await;
        assert_eq!(
            (answer.status, answer.slug()),
            (403, "forbidden"),
            "{name}: {}",
            answer.text
        );
        let answer = operation.called_by(&operator).await;
        assert!(
            !matches!(answer.status, 401 | 403),
            "{name}: {}",
            answer.text
        );
        tried += 1;
    }
    assert!(tried > 8, "only {tried} operations are for operators");
}

#[tokio::test]
async fn every_operation_that_moves_money_wants_a_key_of_at_most_255_characters() {
    let host = host().await;
    let operator = host.operator().await;
    let institution = host.institution(&operator, "harvest").await;
    let server = host.able_server(&institution).await;
    let person = host.person("li.wei").await;
    let mut unkeyed = Vec::new();
    for operation in operations(&host).await {
        if !operation.takes_key() {
            if operation.method == "post" {
                unkeyed.push(operation.name());
            }
            continue;
        }
        let caller = match operation.scheme("bearer") {
            Some(_) => &server,
            None if operation.is_for_operators() => &operator,
            None => &person,
        };
        // A path that parses, so that the key is what is wrong.
        let id = match operation.route.split('/').nth(2) {
            Some("institutions") => "ins_00000000000000000000000000",
            Some("open-bank-transfers") => "btr_00000000000000000000000000",
            _ => "pay_00000000000000000000000000",
        };
        let path = operation.route.replace("{id}", id);
        let body = serde_json::json!({});
        let without = caller.post(&path, &body).await;
        without.expect_problem(400, "idempotency-key");
        let long = caller.keyed(&path, &"k".repeat(256), &body).await;
        long.expect_problem(400, "idempotency-key");
    }
    unkeyed.sort();
    assert_eq!(unkeyed, MOVES_NOTHING);
}

/// A route is registered together with its description; this finds a handler that
/// was described and never registered, and a route that was registered without one.
#[tokio::test]
async fn every_described_handler_is_a_route_and_no_route_goes_undescribed() {
    let host = host().await;
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut described = 0;
    for file in rust_files(&source) {
        if file.starts_with(source.join("pages")) {
            continue;
        }
        let text = std::fs::read_to_string(&file).unwrap();
        described += text.matches("#[utoipa::path(").count();
        assert!(
            !text.contains(".route("),
            "{} has a bare route",
            file.display()
        );
    }
    assert_eq!(operations(&host).await.len(), described);
}

fn rust_files(folder: &Path) -> Vec<std::path::PathBuf> {
    let entries = std::fs::read_dir(folder).unwrap().flatten();
    let files = entries.flat_map(|entry| match entry.path() {
        path if path.is_dir() => rust_files(&path),
        path => vec![path],
    });
    files
        .filter(|path| path.extension().is_some_and(|e| e == "rs"))
        .collect()
}

/// Each answer of the document names its schema, and each reference is there.
#[tokio::test]
async fn every_reference_of_the_document_leads_somewhere() {
    let host = host().await;
    let document = host.guest().get("/openapi.json").await.expect(200).body;
    let mut references = Vec::new();
    collect(&document, &mut references);
    assert!(!references.is_empty());
    for reference in references {
        let pointer = reference.strip_prefix('#').unwrap();
        assert!(
            document.pointer(pointer).is_some(),
            "{reference} leads nowhere"
        );
    }
    let ids: Vec<_> = operations(&host)
        .await
        .into_iter()
        .map(|o| o.description["operationId"].clone())
        .collect();
    let mut unique: Vec<String> = ids.iter().map(ToString::to_string).collect();
    unique.sort();
    unique.dedup();
    assert_eq!(
        unique.len(),
        ids.len(),
        "two operations share an operationId"
    );
}

fn collect(value: &Value, references: &mut Vec<String>) {
    match value {
        Value::Object(members) => {
            for (name, member) in members {
                match (name.as_str(), member) {
                    ("$ref", Value::String(reference)) => references.push(reference.clone()),
                    _ => collect(member, references),
                }
            }
        }
        Value::Array(items) => items.iter().for_each(|item| collect(item, references)),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}
