//! Signing up and in, throttling, sessions, staff and operators.
#![expect(
    clippy::unwrap_used,
    reason = "a test stops where something is missing"
)]

mod room;

use qiao_auth::{
    Actor, Error, LOGIN_FAILURES_FREE, LOGIN_LOCK_SECS_FIRST, NewUser, PluginCaller,
    SESSION_LIFETIME_SECS,
};
use qiao_model::{InstitutionId, PluginId, ReleaseId, Scope, ScopeSet};
use qiao_tests::each_database;
use room::{PASSWORD, Room, person, secret};

#[tokio::test]
async fn a_person_signs_up_and_in_and_a_log_out_counts_at_once_on_every_node() {
    each_database(|database| async move {
        let room = room::open(database).await;
        let user = room.auth.sign_up(person("Li.Wei")).await.unwrap();
        let token = room
            .auth
            .log_in(" LI.WEI ", &secret(PASSWORD))
            .await
            .unwrap();
        for node in [&room.auth, &room.other_node, &room.other_node] {
            let session = node.session(token.expose()).await.unwrap().unwrap();
            assert_eq!((session.user(), session.login()), (user, "li.wei"));
            assert_eq!(session.name(), "Li Wei");
            assert!(!session.is_operator() && session.institutions().is_empty());
        }
        room.auth.log_out(token.expose()).await.unwrap();
        assert_eq!(room.other_node.session(token.expose()).await.unwrap(), None);
        assert_eq!(room.auth.session(token.expose()).await.unwrap(), None);
        room.auth.log_out(token.expose()).await.unwrap();
    })
    .await;
}

#[tokio::test]
async fn what_cannot_be_an_account_is_refused_with_its_cause() {
    each_database(|database| async move {
        let room = room::open(database).await;
        room.auth.sign_up(person("li.wei")).await.unwrap();
        let refused = async |change: fn(&mut NewUser)| {
            let mut new = person("new.person");
            change(&mut new);
            room.auth.sign_up(new).await.unwrap_err()
        };
        let taken = refused(|new| new.login = "LI.wei".to_owned()).await;
        assert!(matches!(taken, Error::LoginTaken(login) if login == "li.wei"));
        let login = refused(|new| new.login = "li wei".to_owned()).await;
        assert!(matches!(login, Error::InvalidLogin));
        for name in ["", "  ", "Li\nWei"] {
            let mut new = person("new.person");
            name.clone_into(&mut new.name);
            let error = room.auth.sign_up(new).await.unwrap_err();
            assert!(matches!(error, Error::InvalidName), "{name:?}");
        }
        let weak = refused(|new| new.password = secret("short")).await;
        assert!(matches!(weak, Error::WeakPassword));
    })
    .await;
}

#[tokio::test]
async fn two_who_sign_up_at_once_do_not_share_a_name() {
    each_database(|database| async move {
        let room = room::open(database).await;
        let (a, b) = tokio::join!(
            room.auth.sign_up(person("li.wei")),
            room.other_node.sign_up(person("li.wei"))
        );
        let outcomes = [a.is_ok(), b.is_ok()];
        assert!(outcomes.contains(&true) && outcomes.contains(&false));
        let error = a.err().or(b.err()).unwrap();
        assert!(matches!(error, Error::LoginTaken(_)), "{error}");
    })
    .await;
}

#[tokio::test]
async fn a_wrong_password_and_an_unknown_name_answer_the_same() {
    each_database(|database| async move {
        let room = room::open(database).await;
        room.auth.sign_up(person("li.wei")).await.unwrap();
        for (login, password) in [("li.wei", "a wrong secret"), ("nobody", PASSWORD)] {
            let error = room
                .auth
                .log_in(login, &secret(password))
                .await
                .unwrap_err();
            assert!(matches!(error, Error::WrongCredentials), "{login}");
        }
    })
    .await;
}

