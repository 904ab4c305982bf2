use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::process::Command;

use crate::compile_child::{REFUSED, SUBCOMMAND};
use crate::engine;
use crate::limits::{
    COMPILE_OUTPUT_BYTES_MAX, COMPILE_WAIT_MAX, COMPONENT_BYTES_MAX, REFUSAL_CHARS_MAX,
};

/// Where components are compiled.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum CompileMode {
    /// In a child process of this program, which runs [`compile_child::main`](crate::compile_child::main)
    /// when its first argument is [`compile_child::SUBCOMMAND`](crate::compile_child::SUBCOMMAND).
    Child(PathBuf),
    /// In this process, without limits: for a developer's own components, and for tests.
    InProcess,
}

/// Why a component was not compiled.
#[derive(Debug, thiserror::Error)]
pub enum CompileError {
    /// It is larger than the limit.
    #[error("the component has {0} bytes; at most {max} are allowed", max = COMPONENT_BYTES_MAX)]
    TooLarge(usize),
    /// It is not a component that this host runs; the compiler's own words.
    #[error("the component does not compile: {0}")]
    Refused(String),
    /// It took more time than a compilation may.
    #[error("the component takes longer than {} s to compile", .0.as_secs())]
    TooSlow(Duration),
    /// Its machine code is larger than the limit.
    #[error("the component compiles to more than {0} bytes")]
    OutputTooLarge(usize),
    /// The child ended before it was done: it ran into its memory or CPU limit.
    #[error("the compiler gave up: {0}")]
    Ended(String),
    /// The child did not start.
    #[error("the compiler did not start")]
    NoChild(#[source] std::io::Error),
}

/// Machine code of a component.
pub(crate) async fn compile(mode: &CompileMode, component: &[u8]) -> Result<Vec<u8>, CompileError> {
    if component.len() > COMPONENT_BYTES_MAX {
        return Err(CompileError::TooLarge(component.len()));
    }
    match mode {
        CompileMode::Child(program) => in_child(program, component, COMPILE_WAIT_MAX).await,
        CompileMode::InProcess => in_process(component.to_vec()).await,
    }
}

async fn in_process(component: Vec<u8>) -> Result<Vec<u8>, CompileError> {
    let compiled =
        tokio::task::spawn_blocking(move || engine::compiling()?.precompile_component(&component));
    match compiled.await {
        Ok(Ok(code)) => Ok(code),
        Ok(Err(error)) => Err(CompileError::Refused(sentence(&format!("{error:#}")))),
        Err(panic) => Err(CompileError::Ended(panic.to_string())),
    }
}

async fn in_child(
    program: &Path,
    component: &[u8],
    wait: Duration,
) -> Result<Vec<u8>, CompileError> {
    let mut child = Command::new(program)
        .arg(SUBCOMMAND)
        .env_clear()
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .kill_on_drop(true)
        .spawn()
        .map_err(CompileError::NoChild)?;
    let (Some(mut stdin), Some(stdout), Some(stderr)) =
        (child.stdin.take(), child.stdout.take(), child.stderr.take())
    else {
        return Err(CompileError::Ended("its pipes are missing".to_owned()));
    };
    let feed = async move {
        // A child that refuses early closes its end; its exit code says why.
        drop(stdin.write_all(component).await);
        drop(stdin);
    };
    let read = async {
        let mut code = Vec::new();
        let mut reason = Vec::new();
        let code_max = u64::try_from(COMPILE_OUTPUT_BYTES_MAX).unwrap_or(u64::MAX);
        let mut code_end = stdout.take(code_max.saturating_add(1));
        let mut reason_end = stderr.take(REASON_BYTES_MAX);
        let (code_read, reason_read) = tokio::join!(
            code_end.read_to_end(&mut code),
            reason_end.read_to_end(&mut reason)
        );
        code_read.and(reason_read).map(|_| (code, reason))
    };
    let work = async {
        let ((), read) = tokio::join!(feed, read);
        let (code, reason) = read.map_err(|error| CompileError::Ended(error.to_string()))?;
        if code.len() > COMPILE_OUTPUT_BYTES_MAX {
            return Err(CompileError::OutputTooLarge(COMPILE_OUTPUT_BYTES_MAX));
        }
        let status = child
            .wait()
            .await
            .map_err(|error| CompileError::Ended(error.to_string()))?;
        let reason = sentence(&String::from_utf8_lossy(&reason));
        match status.code() {
            Some(0) => Ok(code),
            Some(code) if code == i32::from(REFUSED) => Err(CompileError::Refused(reason)),
            _ => Err(CompileError::Ended(format!("{status}; {reason}"))),
        }
    };
    // The child is killed when this future is dropped, so also when the time is up.
    tokio::time::timeout(wait, work)
        .await
        .unwrap_or(Err(CompileError::TooSlow(wait)))
}

/// What is read of the child's standard error.
const REASON_BYTES_MAX: u64 = 16 << 10;

fn sentence(text: &str) -> String {
    text.trim().chars().take(REFUSAL_CHARS_MAX).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::PermissionsExt;

    /// A program that runs this line, whatever it is told.
    fn program(folder: &Path, line: &str) -> PathBuf {
        let path = folder.join("child");
        std::fs::write(&path, format!("#!/bin/sh\n{line}\n")).unwrap();
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o755)).unwrap();
        path
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn a_child_that_does_not_come_back_is_ended() {
        let folder = tempfile::tempdir().unwrap();
        let program = program(folder.path(), "exec /bin/sleep 60");
        let wait = Duration::from_millis(200);
        let refused = in_child(&program, b"", wait).await.unwrap_err();
        assert!(matches!(refused, CompileError::TooSlow(_)), "{refused}");
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn machine_code_is_taken_at_its_limit_and_refused_one_byte_past_it() {
        let folder = tempfile::tempdir().unwrap();
        let writes = |bytes: usize| {
            let line = format!("/usr/bin/head -c {bytes} /dev/zero");
            program(folder.path(), &line)
        };
        let full = in_child(&writes(COMPILE_OUTPUT_BYTES_MAX), b"", COMPILE_WAIT_MAX).await;
        assert_eq!(full.unwrap().len(), COMPILE_OUTPUT_BYTES_MAX);
        let past = in_child(&writes(COMPILE_OUTPUT_BYTES_MAX + 1), b"", COMPILE_WAIT_MAX).await;
        assert!(matches!(past, Err(CompileError::OutputTooLarge(_))));
    }
}
