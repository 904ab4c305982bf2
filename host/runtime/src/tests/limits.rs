//! Limits of the engine, met exactly and passed by one, by components in the text format.

use std::time::Duration;

use wasmtime::component::{Component, InstancePre};

use super::fixture::{Host, guest_of, release};
use crate::call::{self, Ran};
use crate::guest::{Deadline, Guest, Purity};
use crate::limits::{
    CORE_INSTANCES_MAX, LOADED_RELEASES_MAX, MEMORIES_MAX, MEMORY_BYTES_MAX, TABLE_ELEMENTS_MAX,
    TABLES_MAX, TRANSFER_BYTES_MAX,
};
use crate::{FaultKind, ReleaseRef, engine};
use qiao_model::{ReleaseId, ScopeSet};

const PAGE_BYTES: usize = 65_536;
const FUEL: u64 = 1_000_000_000;
const RUN: Duration = Duration::from_secs(5);

/// Compiles and links, as loading a release does.
fn link(host: &Host, text: &str) -> wasmtime::Result<InstancePre<Guest>> {
    let code = engine::compiling()?.precompile_component(&wat::parse_str(text).unwrap())?;
    let component = trusted(host, &code)?;
    let lane = host.runtime.0.lanes.first();
    lane.linker.instantiate_pre(&component)
}

#[expect(unsafe_code, reason = "the code was compiled the line before")]
fn trusted(host: &Host, code: &[u8]) -> wasmtime::Result<Component> {
    // SAFETY: the code comes from our own compiler.
    unsafe { Component::deserialize(&host.runtime.0.lanes.first().engine, code) }
}

/// Calls the component's `run` with a number.
fn run(host: &Host, pre: &InstancePre<Guest>, fuel: u64, run: Duration, n: u32) -> Ran<()> {
    let mut guest = guest_of(host, ScopeSet::EMPTY, Purity::Effectful, Vec::new());
    guest.deadline = Deadline::after(&host.runtime.0.host.watchdog, run);
    call::run_instance(pre, guest, fuel, |store, instance| {
        let function = instance.get_typed_func::<(u32,), ()>(&mut *store, "run")?;
        function.call(&mut *store, (n,))
    })
}

fn fault(ran: &Ran<()>) -> Option<FaultKind> {
    ran.answer.as_ref().err().map(|fault| fault.kind)
}

/// A component whose `run` is this body; `module` goes beside it.
fn component(module: &str, body: &str) -> String {
    format!(
        r#"(component
            (core module $m {module}
                (func (export "run") (param $n i32) {body}))
            (core instance $i (instantiate $m))
            (func (export "run") (param "n" u32) (canon lift (core func $i "run"))))"#
    )
}

const LOOP: &str = "(loop $again
    (local.set $n (i32.sub (local.get $n) (i32.const 1)))
    (br_if $again (local.get $n)))";

#[tokio::test]
async fn fuel_is_exact_and_repeats() {
    let host = Host::start().await;
    let pre = link(&host, &component("", LOOP)).unwrap();
    let burnt = run(&host, &pre, FUEL, RUN, 1_000).fuel;
    assert_eq!(run(&host, &pre, FUEL, RUN, 1_000).fuel, burnt);
    assert_eq!(fault(&run(&host, &pre, burnt + 1, RUN, 1_000)), None);
    let short = run(&host, &pre, burnt - 10, RUN, 1_000);
    assert_eq!(fault(&short), Some(FaultKind::OutOfFuel));
}

#[tokio::test]
async fn a_loop_with_fuel_left_is_stopped_by_the_watchdog() {
    let host = Host::start().await;
    let pre = link(&host, &component("", "(loop $again (br $again))")).unwrap();
    let ran = run(&host, &pre, u64::MAX, Duration::from_millis(30), 0);
    assert_eq!(fault(&ran), Some(FaultKind::Deadline));
    assert!(ran.duration >= Duration::from_millis(30));
    assert!(
        ran.duration < Duration::from_millis(500),
        "{:?}",
        ran.duration
    );
}

#[tokio::test]
async fn memory_grows_to_its_limit_and_not_a_page_further() {
    let host = Host::start().await;
    let most = MEMORY_BYTES_MAX / PAGE_BYTES;
    let grow = "(drop (memory.grow (local.get $n)))";
    let pre = link(&host, &component("(memory 1)", grow)).unwrap();
    let pages = u32::try_from(most - 1).unwrap();
    let full = run(&host, &pre, FUEL, RUN, pages);
    assert_eq!((fault(&full), full.memory_bytes), (None, MEMORY_BYTES_MAX));
    let past = run(&host, &pre, FUEL, RUN, pages + 1);
    assert_eq!(fault(&past), Some(FaultKind::Memory));

    let begin = |pages: usize| link(&host, &component(&format!("(memory {pages})"), ""));
    assert_eq!(
        fault(&run(&host, &begin(most).unwrap(), FUEL, RUN, 0)),
        None
    );
    assert!(begin(most + 1).is_err());
}

#[tokio::test]
async fn no_more_releases_are_kept_ready_than_the_limit() {
    let host = Host::start().await;
    let bytes = qiao_tests::guests::component("hello-plugin");
    let (manifest, _) = qiao_manifest::extract(&bytes).unwrap();
    let release = release(&bytes, &manifest);
    for number in 0..=LOADED_RELEASES_MAX as u128 {
        let another = ReleaseRef {
            id: ReleaseId::from_u128(number),
            ..release.clone()
        };
        host.runtime.load(&another, &bytes).await.unwrap();
    }
    let kept = host.runtime.0.loaded.len();
    assert!((1..=LOADED_RELEASES_MAX).contains(&kept), "{kept}");
}

