use std::sync::Arc;

use parking_lot::Mutex;
use qiao_auth::{AuditEntry, Permit};
use qiao_db::Tx;
use qiao_events::NewEvent;
use qiao_model::{InstitutionId, PluginId, ReleaseId, Scope, Timestamp};
use quick_cache::sync::Cache;
use serde_json::json;

use crate::decision::reason;
use crate::institution::InstitutionState;
use crate::port::Activator;
use crate::release::{Plugin, Release, ReleaseState};
use crate::store::{institution, plugin, release as store, revision};
use crate::{Error, Registry};

/// What a node has cached about who serves is at most so old.
pub const ROLLOUT_STALE_MS_MAX: i64 = 500;
const RELEASES_CACHED_MAX: usize = 4_096;

/// Active releases as they were read, each with the revision it was read at.
pub(crate) struct ReleaseCache {
    checked: Mutex<Option<(Timestamp, i64)>>,
    active: Cache<PluginId, (i64, Option<Arc<Release>>)>,
}

impl ReleaseCache {
    pub(crate) fn new() -> Self {
        Self {
            checked: Mutex::new(None),
            active: Cache::new(RELEASES_CACHED_MAX),
        }
    }

    /// The revision, if it was read just now.
    fn fresh(&self, now: Timestamp) -> Option<i64> {
        let (read_at, revision) = (*self.checked.lock())?;
        let age = now.as_millis().saturating_sub(read_at.as_millis());
        // A clock that was set back makes the read look as if it were of the future.
        (0..ROLLOUT_STALE_MS_MAX).contains(&age).then_some(revision)
    }

    /// The next question asks the database: this node changed something itself.
    fn forget(&self) {
        *self.checked.lock() = None;
    }
}

#[derive(Clone, Copy)]
enum Switch {
    Activate,
    RollBack,
}

impl Switch {
    const fn action(self) -> &'static str {
        match self {
            Self::Activate => "release.activate",
            Self::RollBack => "release.roll_back",
        }
    }

    const fn event(self) -> &'static str {
        match self {
            Self::Activate => "release.activated",
            Self::RollBack => "release.rolled_back",
        }
    }

    /// What may begin to serve: a first time what was approved, and a further
    /// time what served before.
    const fn allows(self, state: &ReleaseState) -> bool {
        match self {
            Self::Activate => matches!(state, ReleaseState::Approved),
            Self::RollBack => matches!(state, ReleaseState::Approved | ReleaseState::Superseded),
        }
    }
}

impl Registry {
    /// Runs an approved release's `activate` and lets it serve. Its institution
    /// may (`releases:write`), and operators.
    ///
    /// # Errors
    /// There is no such release, it is not approved, its institution is not
    /// active, or its `activate` failed; then what was active still is.
    pub async fn activate(
        &self,
        permit: &Permit,
        release: ReleaseId,
        activator: &dyn Activator,
    ) -> Result<(), Error> {
        let switched = self
            .switch(permit, None, release, Switch::Activate, activator)
            .await;
        self.audit_refusal(permit, Switch::Activate.action(), release, switched)
            .await
    }

    /// Lets any earlier approved release serve again, after its `activate`.
    ///
    /// # Errors
    /// As [`Registry::activate`]; or the release is another plugin's.
    pub async fn roll_back(
        &self,
        permit: &Permit,
        plugin: PluginId,
        to: ReleaseId,
        activator: &dyn Activator,
    ) -> Result<(), Error> {
        let switched = self
            .switch(permit, Some(plugin), to, Switch::RollBack, activator)
            .await;
        self.audit_refusal(permit, Switch::RollBack.action(), to, switched)
            .await
    }

    /// Stops a plugin: no release of it serves from now on. Scope `operate`.
    ///
    /// # Errors
    /// The caller is no operator, no release serves, or the reason is missing.
    pub async fn stop_plugin(
        &self,
        permit: &Permit,
        plugin: PluginId,
        why: &str,
    ) -> Result<(), Error> {
        let stopped = self.try_stop(permit, plugin, why).await;
        self.audit_refusal(permit, "plugin.stop", plugin, stopped)
            .await
    }

