use serde_json::json;

use crate::host::Host;
use crate::payments::fill;

/// The day of the tests' clock, and a period around it.
fn period(host: &Host) -> String {
    let today = host.app.env.now().day();
    format!("currency=CNY&from={}&to={today}", today.plus_days(-7))
}

#[tokio::test]
async fn a_server_reads_its_settlement_as_json_and_as_csv() {
    qiao_tests::each_database(|database| async move {
        let host = Host::open(database).await;
        let operator = host.operator().await;
        let fund = host.institution(&operator, "harvest").await;
        let police = host.institution(&operator, "police").await;
        let server = host.able_server(&fund).await;
        fill(&host, &fund, 10_000).await;
        let path = format!("/v1/settlements?account=settlement&{}", period(&host));
        let read = server.get(&path).await.expect(200).body;
        assert_eq!(read["receiver"], fund.id.as_str());
        assert_eq!(read["opening_minor"], 0);
        assert_eq!(read["credited_minor"], 10_000);
        assert_eq!(read["debited_minor"], 0);
        assert_eq!(read["closing_minor"], 10_000);
        assert_eq!(read["next"], json!(null));
        let line = &read["lines"][0];
        assert_eq!(line["kind"], "payment");
        assert_eq!(line["purpose"], "principal");
        assert_eq!(line["gross_minor"], 10_000);
        assert_eq!(line["fees_minor"], 0);
        assert_eq!(line["change_minor"], 10_000);
        assert_eq!(line["balance_minor"], 10_000);
        assert_eq!(line["description"], "filled by a test");
        let path = format!("/v1/settlements.csv?account=settlement&{}", period(&host));
        let csv = server.get(&path).await.expect(200);
        assert_eq!(csv.headers["content-type"], "text/csv; charset=utf-8");
        let disposition = csv.headers["content-disposition"].to_str().unwrap();
        assert!(disposition.starts_with("attachment; filename=\"settlement-"));
        let rows: Vec<&str> = csv.text.lines().collect();
        assert_eq!(rows.len(), 4);
        assert!(rows[1].contains("opening") && rows[1].contains("0.00"));
        assert!(rows[2].contains("principal") && rows[2].contains("100.00"));
        assert!(rows[3].contains("closing") && rows[3].contains("100.00"));

        // Another institution reads its own, which is empty.
        let other = host.able_server(&police).await;
        let path = format!("/v1/settlements?account=settlement&{}", period(&host));
        let empty = other.get(&path).await.expect(200).body;
        assert_eq!(empty["lines"], json!([]));
        for wrong in [
            "account=cash&currency=CNY&from=2026-11-01&to=2026-11-02",
            "account=settlement&currency=cny&from=2026-11-01&to=2026-11-02",
            "account=settlement&currency=CNY&from=2026-11-02&to=2026-11-01",
            "account=settlement&currency=CNY&from=2025-01-01&to=2026-11-01",
        ] {
            let path = format!("/v1/settlements?{wrong}");
            server.get(&path).await.expect_problem(422, "invalid-value");
        }
    })
    .await;
}

#[tokio::test]
async fn an_operator_sets_terms_and_reads_every_receiver() {
    qiao_tests::each_database(|database| async move {
        let host = Host::open(database).await;
        let operator = host.operator().await;
        let fund = host.institution(&operator, "harvest").await;
        let server = host.able_server(&fund).await;
        fill(&host, &fund, 10_000).await;
        let terms = "/v1/settlement-terms";
        server.get(terms).await.expect_problem(404, "not-found");
        let path = format!("/v1/institutions/{}/settlement-terms", fund.id);
        let new = json!({ "days": 1, "account_number": "6222029900000001", "minimum_minor": 0 });
        operator.post(&path, &new).await.expect(200);
        assert_eq!(server.get(terms).await.expect(200).body["state"], "active");
        let mut late = new.clone();
        late["days"] = json!(6);
        let refused = operator.post(&path, &late).await;
        refused.expect_problem(422, "invalid-value");
        let nobody = "/v1/institutions/ins_00000000000000000000000001/settlement-terms";
        let refused = operator.post(nobody, &new).await;
        refused.expect_problem(404, "not-found");
        let approve = format!("{path}/approve");
        let refused = operator.post(&approve, &json!({})).await;
        refused.expect_problem(404, "not-found");
        for receiver in [fund.id.as_str(), "platform", "bank:river", "channel:river"] {
            let of = format!("receiver={receiver}&{}", period(&host));
            let path = format!("/v1/receiver-settlements?{of}");
            let read = operator.get(&path).await.expect(200).body;
            assert_eq!(read["receiver"], receiver);
        }
        assert_eq!(
            server.get("/v1/payouts").await.expect(200).body["items"],
            json!([])
        );
    })
    .await;
}

