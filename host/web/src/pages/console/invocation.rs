use axum::extract::{Query, State};
use axum::response::Response;
use qiao_model::InvocationId;
use qiao_runtime::{INVOCATIONS_PAGE, Invocation, Outcome};
use serde::Deserialize;

use super::plugin;
use crate::App;
use crate::pages::failed::{Failed, page};
use crate::pages::view::staff::List;
use crate::pages::view::{Badge, Cell, Empty, Figure, Link, Paging, Table, Tone, When};
use crate::pages::visit::Staff;

#[derive(Default, Deserialize)]
pub(super) struct InvocationsQuery {
    plugin: Option<String>,
    before: Option<String>,
}

/// `GET /console/{institution}/invocations`
pub(super) async fn list(
    State(app): State<App>,
    staff: Staff,
    Query(query): Query<InvocationsQuery>,
) -> Result<Response, Failed> {
    let here = staff.path("/invocations");
    let plugins = app.registry.plugins_of(staff.institution).await?;
    let chosen = match &query.plugin {
        Some(id) => Some(plugin::find(&app, &staff, id).await?),
        None => plugins.first().cloned(),
    };
    let before = query.before.as_deref().map(str::parse::<InvocationId>);
    let before = before.transpose().map_err(Failed::not_found)?;
    let mut table = table(&[]);
    let mut title = "Invocations".to_owned();
    if let Some(plugin) = &chosen {
        let found = app.invocations.of_plugin(plugin.id, before).await?;
        let at = format!("{here}?plugin={}", plugin.id);
        let last = found.last().filter(|_| found.len() == INVOCATIONS_PAGE);
        table = self::table(&found).paging(Paging {
            newest: before.map(|_| Link::new(&at, "Newest")),
            older: last.map(|last| Link::new(format!("{at}&before={}", last.id), "Older")),
        });
        title = format!("Invocations of {}", plugin.name);
    }
    let others = plugins
        .iter()
        .filter(|plugin| chosen.as_ref().is_none_or(|c| c.id != plugin.id));
    let actions =
        others.map(|plugin| Link::new(format!("{here}?plugin={}", plugin.id), &plugin.name));
    let lead =
        "Every call of the plugin but its quotes, which are counted alone. No user is named.";
    let shell = staff
        .visit
        .console_page(title, Some(staff.institution), "/invocations");
    page(&List {
        actions: actions.collect(),
        ..List::new(shell, lead, table)
    })
}

fn table(invocations: &[Invocation]) -> Table {
    let empty = Empty::new(
        "No invocation yet",
        "Each call of your plugins appears here.",
    );
    let columns = [
        "When", "Function", "Outcome", ">Fuel", ">Memory", ">Time", "Log",
    ];
    let mut table = Table::new("Invocations", &columns, empty);
    for call in invocations {
        let tone = match call.outcome {
            Outcome::Answered => Tone::Good,
            Outcome::Refused(_) => Tone::Warning,
            Outcome::Faulted(_) => Tone::Bad,
        };
        let mut lines: Vec<String> = Vec::new();
        if !call.outcome.message().is_empty() {
            lines.push(call.outcome.message().to_owned());
        }
        let log = call.log.iter();
        lines.extend(log.map(|line| format!("{:5} {}", line.level.name(), line.message)));
        let first = match lines.len() {
            0 => "none".to_owned(),
            1 => "1 line".to_owned(),
            many => format!("{many} lines"),
        };
        let count = |value: u64| Figure::count(i64::try_from(value).unwrap_or(i64::MAX));
        let micros = i64::try_from(call.duration_us).unwrap_or(i64::MAX);
        table.push(vec![
            Cell::When(When(call.at)),
            Cell::Two(call.function.name().to_owned(), host_calls(call.host_calls)),
            Cell::Badge(Badge::new(tone, call.outcome.name().replace('-', " "))),
            Cell::Figure(count(call.fuel)),
            Cell::Figure(count(call.memory_bytes / 1024).counting("KiB")),
            Cell::Figure(Figure::scaled(micros, 3, "ms")),
            Cell::Lines(first, lines),
        ]);
    }
    table
}

fn host_calls(count: u32) -> String {
    match count {
        0 => "no host call".to_owned(),
        1 => "1 host call".to_owned(),
        many => format!("{many} host calls"),
    }
}
