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
    Ok(ready(batchers.iter().map(|batcher| batcher.panics).sum()))
}

/// Ready, and whether an invariant broke since the start: the batch was undone and
/// the log has its words.
fn ready(panics: u64) -> String {
    match panics {
        0 => "ready\n".to_owned(),
        panics => format!("ready; batches that broke an invariant and were undone: {panics}\n"),
    }
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
    let text = app.metrics.render(&app.runtime.stats(), &bank_transfers);
    ([(header::CONTENT_TYPE, text_format)], text)
}

#[cfg(test)]
mod tests {
    use super::ready;

    #[test]
    fn readiness_tells_of_batches_that_broke_an_invariant() {
        assert_eq!(ready(0), "ready\n");
        assert!(ready(2).ends_with("undone: 2\n"));
    }
}
