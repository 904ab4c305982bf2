use std::collections::BTreeSet;

use crate::time::Day;

/// Year, month and day.
type Parts = (i16, i8, i8);

/// Runs of holidays on the mainland: first and last day, as the State Council announced
/// them for 2026. Make-up Saturdays and Sundays are no business days: neither banks'
/// clearing nor funds work on them.
const MAINLAND: [(Parts, Parts); 7] = [
    ((2026, 1, 1), (2026, 1, 3)),
    ((2026, 2, 15), (2026, 2, 23)),
    ((2026, 4, 4), (2026, 4, 6)),
    ((2026, 5, 1), (2026, 5, 5)),
    ((2026, 6, 19), (2026, 6, 21)),
    ((2026, 9, 25), (2026, 9, 27)),
    ((2026, 10, 1), (2026, 10, 7)),
];

/// The longest chain of days without business that is looked through: a month. A calendar
/// with more holidays in a row is a mistake, and the day after the month counts.
const CLOSED_DAYS_MAX: u32 = 31;

/// So many days before a year begins its holidays should be known: what is due on its
/// first days is counted in the year before.
pub const CALENDAR_WARNING_DAYS: i64 = 30;

/// Which days are business days in Asia/Shanghai: Monday to Friday without the holidays
/// it was told. A year of which it was told no holiday has its weekends alone;
/// [`Calendar::knows`] says so, for whoever should be warned.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Calendar {
    holidays: BTreeSet<Day>,
}

impl Calendar {
    /// The public holidays of the mainland, as far as they are built in.
    #[must_use]
    pub fn mainland() -> Self {
        let mut holidays = BTreeSet::new();
        for (first, last) in MAINLAND {
            let day = |(year, month, day)| Day::new(year, month, day);
            let (Some(mut next), Some(last)) = (day(first), day(last)) else {
                continue;
            };
            while next <= last {
                holidays.insert(next);
                next = next.plus_days(1);
            }
        }
        Self { holidays }
    }

    /// The same calendar with more holidays.
    #[must_use]
    pub fn with_holidays(mut self, days: impl IntoIterator<Item = Day>) -> Self {
        self.holidays.extend(days);
        self
    }

    /// Whether any holiday of the year is known. One that is not has its weekends alone.
    #[must_use]
    pub fn knows(&self, year: i16) -> bool {
        let mut years = self.holidays.iter().map(|day| day.parts().0);
        years.any(|known| known == year)
    }

    /// The year that somebody should add the holidays of by now: today's, or the one
    /// that begins within [`CALENDAR_WARNING_DAYS`], when none of them is known.
    #[must_use]
    pub fn missing_year(&self, today: Day) -> Option<i16> {
        let soon = today.plus_days(CALENDAR_WARNING_DAYS);
        let years = [today, soon].map(|day| day.parts().0);
        years.into_iter().find(|year| !self.knows(*year))
    }

    /// Whether banks and funds work on the day.
    #[must_use]
    pub fn is_business_day(&self, day: Day) -> bool {
        !day.is_weekend() && !self.holidays.contains(&day)
    }

    /// The day itself when it is a business day, else the first one after it.
    #[must_use]
    pub fn business_day_from(&self, day: Day) -> Day {
        let mut next = day;
        for _ in 0..CLOSED_DAYS_MAX {
            if self.is_business_day(next) {
                return next;
            }
            next = next.plus_days(1);
        }
        next
    }

    /// The first business day after the day.
    #[must_use]
    pub fn next_business_day(&self, day: Day) -> Day {
        self.business_day_from(day.plus_days(1))
    }

    /// T+n, where T is the day itself or, when it is no business day, the first one after
    /// it: what comes in on a Saturday counts as Monday's, so its T+1 is Tuesday.
    #[must_use]
    pub fn plus_business_days(&self, day: Day, n: u32) -> Day {
        let mut due = self.business_day_from(day);
        for _ in 0..n {
            due = self.next_business_day(due);
        }
        due
    }

    /// The last business day before the day: the last whose cut is over.
    #[must_use]
    pub fn last_business_day_before(&self, day: Day) -> Day {
        let mut last = day.plus_days(-1);
        for _ in 0..CLOSED_DAYS_MAX {
            if self.is_business_day(last) {
                return last;
            }
            last = last.plus_days(-1);
        }
        last
    }
}