    /// The release of a plugin that serves; none when there is none, or its
    /// institution is not active. Cached; a change by another node is seen
    /// within [`ROLLOUT_STALE_MS_MAX`].
    ///
    /// # Errors
    /// The database does not answer.
    pub async fn active_release(&self, plugin: PluginId) -> Result<Option<Arc<Release>>, Error> {
        let revision = self.revision().await?;
        let inner = self.inner();
        if let Some((read_at, release)) = inner.releases.active.get(&plugin)
            && read_at == revision
        {
            return Ok(release);
        }
        let release = store::find_active(&inner.db, plugin).await?.map(Arc::new);
        let cached = (revision, release.clone());
        inner.releases.active.insert(plugin, cached);
        Ok(release)
    }

    /// The releases of an institution's plugins that serve, oldest plugin first.
    ///
    /// # Errors
    /// The database does not answer.
    pub async fn active_releases_of(
        &self,
        institution: InstitutionId,
    ) -> Result<Vec<Arc<Release>>, Error> {
        let mut releases = Vec::new();
        for plugin in plugin::list_for_institution(&self.inner().db, institution).await? {
            releases.extend(self.active_release(plugin.id).await?);
        }
        Ok(releases)
    }

    /// A release in any state.
    ///
    /// # Errors
    /// The database does not answer.
    pub async fn release(&self, id: ReleaseId) -> Result<Option<Release>, Error> {
        Ok(store::find(&self.inner().db, id).await?)
    }

    /// The upload of a release, byte for byte, with its signature.
    ///
    /// # Errors
    /// The database does not answer.
    pub async fn component_bytes(&self, id: ReleaseId) -> Result<Option<Vec<u8>>, Error> {
        Ok(store::find_bytes(&self.inner().db, id).await?)
    }

    /// A plugin.
    ///
    /// # Errors
    /// The database does not answer.
    pub async fn plugin(&self, id: PluginId) -> Result<Option<Plugin>, Error> {
        Ok(plugin::find(&self.inner().db, id).await?)
    }

    /// The plugins of an institution, oldest first.
    ///
    /// # Errors
    /// The database does not answer.
    pub async fn plugins_of(&self, institution: InstitutionId) -> Result<Vec<Plugin>, Error> {
        Ok(plugin::list_for_institution(&self.inner().db, institution).await?)
    }

    /// The releases of a plugin, newest first.
    ///
    /// # Errors
    /// The database does not answer.
    pub async fn releases_of(&self, plugin: PluginId) -> Result<Vec<Release>, Error> {
        Ok(store::list_for_plugin(&self.inner().db, plugin).await?)
    }

    /// Every plugin that serves now: for the worker that runs jobs.
    ///
    /// # Errors
    /// The database does not answer.
    pub async fn active_releases(&self) -> Result<Vec<Arc<Release>>, Error> {
        let mut releases = Vec::new();
        for plugin in plugin::list_active(&self.inner().db).await? {
            releases.extend(self.active_release(plugin).await?);
        }
        Ok(releases)
    }

    async fn revision(&self) -> Result<i64, Error> {
        let inner = self.inner();
        let now = inner.env.now();
        if let Some(revision) = inner.releases.fresh(now) {
            return Ok(revision);
        }
        let revision = revision::read(&inner.db).await?;
        *inner.releases.checked.lock() = Some((now, revision));
        Ok(revision)
    }

