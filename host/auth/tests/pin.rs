//! The payment PIN and its lock.
#![expect(
    clippy::unwrap_used,
    reason = "a test stops where something is missing"
)]

mod room;

use std::time::Duration;

use qiao_auth::{Error, PIN_LOCK_SECS, PIN_MEMORY_SECS, PIN_TRIES_MAX, Permit, Session};
use qiao_tests::each_database;
use room::secret;

const PIN: &str = "135790";
const WRONG: &str = "246801";

#[tokio::test]
async fn a_pin_is_set_once_and_changed_with_the_old_one() {
    each_database(|database| async move {
        let room = room::open(database).await;
        let (user, permit) = room.user("li.wei").await;
        let verify = async |pin: &str| room.auth.verify_pin(&permit, &secret(pin)).await;
        assert!(!room.auth.has_pin(&permit).await.unwrap());
        assert!(matches!(verify(PIN).await, Err(Error::NoPin)));
        let weak = room.auth.set_pin(&permit, &secret("123456")).await;
        assert!(matches!(weak, Err(Error::WeakPin)));
        room.auth.set_pin(&permit, &secret(PIN)).await.unwrap();
        assert!(room.auth.has_pin(&permit).await.unwrap());
        let again = room.auth.set_pin(&permit, &secret(WRONG)).await;
        assert!(matches!(again, Err(Error::PinAlreadySet)));
        let proof = verify(PIN).await.unwrap();
        assert_eq!(proof.user(), user);
        room.auth
            .change_pin(&permit, proof, &secret("975310"))
            .await
            .unwrap();
        assert!(matches!(verify(PIN).await, Err(Error::WrongPin { .. })));
        verify("975310").await.unwrap();
    })
    .await;
}

#[tokio::test]
async fn the_last_wrong_pin_locks_and_the_lock_runs_out() {
    each_database(|database| async move {
        let room = room::open(database).await;
        let (_, permit) = room.user("li.wei").await;
        room.auth.set_pin(&permit, &secret(PIN)).await.unwrap();
        let verify = async |pin: &str| room.auth.verify_pin(&permit, &secret(pin)).await;
        let mut left = u32::try_from(PIN_TRIES_MAX).unwrap();
        while left > 1 {
            left -= 1;
            let wrong = verify(WRONG).await;
            assert!(matches!(wrong, Err(Error::WrongPin { tries_left }) if tries_left == left));
        }
        let until = room.env.now().plus_secs(PIN_LOCK_SECS);
        for pin in [WRONG, PIN] {
            let locked = verify(pin).await;
            assert!(matches!(locked, Err(Error::PinLocked { until: at }) if at == until));
        }
        room.clock.advance_millis(PIN_LOCK_SECS * 1000 - 1);
        assert!(matches!(verify(PIN).await, Err(Error::PinLocked { .. })));
        room.clock.advance_millis(1);
        assert!(matches!(
            verify(WRONG).await,
            Err(Error::WrongPin { tries_left: 4 })
        ));
        verify(PIN).await.unwrap();
        assert!(matches!(
            verify(WRONG).await,
            Err(Error::WrongPin { tries_left: 4 })
        ));
    })
    .await;
}

#[tokio::test]
async fn what_no_pin_looks_like_is_refused_and_costs_no_try() {
    each_database(|database| async move {
        let room = room::open(database).await;
        let (_, permit) = room.user("li.wei").await;
        let verify = async |pin: &str| room.auth.verify_pin(&permit, &secret(pin)).await;
        assert!(matches!(verify("").await, Err(Error::NoPin)));
        room.auth.set_pin(&permit, &secret(PIN)).await.unwrap();
        let all = u32::try_from(PIN_TRIES_MAX).unwrap();
        for slip in ["", "13579", "1357900", "13579O", "135 790"] {
            let refused = verify(slip).await;
            assert!(matches!(refused, Err(Error::WrongPin { tries_left }) if tries_left == all));
        }
        for _ in 0..PIN_TRIES_MAX {
            verify(WRONG).await.unwrap_err();
        }
        assert!(matches!(verify("").await, Err(Error::PinLocked { .. })));
        room.clock.advance_millis(PIN_LOCK_SECS * 1000);
        assert!(
            matches!(verify("").await, Err(Error::WrongPin { tries_left }) if tries_left == all)
        );
        verify(PIN).await.unwrap();
    })
    .await;
}

