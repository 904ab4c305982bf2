use qiao_db::Crashed;

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
}

impl qiao_db::CrashPoint for CrashPoint {
    const POINTS: &'static [Self] = &Self::ALL;

    fn name(self) -> &'static str {
        match self {
            Self::BeforeSend => "before-bank-send",
            Self::AfterSend => "after-bank-send",
            Self::AfterStore => "after-bank-store",
        }
    }
}

/// Where this host stops on purpose: never, but in tests.
pub type Crash = qiao_db::Crash<CrashPoint>;

impl From<Crashed<CrashPoint>> for crate::Error {
    fn from(Crashed(point): Crashed<CrashPoint>) -> Self {
        Self::Crashed(point)
    }
}
