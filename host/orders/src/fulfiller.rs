use std::future::Future;
use std::pin::Pin;

use qiao_model::{InstitutionId, PluginId, ReleaseId, Timestamp};
use qiao_runtime::{
    Answer, CallError, Event, EventError, FulfilError, Fulfilment, JobError, JobRun, Page,
    PageError, PlacedOrder, QuoteError, QuoteRequest, Quoted, Submission, Visit,
};

/// What a call of a plugin gives, later.
pub type Called<'a, T, E> = Pin<Box<dyn Future<Output = Result<T, CallError<E>>> + Send + 'a>>;
/// What a look-up gives, later.
pub type Found<'a, T> = Pin<Box<dyn Future<Output = Result<T, LookupError>> + Send + 'a>>;

/// The release of a plugin that serves.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Serving {
    /// The plugin.
    pub plugin: PluginId,
    /// Whose.
    pub institution: InstitutionId,
    /// The release.
    pub release: ReleaseId,
    /// Its digest, as lower-case hex.
    pub digest: String,
    /// Who developed it, as its manifest says; none where its institution did.
    pub developer: Option<InstitutionId>,
}

/// A job of the manifest of a release that serves.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DailyJob {
    /// Who runs it.
    pub serving: Serving,
    /// Its name in the manifest.
    pub name: String,
    /// Minutes after midnight in Asia/Shanghai.
    pub minute_of_day: u16,
    /// Runs that were due before this are not missed ones.
    pub since: Timestamp,
}

/// The plugins could not be looked up.
#[derive(Debug, Clone, thiserror::Error)]
#[error("plugins could not be looked up: {0}")]
pub struct LookupError(pub String);

/// Who delivers what users order: the plugins, through the registry and the
/// runtime; in tests, a fake.
pub trait Fulfiller: Send + Sync + 'static {
    /// The release that serves a service of a public account.
    fn serving_service<'a>(
        &'a self,
        account: &'a str,
        service: &'a str,
    ) -> Found<'a, Option<Serving>>;

    /// The release of a plugin that serves.
    fn serving(&self, plugin: PluginId) -> Found<'_, Option<Serving>>;

    /// The daily jobs of every release that serves.
    fn jobs(&self) -> Found<'_, Vec<DailyJob>>;

    /// The page of a service.
    fn open<'a>(&'a self, by: &'a Serving, visit: Visit) -> Called<'a, Page, PageError>;

    /// The answer to a form.
    fn submit<'a>(
        &'a self,
        by: &'a Serving,
        submission: Submission,
    ) -> Called<'a, Answer, PageError>;

    /// Prices an offer; pure.
    fn quote<'a>(
        &'a self,
        by: &'a Serving,
        request: QuoteRequest,
    ) -> Called<'a, Quoted, QuoteError>;

    /// Delivers an order; the same order may come again.
    fn fulfil<'a>(
        &'a self,
        by: &'a Serving,
        order: PlacedOrder,
    ) -> Called<'a, Fulfilment, FulfilError>;

    /// Undoes what `fulfil` may have begun.
    fn cancel<'a>(&'a self, by: &'a Serving, order: PlacedOrder) -> Called<'a, (), FulfilError>;

    /// Runs a job; the same run may come again.
    fn run_job<'a>(&'a self, by: &'a Serving, run: JobRun) -> Called<'a, (), JobError>;

    /// Takes an event; the same event may come again.
    fn handle_event<'a>(&'a self, by: &'a Serving, event: Event) -> Called<'a, (), EventError>;
}
