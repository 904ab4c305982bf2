use std::sync::atomic::{AtomicU64, Ordering};

use parking_lot::RwLock;
use qiao_db::{CommitMark, Db};
use tokio::sync::Mutex;

use crate::store::revision as store;

/// What nodes have agreed was taken away so far. Raised in the same
/// transaction as a revocation, a log-out or a suspension.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Revision {
    pub(crate) sessions: i64,
    pub(crate) tokens: i64,
}

/// Reads the revision for whoever asks, many callers with one query, and none while
/// nobody commits.
///
/// A caller needs a read that *began after it asked*: then a revocation that was
/// answered before the call, on whichever node, is seen by it. Every caller that
/// waits while a read is under way shares the next one, and whoever is about to ask
/// when a read is due shares that one, so that a busy node asks the database once per
/// round trip and not once per request.
pub(crate) struct Revisions {
    db: Db,
    begun: AtomicU64,
    newest: Mutex<Option<(u64, Revision)>>,
    /// As it was read, with the database's mark of just before.
    marked: RwLock<Option<(CommitMark, Revision)>>,
}

impl Revisions {
    pub(crate) const fn new(db: Db) -> Self {
        Self {
            db,
            begun: AtomicU64::new(0),
            newest: Mutex::const_new(None),
            marked: RwLock::new(None),
        }
    }

    pub(crate) async fn current(&self) -> Result<Revision, qiao_db::Error> {
        if let Some((mark, revision)) = *self.marked.read()
            && self.db.mark() == Some(mark)
        {
            return Ok(revision);
        }
        let asked = self.begun.load(Ordering::SeqCst);
        let mut newest = self.newest.lock().await;
        if let Some((read, revision)) = *newest
            && read > asked
        {
            return Ok(revision);
        }
        // Everybody whose turn it is now asks before this read begins.
        tokio::task::yield_now().await;
        let read = self.begun.fetch_add(1, Ordering::SeqCst) + 1;
        let mark = self.db.mark();
        let revision = store::read(&self.db).await?;
        *self.marked.write() = mark.map(|mark| (mark, revision));
        *newest = Some((read, revision));
        Ok(revision)
    }
}
