use serde_json::{Value, json};

use crate::caller::Answer;
use crate::host::{Host, sign, text};

/// Demands a refusal of an upload by its stable code.
#[track_caller]
fn refused(answer: Answer, status: u16, code: &str) -> Answer {
    assert_eq!(
        (answer.status, answer.body["code"].as_str()),
        (status, Some(code)),
        "{}",
        answer.text
    );
    assert!(!answer.body["detail"].as_str().unwrap().is_empty());
    answer
}

#[tokio::test]
async fn a_release_is_uploaded_reviewed_started_and_rolled_back() {
    qiao_tests::each_database(|database| async move {
        let host = Host::open(database).await;
        let operator = host.operator().await;
        let fund = host.institution(&operator, "harvest").await;
        let server = host.server(&fund).await;
        let upload = host.signed(&fund, "money-fund");
        let answer = server
            .upload("/v1/releases", upload.clone())
            .await
            .expect(201);
        let path = format!("/v1/releases/{}", text(&answer.body["id"]));
        assert_eq!(answer.headers["location"], path.as_str());
        insta::assert_json_snapshot!("an_uploaded_release", answer.body, {
            ".id" => "[id]", ".plugin" => "[id]", ".digest" => "[digest]", ".signed_by" => "[kid]",
            ".report.upload_bytes" => "[bytes]", ".report.compiled_bytes" => "[bytes]",
            ".report.memory_bytes" => "[bytes]", ".report.fuel[].fuel" => "[fuel]",
        });
        let again = server.upload("/v1/releases", upload).await.expect(201);
        assert_eq!(again.body["id"], answer.body["id"]);

        let early = server.post(&format!("{path}/activate"), &json!({})).await;
        early.expect_problem(409, "wrong-state");
        let waiting = operator
            .get("/v1/releases/in-review")
            .await
            .expect(200)
            .body;
        assert_eq!(waiting["items"].as_array().unwrap().len(), 1);
        operator
            .post(&format!("{path}/approve"), &json!({}))
            .await
            .expect(204);
        let twice = operator.post(&format!("{path}/approve"), &json!({})).await;
        twice.expect_problem(409, "wrong-state");
        server
            .post(&format!("{path}/activate"), &json!({}))
            .await
            .expect(204);

        let plugin = text(&answer.body["plugin"]);
        let plugins = server.get("/v1/plugins").await.expect(200).body;
        assert_eq!(plugins["items"][0]["active_release"], answer.body["id"]);
        let products = format!("/v1/plugins/{plugin}/products");
        let products = host.guest().get(&products).await.expect(200).body;
        insta::assert_json_snapshot!("products_of_the_money_fund", products, {
            ".items[].id" => "[id]", ".items[].plugin" => "[id]", ".items[].institution" => "[id]",
        });
        let product = text(&products["items"][0]["id"]);
        let schedules = format!("/v1/products/{product}/fee-schedules");
        let schedules = host.guest().get(&schedules).await.expect(200).body;
        insta::assert_json_snapshot!("fee_schedules_of_the_money_fund", schedules, {
            ".items[].id" => "[id]",
        });
        host.guest()
            .get(&format!("/v1/products/{product}"))
            .await
            .expect(200);
        host.guest()
            .get(&format!("/v1/products/{product}/prices"))
            .await
            .expect(200);
        let account = host
            .guest()
            .get("/v1/public-accounts/harvest")
            .await
            .expect(200)
            .body;
        assert_eq!(account["menu"][0]["items"][0]["service"], "invest");

        let back = format!("/v1/plugins/{plugin}/roll-back");
        let current = server
            .post(&back, &json!({ "release": answer.body["id"] }))
            .await;
        current.expect_problem(409, "wrong-state");
        let stop = format!("/v1/plugins/{plugin}/stop");
        operator
            .post(&stop, &json!({ "reason": "a fault" }))
            .await
            .expect(204);
        server
            .post(&back, &json!({ "release": answer.body["id"] }))
            .await
            .expect(204);
        let invocations = format!("/v1/plugins/{plugin}/invocations");
        host.app
            .invocations
            .write_waiting(&host.app.runtime)
            .await
            .unwrap();
        let invocations = server.get(&invocations).await.expect(200).body;
        assert_eq!(invocations["items"][0]["outcome"], "answered");
    })
    .await;
}

