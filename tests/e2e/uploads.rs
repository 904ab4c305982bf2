//! Bad uploads are refused with their exact cause, and leave an audit row alone.

use qiao::{Client, PublishArgs};
use qiao_tests::{guests, sqlite};

use crate::sandbox::Sandbox;

/// What a bad upload is made of, and the words that its refusal says.
fn bad_uploads() -> Vec<(&'static str, Vec<u8>, &'static str)> {
    let manifest =
        std::fs::read_to_string(guests::folder_of("hello-plugin").join("plugin.toml")).unwrap();
    let fund = guests::component("money-fund");
    vec![
        (
            "no wasm",
            b"MZ this is no component".to_vec(),
            "WebAssembly",
        ),
        (
            "no signature",
            guests::component("hello-plugin"),
            "not signed",
        ),
        ("cut short", fund[..fund.len() / 2].to_vec(), ""),
        ("without a manifest", b"\0asm\x0d\0\x01\0".to_vec(), ""),
        ("a manifest alone", manifest.into_bytes(), "WebAssembly"),
    ]
}

#[tokio::test(flavor = "multi_thread")]
async fn a_bad_upload_is_refused_with_its_cause_and_nothing_is_stored() {
    let sandbox = Sandbox::open(sqlite().await).await;
    sandbox.scenario().set_up().await.unwrap();
    let client = sandbox.fund_client().await;
    let token = client.token("releases:write").await.unwrap();
    for (case, upload, words) in bad_uploads() {
        let error = client.upload(&token, upload).await.unwrap_err().to_string();
        assert!(error.contains("(4"), "{case}: {error}");
        assert!(error.contains(words), "{case}: {error}");
    }
    let greedy = client.sign(&guests::component("guest-greedy")).unwrap();
    let error = client.upload(&token, greedy).await.unwrap_err().to_string();
    assert!(
        error.contains("storage") && error.contains("set"),
        "{error}"
    );
    let gap = client.sign(&guests::component("guest-gap")).unwrap();
    let error = client.upload(&token, gap).await.unwrap_err().to_string();
    let cause = "fees.lines[0].form.tiers[1]: a gap: no tier charges amounts from 100000000 below 200000000";
    assert!(error.contains("(4") && error.contains(cause), "{error}");
    let other = sandbox.authority_client().await;
    let forged = other.sign(&guests::component("hello-plugin")).unwrap();
    let error = client.upload(&token, forged).await.unwrap_err().to_string();
    assert!(error.contains("sign"), "{error}");
    let text = sandbox
        .operator()
        .await
        .open("/operator/audit")
        .await
        .unwrap()
        .text();
    assert!(text.contains("release.upload"), "{text}");
    sandbox.close().await;
}

impl Sandbox {
    async fn fund_client(&self) -> Client {
        self.client("fund", "steady-fund").await
    }

    async fn authority_client(&self) -> Client {
        self.client("authority", "traffic").await
    }

    async fn client(&self, login: &str, handle: &str) -> Client {
        let staff = self.log_in(login).await;
        let console = staff.open("/console").await.unwrap();
        let institution = console.id("ins_").unwrap();
        let page = staff
            .open(&format!("/console/{institution}"))
            .await
            .unwrap();
        Client::open(&PublishArgs {
            plugin: ".".into(),
            host: self.url.clone(),
            client_id: page.id("cli_").unwrap(),
            key: self
                .host
                .config
                .data
                .folder
                .join(format!("institutions/{handle}.pem")),
            activate: false,
            review_timeout: 1,
        })
        .unwrap()
    }
}