    async fn switch(
        &self,
        permit: &Permit,
        plugin: Option<PluginId>,
        id: ReleaseId,
        switch: Switch,
        activator: &dyn Activator,
    ) -> Result<(), Error> {
        let inner = self.inner();
        let release = self.release(id).await?.ok_or(Error::UnknownRelease(id))?;
        self.governs(permit, &release)?;
        if plugin.is_some_and(|plugin| plugin != release.plugin) {
            return Err(Error::UnknownRelease(id));
        }
        demand(switch, &release)?;
        self.demand_active(release.institution).await?;
        // Outside of the transaction: a guest runs, and registers its products.
        activator
            .activate(&release)
            .await
            .map_err(|cause| Error::ActivationFailed { release: id, cause })?;
        inner
            .db
            .write(|| async {
                let mut tx = inner.db.begin().await?;
                plugin::lock(&mut tx, release.plugin).await?;
                let state = store::state_of(&mut tx, id).await?;
                let release = Release {
                    state: state.ok_or(Error::UnknownRelease(id))?,
                    ..release.clone()
                };
                demand(switch, &release)?;
                store::set_active(&mut tx, release.plugin, id).await?;
                self.record(&mut tx, permit, &release, switch).await?;
                tx.commit().await?;
                Ok::<(), Error>(())
            })
            .await?;
        inner.releases.forget();
        Ok(())
    }

    async fn record(
        &self,
        tx: &mut Tx,
        permit: &Permit,
        release: &Release,
        switch: Switch,
    ) -> Result<(), Error> {
        let inner = self.inner();
        revision::raise(tx).await?;
        let entry = AuditEntry::allowed(permit.actor(), switch.action(), release.id)
            .detail(format!("{} {}", release.manifest.name, release.version));
        inner.auth.audit_in(tx, &entry).await?;
        let event = NewEvent {
            id: inner.env.id(),
            kind: switch.event(),
            institution: Some(release.institution),
            plugin: None,
            subject: release.id.to_string(),
            payload: json!({
                "release": release.id.to_string(),
                "plugin": release.plugin.to_string(),
                "version": release.version,
            }),
        };
        Ok(qiao_events::append(tx, inner.env.now(), &[event]).await?)
    }

    async fn try_stop(&self, permit: &Permit, plugin: PluginId, why: &str) -> Result<(), Error> {
        permit.covers(Scope::Operate)?;
        let why = reason(why)?;
        let inner = self.inner();
        let found = self.plugin(plugin).await?;
        let found = found.ok_or(Error::UnknownPlugin(plugin))?;
        inner
            .db
            .write(|| async {
                let mut tx = inner.db.begin().await?;
                if !store::set_none_active(&mut tx, plugin).await? {
                    return Err(Error::UnknownPlugin(plugin));
                }
                revision::raise(&mut tx).await?;
                let entry = AuditEntry::allowed(permit.actor(), "plugin.stop", plugin).detail(&why);
                inner.auth.audit_in(&mut tx, &entry).await?;
                let event = NewEvent {
                    id: inner.env.id(),
                    kind: "plugin.stopped",
                    institution: Some(found.institution),
                    plugin: None,
                    subject: plugin.to_string(),
                    payload: json!({ "plugin": plugin.to_string(), "reason": why }),
                };
                qiao_events::append(&mut tx, inner.env.now(), &[event]).await?;
                tx.commit().await?;
                Ok(())
            })
            .await?;
        inner.releases.forget();
        Ok(())
    }

    /// The release's own institution may roll it out, and operators; to others
    /// it does not exist.
    fn governs(&self, permit: &Permit, release: &Release) -> Result<(), Error> {
        if permit.covers(Scope::Operate).is_ok() {
            return Ok(());
        }
        permit.covers(Scope::ReleasesWrite)?;
        if permit.institution() == Some(release.institution) {
            Ok(())
        } else {
            Err(Error::UnknownRelease(release.id))
        }
    }

    pub(crate) async fn demand_active(&self, id: InstitutionId) -> Result<(), Error> {
        let found = institution::find(&self.inner().db, id).await?;
        let state = found.ok_or(Error::UnknownInstitution(id))?.state;
        if state == InstitutionState::Active {
            return Ok(());
        }
        Err(Error::InstitutionState {
            institution: id,
            state,
        })
    }
}

fn demand(switch: Switch, release: &Release) -> Result<(), Error> {
    if switch.allows(&release.state) {
        return Ok(());
    }
    Err(Error::ReleaseState {
        release: release.id,
        state: release.state.clone(),
    })
}
