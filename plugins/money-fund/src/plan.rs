//! What a person asked for: how much, how often. It travels in the reference of the
//! mandate and lies in storage under the mandate's id.

use std::fmt;

use qiao_sdk::{Date, Subject};

const REFERENCE: &str = "auto-invest/";

/// On which days it buys.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Every {
    /// Every day.
    Day,
    /// On a day of the week; 1 is Monday.
    Week(u8),
    /// On a day of the month that every month has.
    Month(u8),
}

impl Every {
    /// A day of the week, if there is one of that number.
    pub(crate) fn week(day: u8) -> Option<Self> {
        (1..=7).contains(&day).then_some(Self::Week(day))
    }

    /// A day of the month, if every month has it.
    pub(crate) fn month(day: u8) -> Option<Self> {
        (1..=28).contains(&day).then_some(Self::Month(day))
    }

    /// Whether it buys on that day.
    pub(crate) fn is_due(self, day: Date) -> bool {
        match self {
            Self::Day => true,
            Self::Week(weekday) => day.weekday() == weekday,
            Self::Month(of_month) => day.day == of_month,
        }
    }

    /// The first day after one on which it buys.
    pub(crate) fn next_after(self, day: Date) -> Option<Date> {
        let later = (1..=31).filter_map(|days| day.plus_days(days));
        let mut due = later.filter(|day| self.is_due(*day));
        due.next()
    }
}

impl fmt::Display for Every {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Day => f.write_str("day"),
            Self::Week(day) => write!(f, "week-{day}"),
            Self::Month(day) => write!(f, "month-{day}"),
        }
    }
}

/// How much, how often.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Plan {
    /// Fen of one purchase.
    pub(crate) minor: i64,
    /// When.
    pub(crate) every: Every,
}

impl Plan {
    /// The reference of its mandate.
    pub(crate) fn reference(&self) -> String {
        format!("{REFERENCE}{}/{}", self.minor, self.every)
    }

    /// The plan of a reference, if it is of this plugin's auto-invest.
    pub(crate) fn of_reference(reference: &str) -> Option<Self> {
        let (minor, every) = reference.strip_prefix(REFERENCE)?.split_once('/')?;
        let number = |text: &str| text.parse::<u8>().ok();
        let every = match every.split_once('-') {
            None if every == "day" => Every::Day,
            Some(("week", day)) => Every::week(number(day)?)?,
            Some(("month", day)) => Every::month(number(day)?)?,
            _ => return None,
        };
        let minor = minor.parse().ok().filter(|minor| *minor > 0)?;
        Some(Self { minor, every })
    }
}

/// A plan that a person's mandate pays for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Enrolled {
    /// Who gave the mandate.
    pub(crate) user: Subject,
    /// The day that they gave it on; it buys from the next day on.
    pub(crate) since: Date,
    /// What they asked for.
    pub(crate) plan: Plan,
}

impl Enrolled {
    /// As it is stored.
    pub(crate) fn to_text(&self) -> String {
        format!("{}\n{}\n{}", self.user, self.since, self.plan.reference())
    }

    /// As it was stored.
    pub(crate) fn of_text(text: &str) -> Option<Self> {
        let mut lines = text.lines();
        Some(Self {
            user: lines.next()?.to_owned(),
            since: Date::parse(lines.next()?).ok()?,
            plan: Plan::of_reference(lines.next()?)?,
        })
    }

    /// Whether it buys on that day.
    pub(crate) fn is_due(&self, day: Date) -> bool {
        day > self.since && self.plan.every.is_due(day)
    }
}
