use std::str::FromStr;

/// A point of a transfer where a test can make the host stop.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CrashPoint {
    /// The transfer is stored; the bank was not asked.
    BeforeSend,
    /// The bank answered; nothing of its answer is stored.
    AfterSend,
    /// The answer is stored with its money; the caller has none.
    AfterStore,
}

impl CrashPoint {
    /// Every point.
    pub const ALL: [Self; 3] = [Self::BeforeSend, Self::AfterSend, Self::AfterStore];

    /// Its name, as the environment variable of the binary gives it.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::BeforeSend => "before-bank-send",
            Self::AfterSend => "after-bank-send",
            Self::AfterStore => "after-bank-store",
        }
    }
}

/// The text names no point.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is no crash point of the banks")]
pub struct ParseCrashPointError(String);

impl FromStr for CrashPoint {
    type Err = ParseCrashPointError;

    fn from_str(text: &str) -> Result<Self, ParseCrashPointError> {
        let named = Self::ALL.into_iter().find(|point| point.name() == text);
        named.ok_or_else(|| ParseCrashPointError(text.chars().take(40).collect()))
    }
}

/// Where this host stops on purpose: never, but in tests.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Crash {
    /// It does not.
    #[default]
    Never,
    /// The process aborts there, as `kill -9` would end it.
    Abort(CrashPoint),
    /// The call ends there with [`crate::Error::Crashed`], leaving everything as it is.
    Drop(CrashPoint),
}

impl Crash {
    /// Passes the point, or does not.
    pub(crate) fn at(self, here: CrashPoint) -> Result<(), crate::Error> {
        match self {
            Self::Abort(point) if point == here => std::process::abort(),
            Self::Drop(point) if point == here => Err(crate::Error::Crashed(here)),
            Self::Never | Self::Abort(_) | Self::Drop(_) => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_point_survives_its_name() {
        for point in CrashPoint::ALL {
            assert_eq!(point.name().parse(), Ok(point));
        }
        assert!("after-lunch".parse::<CrashPoint>().is_err());
    }
}
