use std::fmt;
use std::time::Duration;

use crate::limits;

/// Why a call of a plugin gave no answer.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CallError<E: std::error::Error> {
    /// The plugin refused, with its own typed reason.
    #[error(transparent)]
    Guest(E),
    /// The plugin broke or overran a limit; nothing else was touched.
    #[error("the plugin failed: {0}")]
    Trap(Fault),
    /// The host has no room for the call; try again.
    #[error("the host is too busy to run the plugin")]
    Unavailable,
}

/// How a guest failed, for its author and the operator.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fault {
    /// Which limit or rule.
    pub kind: FaultKind,
    /// One sentence that names the figure or the instruction.
    pub message: String,
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.kind, self.message)
    }
}

/// Which limit or rule a guest broke.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum FaultKind {
    /// It executed more instructions than it may.
    OutOfFuel,
    /// It ran longer than it may.
    Deadline,
    /// It asked for more memory than it may have.
    Memory,
    /// It asked for more tables or table elements than it may have.
    Table,
    /// It asked for more core instances than it may have.
    Instances,
    /// Its calls nest too deep.
    Stack,
    /// It passed more bytes at once than the host takes.
    Transfer,
    /// It logged too much.
    LogFlood,
    /// It called the host too often.
    HostCalls,
    /// It sent and received more bytes over HTTP than it may.
    EgressBytes,
    /// Its answer does not keep to the contract.
    InvalidAnswer,
    /// It trapped: a panic, a division by zero, an access out of bounds.
    Trap,
}

impl FaultKind {
    /// Every kind.
    pub const ALL: [Self; 12] = [
        Self::OutOfFuel,
        Self::Deadline,
        Self::Memory,
        Self::Table,
        Self::Instances,
        Self::Stack,
        Self::Transfer,
        Self::LogFlood,
        Self::HostCalls,
        Self::EgressBytes,
        Self::InvalidAnswer,
        Self::Trap,
    ];

    /// The stored and shown name.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::OutOfFuel => "out of fuel",
            Self::Deadline => "deadline",
            Self::Memory => "memory",
            Self::Table => "table",
            Self::Instances => "instances",
            Self::Stack => "stack",
            Self::Transfer => "transfer",
            Self::LogFlood => "log flood",
            Self::HostCalls => "host calls",
            Self::EgressBytes => "egress bytes",
            Self::InvalidAnswer => "invalid answer",
            Self::Trap => "trap",
        }
    }

    /// The kind of that name.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.name() == name)
    }
}

impl fmt::Display for FaultKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// Why the host stops a guest: carried through `wasmtime` as an error, so that it can
/// never be taken for an answer that the guest may handle.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Stop {
    #[error("ran longer than {} ms", .0.as_millis())]
    Deadline(Duration),
    #[error("asked for {0} bytes of memory; {max} are allowed", max = limits::MEMORY_BYTES_MAX)]
    Memory(usize),
    #[error("asked for {0} table elements; {max} are allowed", max = limits::TABLE_ELEMENTS_MAX)]
    Table(usize),
    #[error("logged more than {0} bytes")]
    LogBytes(usize),
    #[error("logged more than {0} lines")]
    LogLines(usize),
    #[error("called the host more than {0} times")]
    HostCalls(u32),
    #[error("sent more than {0} HTTP requests")]
    EgressRequests(u32),
    #[error("sent and received more than {0} bytes over HTTP")]
    EgressBytes(usize),
}

impl Stop {
    const fn kind(self) -> FaultKind {
        match self {
            Self::Deadline(_) => FaultKind::Deadline,
            Self::Memory(_) => FaultKind::Memory,
            Self::Table(_) => FaultKind::Table,
            Self::LogBytes(_) | Self::LogLines(_) => FaultKind::LogFlood,
            Self::HostCalls(_) => FaultKind::HostCalls,
            Self::EgressRequests(_) | Self::EgressBytes(_) => FaultKind::EgressBytes,
        }
    }
}

impl Fault {
    /// What an error of `wasmtime` means to the plugin's author.
    pub(crate) fn of(error: &wasmtime::Error) -> Self {
        if let Some(stop) = error.downcast_ref::<Stop>() {
            return Self {
                kind: stop.kind(),
                message: stop.to_string(),
            };
        }
        let kind = match error.downcast_ref::<wasmtime::Trap>() {
            Some(wasmtime::Trap::OutOfFuel) => FaultKind::OutOfFuel,
            Some(wasmtime::Trap::Interrupt) => FaultKind::Deadline,
            Some(wasmtime::Trap::StackOverflow) => FaultKind::Stack,
            Some(_) => FaultKind::Trap,
            None => kind_of_text(error),
        };
        let message: String = format!("{:#}", error.root_cause())
            .chars()
            .take(limits::REFUSAL_CHARS_MAX)
            .collect();
        Self { kind, message }
    }

    pub(crate) fn invalid_answer(message: impl Into<String>) -> Self {
        Self {
            kind: FaultKind::InvalidAnswer,
            message: message.into(),
        }
    }
}

/// Limits that `wasmtime` itself reports as text alone.
fn kind_of_text(error: &wasmtime::Error) -> FaultKind {
    let text = error.root_cause().to_string();
    if text.contains("fuel allocated for hostcalls has been exhausted") {
        FaultKind::Transfer
    } else if text.contains("instance count too high") {
        FaultKind::Instances
    } else if text.contains("table count too high") {
        FaultKind::Table
    } else if text.contains("memory count too high") {
        FaultKind::Memory
    } else {
        FaultKind::Trap
    }
}
