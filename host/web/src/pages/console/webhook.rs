use axum::extract::{Path, Query, State};
use axum::response::Response;
use qiao_events::{
    DELIVERY_PAGE_ROWS, DeliveryRow, DeliveryState, Endpoint, EndpointState, Error, NewEndpoint,
};
use qiao_model::{DeliveryId, EndpointId};
use serde::Deserialize;

use crate::App;
use crate::pages::failed::{Failed, page, refused, see, sentence_of};
use crate::pages::sent::Sent;
use crate::pages::user::Nothing;
use crate::pages::view::console::Webhooks;
use crate::pages::view::{
    Badge, Cell, Confirm, Empty, Facts, Field, Figure, Form, Kind, Link, Paging, Table, Tone, When,
};
use crate::pages::visit::Staff;

#[derive(Default, Deserialize)]
pub(super) struct DeliveriesQuery {
    before: Option<String>,
}

#[derive(Default, Deserialize)]
pub(super) struct Registration {
    #[serde(default)]
    url: String,
    #[serde(default)]
    kinds: String,
}

/// `GET /console/{institution}/webhooks`
pub(super) async fn show(
    State(app): State<App>,
    staff: Staff,
    Query(query): Query<DeliveriesQuery>,
) -> Result<Response, Failed> {
    let sent = Registration::default();
    page(&webhooks(&app, &staff, query.before.as_deref(), &sent, None, None).await?)
}

/// `POST /console/{institution}/webhooks`: the answer shows the secret, this once.
pub(super) async fn register(
    State(app): State<App>,
    staff: Staff,
    Sent(sent): Sent<Registration>,
) -> Result<Response, Failed> {
    let kinds = sent.kinds.split([' ', ',', '\n', '\r', '\t']);
    let new = NewEndpoint {
        url: sent.url.trim().to_owned(),
        kinds: kinds
            .filter(|kind| !kind.is_empty())
            .map(str::to_owned)
            .collect(),
    };
    match app.events.register_endpoint(&staff.permit, new).await {
        Ok((_, secret)) => {
            let secret = Some(secret.expose().clone());
            let sent = Registration::default();
            page(&webhooks(&app, &staff, None, &sent, None, secret).await?)
        }
        Err(
            error @ (Error::InvalidUrl { .. } | Error::InvalidKind(_) | Error::TooManyEndpoints(_)),
        ) => {
            let wrong = Some(sentence_of(&error.to_string()));
            refused(&webhooks(&app, &staff, None, &sent, wrong, None).await?)
        }
        Err(error) => Err(error.into()),
    }
}

async fn webhooks(
    app: &App,
    staff: &Staff,
    before: Option<&str>,
    sent: &Registration,
    wrong: Option<String>,
    secret: Option<String>,
) -> Result<Webhooks, Failed> {
    let here = staff.path("/webhooks");
    let before = before.map(str::parse::<DeliveryId>);
    let before = before.transpose().map_err(Failed::not_found)?;
    let endpoints = app.events.endpoints_of(&staff.permit).await?;
    let deliveries = app.events.deliveries_of(&staff.permit, before).await?;
    let is_full = deliveries.len() == DELIVERY_PAGE_ROWS;
    let last = deliveries.last().filter(|_| is_full);
    let paging = Paging {
        newest: before.map(|_| Link::new(&here, "Newest")),
        older: last.map(|last| Link::new(format!("{here}?before={}", last.id), "Older")),
    };
    Ok(Webhooks {
        shell: staff
            .visit
            .console_page("Webhooks", Some(staff.institution), "/webhooks"),
        secret,
        endpoints: endpoint_table(staff, &endpoints),
        form: Form::new("endpoint", &here, staff.visit.csrf(), "Register")
            .field(
                Field::new("url", "Address", Kind::Code)
                    .placeholder("https://shop.example/hooks")
                    .value(&sent.url)
                    .error(wrong),
            )
            .field(
                Field::new("kinds", "Events", Kind::Text)
                    .hint("Such as order.completed, with spaces between; empty for all.")
                    .optional("optional")
                    .value(&sent.kinds),
            ),
        deliveries: delivery_table(staff, &deliveries).paging(paging),
    })
}

