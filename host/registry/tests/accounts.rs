//! Institutions and their public accounts: registering, following, messages.
#![expect(
    clippy::unwrap_used,
    reason = "a test stops where something is missing"
)]

mod platform;

use platform::application;
use qiao_auth::keys::{KeyKind, generate_key};
use qiao_model::Scope;
use qiao_registry::{
    Error, FIRST_CLIENT_SCOPES, InstitutionState, MESSAGE_CHARS_MAX, MESSAGE_QUOTA,
    MESSAGE_WINDOW_SECS, NewMessage, Sender,
};
use qiao_tests::each_database;

#[tokio::test]
async fn an_institution_registers_and_is_seen_once_approved() {
    each_database(|database| async move {
        let platform = platform::open(database).await;
        let registry = &platform.registry;
        let tenant = platform.pending("harvest").await;
        let stored = registry.institution(tenant.id).await.unwrap().unwrap();
        assert_eq!(stored.state, InstitutionState::Pending);
        assert_eq!(stored.name, "Institution harvest");
        assert!(tenant.client.scopes.iter().eq(FIRST_CLIENT_SCOPES));
        assert!(registry.public_accounts().await.unwrap().is_empty());
        assert_eq!(
            registry.public_account_by_handle("harvest").await.unwrap(),
            None
        );
        let own = registry.account_of(tenant.id).await.unwrap();
        assert_eq!(own, Some(tenant.account.clone()));
        let (_, person) = platform.user("li.wei").await;
        let early = registry.follow(&person, tenant.account.id).await;
        assert!(matches!(early, Err(Error::UnknownAccount(_))));
        registry
            .approve_institution(&platform.operator, tenant.id)
            .await
            .unwrap();
        let again = registry
            .approve_institution(&platform.operator, tenant.id)
            .await;
        assert!(matches!(again, Err(Error::InstitutionState { .. })));
        let found = registry.public_account_by_handle("harvest").await.unwrap();
        assert_eq!(found, Some(tenant.account.clone()));
        assert_eq!(registry.public_accounts().await.unwrap(), [tenant.account]);
        let all = registry.institutions(&platform.operator).await.unwrap();
        assert_eq!((all.len(), all[0].state), (1, InstitutionState::Active));
    })
    .await;
}

#[tokio::test]
async fn an_application_is_refused_with_its_cause_and_leaves_nothing() {
    each_database(|database| async move {
        let platform = platform::open(database).await;
        let registry = &platform.registry;
        platform.pending("harvest").await;
        let (_, person) = platform.user("li.wei").await;
        let (_, jwk) = generate_key(KeyKind::P256).unwrap();
        let register = async |handle: &str| {
            let new = application(handle, &jwk);
            registry
                .register_institution(&person, new)
                .await
                .unwrap_err()
        };
        assert!(matches!(register("harvest").await, Error::HandleTaken(_)));
        assert!(matches!(register("Harvest").await, Error::InvalidHandle(_)));
        assert!(matches!(
            register("operator").await,
            Error::InvalidHandle(_)
        ));
        for name in ["", "two\nlines", &"n".repeat(65)] {
            let mut new = application("another", &jwk);
            name.clone_into(&mut new.name);
            let refused = registry.register_institution(&person, new).await;
            assert!(matches!(refused, Err(Error::InvalidName)), "{name:?}");
        }
        let mut new = application("another", &jwk);
        new.summary = "s".repeat(201);
        let refused = registry.register_institution(&person, new).await;
        assert!(matches!(refused, Err(Error::InvalidName)));
        let mut new = application("another", &jwk);
        new.jwks_json = "{}".to_owned();
        let refused = registry.register_institution(&person, new).await;
        assert!(matches!(
            refused,
            Err(Error::Auth(qiao_auth::Error::Keys(_)))
        ));
        let new = application("another", &jwk);
        let refused = registry.register_institution(&platform.operator, new).await;
        assert!(matches!(refused, Err(Error::Denied(_))));
        assert_eq!(platform.count("institution").await, 1);
        assert_eq!(platform.count("public_account").await, 1);
        assert_eq!(platform.count("oauth_client").await, 1);
        let again = registry
            .register_institution(&person, application("another", &jwk))
            .await;
        again.unwrap();
    })
    .await;
}

