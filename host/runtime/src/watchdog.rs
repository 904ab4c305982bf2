use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use wasmtime::Engine;

use crate::limits::WATCHDOG_STEP;

/// Counts steps of [`WATCHDOG_STEP`] on a thread of its own and moves the epoch of
/// every engine with each, so that a guest that does not yield is interrupted.
pub(crate) struct Watchdog {
    steps: Arc<AtomicU64>,
}

impl Watchdog {
    /// Starts the thread; it ends when the watchdog is dropped.
    pub(crate) fn start<'a>(engines: impl Iterator<Item = &'a Engine>) -> std::io::Result<Self> {
        let steps = Arc::new(AtomicU64::new(0));
        let weak_steps = Arc::downgrade(&steps);
        let engines: Vec<_> = engines.map(Engine::weak).collect();
        std::thread::Builder::new()
            .name("qiao-watchdog".to_owned())
            .spawn(move || {
                loop {
                    std::thread::sleep(WATCHDOG_STEP);
                    let Some(steps) = weak_steps.upgrade() else {
                        return;
                    };
                    steps.fetch_add(1, Ordering::Relaxed);
                    for engine in &engines {
                        // One that is gone has no guests to be stopped.
                        if let Some(engine) = engine.upgrade() {
                            engine.increment_epoch();
                        }
                    }
                }
            })?;
        Ok(Self { steps })
    }

    /// Steps since the start.
    pub(crate) fn now(&self) -> u64 {
        self.steps.load(Ordering::Relaxed)
    }
}

/// So many steps cover the duration; one more, since the present step has begun already.
pub(crate) fn steps(duration: Duration) -> u64 {
    let steps = duration.as_micros().div_ceil(WATCHDOG_STEP.as_micros());
    u64::try_from(steps).unwrap_or(u64::MAX).saturating_add(1)
}
