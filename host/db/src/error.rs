use std::sync::Arc;

/// Why the database did not do it. Cheap to clone, since one failed batch
/// answers many callers.
#[derive(Debug, Clone, thiserror::Error)]
pub enum Error {
    /// Another transaction was in the way; nothing was written, try again.
    #[error("the database was busy")]
    Busy(#[source] Arc<sqlx::Error>),
    /// The disk or the quota is full; nothing was written.
    #[error("the database has no space left")]
    Full(#[source] Arc<sqlx::Error>),
    /// The database cannot be reached, or the connection broke. Whether a
    /// commit in flight took effect is unknown; every command is idempotent.
    #[error("the database does not answer")]
    Unreachable(#[source] Arc<sqlx::Error>),
    /// A constraint of the schema refused a row.
    #[error("a constraint of the schema refused a row")]
    Constraint(#[source] Arc<sqlx::Error>),
    /// Anything else that the driver reports.
    #[error("the database failed")]
    Sqlx(#[source] Arc<sqlx::Error>),
    /// A migration that ran once has another text now.
    #[error("migration {version} ({name}) changed after it ran on this database")]
    MigrationChanged {
        /// Its number.
        version: i64,
        /// Its name.
        name: String,
    },
    /// The database was migrated by a newer host.
    #[error("the database has migration {0}, which this host does not know; run the newer host")]
    MigrationUnknown(i64),
    /// The address is neither a file nor a `postgres://` address.
    #[error("`{0}` is not a database address; use postgres://user:password@host/name")]
    Address(String),
    /// A row does not read as its type: the database was written by something else.
    #[error("stored {what} `{value}` is not readable")]
    Corrupt {
        /// What it should have been.
        what: &'static str,
        /// What is there.
        value: String,
    },
    /// The batcher has stopped.
    #[error("the host is shutting down")]
    Stopped,
    /// An invariant broke while the batch ran; nothing of it is written.
    #[error("a batch broke an invariant: {0}")]
    Panicked(String),
}

impl Error {
    /// The stored text is not what its column holds.
    #[must_use]
    pub fn corrupt(what: &'static str, value: impl Into<String>) -> Self {
        Self::Corrupt {
            what,
            value: value.into(),
        }
    }

    /// Whether the connection broke under the work, so that another one may do
    /// it; a pool that gave none in time is not asked again.
    #[must_use]
    pub fn is_broken_connection(&self) -> bool {
        let Self::Unreachable(source) = self else {
            return false;
        };
        !matches!(
            source.as_ref(),
            sqlx::Error::PoolTimedOut | sqlx::Error::PoolClosed
        )
    }

    /// Whether a unique key refused the row.
    #[must_use]
    pub fn is_unique_violation(&self) -> bool {
        match self {
            Self::Constraint(source) => source
                .as_database_error()
                .is_some_and(sqlx::error::DatabaseError::is_unique_violation),
            Self::Busy(_)
            | Self::Full(_)
            | Self::Unreachable(_)
            | Self::Sqlx(_)
            | Self::MigrationChanged { .. }
            | Self::MigrationUnknown(_)
            | Self::Address(_)
            | Self::Corrupt { .. }
            | Self::Stopped
            | Self::Panicked(_) => false,
        }
    }
}

/// Whether running the same unit of work again can help.
pub trait Retryable {
    /// True for serialization failures, deadlocks and a busy database.
    fn is_retryable(&self) -> bool;
}

impl Retryable for Error {
    fn is_retryable(&self) -> bool {
        matches!(self, Self::Busy(_))
    }
}

impl From<sqlx::Error> for Error {
    fn from(error: sqlx::Error) -> Self {
        let code = error
            .as_database_error()
            .and_then(sqlx::error::DatabaseError::code)
            .map(|c| c.to_string())
            .unwrap_or_default();
        let constraint = error.as_database_error().is_some_and(|e| {
            e.is_unique_violation() || e.is_check_violation() || e.is_foreign_key_violation()
        });
        let unreachable = matches!(
            error,
            sqlx::Error::Io(_)
                | sqlx::Error::PoolTimedOut
                | sqlx::Error::PoolClosed
                | sqlx::Error::WorkerCrashed
        );
        let source = Arc::new(error);
        // SQLSTATE for PostgreSQL, primary or extended result codes for SQLite.
        match code.as_str() {
            "40001" | "40P01" | "55P03" | "5" | "6" | "261" | "517" => Self::Busy(source),
            // 4874: the log's index cannot grow.
            "53100" | "13" | "4874" => Self::Full(source),
            "57P01" | "57P02" | "57P03" | "08000" | "08003" | "08006" => Self::Unreachable(source),
            _ if constraint => Self::Constraint(source),
            _ if unreachable => Self::Unreachable(source),
            _ => Self::Sqlx(source),
        }
    }
}
