use std::fmt;
use std::path::Path;

use anyhow::Context;
use hdrhistogram::Histogram;
use serde::Serialize;

/// One figure.
#[derive(Clone, Debug, Default, Serialize)]
pub(crate) struct Row {
    /// Which bench.
    pub(crate) bench: &'static str,
    /// Which case of it.
    pub(crate) case: String,
    /// What `value` and `baseline` count.
    pub(crate) unit: &'static str,
    /// What Qiao did.
    pub(crate) value: f64,
    /// What the baseline did in the same run.
    pub(crate) baseline: Option<f64>,
    /// `value / baseline`.
    pub(crate) ratio: Option<f64>,
    /// Half of the calls took at most this long.
    pub(crate) p50_us: Option<f64>,
    /// 99 of 100 calls took at most this long.
    pub(crate) p99_us: Option<f64>,
    /// The most memory that the measured process had.
    pub(crate) peak_rss_mib: Option<f64>,
}

impl Row {
    /// A figure without a baseline.
    pub(crate) fn new(
        bench: &'static str,
        case: impl Into<String>,
        unit: &'static str,
        value: f64,
    ) -> Self {
        Self {
            bench,
            case: case.into(),
            unit,
            value,
            ..Self::default()
        }
    }

    /// The figure beside its baseline.
    pub(crate) fn against(mut self, baseline: f64) -> Self {
        self.baseline = Some(baseline);
        self.ratio = (baseline > 0.0).then(|| self.value / baseline);
        self
    }

    /// The figure with its times.
    pub(crate) fn timed(mut self, nanos: &Histogram<u64>) -> Self {
        self.p50_us = Some(micros(nanos.value_at_quantile(0.5)));
        self.p99_us = Some(micros(nanos.value_at_quantile(0.99)));
        self
    }

    /// The figure with the memory that it took.
    pub(crate) fn within(mut self, peak_rss_mib: Option<f64>) -> Self {
        self.peak_rss_mib = peak_rss_mib;
        self
    }
}

/// Nanoseconds as microseconds.
#[expect(clippy::cast_precision_loss, reason = "a figure for people")]
pub(crate) fn micros(nanos: u64) -> f64 {
    nanos as f64 / 1_000.0
}

/// All figures of a run.
#[derive(Debug, Default)]
pub(crate) struct Report {
    rows: Vec<Row>,
}

impl Report {
    /// Adds a figure and shows it at once.
    pub(crate) fn add(&mut self, row: Row) {
        let one = Self { rows: vec![row] };
        print!("{one}");
        self.rows.extend(one.rows);
    }

    /// Writes the figures as a JSON array.
    pub(crate) fn write(&self, file: &Path) -> anyhow::Result<()> {
        if let Some(folder) = file.parent() {
            std::fs::create_dir_all(folder)
                .with_context(|| format!("making {}", folder.display()))?;
        }
        let text = serde_json::to_string_pretty(&self.rows)?;
        std::fs::write(file, text).with_context(|| format!("writing {}", file.display()))
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let shown = |figure: Option<f64>, digits: usize| {
            figure.map_or_else(|| "-".to_owned(), |figure| format!("{figure:.digits$}"))
        };
        if self.rows.len() > 1 {
            writeln!(
                f,
                "{:<10} {:<34} {:>12} {:>12} {:>7} {:>10} {:>10} {:>9}  unit",
                "bench", "case", "value", "baseline", "ratio", "p50 us", "p99 us", "rss MiB"
            )?;
        }
        for row in &self.rows {
            writeln!(
                f,
                "{:<10} {:<34} {:>12.1} {:>12} {:>7} {:>10} {:>10} {:>9}  {}",
                row.bench,
                row.case,
                row.value,
                shown(row.baseline, 1),
                shown(row.ratio, 2),
                shown(row.p50_us, 1),
                shown(row.p99_us, 1),
                shown(row.peak_rss_mib, 0),
                row.unit
            )?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_ratio_is_value_over_baseline() {
        let row = Row::new("x", "y", "1/s", 30.0).against(10.0);
        assert_eq!(row.ratio, Some(3.0));
        assert_eq!(Row::new("x", "y", "1/s", 30.0).against(0.0).ratio, None);
        let json = serde_json::to_value(Row::new("x", "y", "1/s", 1.0)).unwrap();
        let keys: Vec<_> = json.as_object().unwrap().keys().cloned().collect();
        let expected = [
            "bench",
            "case",
            "unit",
            "value",
            "baseline",
            "ratio",
            "p50_us",
            "p99_us",
            "peak_rss_mib",
        ];
        assert_eq!(keys.len(), expected.len());
        assert!(expected.iter().all(|key| keys.iter().any(|k| k == key)));
        assert!(json["ratio"].is_null());
    }
}
