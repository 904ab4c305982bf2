//! The audit: kept for good, and read by operators alone.
#![expect(
    clippy::unwrap_used,
    reason = "a test stops where something is missing"
)]

mod room;

use qiao_auth::{AUDIT_PAGE_ROWS, Actor, AuditEntry, Error, Outcome};
use qiao_tests::each_database;
use room::secret;

#[tokio::test]
async fn an_operator_reads_the_audit_page_by_page_newest_first() {
    each_database(|database| async move {
        let room = room::open(database).await;
        let operator = room.operator().await;
        let actor = Actor::System("test");
        for number in 0..AUDIT_PAGE_ROWS {
            room.clock.advance_millis(1);
            let entry = AuditEntry::refused(&actor, "test.action", number, "because");
            room.auth.audit(entry).await.unwrap();
        }
        let page = room.auth.audit_page(&operator, None).await.unwrap();
        assert_eq!(page.len(), usize::try_from(AUDIT_PAGE_ROWS).unwrap());
        assert_eq!(page[0].subject, (AUDIT_PAGE_ROWS - 1).to_string());
        assert_eq!(page[0].outcome, Outcome::Refused);
        assert_eq!(
            (page[0].actor.as_str(), page[0].detail.as_str()),
            ("system test", "because")
        );
        assert_eq!(page[0].at, room.env.now());
        let last = page.last().unwrap();
        let older = room
            .auth
            .audit_page(&operator, Some(&last.id))
            .await
            .unwrap();
        assert!(older.iter().any(|row| row.action == "operator.add"));
        assert!(older.iter().all(|row| row.id < last.id));
    })
    .await;
}

#[tokio::test]
async fn refusals_and_decisions_leave_their_rows() {
    each_database(|database| async move {
        let room = room::open(database).await;
        let operator = room.operator().await;
        let (user, account) = room.user("li.wei").await;
        room.auth
            .log_in("li.wei", &secret("a wrong secret"))
            .await
            .unwrap_err();
        room.auth
            .log_in("nobody", &secret("a wrong secret"))
            .await
            .unwrap_err();
        let rows = room.auth.audit_of(&operator, "li.wei").await.unwrap();
        let told: Vec<_> = rows
            .iter()
            .map(|row| (row.action.as_str(), row.outcome))
            .collect();
        assert!(told.contains(&("user.sign_up", Outcome::Allowed)));
        assert!(told.contains(&("user.log_in", Outcome::Allowed)));
        assert!(told.contains(&("user.log_in", Outcome::Refused)));
        // Anybody can think of names that nobody has, and no row goes away.
        assert!(
            room.auth
                .audit_of(&operator, "nobody")
                .await
                .unwrap()
                .is_empty()
        );
        room.auth
            .set_pin(&account, &secret("135790"))
            .await
            .unwrap();
        room.auth
            .verify_pin(&account, &secret("246801"))
            .await
            .unwrap_err();
        let rows = room
            .auth
            .audit_of(&operator, &user.to_string())
            .await
            .unwrap();
        let told: Vec<_> = rows
            .iter()
            .map(|row| (row.action.as_str(), row.outcome))
            .collect();
        assert!(told.contains(&("pin.set", Outcome::Allowed)));
        assert!(told.contains(&("pin.verify", Outcome::Refused)));
        let all = format!("{rows:?}");
        assert!(!all.contains("246801") && !all.contains("135790"));
    })
    .await;
}

#[tokio::test]
async fn nobody_else_reads_the_audit() {
    each_database(|database| async move {
        let room = room::open(database).await;
        let (_, account) = room.user("li.wei").await;
        let page = room.auth.audit_page(&account, None).await;
        assert!(matches!(page, Err(Error::Denied(_))));
        let page = room.auth.audit_of(&account, "li.wei").await;
        assert!(matches!(page, Err(Error::Denied(_))));
    })
    .await;
}

#[tokio::test]
async fn a_row_of_the_audit_never_changes_or_goes() {
    each_database(|database| async move {
        let room = room::open(database).await;
        room.operator().await;
        for statement in ["update audit set detail = 'nothing'", "delete from audit"] {
            let mut tx = room.database.db.begin().await.unwrap();
            let error = sqlx::query(statement).execute(tx.conn()).await.unwrap_err();
            assert!(error.to_string().contains("audit rows never"), "{error}");
            tx.rollback().await.unwrap();
        }
    })
    .await;
}
