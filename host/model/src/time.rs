use std::fmt;
use std::str::FromStr;

use jiff::civil::{Date, Weekday};
use jiff::tz::{Offset, TimeZone};

/// Milliseconds since 1970-01-01T00:00:00Z.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Timestamp(i64);

/// Asia/Shanghai has kept UTC+8 without daylight saving since 1991.
const SHANGHAI: Offset = jiff::tz::offset(8);

impl Timestamp {
    /// So many milliseconds since the epoch.
    #[must_use]
    pub const fn from_millis(millis: i64) -> Self {
        Self(millis)
    }

    /// Milliseconds since the epoch.
    #[must_use]
    pub const fn as_millis(self) -> i64 {
        self.0
    }

    /// Whole seconds since the epoch.
    #[must_use]
    pub const fn as_secs(self) -> i64 {
        self.0.div_euclid(1000)
    }

    /// This much later; the end of time at the latest.
    #[must_use]
    pub const fn plus_millis(self, millis: i64) -> Self {
        Self(self.0.saturating_add(millis))
    }

    /// This much later; the end of time at the latest.
    #[must_use]
    pub const fn plus_secs(self, secs: i64) -> Self {
        self.plus_millis(secs.saturating_mul(1000))
    }

    /// The calendar day in Asia/Shanghai.
    #[must_use]
    pub fn day(self) -> Day {
        Day(self.zoned().date())
    }

    /// `2026-11-22 16:00:05` in Asia/Shanghai.
    #[must_use]
    pub fn local(self) -> String {
        self.zoned().strftime("%Y-%m-%d %H:%M:%S").to_string()
    }

    /// RFC 3339 in UTC: `2026-11-22T08:00:05.000Z`.
    #[must_use]
    pub fn rfc3339(self) -> String {
        let instant = jiff::Timestamp::from_millisecond(self.0).unwrap_or_default();
        format!("{instant:.3}")
    }

    /// Minutes since midnight in Asia/Shanghai.
    #[must_use]
    pub fn minute_of_day(self) -> u16 {
        let time = self.zoned().time();
        u16::try_from(time.hour())
            .unwrap_or(0)
            .saturating_mul(60)
            .saturating_add(u16::try_from(time.minute()).unwrap_or(0))
    }

    fn zoned(self) -> jiff::Zoned {
        let instant = jiff::Timestamp::from_millisecond(self.0).unwrap_or_default();
        instant.to_zoned(TimeZone::fixed(SHANGHAI))
    }
}

/// A calendar day in Asia/Shanghai, written `2026-11-22`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Day(Date);

impl Day {
    /// The day with these numbers, if the calendar has it.
    #[must_use]
    pub fn new(year: i16, month: i8, day: i8) -> Option<Self> {
        Date::new(year, month, day).ok().map(Self)
    }

    /// Year, month, day.
    #[must_use]
    pub fn parts(self) -> (i16, i8, i8) {
        (self.0.year(), self.0.month(), self.0.day())
    }

    /// Whether it is a Saturday or a Sunday.
    #[must_use]
    pub fn is_weekend(self) -> bool {
        matches!(self.0.weekday(), Weekday::Saturday | Weekday::Sunday)
    }

    /// So many days later, or earlier when negative.
    #[must_use]
    pub fn plus_days(self, days: i64) -> Self {
        let span = jiff::Span::new().try_days(days).unwrap_or_default();
        Self(self.0.saturating_add(span))
    }

    /// Days from `earlier` to this one, negative when it comes later.
    #[must_use]
    pub fn days_since(self, earlier: Self) -> i64 {
        self.0.duration_since(earlier.0).as_hours() / 24
    }

    /// Midnight in Asia/Shanghai at the day's beginning.
    #[must_use]
    pub fn start(self) -> Timestamp {
        let zoned = TimeZone::fixed(SHANGHAI).to_timestamp(self.0.at(0, 0, 0, 0));
        Timestamp(zoned.map_or(0, jiff::Timestamp::as_millisecond))
    }
}

impl fmt::Display for Day {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// The text is not a day of the calendar.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is not a day such as 2026-11-22")]
pub struct ParseDayError(String);

impl FromStr for Day {
    type Err = ParseDayError;

    fn from_str(text: &str) -> Result<Self, ParseDayError> {
        let refuse = || ParseDayError(text.chars().take(40).collect());
        Date::strptime("%Y-%m-%d", text)
            .map(Self)
            .map_err(|_| refuse())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_day_begins_at_midnight_in_shanghai() {
        let day: Day = "2026-11-22".parse().unwrap();
        assert_eq!(day.start().rfc3339(), "2026-11-21T16:00:00.000Z");
        assert_eq!(day.start().day(), day);
        assert_eq!(day.start().plus_millis(-1).day(), day.plus_days(-1));
        assert_eq!(day.start().plus_secs(16 * 3600).minute_of_day(), 960);
        assert!("2026-02-30".parse::<Day>().is_err());
        assert_eq!(day.to_string(), "2026-11-22");
    }

    #[test]
    fn days_between_two_days_are_counted_over_a_leap_day() {
        let day = |text: &str| text.parse::<Day>().unwrap();
        let (earlier, later) = (day("2028-02-28"), day("2028-03-01"));
        assert_eq!(later.days_since(earlier), 2);
        assert_eq!(earlier.days_since(later), -2);
        assert_eq!(later.days_since(later), 0);
    }
}