#[tokio::test]
async fn people_follow_and_the_institution_and_its_plugins_are_told_once() {
    each_database(|database| async move {
        let platform = platform::open(database).await;
        let registry = &platform.registry;
        let tenant = platform.tenant("harvest").await;
        let release = platform.active(&tenant, "money-fund", "1.0.0").await;
        let account = tenant.account.id;
        let (user, person) = platform.user("li.wei").await;
        for _ in 0..2 {
            registry.follow(&person, account).await.unwrap();
        }
        assert!(registry.user_follows(user, account).await.unwrap());
        let followed = registry.followed_by(&person).await.unwrap();
        assert_eq!((followed.len(), followed[0].followers), (1, 1));
        let told: Vec<(Option<String>, Option<String>, String)> = sqlx::query_as(
            "select institution, plugin, payload from event where kind = 'account.followed'",
        )
        .fetch_all(platform.database.db.reads())
        .await
        .unwrap();
        assert_eq!(told.len(), 2);
        let plugin = release.plugin.to_string();
        assert!(
            told.iter()
                .any(|(i, _, _)| *i == Some(tenant.id.to_string()))
        );
        assert!(told.iter().any(|(_, p, _)| p.as_ref() == Some(&plugin)));
        let subject = platform.auth.subject(tenant.id, user);
        for (_, _, payload) in &told {
            assert!(payload.contains(&subject) && !payload.contains(&user.to_string()));
        }
        for _ in 0..2 {
            registry.unfollow(&person, account).await.unwrap();
        }
        assert!(!registry.user_follows(user, account).await.unwrap());
        assert!(registry.followed_by(&person).await.unwrap().is_empty());
        let events = platform.events().await;
        let left = events.iter().filter(|kind| *kind == "account.unfollowed");
        assert_eq!(left.count(), 2);
        let staff = registry.follow(&tenant.staff, account).await;
        assert!(matches!(staff, Err(Error::Denied(_))));
        let nothing = registry.follow(&person, platform.env.id()).await;
        assert!(matches!(nothing, Err(Error::UnknownAccount(_))));
    })
    .await;
}

#[tokio::test]
async fn the_menu_and_the_services_are_those_of_the_active_releases() {
    each_database(|database| async move {
        let platform = platform::open(database).await;
        let registry = &platform.registry;
        let tenant = platform.tenant("harvest").await;
        for name in ["fund-a", "fund-b", "fund-c", "fund-d"] {
            platform.active(&tenant, name, "1.0.0").await;
        }
        platform.approved(&tenant, "fund-e", "1.0.0").await;
        let account = registry
            .public_account_by_handle("harvest")
            .await
            .unwrap()
            .unwrap();
        let services: Vec<_> = account
            .menu
            .iter()
            .map(|entry| entry.items[0].service.as_str())
            .collect();
        assert_eq!(
            services,
            ["fund-a-service", "fund-b-service", "fund-c-service"]
        );
        let entry = registry
            .service("harvest", "fund-d-service")
            .await
            .unwrap()
            .unwrap();
        assert_eq!(entry.release.manifest.name, "fund-d");
        for (handle, service) in [
            ("harvest", "fund-e-service"),
            ("harvest", "nothing"),
            ("elsewhere", "fund-a-service"),
        ] {
            assert!(registry.service(handle, service).await.unwrap().is_none());
        }
    })
    .await;
}

