//! What the doors take at most, at the limit and one past it.

use std::collections::BTreeMap;

use axum::body::Body;
use axum::http::Request;
use qiao_web::{BODY_BYTES_MAX, FIELDS_MAX, UPLOAD_BYTES_MAX};

use crate::host::Host;

#[tokio::test]
async fn a_body_of_the_longest_length_is_read_and_a_longer_one_is_not() {
    let host = Host::open(qiao_tests::sqlite().await).await;
    let guest = host.guest();
    let log_in = async |bytes: usize| {
        let body = r#"{"login":"nobody","password":"correct horse"}"#;
        let request = Request::post("/v1/sessions").header("content-type", "application/json");
        let body = format!("{body}{}", " ".repeat(bytes - body.len()));
        guest.send(request.body(Body::from(body)).unwrap()).await
    };
    let longest = log_in(BODY_BYTES_MAX).await;
    longest.expect_problem(401, "wrong-credentials");
    let longer = log_in(BODY_BYTES_MAX + 1).await;
    longer.expect_problem(413, "body-too-large");
}

#[tokio::test]
async fn an_uploaded_form_of_the_longest_length_is_read_and_a_longer_one_is_not() {
    let host = Host::open(qiao_tests::sqlite().await).await;
    let operator = host.operator().await;
    let fund = host.institution(&operator, "harvest").await;
    let mut staff = host.logged_in("founder-of-harvest").await;
    let path = format!("/console/{}/releases/upload", fund.id);
    let form = staff.open(&path).await.expect(200);
    let around = form.bytes_around_a_file("upload");
    let mut upload = async |bytes: usize| {
        let file = vec![0; bytes - around];
        staff.upload(&form, "upload", &file).await
    };
    // Read as a whole, and found to be no component.
    upload(UPLOAD_BYTES_MAX).await.expect(422);
    upload(UPLOAD_BYTES_MAX + 1).await.expect(413);
}

#[tokio::test]
async fn a_form_of_the_most_fields_is_read_and_one_more_is_refused() {
    let host = Host::open(qiao_tests::sqlite().await).await;
    let mut li = host.visitor("li.wei").await;
    let page = li.open("/pin").await.expect(200);
    let (action, values) = page.form("pin");
    let mut send = async |fields: usize| {
        let mut values: BTreeMap<String, String> = values.clone();
        let missing = fields - values.len();
        values.extend((0..missing).map(|n| (format!("more{n}"), String::new())));
        li.post(&action, &values).await
    };
    // The form is read, and its PIN is none.
    send(FIELDS_MAX).await.expect(422);
    send(FIELDS_MAX + 1).await.expect(400);
}
