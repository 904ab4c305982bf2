use super::fixture::{Host, runtime};
use crate::{CheckError, Function, LoadError, Outcome};
use qiao_registry::ComponentCheck;

#[tokio::test(flavor = "multi_thread")]
async fn the_check_runs_the_corpus_and_touches_nothing() {
    let host = Host::start().await;
    let bytes = qiao_tests::guests::component("money-fund");
    let (manifest, _) = qiao_manifest::extract(&bytes).unwrap();
    let report = host.runtime.check(&bytes, &manifest).await.unwrap();
    let cases: Vec<&str> = report.calls.iter().map(|call| call.case.as_str()).collect();
    assert_eq!(
        cases,
        [
            "activate",
            "open invest",
            "open auto-invest",
            "open about",
            "quote steady-money purchase",
            "quote steady-money redeem"
        ]
    );
    for call in &report.calls {
        assert_eq!(call.outcome, Outcome::Answered, "{}", call.case);
        assert!(
            (1..call.function.fuel_max()).contains(&call.fuel),
            "{}",
            call.case
        );
    }
    assert!(report.memory_bytes > 0 && report.memory_bytes_max >= report.memory_bytes);
    assert!(report.compiled_bytes > report.component_bytes / 2);
    assert_eq!(report.products.len(), 1);

    assert!(host.sandbox.products().is_empty());
    assert!(host.runtime.take_invocations().is_empty());

    let again = host.runtime.check(&bytes, &manifest).await.unwrap();
    let fuel = |report: &crate::CheckReport| -> Vec<u64> {
        report.calls.iter().map(|call| call.fuel).collect()
    };
    assert_eq!(fuel(&report), fuel(&again));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_service_that_traps_is_reported_and_not_refused() {
    let host = Host::start().await;
    let bytes = qiao_tests::guests::component("guest-trapper");
    let (manifest, _) = qiao_manifest::extract(&bytes).unwrap();
    let report = ComponentCheck::check(&host.runtime, &bytes, &manifest)
        .await
        .unwrap();
    let outcome = |case: &str| {
        let sample = report.fuel.iter().find(|sample| sample.case == case);
        sample.map(|sample| sample.outcome.clone()).unwrap()
    };
    assert!(
        outcome("open panic").starts_with("trap"),
        "{}",
        outcome("open panic")
    );
    assert_eq!(outcome("open calm"), "answered");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_no_plugin_is_refused_with_its_cause() {
    let host = Host::start().await;
    let bytes = qiao_tests::guests::component("hello-plugin");
    let (manifest, _) = qiao_manifest::extract(&bytes).unwrap();
    let refused = |text: &str| {
        let bytes = wat::parse_str(text).unwrap();
        let (runtime, manifest) = (host.runtime.clone(), manifest.clone());
        async move { runtime.check(&bytes, &manifest).await.unwrap_err() }
    };
    let empty = refused("(component)").await;
    assert!(
        matches!(&empty, CheckError::Load(LoadError::NotAPlugin(cause))
        if cause.contains("qiao:guest/")),
        "{empty}"
    );
    let unknown = refused(
        r#"(component (import "wasi:clocks/monotonic-clock@0.2.0"
        (instance (export "now" (func (result u64))))))"#,
    )
    .await;
    assert!(unknown.to_string().contains("wasi:clocks"), "{unknown}");
    let broken = refused("(component (core module (memory i64 1)))").await;
    assert!(
        matches!(broken, CheckError::Load(LoadError::Compile(_))),
        "{broken}"
    );
    assert!(!broken.is_of_host());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_runtime_without_rooms_checks_too() {
    let host = Host::start().await;
    let gate = std::sync::Arc::new(host.auth.clone());
    let lonely = runtime(crate::sandbox::Sandbox::default().ports(gate, None));
    let bytes = qiao_tests::guests::component("hello-plugin");
    let (manifest, _) = qiao_manifest::extract(&bytes).unwrap();
    let report = lonely.check(&bytes, &manifest).await.unwrap();
    assert_eq!(report.calls[0].function, Function::Activate);
}
