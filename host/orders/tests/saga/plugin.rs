//! A plugin that answers as it is told.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use qiao_catalog::fee::Proposal;
use qiao_model::{Id, InstitutionId, PluginId};
use qiao_orders::{Called, DailyJob, Found, Fulfiller, OrderKind, Receipt, Serving};
use qiao_runtime::{
    Answer, CallError, Entry, Event, EventError, FulfilError, Fulfilment, Happening, JobError,
    JobRun, MandateOffer, Offer, Page, PageError, PlacedOrder, Quote, QuoteError, QuoteRequest,
    Quoted, Submission, Visit,
};
use sha2::{Digest, Sha256};
use tokio::sync::Notify;

pub(crate) const PLUGIN: PluginId = Id::from_u128(0x11);
pub(crate) const INSTITUTION: InstitutionId = Id::from_u128(0x12);
pub(crate) const ACCOUNT: &str = "harvest";
/// Another plugin of the institution, by an account of its own; it does as it is told, too.
pub(crate) const NEIGHBOUR: PluginId = Id::from_u128(0x14);
pub(crate) const NEIGHBOURS_ACCOUNT: &str = "neighbour";

/// What the plugin does when it is asked to fulfil.
#[derive(Clone, Debug)]
pub(crate) enum Act {
    Answer(Result<Fulfilment, CallError<FulfilError>>),
    /// It never answers: the test drops the call.
    Hang,
    /// It answers when the test says so.
    Late(Arc<Notify>, Result<Fulfilment, CallError<FulfilError>>),
}

#[derive(Default)]
struct Script {
    fulfil: VecDeque<Act>,
    cancel: VecDeque<Result<(), CallError<FulfilError>>>,
    jobs: VecDeque<Result<(), CallError<JobError>>>,
    offer: Option<Offer>,
    mandate: Option<MandateOffer>,
    price_e4: i64,
    proposals: Vec<Proposal>,
    developer: Option<InstitutionId>,
    stopped: bool,
    digest: String,
    daily: Vec<DailyJob>,
    hanging: Option<Arc<Notify>>,
    seen: Seen,
}

/// What the plugin was asked.
#[derive(Clone, Debug, Default)]
pub(crate) struct Seen {
    pub(crate) fulfilled: Vec<PlacedOrder>,
    pub(crate) cancelled: Vec<PlacedOrder>,
    pub(crate) runs: Vec<JobRun>,
    pub(crate) happenings: Vec<Happening>,
}

pub(crate) struct FakePlugin {
    script: Mutex<Script>,
}

impl FakePlugin {
    pub(crate) fn new() -> Self {
        Self {
            script: Mutex::new(Script {
                price_e4: 10_000,
                digest: "aa".repeat(32),
                ..Script::default()
            }),
        }
    }

    fn script(&self) -> MutexGuard<'_, Script> {
        self.script.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What the next calls of `fulfil` do; done with a receipt when nothing is left.
    pub(crate) fn will(&self, acts: impl IntoIterator<Item = Act>) {
        self.script().fulfil.extend(acts);
    }

    pub(crate) fn will_cancel(
        &self,
        answers: impl IntoIterator<Item = Result<(), CallError<FulfilError>>>,
    ) {
        self.script().cancel.extend(answers);
    }

    pub(crate) fn will_run(
        &self,
        answers: impl IntoIterator<Item = Result<(), CallError<JobError>>>,
    ) {
        self.script().jobs.extend(answers);
    }

    pub(crate) fn offers(&self, offer: Offer) {
        self.script().offer = Some(offer);
    }

    /// The next form leads to a mandate.
    pub(crate) fn offers_mandate(&self, mandate: MandateOffer) {
        self.script().mandate = Some(mandate);
    }

    pub(crate) fn prices(&self, price_e4: i64) {
        self.script().price_e4 = price_e4;
    }

    /// An institution developed it, as its manifest says from now on.
    pub(crate) fn is_developed_by(&self, developer: InstitutionId) {
        self.script().developer = Some(developer);
    }

