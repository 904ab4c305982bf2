use axum::extract::{Query, State};
use axum::response::Response;
use qiao_auth::{AUDIT_PAGE_ROWS, AuditRow, Outcome};
use serde::Deserialize;

use crate::App;
use crate::pages::failed::{Failed, page};
use crate::pages::view::staff::List;
use crate::pages::view::{Badge, Cell, Empty, Link, Paging, Table, Tone, When};
use crate::pages::visit::Operator;

#[derive(Default, Deserialize)]
pub(super) struct AuditQuery {
    before: Option<String>,
}

/// `GET /operator/audit`
pub(super) async fn list(
    State(app): State<App>,
    operator: Operator,
    Query(query): Query<AuditQuery>,
) -> Result<Response, Failed> {
    let rows = app
        .auth
        .audit_page(&operator.permit, query.before.as_deref())
        .await?;
    let is_full = i64::try_from(rows.len()).is_ok_and(|count| count >= AUDIT_PAGE_ROWS);
    let last = rows.last().filter(|_| is_full);
    let table = table(&rows).paging(Paging {
        newest: query
            .before
            .as_ref()
            .map(|_| Link::new("/operator/audit", "Newest")),
        older: last.map(|last| Link::new(format!("/operator/audit?before={}", last.id), "Older")),
    });
    let shell = operator.visit.operator_page(&app, "Audit", "/audit");
    page(&List::new(
        shell,
        "Who did what, and who was refused it. Rows are never changed.",
        table,
    ))
}

fn table(rows: &[AuditRow]) -> Table {
    let empty = Empty::new(
        "Nothing yet",
        "Every decision and every refusal appears here.",
    );
    let columns = ["When", "Who", "What", "To what", "Outcome", "Detail"];
    let mut table = Table::new("Audit", &columns, empty);
    for row in rows {
        let outcome = match row.outcome {
            Outcome::Allowed => Badge::new(Tone::Good, "allowed"),
            Outcome::Refused => Badge::new(Tone::Bad, "refused"),
        };
        table.push(vec![
            Cell::When(When(row.at)),
            Cell::code(&row.actor),
            Cell::code(&row.action),
            Cell::code(&row.subject),
            Cell::Badge(outcome),
            Cell::text(&row.detail),
        ]);
    }
    table
}
