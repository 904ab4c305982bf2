use super::*;

#[tokio::test]
async fn a_debit_moves_money_to_custody_once() {
    let platform = Platform::open().await;
    let link = platform.linked("wang").await;
    let (status, first) = platform
        .pay("btr_1", &link.access, &link.debit(30_000))
        .await;
    assert_eq!(status, StatusCode::CREATED);
    assert_eq!(first["state"], "done");
    assert_eq!(first["booked_at"], MORNING_MS);
    let (status, again) = platform
        .pay("btr_1", &link.access, &link.debit(30_000))
        .await;
    assert_eq!((status, &again), (StatusCode::OK, &first));
    assert_eq!(
        platform.query("btr_1", &link.access).await,
        (StatusCode::OK, first)
    );
    assert_eq!(platform.bank.custody_minor(), 30_000);
    let account = platform.bank.account(NUMBER).expect("one");
    assert_eq!(account.balance_minor, 70_000);
}

#[tokio::test]
async fn thirty_two_at_once_with_one_id_move_money_once() {
    let platform = Platform::open().await;
    let link = platform.linked("wang").await;
    let body = link.debit(100);
    let sends = (0..32).map(|_| platform.pay("btr_1", &link.access, &body));
    let mut created = 0;
    for (status, answer) in futures_of(sends).await {
        assert_eq!(answer["state"], "done");
        created += u32::from(status == StatusCode::CREATED);
    }
    assert_eq!((created, platform.bank.custody_minor()), (1, 100));
}

async fn futures_of<F: Future>(sends: impl Iterator<Item = F>) -> Vec<F::Output> {
    let mut waiting: Vec<_> = sends.map(Box::pin).collect();
    let mut answers = Vec::new();
    std::future::poll_fn(|context| {
        waiting.retain_mut(|send| match send.as_mut().poll(context) {
            std::task::Poll::Ready(answer) => {
                answers.push(answer);
                false
            }
            std::task::Poll::Pending => true,
        });
        if waiting.is_empty() {
            std::task::Poll::Ready(())
        } else {
            std::task::Poll::Pending
        }
    })
    .await;
    answers
}

#[tokio::test]
async fn the_same_id_with_another_body_is_refused() {
    let platform = Platform::open().await;
    let link = platform.linked("wang").await;
    platform.pay("btr_1", &link.access, &link.debit(100)).await;
    let (status, body) = platform.pay("btr_1", &link.access, &link.debit(101)).await;
    assert_eq!(status, StatusCode::CONFLICT);
    assert_eq!(body["type"], "urn:sandbox-bank:problem:id-reused");
    assert_eq!(platform.bank.custody_minor(), 100);
}

#[tokio::test]
async fn what_cannot_move_is_rejected_with_its_reason_and_stays_rejected() {
    let platform = Platform::open().await;
    let link = platform.linked("wang").await;
    let reason = |answer: &Value| text(&answer["reason"]);
    let (_, short) = platform
        .pay("btr_1", &link.access, &link.debit(100_001))
        .await;
    assert_eq!(
        (text(&short["state"]), reason(&short)),
        ("rejected".into(), "insufficient_funds".into())
    );
    let (_, exact) = platform
        .pay("btr_2", &link.access, &link.debit(100_000))
        .await;
    assert_eq!(exact["state"], "done");
    let (_, empty) = platform
        .pay("btr_3", &link.access, &link.credit(100_001))
        .await;
    assert_eq!(reason(&empty), "insufficient_funds");
    platform
        .control(
            "/control/accounts",
            json!({ "number": NUMBER, "closed": true }),
        )
        .await;
    let (_, closed) = platform.pay("btr_4", &link.access, &link.credit(1)).await;
    assert_eq!(reason(&closed), "account_closed");
    platform.bank.set_closed(NUMBER, false);
    let (status, again) = platform.pay("btr_4", &link.access, &link.credit(1)).await;
    assert_eq!((status, again), (StatusCode::OK, closed));
    assert_eq!(platform.bank.custody_minor(), 100_000);
}