#[tokio::test]
async fn an_account_answers_a_message_with_five_within_two_days() {
    each_database(|database| async move {
        let platform = platform::open(database).await;
        let registry = &platform.registry;
        let tenant = platform.tenant("harvest").await;
        let account = tenant.account.id;
        let (user, person) = platform.user("li.wei").await;
        let answer = async |last_paid_at| {
            let text = "Your order is complete.".to_owned();
            let new = NewMessage {
                user,
                text,
                last_paid_at,
            };
            registry.send_message(&tenant.staff, new).await
        };
        assert!(matches!(answer(None).await, Err(Error::NotFollower { .. })));
        let stranger = registry.write_to_account(&person, account, "hello").await;
        assert!(matches!(stranger, Err(Error::NotFollower { .. })));
        registry.follow(&person, account).await.unwrap();
        assert!(matches!(
            answer(None).await,
            Err(Error::QuotaExceeded { .. })
        ));
        registry
            .write_to_account(&person, account, "hello")
            .await
            .unwrap();
        for _ in 0..MESSAGE_QUOTA {
            platform.clock.advance_millis(1);
            answer(None).await.unwrap();
        }
        assert!(matches!(
            answer(None).await,
            Err(Error::QuotaExceeded { .. })
        ));
        // A payment lifts the limit for two days.
        let paid = platform.env.now();
        answer(Some(paid)).await.unwrap();
        platform
            .clock
            .advance_millis(MESSAGE_WINDOW_SECS * 1000 - 1);
        answer(Some(paid)).await.unwrap();
        platform.clock.advance_millis(1);
        assert!(matches!(
            answer(Some(paid)).await,
            Err(Error::QuotaExceeded { .. })
        ));
        // Writing again opens it again, for two days.
        registry
            .write_to_account(&person, account, "hello again")
            .await
            .unwrap();
        platform
            .clock
            .advance_millis(MESSAGE_WINDOW_SECS * 1000 - 1);
        answer(None).await.unwrap();
        platform.clock.advance_millis(1);
        assert!(matches!(
            answer(None).await,
            Err(Error::QuotaExceeded { .. })
        ));
        let page = registry.messages_of(&person, account, None).await.unwrap();
        let sent = i64::try_from(page.len()).unwrap();
        assert_eq!(sent, MESSAGE_QUOTA + 5);
        assert_eq!((page[0].sender, page[0].user), (Sender::Account, user));
        assert_eq!(page.last().unwrap().text, "hello");
        let before = Some(page[1].id);
        let older = registry
            .messages_of(&person, account, before)
            .await
            .unwrap();
        assert_eq!(older, page[2..]);
    })
    .await;
}

#[tokio::test]
async fn messages_at_once_do_not_pass_the_quota() {
    each_database(|database| async move {
        let platform = platform::open(database).await;
        let tenant = platform.tenant("harvest").await;
        let (user, person) = platform.user("li.wei").await;
        let registry = &platform.registry;
        registry.follow(&person, tenant.account.id).await.unwrap();
        registry
            .write_to_account(&person, tenant.account.id, "hello")
            .await
            .unwrap();
        platform.clock.advance_millis(1);
        let mut sends = tokio::task::JoinSet::new();
        for send in 0..MESSAGE_QUOTA * 3 {
            let nodes = [&platform.registry, &platform.other_node];
            let (node, staff) = (
                nodes[usize::from(send % 2 == 0)].clone(),
                tenant.staff.clone(),
            );
            let text = "hello".to_owned();
            let new = NewMessage {
                user,
                text,
                last_paid_at: None,
            };
            sends.spawn(async move { node.send_message(&staff, new).await.is_ok() });
        }
        let sent = sends.join_all().await.into_iter().filter(|ok| *ok).count();
        assert_eq!(i64::try_from(sent).unwrap(), MESSAGE_QUOTA);
    })
    .await;
}

#[tokio::test]
async fn a_message_is_short_plain_and_of_those_who_may() {
    each_database(|database| async move {
        let platform = platform::open(database).await;
        let tenant = platform.tenant("harvest").await;
        let (user, person) = platform.user("li.wei").await;
        let registry = &platform.registry;
        let account = tenant.account.id;
        registry.follow(&person, account).await.unwrap();
        let longest = "字".repeat(MESSAGE_CHARS_MAX);
        registry
            .write_to_account(&person, account, &longest)
            .await
            .unwrap();
        registry
            .write_to_account(&person, account, "two\nlines")
            .await
            .unwrap();
        let longer = "字".repeat(MESSAGE_CHARS_MAX + 1);
        for text in ["", " \n ", "a\u{0}b", "\u{1b}[31mred", longer.as_str()] {
            let refused = registry.write_to_account(&person, account, text).await;
            assert!(matches!(refused, Err(Error::InvalidText)), "{text:?}");
            let new = NewMessage {
                user,
                text: text.to_owned(),
                last_paid_at: None,
            };
            let refused = registry.send_message(&tenant.staff, new).await;
            assert!(matches!(refused, Err(Error::InvalidText)), "{text:?}");
        }
        let text = "hello".to_owned();
        let new = NewMessage {
            user,
            text,
            last_paid_at: None,
        };
        let system = platform.auth.permit_system("test", Scope::MessagesSend);
        for permit in [&person, &platform.operator, &system] {
            let refused = registry.send_message(permit, new.clone()).await;
            assert!(matches!(refused, Err(Error::Denied(_))));
        }
        let staff = registry
            .write_to_account(&tenant.staff, account, "hello")
            .await;
        assert!(matches!(staff, Err(Error::Denied(_))));
        let staff = registry.messages_of(&tenant.staff, account, None).await;
        assert!(matches!(staff, Err(Error::Denied(_))));
    })
    .await;
}
