use std::collections::VecDeque;
use std::time::Duration;

use serde::Deserialize;

use crate::payment::Booking;

/// How long a payment hangs when the fault does not say.
const HANG_DEFAULT: Duration = Duration::from_secs(30);

/// How long an accepted or late payment takes when the fault does not say.
const DELAY_MS_DEFAULT: u64 = 1_000;

/// The most PUTs that one fault may hit.
const COUNT_MAX: u32 = 10_000;

/// What goes wrong with the next payments.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FaultKind {
    /// Nothing happens, and no answer comes.
    TimeOutBefore,
    /// It happens, and no answer comes for long.
    TimeOutAfter,
    /// It is rejected.
    Reject,
    /// 503; nothing happens.
    Unavailable,
    /// It happens, and the connection breaks before the answer.
    LoseResponse,
    /// It happens, and the callback comes twice.
    DuplicateCallback,
    /// The connection breaks, queries answer 404 for a while, and then it is done.
    Late,
    /// It is accepted, and done after a while.
    AcceptOnly,
}

/// A fault and how often it strikes.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct Fault {
    /// What goes wrong.
    pub kind: FaultKind,
    /// With how many payments.
    pub count: u32,
    /// How long it hangs or takes.
    #[serde(default)]
    pub delay_ms: Option<u64>,
    /// Why it is rejected.
    #[serde(default)]
    pub reason: Option<String>,
}

impl Fault {
    /// A fault that strikes once.
    #[must_use]
    pub fn once(kind: FaultKind) -> Self {
        Self {
            kind,
            count: 1,
            delay_ms: None,
            reason: None,
        }
    }

    /// The same fault with a delay.
    #[must_use]
    pub fn delayed_ms(mut self, delay_ms: u64) -> Self {
        self.delay_ms = Some(delay_ms);
        self
    }

    /// How a payment under this fault is booked.
    pub(crate) fn booking(&self) -> Booking {
        let delay_ms = self.delay_ms.unwrap_or(DELAY_MS_DEFAULT);
        let delay_ms = i64::try_from(delay_ms).unwrap_or(i64::MAX);
        match self.kind {
            FaultKind::Reject => Booking::Rejected {
                reason: self.reason.clone().unwrap_or_else(|| "limit".to_owned()),
            },
            FaultKind::Late | FaultKind::AcceptOnly => Booking::Later {
                delay_ms,
                hidden: self.kind == FaultKind::Late,
            },
            FaultKind::TimeOutBefore
            | FaultKind::TimeOutAfter
            | FaultKind::Unavailable
            | FaultKind::LoseResponse
            | FaultKind::DuplicateCallback => Booking::AtOnce,
        }
    }

    /// How long a payment that times out hangs.
    pub(crate) fn hang(&self) -> Duration {
        self.delay_ms.map_or(HANG_DEFAULT, Duration::from_millis)
    }
}

/// The faults that wait for payments, first come first served.
#[derive(Debug, Default)]
pub(crate) struct Faults(VecDeque<Fault>);

impl Faults {
    pub(crate) fn plan(&mut self, mut fault: Fault) {
        fault.count = fault.count.min(COUNT_MAX);
        if fault.count > 0 {
            self.0.push_back(fault);
        }
    }

    /// The fault of the next payment.
    pub(crate) fn take(&mut self) -> Option<Fault> {
        let first = self.0.front_mut()?;
        let fault = first.clone();
        first.count -= 1;
        if first.count == 0 {
            self.0.pop_front();
        }
        Some(fault)
    }
}
