//! The auditor's own calendar: days are counted from 1970-01-01 in Asia/Shanghai,
//! which has no summer time.

use qiao_model::Timestamp;

const DAY_MILLIS: i64 = 86_400_000;
const EAST_MILLIS: i64 = 8 * 3_600_000;

/// The number of the day.
pub(crate) const fn day_of(at: Timestamp) -> i64 {
    (at.as_millis() + EAST_MILLIS).div_euclid(DAY_MILLIS)
}

/// The minute of the day.
pub(crate) const fn minute_of(at: Timestamp) -> i64 {
    (at.as_millis() + EAST_MILLIS).rem_euclid(DAY_MILLIS) / 60_000
}

/// Year and month of a day.
pub(crate) fn month_of(day: i64) -> (i64, usize) {
    let (year, month, _) = date_of(day);
    (year, month)
}

/// A day as the tables write it.
pub(crate) fn text_of(day: i64) -> String {
    let (year, month, day) = date_of(day);
    format!("{year:04}-{:02}-{:02}", month + 1, day + 1)
}

/// Year, month and day of the month, the last two from zero: by walking there.
fn date_of(day: i64) -> (i64, usize, i64) {
    let is_leap = |year: i64| year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    let (mut year, mut left) = (1970, day);
    while left >= 365 + i64::from(is_leap(year)) {
        left -= 365 + i64::from(is_leap(year));
        year += 1;
    }
    let february = 28 + i64::from(is_leap(year));
    let months = [31, february, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31];
    let mut month = 0;
    while left >= months[month] {
        left -= months[month];
        month += 1;
    }
    (year, month, left)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_day_ends_at_midnight_in_shanghai() {
        let at = |secs: i64| text_of(day_of(Timestamp::from_millis(secs * 1000)));
        assert_eq!(at(0), "1970-01-01");
        assert_eq!(at(1_709_222_399), "2024-02-29");
        assert_eq!(at(1_709_222_400), "2024-03-01");
        assert_eq!(at(1_790_000_000), "2026-09-21");
    }
}
