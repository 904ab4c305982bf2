//! A bond fund with the fees of fund 002338: a front load by amount, a back load by holding
//! days, and yearly fees that accrue every day.
//!
//! The host keeps the money, the units and the days that they were bought on, and computes
//! every fee from the registered schedule. This plugin says what the fund costs, what a
//! unit is worth and what an order of it is worth.

mod about;
mod daily_nav;
mod fund;
mod invest;
mod trade;

#[cfg(test)]
mod tests;

use qiao_sdk::{
    ActivationError, Answer, FulfilError, Fulfilment, JobError, JobRun, Order, Page, PageError,
    Plugin, QuoteAnswer, QuoteError, QuoteRequest, Submission, Visit, catalog,
};

struct BondFund;

impl Plugin for BondFund {
    fn activate() -> Result<(), ActivationError> {
        Ok(catalog::register(&fund::product())?)
    }

    fn open(visit: Visit) -> Result<Page, PageError> {
        match visit.service.as_str() {
            "invest" => invest::page(&visit),
            "about" => Ok(about::page(&visit)),
            _ => Err(PageError::NotFound(visit.service)),
        }
    }

    fn submit(submission: Submission) -> Result<Answer, PageError> {
        match submission.form.as_str() {
            "buy" => invest::buy(&submission).map(Answer::Offer),
            "redeem" => invest::redeem(&submission).map(Answer::Offer),
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
            "daily-nav" => daily_nav::publish(run.day),
            _ => Err(JobError::UnknownJob(run.name)),
        }
    }
}

qiao_sdk::export!(BondFund);
