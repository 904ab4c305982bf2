//! A guest that never comes back: from the service, the form and the job `loop`, from
//! every event, and from `quote`, `fulfil` and `cancel` of an offer whose reference says so.

use std::hint::black_box;

use qiao_sdk::{
    ActivationError, Answer, Event, EventError, FulfilError, Fulfilment, JobError, JobRun, Money,
    Offer, Order, Page, PageError, Plugin, Product, QuoteAnswer, QuoteError, QuoteRequest, Receipt,
    Submission, Visit, catalog,
};

const THING: &str = "thing";

struct Looper;

impl Plugin for Looper {
    fn activate() -> Result<(), ActivationError> {
        Ok(catalog::register(&Product::new(THING, "Thing"))?)
    }

    fn open(visit: Visit) -> Result<Page, PageError> {
        match visit.service.as_str() {
            "loop" => run_forever(),
            "calm" => Ok(Page::new("Calm")),
            _ => Err(PageError::NotFound(visit.service)),
        }
    }

    /// The form's name becomes the reference: `loop-quote`, `loop-fulfil`, or a calm one.
    fn submit(submission: Submission) -> Result<Answer, PageError> {
        if submission.form == "loop" {
            run_forever()
        }
        let offer = Offer::pay(THING, "Thing", Money::cny(100)).reference(submission.form);
        Ok(Answer::Offer(offer))
    }

    fn quote(request: QuoteRequest) -> Result<QuoteAnswer, QuoteError> {
        if request.offer.reference == "loop-quote" {
            run_forever()
        }
        Ok(QuoteAnswer::new(Money::cny(100)))
    }

    fn fulfil(order: Order) -> Result<Fulfilment, FulfilError> {
        if order.offer.reference == "loop-fulfil" {
            run_forever()
        }
        Ok(Fulfilment::Done(Receipt::new(order.id)))
    }

    fn cancel(order: Order) -> Result<(), FulfilError> {
        if order.offer.reference == "loop-cancel" {
            run_forever()
        }
        Ok(())
    }

    fn handle_event(_event: Event) -> Result<(), EventError> {
        run_forever()
    }

    fn run_job(_run: JobRun) -> Result<(), JobError> {
        run_forever()
    }
}

qiao_sdk::export!(Looper);

fn run_forever() -> ! {
    let mut turns: u64 = 0;
    loop {
        turns = black_box(turns.wrapping_add(1));
    }
}
