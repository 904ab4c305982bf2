use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::Notify;

/// What happens to one transaction of a database that was opened with [`Faults`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// The batch ends with a panic after so many of its statements; nothing is written.
    PanicAfter(u32),
    /// The commit is refused: another transaction was in the way.
    CommitBusy,
    /// The commit is refused: no space is left.
    CommitFull,
    /// The connection breaks before the commit arrives; nothing is written.
    CommitLost,
    /// The commit takes effect, and its answer is lost.
    AnswerLost,
    /// The host ends before the commit; nothing is written and nobody is answered.
    DieBeforeCommit,
    /// The host ends after the commit; nobody is answered.
    DieAfterCommit,
}

/// The faults that the next transactions of a database meet, one each, in order.
/// A host opens its database without any: this is the seam through which tests
/// and the simulator break storage under the real code. It is compiled always,
/// so that what is tested is what is shipped.
#[derive(Clone, Debug, Default)]
pub struct Faults {
    planned: Arc<Mutex<VecDeque<Fault>>>,
    died: Arc<Notify>,
}

impl Faults {
    /// One more transaction will meet this.
    pub fn plan(&self, fault: Fault) {
        self.planned().push_back(fault);
    }

    /// Forgets what is still planned.
    pub fn clear(&self) {
        self.planned().clear();
    }

    /// Waits until a transaction met one of the faults that end a host.
    pub async fn died(&self) {
        self.died.notified().await;
    }

    pub(crate) fn next(&self) -> Option<Fault> {
        self.planned().pop_front()
    }

    /// Never comes back: the host that asked is no more.
    pub(crate) async fn die(&self) -> ! {
        self.died.notify_one();
        std::future::pending().await
    }

    fn planned(&self) -> MutexGuard<'_, VecDeque<Fault>> {
        self.planned.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
