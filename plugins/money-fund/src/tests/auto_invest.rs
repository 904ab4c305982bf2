use qiao_sdk::payments::MandateRefusal;
use qiao_sdk::{MandateChanged, MandateOffer, MandateState};

use super::*;
use crate::plan::{Every, Plan};

const MANDATE: &str = "mdt_1";

fn offered(form: &str, fields: &[(&str, &str)]) -> Result<MandateOffer, PageError> {
    match MoneyFund::submit(submission(visit("auto-invest"), form, fields))? {
        Answer::Mandate(offer) => Ok(offer),
        other => panic!("no mandate: {other:?}"),
    }
}

/// The mandate changes at noon of 2026-11-05.
fn changed(state: MandateState, reference: &str) {
    let noon = u64::try_from(today().days_since_epoch()).unwrap() * 86_400_000 + 4 * 3_600_000;
    let event = Event {
        id: "evt_1".to_owned(),
        at: noon,
        happening: Happening::MandateChanged(MandateChanged {
            mandate: MANDATE.to_owned(),
            state,
            user: "sub_ann".to_owned(),
            reference: reference.to_owned(),
        }),
    };
    MoneyFund::handle_event(event).unwrap();
}

fn run(day: Date) -> Result<(), JobError> {
    MoneyFund::run_job(JobRun {
        name: "auto-invest".to_owned(),
        day,
        due_at: 0,
    })
}

fn later(days: i64) -> Date {
    today().plus_days(days).unwrap()
}

/// A plan whose mandate can be charged.
fn enrolled(host: &FakeHost, reference: &str) {
    host.add_mandate(MANDATE);
    changed(MandateState::Active, reference);
}

#[test]
fn a_plan_is_a_mandate_over_its_amount_once_a_day() {
    with_host(|_| {
        let offer = offered("auto-weekly", &[("amount", "200.00"), ("day", "1")]).unwrap();
        assert_eq!(offer.product, fund::CODE);
        assert_eq!(offer.per_payment, Money::cny(20_000));
        assert_eq!(offer.per_day_minor, Some(20_000));
        assert_eq!(offer.reference, "auto-invest/20000/week-1");
        assert_eq!(offer.until, later(365));
        // 2026-11-05 is a Thursday.
        assert_eq!(offer.facts[0].value, "2026-11-09");
        let daily = offered("auto-daily", &[("amount", "1.00")]).unwrap();
        assert_eq!(daily.reference, "auto-invest/100/day");
        let monthly = offered("auto-monthly", &[("amount", "50000.00"), ("day", "28")]).unwrap();
        assert_eq!(monthly.reference, "auto-invest/5000000/month-28");
    });
}

#[test]
fn a_plan_outside_the_limits_is_refused_beside_its_field() {
    with_host(|_| {
        let refused = |form: &str, fields: &[(&str, &str)], field: &str| {
            let Err(PageError::InvalidField(problem)) = offered(form, fields) else {
                panic!("{form} {fields:?}");
            };
            assert_eq!(problem.name, field);
        };
        refused("auto-daily", &[("amount", "0.99")], "amount");
        refused("auto-daily", &[("amount", "50000.01")], "amount");
        for day in ["0", "8", "x", ""] {
            refused("auto-weekly", &[("amount", "1"), ("day", day)], "day");
        }
        for day in ["0", "29"] {
            refused("auto-monthly", &[("amount", "1"), ("day", day)], "day");
        }
    });
}

#[test]
fn every_plan_survives_its_reference() {
    for every in [Every::Day, Every::Week(7), Every::Month(28)] {
        let plan = Plan { minor: 123, every };
        assert_eq!(Plan::of_reference(&plan.reference()), Some(plan));
    }
    for other in [
        "",
        "auto-invest/0/day",
        "auto-invest/1/week-8",
        "fines/1/day",
    ] {
        assert_eq!(Plan::of_reference(other), None, "{other}");
    }
}

#[test]
fn what_is_due_is_bought_once_a_day_however_often_the_job_runs() {
    with_host(|host| {
        enrolled(host, "auto-invest/20000/day");
        run(today()).unwrap();
        assert_eq!(host.charges().len(), 0, "it begins on the next day");
        run(later(1)).unwrap();
        run(later(1)).unwrap();
        run(later(2)).unwrap();
        let charges = host.charges();
        assert_eq!(charges.len(), 2);
        assert_eq!(charges[0].key, "mdt_1/2026-11-06");
        assert_eq!(charges[0].offer.amount, Some(Money::cny(20_000)));
        assert_eq!(charges[0].offer.kind, OrderKind::Purchase);
    });
}

#[test]
fn weekly_and_monthly_plans_wait_for_their_day() {
    for (reference, due) in [
        ("auto-invest/100/week-1", 4),
        ("auto-invest/100/month-6", 1),
    ] {
        with_host(|host| {
            enrolled(host, reference);
            for days in 1..=7 {
                run(later(days)).unwrap();
            }
            let keys: Vec<_> = host
                .charges()
                .into_iter()
                .map(|charge| charge.key)
                .collect();
            assert_eq!(keys, [format!("mdt_1/{}", later(due))]);
        });
    }
}

#[test]
fn a_revoked_mandate_ends_the_plan() {
    with_host(|host| {
        enrolled(host, "auto-invest/100/day");
        changed(MandateState::Revoked, "auto-invest/100/day");
        run(later(1)).unwrap();
        assert!(host.charges().is_empty());
        // The job may come before the event does.
        enrolled(host, "auto-invest/100/day");
        host.refuse_mandate(MANDATE, MandateRefusal::Revoked);
        run(later(1)).unwrap();
        assert_eq!(host.stored("auto/mdt_1"), None);
    });
}

#[test]
fn a_balance_that_is_too_small_is_told_and_the_plan_stays() {
    with_host(|host| {
        enrolled(host, "auto-invest/100/day");
        host.empty_balance_of(MANDATE);
        run(later(1)).unwrap();
        assert_eq!(host.messages().len(), 1);
        assert!(host.messages()[0].text.contains("余额不足"));
        assert!(host.stored("auto/mdt_1").is_some());
    });
}

#[test]
fn a_run_that_the_host_cannot_serve_comes_again() {
    with_host(|host| {
        enrolled(host, "auto-invest/100/day");
        host.deny("payments");
        assert!(matches!(run(later(1)), Err(JobError::Failed(_))));
        host.deny("storage");
        assert!(matches!(run(later(1)), Err(JobError::Failed(_))));
    });
}

#[test]
fn a_run_of_many_plans_goes_on_where_it_stopped() {
    with_host(|host| {
        for number in 0..401 {
            let mandate = format!("mdt_{number:03}");
            host.add_mandate(&mandate);
            let event = Event {
                id: format!("evt_{number}"),
                at: 0,
                happening: Happening::MandateChanged(MandateChanged {
                    mandate,
                    state: MandateState::Active,
                    user: "sub_ann".to_owned(),
                    reference: "auto-invest/100/day".to_owned(),
                }),
            };
            MoneyFund::handle_event(event).unwrap();
        }
        assert!(matches!(run(later(1)), Err(JobError::Failed(_))));
        assert_eq!(host.charges().len(), 400);
        run(later(1)).unwrap();
        assert_eq!(host.charges().len(), 401);
    });
}
