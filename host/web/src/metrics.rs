//! Prometheus metrics of the doors.

use std::fmt;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use axum::http::{Method, StatusCode};
use metrics_exporter_prometheus::{Matcher, PrometheusBuilder, PrometheusHandle};
use qiao_runtime::Stats;

const REQUESTS: &str = "http_requests_total";
const DURATION: &str = "http_request_duration_seconds";
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
}

impl Metrics {
    /// Makes the process record, or finds that it does.
    #[must_use]
    pub fn start() -> Self {
        static RECORDER: OnceLock<Recorder> = OnceLock::new();
        Self(RECORDER.get_or_init(record))
    }

    /// The text format of Prometheus.
    #[must_use]
    pub fn render(&self, plugins: &Stats) -> String {
        let calls = |outcome, count| {
            metrics::counter!(PLUGIN_CALLS, "outcome" => outcome).absolute(count);
        };
        calls("answered", plugins.answered);
        calls("refused", plugins.refused);
        calls("faulted", plugins.faulted);
        metrics::counter!(PLUGIN_QUOTES).absolute(plugins.quotes);
        metrics::counter!(PLUGIN_COMPILATIONS).absolute(plugins.compiled);
        metrics::counter!(PLUGIN_RECORDS_DROPPED).absolute(plugins.records_dropped);
        self.0.handle.render()
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
        let labels = [
            ("method", method.as_str().to_owned()),
            ("route", route.to_owned()),
            ("status", status.as_str().to_owned()),
        ];
        metrics::counter!(REQUESTS, &labels).increment(1);
        metrics::histogram!(DURATION, &labels[..2]).record(took.as_secs_f64());
        let requests = self.0.requests.fetch_add(1, Ordering::Relaxed);
        if requests % FOLD_EVERY_REQUESTS == FOLD_EVERY_REQUESTS - 1 {
            self.0.handle.run_upkeep();
        }
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
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn answered_requests_show_by_route() {
        let metrics = Metrics::start();
        metrics.answered(
            &Method::GET,
            "/v1/orders/{id}",
            StatusCode::OK,
            Duration::from_millis(3),
        );
        let stats = Stats {
            answered: 7,
            refused: 1,
            faulted: 2,
            quotes: 5,
            quotes_run_again: 0,
            compiled: 1,
            records_dropped: 0,
        };
        let text = metrics.render(&stats);
        assert!(text.contains(
            r#"http_requests_total{method="GET",route="/v1/orders/{id}",status="200"} 1"#
        ));
        assert!(text.contains("http_request_duration_seconds_bucket"));
        assert!(text.contains(r#"plugin_calls_total{outcome="faulted"} 2"#));
    }
}
