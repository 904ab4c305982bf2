//! Linking and unlinking an account.

use qiao_banks::{Error, LINKS_MAX, LOGIN_LIFETIME_SECS, LinkState, Redirected};
use qiao_model::{Channel, SessionId};
use qiao_tests::each_database;
use sqlx::Row;

use crate::world::{NUMBER, World, river};

/// Somebody comes back from the bank with this.
async fn comes_back(world: &World, back: Redirected) -> Result<(), Error> {
    let (permit, session) = (&world.person.permit, world.person.session);
    let linked = world
        .banks
        .finish_link(permit, session, river(), back)
        .await;
    linked.map(drop)
}

async fn authorized(world: &World) -> Redirected {
    let (permit, session) = (&world.person.permit, world.person.session);
    let begun = world.banks.begin_link(permit, session, river(), "").await;
    world.consent(&begun.unwrap().url, "allow").await
}

#[tokio::test]
async fn a_person_links_their_account_through_the_banks_page() {
    each_database(|database| async move {
        let world = World::new(database).await;
        let link = world.link().await;
        assert_eq!(link.number_masked, "**** 8801");
        assert_eq!(link.state, LinkState::Active);
        let links = world.banks.links(&world.person.permit).await.unwrap();
        assert_eq!(links, [link]);
    })
    .await;
}

#[tokio::test]
async fn the_request_carries_pkce_a_state_and_no_secret() {
    let world = World::new(qiao_tests::sqlite().await).await;
    let (permit, session) = (&world.person.permit, world.person.session);
    let begun = world.banks.begin_link(permit, session, river(), "").await;
    let url = begun.unwrap().url;
    let query: std::collections::HashMap<_, _> = url.query_pairs().into_owned().collect();
    assert_eq!(query["code_challenge_method"], "S256");
    assert_eq!(query["code_challenge"].len(), 43);
    assert_eq!(query["response_type"], "code");
    assert_eq!(query["scope"], "accounts payments");
    assert_eq!(query["state"].len(), 43);
    let redirect = "http://127.0.0.1:8080/banks/river/callback";
    assert_eq!(query["redirect_uri"], redirect);
    assert!(!url.as_str().contains("secret"));
}

#[tokio::test]
async fn tokens_are_sealed_at_rest_under_the_id_of_their_link() {
    each_database(|database| async move {
        let world = World::new(database).await;
        world.link().await;
        let row = sqlx::query("select sealed_access, sealed_refresh from bank_link")
            .fetch_one(world.db.reads())
            .await
            .unwrap();
        for column in ["sealed_access", "sealed_refresh"] {
            let sealed: Vec<u8> = row.get(column);
            assert_eq!(sealed[0], 1, "{column} is in the sealer's form");
            assert!(sealed.len() > 29);
        }
    })
    .await;
}

#[tokio::test]
async fn a_state_counts_once_and_in_its_own_session_alone() {
    each_database(|database| async move {
        let world = World::new(database).await;
        let back = authorized(&world).await;
        comes_back(&world, back.clone()).await.unwrap();
        let again = comes_back(&world, back).await;
        assert!(matches!(again, Err(Error::LoginOver)), "{again:?}");

        let back = authorized(&world).await;
        let foreign = world
            .banks
            .finish_link(
                &world.person.permit,
                SessionId::from_u128(7),
                river(),
                back.clone(),
            )
            .await;
        assert!(matches!(foreign, Err(Error::LoginOver)), "{foreign:?}");
        let stolen = comes_back(&world, back).await;
        assert!(matches!(stolen, Err(Error::LoginOver)), "it is used up");
    })
    .await;
}

#[tokio::test]
async fn a_wrong_state_is_refused() {
    let world = World::new(qiao_tests::sqlite().await).await;
    let back = authorized(&world).await;
    for state in [None, Some(String::new()), Some("x".repeat(43))] {
        let wrong = Redirected {
            state,
            ..back.clone()
        };
        let refused = comes_back(&world, wrong).await;
        assert!(matches!(refused, Err(Error::LoginOver)), "{refused:?}");
    }
}

#[tokio::test]
async fn another_person_cannot_end_what_somebody_began() {
    let world = World::new(qiao_tests::sqlite().await).await;
    let back = authorized(&world).await;
    let other = world.sign_up("wang").await;
    let refused = world
        .banks
        .finish_link(&other.permit, other.session, river(), back)
        .await;
    assert!(matches!(refused, Err(Error::LoginOver)), "{refused:?}");
}

