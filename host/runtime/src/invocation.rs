use std::fmt;
use std::time::Duration;

use qiao_model::{InvocationId, PluginId, ReleaseId, Timestamp};

use crate::limits;
use crate::{Fault, FaultKind};

/// An exported function of a plugin.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Function {
    /// Registers products and fee schedules.
    Activate,
    /// The page of a service.
    Open,
    /// The answer to a form.
    Submit,
    /// Prices an offer.
    Quote,
    /// Delivers what was ordered.
    Fulfil,
    /// Undoes what `fulfil` may have begun.
    Cancel,
    /// Runs a job.
    Job,
    /// Takes an event.
    Event,
}

impl Function {
    /// Every function.
    pub const ALL: [Self; 8] = [
        Self::Activate,
        Self::Open,
        Self::Submit,
        Self::Quote,
        Self::Fulfil,
        Self::Cancel,
        Self::Job,
        Self::Event,
    ];

    /// The stored and shown name.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Activate => "activate",
            Self::Open => "open",
            Self::Submit => "submit",
            Self::Quote => "quote",
            Self::Fulfil => "fulfil",
            Self::Cancel => "cancel",
            Self::Job => "job",
            Self::Event => "event",
        }
    }

    /// The function of that name.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL
            .into_iter()
            .find(|function| function.name() == name)
    }

    /// How much fuel a call may burn.
    #[must_use]
    pub const fn fuel_max(self) -> u64 {
        match self {
            Self::Activate => limits::FUEL_ACTIVATE_MAX,
            Self::Open | Self::Submit => limits::FUEL_PAGE_MAX,
            Self::Quote => limits::FUEL_QUOTE_MAX,
            Self::Fulfil | Self::Cancel => limits::FUEL_ORDER_MAX,
            Self::Job | Self::Event => limits::FUEL_BACKGROUND_MAX,
        }
    }

    /// How long the guest may run in a call; waits in host calls do not count.
    #[must_use]
    pub const fn run_max(self) -> Duration {
        match self {
            Self::Quote => limits::RUN_QUOTE_MAX,
            Self::Open | Self::Submit | Self::Fulfil | Self::Cancel => limits::RUN_CALL_MAX,
            Self::Activate | Self::Job | Self::Event => limits::RUN_BACKGROUND_MAX,
        }
    }
}

impl fmt::Display for Function {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// One call of a plugin, as its author and the operator see it. It names no user.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Invocation {
    /// Which.
    pub id: InvocationId,
    /// Of which plugin.
    pub plugin: PluginId,
    /// Which release ran.
    pub release: ReleaseId,
    /// What was called.
    pub function: Function,
    /// How it ended.
    pub outcome: Outcome,
    /// Fuel burnt.
    pub fuel: u64,
    /// Bytes of linear memory at its end, which is the most it had.
    pub memory_bytes: u64,
    /// Calls of the host.
    pub host_calls: u32,
    /// From beginning to end, waits included.
    pub duration_us: u64,
    /// When it ended.
    pub at: Timestamp,
    /// What the plugin logged.
    pub log: Vec<LogLine>,
}

/// How an invocation ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// With an answer.
    Answered,
    /// With the plugin's own typed refusal, in a sentence.
    Refused(String),
    /// It broke a limit or trapped.
    Faulted(Fault),
}

impl Outcome {
    /// The stored name: `answered`, `refused`, or the fault's kind.
    #[must_use]
    pub const fn name(&self) -> &'static str {
        match self {
            Self::Answered => "answered",
            Self::Refused(_) => "refused",
            Self::Faulted(fault) => fault.kind.name(),
        }
    }

    /// The sentence, when there is one.
    #[must_use]
    pub fn message(&self) -> &str {
        match self {
            Self::Answered => "",
            Self::Refused(message) => message,
            Self::Faulted(fault) => &fault.message,
        }
    }

    pub(crate) fn from_parts(name: &str, message: &str) -> Option<Self> {
        match name {
            "answered" => Some(Self::Answered),
            "refused" => Some(Self::Refused(message.to_owned())),
            kind => Some(Self::Faulted(Fault {
                kind: FaultKind::from_name(kind)?,
                message: message.to_owned(),
            })),
        }
    }
}

/// A line that a plugin logged.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LogLine {
    /// How much it matters.
    pub level: LogLevel,
    /// What it says.
    pub message: String,
}

/// How much a line of log matters.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LogLevel {
    /// For the author's own tracing.
    Debug,
    /// Ordinary.
    Info,
    /// Something to look at.
    Warn,
    /// Something failed.
    Error,
}

impl LogLevel {
    /// The stored and shown name.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Debug => "debug",
            Self::Info => "info",
            Self::Warn => "warn",
            Self::Error => "error",
        }
    }

    pub(crate) fn from_name(name: &str) -> Option<Self> {
        [Self::Debug, Self::Info, Self::Warn, Self::Error]
            .into_iter()
            .find(|level| level.name() == name)
    }
}