#[tokio::test]
async fn a_bad_upload_is_refused_with_its_exact_cause_and_kept_in_the_audit_alone() {
    let host = Host::open(qiao_tests::sqlite().await).await;
    let operator = host.operator().await;
    let fund = host.institution(&operator, "harvest").await;
    let other = host.institution(&operator, "police").await;
    let server = host.server(&fund).await;
    let send = async |bytes: Vec<u8>| server.upload("/v1/releases", bytes).await;
    let component = qiao_tests::guests::component("hello-plugin");

    refused(send(Vec::new()).await, 422, "upload-empty");
    refused(send(b"not wasm".to_vec()).await, 422, "not-a-component");
    refused(send(component.clone()).await, 422, "signature-missing");
    refused(send(sign(&other, &component)).await, 422, "signature-wrong");
    let too_large = vec![0; qiao_registry::COMPONENT_BYTES_MAX + 1];
    refused(send(too_large).await, 413, "upload-too-large");
    let without_scopes = manifest_without_scopes("money-fund");
    let naked = qiao_tests::guests::component_with_manifest("money-fund", &without_scopes);
    let answer = refused(send(sign(&fund, &naked)).await, 422, "import-without-scope");
    insta::assert_snapshot!("an_import_without_its_scope", text(&answer.body["detail"]));

    let plugins = server.get("/v1/plugins").await.expect(200).body;
    assert_eq!(plugins["items"], json!([]));
    let audit = operator.get("/v1/audit").await.expect(200).body;
    let rows = audit["items"].as_array().unwrap();
    let uploads = rows.iter().filter(|row| row["action"] == "release.upload");
    assert_eq!(uploads.filter(|row| row["outcome"] == "refused").count(), 6);
}

fn manifest_without_scopes(package: &str) -> String {
    let path = qiao_tests::guests::folder_of(package).join("plugin.toml");
    let manifest = std::fs::read_to_string(path).unwrap();
    let is_scope = |line: &&str| !line.starts_with('"');
    manifest
        .lines()
        .filter(is_scope)
        .collect::<Vec<_>>()
        .join("\n")
}

#[tokio::test]
async fn one_institution_does_not_see_the_plugins_of_another() {
    let host = Host::open(qiao_tests::sqlite().await).await;
    let operator = host.operator().await;
    let fund = host.institution(&operator, "harvest").await;
    let other = host.institution(&operator, "police").await;
    let release = host.serving(&operator, &fund, "hello-plugin").await;
    let (id, plugin) = (text(&release["id"]), text(&release["plugin"]));
    let stranger = host.server(&other).await;
    for path in [
        format!("/v1/releases/{id}"),
        format!("/v1/plugins/{plugin}"),
        format!("/v1/plugins/{plugin}/releases"),
        format!("/v1/plugins/{plugin}/invocations"),
    ] {
        stranger.get(&path).await.expect_problem(404, "not-found");
    }
    let back = format!("/v1/plugins/{plugin}/roll-back");
    let body = json!({ "release": id });
    stranger
        .post(&back, &body)
        .await
        .expect_problem(404, "not-found");
    let activate = format!("/v1/releases/{id}/activate");
    stranger
        .post(&activate, &Value::Null)
        .await
        .expect_problem(404, "not-found");
}

#[tokio::test]
async fn a_rejected_release_keeps_its_reason_and_never_starts() {
    let host = Host::open(qiao_tests::sqlite().await).await;
    let operator = host.operator().await;
    let fund = host.institution(&operator, "harvest").await;
    let server = host.server(&fund).await;
    let upload = host.signed(&fund, "hello-plugin");
    let release = server.upload("/v1/releases", upload).await.expect(201).body;
    let path = format!("/v1/releases/{}", text(&release["id"]));
    let reason = json!({ "reason": "the summary misleads" });
    operator
        .post(&format!("{path}/reject"), &reason)
        .await
        .expect(204);
    let stored = server.get(&path).await.expect(200).body;
    assert_eq!(stored["state"], "rejected");
    assert_eq!(stored["reason"], "the summary misleads");
    let start = server.post(&format!("{path}/activate"), &json!({})).await;
    start.expect_problem(409, "wrong-state");
}
