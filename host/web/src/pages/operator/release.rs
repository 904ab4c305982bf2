use axum::extract::{Path, State};
use axum::response::Response;
use qiao_model::ReleaseId;
use qiao_registry::{Error, Release, ReleaseState};

use super::institution::Reason;
use crate::App;
use crate::pages::console::release::{decision, report, title};
use crate::pages::failed::{Failed, page, refused, see};
use crate::pages::sent::Sent;
use crate::pages::user::Nothing;
use crate::pages::view::operator::Release as ReleaseView;
use crate::pages::view::staff::List;
use crate::pages::view::{Cell, Confirm, Empty, Facts, Field, Form, Kind, Table, Tone, When};
use crate::pages::visit::Operator;
use crate::pages::wording;

/// `GET /operator/releases`
pub(super) async fn list(State(app): State<App>, operator: Operator) -> Result<Response, Failed> {
    let in_review = app.registry.in_review(&operator.permit).await?;
    let table = table(&app, &in_review).await?;
    let shell = operator
        .visit
        .operator_page(&app, "Releases in review", "/releases");
    page(&List::new(
        shell,
        "The oldest first. Read the report, then decide.",
        table,
    ))
}

/// The releases that wait for an operator.
pub(super) async fn table(app: &App, releases: &[Release]) -> Result<Table, Failed> {
    let empty = Empty::new(
        "Nothing to review",
        "Releases appear here as they are uploaded.",
    );
    let columns = ["Release", "Institution", "Scopes", "Addresses", "Uploaded"];
    let mut table = Table::new("Releases in review", &columns, empty);
    for release in releases {
        let report = &release.report;
        let scopes: Vec<&str> = report
            .scopes
            .iter()
            .map(|scope| scope.scope.as_str())
            .collect();
        table.push(vec![
            Cell::link(format!("/operator/releases/{}", release.id), title(release)),
            Cell::text(institution_name(app, release).await?),
            Cell::code(scopes.join(" ")),
            Cell::text(report.egress.len().to_string()),
            Cell::When(When(release.uploaded_at)),
        ]);
    }
    Ok(table)
}

async fn institution_name(app: &App, release: &Release) -> Result<String, Failed> {
    let institution = app.registry.institution(release.institution).await?;
    Ok(institution.map_or_else(|| release.institution.to_string(), |found| found.name))
}

async fn find(app: &App, id: &str) -> Result<Release, Failed> {
    let id: ReleaseId = id.parse().map_err(Failed::not_found)?;
    let found = app.registry.release(id).await?;
    found.ok_or_else(|| Failed::not_found(format_args!("there is no release {id}")))
}

/// `GET /operator/releases/{release}`: the review.
pub(super) async fn show(
    State(app): State<App>,
    operator: Operator,
    Path(id): Path<String>,
) -> Result<Response, Failed> {
    let release = find(&app, &id).await?;
    page(&review(&app, &operator, &release, "", None).await?)
}

async fn review(
    app: &App,
    operator: &Operator,
    release: &Release,
    reason: &str,
    wrong: Option<String>,
) -> Result<ReleaseView, Failed> {
    let here = format!("/operator/releases/{}", release.id);
    let shell = operator
        .visit
        .operator_page(app, title(release), "/releases");
    let waits = release.state == ReleaseState::InReview;
    let csrf = operator.visit.csrf();
    let reject = Form::new("reject", format!("{here}/reject"), csrf, "Reject").tone(Tone::Bad);
    let reason = Field::new("reason", "Reason", Kind::Lines)
        .value(reason)
        .error(wrong);
    Ok(ReleaseView {
        shell: shell.back("/operator/releases", "Releases"),
        state: wording::release_state(&release.state),
        institution: institution_name(app, release).await?,
        decided: if waits { None } else { decision(release) },
        report: report(release),
        approve: waits
            .then(|| crate::pages::view::Link::new(format!("{here}/approve"), "Approve…")),
        reject: waits.then(|| reject.field(reason)),
    })
}

/// `GET /operator/releases/{release}/approve`: asks first.
pub(super) async fn ask_approve(
    State(app): State<App>,
    operator: Operator,
    Path(id): Path<String>,
) -> Result<Response, Failed> {
    let release = find(&app, &id).await?;
    let here = format!("/operator/releases/{}", release.id);
    let heading = format!("Approve {}?", title(&release));
    let scopes: Vec<&str> = release
        .report
        .scopes
        .iter()
        .map(|s| s.scope.as_str())
        .collect();
    let form = Form::new(
        "confirm",
        format!("{here}/approve"),
        operator.visit.csrf(),
        "Approve",
    );
    page(&Confirm {
        shell: operator.visit.operator_page(&app, heading, "/releases"),
        text: "Its institution can activate it then, with exactly these scopes and addresses."
            .to_owned(),
        facts: Facts::new()
            .with(
                "Institution",
                Cell::text(institution_name(&app, &release).await?),
            )
            .with("SHA-256", Cell::code(&release.digest))
            .with("Scopes", Cell::code(scopes.join(" "))),
        form: form.cancel(here, "Cancel"),
    })
}

/// `POST /operator/releases/{release}/approve`
pub(super) async fn approve(
    State(app): State<App>,
    operator: Operator,
    Path(id): Path<String>,
    Sent(Nothing {}): Sent<Nothing>,
) -> Result<Response, Failed> {
    let release = find(&app, &id).await?;
    app.registry.approve(&operator.permit, release.id).await?;
    see(format!(
        "/operator/releases/{}?note=release-approved",
        release.id
    ))
}

/// `POST /operator/releases/{release}/reject`
pub(super) async fn reject(
    State(app): State<App>,
    operator: Operator,
    Path(id): Path<String>,
    Sent(Reason { reason }): Sent<Reason>,
) -> Result<Response, Failed> {
    let release = find(&app, &id).await?;
    match app
        .registry
        .reject(&operator.permit, release.id, &reason)
        .await
    {
        Ok(()) => see(format!(
            "/operator/releases/{}?note=release-rejected",
            release.id
        )),
        Err(Error::InvalidReason) => {
            let wrong =
                Some("Say why, in at most 500 characters; the institution reads it.".to_owned());
            refused(&review(&app, &operator, &release, &reason, wrong).await?)
        }
        Err(error) => Err(error.into()),
    }
}
