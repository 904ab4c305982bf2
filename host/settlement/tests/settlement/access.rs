//! Who may do what.

use qiao_auth::Permit;
use qiao_model::{Currency, InstitutionId, Scope};
use qiao_payments::Party;
use qiao_settlement::{
    ACCOUNT_NUMBER_CHARS_MAX, CaseEnd, Error, NewTerms, Period, TERMS_DAYS_MAX, TermsState,
};
use qiao_tests::each_database;

use crate::world::{FUND, World, day, river};

const OTHER: InstitutionId = InstitutionId::from_u128(9);

fn terms(days: u32, account_number: &str, minimum_minor: i64) -> NewTerms {
    NewTerms {
        days,
        account_number: account_number.to_owned(),
        minimum_minor,
    }
}

fn is_refused<T>(result: Result<T, Error>) -> bool {
    match result {
        Err(Error::Denied(_) | Error::NotOwner { .. }) => true,
        Err(Error::Payments(error)) => matches!(
            error,
            qiao_payments::Error::Denied(_) | qiao_payments::Error::NotOwner { .. }
        ),
        Ok(_) | Err(_) => false,
    }
}

#[tokio::test]
async fn an_institution_sees_and_proposes_its_own_alone() {
    each_database(|database| async move {
        let world = World::new(database).await;
        let staff = world.staff().await;
        let room = &world.settlement;
        let proposed = room
            .set_terms(&staff, FUND, terms(1, "1", 0))
            .await
            .unwrap();
        assert_eq!(proposed.state, TermsState::Proposed);
        assert_eq!(room.terms(&staff, FUND).await.unwrap(), Some(proposed));
        assert!(is_refused(
            room.set_terms(&staff, OTHER, terms(1, "1", 0)).await
        ));
        assert!(is_refused(room.terms(&staff, OTHER).await));
        assert!(is_refused(room.payouts(&staff, OTHER, None, 1).await));
        assert!(is_refused(room.approve_terms(&staff, FUND).await));
        let today = Period::new(day("2026-11-25"), day("2026-11-25")).unwrap();
        let cny = Currency::CNY;
        for own in [Party::Institution(FUND), Party::Revenue(FUND)] {
            let seen = room.statement(&staff, (own, cny), today, None).await;
            assert!(seen.is_ok(), "{own}");
        }
        for foreign in [
            Party::Institution(OTHER),
            Party::Platform,
            Party::Bank(river()),
            Party::Channel(river()),
            Party::User(world.user),
        ] {
            let seen = room.whole_statement(&staff, (foreign, cny), today).await;
            assert!(is_refused(seen), "{foreign}");
        }
    })
    .await;
}

#[tokio::test]
async fn custody_and_cases_are_for_operators() {
    each_database(|database| async move {
        let world = World::new(database).await;
        let staff = world.staff().await;
        let system = world.auth.permit_system("test", Scope::PaymentsRead);
        let room = &world.settlement;
        let permits: [&Permit; 3] = [&world.person, &staff, &system];
        for permit in permits {
            let id = world.env.id();
            assert!(is_refused(room.custody(permit).await));
            assert!(is_refused(room.cases(permit, None, None).await));
            assert!(is_refused(room.reconciliations(permit).await));
            assert!(is_refused(room.all_terms(permit, None).await));
            assert!(is_refused(room.all_payouts(permit, None, 1).await));
            let today = day("2026-11-25");
            assert!(is_refused(room.reconcile(permit, river(), today).await));
            let end = CaseEnd::Explained;
            assert!(is_refused(room.end_case(permit, id, end, "why").await));
        }
    })
    .await;
}

#[tokio::test]
async fn terms_are_refused_past_their_limits() {
    each_database(|database| async move {
        let world = World::new(database).await;
        let room = &world.settlement;
        let longest = "1".repeat(ACCOUNT_NUMBER_CHARS_MAX);
        let longer = "1".repeat(ACCOUNT_NUMBER_CHARS_MAX + 1);
        for good in [terms(0, "1", 0), terms(TERMS_DAYS_MAX, &longest, 1)] {
            let set = room.set_terms(&world.operator, FUND, good).await;
            assert_eq!(set.unwrap().state, TermsState::Active);
        }
        for bad in [
            terms(TERMS_DAYS_MAX + 1, "1", 0),
            terms(1, "", 0),
            terms(1, &longer, 0),
            terms(1, "1 2", 0),
            terms(1, "1", -1),
        ] {
            let set = room.set_terms(&world.operator, FUND, bad).await;
            assert!(matches!(set, Err(Error::Terms)));
        }
        let approve = room.approve_terms(&world.operator, FUND).await;
        assert!(matches!(approve, Err(Error::NothingToApprove(_))));
    })
    .await;
}
