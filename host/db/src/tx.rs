use std::fmt;
use std::sync::Arc;

use sqlx::{Any, AnyConnection, Transaction};

use crate::error::Error;
use crate::fault::{Fault, Faults};
use crate::open::Engine;

/// A database transaction. Whoever begins it commits it; dropped, it rolls back.
pub struct Tx {
    engine: Engine,
    inner: Transaction<'static, Any>,
    broken: Option<Broken>,
}

/// What this transaction meets on purpose.
struct Broken {
    fault: Fault,
    by: Faults,
    statements: u32,
}

impl Tx {
    pub(crate) fn new(
        engine: Engine,
        inner: Transaction<'static, Any>,
        faults: Option<&Faults>,
    ) -> Self {
        let broken = faults.and_then(|faults| {
            faults.next().map(|fault| Broken {
                fault,
                by: faults.clone(),
                statements: 0,
            })
        });
        Self {
            engine,
            inner,
            broken,
        }
    }

    /// Which database this runs on.
    #[must_use]
    pub const fn engine(&self) -> Engine {
        self.engine
    }

    /// Where statements run: `query.execute(tx.conn())`.
    ///
    /// # Panics
    /// The transaction meets [`Fault::PanicAfter`].
    pub fn conn(&mut self) -> &mut AnyConnection {
        if let Some(broken) = &mut self.broken {
            broken.count_statement();
        }
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
        match self.broken {
            None => Ok(self.inner.commit().await?),
            Some(broken) => broken.commit(self.inner).await,
        }
    }

    /// Undoes it.
    ///
    /// # Errors
    /// The connection broke, which undoes it too.
    pub async fn rollback(self) -> Result<(), Error> {
        Ok(self.inner.rollback().await?)
    }
}

impl Broken {
    fn count_statement(&mut self) {
        if let Fault::PanicAfter(statements) = self.fault {
            assert!(
                self.statements < statements,
                "the batch ends on purpose after {statements} statements"
            );
            self.statements = self.statements.saturating_add(1);
        }
    }

    async fn commit(self, inner: Transaction<'static, Any>) -> Result<(), Error> {
        let cause = || Arc::new(sqlx::Error::Protocol(format!("{:?}", self.fault)));
        match self.fault {
            Fault::CommitBusy => Err(Error::Busy(cause())),
            Fault::CommitFull => Err(Error::Full(cause())),
            Fault::CommitLost => Err(Error::Unreachable(cause())),
            Fault::DieBeforeCommit => self.by.die().await,
            Fault::AnswerLost => {
                inner.commit().await?;
                Err(Error::Unreachable(cause()))
            }
            Fault::DieAfterCommit => {
                inner.commit().await?;
                self.by.die().await
            }
            Fault::PanicAfter(_) => Ok(inner.commit().await?),
        }
    }
}

impl fmt::Debug for Tx {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Tx({:?})", self.engine)
    }
}
