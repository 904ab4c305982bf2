//! A guest that traps: by a panic, an unreachable instruction, or its stack; and from
//! `quote`, `fulfil` and `cancel` of an offer whose reference says so.

use std::hint::black_box;

use qiao_sdk::{
    ActivationError, Answer, Event, EventError, FulfilError, Fulfilment, JobError, JobRun, Money,
    Offer, Order, Page, PageError, Plugin, Product, QuoteAnswer, QuoteError, QuoteRequest, Receipt,
    Submission, Visit, catalog,
};

const THING: &str = "thing";

struct Trapper;

impl Plugin for Trapper {
    fn activate() -> Result<(), ActivationError> {
        Ok(catalog::register(&Product::new(THING, "Thing"))?)
    }

    fn open(visit: Visit) -> Result<Page, PageError> {
        match visit.service.as_str() {
            "panic" => panic!("this guest panics on purpose"),
            "unreachable" => trap(),
            "recursion" => Ok(Page::new(recurse(0).to_string())),
            "calm" => Ok(Page::new("Calm")),
            _ => Err(PageError::NotFound(visit.service)),
        }
    }

    /// The form's name becomes the reference: `trap-quote`, `trap-fulfil`, `trap-cancel`,
    /// or a calm one.
    fn submit(submission: Submission) -> Result<Answer, PageError> {
        let offer = Offer::pay(THING, "Thing", Money::cny(100)).reference(submission.form);
        Ok(Answer::Offer(offer))
    }

    fn quote(request: QuoteRequest) -> Result<QuoteAnswer, QuoteError> {
        if request.offer.reference == "trap-quote" {
            trap()
        }
        Ok(QuoteAnswer::new(Money::cny(100)))
    }

    fn fulfil(order: Order) -> Result<Fulfilment, FulfilError> {
        if order.offer.reference == "trap-fulfil" {
            trap()
        }
        Ok(Fulfilment::Done(Receipt::new(order.id)))
    }

    fn cancel(order: Order) -> Result<(), FulfilError> {
        if order.offer.reference == "trap-cancel" {
            trap()
        }
        Ok(())
    }

    fn run_job(run: JobRun) -> Result<(), JobError> {
        panic!("the job {} panics on purpose", run.name)
    }

    fn handle_event(event: Event) -> Result<(), EventError> {
        panic!("the event {} panics on purpose", event.id)
    }
}

qiao_sdk::export!(Trapper);

fn trap() -> ! {
    #[cfg(target_arch = "wasm32")]
    std::arch::wasm32::unreachable();
    #[cfg(not(target_arch = "wasm32"))]
    panic!("unreachable");
}

#[expect(unconditional_recursion, reason = "the stack has an end")]
fn recurse(depth: u64) -> u64 {
    let frame = black_box([depth; 64]);
    recurse(frame[63] + 1) + frame[0]
}