    /// Proposes these fees from now on.
    pub(crate) fn proposes(&self, proposals: &[(&str, i64)]) {
        let proposal = |(code, minor): &(&str, i64)| Proposal {
            code: (*code).to_owned(),
            minor: *minor,
        };
        self.script().proposals = proposals.iter().map(proposal).collect();
    }

    /// Another release serves from now on.
    pub(crate) fn release_changes(&self) {
        self.script().digest = "bb".repeat(32);
    }

    pub(crate) fn stops(&self) {
        self.script().stopped = true;
    }

    /// From now on every order and job hangs, but the neighbour's, until the notice.
    pub(crate) fn hangs(&self, until: Option<Arc<Notify>>) {
        self.script().hanging = until;
    }

    pub(crate) fn has_jobs(&self, daily: Vec<DailyJob>) {
        self.script().daily = daily;
    }

    pub(crate) fn seen(&self) -> Seen {
        self.script().seen.clone()
    }

    pub(crate) fn now_serving(&self) -> Option<Serving> {
        let script = self.script();
        (!script.stopped).then(|| Serving {
            plugin: PLUGIN,
            institution: INSTITUTION,
            release: Id::from_u128(0x13),
            digest: script.digest.clone(),
            developer: script.developer,
        })
    }
}

pub(crate) fn done(number: &str) -> Act {
    Act::Answer(Ok(Fulfilment::Done(receipt(number))))
}

pub(crate) fn receipt(number: &str) -> Receipt {
    Receipt {
        number: number.to_owned(),
        entries: vec![Entry {
            label: "Office".to_owned(),
            value: "浦东".to_owned(),
        }],
    }
}

pub(crate) fn pending(seconds: u32) -> Act {
    Act::Answer(Ok(Fulfilment::Pending(seconds)))
}

pub(crate) fn rejected(reason: &str) -> Act {
    Act::Answer(Err(CallError::Guest(FulfilError::Rejected(
        reason.to_owned(),
    ))))
}

pub(crate) fn unknown(problem: &str) -> Act {
    Act::Answer(Err(CallError::Guest(FulfilError::Unknown(
        problem.to_owned(),
    ))))
}

fn hash(text: &str) -> [u8; 32] {
    Sha256::digest(text).into()
}

