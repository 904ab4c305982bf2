use std::sync::Arc;
use std::sync::atomic::Ordering;

use qiao_model::ReleaseId;
use qiao_registry::{Registry, Release};
use sha2::{Digest, Sha256};
use wasmtime::component::Component;

use crate::guest::Shared;
use crate::lane::{Lane, Lanes};
use crate::loaded::{Exports, LoadError, Loaded, Prepared};
use crate::{Ports, ReleaseRef, Runtime, compile};

/// Something on each lane, beside the lane.
type OnLanes<T> = Lanes<(Arc<Lane>, T)>;

impl Runtime {
    /// The release, if it is ready to be called.
    #[must_use]
    pub fn loaded(&self, release: ReleaseId) -> Option<Arc<Loaded>> {
        self.0.loaded.get(&release)
    }

    /// Makes a release ready to be called. `bytes` is its component.
    ///
    /// # Errors
    /// See [`LoadError`].
    pub async fn load(&self, release: &ReleaseRef, bytes: &[u8]) -> Result<Arc<Loaded>, LoadError> {
        if let Some(loaded) = self.loaded(release.id) {
            return Ok(loaded);
        }
        let loaded = self
            .load_with(release, bytes, Arc::clone(&self.0.ports))
            .await?;
        self.0.loaded.insert(release.id, Arc::clone(&loaded));
        Ok(loaded)
    }

    /// Makes a release ready to be called with other ports than the host's, and does not
    /// keep it.
    pub(crate) async fn load_with(
        &self,
        release: &ReleaseRef,
        bytes: &[u8],
        ports: Arc<Ports>,
    ) -> Result<Arc<Loaded>, LoadError> {
        let component = qiao_manifest::signing_bytes(bytes)
            .map_err(|error| LoadError::NotAPlugin(error.to_string()))?;
        let digest: [u8; 32] = Sha256::digest(component).into();
        if hex::encode(digest) != release.digest {
            return Err(LoadError::WrongDigest);
        }
        let components = self.components(&digest, component).await?;
        let release = Arc::new(release.clone());
        let prepared = components.each(|(lane, component)| {
            let exports = Exports::find(&lane.linker, component)
                .map_err(|error| LoadError::NotAPlugin(format!("{error:#}")))?;
            let shared = Shared {
                host: Arc::clone(&self.0.host),
                ports: Arc::clone(&ports),
                release: Arc::clone(&release),
            };
            Ok::<_, LoadError>(Prepared::new(lane, exports, shared))
        })?;
        let flights = self.0.host.seats.flights_of(release.plugin);
        Ok(Arc::new(Loaded::new(flights, prepared)))
    }

    /// The registry's release, ready to be called: its component is read when it is not yet.
    ///
    /// # Errors
    /// See [`LoadError`].
    pub async fn ready(
        &self,
        registry: &Registry,
        release: &Release,
    ) -> Result<Arc<Loaded>, LoadError> {
        if let Some(loaded) = self.loaded(release.id) {
            return Ok(loaded);
        }
        let bytes = match registry.component_bytes(release.id).await {
            Ok(Some(bytes)) => bytes,
            Ok(None) => return Err(LoadError::NoComponent),
            Err(error) => {
                tracing::error!(release = %release.id, %error, "a component was not read");
                return Err(LoadError::NoComponent);
            }
        };
        self.load(&ReleaseRef::from(release), &bytes).await
    }

    /// Machine code from the cache, or compiled and kept there.
    async fn components(
        &self,
        digest: &[u8; 32],
        bytes: &[u8],
    ) -> Result<OnLanes<Component>, LoadError> {
        if let Some(components) = self.cached(digest) {
            return Ok(components);
        }
        let _alone = self.0.compiling.lock().await;
        if let Some(components) = self.cached(digest) {
            return Ok(components);
        }
        let code = compile::compile(&self.0.compile, bytes).await?;
        self.0.counters.compiled.fetch_add(1, Ordering::Relaxed);
        if let Err(error) = self.0.cache.put(digest, &code) {
            tracing::warn!(%error, "machine code was not kept; it will be compiled again");
        }
        self.trusted(&code)
            .map_err(|error| LoadError::NotAPlugin(format!("{error:#}")))
    }

    fn cached(&self, digest: &[u8; 32]) -> Option<OnLanes<Component>> {
        let code = self.0.cache.get(digest)?;
        match self.trusted(&code) {
            Ok(components) => Some(components),
            Err(error) => {
                tracing::warn!("machine code of this host does not load: {error:#}");
                None
            }
        }
    }

    /// Machine code that this host made.
    #[expect(
        unsafe_code,
        reason = "the code comes from our own compiler, or from a file whose HMAC proves it"
    )]
    fn trusted(&self, code: &[u8]) -> wasmtime::Result<OnLanes<Component>> {
        // SAFETY: `deserialize` runs whatever the bytes say. They are the output of
        // `compile::compile` in this process, or `CompileCache::get` has verified that a
        // holder of the host key wrote exactly these bytes for this engine and settings.
        let load = |lane: &Lane| unsafe { Component::deserialize(&lane.engine, code) };
        self.0
            .lanes
            .each(|lane| Ok((Arc::clone(lane), load(lane)?)))
    }
}