#[tokio::test]
async fn a_wrong_or_missing_issuer_is_refused_and_uses_the_state_up() {
    for iss in [None, Some("https://evil.example".to_owned())] {
        let world = World::new(qiao_tests::sqlite().await).await;
        let back = authorized(&world).await;
        let wrong = Redirected {
            iss,
            ..back.clone()
        };
        let refused = comes_back(&world, wrong).await;
        assert!(matches!(refused, Err(Error::WrongIssuer)), "{refused:?}");
        assert!(matches!(
            comes_back(&world, back).await,
            Err(Error::LoginOver)
        ));
    }
}

#[tokio::test]
async fn an_authorization_of_15_minutes_is_over() {
    for (millis, is_over) in [
        (LOGIN_LIFETIME_SECS * 1000 - 1, false),
        (LOGIN_LIFETIME_SECS * 1000, true),
    ] {
        let world = World::new(qiao_tests::sqlite().await).await;
        let (permit, session) = (&world.person.permit, world.person.session);
        let begun = world.banks.begin_link(permit, session, river(), "").await;
        let url = begun.unwrap().url;
        world.clock.advance_millis(millis);
        let back = world.consent(&url, "allow").await;
        let ended = comes_back(&world, back).await;
        assert_eq!(matches!(ended, Err(Error::LoginOver)), is_over, "{ended:?}");
        assert_eq!(ended.is_ok(), !is_over);
    }
}

#[tokio::test]
async fn a_code_of_another_authorization_fails_at_pkce() {
    let world = World::new(qiao_tests::sqlite().await).await;
    let one = authorized(&world).await;
    let other = authorized(&world).await;
    // The attacker's code under the victim's state: the verifier does not fit.
    let mixed = Redirected {
        code: one.code,
        ..other
    };
    let refused = comes_back(&world, mixed).await;
    assert!(
        matches!(refused, Err(Error::BankFailed { .. })),
        "{refused:?}"
    );
    assert_eq!(world.banks.links(&world.person.permit).await.unwrap(), []);
}

#[tokio::test]
async fn a_person_who_denies_is_told_so() {
    let world = World::new(qiao_tests::sqlite().await).await;
    let (permit, session) = (&world.person.permit, world.person.session);
    let begun = world.banks.begin_link(permit, session, river(), "").await;
    let back = world.consent(&begun.unwrap().url, "deny").await;
    let refused = comes_back(&world, back).await;
    assert!(matches!(refused, Err(Error::NotAuthorized(why)) if why == "access_denied"));
}

#[tokio::test]
async fn linking_the_same_account_again_renews_the_link() {
    each_database(|database| async move {
        let world = World::new(database).await;
        let first = world.link().await;
        let second = world.link().await;
        assert_eq!(first.id, second.id);
        let links = world.banks.links(&world.person.permit).await.unwrap();
        assert_eq!(links.len(), 1);
    })
    .await;
}

#[tokio::test]
async fn an_unlinked_account_is_revoked_at_the_bank_and_gone_here() {
    each_database(|database| async move {
        let world = World::new(database).await;
        let link = world.link().await;
        let permit = &world.person.permit;
        world.banks.unlink(permit, link.id).await.unwrap();
        assert_eq!(world.banks.links(permit).await.unwrap(), []);
        let again = world.banks.unlink(permit, link.id).await;
        assert!(matches!(again, Err(Error::UnknownLink(id)) if id == link.id));
        let new = world.new_top_up(link.id, 100);
        let refused = world.banks.top_up(permit, new).await;
        assert!(matches!(refused, Err(Error::UnknownLink(_))), "{refused:?}");
        let row = sqlx::query("select sealed_refresh from bank_link")
            .fetch_one(world.db.reads())
            .await
            .unwrap();
        assert_eq!(row.get::<Vec<u8>, _>("sealed_refresh"), Vec::<u8>::new());
        assert!(world.bank.account(NUMBER).is_some());
        let anew = world.link().await;
        assert_ne!(anew.id, link.id);
    })
    .await;
}

#[tokio::test]
async fn a_token_that_the_bank_ended_is_refreshed_on_the_way() {
    each_database(|database| async move {
        let world = World::new(database).await;
        let link = world.link().await;
        world.bank.expire_tokens();
        world.top_up(link.id, 10_000).await;
        assert_eq!(world.balance().await, 10_000);
        world.audit().await;
    })
    .await;
}

