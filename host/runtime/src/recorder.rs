use std::collections::VecDeque;
use std::sync::atomic::{AtomicU64, Ordering};

use parking_lot::Mutex;
use tokio::sync::Notify;

use crate::limits::{RECORDS_BATCH_MAX, RECORDS_WAITING_MAX};
use crate::{Invocation, Outcome};

/// Records of invocations that wait to be written, so that no call waits for a database.
/// The queue is bounded: when it is full, the oldest record of a call that went well makes
/// room, and is counted as dropped; a failure is dropped only when nothing but failures wait.
#[derive(Default)]
pub(crate) struct Recorder {
    waiting: Mutex<VecDeque<Invocation>>,
    arrived: Notify,
    dropped: AtomicU64,
}

impl Recorder {
    pub(crate) fn record(&self, invocation: Invocation) {
        let mut waiting = self.waiting.lock();
        if waiting.len() >= RECORDS_WAITING_MAX {
            self.dropped.fetch_add(1, Ordering::Relaxed);
            let went_well = |record: &Invocation| record.outcome == Outcome::Answered;
            let oldest = waiting.iter().position(went_well);
            if oldest.is_none() && went_well(&invocation) {
                return;
            }
            waiting.remove(oldest.unwrap_or(0));
        }
        waiting.push_back(invocation);
        drop(waiting);
        self.arrived.notify_one();
    }

    /// The next batch, empty when nothing waits.
    pub(crate) fn take(&self) -> Vec<Invocation> {
        let mut waiting = self.waiting.lock();
        let count = waiting.len().min(RECORDS_BATCH_MAX);
        waiting.drain(..count).collect()
    }

    /// Puts a batch back that could not be written.
    pub(crate) fn put_back(&self, batch: Vec<Invocation>) {
        let mut waiting = self.waiting.lock();
        for invocation in batch.into_iter().rev() {
            if waiting.len() >= RECORDS_WAITING_MAX {
                self.dropped.fetch_add(1, Ordering::Relaxed);
            } else {
                waiting.push_front(invocation);
            }
        }
    }

    /// Waits until something is there to be written.
    pub(crate) async fn arrived(&self) {
        self.arrived.notified().await;
    }

    pub(crate) fn dropped(&self) -> u64 {
        self.dropped.load(Ordering::Relaxed)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Fault, FaultKind, Function};
    use qiao_model::{InvocationId, PluginId, ReleaseId, Timestamp};

    fn record(id: u128, outcome: Outcome) -> Invocation {
        Invocation {
            id: InvocationId::from_u128(id),
            plugin: PluginId::from_u128(1),
            release: ReleaseId::from_u128(1),
            function: Function::Open,
            outcome,
            fuel: 0,
            memory_bytes: 0,
            host_calls: 0,
            duration_us: 0,
            at: Timestamp::from_millis(0),
            log: Vec::new(),
        }
    }

    fn fault() -> Outcome {
        Outcome::Faulted(Fault {
            kind: FaultKind::Trap,
            message: String::new(),
        })
    }

    #[test]
    fn failures_outlast_successes_when_the_queue_is_full() {
        let recorder = Recorder::default();
        recorder.record(record(0, fault()));
        for id in 1..RECORDS_WAITING_MAX {
            recorder.record(record(id as u128, Outcome::Answered));
        }
        assert_eq!(recorder.dropped(), 0);
        recorder.record(record(9_999, fault()));
        assert_eq!(recorder.dropped(), 1);

        let mut kept = Vec::new();
        loop {
            let batch = recorder.take();
            assert!(batch.len() <= RECORDS_BATCH_MAX);
            if batch.is_empty() {
                break;
            }
            kept.extend(batch.into_iter().map(|record| record.id.as_u128()));
        }
        assert_eq!(kept.len(), RECORDS_WAITING_MAX);
        assert!(kept.contains(&0) && kept.contains(&9_999) && !kept.contains(&1));
    }

    #[test]
    fn a_batch_that_was_not_written_comes_again_in_order() {
        let recorder = Recorder::default();
        recorder.record(record(1, Outcome::Answered));
        recorder.record(record(2, Outcome::Answered));
        let batch = recorder.take();
        recorder.record(record(3, Outcome::Answered));
        recorder.put_back(batch);
        let ids: Vec<u128> = recorder.take().iter().map(|r| r.id.as_u128()).collect();
        assert_eq!(ids, [1, 2, 3]);
    }
}
