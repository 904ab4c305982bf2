//! Whether anybody has committed, without asking the database.

use std::fs::File;
use std::os::unix::fs::{FileExt, MetadataExt};
use std::path::{Path, PathBuf};

use parking_lot::RwLock;

/// One copy of the header of SQLite's write-ahead log index.
const HEADER_BYTES: usize = 48;

/// What a database was at a moment. As long as a later mark is equal, nobody has
/// committed: no other connection and no other process.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CommitMark([u8; HEADER_BYTES]);

/// Reads marks from the index of an SQLite log: the `-shm` file beside the database.
///
/// The index begins with two copies of a header that every commit rewrites before it
/// is answered, with a counter of commits in it; connections tell by it whether what
/// they have cached still holds
/// (<https://www.sqlite.org/walformat.html#the_wal_index_file_format>).
#[derive(Debug)]
pub(crate) struct LogIndex {
    path: PathBuf,
    file: RwLock<Option<File>>,
}

impl LogIndex {
    /// The index of a database file.
    pub(crate) fn of(database: &Path) -> Self {
        let mut path = database.as_os_str().to_owned();
        path.push("-shm");
        Self {
            path: path.into(),
            file: RwLock::new(None),
        }
    }

    /// The mark of now; none while a commit is being made or the file cannot be read.
    pub(crate) fn mark(&self) -> Option<CommitMark> {
        if let Some(file) = self.file.read().as_ref()
            && is_linked(file)
        {
            return read_mark(file);
        }
        // The last connection that closes takes the file away, the next makes another.
        let file = File::open(&self.path).ok()?;
        let mark = read_mark(&file);
        *self.file.write() = Some(file);
        mark
    }
}

fn is_linked(file: &File) -> bool {
    file.metadata().is_ok_and(|metadata| metadata.nlink() > 0)
}

fn read_mark(file: &File) -> Option<CommitMark> {
    let mut copies = [0; 2 * HEADER_BYTES];
    file.read_exact_at(&mut copies, 0).ok()?;
    let (first, second) = copies.split_first_chunk::<HEADER_BYTES>()?;
    // A commit writes the second copy and then the first.
    (first == second).then_some(CommitMark(*first))
}