#[tokio::test]
async fn a_malformed_payment_is_refused_at_the_limits() {
    let platform = Platform::open().await;
    let link = platform.linked("wang").await;
    let over = sandbox_bank::PAYMENT_MINOR_MAX + 1;
    for minor in [0, -1, over] {
        let (status, _) = platform
            .pay("btr_1", &link.access, &link.debit(minor))
            .await;
        assert_eq!(status, StatusCode::BAD_REQUEST, "{minor}");
    }
    let (status, _) = platform
        .pay("btr_1", &link.access, &link.debit(over - 1))
        .await;
    assert_eq!(status, StatusCode::CREATED);
    let mut dollars = link.debit(1);
    dollars["currency"] = json!("USD");
    assert_eq!(
        platform.pay("btr_2", &link.access, &dollars).await.0,
        StatusCode::BAD_REQUEST
    );
    let id = "x".repeat(sandbox_bank::PAYMENT_ID_CHARS_MAX);
    assert_eq!(
        platform.pay(&id, &link.access, &link.debit(1)).await.0,
        StatusCode::CREATED
    );
    let (status, _) = platform
        .pay(&format!("{id}x"), &link.access, &link.debit(1))
        .await;
    assert_eq!(status, StatusCode::BAD_REQUEST);
}

#[tokio::test]
async fn a_customer_moves_money_of_the_own_account_alone() {
    let platform = Platform::open().await;
    let wang = platform.linked("wang").await;
    let li = platform.linked("li").await;
    let (status, _) = platform.pay("btr_1", &li.access, &wang.debit(1)).await;
    assert_eq!(status, StatusCode::FORBIDDEN);
    platform.pay("btr_1", &wang.access, &wang.debit(1)).await;
    assert_eq!(
        platform.query("btr_1", &li.access).await.0,
        StatusCode::NOT_FOUND
    );
    assert_eq!(
        platform.query("btr_1", "guessed").await.0,
        StatusCode::UNAUTHORIZED
    );
    assert_eq!(
        platform.pay("btr_2", "", &wang.debit(1)).await.0,
        StatusCode::UNAUTHORIZED
    );
}

#[tokio::test]
async fn the_platform_pays_out_to_any_account_and_debits_those_that_let_it() {
    let platform = Platform::open().await;
    let link = platform.linked("wang").await;
    platform
        .pay("btr_1", &link.access, &link.debit(9_000))
        .await;
    let own = platform.own_token().await;
    let (status, answer) = platform
        .pay("pyo_1", &own, &payout(FUND_NUMBER, 8_000))
        .await;
    assert_eq!(
        (status, &answer["state"]),
        (StatusCode::CREATED, &json!("done"))
    );
    assert_eq!(
        platform
            .bank
            .account(FUND_NUMBER)
            .expect("one")
            .balance_minor,
        8_000
    );
    assert_eq!(platform.query("pyo_1", &own).await.1, answer);
    assert_eq!(
        platform.pay("btr_2", &own, &link.debit(1)).await.0,
        StatusCode::FORBIDDEN
    );
    let lends = |fen| {
        json!({ "direction": "debit", "account_number": LENDER_NUMBER, "amount_minor": fen,
                "currency": "CNY", "reference": "advance" })
    };
    let (status, lent) = platform.pay("btr_3", &own, &lends(500)).await;
    assert_eq!(
        (status, &lent["state"]),
        (StatusCode::CREATED, &json!("done"))
    );
    let (_, short) = platform.pay("btr_4", &own, &lends(1)).await;
    assert_eq!(short["reason"], "insufficient_funds");
    let (status, body) = platform.pay("pyo_2", &own, &payout("nobody", 1)).await;
    assert_eq!(status, StatusCode::UNPROCESSABLE_ENTITY);
    assert_eq!(body["type"], "urn:sandbox-bank:problem:unknown-account");
}
