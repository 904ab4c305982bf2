use std::fmt;
use std::sync::Arc;
use std::time::SystemTime;

use jiff::Timestamp;
use jiff::civil::Date;
use jiff::tz::{Offset, TimeZone};

/// The bank keeps its days in Asia/Shanghai, which has kept UTC+8 since 1991.
const SHANGHAI: Offset = jiff::tz::offset(8);

/// Where the bank reads the time: milliseconds since the epoch.
#[derive(Clone)]
pub struct Clock(Arc<dyn Fn() -> i64 + Send + Sync>);

impl Clock {
    /// A clock that a test moves.
    pub fn new(now_ms: impl Fn() -> i64 + Send + Sync + 'static) -> Self {
        Self(Arc::new(now_ms))
    }

    pub(crate) fn now_ms(&self) -> i64 {
        (self.0)()
    }
}

impl Default for Clock {
    /// The machine's clock.
    #[expect(
        clippy::disallowed_methods,
        reason = "the bank is a process of its own with its own clock"
    )]
    fn default() -> Self {
        Self::new(|| {
            let since = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH);
            since.map_or(0, |since| {
                i64::try_from(since.as_millis()).unwrap_or(i64::MAX)
            })
        })
    }
}

impl fmt::Debug for Clock {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Clock")
    }
}

/// The bank's day of an instant.
pub(crate) fn day_of(at_ms: i64) -> Date {
    let instant = Timestamp::from_millisecond(at_ms).unwrap_or_default();
    instant.to_zoned(TimeZone::fixed(SHANGHAI)).date()
}
