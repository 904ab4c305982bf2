use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use tokio::sync::Semaphore;
use wasmtime::component::{Component, InstancePre, Linker};

use crate::bindings::v0_1_0::exports::qiao::guest::{activation, events, jobs, orders, pages};
use crate::compile::CompileError;
use crate::guest::Guest;
use crate::{Ports, ReleaseRef};

/// A release that is ready to be called: its machine code in memory, its imports
/// resolved, its exports looked up.
pub struct Loaded {
    pub(crate) release: Arc<ReleaseRef>,
    pub(crate) exports: Exports,
    pub(crate) ports: Arc<Ports>,
    pub(crate) flights: Arc<Semaphore>,
    pub(crate) quotes: QuoteHistory,
}

impl Loaded {
    /// Quotes that went well: they leave no other record.
    #[must_use]
    pub fn quotes_answered(&self) -> u64 {
        self.quotes.answered()
    }

    /// Which release.
    #[must_use]
    pub fn release(&self) -> &ReleaseRef {
        &self.release
    }
}

impl std::fmt::Debug for Loaded {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("Loaded").field(&self.release.id).finish()
    }
}

/// What WIT 0.1.0 demands of a plugin, found once.
pub(crate) struct Exports {
    pub(crate) pre: InstancePre<Guest>,
    pub(crate) activation: activation::GuestIndices,
    pub(crate) pages: pages::GuestIndices,
    pub(crate) orders: orders::GuestIndices,
    pub(crate) jobs: jobs::GuestIndices,
    pub(crate) events: events::GuestIndices,
}

impl Exports {
    /// Resolves imports and exports.
    pub(crate) fn find(linker: &Linker<Guest>, component: &Component) -> wasmtime::Result<Self> {
        let pre = linker.instantiate_pre(component)?;
        Ok(Self {
            activation: activation::GuestIndices::new(&pre)?,
            pages: pages::GuestIndices::new(&pre)?,
            orders: orders::GuestIndices::new(&pre)?,
            jobs: jobs::GuestIndices::new(&pre)?,
            events: events::GuestIndices::new(&pre)?,
            pre,
        })
    }

    /// Bytes of machine code and data.
    pub(crate) fn compiled_bytes(&self) -> usize {
        let image = self.pre.component().image_range();
        (image.end as usize).saturating_sub(image.start as usize)
    }
}

/// What quotes of a release have cost so far: successes are counted here and nowhere else.
#[derive(Debug, Default)]
pub(crate) struct QuoteHistory {
    answered: AtomicU64,
    too_large_for_inline: AtomicBool,
}

impl QuoteHistory {
    pub(crate) fn count(&self) {
        self.answered.fetch_add(1, Ordering::Relaxed);
    }

    pub(crate) fn answered(&self) -> u64 {
        self.answered.load(Ordering::Relaxed)
    }

    /// Whether a quote of this release once needed more than the inline budget.
    pub(crate) fn is_too_large_for_inline(&self) -> bool {
        self.too_large_for_inline.load(Ordering::Relaxed)
    }

    pub(crate) fn found_too_large_for_inline(&self) {
        self.too_large_for_inline.store(true, Ordering::Relaxed);
    }
}

/// Why a release cannot be called.
#[derive(Debug, thiserror::Error)]
pub enum LoadError {
    /// The bytes are not the ones that were reviewed.
    #[error("the component does not have the digest of its release")]
    WrongDigest,
    /// It does not compile.
    #[error(transparent)]
    Compile(#[from] CompileError),
    /// An import that the host does not have, or an export that it lacks.
    #[error("the component is not a plugin of this host: {0}")]
    NotAPlugin(String),
    /// The component's bytes could not be read.
    #[error("the component of the release is not there")]
    NoComponent,
}
