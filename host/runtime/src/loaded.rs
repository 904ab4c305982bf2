use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use tokio::sync::Semaphore;
use wasmtime::component::{Component, ComponentExportIndex, InstancePre, Linker};

use crate::bindings::v0_1_0::exports::qiao::guest::{activation, events, jobs, orders, pages};
use crate::compile::CompileError;
use crate::guest::{Guest, Shared};
use crate::lane::{Lane, Lanes};
use crate::seats::Seat;
use crate::{Ports, ReleaseRef};

/// A release that is ready to be called: its machine code in memory, its imports
/// resolved, its exports looked up.
pub struct Loaded {
    pub(crate) release: Arc<ReleaseRef>,
    pub(crate) ports: Arc<Ports>,
    pub(crate) flights: Arc<Semaphore>,
    quote_is_too_large_for_inline: AtomicBool,
    prepared: Lanes<Prepared>,
}

impl Loaded {
    pub(crate) fn new(flights: Arc<Semaphore>, prepared: Lanes<Prepared>) -> Self {
        let shared = &prepared.first().shared;
        Self {
            release: Arc::clone(&shared.release),
            ports: Arc::clone(&shared.ports),
            flights,
            quote_is_too_large_for_inline: AtomicBool::new(false),
            prepared,
        }
    }

    /// The release on the lane of a seat.
    pub(crate) fn on(&self, seat: &Seat) -> &Prepared {
        self.prepared.of(seat)
    }

    /// The release on any lane, for what is the same on all of them.
    pub(crate) const fn first(&self) -> &Prepared {
        self.prepared.first()
    }

    /// Quotes that went well: they leave no other record.
    #[must_use]
    pub fn quotes_answered(&self) -> u64 {
        let quotes = |on: &Prepared| on.quotes.load(Ordering::Relaxed);
        self.prepared.iter().map(quotes).sum()
    }

    /// Bytes of machine code and data, on one engine.
    pub(crate) fn compiled_bytes(&self) -> usize {
        self.first().exports.compiled_bytes()
    }

    /// Whether a quote of this release once needed more than the inline budget.
    pub(crate) fn quote_is_too_large_for_inline(&self) -> bool {
        self.quote_is_too_large_for_inline.load(Ordering::Relaxed)
    }

    pub(crate) fn found_quote_too_large_for_inline(&self) {
        self.quote_is_too_large_for_inline
            .store(true, Ordering::Relaxed);
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

/// A release on one lane: calls of other lanes touch nothing of it.
pub(crate) struct Prepared {
    pub(crate) exports: Exports,
    pub(crate) shared: Arc<Shared>,
    pub(crate) lane: Arc<Lane>,
    quotes: AtomicU64,
}

impl Prepared {
    pub(crate) fn new(lane: &Arc<Lane>, exports: Exports, shared: Shared) -> Self {
        Self {
            exports,
            shared: Arc::new(shared),
            lane: Arc::clone(lane),
            quotes: AtomicU64::new(0),
        }
    }

    /// Counts a quote that went well: here, and in no record.
    pub(crate) fn count_quote(&self) {
        self.quotes.fetch_add(1, Ordering::Relaxed);
        self.lane.count_quote();
    }
}

/// The interface that has `quote`.
const ORDERS: &str = "qiao:guest/orders@0.1.0";

/// What WIT 0.1.0 demands of a plugin, found once.
pub(crate) struct Exports {
    pub(crate) pre: InstancePre<Guest>,
    pub(crate) activation: activation::GuestIndices,
    pub(crate) pages: pages::GuestIndices,
    pub(crate) orders: orders::GuestIndices,
    /// Alone, since a quote is made by the ten thousand and needs no other function of
    /// its interface looked up and its types compared.
    pub(crate) quote: ComponentExportIndex,
    pub(crate) jobs: jobs::GuestIndices,
    pub(crate) events: events::GuestIndices,
}

impl Exports {
    /// Resolves imports and exports.
    pub(crate) fn find(linker: &Linker<Guest>, component: &Component) -> wasmtime::Result<Self> {
        let pre = linker.instantiate_pre(component)?;
        let orders = component.get_export_index(None, ORDERS);
        let quote = orders.and_then(|of| component.get_export_index(Some(&of), "quote"));
        Ok(Self {
            quote: quote.ok_or_else(|| wasmtime::format_err!("{ORDERS} exports no quote"))?,
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
