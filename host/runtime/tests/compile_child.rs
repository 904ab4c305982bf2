//! The compile child as the host runs it, and what it leaves in the cache.
#![expect(
    clippy::unwrap_used,
    reason = "a test stops where its input is missing"
)]

use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::Arc;

use qiao_auth::{Denied, Permit, PluginCaller};
use qiao_model::{Env, InstitutionId, PluginId, ReleaseId, Scope, Secret, Timestamp, UserId};
use qiao_runtime::sandbox::Sandbox;
use qiao_runtime::{
    Answering, CompileError, CompileMode, GatePort, LoadError, PortUnavailable, ReleaseRef,
    Runtime, RuntimeConfig, limits,
};

const CHILD: &str = env!("CARGO_BIN_EXE_compile-child");

/// Nothing that is only compiled passes a gate.
struct NoGate;

impl GatePort for NoGate {
    fn permit(&self, _caller: &PluginCaller, scope: Scope) -> Result<Permit, Denied> {
        unreachable!("nothing calls the host for {scope}")
    }

    fn subject(&self, _institution: InstitutionId, user: UserId) -> String {
        user.to_string()
    }

    fn user_of_subject<'a>(
        &'a self,
        _institution: InstitutionId,
        _subject: &'a str,
    ) -> Answering<'a, Result<Option<UserId>, PortUnavailable>> {
        Box::pin(std::future::ready(Ok(None)))
    }
}

fn runtime(cache_folder: &Path, host_key: u8, program: impl Into<PathBuf>) -> Runtime {
    let (env, _) = Env::fixed(Timestamp::from_millis(1_790_000_000_000), 1);
    let config = RuntimeConfig {
        env,
        cache_folder: cache_folder.to_path_buf(),
        host_key: Secret::new([host_key; 32]),
        compile: CompileMode::Child(program.into()),
        cores: None,
    };
    let ports = Sandbox::default().ports(Arc::new(NoGate), None);
    Runtime::new(config, ports).unwrap()
}

fn release(bytes: &[u8]) -> ReleaseRef {
    ReleaseRef {
        id: ReleaseId::from_u128(1),
        plugin: PluginId::from_u128(1),
        institution: InstitutionId::from_u128(1),
        digest: qiao_manifest::digest(bytes).unwrap(),
        scopes: [].into_iter().collect(),
        egress: Vec::new(),
    }
}

