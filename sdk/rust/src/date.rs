use std::cmp::Ordering;
use std::fmt;

use crate::Date;

/// Days from 0000-03-01 to 1970-01-01 in the proleptic Gregorian calendar.
const DAYS_TO_EPOCH: i64 = 719_468;
/// Days in 400 years, after which the calendar repeats.
const DAYS_PER_ERA: i64 = 146_097;

/// Why there is no such day.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct DateError;

impl fmt::Display for DateError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a day is written 2026-11-05")
    }
}

impl std::error::Error for DateError {}

impl Date {
    /// Days since 1970-01-01 (days_from_civil of Howard Hinnant's date algorithms).
    #[must_use]
    pub fn days_since_epoch(self) -> i64 {
        let month_from_march = (i64::from(self.month) + 9) % 12;
        let year = i64::from(self.year) - i64::from(self.month <= 2);
        let era = year.div_euclid(400);
        let year_of_era = year.rem_euclid(400);
        let day_of_year = (153 * month_from_march + 2) / 5 + i64::from(self.day) - 1;
        let day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
        era * DAYS_PER_ERA + day_of_era - DAYS_TO_EPOCH
    }

    /// The day that many days after 1970-01-01, or `None` outside the years 1970 to 9999.
    #[must_use]
    pub fn from_days_since_epoch(days: i64) -> Option<Self> {
        let days = days.checked_add(DAYS_TO_EPOCH)?;
        let era = days.div_euclid(DAYS_PER_ERA);
        let day_of_era = days.rem_euclid(DAYS_PER_ERA);
        let year_of_era = (day_of_era - day_of_era / 1_460 + day_of_era / 36_524
            - day_of_era / (DAYS_PER_ERA - 1))
            / 365;
        let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
        let month_from_march = (5 * day_of_year + 2) / 153;
        let day = day_of_year - (153 * month_from_march + 2) / 5 + 1;
        let month = (month_from_march + 2) % 12 + 1;
        let year = year_of_era + era * 400 + i64::from(month <= 2);
        if !(1970..=9999).contains(&year) {
            return None;
        }
        Some(Self {
            year: u16::try_from(year).ok()?,
            month: u8::try_from(month).ok()?,
            day: u8::try_from(day).ok()?,
        })
    }

    /// The day `days` later, or earlier when negative; `None` outside 1970 to 9999.
    #[must_use]
    pub fn plus_days(self, days: i64) -> Option<Self> {
        Self::from_days_since_epoch(self.days_since_epoch().checked_add(days)?)
    }

    /// The day of the week by ISO 8601: 1 is Monday, 7 is Sunday.
    #[must_use]
    pub fn weekday(self) -> u8 {
        // 1970-01-01 was a Thursday.
        let from_monday = (self.days_since_epoch() + 3).rem_euclid(7);
        u8::try_from(from_monday + 1).unwrap_or(1)
    }

    /// Reads `2026-11-05`.
    ///
    /// # Errors
    /// When it is not of that form, or there is no such day.
    pub fn parse(text: &str) -> Result<Self, DateError> {
        let mut parts = text.split('-');
        let date = Self {
            year: number(parts.next(), 4)?,
            month: number(parts.next(), 2)?,
            day: number(parts.next(), 2)?,
        };
        let round_trip = Self::from_days_since_epoch(date.days_since_epoch());
        if parts.next().is_some() || date.month == 0 || round_trip != Some(date) {
            return Err(DateError);
        }
        Ok(date)
    }
}

fn number<T: std::str::FromStr>(part: Option<&str>, digits: usize) -> Result<T, DateError> {
    let part = part.ok_or(DateError)?;
    if part.len() != digits || !part.bytes().all(|byte| byte.is_ascii_digit()) {
        return Err(DateError);
    }
    part.parse().map_err(|_| DateError)
}

impl fmt::Display for Date {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:04}-{:02}-{:02}", self.year, self.month, self.day)
    }
}

impl PartialOrd for Date {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Date {
    fn cmp(&self, other: &Self) -> Ordering {
        (self.year, self.month, self.day).cmp(&(other.year, other.month, other.day))
    }
}

#[cfg(test)]
mod tests {
    use crate::{Date, DateError};

    #[test]
    fn the_week_begins_on_monday() {
        let monday = Date::parse("2026-11-02").unwrap();
        let week = (0..8).map(|days| monday.plus_days(days).unwrap().weekday());
        assert_eq!(week.collect::<Vec<_>>(), [1, 2, 3, 4, 5, 6, 7, 1]);
        assert_eq!(Date::parse("1970-01-01").unwrap().weekday(), 4);
    }

    #[test]
    fn days_are_counted_across_leap_years() {
        assert_eq!(Date::parse("1970-01-01").unwrap().days_since_epoch(), 0);
        assert_eq!(
            Date::parse("2000-03-01").unwrap().days_since_epoch(),
            11_017
        );
        assert_eq!(
            Date::parse("2028-02-28").unwrap().plus_days(1),
            Date::parse("2028-02-29").ok()
        );
        assert_eq!(
            Date::parse("2027-01-01").unwrap().plus_days(-1),
            Date::parse("2026-12-31").ok()
        );
    }

    #[test]
    fn every_day_of_four_centuries_is_read_back() {
        for days in 0..150_000 {
            let date = Date::from_days_since_epoch(days).unwrap();
            assert_eq!(date.days_since_epoch(), days);
            assert_eq!(Date::parse(&date.to_string()), Ok(date));
        }
    }

    #[test]
    fn days_that_do_not_exist_are_refused() {
        for text in [
            "2026-02-29",
            "2026-13-01",
            "2026-00-10",
            "2026-01-00",
            "26-01-01",
            "2026-1-1",
            "2026-01-01-01",
            "2026-01",
            "1969-12-31",
            "",
            "２０２６-01-01",
        ] {
            assert_eq!(Date::parse(text), Err(DateError), "{text}");
        }
        assert_eq!(Date::parse("9999-12-31").unwrap().plus_days(1), None);
    }
}