#[tokio::test]
async fn guesses_are_throttled_for_a_while_and_a_right_one_forgets_them() {
    each_database(|database| async move {
        let room = room::open(database).await;
        room.auth.sign_up(person("li.wei")).await.unwrap();
        let guess = || async { room.auth.log_in("li.wei", &secret("a wrong secret")).await };
        for _ in 0..=LOGIN_FAILURES_FREE {
            assert!(matches!(guess().await, Err(Error::WrongCredentials)));
        }
        let right = room.other_node.log_in("li.wei", &secret(PASSWORD)).await;
        let Err(Error::TooManyAttempts { retry_after_secs }) = right else {
            panic!("a guess during the pause was compared: {right:?}");
        };
        room.clock.advance_millis(LOGIN_LOCK_SECS_FIRST * 1000 - 1);
        assert!(matches!(guess().await, Err(Error::TooManyAttempts { .. })));
        assert!(retry_after_secs >= LOGIN_LOCK_SECS_FIRST);
        room.clock.advance_millis(1);
        room.auth.log_in("li.wei", &secret(PASSWORD)).await.unwrap();
        for _ in 0..=LOGIN_FAILURES_FREE {
            assert!(matches!(guess().await, Err(Error::WrongCredentials)));
        }
    })
    .await;
}

#[tokio::test]
async fn what_is_no_log_in_name_leaves_nothing_behind() {
    each_database(|database| async move {
        let room = room::open(database).await;
        let operator = room.operator().await;
        let audited = room.auth.audit_page(&operator, None).await.unwrap();
        for login in [
            "",
            "ab",
            "li wei",
            "a\0b",
            &"x".repeat(65),
            &"x".repeat(4_000),
        ] {
            let refused = room.auth.log_in(login, &secret(PASSWORD)).await;
            assert!(matches!(refused, Err(Error::WrongCredentials)), "{login:?}");
        }
        assert_eq!(throttled(&room).await, []);
        let after = room.auth.audit_page(&operator, None).await.unwrap();
        assert_eq!(after, audited);
        let longest = "x".repeat(64);
        let counted = room.auth.log_in(&longest, &secret(PASSWORD)).await;
        assert!(matches!(counted, Err(Error::WrongCredentials)));
        assert_eq!(throttled(&room).await, [(longest, 1, 0)]);
    })
    .await;
}

#[tokio::test]
async fn guesses_during_a_pause_are_counted_in_one_row_and_audited_once() {
    each_database(|database| async move {
        let room = room::open(database).await;
        let operator = room.operator().await;
        room.auth.sign_up(person("li.wei")).await.unwrap();
        let guess = || async { room.auth.log_in("li.wei", &secret("a wrong secret")).await };
        let refused = async || {
            let rows = room.auth.audit_of(&operator, "li.wei").await.unwrap();
            rows.iter()
                .filter(|row| row.action == "user.log_in")
                .count()
        };
        let failures = LOGIN_FAILURES_FREE + 1;
        for _ in 0..failures {
            assert!(matches!(guess().await, Err(Error::WrongCredentials)));
        }
        let before = refused().await;
        for _ in 0..7 {
            assert!(matches!(guess().await, Err(Error::TooManyAttempts { .. })));
        }
        assert_eq!(refused().await, before + 1);
        assert_eq!(throttled(&room).await, [("li.wei".to_owned(), failures, 7)]);
        room.clock.advance_millis(LOGIN_LOCK_SECS_FIRST * 1000);
        assert!(matches!(guess().await, Err(Error::WrongCredentials)));
        assert!(matches!(guess().await, Err(Error::TooManyAttempts { .. })));
        assert_eq!(refused().await, before + 3);
        let row = ("li.wei".to_owned(), failures + 1, 1);
        assert_eq!(throttled(&room).await, [row]);
    })
    .await;
}

/// Each throttled name with its failures and the refusals of its present pause.
async fn throttled(room: &Room) -> Vec<(String, i64, i64)> {
    sqlx::query_as("select login, failures, refusals from login_throttle order by login")
        .fetch_all(room.database.db.reads())
        .await
        .unwrap()
}

#[tokio::test]
async fn guesses_in_parallel_gain_nothing() {
    each_database(|database| async move {
        let room = room::open(database).await;
        room.auth.sign_up(person("li.wei")).await.unwrap();
        let mut guesses = tokio::task::JoinSet::new();
        for guess in 0..LOGIN_FAILURES_FREE * 3 {
            let auth = [&room.auth, &room.other_node][usize::from(guess % 2 == 0)].clone();
            guesses.spawn(async move { auth.log_in("li.wei", &secret("a wrong secret")).await });
        }
        let outcomes = guesses.join_all().await;
        let compared = outcomes
            .iter()
            .filter(|outcome| matches!(outcome, Err(Error::WrongCredentials)));
        assert_eq!(
            i64::try_from(compared.count()).unwrap(),
            LOGIN_FAILURES_FREE + 1
        );
    })
    .await;
}

