//! Prometheus metrics of the doors.

use std::collections::HashMap;
use std::fmt;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use axum::http::{Method, StatusCode};
use metrics::{Counter, Histogram};
use metrics_exporter_prometheus::{Matcher, PrometheusBuilder, PrometheusHandle};
use parking_lot::RwLock;
use qiao_banks::TransferState;
use qiao_ledger::Head;
use qiao_runtime::Stats;

const REQUESTS: &str = "http_requests_total";
const DURATION: &str = "http_request_duration_seconds";
const BANK_TRANSFERS: &str = "bank_transfers";
const JOURNAL_ENTRIES: &str = "journal_entries";
const PLUGIN_CALLS: &str = "plugin_calls_total";
const PLUGIN_QUOTES: &str = "plugin_quotes_total";
const PLUGIN_COMPILATIONS: &str = "plugin_compilations_total";
const PLUGIN_RECORDS_DROPPED: &str = "plugin_records_dropped_total";

/// Upper bounds of the latency histogram, in seconds.
const BUCKETS: [f64; 14] = [
    0.000_1, 0.000_25, 0.000_5, 0.001, 0.002_5, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 1.0, 5.0, 30.0,
];

/// After so many requests the samples are folded into their buckets, so that memory
/// stays bounded when nobody scrapes.
const FOLD_EVERY_REQUESTS: u64 = 4096;

/// The recorder of this process. There is one however often it is started, since the
/// `metrics` macros of all rooms write to the one that is global.
#[derive(Clone)]
pub struct Metrics(&'static Recorder);

struct Recorder {
    handle: PrometheusHandle,
    requests: AtomicU64,
    /// The series of each route: to name one by its labels costs more than to count.
    series: RwLock<HashMap<String, Vec<Series>>>,
}

/// Answers of one route, method and status.
struct Series {
    method: Method,
    status: StatusCode,
    requests: Counter,
    duration: Histogram,
}

impl Series {
    fn of(route: &str, method: &Method, status: StatusCode) -> Self {
        let labels = [
            ("method", method_label(method).to_owned()),
            ("route", route.to_owned()),
            ("status", status.as_str().to_owned()),
        ];
        Self {
            method: method.clone(),
            status,
            requests: metrics::counter!(REQUESTS, &labels),
            duration: metrics::histogram!(DURATION, &labels[..2]),
        }
    }

    fn count(&self, took: Duration) {
        self.requests.increment(1);
        self.duration.record(took.as_secs_f64());
    }
}

/// A caller may make methods up; they are one label.
fn method_label(method: &Method) -> &str {
    const USUAL: [Method; 7] = [
        Method::GET,
        Method::POST,
        Method::PUT,
        Method::DELETE,
        Method::HEAD,
        Method::OPTIONS,
        Method::PATCH,
    ];
    if USUAL.contains(method) {
        method.as_str()
    } else {
        "other"
    }
}

impl Metrics {
    /// Makes the process record, or finds that it does.
    #[must_use]
    pub fn start() -> Self {
        static RECORDER: OnceLock<Recorder> = OnceLock::new();
        Self(RECORDER.get_or_init(record))
    }

    /// The text format of Prometheus. The heads of the journal come as comments,
    /// for whoever notes them elsewhere: a series for each hash would be one for
    /// each batch.
    #[must_use]
    pub fn render(
        &self,
        plugins: &Stats,
        bank_transfers: &[(TransferState, i64)],
        heads: &[Head],
    ) -> String {
        for head in heads {
            let entries = u32::try_from(head.seq).unwrap_or(u32::MAX);
            let chain = head.chain.to_string();
            metrics::gauge!(JOURNAL_ENTRIES, "chain" => chain).set(f64::from(entries));
        }
        for (state, count) in bank_transfers {
            // A gauge is a float; counts of this size are exact in one.
            let count = u32::try_from(*count).unwrap_or(u32::MAX);
            metrics::gauge!(BANK_TRANSFERS, "state" => state.name()).set(f64::from(count));
        }
        let calls = |outcome, count| {
            metrics::counter!(PLUGIN_CALLS, "outcome" => outcome).absolute(count);
        };
        calls("answered", plugins.answered);
        calls("refused", plugins.refused);
        calls("faulted", plugins.faulted);
        metrics::counter!(PLUGIN_QUOTES).absolute(plugins.quotes);
        metrics::counter!(PLUGIN_COMPILATIONS).absolute(plugins.compiled);
        metrics::counter!(PLUGIN_RECORDS_DROPPED).absolute(plugins.records_dropped);
        let mut text = self.0.handle.render();
        for head in heads {
            text.push_str(&format!("# journal head {head}\n"));
        }
        text
    }

    /// One answered request; `route` is the pattern, never the path, so that the
    /// number of series stays small.
    pub(crate) fn answered(
        &self,
        method: &Method,
        route: &str,
        status: StatusCode,
        took: Duration,
    ) {
        if !self.count_known(method, route, status, took) {
            let series = Series::of(route, method, status);
            series.count(took);
            if method_label(method) == method.as_str() {
                let mut routes = self.0.series.write();
                routes.entry(route.to_owned()).or_default().push(series);
            }
        }
        let requests = self.0.requests.fetch_add(1, Ordering::Relaxed);
        if requests % FOLD_EVERY_REQUESTS == FOLD_EVERY_REQUESTS - 1 {
            self.0.handle.run_upkeep();
        }
    }
}

impl Metrics {
    /// Counts in the series that an answer before has made, if one has.
    fn count_known(
        &self,
        method: &Method,
        route: &str,
        status: StatusCode,
        took: Duration,
    ) -> bool {
        let routes = self.0.series.read();
        let series = routes.get(route).and_then(|series| {
            let mut series = series.iter();
            series.find(|series| series.status == status && series.method == *method)
        });
        if let Some(series) = series {
            series.count(took);
        }
        series.is_some()
    }
}

impl fmt::Debug for Metrics {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Metrics")
    }
}

