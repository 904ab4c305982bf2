use qiao_db::Crashed;

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
}

impl qiao_db::CrashPoint for CrashPoint {
    const POINTS: &'static [Self] = &Self::ALL;

    fn name(self) -> &'static str {
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

/// Where this host stops on purpose: never, but in tests.
pub type Crash = qiao_db::Crash<CrashPoint>;

impl From<Crashed<CrashPoint>> for crate::Error {
    fn from(Crashed(point): Crashed<CrashPoint>) -> Self {
        Self::Crashed(point)
    }
}
