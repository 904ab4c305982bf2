use std::fmt;

use sqlx::{Any, AnyConnection, Transaction};

use crate::error::Error;
use crate::open::Engine;

/// A database transaction. Whoever begins it commits it; dropped, it rolls back.
pub struct Tx {
    engine: Engine,
    inner: Transaction<'static, Any>,
}

impl Tx {
    pub(crate) const fn new(engine: Engine, inner: Transaction<'static, Any>) -> Self {
        Self { engine, inner }
    }

    /// Which database this runs on.
    #[must_use]
    pub const fn engine(&self) -> Engine {
        self.engine
    }

    /// Where statements run: `query.execute(tx.conn())`.
    pub fn conn(&mut self) -> &mut AnyConnection {
        &mut self.inner
    }

    /// The statement of this transaction's engine.
    #[must_use]
    pub const fn pick(&self, sqlite: &'static str, postgres: &'static str) -> &'static str {
        match self.engine {
            Engine::Sqlite => sqlite,
            Engine::Postgres => postgres,
        }
    }

    /// Makes it durable.
    ///
    /// # Errors
    /// The commit failed, or its outcome is unknown ([`Error::Unreachable`]).
    pub async fn commit(self) -> Result<(), Error> {
        Ok(self.inner.commit().await?)
    }

    /// Undoes it.
    ///
    /// # Errors
    /// The connection broke, which undoes it too.
    pub async fn rollback(self) -> Result<(), Error> {
        Ok(self.inner.rollback().await?)
    }
}

impl fmt::Debug for Tx {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Tx({:?})", self.engine)
    }
}