fn record() -> Recorder {
    let matcher = Matcher::Full(DURATION.to_owned());
    let recorder = PrometheusBuilder::new()
        .set_buckets_for_metric(matcher, &BUCKETS)
        .expect("the list of buckets is not empty")
        .build_recorder();
    let handle = recorder.handle();
    if metrics::set_global_recorder(recorder).is_err() {
        tracing::warn!("another metrics recorder is installed; /metrics stays empty");
    }
    metrics::describe_counter!(REQUESTS, "Requests by route pattern and status");
    metrics::describe_histogram!(
        DURATION,
        metrics::Unit::Seconds,
        "Time from the request's head to the answer's head"
    );
    metrics::describe_gauge!(
        BANK_TRANSFERS,
        "Bank transfers that have not ended, by state"
    );
    metrics::describe_gauge!(
        JOURNAL_ENTRIES,
        "Entries of the journal by chain; they never become fewer"
    );
    metrics::describe_counter!(PLUGIN_CALLS, "Calls of plugins by how they ended");
    metrics::describe_counter!(PLUGIN_QUOTES, "Quotes among the calls of plugins");
    metrics::describe_counter!(
        PLUGIN_COMPILATIONS,
        "Components compiled, not found in the cache"
    );
    metrics::describe_counter!(
        PLUGIN_RECORDS_DROPPED,
        "Records of invocations that found no room"
    );
    Recorder {
        handle,
        requests: AtomicU64::new(0),
        series: RwLock::default(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn answered_requests_show_by_route() {
        let metrics = Metrics::start();
        let answered = |method: &Method| {
            let took = Duration::from_millis(3);
            metrics.answered(method, "/v1/orders/{id}", StatusCode::OK, took);
        };
        answered(&Method::GET);
        answered(&Method::GET);
        for made_up in ["BREW", "WHEN"] {
            answered(&made_up.parse().unwrap());
        }
        let stats = Stats {
            answered: 7,
            refused: 1,
            faulted: 2,
            quotes: 5,
            quotes_run_again: 0,
            compiled: 1,
            records_dropped: 0,
        };
        let head: Head = format!("1:42:{}", "ab".repeat(32)).parse().unwrap();
        let text = metrics.render(&stats, &[(TransferState::Unknown, 2)], &[head]);
        assert!(text.contains(r#"journal_entries{chain="1"} 42"#));
        assert!(text.ends_with(&format!("# journal head {head}\n")));
        assert!(text.contains(r#"bank_transfers{state="unknown"} 2"#));
        assert!(text.contains(
            r#"http_requests_total{method="GET",route="/v1/orders/{id}",status="200"} 2"#
        ));
        assert!(text.contains(
            r#"http_requests_total{method="other",route="/v1/orders/{id}",status="200"} 2"#
        ));
        assert!(text.contains("http_request_duration_seconds_bucket"));
        assert!(text.contains(r#"plugin_calls_total{outcome="faulted"} 2"#));
    }
}
