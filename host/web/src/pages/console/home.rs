use axum::extract::State;
use axum::response::Response;
use qiao_registry::{Error, InstitutionKind, NewInstitution};
use serde::Deserialize;

use super::key::jwks_of_pasted;
use crate::App;
use crate::pages::failed::{Failed, page, refused, see, sentence_of};
use crate::pages::sent::Sent;
use crate::pages::text::Text;
use crate::pages::view::console::Home;
use crate::pages::view::staff::FormPage;
use crate::pages::view::{Cell, Empty, Facts, Field, Form, Kind, Locale, Table};
use crate::pages::visit::{Person, Visit};
use crate::pages::wording;

/// `GET /console`
pub(super) async fn show(State(app): State<App>, person: Person) -> Result<Response, Failed> {
    let empty = Empty::new(
        "No institution is open to you",
        "Register one; an operator approves it before it can serve people. One that is suspended is not shown until an operator lifts the suspension.",
    );
    let mut table = Table::new("Institutions", &["Name", "Kind", "State"], empty);
    let session = person.visit.session.as_ref();
    for id in session.map_or(&[][..], |session| session.institutions()) {
        let Some(institution) = app.registry.institution(*id).await? else {
            continue;
        };
        let kind = wording::institution_kind(institution.kind, Text::of(Locale::En));
        table.push(vec![
            Cell::link(format!("/console/{id}"), institution.name),
            Cell::text(kind),
            Cell::Badge(wording::institution_state(institution.state)),
        ]);
    }
    page(&Home {
        shell: person.visit.console_page("Your institutions", None, ""),
        institutions: table,
    })
}

#[derive(Default, Deserialize)]
pub(super) struct Registration {
    #[serde(default)]
    name: String,
    #[serde(default)]
    kind: String,
    #[serde(default)]
    handle: String,
    #[serde(default)]
    summary: String,
    #[serde(default)]
    key: String,
}

/// What is wrong, each in a sentence.
#[derive(Default)]
struct Wrong {
    name: Option<String>,
    kind: Option<String>,
    handle: Option<String>,
    key: Option<String>,
}

/// `GET /console/register`
pub(super) async fn show_register(person: Person) -> Result<Response, Failed> {
    page(&register_page(
        &person.visit,
        &Registration::default(),
        Wrong::default(),
    ))
}

fn register_page(visit: &Visit, sent: &Registration, wrong: Wrong) -> FormPage {
    let kinds = InstitutionKind::ALL.map(|kind| {
        let label = wording::institution_kind(kind, Text::of(Locale::En));
        (kind.name().to_owned(), label.to_owned())
    });
    let title = "Register an institution";
    FormPage {
        shell: visit.console_page(title, None, "").back("/console", "Your institutions"),
        lead: "An operator checks it before it can serve people. You become its first staff member."
            .to_owned(),
        facts: Facts::new(),
        form: Form::new("register", "/console/register", visit.csrf(), "Register")
            .field(Field::new("name", "Name", Kind::Text).value(&sent.name).error(wrong.name))
            .field(
                Field::new("kind", "Kind", Kind::Choice(kinds.to_vec()))
                    .value(&sent.kind)
                    .error(wrong.kind),
            )
            .field(
                Field::new("handle", "Handle of the public account", Kind::Code)
                    .hint("Lower-case letters, digits and hyphens; people find you at /a/handle.")
                    .value(&sent.handle)
                    .error(wrong.handle),
            )
            .field(
                Field::new("summary", "A sentence about it", Kind::Text)
                    .hint("People read it in the list of public accounts.")
                    .optional("optional")
                    .value(&sent.summary),
            )
            .field(
                Field::new("key", "Public key", Kind::Lines)
                    .hint("PEM, a JWK or a JWK set. It verifies your releases and signs in your servers; the private key stays with you.")
                    .value(&sent.key)
                    .error(wrong.key),
            ),
    }
}

/// `POST /console/register`
pub(super) async fn register(
    State(app): State<App>,
    person: Person,
    Sent(sent): Sent<Registration>,
) -> Result<Response, Failed> {
    let mut wrong = Wrong::default();
    let kind = InstitutionKind::from_name(&sent.kind);
    if kind.is_none() {
        wrong.kind = Some("Choose what it is.".to_owned());
    }
    let jwks_json = jwks_of_pasted(&sent.key);
    if let Err(sentence) = &jwks_json {
        wrong.key = Some(sentence.clone());
    }
    let (Some(kind), Ok(jwks_json)) = (kind, jwks_json) else {
        return refused(&register_page(&person.visit, &sent, wrong));
    };
    let new = NewInstitution {
        name: sent.name.clone(),
        kind,
        handle: sent.handle.trim().to_owned(),
        summary: sent.summary.clone(),
        jwks_json,
    };
    let told = |error: &dyn std::error::Error| Some(sentence_of(&error.to_string()));
    match app.registry.register_institution(&person.permit, new).await {
        Ok(founded) => {
            let id = founded.institution.id;
            return see(format!("/console/{id}?note=registered"));
        }
        Err(error @ Error::InvalidName) => wrong.name = told(&error),
        Err(error @ (Error::InvalidHandle(_) | Error::HandleTaken(_))) => {
            wrong.handle = told(&error);
        }
        Err(Error::Auth(qiao_auth::Error::Keys(keys))) => wrong.key = told(&keys),
        Err(error) => return Err(error.into()),
    }
    refused(&register_page(&person.visit, &sent, wrong))
}