/// A component of several core instances, each with its own module's parts.
fn several(instances: usize, module: &str) -> String {
    let parts: String = (0..instances)
        .map(|_| format!("(core module {module}) "))
        .collect();
    let made: String = (0..instances)
        .map(|index| format!("(core instance (instantiate {index})) "))
        .collect();
    format!(
        r#"(component {parts}{made}
            (core module $m (func (export "run") (param i32)))
            (core instance $i (instantiate $m))
            (func (export "run") (param "n" u32) (canon lift (core func $i "run"))))"#
    )
}

#[tokio::test]
async fn all_memories_count_together() {
    let host = Host::start().await;
    let half = MEMORY_BYTES_MAX / PAGE_BYTES / MEMORIES_MAX;
    let memories = |pages: usize| several(MEMORIES_MAX, &format!("(memory {pages})"));
    let full = link(&host, &memories(half)).unwrap();
    assert_eq!(fault(&run(&host, &full, FUEL, RUN, 0)), None);
    let past = link(&host, &memories(half + 1)).unwrap();
    assert_eq!(
        fault(&run(&host, &past, FUEL, RUN, 0)),
        Some(FaultKind::Memory)
    );
    assert!(link(&host, &several(MEMORIES_MAX + 1, "(memory 1)")).is_err());
}

#[tokio::test]
async fn all_tables_count_together() {
    let host = Host::start().await;
    let part = TABLE_ELEMENTS_MAX / TABLES_MAX;
    let tables = |elements: usize| several(TABLES_MAX, &format!("(table {elements} funcref)"));
    let full = link(&host, &tables(part)).unwrap();
    assert_eq!(fault(&run(&host, &full, FUEL, RUN, 0)), None);
    let past = link(&host, &tables(part + 1)).unwrap();
    assert_eq!(
        fault(&run(&host, &past, FUEL, RUN, 0)),
        Some(FaultKind::Table)
    );
    assert!(link(&host, &several(TABLES_MAX + 1, "(table 1 funcref)")).is_err());
}

#[tokio::test]
async fn core_instances_are_counted() {
    let host = Host::start().await;
    // One more is the instance that has `run`.
    let full = link(&host, &several(CORE_INSTANCES_MAX - 1, "")).unwrap();
    assert_eq!(fault(&run(&host, &full, FUEL, RUN, 0)), None);
    let past = link(&host, &several(CORE_INSTANCES_MAX, ""));
    let refused = match past {
        Err(_) => true,
        Ok(past) => fault(&run(&host, &past, FUEL, RUN, 0)) == Some(FaultKind::Instances),
    };
    assert!(refused);
}

#[tokio::test]
async fn a_recursion_ends_at_the_stack_and_not_in_the_host() {
    let host = Host::start().await;
    let module = "(func $down (param $n i32)
        (if (local.get $n)
            (then (call $down (i32.sub (local.get $n) (i32.const 1))))))";
    let pre = link(&host, &component(module, "(call $down (local.get $n))")).unwrap();
    assert_eq!(fault(&run(&host, &pre, FUEL, RUN, 1_000)), None);
    let deep = run(&host, &pre, FUEL, RUN, 10_000_000);
    assert_eq!(fault(&deep), Some(FaultKind::Stack));
    // The thread is as good as new.
    assert_eq!(fault(&run(&host, &pre, FUEL, RUN, 1_000)), None);
}

/// A component whose `run` logs so many bytes.
const LOGS: &str = r#"(component
    (import "qiao:host/log@0.1.0" (instance $log
        (type $names (enum "debug" "info" "warn" "error"))
        (export "level" (type $level (eq $names)))
        (export "write" (func (param "level" $level) (param "message" string)))))
    (core module $libc (memory (export "memory") 32))
    (core instance $libc (instantiate $libc))
    (core func $write (canon lower (func $log "write") (memory (core memory $libc "memory"))))
    (core module $m
        (import "host" "write" (func $write (param i32 i32 i32)))
        (func (export "run") (param $n i32)
            (call $write (i32.const 1) (i32.const 0) (local.get $n))))
    (core instance $i (instantiate $m
        (with "host" (instance (export "write" (func $write))))))
    (func (export "run") (param "n" u32) (canon lift (core func $i "run"))))"#;

#[tokio::test]
async fn what_a_guest_hands_over_at_once_is_bounded_before_the_host_holds_it() {
    let host = Host::start().await;
    let pre = link(&host, LOGS).unwrap();
    let log = |bytes: usize| run(&host, &pre, FUEL, RUN, u32::try_from(bytes).unwrap());
    assert_eq!(fault(&log(crate::limits::LOG_BYTES_MAX)), None);
    assert_eq!(
        fault(&log(crate::limits::LOG_BYTES_MAX + 1)),
        Some(FaultKind::LogFlood)
    );
    // At the limit of a transfer the host takes the text, and then finds the log full.
    assert_eq!(fault(&log(TRANSFER_BYTES_MAX)), Some(FaultKind::LogFlood));
    assert_eq!(
        fault(&log(TRANSFER_BYTES_MAX + 1)),
        Some(FaultKind::Transfer)
    );
}

#[tokio::test]
async fn memory_of_one_call_is_not_seen_by_the_next() {
    let host = Host::start().await;
    let module = "(memory 2)";
    // Traps when the cell is not zero, then writes it.
    let body = "(if (i32.load (i32.const 70000)) (then unreachable))
        (i32.store (i32.const 70000) (i32.const 42))";
    let pre = link(&host, &component(module, body)).unwrap();
    for _ in 0..200 {
        assert_eq!(fault(&run(&host, &pre, FUEL, RUN, 0)), None);
    }
}
