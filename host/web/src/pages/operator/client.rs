use axum::extract::{Path, State};
use axum::response::Response;
use qiao_auth::{OAuthClient, ScopeVerdict};
use qiao_model::{OAuthClientId, Scope, ScopeSet};
use serde::Deserialize;

use crate::App;
use crate::pages::failed::{Failed, page, see};
use crate::pages::sent::Sent;
use crate::pages::view::staff::List;
use crate::pages::view::{Cell, Empty, Form, Table, Tone, When};
use crate::pages::visit::{Operator, Visit};

/// `GET /operator/clients`: the scopes that wait for a decision.
pub(super) async fn list(State(app): State<App>, operator: Operator) -> Result<Response, Failed> {
    let asking = app.auth.asking_clients(&operator.permit).await?;
    let shell = operator
        .visit
        .operator_page(&app, "Scopes asked for", "/institutions")
        .back("/operator/institutions", "Institutions");
    page(&List::new(
        shell,
        "An institution's staff let its servers do what they may do themselves. What else a client asks for, such as paying out or charging mandates, it gets from you.",
        table(&app, &operator.visit, &asking).await?,
    ))
}

/// A row for each client and scope.
async fn table(app: &App, visit: &Visit, asking: &[OAuthClient]) -> Result<Table, Failed> {
    let empty = Empty::new(
        "Nobody asks",
        "Scopes appear here as clients are registered.",
    );
    let columns = ["Client", "Institution", "Registered", "Scope", ""];
    let mut table = Table::new("Scopes asked for", &columns, empty);
    for (at, client) in asking.iter().enumerate() {
        let institution = app.registry.institution(client.institution).await?;
        let name = institution.map_or_else(String::new, |institution| institution.name);
        for scope in client.asked_scopes.iter() {
            table.push(vec![
                Cell::Two(client.name.clone(), client.id.to_string()),
                Cell::text(&name),
                Cell::When(When(client.created_at)),
                Cell::code(scope),
                Cell::Forms(verdicts(visit, at, client, scope)),
            ]);
        }
    }
    Ok(table)
}

/// Grant and refuse, a button each.
fn verdicts(visit: &Visit, at: usize, client: &OAuthClient, scope: Scope) -> Vec<Form> {
    let form = |verdict: &str, button: &str| {
        let name = scope.name().replace(':', "-");
        let action = format!("/operator/clients/{}/scopes", client.id);
        Form::new(
            &format!("{verdict}-{at}-{name}"),
            action,
            visit.csrf(),
            button,
        )
        .hidden("scope", scope.name())
        .hidden("verdict", verdict)
        .compact()
    };
    vec![
        form("grant", "Grant"),
        form("refuse", "Refuse").tone(Tone::Bad),
    ]
}

#[derive(Default, Deserialize)]
pub(super) struct Decision {
    #[serde(default)]
    scope: String,
    #[serde(default)]
    verdict: String,
}

/// `POST /operator/clients/{client}/scopes`
pub(super) async fn decide(
    State(app): State<App>,
    operator: Operator,
    Path(id): Path<String>,
    Sent(sent): Sent<Decision>,
) -> Result<Response, Failed> {
    let client: OAuthClientId = id.parse().map_err(Failed::not_found)?;
    let scopes: ScopeSet = sent.scope.parse().map_err(Failed::not_found)?;
    let (verdict, note) = match sent.verdict.as_str() {
        "grant" => (ScopeVerdict::Grant, "scope-granted"),
        "refuse" => (ScopeVerdict::Refuse, "scope-refused"),
        other => return Err(Failed::not_found(format_args!("`{other}` is no verdict"))),
    };
    app.auth
        .decide_scopes(&operator.permit, client, scopes, verdict)
        .await?;
    see(format!("/operator/clients?note={note}"))
}