fn endpoint_table(staff: &Staff, endpoints: &[Endpoint]) -> Table {
    let empty = Empty::new("No endpoint yet", "Register one below.");
    let mut table = Table::new("Endpoints", &["Address", "Events", "State", ""], empty);
    for endpoint in endpoints {
        let state = match (endpoint.state, endpoint.failing_since) {
            (EndpointState::Disabled, _) => Badge::new(Tone::Bad, "disabled"),
            (EndpointState::Enabled, Some(_)) => Badge::new(Tone::Warning, "failing"),
            (EndpointState::Enabled, None) => Badge::new(Tone::Good, "enabled"),
        };
        let kinds = if endpoint.kinds.is_empty() {
            "all".to_owned()
        } else {
            endpoint.kinds.join(" ")
        };
        let delete = staff.path(format_args!("/webhooks/{}/delete", endpoint.id));
        table.push(vec![
            Cell::Two(endpoint.url.clone(), endpoint.id.to_string()),
            Cell::text(kinds),
            Cell::Badge(state),
            Cell::link(delete, "Delete…"),
        ]);
    }
    table
}

fn delivery_table(staff: &Staff, deliveries: &[DeliveryRow]) -> Table {
    let empty = Empty::new(
        "No delivery yet",
        "Each event that is sent out appears here.",
    );
    let columns = ["When", "Event", "To", "State", ">Attempts", ""];
    let mut table = Table::new("Deliveries", &columns, empty);
    for (index, row) in deliveries.iter().enumerate() {
        let state = match row.state {
            DeliveryState::Waiting => Badge::new(Tone::Info, "waiting"),
            DeliveryState::Delivered => Badge::new(Tone::Good, "delivered"),
            DeliveryState::Failed => Badge::new(Tone::Bad, "failed"),
        };
        let to = match (row.endpoint, row.plugin) {
            (Some(endpoint), _) => endpoint.to_string(),
            (None, Some(plugin)) => plugin.to_string(),
            (None, None) => "–".to_owned(),
        };
        let again = match row.state {
            DeliveryState::Waiting => Vec::new(),
            DeliveryState::Delivered | DeliveryState::Failed => {
                let action = staff.path(format_args!("/deliveries/{}/redeliver", row.id));
                let id = format!("redeliver-{index}");
                let form = Form::new(&id, action, staff.visit.csrf(), "Send again");
                vec![form.tone(Tone::Info).compact()]
            }
        };
        table.push(vec![
            Cell::When(When(row.created_at)),
            Cell::Two(row.kind.clone(), row.subject.clone()),
            Cell::code(to),
            Cell::Badge(state),
            Cell::Figure(Figure::count(i64::from(row.attempts))),
            Cell::Forms(again),
        ]);
    }
    table
}

/// `GET /console/{institution}/webhooks/{endpoint}/delete`: asks first.
pub(super) async fn ask_delete(
    State(app): State<App>,
    staff: Staff,
    Path((_, id)): Path<(String, String)>,
) -> Result<Response, Failed> {
    let id: EndpointId = id.parse().map_err(Failed::not_found)?;
    let endpoints = app.events.endpoints_of(&staff.permit).await?;
    let endpoint = endpoints.into_iter().find(|endpoint| endpoint.id == id);
    let endpoint =
        endpoint.ok_or_else(|| Failed::not_found(format_args!("there is no endpoint {id}")))?;
    let up = staff.path("/webhooks");
    let action = format!("{up}/{id}/delete");
    let title = "Delete the endpoint?";
    page(&Confirm {
        shell: staff
            .visit
            .console_page(title, Some(staff.institution), "/webhooks"),
        text: "Its secret and what waits for it are gone then. Other endpoints go on.".to_owned(),
        facts: Facts::new()
            .with("Address", Cell::text(endpoint.url))
            .with("Endpoint", Cell::code(endpoint.id)),
        form: Form::new("confirm", action, staff.visit.csrf(), "Delete")
            .tone(Tone::Bad)
            .cancel(up, "Cancel"),
    })
}

/// `POST /console/{institution}/webhooks/{endpoint}/delete`
pub(super) async fn delete(
    State(app): State<App>,
    staff: Staff,
    Path((_, id)): Path<(String, String)>,
    Sent(Nothing {}): Sent<Nothing>,
) -> Result<Response, Failed> {
    let id: EndpointId = id.parse().map_err(Failed::not_found)?;
    app.events.delete_endpoint(&staff.permit, id).await?;
    see(staff.path("/webhooks?note=endpoint-deleted"))
}

/// `POST /console/{institution}/deliveries/{delivery}/redeliver`
pub(super) async fn redeliver(
    State(app): State<App>,
    staff: Staff,
    Path((_, id)): Path<(String, String)>,
    Sent(Nothing {}): Sent<Nothing>,
) -> Result<Response, Failed> {
    let id: DeliveryId = id.parse().map_err(Failed::not_found)?;
    app.events.redeliver(&staff.permit, id).await?;
    see(staff.path("/webhooks?note=redelivered"))
}