impl Default for Calendar {
    fn default() -> Self {
        Self::mainland()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn day(text: &str) -> Day {
        text.parse().unwrap()
    }

    fn check_plus(from: &str, n: u32, expected: &str) {
        let due = Calendar::mainland().plus_business_days(day(from), n);
        assert_eq!(due, day(expected), "{from} plus {n}");
    }

    #[test]
    fn an_ordinary_week_has_five_business_days() {
        let calendar = Calendar::mainland();
        let monday = day("2026-11-23");
        let open: Vec<bool> = (0..7)
            .map(|n| calendar.is_business_day(monday.plus_days(n)))
            .collect();
        assert_eq!(open, [true, true, true, true, true, false, false]);
    }

    #[test]
    fn t_plus_n_walks_over_weekends_and_holidays() {
        check_plus("2026-11-25", 0, "2026-11-25");
        check_plus("2026-11-25", 1, "2026-11-26");
        check_plus("2026-11-27", 1, "2026-11-30");
        check_plus("2026-09-30", 1, "2026-10-08");
        check_plus("2026-09-30", 3, "2026-10-12");
        check_plus("2026-02-13", 1, "2026-02-24");
        check_plus("2026-04-03", 1, "2026-04-07");
        check_plus("2026-04-30", 1, "2026-05-06");
        check_plus("2026-06-18", 1, "2026-06-22");
        check_plus("2026-09-24", 5, "2026-10-09");
    }

    #[test]
    fn what_comes_in_on_a_closed_day_counts_as_the_next_open_one() {
        check_plus("2026-11-28", 0, "2026-11-30");
        check_plus("2026-11-28", 1, "2026-12-01");
        check_plus("2026-10-01", 0, "2026-10-08");
        check_plus("2026-10-07", 1, "2026-10-09");
        let calendar = Calendar::mainland();
        assert_eq!(
            calendar.next_business_day(day("2026-11-28")),
            day("2026-11-30")
        );
        assert_eq!(
            calendar.next_business_day(day("2026-11-30")),
            day("2026-12-01")
        );
    }

    #[test]
    fn the_year_ends_on_a_business_day_unless_it_is_told_otherwise() {
        check_plus("2025-12-31", 1, "2026-01-05");
        check_plus("2026-12-31", 1, "2027-01-01");
        let told = Calendar::mainland().with_holidays([day("2027-01-01")]);
        assert_eq!(
            told.plus_business_days(day("2026-12-31"), 1),
            day("2027-01-04")
        );
        assert!(told.knows(2027) && !Calendar::mainland().knows(2027));
        assert!(Calendar::mainland().knows(2026));
        let warned = |today: &str| Calendar::mainland().missing_year(day(today));
        assert_eq!(warned("2026-12-01"), None);
        assert_eq!(warned("2026-12-02"), Some(2027));
        assert_eq!(warned("2027-05-01"), Some(2027));
        assert_eq!(told.missing_year(day("2026-12-31")), None);
    }

    #[test]
    fn make_up_weekends_are_no_business_days() {
        let calendar = Calendar::mainland();
        for worked in ["2026-01-04", "2026-02-14", "2026-02-28", "2026-10-10"] {
            assert!(!calendar.is_business_day(day(worked)), "{worked}");
        }
    }

    #[test]
    fn the_last_business_day_lies_before_the_holiday() {
        let calendar = Calendar::mainland();
        let before = |text| calendar.last_business_day_before(day(text));
        assert_eq!(before("2026-10-08"), day("2026-09-30"));
        assert_eq!(before("2026-11-30"), day("2026-11-27"));
        assert_eq!(before("2026-01-01"), day("2025-12-31"));
    }

    #[test]
    fn a_month_of_holidays_ends() {
        let first = day("2026-11-01");
        let closed = Calendar::mainland().with_holidays((0..400).map(|n| first.plus_days(n)));
        assert_eq!(closed.business_day_from(first), first.plus_days(31));
    }

    proptest! {
        #[test]
        fn a_later_t_is_never_due_earlier(offset in 0i64..800, gap in 0i64..10, n in 0u32..6) {
            let calendar = Calendar::mainland();
            let early = day("2025-11-01").plus_days(offset);
            let late = early.plus_days(gap);
            let due = calendar.plus_business_days(early, n);
            prop_assert!(due <= calendar.plus_business_days(late, n));
            prop_assert!(calendar.is_business_day(due));
            prop_assert!(due >= early.plus_days(i64::from(n)));
            prop_assert!(calendar.plus_business_days(early, n + 1) > due);
        }
    }
}
