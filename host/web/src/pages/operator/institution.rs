use axum::extract::{Path, State};
use axum::response::Response;
use qiao_model::InstitutionId;
use qiao_registry::{Error, Institution, InstitutionState};
use serde::Deserialize;

use crate::App;
use crate::pages::failed::{Failed, page, refused, see};
use crate::pages::sent::Sent;
use crate::pages::text::Text;
use crate::pages::user::Nothing;
use crate::pages::view::staff::List;
use crate::pages::view::{
    Cell, Confirm, Empty, Facts, Field, Form, Kind, Link, Locale, Table, Tone, When,
};
use crate::pages::visit::Operator;
use crate::pages::wording;

/// `GET /operator/institutions`
pub(super) async fn list(State(app): State<App>, operator: Operator) -> Result<Response, Failed> {
    let institutions = app.registry.institutions(&operator.permit).await?;
    let table = table(&app, &institutions).await?;
    let shell = operator
        .visit
        .operator_page(&app, "Institutions", "/institutions");
    let mut list = List::new(
        shell,
        "Nothing of an institution serves people before you approve it.",
        table,
    );
    list.actions = vec![Link::new(
        "/operator/clients",
        "Scopes that clients ask for",
    )];
    page(&list)
}

/// The institutions that wait for an operator.
pub(super) async fn waiting(app: &App, institutions: &[Institution]) -> Result<Table, Failed> {
    table(app, institutions).await
}

async fn table(app: &App, institutions: &[Institution]) -> Result<Table, Failed> {
    let empty = Empty::new("Nobody waits", "Institutions appear here as they register.");
    let columns = ["Name", "Kind", "Public account", "Registered", "State", ""];
    let mut table = Table::new("Institutions", &columns, empty);
    for institution in institutions {
        let account = app.registry.account_of(institution.id).await?;
        let account = account.map_or_else(
            || Cell::text("–"),
            |account| Cell::code(format_args!("@{}", account.handle)),
        );
        let here = format!("/operator/institutions/{}", institution.id);
        let action = match institution.state {
            InstitutionState::Pending => Link::new(format!("{here}/approve"), "Approve…"),
            InstitutionState::Active => Link::new(format!("{here}/suspend"), "Suspend…"),
            InstitutionState::Suspended => Link::new(format!("{here}/approve"), "Resume…"),
        };
        table.push(vec![
            Cell::Two(institution.name.clone(), institution.id.to_string()),
            Cell::text(wording::institution_kind(
                institution.kind,
                Text::of(Locale::En),
            )),
            account,
            Cell::When(When(institution.created_at)),
            Cell::Badge(wording::institution_state(institution.state)),
            Cell::Link(action),
        ]);
    }
    Ok(table)
}

async fn find(app: &App, id: &str) -> Result<Institution, Failed> {
    let id: InstitutionId = id.parse().map_err(Failed::not_found)?;
    let found = app.registry.institution(id).await?;
    found.ok_or_else(|| Failed::not_found(format_args!("there is no institution {id}")))
}

async fn facts(app: &App, institution: &Institution) -> Result<Facts, Failed> {
    let account = app.registry.account_of(institution.id).await?;
    let keys = app.auth.institution_keys(institution.id).await?;
    let facts = Facts::new()
        .with("Institution", Cell::code(institution.id))
        .with(
            "Kind",
            Cell::text(wording::institution_kind(
                institution.kind,
                Text::of(Locale::En),
            )),
        )
        .with("Registered", Cell::When(When(institution.created_at)))
        .with_some(
            "Handle",
            account
                .as_ref()
                .map(|a| Cell::code(format_args!("@{}", a.handle))),
        )
        .with_some("About", account.map(|account| Cell::text(account.summary)));
    Ok(keys.iter().fold(facts, |facts, key| {
        facts.with(&format!("{} key", key.kind().name()), Cell::code(key.kid()))
    }))
}

/// `GET /operator/institutions/{institution}/approve`: asks first.
pub(super) async fn ask_approve(
    State(app): State<App>,
    operator: Operator,
    Path(id): Path<String>,
) -> Result<Response, Failed> {
    let institution = find(&app, &id).await?;
    let action = format!("/operator/institutions/{}/approve", institution.id);
    let title = format!("Approve {}?", institution.name);
    page(&Confirm {
        shell: operator.visit.operator_page(&app, title, "/institutions"),
        text: "Its public account opens to people, and its releases can be reviewed and activated."
            .to_owned(),
        facts: facts(&app, &institution).await?,
        form: Form::new("confirm", action, operator.visit.csrf(), "Approve")
            .cancel("/operator/institutions", "Cancel"),
    })
}

/// `POST /operator/institutions/{institution}/approve`
pub(super) async fn approve(
    State(app): State<App>,
    operator: Operator,
    Path(id): Path<String>,
    Sent(Nothing {}): Sent<Nothing>,
) -> Result<Response, Failed> {
    let institution = find(&app, &id).await?;
    app.registry
        .approve_institution(&operator.permit, institution.id)
        .await?;
    see("/operator/institutions?note=institution-approved")
}

#[derive(Default, Deserialize)]
pub(super) struct Reason {
    #[serde(default)]
    pub(super) reason: String,
}

/// `GET /operator/institutions/{institution}/suspend`: asks first.
pub(super) async fn ask_suspend(
    State(app): State<App>,
    operator: Operator,
    Path(id): Path<String>,
) -> Result<Response, Failed> {
    let institution = find(&app, &id).await?;
    page(&suspension(&app, &operator, &institution, "", None).await?)
}

async fn suspension(
    app: &App,
    operator: &Operator,
    institution: &Institution,
    reason: &str,
    wrong: Option<String>,
) -> Result<Confirm, Failed> {
    let action = format!("/operator/institutions/{}/suspend", institution.id);
    let title = format!("Suspend {}?", institution.name);
    let form = Form::new("confirm", action, operator.visit.csrf(), "Suspend");
    Ok(Confirm {
        shell: operator.visit.operator_page(app, title, "/institutions"),
        text: "From the next call on, its staff, its servers and its plugins are refused. What people hold stays in the books.".to_owned(),
        facts: facts(app, institution).await?,
        form: form
            .tone(Tone::Bad)
            .field(Field::new("reason", "Reason", Kind::Lines).value(reason).error(wrong))
            .cancel("/operator/institutions", "Cancel"),
    })
}

/// `POST /operator/institutions/{institution}/suspend`
pub(super) async fn suspend(
    State(app): State<App>,
    operator: Operator,
    Path(id): Path<String>,
    Sent(Reason { reason }): Sent<Reason>,
) -> Result<Response, Failed> {
    let institution = find(&app, &id).await?;
    match app
        .registry
        .suspend_institution(&operator.permit, institution.id, &reason)
        .await
    {
        Ok(()) => see("/operator/institutions?note=institution-suspended"),
        Err(Error::InvalidReason) => {
            let wrong = Some("Say why, in at most 500 characters.".to_owned());
            refused(&suspension(&app, &operator, &institution, &reason, wrong).await?)
        }
        Err(error) => Err(error.into()),
    }
}