async fn load(runtime: &Runtime, bytes: &[u8]) -> Result<u64, LoadError> {
    runtime.load(&release(bytes), bytes).await?;
    Ok(runtime.stats().compiled)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_component_is_compiled_once_and_a_changed_file_is_compiled_again() {
    let folder = tempfile::tempdir().unwrap();
    let bytes = qiao_tests::guests::component("hello-plugin");
    assert_eq!(
        load(&runtime(folder.path(), 1, CHILD), &bytes)
            .await
            .unwrap(),
        1
    );
    assert_eq!(
        load(&runtime(folder.path(), 1, CHILD), &bytes)
            .await
            .unwrap(),
        0
    );

    let file = std::fs::read_dir(folder.path()).unwrap().next().unwrap();
    let file = file.unwrap().path();
    let mut code = std::fs::read(&file).unwrap();
    let middle = code.len() / 2;
    code[middle] ^= 1;
    std::fs::write(&file, &code).unwrap();
    assert_eq!(
        load(&runtime(folder.path(), 1, CHILD), &bytes)
            .await
            .unwrap(),
        1
    );
    assert_eq!(
        load(&runtime(folder.path(), 1, CHILD), &bytes)
            .await
            .unwrap(),
        0
    );

    // Another host did not make it.
    assert_eq!(
        load(&runtime(folder.path(), 2, CHILD), &bytes)
            .await
            .unwrap(),
        1
    );

    // What the child itself would print is not trusted either when somebody puts it there.
    let foreign = compile_by_hand(&bytes);
    std::fs::write(&file, foreign).unwrap();
    assert_eq!(
        load(&runtime(folder.path(), 2, CHILD), &bytes)
            .await
            .unwrap(),
        1
    );
}

fn compile_by_hand(bytes: &[u8]) -> Vec<u8> {
    let mut child = Command::new(CHILD)
        .arg(qiao_runtime::compile_child::SUBCOMMAND)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    child.stdin.take().unwrap().write_all(bytes).unwrap();
    let output = child.wait_with_output().unwrap();
    assert!(output.status.success());
    output.stdout
}

#[tokio::test(flavor = "multi_thread")]
async fn what_does_not_compile_is_refused_in_the_compilers_words() {
    let folder = tempfile::tempdir().unwrap();
    let runtime = runtime(folder.path(), 1, CHILD);
    let wat = "(component (core module (func (result i32) i64.const 1)))";
    let broken = wat::parse_str(wat).unwrap();
    let refused = load(&runtime, &broken).await.unwrap_err();
    assert!(
        matches!(&refused, LoadError::Compile(CompileError::Refused(cause)) if cause.contains("type mismatch")),
        "{refused}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_component_is_taken_at_its_largest_and_refused_one_byte_past_it() {
    let folder = tempfile::tempdir().unwrap();
    let runtime = runtime(folder.path(), 1, CHILD);
    let padded = |bytes: usize| {
        let mut component = wat::parse_str("(component)").unwrap();
        // A custom section of the rest: its id, its length in 4 bytes, an empty name.
        let length = bytes - component.len() - 5;
        let leb: Vec<u8> = (0..4)
            .map(|i| {
                u8::try_from((length >> (7 * i)) & 0x7f).unwrap() | if i < 3 { 0x80 } else { 0 }
            })
            .collect();
        component.push(0);
        component.extend(leb);
        component.resize(bytes, 0);
        component
    };
    let full = load(&runtime, &padded(limits::COMPONENT_BYTES_MAX)).await;
    assert!(
        matches!(full, Err(LoadError::NotAPlugin(_))),
        "it compiled: {full:?}"
    );
    let past = load(&runtime, &padded(limits::COMPONENT_BYTES_MAX + 1)).await;
    assert!(matches!(
        past,
        Err(LoadError::Compile(CompileError::TooLarge(_)))
    ));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_child_that_ends_early_or_is_not_there_is_the_hosts_failure() {
    let folder = tempfile::tempdir().unwrap();
    let bytes = wat::parse_str("(component)").unwrap();
    let missing = load(&runtime(folder.path(), 1, "/nowhere/qiao"), &bytes).await;
    assert!(matches!(
        missing,
        Err(LoadError::Compile(CompileError::NoChild(_)))
    ));
    let failing = load(&runtime(folder.path(), 1, "/bin/false"), &bytes).await;
    assert!(matches!(
        failing,
        Err(LoadError::Compile(CompileError::Ended(_)))
    ));
}

#[test]
fn the_child_takes_its_limits_before_it_reads() {
    let mut child = Command::new(CHILD)
        .arg(qiao_runtime::compile_child::SUBCOMMAND)
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let table = format!("/proc/{}/limits", child.id());
    let address_space = limits::COMPILE_ADDRESS_SPACE_MAX.to_string();
    let cpu = limits::COMPILE_CPU_SECONDS_MAX.to_string();
    let limited = (0..500).any(|_| {
        std::thread::sleep(std::time::Duration::from_millis(10));
        let table = std::fs::read_to_string(&table).unwrap();
        let holds = |name: &str, limit: &str| {
            let line = table.lines().find(|line| line.starts_with(name)).unwrap();
            line.contains(limit)
        };
        holds("Max address space", &address_space) && holds("Max cpu time", &cpu)
    });
    drop(child.stdin.take());
    child.wait().unwrap();
    assert!(limited, "the child waits for a component without limits");
}
