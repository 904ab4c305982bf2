//! Points where a test can make a host stop.

use std::str::FromStr;

/// The points of a room. Tests name them; a host that nobody tests passes them all.
pub trait CrashPoint: Copy + PartialEq + 'static {
    /// Every point.
    const POINTS: &'static [Self];

    /// Its name, as the environment variable of the binary gives it.
    fn name(self) -> &'static str;
}

/// The text names no point of a room.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{named}` is no crash point here; one of {known}")]
pub struct ParseCrashPointError {
    named: String,
    known: String,
}

/// Where this host stops on purpose: never, but in tests.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Crash<P> {
    /// It does not.
    #[default]
    Never,
    /// The process aborts there, as `kill -9` would end it.
    Abort(P),
    /// The call ends there with [`Crashed`], leaving everything as it is.
    Drop(P),
}

/// The call ended at this point, since a test said so.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Crashed<P>(pub P);

impl<P: CrashPoint> Crash<P> {
    /// Passes the point, or does not.
    ///
    /// # Errors
    /// A test ends the call here.
    pub fn at(self, here: P) -> Result<(), Crashed<P>> {
        match self {
            Self::Abort(point) if point == here => std::process::abort(),
            Self::Drop(point) if point == here => Err(Crashed(here)),
            Self::Never | Self::Abort(_) | Self::Drop(_) => Ok(()),
        }
    }
}

/// A process that aborts at the point of that name.
impl<P: CrashPoint> FromStr for Crash<P> {
    type Err = ParseCrashPointError;

    fn from_str(text: &str) -> Result<Self, ParseCrashPointError> {
        let named = P::POINTS.iter().find(|point| point.name() == text);
        named.copied().map(Self::Abort).ok_or_else(|| {
            let known: Vec<&str> = P::POINTS.iter().map(|point| point.name()).collect();
            ParseCrashPointError {
                named: text.chars().take(40).collect(),
                known: known.join(", "),
            }
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Clone, Copy, Debug, PartialEq, Eq)]
    enum Point {
        Before,
        After,
    }

    impl CrashPoint for Point {
        const POINTS: &'static [Self] = &[Self::Before, Self::After];

        fn name(self) -> &'static str {
            match self {
                Self::Before => "before",
                Self::After => "after",
            }
        }
    }

    #[test]
    fn a_host_stops_at_its_point_alone() {
        assert_eq!(Crash::Never.at(Point::Before), Ok(()));
        let crash = Crash::Drop(Point::After);
        assert_eq!(crash.at(Point::Before), Ok(()));
        assert_eq!(crash.at(Point::After), Err(Crashed(Point::After)));
    }

    #[test]
    fn a_point_is_named_and_another_name_is_refused_with_those_that_there_are() {
        assert_eq!("after".parse(), Ok(Crash::Abort(Point::After)));
        let refused = "lunch".parse::<Crash<Point>>().unwrap_err();
        assert_eq!(
            refused.to_string(),
            "`lunch` is no crash point here; one of before, after"
        );
    }
}
