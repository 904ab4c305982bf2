use std::sync::Arc;

use wasmtime::Store;
use wasmtime::component::Instance;

use crate::bindings::v0_1_0::exports::qiao::guest::orders;
use crate::call::{self, Budget, Ran};
use crate::calls::Checked;
use crate::guest::Guest;
use crate::loaded::Loaded;
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
        if !loaded.quotes.is_too_large_for_inline() {
            let Ok(seat) = self.0.host.seats.sit().await else {
                return Err(CallError::Unavailable);
            };
            let budget = Budget::inline_quote();
            let ran = call::run(&self.0.host, loaded, &budget, None, Some(seat), |s, i| {
                quote_in(loaded, s, i, &wire_request)
            });
            match outgrown(&ran) {
                None => return self.settle_quote(loaded, request, ran),
                Some(FaultKind::OutOfFuel) => loaded.quotes.found_too_large_for_inline(),
                // The machine was busy; the next quote may well be quick.
                Some(_) => {}
            }
            self.count_quote_run_again();
        }
        let release = Arc::clone(loaded);
        let ran = self
            .run_on_guest_thread(loaded, Function::Quote, None, move |store, instance| {
                quote_in(&release, store, instance, &wire_request)
            })
            .await;
        match ran {
            Some(ran) => self.settle_quote(loaded, request, ran),
            None => Err(CallError::Unavailable),
        }
    }

    /// As [`Runtime::quote`], whole on this thread, which may be any thread: for
    /// measurements and replays, with every limit but the turn.
    ///
    /// # Errors
    /// The plugin's refusal, or its fault.
    pub fn quote_blocking(
        &self,
        loaded: &Loaded,
        request: &QuoteRequest,
    ) -> Result<Quoted, CallError<QuoteError>> {
        let wire_request = wire::quote_request(request);
        let budget = Budget::of(Function::Quote);
        let ran = call::run(
            &self.0.host,
            loaded,
            &budget,
            None,
            None,
            |store, instance| quote_in(loaded, store, instance, &wire_request),
        );
        self.settle_quote(loaded, request, ran)
    }

    fn settle_quote(
        &self,
        loaded: &Loaded,
        request: &QuoteRequest,
        ran: Ran<Checked<Quote, QuoteError>>,
    ) -> Result<Quoted, CallError<QuoteError>> {
        let fuel = ran.fuel;
        let quote = match ran.answer {
            // Logging quotes are recorded like any call, so that their author sees the lines.
            Ok(Ok(Ok(quote))) if ran.log.is_empty() => {
                self.count_quote(loaded);
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

pub(crate) fn quote_in(
    loaded: &Loaded,
    store: &mut Store<Guest>,
    instance: &Instance,
    request: &orders::QuoteRequest,
) -> wasmtime::Result<Checked<Quote, QuoteError>> {
    let guest = loaded.exports.orders.load(&mut *store, instance)?;
    Ok(match guest.call_quote(&mut *store, request)? {
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
