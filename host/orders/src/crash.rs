use std::str::FromStr;

/// A point of the saga where a test can make the host stop.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CrashPoint {
    /// The order is stored and its money held; the plugin was not called.
    AfterHold,
    /// The money is captured; the plugin was not called.
    AfterCapture,
    /// The plugin answered; nothing of its answer is stored.
    AfterFulfil,
    /// The outcome is stored; the user has no answer.
    AfterSettle,
    /// The order is voided or refunded; the plugin's `cancel` was not called.
    BeforeCancel,
    /// The plugin's `cancel` answered; that is not stored.
    AfterCancel,
    /// A batch of an income day is credited; the next is not.
    AfterIncomeBatch,
    /// The accrued fees of a day are paid; those of the next are not.
    AfterAccruedDay,
}

impl CrashPoint {
    /// Every point.
    pub const ALL: [Self; 8] = [
        Self::AfterHold,
        Self::AfterCapture,
        Self::AfterFulfil,
        Self::AfterSettle,
        Self::BeforeCancel,
        Self::AfterCancel,
        Self::AfterIncomeBatch,
        Self::AfterAccruedDay,
    ];

    /// Its name, as [`CRASH_VARIABLE`] gives it.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::AfterHold => "after-hold",
            Self::AfterCapture => "after-capture",
            Self::AfterFulfil => "after-fulfil",
            Self::AfterSettle => "after-settle",
            Self::BeforeCancel => "before-cancel",
            Self::AfterCancel => "after-cancel",
            Self::AfterIncomeBatch => "after-income-batch",
            Self::AfterAccruedDay => "after-accrued-day",
        }
    }
}

/// The environment variable that the binary reads to kill itself at a point.
pub const CRASH_VARIABLE: &str = "QIAO_CRASH_AT";

/// The text names no point.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "`{0}` is no crash point; one of after-hold, after-capture, after-fulfil, after-settle, before-cancel, after-cancel, after-income-batch, after-accrued-day"
)]
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
    /// What [`CRASH_VARIABLE`] asks for.
    ///
    /// # Errors
    /// It names no point.
    pub fn from_variable(value: Option<&str>) -> Result<Self, ParseCrashPointError> {
        value.map_or(Ok(Self::Never), |v| v.parse().map(Self::Abort))
    }

    /// Passes the point, or does not.
    pub(crate) fn at(self, here: CrashPoint) -> Result<(), crate::Error> {
        match self {
            Self::Abort(point) if point == here => std::process::abort(),
            Self::Drop(point) if point == here => Err(crate::Error::Crashed(here)),
            Self::Never | Self::Abort(_) | Self::Drop(_) => Ok(()),
        }
    }
}
