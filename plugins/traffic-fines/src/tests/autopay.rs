use qiao_sdk::payments::MandateRefusal;
use qiao_sdk::{
    Date, Event, Happening, JobError, JobRun, MandateChanged, MandateOffer, MandateState,
};

use super::*;

const MANDATE: &str = "mdt_1";
const PLATE_PATH: &str = "/fines?plate=%E4%BA%ACA12345";

fn offered(fields: &[(&str, &str)]) -> Result<MandateOffer, PageError> {
    match TrafficFines::submit(submission(visit("autopay"), "autopay", fields))? {
        Answer::Mandate(offer) => Ok(offer),
        other => panic!("no mandate: {other:?}"),
    }
}

fn changed(mandate: &str, state: MandateState) {
    let event = Event {
        id: "evt_1".to_owned(),
        at: 0,
        happening: Happening::MandateChanged(MandateChanged {
            mandate: mandate.to_owned(),
            state,
            user: "sub_ann".to_owned(),
            reference: "autopay/京A12345".to_owned(),
        }),
    };
    TrafficFines::handle_event(event).unwrap();
}

fn enrolled(host: &FakeHost) {
    host.add_mandate(MANDATE);
    changed(MANDATE, MandateState::Active);
}

fn run(host: &FakeHost, day: &str, fines: &[Value]) -> Result<(), JobError> {
    let body = json!({ "fines": fines }).to_string();
    host.reply(Method::Get, "biller", PLATE_PATH, 200, &body);
    TrafficFines::run_job(JobRun {
        name: "autopay".to_owned(),
        day: Date::parse(day).unwrap(),
        due_at: 0,
    })
}

fn fine(number: &str, fen: i64, status: &str) -> Value {
    json!({
        "number": number, "plate": "京A12345", "violation": "Speeding",
        "place": "Chang'an Avenue", "time": "2026-10-01 08:15", "points": 3,
        "amount_minor": fen, "currency": "CNY", "status": status,
    })
}

#[test]
fn a_plate_is_enrolled_by_a_mandate_over_fine_and_fee() {
    with_host(|_| {
        let offer = offered(&[("plate", "京a-12345"), ("most", "200.00")]).unwrap();
        assert_eq!(offer.product, FINE);
        assert_eq!(offer.per_payment, Money::cny(20_100));
        assert_eq!(
            (offer.count, offer.reference.as_str()),
            (Some(50), "autopay/京A12345")
        );
        assert_eq!(offer.until, Date::parse("2027-11-05").unwrap());
        for (fields, field) in [
            ([("plate", "A12345"), ("most", "200.00")], "plate"),
            ([("plate", "京A12345"), ("most", "0.00")], "most"),
            ([("plate", "京A12345"), ("most", "50000.01")], "most"),
            ([("plate", "京A12345"), ("most", "many")], "most"),
        ] {
            let Err(PageError::InvalidField(problem)) = offered(&fields) else {
                panic!("{fields:?}");
            };
            assert_eq!(problem.name, field);
        }
    });
}

#[test]
fn a_new_fine_is_charged_once_and_told_once() {
    with_host(|host| {
        enrolled(host);
        let fines = [
            fine("BJA12345-1", 20_000, "open"),
            fine("BJA12345-2", 100, "paid"),
        ];
        run(host, "2026-11-06", &fines).unwrap();
        run(host, "2026-11-07", &fines).unwrap();
        let charges = host.charges();
        assert_eq!(charges.len(), 1);
        assert_eq!(charges[0].key, "mdt_1/BJA12345-1");
        assert_eq!(charges[0].offer.reference, "BJA12345-1");
        assert_eq!(charges[0].offer.amount, Some(Money::cny(20_000)));
        assert_eq!(host.messages().len(), 1);
        assert!(host.messages()[0].text.contains("BJA12345-1"));
    });
}

#[test]
fn a_run_that_comes_again_looks_nothing_up_twice() {
    with_host(|host| {
        enrolled(host);
        run(host, "2026-11-06", &[]).unwrap();
        let requests = host.requests().len();
        TrafficFines::run_job(JobRun {
            name: "autopay".to_owned(),
            day: Date::parse("2026-11-06").unwrap(),
            due_at: 0,
        })
        .unwrap();
        assert_eq!(host.requests().len(), requests);
    });
}

#[test]
fn a_fine_above_the_limit_is_told_and_left_to_the_person() {
    with_host(|host| {
        enrolled(host);
        host.refuse_mandate(MANDATE, MandateRefusal::PerPayment(Money::cny(20_100)));
        let fines = [fine("BJA12345-1", 30_000, "open")];
        run(host, "2026-11-06", &fines).unwrap();
        run(host, "2026-11-07", &fines).unwrap();
        assert_eq!(host.messages().len(), 1);
        assert!(host.messages()[0].text.contains("超出限额"));
    });
}

#[test]
fn a_balance_that_is_too_small_is_tried_again_the_next_day() {
    with_host(|host| {
        enrolled(host);
        host.empty_balance_of(MANDATE);
        let fines = [fine("BJA12345-1", 20_000, "open")];
        run(host, "2026-11-06", &fines).unwrap();
        run(host, "2026-11-07", &fines).unwrap();
        assert_eq!(host.messages().len(), 2);
        assert!(host.charges().is_empty());
    });
}

#[test]
fn a_revoked_mandate_ends_the_look_ups() {
    with_host(|host| {
        enrolled(host);
        host.refuse_mandate(MANDATE, MandateRefusal::Revoked);
        run(host, "2026-11-06", &[fine("BJA12345-1", 20_000, "open")]).unwrap();
        assert_eq!(host.stored("auto/mdt_1"), None);
        enrolled(host);
        changed(MANDATE, MandateState::Revoked);
        assert_eq!(host.stored("auto/mdt_1"), None);
    });
}

#[test]
fn an_authority_or_host_that_does_not_answer_makes_the_run_come_again() {
    with_host(|host| {
        enrolled(host);
        host.reply(Method::Get, "biller", PLATE_PATH, 500, "");
        let again = TrafficFines::run_job(JobRun {
            name: "autopay".to_owned(),
            day: Date::parse("2026-11-06").unwrap(),
            due_at: 0,
        });
        assert!(matches!(again, Err(JobError::Failed(_))));
        host.deny("payments");
        let refused = run(host, "2026-11-06", &[fine("BJA12345-1", 20_000, "open")]);
        assert!(matches!(refused, Err(JobError::Failed(_))));
    });
}

#[test]
fn a_run_of_many_plates_goes_on_where_it_stopped() {
    with_host(|host| {
        for number in 0..16 {
            let mandate = format!("mdt_{number:02}");
            host.add_mandate(&mandate);
            changed(&mandate, MandateState::Active);
            let none = json!({ "fines": [] }).to_string();
            host.reply(Method::Get, "biller", PLATE_PATH, 200, &none);
        }
        let run = || {
            TrafficFines::run_job(JobRun {
                name: "autopay".to_owned(),
                day: Date::parse("2026-11-06").unwrap(),
                due_at: 0,
            })
        };
        assert!(matches!(run(), Err(JobError::Failed(_))));
        assert_eq!(host.requests().len(), 15);
        run().unwrap();
        assert_eq!(host.requests().len(), 16);
    });
}
