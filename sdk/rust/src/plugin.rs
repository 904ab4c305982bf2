use std::marker::PhantomData;

use crate::bindings::exports::qiao::guest::{activation, events, jobs, orders, pages};
use crate::{
    ActivationError, Answer, Event, EventError, FulfilError, Fulfilment, JobError, JobRun, Order,
    Page, PageError, QuoteAnswer, QuoteError, QuoteRequest, Submission, Visit,
};

/// What a plugin does for its host. Every default is the answer of a plugin that
/// does not do that thing.
pub trait Plugin {
    /// Registers products and fee schedules; called at each activation of a release,
    /// so it must be safe to call again. The default registers nothing.
    ///
    /// # Errors
    /// The release does not start when a registration is refused.
    fn activate() -> Result<(), ActivationError> {
        Ok(())
    }

    /// The page of a service of the manifest. The default knows no service.
    ///
    /// # Errors
    /// [`PageError`] says why there is no page.
    fn open(visit: Visit) -> Result<Page, PageError> {
        Err(PageError::NotFound(visit.service))
    }

    /// The answer to a form: another page, an offer that leads to the host's checkout,
    /// or a mandate that leads to the host's consent page. The default knows no form.
    ///
    /// # Errors
    /// [`PageError::InvalidField`] is shown beside the field.
    fn submit(submission: Submission) -> Result<Answer, PageError> {
        Err(PageError::NotFound(submission.form))
    }

    /// Prices an offer. Pure: no host call but `log` works here. The default sells nothing.
    ///
    /// # Errors
    /// [`QuoteError`] with a sentence for the user.
    fn quote(request: QuoteRequest) -> Result<QuoteAnswer, QuoteError> {
        Err(QuoteError::NotAvailable(format!(
            "{} is not for sale",
            request.offer.product
        )))
    }

    /// Delivers what was ordered. The same order may come again: fulfil it once.
    /// The default rejects every order, so its money goes back.
    ///
    /// # Errors
    /// [`FulfilError::Rejected`] only when it never will happen;
    /// [`FulfilError::Unknown`] when it may have happened.
    fn fulfil(order: Order) -> Result<Fulfilment, FulfilError> {
        Err(FulfilError::Rejected(format!(
            "nothing delivers {}",
            order.offer.product
        )))
    }

    /// Undoes what `fulfil` may have begun, when the order is voided or refunded.
    /// The default has nothing to undo.
    ///
    /// # Errors
    /// [`FulfilError::Unknown`] makes the host ask again.
    fn cancel(_order: Order) -> Result<(), FulfilError> {
        Ok(())
    }

    /// Runs a job of the manifest. The same run may come again: do it once.
    /// The default knows no job.
    ///
    /// # Errors
    /// The host tries a failed run again.
    fn run_job(run: JobRun) -> Result<(), JobError> {
        Err(JobError::UnknownJob(run.name))
    }

    /// Takes an event. The same event may come again. The default ignores it.
    ///
    /// # Errors
    /// The host delivers a refused event again.
    fn handle_event(_event: Event) -> Result<(), EventError> {
        Ok(())
    }
}

/// Makes a type that implements [`Plugin`] the plugin that this crate exports.
///
/// On wasm32 it writes the component's exports; elsewhere it only checks that the
/// type is a plugin, so that `cargo test` links.
#[macro_export]
macro_rules! export {
    ($plugin:ident) => {
        #[cfg(target_arch = "wasm32")]
        const _: () = {
            type ExportedPlugin = $crate::Exported<$plugin>;
    $crate::bindings::export_bindings!(ExportedPlugin with_types_in $crate::bindings);
        };
        #[cfg(not(target_arch = "wasm32"))]
        const _: fn() = || {
            fn implements_plugin<P: $crate::Plugin>() {}
            implements_plugin::<$plugin>();
        };
    };
}

/// The bridge from the generated traits to [`Plugin`].
#[doc(hidden)]
pub struct Exported<P>(PhantomData<P>);

fn enter() {
    #[cfg(target_arch = "wasm32")]
    crate::panic::report_through_log();
}

impl<P: Plugin> activation::Guest for Exported<P> {
    fn activate() -> Result<(), ActivationError> {
        enter();
        P::activate()
    }
}

impl<P: Plugin> pages::Guest for Exported<P> {
    fn open(visit: Visit) -> Result<Page, PageError> {
        enter();
        P::open(visit)
    }

    fn submit(submission: Submission) -> Result<Answer, PageError> {
        enter();
        P::submit(submission)
    }
}

impl<P: Plugin> orders::Guest for Exported<P> {
    fn quote(request: QuoteRequest) -> Result<QuoteAnswer, QuoteError> {
        enter();
        P::quote(request)
    }

    fn fulfil(order: Order) -> Result<Fulfilment, FulfilError> {
        enter();
        P::fulfil(order)
    }

    fn cancel(order: Order) -> Result<(), FulfilError> {
        enter();
        P::cancel(order)
    }
}

impl<P: Plugin> jobs::Guest for Exported<P> {
    fn run(run: JobRun) -> Result<(), JobError> {
        enter();
        P::run_job(run)
    }
}

impl<P: Plugin> events::Guest for Exported<P> {
    fn handle(event: Event) -> Result<(), EventError> {
        enter();
        P::handle_event(event)
    }
}
