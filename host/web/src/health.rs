//! Is it alive, is it ready, how is it doing.

use axum::extract::State;
use axum::http::header;
use axum::response::IntoResponse;
use qiao_model::LedgerAccountId;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::App;
use crate::problem::{Problem, ProblemBody};

pub(crate) fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(get_health))
        .routes(routes!(get_readiness))
        .routes(routes!(get_metrics))
}

/// Is the process alive
#[utoipa::path(
    get,
    path = "/healthz",
    tag = "host",
    responses((status = 200, description = "It is", content_type = "text/plain", body = String))
)]
async fn get_health() -> &'static str {
    "ok\n"
}

/// Can the host serve: its database answers, and money can move
#[utoipa::path(
    get,
    path = "/readyz",
    tag = "host",
    responses(
        (status = 200, description = "It can", content_type = "text/plain", body = String),
        (status = 503, description = "Not now", content_type = "application/problem+json", body = ProblemBody)
    )
)]
async fn get_readiness(State(app): State<App>) -> Result<String, Problem> {
    // A read of one row that need not exist.
    app.ledger.balance(LedgerAccountId::from_u128(0)).await?;
    let batchers = [
        app.payments.health(),
        app.orders.health(),
        app.banks.health(),
    ];
    if batchers.iter().any(|batcher| !batcher.is_running) {
        return Err(qiao_db::Error::Stopped.into());
    }
    let panics = batchers.iter().map(|batcher| batcher.panics).sum();
    let calendar = app.settlement.calendar();
    Ok(ready(panics, calendar.missing_year(app.env.today())))
}

/// Ready, with what somebody should look at: an invariant that broke since the start
/// (the batch was undone and the log has its words), holidays that nobody configured.
fn ready(panics: u64, missing_year: Option<i16>) -> String {
    let panics = (panics > 0)
        .then(|| format!("; batches that broke an invariant and were undone: {panics}"));
    let calendar = missing_year
        .map(|year| format!("; no holiday of {year} is configured, see [calendar] holidays"));
    let warnings: String = [panics, calendar].into_iter().flatten().collect();
    format!("ready{warnings}\n")
}

/// Metrics in the text format of Prometheus
#[utoipa::path(
    get,
    path = "/metrics",
    tag = "host",
    responses((status = 200, description = "The metrics", content_type = "text/plain", body = String))
)]
async fn get_metrics(State(app): State<App>) -> impl IntoResponse {
    let text_format = "text/plain; version=0.0.4; charset=utf-8";
    // Without the database the other metrics are wanted all the more.
    let bank_transfers = app.banks.open_counts().await.unwrap_or_default();
    let heads = app.ledger.heads().await.unwrap_or_default();
    let stats = app.runtime.stats();
    let text = app.metrics.render(&stats, &bank_transfers, &heads);
    ([(header::CONTENT_TYPE, text_format)], text)
}

#[cfg(test)]
mod tests {
    use super::ready;

    #[test]
    fn readiness_tells_what_somebody_should_look_at() {
        assert_eq!(ready(0, None), "ready\n");
        assert!(ready(2, None).ends_with("undone: 2\n"));
        let holidays = "ready; no holiday of 2027 is configured, see [calendar] holidays\n";
        assert_eq!(ready(0, Some(2027)), holidays);
    }
}
