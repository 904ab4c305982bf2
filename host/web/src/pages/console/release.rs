use axum::extract::{Path, State};
use axum::response::Response;
use qiao_model::ReleaseId;
use qiao_registry::{Error, InstitutionState, Release, ReleaseState, UploadError};

use crate::App;
use crate::pages::failed::{Failed, page, refused, see, sentence_of};
use crate::pages::sent::{Sent, SentFile};
use crate::pages::user::Nothing;
use crate::pages::view::console::Release as ReleaseView;
use crate::pages::view::staff::{FormPage, Report};
use crate::pages::view::{
    Cell, Confirm, Empty, Facts, Field, Figure, Form, Kind, Link, Notice, Table, Tone, When,
};
use crate::pages::visit::Staff;
use crate::pages::wording;

/// What the checks of an upload found, for its author and its reviewer.
pub(in crate::pages) fn report(release: &Release) -> Report {
    let report = &release.report;
    let added = |is_added: bool| {
        if is_added {
            " (new in this release)"
        } else {
            ""
        }
    };
    let empty = Empty::new("No address", "It can call nothing outside the host.");
    let columns = ["Rule", "Address", "Methods", "Why"];
    let mut egress = Table::new("Egress rules", &columns, empty);
    for rule in &report.egress {
        egress.push(vec![
            Cell::code(&rule.name),
            Cell::code(&rule.url),
            Cell::code(rule.methods.join(" ")),
            Cell::text(format!("{}{}", rule.reason, added(rule.added))),
        ]);
    }
    let scopes = report.scopes.iter().map(|scope| {
        let unused = if scope.used {
            ""
        } else {
            " (no import uses it)"
        };
        let reason = format!("{}{}{unused}", scope.reason, added(scope.added));
        (scope.scope.clone(), reason)
    });
    let imports = report.imports.iter();
    let check = &report.check;
    let bytes = |bytes: u64| {
        Cell::Figure(Figure::count(i64::try_from(bytes).unwrap_or(i64::MAX)).counting("bytes"))
    };
    let measures = Facts::new()
        .with("Upload", bytes(report.upload_bytes))
        .with("Machine code", bytes(check.compiled_bytes))
        .with("Memory", bytes(check.memory_bytes));
    let measures = check.fuel.iter().fold(measures, |facts, sample| {
        let fuel = Figure::count(i64::try_from(sample.fuel).unwrap_or(i64::MAX));
        let text = format!("{} fuel, {}", fuel.text(), sample.outcome);
        facts.with(&sample.case, Cell::text(text))
    });
    Report {
        facts: Facts::new()
            .with("Plugin", Cell::text(&release.manifest.name))
            .with("Title", Cell::text(&release.manifest.title.text))
            .with("Version", Cell::text(&release.version))
            .with("WIT", Cell::code(&report.wit))
            .with_some(
                "Compared with",
                report.compared_with.as_ref().map(Cell::text),
            )
            .with("SHA-256", Cell::code(&release.digest))
            .with("Signed by key", Cell::code(&release.signed_by))
            .with("Uploaded by", Cell::text(&release.uploaded_by))
            .with("Uploaded", Cell::When(When(release.uploaded_at))),
        scopes: scopes.collect(),
        imports: imports
            .map(|i| format!("{}.{}", i.interface, i.function))
            .collect(),
        measures,
        egress,
        services: Facts::new()
            .with("Services", Cell::text(or_none(&report.services)))
            .with("Jobs", Cell::text(or_none(&report.jobs))),
    }
}

fn or_none(names: &[String]) -> String {
    if names.is_empty() {
        "none".to_owned()
    } else {
        names.join(", ")
    }
}

/// What a reviewer decided, and why.
pub(in crate::pages) fn decision(release: &Release) -> Option<Notice> {
    match &release.state {
        ReleaseState::Rejected { reason } => {
            Some(Notice::new(Tone::Bad, reason).titled("Rejected by the operator"))
        }
        ReleaseState::InReview => Some(Notice::new(
            Tone::Info,
            "An operator reads this report before it can serve.",
        )),
        ReleaseState::Approved | ReleaseState::Active | ReleaseState::Superseded => None,
    }
}

/// Its name and version.
pub(in crate::pages) fn title(release: &Release) -> String {
    format!("{} {}", release.manifest.name, release.version)
}

async fn find(app: &App, staff: &Staff, id: &str) -> Result<Release, Failed> {
    let id: ReleaseId = id.parse().map_err(Failed::not_found)?;
    match app.registry.release(id).await? {
        Some(release) if release.institution == staff.institution => Ok(release),
        Some(_) | None => Err(Failed::not_found(format_args!("there is no release {id}"))),
    }
}

/// `GET /console/{institution}/releases/{release}`
pub(super) async fn show(
    State(app): State<App>,
    staff: Staff,
    Path((_, id)): Path<(String, String)>,
) -> Result<Response, Failed> {
    let release = find(&app, &staff, &id).await?;
    let shell = staff
        .visit
        .console_page(title(&release), Some(staff.institution), "/plugins");
    let up = staff.path(format_args!("/plugins/{}", release.plugin));
    let action = verb(&release).map(|verb| {
        Link::new(
            staff.path(format_args!("/releases/{}/activate", release.id)),
            verb,
        )
    });
    page(&ReleaseView {
        shell: shell.back(up, &release.manifest.name),
        state: wording::release_state(&release.state),
        decision: decision(&release),
        report: report(&release),
        action,
    })
}

