use std::sync::Arc;

use wasmtime::Store;
use wasmtime::component::Instance;

use crate::bindings::v0_1_0::exports::qiao::guest::orders;
use crate::call::{self, Budget, Ran};
use crate::calls::Checked;
use crate::guest::Guest;
use crate::loaded::{Exports, Loaded, Prepared};
use crate::{
    CallError, FaultKind, Function, Quote, QuoteError, QuoteRequest, Quoted, Runtime, hash, wire,
};

impl Runtime {
    /// Prices an offer. It runs on the thread that asks, with a small budget: handing a
    /// call of some microseconds to another thread costs more than the call. A quote that
    /// outgrows the budget is run again, whole, on a guest thread: it is pure, so nothing
    /// happens twice and it burns the same fuel.
    ///
    /// # Errors
    /// The plugin's refusal, or its fault.
    pub async fn quote(
        &self,
        loaded: &Arc<Loaded>,
        request: &QuoteRequest,
    ) -> Result<Quoted, CallError<QuoteError>> {
        let wire_request = wire::quote_request(request);
        if !loaded.quote_is_too_large_for_inline() {
            let Ok(seat) = self.0.host.seats.sit().await else {
                return Err(CallError::Unavailable);
            };
            let on = loaded.on(&seat);
            let budget = Budget::inline_quote();
            let ran = call::run(on, &budget, None, seat, |store, instance| {
                quote_in(store, instance, &on.exports, &wire_request)
            });
            match outgrown(&ran) {
                None => return self.settle_quote(loaded, on, request, ran),
                Some(FaultKind::OutOfFuel) => loaded.found_quote_too_large_for_inline(),
                // The machine was busy; the next quote may well be quick.
                Some(_) => {}
            }
            self.count_quote_run_again();
        }
        let ran = self
            .run_on_guest_thread(
                loaded,
                Function::Quote,
                None,
                move |store, instance, exports| quote_in(store, instance, exports, &wire_request),
            )
            .await;
        match ran {
            // Wherever it ran: what is counted there is only ever summed.
            Some(ran) => self.settle_quote(loaded, loaded.first(), request, ran),
            None => Err(CallError::Unavailable),
        }
    }

    fn settle_quote(
        &self,
        loaded: &Loaded,
        on: &Prepared,
        request: &QuoteRequest,
        ran: Ran<Checked<Quote, QuoteError>>,
    ) -> Result<Quoted, CallError<QuoteError>> {
        let fuel = ran.fuel;
        let quote = match ran.answer {
            // Logging quotes are recorded like any call, so that their author sees the lines.
            Ok(Ok(Ok(quote))) if ran.log.is_empty() => {
                on.count_quote();
                quote
            }
            answer => self.settle(loaded, Function::Quote, Ran { answer, ..ran })?,
        };
        Ok(Quoted {
            fuel,
            input_hash: hash::of_request(request),
            output_hash: hash::of_quote(&quote),
            quote,
        })
    }
}

/// What `quote` gives, in WIT 0.1.0.
type QuoteResult = (Result<orders::QuoteAnswer, orders::QuoteError>,);

pub(crate) fn quote_in(
    store: &mut Store<Guest>,
    instance: &Instance,
    exports: &Exports,
    request: &orders::QuoteRequest,
) -> wasmtime::Result<Checked<Quote, QuoteError>> {
    let quote = instance
        .get_typed_func::<(&orders::QuoteRequest,), QuoteResult>(&mut *store, &exports.quote)?;
    let (answer,) = quote.call(&mut *store, (request,))?;
    Ok(match answer {
        Ok(answer) => wire::quote(answer).map(Ok),
        Err(error) => Ok(Err(wire::quote_error(error))),
    })
}

/// Which part of the inline budget was too small, if one was.
fn outgrown<R>(ran: &Ran<R>) -> Option<FaultKind> {
    match &ran.answer {
        Err(fault) if matches!(fault.kind, FaultKind::OutOfFuel | FaultKind::Deadline) => {
            Some(fault.kind)
        }
        Ok(_) | Err(_) => None,
    }
}