#[tokio::test]
async fn a_session_ends_with_its_lifetime_and_its_token_is_not_stored() {
    each_database(|database| async move {
        let room = room::open(database).await;
        room.auth.sign_up(person("li.wei")).await.unwrap();
        let token = room.auth.log_in("li.wei", &secret(PASSWORD)).await.unwrap();
        let (stored,): (i64,) =
            sqlx::query_as("select count(*) from session where token_hash like $1 or id = $2")
                .bind(format!("%{}%", token.expose()))
                .bind(token.expose())
                .fetch_one(room.database.db.reads())
                .await
                .unwrap();
        assert_eq!(stored, 0);
        room.clock.advance_millis(SESSION_LIFETIME_SECS * 1000 - 1);
        assert!(room.auth.session(token.expose()).await.unwrap().is_some());
        room.clock.advance_millis(1);
        for node in [&room.auth, &room.other_node] {
            assert_eq!(node.session(token.expose()).await.unwrap(), None);
        }
        assert_eq!(room.auth.sweep().await.unwrap(), 1);
        for token in ["", "nonsense", &"a".repeat(65)] {
            assert_eq!(room.auth.session(token).await.unwrap(), None);
        }
    })
    .await;
}

#[tokio::test]
async fn each_session_has_its_own_csrf_token() {
    each_database(|database| async move {
        let room = room::open(database).await;
        room.auth.sign_up(person("li.wei")).await.unwrap();
        let (first, second) = (room.sign_in("li.wei").await, room.sign_in("li.wei").await);
        assert!(first.is_csrf(first.csrf()));
        assert!(!first.is_csrf(second.csrf()) && !first.is_csrf(""));
        assert_ne!(first.id(), second.id());
    })
    .await;
}

#[tokio::test]
async fn the_first_operator_is_made_once_and_makes_the_others() {
    each_database(|database| async move {
        let room = room::open(database).await;
        assert!(!room.auth.has_operator().await.unwrap());
        let operator = room.operator().await;
        assert!(room.auth.has_operator().await.unwrap());
        let again = room.auth.bootstrap_operator(person("second")).await;
        assert!(matches!(again, Err(Error::OperatorExists)));
        let (user, account) = room.user("li.wei").await;
        let session = room.sign_in("li.wei").await;
        assert!(room.auth.permit_session(&session, Scope::Operate).is_err());
        assert!(matches!(
            room.auth.add_operator(&account, user).await,
            Err(Error::Denied(_))
        ));
        let nobody = room.env.id();
        assert!(matches!(
            room.auth.add_operator(&operator, nobody).await,
            Err(Error::UnknownUser(_))
        ));
        room.auth.add_operator(&operator, user).await.unwrap();
        let session = room.sign_in("li.wei").await;
        let permit = room.auth.permit_session(&session, Scope::Operate).unwrap();
        assert_eq!(permit.actor(), &Actor::Operator(user));
    })
    .await;
}

#[tokio::test]
async fn staff_act_for_their_institution_until_they_are_taken_off() {
    each_database(|database| async move {
        let room = room::open(database).await;
        let operator = room.operator().await;
        let (ours, theirs): (InstitutionId, InstitutionId) = (room.env.id(), room.env.id());
        let (user, account) = room.user("li.wei").await;
        let token = room.auth.log_in("li.wei", &secret(PASSWORD)).await.unwrap();
        let staff_permit = async |institution| {
            let session = room.other_node.session(token.expose()).await.unwrap();
            room.other_node.permit_staff(&session.unwrap(), institution)
        };
        assert!(staff_permit(ours).await.is_err());
        let add = room.auth.add_staff(&account, ours, user).await;
        assert!(matches!(add, Err(Error::Denied(_))));
        let add = room.auth.add_staff(&operator, ours, room.env.id()).await;
        assert!(matches!(add, Err(Error::UnknownUser(_))));
        room.auth.add_staff(&operator, ours, user).await.unwrap();
        let permit = staff_permit(ours).await.unwrap();
        assert_eq!(permit.institution(), Some(ours));
        assert_eq!(permit.user(), None);
        assert!(staff_permit(theirs).await.is_err());
        let (colleague, _) = room.user("colleague").await;
        assert!(
            room.auth
                .add_staff(&permit, theirs, colleague)
                .await
                .is_err()
        );
        room.auth.add_staff(&permit, ours, colleague).await.unwrap();
        let found = room.auth.user_by_login(&permit, "COLLEAGUE").await.unwrap();
        assert_eq!(found.unwrap().id, colleague);
        assert!(
            room.auth
                .user_by_login(&account, "colleague")
                .await
                .is_err()
        );
        room.auth.remove_staff(&permit, ours, user).await.unwrap();
        assert!(staff_permit(ours).await.is_err());
        let again = room.auth.remove_staff(&operator, ours, user).await;
        assert!(matches!(again, Err(Error::UnknownUser(_))));
    })
    .await;
}