/// What making it serve is called, when it may.
fn verb(release: &Release) -> Option<&'static str> {
    match release.state {
        ReleaseState::Approved => Some("Activate"),
        ReleaseState::Superseded => Some("Roll back to this release"),
        ReleaseState::InReview | ReleaseState::Rejected { .. } | ReleaseState::Active => None,
    }
}

/// `GET /console/{institution}/releases/{release}/activate`: asks first.
pub(super) async fn ask_activate(
    State(app): State<App>,
    staff: Staff,
    Path((_, id)): Path<(String, String)>,
) -> Result<Response, Failed> {
    let release = find(&app, &staff, &id).await?;
    let Some(verb) = verb(&release) else {
        return see(staff.path(format_args!("/releases/{}", release.id)));
    };
    page(&question(&app, &staff, &release, verb, None).await?)
}

async fn question(
    app: &App,
    staff: &Staff,
    release: &Release,
    verb: &str,
    problem: Option<String>,
) -> Result<Confirm, Failed> {
    let active = app.registry.active_release(release.plugin).await?;
    let active = active.map_or_else(|| "none".to_owned(), |active| active.version.clone());
    let here = staff.path(format_args!("/releases/{}", release.id));
    let heading = format!("{verb}: {}?", title(release));
    let (text, tone) = match release.state {
        ReleaseState::Superseded => (
            "Every new visit is served by the earlier release from then on. Open orders keep the release that they were quoted on.",
            Tone::Bad,
        ),
        _ => (
            "Its `activate` runs first and registers products and fees; then every new visit is served by it. If `activate` fails, all stays as it is.",
            Tone::Plain,
        ),
    };
    let action = format!("{here}/activate");
    Ok(Confirm {
        shell: staff
            .visit
            .console_page(heading, Some(staff.institution), "/plugins"),
        text: text.to_owned(),
        facts: Facts::new()
            .with("Serves now", Cell::text(active))
            .with("Serves then", Cell::text(&release.version))
            .with("SHA-256", Cell::code(&release.digest)),
        form: Form::new("confirm", action, staff.visit.csrf(), verb)
            .tone(tone)
            .problem(problem)
            .cancel(here, "Cancel"),
    })
}

/// `POST /console/{institution}/releases/{release}/activate`
pub(super) async fn activate(
    State(app): State<App>,
    staff: Staff,
    Path((_, id)): Path<(String, String)>,
    Sent(Nothing {}): Sent<Nothing>,
) -> Result<Response, Failed> {
    let release = find(&app, &staff, &id).await?;
    let permit = &staff.permit;
    let here = staff.path(format_args!("/releases/{}", release.id));
    let done = match release.state {
        ReleaseState::Superseded => {
            app.registry
                .roll_back(permit, release.plugin, release.id, &*app.activator)
                .await
        }
        _ => {
            app.registry
                .activate(permit, release.id, &*app.activator)
                .await
        }
    };
    match done {
        Ok(()) => see(format!("{here}?note=activated")),
        Err(error @ Error::ActivationFailed { .. }) => {
            let problem = Some(sentence_of(&error.to_string()));
            let verb = verb(&release).unwrap_or("Activate");
            refused(&question(&app, &staff, &release, verb, problem).await?)
        }
        Err(error) => Err(error.into()),
    }
}

/// `GET /console/{institution}/releases/upload`
pub(super) async fn show_upload(staff: Staff) -> Result<Response, Failed> {
    page(&upload_page(&staff, None))
}

fn upload_page(staff: &Staff, error: Option<String>) -> FormPage {
    let action = staff.path("/releases/upload");
    let shell = staff
        .visit
        .console_page("Upload a release", Some(staff.institution), "/plugins");
    FormPage {
        shell: shell.back(staff.path("/plugins"), "Plugins"),
        lead: "One signed component: the command “qiao plugin publish” builds, signs and uploads it in one go. Here you can send a file that is signed already.".to_owned(),
        facts: Facts::new(),
        form: Form::new("upload", action, staff.visit.csrf(), "Upload").field(
            Field::new("component", "Component", Kind::File(".wasm"))
                .hint("At most 4 MiB, with its manifest and its signature inside.")
                .error(error),
        ),
    }
}

/// `POST /console/{institution}/releases/upload`
pub(super) async fn upload(
    State(app): State<App>,
    staff: Staff,
    SentFile(bytes): SentFile,
) -> Result<Response, Failed> {
    let check = &*app.component_check;
    match app.registry.upload(&staff.permit, &bytes, check).await {
        Ok(release) => see(staff.path(format_args!("/releases/{}?note=uploaded", release.id))),
        Err(error) if error.is_refusal() => refused(&upload_page(&staff, Some(refusal(&error)))),
        Err(error) => Err(error.into()),
    }
}

/// Why an upload was refused, to whoever sent it.
fn refusal(error: &UploadError) -> String {
    let UploadError::Registry(Error::InstitutionState { state, .. }) = error else {
        return sentence_of(&error.to_string());
    };
    let why = match state {
        InstitutionState::Pending => {
            "An operator has not approved your institution yet. Upload it once that is done."
        }
        InstitutionState::Suspended => {
            "Your institution is suspended: nothing is uploaded meanwhile."
        }
        InstitutionState::Active => "Your institution changed meanwhile. Send it again.",
    };
    why.to_owned()
}

#[cfg(test)]
mod tests {
    use qiao_model::InstitutionId;

    use super::*;

    #[test]
    fn an_upload_before_the_approval_is_told_what_it_waits_for() {
        let error = Error::InstitutionState {
            institution: InstitutionId::from_u128(1),
            state: InstitutionState::Pending,
        };
        let told = refusal(&error.into());
        assert!(told.contains("has not approved"), "{told}");
        assert!(!told.contains("ins_"), "{told}");
    }
}
