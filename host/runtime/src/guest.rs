use std::sync::Arc;
use std::time::Duration;

use qiao_auth::PluginCaller;
use qiao_model::UserId;
use wasmtime::UpdateDeadline;

use crate::fault::Stop;
use crate::invocation::LogLine;
use crate::limiter::Limiter;
use crate::limits;
use crate::seats::{Seat, Seats};
use crate::watchdog::{self, Watchdog};
use crate::{LogLevel, Ports, ReleaseRef};

/// What every guest of a runtime shares.
pub(crate) struct HostSide {
    pub(crate) seats: Seats,
    pub(crate) watchdog: Watchdog,
    pub(crate) tokio: tokio::runtime::Handle,
}

/// What every guest of a release on one engine shares.
pub(crate) struct Shared {
    pub(crate) host: Arc<HostSide>,
    pub(crate) ports: Arc<Ports>,
    pub(crate) release: Arc<ReleaseRef>,
}

/// Whether a call may have effects.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Purity {
    /// No import but `log` answers.
    Pure,
    /// Imports answer as far as scopes allow.
    Effectful,
}

/// The host's side of one instance: the data of its `wasmtime::Store`.
pub(crate) struct Guest {
    pub(crate) shared: Arc<Shared>,
    pub(crate) user: Option<UserId>,
    pub(crate) purity: Purity,
    pub(crate) limiter: Limiter,
    pub(crate) meter: Meter,
    pub(crate) deadline: Deadline,
    pub(crate) seat: Option<Seat>,
}

impl Guest {
    /// Who calls the host.
    pub(crate) fn caller(&self) -> PluginCaller {
        let release = &self.shared.release;
        PluginCaller {
            plugin: release.plugin,
            release: release.id,
            institution: release.institution,
            granted: release.scopes,
            on_behalf_of: self.user,
        }
    }

    /// The watchdog asks whether the guest may go on.
    pub(crate) fn on_watchdog(&mut self) -> wasmtime::Result<UpdateDeadline> {
        let now = self.shared.host.watchdog.now();
        match self.deadline.at.checked_sub(now) {
            Some(left) if left > 0 => Ok(UpdateDeadline::Continue(left)),
            Some(_) | None => Err(Stop::Deadline(self.deadline.run).into()),
        }
    }
}

/// Until when the guest may run, in steps of the watchdog.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Deadline {
    pub(crate) run: Duration,
    at: u64,
}

impl Deadline {
    pub(crate) fn after(watchdog: &Watchdog, run: Duration) -> Self {
        Self {
            run,
            at: watchdog.now().saturating_add(watchdog::steps(run)),
        }
    }

    /// Gives back the steps that the guest spent waiting for the host.
    pub(crate) fn extend(&mut self, steps: u64) {
        self.at = self.at.saturating_add(steps);
    }
}

/// Counts what one invocation uses.
#[derive(Debug)]
pub(crate) struct Meter {
    host_calls: u32,
    log_bytes: usize,
    pub(crate) log: Vec<LogLine>,
    egress_requests: u32,
    egress_bytes: usize,
    pub(crate) wait_left: Duration,
}

impl Default for Meter {
    fn default() -> Self {
        Self {
            host_calls: 0,
            log_bytes: 0,
            log: Vec::new(),
            egress_requests: 0,
            egress_bytes: 0,
            wait_left: limits::WAIT_HOST_CALLS_MAX,
        }
    }
}

impl Meter {
    /// Counts a host call.
    pub(crate) fn host_call(&mut self) -> Result<(), Stop> {
        self.host_calls = self.host_calls.saturating_add(1);
        if self.host_calls > limits::HOST_CALLS_MAX {
            return Err(Stop::HostCalls(limits::HOST_CALLS_MAX));
        }
        Ok(())
    }

    /// Host calls so far.
    pub(crate) fn host_calls(&self) -> u32 {
        self.host_calls
    }

    /// Keeps a line of log.
    pub(crate) fn log(&mut self, level: LogLevel, message: String) -> Result<(), Stop> {
        if self.log.len() >= limits::LOG_LINES_MAX {
            return Err(Stop::LogLines(limits::LOG_LINES_MAX));
        }
        self.log_bytes = self.log_bytes.saturating_add(message.len());
        if self.log_bytes > limits::LOG_BYTES_MAX {
            return Err(Stop::LogBytes(limits::LOG_BYTES_MAX));
        }
        self.log.push(LogLine { level, message });
        Ok(())
    }

    /// Counts a request before it is sent.
    pub(crate) fn egress_request(&mut self, body_bytes: usize) -> Result<(), Stop> {
        self.egress_requests = self.egress_requests.saturating_add(1);
        if self.egress_requests > limits::EGRESS_REQUESTS_MAX {
            return Err(Stop::EgressRequests(limits::EGRESS_REQUESTS_MAX));
        }
        self.egress_bytes(body_bytes)
    }

    /// Counts a response when it is there.
    pub(crate) fn egress_bytes(&mut self, body_bytes: usize) -> Result<(), Stop> {
        self.egress_bytes = self.egress_bytes.saturating_add(body_bytes);
        if self.egress_bytes > limits::EGRESS_BYTES_MAX {
            return Err(Stop::EgressBytes(limits::EGRESS_BYTES_MAX));
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_allowed_host_call_is_counted_and_one_more_stops_the_guest() {
        let mut meter = Meter::default();
        for _ in 0..limits::HOST_CALLS_MAX {
            assert_eq!(meter.host_call(), Ok(()));
        }
        assert_eq!(
            meter.host_call(),
            Err(Stop::HostCalls(limits::HOST_CALLS_MAX))
        );
    }

    #[test]
    fn a_log_may_be_full_and_not_overflow() {
        let mut meter = Meter::default();
        let full = "x".repeat(limits::LOG_BYTES_MAX);
        assert_eq!(meter.log(LogLevel::Info, full), Ok(()));
        assert_eq!(
            meter.log(LogLevel::Info, "y".to_owned()),
            Err(Stop::LogBytes(limits::LOG_BYTES_MAX))
        );

        let mut meter = Meter::default();
        for _ in 0..limits::LOG_LINES_MAX {
            assert_eq!(meter.log(LogLevel::Debug, String::new()), Ok(()));
        }
        assert_eq!(
            meter.log(LogLevel::Debug, String::new()),
            Err(Stop::LogLines(limits::LOG_LINES_MAX))
        );
    }

    #[test]
    fn requests_and_their_bytes_are_counted_over_the_whole_invocation() {
        let mut meter = Meter::default();
        for _ in 0..limits::EGRESS_REQUESTS_MAX {
            assert_eq!(meter.egress_request(0), Ok(()));
        }
        assert_eq!(
            meter.egress_request(0),
            Err(Stop::EgressRequests(limits::EGRESS_REQUESTS_MAX))
        );

        let mut meter = Meter::default();
        assert_eq!(meter.egress_request(1), Ok(()));
        assert_eq!(meter.egress_bytes(limits::EGRESS_BYTES_MAX - 1), Ok(()));
        assert_eq!(
            meter.egress_bytes(1),
            Err(Stop::EgressBytes(limits::EGRESS_BYTES_MAX))
        );
    }
}