#[tokio::test]
async fn tries_in_parallel_gain_nothing() {
    each_database(|database| async move {
        let room = room::open(database).await;
        let (_, permit) = room.user("li.wei").await;
        room.auth.set_pin(&permit, &secret(PIN)).await.unwrap();
        let mut tries = tokio::task::JoinSet::new();
        for _ in 0..PIN_TRIES_MAX * 3 {
            let (auth, permit) = (room.other_node.clone(), permit.clone());
            tries.spawn(async move { auth.verify_pin(&permit, &secret(WRONG)).await });
        }
        let outcomes = tries.join_all().await;
        assert!(outcomes.iter().all(Result::is_err));
        let wrong = outcomes
            .iter()
            .filter(|outcome| matches!(outcome, Err(Error::WrongPin { .. })));
        // The last of the five that were compared answers that it locked.
        assert_eq!(i64::try_from(wrong.count()).unwrap(), PIN_TRIES_MAX - 1);
        let right = room.auth.verify_pin(&permit, &secret(PIN)).await;
        assert!(matches!(right, Err(Error::PinLocked { .. })));
    })
    .await;
}

#[tokio::test]
async fn a_proof_is_of_one_person_and_of_this_moment() {
    each_database(|database| async move {
        let room = room::open(database).await;
        let (user, permit) = room.user("li.wei").await;
        let (_, stranger) = room.user("stranger").await;
        room.auth.set_pin(&permit, &secret(PIN)).await.unwrap();
        let proof = room.auth.verify_pin(&permit, &secret(PIN)).await.unwrap();
        let now = room.env.now();
        assert_eq!(proof.is_of(&permit, now.plus_secs(119)).unwrap(), user);
        assert!(matches!(
            proof.is_of(&permit, now.plus_secs(120)),
            Err(Error::InvalidPinProof)
        ));
        assert!(matches!(
            proof.is_of(&stranger, now),
            Err(Error::InvalidPinProof)
        ));
        let theft = room.auth.change_pin(&stranger, proof, &secret(WRONG)).await;
        assert!(matches!(theft, Err(Error::InvalidPinProof)));
        let nobody = room.auth.verify_pin(&stranger, &secret(PIN)).await;
        assert!(matches!(nobody, Err(Error::NoPin)));
    })
    .await;
}

#[tokio::test]
async fn only_a_person_for_themselves_has_a_pin() {
    each_database(|database| async move {
        let room = room::open(database).await;
        let operator = room.operator().await;
        for outcome in [
            room.auth.set_pin(&operator, &secret(PIN)).await,
            room.auth
                .verify_pin(&operator, &secret(PIN))
                .await
                .map(drop),
            room.auth.has_pin(&operator).await.map(drop),
        ] {
            assert!(matches!(outcome, Err(Error::Denied(_))));
        }
    })
    .await;
}

/// A person with a PIN that their session just had right.
async fn remembered(room: &room::Room) -> (Session, Permit) {
    let (_, permit) = room.user("li.wei").await;
    room.auth.set_pin(&permit, &secret(PIN)).await.unwrap();
    let session = room.sign_in("li.wei").await;
    let pin = secret(PIN);
    let first = room.auth.verify_pin_in_session(&permit, &session, &pin);
    first.await.unwrap();
    (session, permit)
}

/// Whether a PIN is recognised without a comparison: that one counts its try first,
/// and cannot while the row is locked.
async fn is_recognised(room: &room::Room, session: &Session, permit: &Permit, pin: &str) -> bool {
    let mut tx = room.database.db.begin().await.unwrap();
    let lock = tx.pick(
        "select 1 from payment_pin",
        "select 1 from payment_pin for update",
    );
    sqlx::query(lock).fetch_all(tx.conn()).await.unwrap();
    let pin = secret(pin);
    let verified = room.auth.verify_pin_in_session(permit, session, &pin);
    let answer = tokio::time::timeout(Duration::from_millis(250), verified).await;
    tx.rollback().await.unwrap();
    answer.is_ok_and(|verified| verified.is_ok())
}