#[tokio::test]
async fn an_operator_sees_that_play_money_is_at_no_bank() {
    qiao_tests::each_database(|database| async move {
        let host = Host::open(database).await;
        let operator = host.operator().await;
        let fund = host.institution(&operator, "harvest").await;
        let sound = operator.get("/v1/custody").await.expect(200).body;
        assert_eq!(sound["holds"], true);
        assert_eq!(sound["doubts"], json!([]));
        fill(&host, &fund, 10_000).await;
        let broken = operator.get("/v1/custody").await.expect(200).body;
        assert_eq!(broken["holds"], false);
        let doubt = "100.00 CNY are play money, which no bank keeps";
        let doubts = broken["doubts"].as_array().unwrap();
        assert!(doubts.contains(&json!(doubt)), "{doubts:?}");
        let payout = "/v1/payouts/pyo_00000000000000000000000001/give-up";
        let refused = operator.post(payout, &json!({ "reason": "no" })).await;
        refused.expect_problem(404, "not-found");
        assert_eq!(broken["play_minor"], 10_000);
        assert_eq!(broken["institutions_minor"], 10_000);
        for path in ["/v1/cases", "/v1/cases?state=open", "/v1/reconciliations"] {
            let listed = operator.get(path).await.expect(200).body;
            assert_eq!(listed["items"], json!([]));
        }
        let unknown = operator.get("/v1/cases?state=lost").await;
        unknown.expect_problem(422, "invalid-value");
        let end = json!({ "state": "explained", "note": "seen" });
        let missing = "/v1/cases/cse_00000000000000000000000001/end";
        let refused = operator.post(missing, &end).await;
        refused.expect_problem(404, "not-found");
        let day = json!({ "channel": "nobody", "day": "2026-11-25" });
        let refused = operator.post("/v1/reconciliations", &day).await;
        refused.expect_problem(404, "not-found");
    })
    .await;
}

#[tokio::test]
async fn staff_propose_terms_by_hand_and_an_operator_approves_them() {
    let host = Host::open(qiao_tests::sqlite().await).await;
    let operator = host.operator().await;
    let fund = host.institution(&operator, "harvest").await;
    fill(&host, &fund, 10_000).await;
    let mut staff = host.logged_in("founder-of-harvest").await;
    let mut ops = host.logged_in("ops").await;
    let here = format!("/console/{}/settlement", fund.id);
    let page = staff.open(&here).await.expect(200);
    page.says("say where you want to be paid").says("100.00");
    let terms = format!("{here}/terms");
    let bad = [
        ("days", "1"),
        ("account_number", "1 2"),
        ("minimum", "0.00"),
    ];
    let refused = staff.fill(&terms, "terms", &bad).await.expect(422);
    refused.says("Terms say T+0 to T+5");
    let good = [
        ("days", "2"),
        ("account_number", "6222029900000001"),
        ("minimum", "100.00"),
    ];
    let proposed = staff.fill(&terms, "terms", &good).await.expect(200);
    proposed.says("wait for an operator");
    let payouts = ops.open("/operator/payouts").await.expect(200);
    payouts.says("proposed").says("T+2");
    let approve = format!("/operator/payouts/terms/{}", fund.id);
    let approved = ops.fill(&approve, "confirm", &[]).await.expect(200);
    approved.says("The terms hold from now on").says("active");
    let page = staff.open(&here).await.expect(200);
    page.says("You are paid at T+2");
    ops.open(&approve).await.expect(404);
    ops.open("/operator/custody")
        .await
        .expect(200)
        .says("it does not add up")
        .says("play money, which no bank keeps");
}
