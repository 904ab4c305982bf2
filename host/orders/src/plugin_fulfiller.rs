use std::sync::Arc;

use qiao_model::{PluginId, ReleaseId};
use qiao_registry::{Registry, Release};
use qiao_runtime::{
    Answer, CallError, Event, EventError, FulfilError, Fulfilment, JobError, JobRun, Loaded, Page,
    PageError, PlacedOrder, QuoteError, QuoteRequest, Quoted, ReleaseRef, Runtime, Submission,
    Visit,
};

use crate::fulfiller::{Called, DailyJob, Found, Fulfiller, LookupError, Serving};

/// The plugins of this host: the registry knows which release serves, the
/// runtime runs it.
#[derive(Clone, Debug)]
pub struct PluginFulfiller {
    registry: Registry,
    runtime: Runtime,
}

impl PluginFulfiller {
    /// The plugins of these rooms.
    #[must_use]
    pub const fn new(registry: Registry, runtime: Runtime) -> Self {
        Self { registry, runtime }
    }

    /// The release, ready to be called; the first call on this node loads it.
    async fn loaded(&self, release: ReleaseId) -> Result<Arc<Loaded>, LookupError> {
        if let Some(loaded) = self.runtime.loaded(release) {
            return Ok(loaded);
        }
        let missing = || LookupError(format!("there is no release {release}"));
        let registry = &self.registry;
        let found = registry.release(release).await.map_err(lookup)?;
        let found = found.ok_or_else(missing)?;
        let bytes = registry.component_bytes(release).await.map_err(lookup)?;
        let upload = bytes.ok_or_else(missing)?;
        let loaded = self.runtime.load(&ReleaseRef::from(&found), &upload).await;
        loaded.map_err(lookup)
    }

    /// As [`PluginFulfiller::loaded`], for a call: a release that does not load is
    /// a host that cannot run it now.
    async fn ready<E: std::error::Error>(
        &self,
        serving: &Serving,
    ) -> Result<Arc<Loaded>, CallError<E>> {
        self.loaded(serving.release).await.map_err(|error| {
            tracing::error!(release.id = %serving.release, plugin.id = %serving.plugin, %error, "a release does not load");
            CallError::Unavailable
        })
    }
}

impl Fulfiller for PluginFulfiller {
    fn serving_service<'a>(
        &'a self,
        account: &'a str,
        service: &'a str,
    ) -> Found<'a, Option<Serving>> {
        Box::pin(async move {
            let found = self.registry.service(account, service).await;
            Ok(found.map_err(lookup)?.map(|entry| serving(&entry.release)))
        })
    }

    fn serving(&self, plugin: PluginId) -> Found<'_, Option<Serving>> {
        Box::pin(async move {
            let found = self.registry.active_release(plugin).await;
            Ok(found.map_err(lookup)?.as_deref().map(serving))
        })
    }

    fn jobs(&self) -> Found<'_, Vec<DailyJob>> {
        Box::pin(async move {
            let mut jobs = Vec::new();
            for release in self.registry.active_releases().await.map_err(lookup)? {
                if release.manifest.jobs.is_empty() {
                    continue;
                }
                let plugin = self.registry.plugin(release.plugin).await;
                let Some(plugin) = plugin.map_err(lookup)? else {
                    continue;
                };
                jobs.extend(release.manifest.jobs.iter().map(|job| DailyJob {
                    serving: serving(&release),
                    name: job.name.clone(),
                    minute_of_day: u16::from(job.at.hour) * 60 + u16::from(job.at.minute),
                    since: plugin.created_at,
                }));
            }
            Ok(jobs)
        })
    }

    fn open<'a>(&'a self, by: &'a Serving, visit: Visit) -> Called<'a, Page, PageError> {
        Box::pin(async move { self.runtime.open(&self.ready(by).await?, &visit).await })
    }

    fn submit<'a>(
        &'a self,
        by: &'a Serving,
        submission: Submission,
    ) -> Called<'a, Answer, PageError> {
        Box::pin(async move {
            self.runtime
                .submit(&self.ready(by).await?, &submission)
                .await
        })
    }

    fn quote<'a>(
        &'a self,
        by: &'a Serving,
        request: QuoteRequest,
    ) -> Called<'a, Quoted, QuoteError> {
        Box::pin(async move { self.runtime.quote(&self.ready(by).await?, &request).await })
    }

    fn fulfil<'a>(
        &'a self,
        by: &'a Serving,
        order: PlacedOrder,
    ) -> Called<'a, Fulfilment, FulfilError> {
        Box::pin(async move { self.runtime.fulfil(&self.ready(by).await?, &order).await })
    }

    fn cancel<'a>(&'a self, by: &'a Serving, order: PlacedOrder) -> Called<'a, (), FulfilError> {
        Box::pin(async move { self.runtime.cancel(&self.ready(by).await?, &order).await })
    }

    fn run_job<'a>(&'a self, by: &'a Serving, run: JobRun) -> Called<'a, (), JobError> {
        Box::pin(async move { self.runtime.run_job(&self.ready(by).await?, &run).await })
    }

    fn handle_event<'a>(&'a self, by: &'a Serving, event: Event) -> Called<'a, (), EventError> {
        Box::pin(async move {
            self.runtime
                .handle_event(&self.ready(by).await?, &event)
                .await
        })
    }
}

fn serving(release: &Release) -> Serving {
    Serving {
        plugin: release.plugin,
        institution: release.institution,
        release: release.id,
        digest: release.digest.clone(),
        // The registry took no id that is none.
        developer: (release.manifest.developer.as_deref()).and_then(|id| id.parse().ok()),
    }
}

fn lookup(error: impl std::error::Error) -> LookupError {
    use std::fmt::Write as _;
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        // Writing to a String cannot fail.
        let _ = write!(text, ": {cause}");
        source = cause.source();
    }
    LookupError(text)
}
