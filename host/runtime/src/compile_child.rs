//! The child process that compiles: a component on standard input, machine code on
//! standard output. It takes its limits before it reads a byte, so that a component that
//! makes the compiler eat memory or time ends this process and nothing else.

use std::io::{Read, Write};
use std::process::ExitCode;

use rlimit::Resource;

use crate::engine;
use crate::limits::{COMPILE_ADDRESS_SPACE_MAX, COMPILE_CPU_SECONDS_MAX, COMPONENT_BYTES_MAX};

/// The hidden subcommand of the binary that runs [`main`].
pub const SUBCOMMAND: &str = "compile-child";

/// Exit code when the component is refused; the reason is on standard error.
pub(crate) const REFUSED: u8 = 3;

/// Compiles standard input to standard output.
#[must_use]
pub fn main() -> ExitCode {
    match run() {
        Ok(()) => ExitCode::SUCCESS,
        Err(Failure::Refused(reason)) => leave(&reason, REFUSED),
        Err(Failure::Broken(reason)) => leave(&reason, 1),
    }
}

enum Failure {
    Refused(String),
    Broken(String),
}

fn run() -> Result<(), Failure> {
    take_limits().map_err(|error| Failure::Broken(format!("no limits: {error}")))?;
    let mut component = Vec::new();
    let bytes_max = u64::try_from(COMPONENT_BYTES_MAX).unwrap_or(u64::MAX);
    std::io::stdin()
        .lock()
        .take(bytes_max.saturating_add(1))
        .read_to_end(&mut component)
        .map_err(|error| Failure::Broken(format!("no component on standard input: {error}")))?;
    if component.len() > COMPONENT_BYTES_MAX {
        return Err(Failure::Refused(format!(
            "the component is larger than {COMPONENT_BYTES_MAX} bytes"
        )));
    }
    let engine =
        engine::compiling().map_err(|error| Failure::Broken(format!("no engine: {error:#}")))?;
    let code = engine
        .precompile_component(&component)
        .map_err(|error| Failure::Refused(format!("{error:#}")))?;
    std::io::stdout()
        .lock()
        .write_all(&code)
        .map_err(|error| Failure::Broken(format!("no reader of the code: {error}")))
}

fn take_limits() -> std::io::Result<()> {
    Resource::AS.set(COMPILE_ADDRESS_SPACE_MAX, COMPILE_ADDRESS_SPACE_MAX)?;
    Resource::CPU.set(COMPILE_CPU_SECONDS_MAX, COMPILE_CPU_SECONDS_MAX)?;
    Resource::CORE.set(0, 0)?;
    Resource::FSIZE.set(0, 0)
}

fn leave(reason: &str, code: u8) -> ExitCode {
    // The parent reads the reason; when it is gone there is nobody left to tell.
    drop(writeln!(std::io::stderr(), "{reason}"));
    ExitCode::from(code)
}
