use axum::extract::{Path, State};
use axum::response::Response;
use qiao_model::PluginId;
use qiao_registry::{Plugin, Release, ReleaseState};

use crate::App;
use crate::pages::failed::{Failed, page};
use crate::pages::view::console::Plugin as PluginView;
use crate::pages::view::staff::List;
use crate::pages::view::{Badge, Cell, Empty, Facts, Link, Table, Tone, When};
use crate::pages::visit::Staff;
use crate::pages::wording;

const DIGEST_CHARS_SHOWN: usize = 12;

/// `GET /console/{institution}/plugins`
pub(super) async fn list(State(app): State<App>, staff: Staff) -> Result<Response, Failed> {
    let upload = staff.path("/releases/upload");
    let empty = Empty::new(
        "No plugin yet",
        "Build one with the command “qiao plugin new”, then upload its signed component or let “qiao plugin publish” do it.",
    );
    let columns = ["Plugin", "State", "Newest release", "Since"];
    let mut table = Table::new("Plugins", &columns, empty.link(&upload, "Upload a release"));
    for plugin in app.registry.plugins_of(staff.institution).await? {
        let releases = app.registry.releases_of(plugin.id).await?;
        let newest = releases
            .first()
            .map_or_else(String::new, |release| release.version.clone());
        table.push(vec![
            Cell::link(
                staff.path(format_args!("/plugins/{}", plugin.id)),
                &plugin.name,
            ),
            Cell::Badge(serving(&releases)),
            Cell::text(newest),
            Cell::When(When(plugin.created_at)),
        ]);
    }
    let shell = staff
        .visit
        .console_page("Plugins", Some(staff.institution), "/plugins");
    let lead = "A plugin is served by one release at a time.";
    page(&List {
        actions: vec![Link::new(upload, "Upload a release")],
        ..List::new(shell, lead, table)
    })
}

fn serving(releases: &[Release]) -> Badge {
    let active = releases
        .iter()
        .find(|release| release.state == ReleaseState::Active);
    active.map_or_else(
        || Badge::new(Tone::Plain, "serves nobody"),
        |release| Badge::new(Tone::Good, format!("serving {}", release.version)),
    )
}

/// A plugin of the institution.
pub(super) async fn find(app: &App, staff: &Staff, id: &str) -> Result<Plugin, Failed> {
    let id: PluginId = id.parse().map_err(Failed::not_found)?;
    match app.registry.plugin(id).await? {
        Some(plugin) if plugin.institution == staff.institution => Ok(plugin),
        Some(_) | None => Err(Failed::not_found(format_args!("there is no plugin {id}"))),
    }
}

/// `GET /console/{institution}/plugins/{plugin}`
pub(super) async fn show(
    State(app): State<App>,
    staff: Staff,
    Path((_, id)): Path<(String, String)>,
) -> Result<Response, Failed> {
    let plugin = find(&app, &staff, &id).await?;
    let releases = app.registry.releases_of(plugin.id).await?;
    let empty = Empty::new("No release", "Upload one.");
    let columns = ["Version", "State", "Uploaded", "Digest"];
    let mut table = Table::new("Releases", &columns, empty);
    for release in &releases {
        let digest: String = release.digest.chars().take(DIGEST_CHARS_SHOWN).collect();
        table.push(vec![
            Cell::link(
                staff.path(format_args!("/releases/{}", release.id)),
                &release.version,
            ),
            Cell::Badge(wording::release_state(&release.state)),
            Cell::When(When(release.uploaded_at)),
            Cell::code(digest),
        ]);
    }
    let shell = staff
        .visit
        .console_page(&plugin.name, Some(staff.institution), "/plugins");
    page(&PluginView {
        shell: shell.back(staff.path("/plugins"), "Plugins"),
        state: serving(&releases),
        facts: Facts::new()
            .with("Plugin", Cell::code(plugin.id))
            .with("Since", Cell::When(When(plugin.created_at))),
        releases: table,
        name: plugin.name,
    })
}