impl Fulfiller for FakePlugin {
    fn serving_service<'a>(
        &'a self,
        account: &'a str,
        _service: &'a str,
    ) -> Found<'a, Option<Serving>> {
        Box::pin(async move {
            Ok(match account {
                ACCOUNT => self.now_serving(),
                NEIGHBOURS_ACCOUNT => self.serving(NEIGHBOUR).await?,
                _ => None,
            })
        })
    }

    fn serving(&self, plugin: PluginId) -> Found<'_, Option<Serving>> {
        Box::pin(async move {
            let known = [PLUGIN, NEIGHBOUR].contains(&plugin);
            let serving = self.now_serving().filter(|_| known);
            Ok(serving.map(|serving| Serving { plugin, ..serving }))
        })
    }

    fn jobs(&self) -> Found<'_, Vec<DailyJob>> {
        Box::pin(async move { Ok(self.script().daily.clone()) })
    }

    fn open<'a>(&'a self, _by: &'a Serving, visit: Visit) -> Called<'a, Page, PageError> {
        Box::pin(async move {
            match visit.service.as_str() {
                "invest" => Ok(Page {
                    title: format!("{} on {}", visit.service, visit.today),
                    blocks: Vec::new(),
                }),
                "broken" => Err(CallError::Unavailable),
                name => Err(CallError::Guest(PageError::NotFound(name.to_owned()))),
            }
        })
    }

    fn submit<'a>(&'a self, _by: &'a Serving, _form: Submission) -> Called<'a, Answer, PageError> {
        Box::pin(async move {
            if let Some(mandate) = self.script().mandate.take() {
                return Ok(Answer::Mandate(mandate));
            }
            let offer = self.script().offer.clone();
            Ok(offer.map_or_else(
                || {
                    Answer::Page(Page {
                        title: "nothing to sell".to_owned(),
                        blocks: Vec::new(),
                    })
                },
                Answer::Offer,
            ))
        })
    }

    fn quote<'a>(
        &'a self,
        _by: &'a Serving,
        request: QuoteRequest,
    ) -> Called<'a, Quoted, QuoteError> {
        Box::pin(async move {
            let offer = &request.offer;
            if offer.reference == "sold-out" {
                let refusal = QuoteError::NotAvailable("it is sold out".to_owned());
                return Err(CallError::Guest(refusal));
            }
            let price_e4 = self.script().price_e4;
            let proposals = self.script().proposals.clone();
            let worth = |units: i64| units * price_e4 / 10_000;
            let principal = match offer.amount {
                Some(amount) => amount,
                None => qiao_model::Money::new(
                    worth(offer.units_minor.unwrap_or(0)),
                    match offer.product.as_str() {
                        "dollar" => "USD".parse().unwrap(),
                        _ => qiao_model::Currency::CNY,
                    },
                ),
            };
            let quote = Quote {
                principal,
                unit_price_e4: ["fund", "bond", "dollar"]
                    .contains(&offer.product.as_str())
                    .then_some(price_e4),
                notes: Vec::new(),
                proposals,
            };
            Ok(Quoted {
                fuel: 1_000,
                input_hash: hash(&format!("{request:?}")),
                output_hash: hash(&format!("{quote:?}")),
                quote,
            })
        })
    }

    fn fulfil<'a>(
        &'a self,
        by: &'a Serving,
        order: PlacedOrder,
    ) -> Called<'a, Fulfilment, FulfilError> {
        Box::pin(async move {
            let (act, hanging) = {
                let mut script = self.script();
                script.seen.fulfilled.push(order.clone());
                (script.fulfil.pop_front(), script.hanging.clone())
            };
            if let Some(until) = hanging.filter(|_| by.plugin != NEIGHBOUR) {
                until.notified().await;
            }
            match act {
                Some(Act::Answer(answer)) => answer,
                Some(Act::Hang) => std::future::pending().await,
                Some(Act::Late(told, answer)) => {
                    told.notified().await;
                    answer
                }
                None => Ok(Fulfilment::Done(receipt(&format!("R-{}", order.attempt)))),
            }
        })
    }

    fn cancel<'a>(&'a self, _by: &'a Serving, order: PlacedOrder) -> Called<'a, (), FulfilError> {
        Box::pin(async move {
            let mut script = self.script();
            script.seen.cancelled.push(order);
            script.cancel.pop_front().unwrap_or(Ok(()))
        })
    }

    fn run_job<'a>(&'a self, by: &'a Serving, run: JobRun) -> Called<'a, (), JobError> {
        Box::pin(async move {
            let (answer, hanging) = {
                let mut script = self.script();
                script.seen.runs.push(run);
                (script.jobs.pop_front(), script.hanging.clone())
            };
            if let Some(until) = hanging.filter(|_| by.plugin != NEIGHBOUR) {
                until.notified().await;
            }
            answer.unwrap_or(Ok(()))
        })
    }

    fn handle_event<'a>(&'a self, _by: &'a Serving, event: Event) -> Called<'a, (), EventError> {
        Box::pin(async move {
            self.script().seen.happenings.push(event.happening);
            Ok(())
        })
    }
}

/// An offer of a product, for `kind`.
pub(crate) fn offer(product: &str, kind: OrderKind) -> Offer {
    Offer {
        product: product.to_owned(),
        kind,
        title: format!("{kind} {product}"),
        amount: None,
        units_minor: None,
        reference: "ref-1".to_owned(),
        facts: vec![Entry {
            label: "Arrival".to_owned(),
            value: "at once".to_owned(),
        }],
    }
}