#[tokio::test]
async fn a_right_pin_is_recognised_in_its_session_alone() {
    each_database(|database| async move {
        let room = room::open(database).await;
        let (session, permit) = remembered(&room).await;
        assert!(is_recognised(&room, &session, &permit, PIN).await);
        assert!(!is_recognised(&room, &session, &permit, WRONG).await);
        let other = room.sign_in("li.wei").await;
        assert!(!is_recognised(&room, &other, &permit, PIN).await);
        let (_, stranger) = room.user("stranger").await;
        let pin = secret(PIN);
        let theft = room.auth.verify_pin_in_session(&stranger, &session, &pin);
        assert!(matches!(theft.await, Err(Error::InvalidPinProof)));
    })
    .await;
}

#[tokio::test]
async fn a_recognised_pin_is_forgotten_after_minutes() {
    each_database(|database| async move {
        let room = room::open(database).await;
        let (session, permit) = remembered(&room).await;
        room.clock.advance_millis(PIN_MEMORY_SECS * 1000 - 1);
        assert!(is_recognised(&room, &session, &permit, PIN).await);
        room.clock.advance_millis(1);
        assert!(!is_recognised(&room, &session, &permit, PIN).await);
    })
    .await;
}

#[tokio::test]
async fn a_changed_pin_is_not_recognised_by_the_old_one() {
    each_database(|database| async move {
        let room = room::open(database).await;
        let (session, permit) = remembered(&room).await;
        let proof = room.other_node.verify_pin(&permit, &secret(PIN)).await;
        let new = secret(WRONG);
        let change = (room.other_node).change_pin(&permit, proof.unwrap(), &new);
        change.await.unwrap();
        let old = secret(PIN);
        let old = room.auth.verify_pin_in_session(&permit, &session, &old);
        assert!(matches!(old.await, Err(Error::WrongPin { tries_left: 4 })));
    })
    .await;
}

#[tokio::test]
async fn a_wrong_pin_is_counted_beside_a_remembered_one_and_ends_it() {
    each_database(|database| async move {
        let room = room::open(database).await;
        let (session, permit) = remembered(&room).await;
        let verify = async |pin: &str| {
            let pin = secret(pin);
            let verified = room.auth.verify_pin_in_session(&permit, &session, &pin);
            verified.await
        };
        let first = verify(WRONG).await;
        assert!(matches!(first, Err(Error::WrongPin { tries_left: 4 })));
        assert!(!is_recognised(&room, &session, &permit, PIN).await);
        for _ in 1..PIN_TRIES_MAX {
            assert!(verify(WRONG).await.is_err());
        }
        assert!(matches!(verify(PIN).await, Err(Error::PinLocked { .. })));
        room.clock.advance_millis(PIN_LOCK_SECS * 1000);
        verify(PIN).await.unwrap();
        assert!(is_recognised(&room, &session, &permit, PIN).await);
    })
    .await;
}

#[tokio::test]
async fn a_session_that_ended_is_not_recognised() {
    each_database(|database| async move {
        let room = room::open(database).await;
        let (user, permit) = room.user("li.wei").await;
        room.auth.set_pin(&permit, &secret(PIN)).await.unwrap();
        let password = secret(room::PASSWORD);
        let token = room.auth.log_in("li.wei", &password).await.unwrap();
        let session = room.auth.session(token.expose()).await.unwrap().unwrap();
        assert_eq!(session.user(), user);
        let pin = secret(PIN);
        let right = room.auth.verify_pin_in_session(&permit, &session, &pin);
        right.await.unwrap();
        room.auth.log_out(token.expose()).await.unwrap();
        assert!(room.auth.session(token.expose()).await.unwrap().is_none());
        assert!(!is_recognised(&room, &session, &permit, PIN).await);
    })
    .await;
}
