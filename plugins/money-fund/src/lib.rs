//! A money-market fund: bought and redeemed at any time, its yield published every day.
//!
//! The host keeps the money and the units, and computes every fee from the registered
//! schedule. This plugin says what the fund costs, what it yields and what an order of
//! it is worth.

mod announcement;
mod auto_invest;
mod daily_yield;
mod fund;
mod invest;
mod pages;
mod plan;
mod trade;

#[cfg(test)]
mod tests;

use qiao_sdk::{
    ActivationError, Answer, Event, EventError, FulfilError, Fulfilment, Happening, JobError,
    JobRun, Order, OrderState, Page, PageError, Plugin, QuoteAnswer, QuoteError, QuoteRequest,
    Submission, Visit, catalog,
};

struct MoneyFund;

impl Plugin for MoneyFund {
    fn activate() -> Result<(), ActivationError> {
        Ok(catalog::register(&fund::product())?)
    }

    fn open(visit: Visit) -> Result<Page, PageError> {
        match visit.service.as_str() {
            "invest" => invest::page(&visit),
            "auto-invest" => Ok(auto_invest::page(&visit)),
            "about" => Ok(pages::about(&visit)),
            _ => Err(PageError::NotFound(visit.service)),
        }
    }

    fn submit(submission: Submission) -> Result<Answer, PageError> {
        match submission.form.as_str() {
            "buy" => invest::buy(&submission).map(Answer::Offer),
            "redeem" => invest::redeem(&submission).map(Answer::Offer),
            "auto-daily" | "auto-weekly" | "auto-monthly" => {
                auto_invest::plan(&submission).map(Answer::Mandate)
            }
            _ => Err(PageError::NotFound(submission.form)),
        }
    }

    fn quote(request: QuoteRequest) -> Result<QuoteAnswer, QuoteError> {
        trade::quote(&request)
    }

    fn fulfil(order: Order) -> Result<Fulfilment, FulfilError> {
        trade::fulfil(&order).map(Fulfilment::Done)
    }

    fn run_job(run: JobRun) -> Result<(), JobError> {
        match run.name.as_str() {
            "daily-yield" => daily_yield::publish(run.day),
            "auto-invest" => auto_invest::run(run.day),
            _ => Err(JobError::UnknownJob(run.name)),
        }
    }

    fn handle_event(event: Event) -> Result<(), EventError> {
        match event.happening {
            Happening::OrderChanged(change) if change.state == OrderState::Completed => {
                announcement::order_completed(&change)
            }
            Happening::MandateChanged(change) => auto_invest::mandate_changed(&change, event.at),
            Happening::OrderChanged(_) | Happening::Followed(_) | Happening::Unfollowed(_) => {
                Ok(())
            }
        }
    }
}

qiao_sdk::export!(MoneyFund);
