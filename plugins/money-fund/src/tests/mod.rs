mod announcement;
mod auto_invest;
mod daily_yield;
mod invest;
mod trade;

use qiao_sdk::orders::Order as PastOrder;
use qiao_sdk::testing::{FakeHost, order, quote_request, submission, today, visit, with_host};
use qiao_sdk::users::UserHolding;
use qiao_sdk::{
    Answer, Block, Capture, Date, Event, EventError, Field, FulfilError, Fulfilment, Happening,
    JobError, JobRun, Money, Offer, OrderChanged, OrderKind, OrderState, Page, PageError, Plugin,
    Price, QuoteError, Units,
};

use crate::{MoneyFund, fund};

fn price(nav_e4: u64) -> Price {
    Price {
        day: today(),
        nav_e4,
        income_per_10k_e4: Some(5_012),
        yield_7d_ppm: Some(18_254),
    }
}

#[test]
fn activation_registers_the_fund_with_its_fees_and_may_come_again() {
    with_host(|host| {
        MoneyFund::activate().unwrap();
        MoneyFund::activate().unwrap();
        let products = host.products();
        assert_eq!(products.len(), 1);
        assert_eq!(products[0].code, "steady-money");
        assert!(products[0].in_units);
        assert_eq!(products[0].capture, Capture::OnFulfilment);
        let codes: Vec<_> = products[0]
            .fees
            .lines
            .iter()
            .map(|line| line.code.as_str())
            .collect();
        assert_eq!(codes, ["subscription", "channel-service"]);
        assert_eq!(products[0].fees.lines[0].maximum_minor, Some(10_000));
    });
}

#[test]
fn activation_says_why_it_was_refused() {
    with_host(|host| {
        host.deny("catalog");
        let refusal = MoneyFund::activate().unwrap_err();
        assert!(refusal.to_string().contains("catalog"), "{refusal}");
    });
}

#[test]
fn unknown_services_forms_and_jobs_are_not_found() {
    with_host(|_| {
        assert_eq!(
            MoneyFund::open(visit("sell")),
            Err(PageError::NotFound("sell".to_owned()))
        );
        assert_eq!(
            submit("sell", "amount", "1"),
            Err(PageError::NotFound("sell".to_owned()))
        );
        let run = JobRun {
            name: "nightly".to_owned(),
            day: today(),
            due_at: 0,
        };
        assert_eq!(
            MoneyFund::run_job(run),
            Err(JobError::UnknownJob("nightly".to_owned()))
        );
    });
}

fn submit(form: &str, field: &str, value: &str) -> Result<Answer, PageError> {
    MoneyFund::submit(submission(visit("invest"), form, &[(field, value)]))
}
