//! Traffic fines: looked up by number plate at the authority's billing server, paid
//! through the host, and reported back to the authority.
//!
//! What the user sends is never trusted: a fine's amount is fetched again when it is
//! offered, and the order pays what that offer says.

mod autopay;
mod biller;
mod fines;
mod payment;
mod plate;

#[cfg(test)]
mod tests;

use qiao_sdk::{
    ActivationError, Answer, Event, EventError, FeeLine, FulfilError, Fulfilment, Happening,
    JobError, JobRun, Order, Page, PageError, Plugin, Product, QuoteAnswer, QuoteError,
    QuoteRequest, Rate, Receiver, Submission, Visit, catalog,
};

/// The product's code.
const FINE: &str = "fine";
/// What the user pays for the convenience: 1.00 CNY.
const CONVENIENCE_FEE_MINOR: u64 = 100;

struct TrafficFines;

impl Plugin for TrafficFines {
    fn activate() -> Result<(), ActivationError> {
        let fine = Product::new(FINE, "Traffic fine")
            .summary("A fine of the traffic authority, paid in full.")
            .capture(qiao_sdk::Capture::BeforeFulfilment)
            .fee(
                FeeLine::flat("convenience", "Convenience fee", CONVENIENCE_FEE_MINOR)
                    .share(Receiver::Institution, Rate::percent(50))
                    .share(Receiver::Platform, Rate::percent(50)),
            );
        Ok(catalog::register(&fine)?)
    }

    fn open(visit: Visit) -> Result<Page, PageError> {
        match visit.service.as_str() {
            "fines" => Ok(fines::look_up_page(&visit)),
            "autopay" => Ok(autopay::page(&visit)),
            _ => Err(PageError::NotFound(visit.service)),
        }
    }

    fn submit(submission: Submission) -> Result<Answer, PageError> {
        match submission.form.as_str() {
            "look-up" => fines::of_plate(&submission).map(Answer::Page),
            "pay" => fines::pay(&submission),
            "autopay" => autopay::enroll(&submission).map(Answer::Mandate),
            _ => Err(PageError::NotFound(submission.form)),
        }
    }

    fn quote(request: QuoteRequest) -> Result<QuoteAnswer, QuoteError> {
        payment::quote(&request)
    }

    fn fulfil(order: Order) -> Result<Fulfilment, FulfilError> {
        payment::fulfil(&order)
    }

    fn cancel(order: Order) -> Result<(), FulfilError> {
        payment::cancel(&order)
    }

    fn run_job(run: JobRun) -> Result<(), JobError> {
        match run.name.as_str() {
            "autopay" => autopay::run(run.day),
            _ => Err(JobError::UnknownJob(run.name)),
        }
    }

    fn handle_event(event: Event) -> Result<(), EventError> {
        match event.happening {
            Happening::MandateChanged(change) => autopay::mandate_changed(&change),
            Happening::OrderChanged(_) | Happening::Followed(_) | Happening::Unfollowed(_) => {
                Ok(())
            }
        }
    }
}

qiao_sdk::export!(TrafficFines);