#[tokio::test]
async fn a_token_past_its_time_is_refreshed_before_it_is_used() {
    let world = World::new(qiao_tests::sqlite().await).await;
    let link = world.link().await;
    world.clock.advance_millis(600_000);
    let transfer = world.top_up(link.id, 10_000).await;
    assert_eq!(world.learned(transfer.id).await, ["send done"]);
}

#[tokio::test]
async fn eight_transfers_at_once_refresh_one_token_once() {
    each_database(|database| async move {
        let world = World::new(database).await;
        let link = world.link().await;
        world.clock.advance_millis(600_000);
        let mut tasks = tokio::task::JoinSet::new();
        for _ in 0..8 {
            let banks = world.banks.clone();
            let permit = world.person.permit.clone();
            let new = world.new_top_up(link.id, 100);
            tasks.spawn(async move { banks.top_up(&permit, new).await.unwrap() });
        }
        tasks.join_all().await;
        assert_eq!(world.balance().await, 800);
        let version: i64 = sqlx::query_scalar("select token_version from bank_link")
            .fetch_one(world.db.reads())
            .await
            .unwrap();
        assert_eq!(version, 2);
    })
    .await;
}

#[tokio::test]
async fn a_refused_refresh_ends_the_link_and_sends_nothing() {
    each_database(|database| async move {
        let world = World::new(database).await;
        let link = world.link().await;
        world.bank.revoke_grants();
        let transfer = world.top_up(link.id, 10_000).await;
        assert_eq!(transfer.standing.reason.as_deref(), Some("link_expired"));
        assert_eq!(transfer.standing.state.name(), "rejected");
        let links = world.banks.links(&world.person.permit).await.unwrap();
        assert_eq!(links[0].state, LinkState::Expired);
        let new = world.new_top_up(link.id, 10_000);
        let refused = world.banks.top_up(&world.person.permit, new).await;
        assert!(matches!(refused, Err(Error::LinkOver(_))), "{refused:?}");
        assert_eq!(world.bank.payments().len(), 0);
        // Linked again, it has its use back.
        assert_eq!(world.link().await.id, link.id);
        world.top_up(link.id, 10_000).await;
        assert_eq!(world.balance().await, 10_000);
    })
    .await;
}

#[tokio::test]
async fn a_channel_that_is_not_there_cannot_be_linked() {
    let world = World::new(qiao_tests::sqlite().await).await;
    let nowhere: Channel = "nowhere".parse().unwrap();
    let (permit, session) = (&world.person.permit, world.person.session);
    let refused = world.banks.begin_link(permit, session, nowhere, "").await;
    assert!(matches!(refused, Err(Error::UnknownChannel(code)) if code == nowhere));
}

#[tokio::test]
async fn a_person_links_the_most_accounts_and_not_one_more() {
    each_database(|database| async move {
        let world = World::new(database).await;
        let first = world.link().await;
        // Other accounts of the same person, by hand: the bank here has one for them.
        let add = async |number: i64| {
            let mut tx = world.db.begin().await.unwrap();
            let added = sqlx::query(
                "insert into bank_link select $1, user_id, channel, $2, name, number_masked,
                 'active', sealed_access, sealed_refresh, token_expires_at, token_version,
                 refreshing_until, linked_at, changed_at from bank_link where id = $3",
            )
            .bind(world.env.id::<qiao_model::id::noun::BankLink>().to_string())
            .bind(format!("account-{number}"))
            .bind(first.id.to_string())
            .execute(tx.conn())
            .await;
            assert_eq!(added.unwrap().rows_affected(), 1);
            tx.commit().await.unwrap();
        };
        for number in 1..LINKS_MAX {
            add(number).await;
        }
        let (banks, permit) = (&world.banks, &world.person.permit);
        banks.unlink(permit, first.id).await.unwrap();
        let last = world.link().await;
        banks.unlink(permit, last.id).await.unwrap();
        add(LINKS_MAX).await;
        let back = authorized(&world).await;
        let past = comes_back(&world, back).await;
        assert!(
            matches!(past, Err(Error::TooManyLinks(LINKS_MAX))),
            "{past:?}"
        );
    })
    .await;
}