#[tokio::test]
async fn each_permit_covers_its_own_things_and_nothing_else() {
    each_database(|database| async move {
        let room = room::open(database).await;
        let operate = room.operator().await;
        let (user, account) = room.user("li.wei").await;
        let institution = room.env.id();
        room.auth
            .add_staff(&operate, institution, user)
            .await
            .unwrap();
        let session = room.sign_in("li.wei").await;
        let staff = room.auth.permit_staff(&session, institution).unwrap();
        let covered = |permit: &qiao_auth::Permit| -> ScopeSet {
            Scope::ALL
                .into_iter()
                .filter(|s| permit.covers(*s).is_ok())
                .collect()
        };
        assert_eq!(
            covered(&account).to_string(),
            "payments:read payments:write orders:read orders:write holdings:read account"
        );
        assert_eq!(
            covered(&staff).to_string(),
            "catalog:write payments:read payments:refund orders:read messages:send \
             releases:write webhooks:write institution"
        );
        assert_eq!(covered(&operate).to_string(), "operate");
        let system = room.auth.permit_system("accrual", Scope::PaymentsWrite);
        assert_eq!(covered(&system).to_string(), "payments:write");
        assert_eq!((account.user(), account.institution()), (Some(user), None));
        assert!(account.demand_institution().is_err() && staff.demand_user().is_err());
        assert!(staff.is_for_institution(institution).is_ok());
        assert!(staff.is_for_institution(room.env.id()).is_err());
        for scope in Scope::ALL {
            let permit = room.auth.permit_session(&session, scope);
            assert_eq!(permit.is_ok(), scope == Scope::Account, "{scope}");
        }
    })
    .await;
}

#[tokio::test]
async fn a_plugin_gets_what_its_manifest_was_granted_and_never_what_belongs_to_people() {
    each_database(|database| async move {
        let room = room::open(database).await;
        let (user, _) = room.user("li.wei").await;
        let mut caller = PluginCaller {
            plugin: PluginId::from_u128(1),
            release: ReleaseId::from_u128(2),
            institution: room.env.id(),
            granted: ScopeSet::from_iter(Scope::ALL),
            on_behalf_of: Some(user),
        };
        for scope in Scope::ALL {
            let permit = room.auth.permit_plugin(&caller, scope);
            assert_eq!(permit.is_ok(), scope.grantable_to_client(), "{scope}");
        }
        let permit = room.auth.permit_plugin(&caller, Scope::Storage).unwrap();
        assert_eq!(permit.user(), Some(user));
        assert_eq!(permit.institution(), Some(caller.institution));
        assert!(permit.covers(Scope::Egress).is_err());
        caller.granted = ScopeSet::EMPTY.with(Scope::Storage);
        for scope in Scope::ALL {
            let permit = room.auth.permit_plugin(&caller, scope);
            assert_eq!(permit.is_ok(), scope == Scope::Storage, "{scope}");
        }
    })
    .await;
}

#[tokio::test]
async fn a_person_is_somebody_else_to_every_institution() {
    each_database(|database| async move {
        let room = room::open(database).await;
        let (ours, theirs) = (room.env.id(), room.env.id());
        let (user, _) = room.user("li.wei").await;
        let subject = room.auth.subject(ours, user);
        assert!(subject.starts_with("sub_") && subject.len() == 30);
        assert_eq!(subject, room.other_node.subject(ours, user));
        assert_ne!(subject, room.auth.subject(theirs, user));
        let find = async |institution, subject: &str| {
            room.auth
                .user_of_subject(institution, subject)
                .await
                .unwrap()
        };
        assert_eq!(find(ours, &subject).await, Some(user));
        assert_eq!(find(theirs, &subject).await, None);
        let stranger = room.auth.subject(ours, room.env.id());
        for subject in [stranger.as_str(), "", "sub_", &user.to_string()] {
            assert_eq!(find(ours, subject).await, None, "{subject}");
        }
    })
    .await;
}
