use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use anyhow::bail;
use qiao_db::{BatchOptions, Batcher, Db};
use qiao_ledger::{
    AccountKind, LedgerMachine, MIGRATIONS, NewAccount, NewTransfer, Owner, TransferKind,
};
use qiao_model::{Asset, Channel, Currency, Env, TransferId, UserId};
use qiao_tests::TestDatabase;

use crate::load::{AsyncCall, Measured, closed_loop};
use crate::pgbench::Pgbench;
use crate::report::{Report, Row};

const ACCOUNTS: u128 = 10_000;
const CLIENTS: [usize; 3] = [1, 64, 1_024];
/// What each account begins with: more than a bench can spend.
const FUNDS: i64 = 1_000_000_000_000;
/// Clients of the baseline that commits each transfer by itself.
const UNBATCHED_CLIENTS: usize = 64;
const CNY: Asset = Asset::Currency(Currency::CNY);

/// Posted transfers per second, durable.
pub(crate) async fn run(report: &mut Report, measure: Duration) -> anyhow::Result<()> {
    let database = qiao_tests::sqlite().await;
    let books = Books::open(&database).await?;
    let alone = BatchOptions {
        commands_max: 1,
        ..BatchOptions::default()
    };
    let unbatched = books
        .measure(Spread::Even, UNBATCHED_CLIENTS, alone, measure)
        .await?;
    let one_by_one = unbatched.per_second();
    report.add(
        Row::new(
            "ledger",
            "sqlite one commit each",
            "transfers/s",
            one_by_one,
        )
        .timed(&unbatched.nanos),
    );
    books.cases(report, "sqlite", one_by_one, measure).await?;

    let database = qiao_tests::postgres().await;
    let Some(url) = database.url.clone() else {
        bail!("a PostgreSQL database has an address");
    };
    let tpc_b = tokio::task::spawn_blocking(move || Pgbench::open(&url)?.tpc_b(measure)).await??;
    report.add(Row::new(
        "ledger",
        "pgbench TPC-B, 32 clients",
        "transactions/s",
        tpc_b,
    ));
    Books::open(&database)
        .await?
        .cases(report, "postgres", tpc_b, measure)
        .await
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Spread {
    /// From any account to any other.
    Even,
    /// From any account to one that is in every batch.
    Hot,
}

struct Books {
    db: Db,
    env: Env,
    next: Arc<AtomicU64>,
}

impl Books {
    async fn open(database: &TestDatabase) -> anyhow::Result<Self> {
        let db = database.db.clone();
        db.migrate(&[MIGRATIONS]).await?;
        let books = Self {
            db,
            env: qiao::host_env(),
            next: Arc::default(),
        };
        books.fund().await?;
        Ok(books)
    }

    async fn fund(&self) -> anyhow::Result<()> {
        let batcher = self.batcher(BatchOptions::default());
        let mut tasks = tokio::task::JoinSet::new();
        for user in 0..ACCOUNTS {
            let transfer = self.transfer(outside(), account(user), FUNDS);
            let batcher = batcher.clone();
            tasks.spawn(async move { batcher.submit(vec![transfer]).await });
        }
        while let Some(done) = tasks.join_next().await {
            done???;
        }
        Ok(())
    }

    fn batcher(&self, options: BatchOptions) -> Batcher<LedgerMachine> {
        Batcher::start(
            self.db.clone(),
            LedgerMachine::new(self.env.clone()),
            options,
        )
    }

    fn transfer(&self, debit: NewAccount, credit: NewAccount, minor: i64) -> NewTransfer {
        let id: TransferId = self.env.id();
        NewTransfer {
            id,
            debit,
            credit,
            minor,
            kind: TransferKind::Posted,
            purpose: "bench".into(),
            reference: id.to_string(),
        }
    }

    async fn measure(
        &self,
        spread: Spread,
        clients: usize,
        options: BatchOptions,
        measure: Duration,
    ) -> anyhow::Result<Measured> {
        let batcher = self.batcher(options);
        let clients = (0..clients)
            .map(|_| Client {
                batcher: batcher.clone(),
                env: self.env.clone(),
                next: self.next.clone(),
                spread,
            })
            .collect();
        closed_loop(clients, measure).await
    }

    /// The 10,000 accounts against `baseline`, and the hot account against them.
    async fn cases(
        &self,
        report: &mut Report,
        engine: &str,
        baseline: f64,
        measure: Duration,
    ) -> anyhow::Result<()> {
        for clients in CLIENTS {
            let even = self
                .measure(Spread::Even, clients, BatchOptions::default(), measure)
                .await?;
            let hot = self
                .measure(Spread::Hot, clients, BatchOptions::default(), measure)
                .await?;
            let row = |case: String, measured: &Measured| {
                Row::new("ledger", case, "transfers/s", measured.per_second())
                    .timed(&measured.nanos)
            };
            let even_row = row(
                format!("{engine} 10,000 accounts, {clients} clients"),
                &even,
            );
            let hot_row = row(format!("{engine} hot account, {clients} clients"), &hot);
            if clients == 1 {
                report.add(even_row);
                report.add(hot_row);
            } else {
                report.add(even_row.against(baseline));
                report.add(hot_row.against(even.per_second()));
            }
        }
        Ok(())
    }
}

struct Client {
    batcher: Batcher<LedgerMachine>,
    env: Env,
    next: Arc<AtomicU64>,
    spread: Spread,
}

impl AsyncCall for Client {
    async fn call(&mut self) -> anyhow::Result<()> {
        let turn = u128::from(self.next.fetch_add(1, Ordering::Relaxed));
        // A large odd step visits the accounts in no order that the engine could like.
        let from = turn.wrapping_mul(2_654_435_761) % ACCOUNTS;
        let to = match self.spread {
            Spread::Even => account((from + 1 + turn % (ACCOUNTS - 1)) % ACCOUNTS),
            Spread::Hot => hot(),
        };
        let id: TransferId = self.env.id();
        let transfer = NewTransfer {
            id,
            debit: account(from),
            credit: to,
            minor: 1,
            kind: TransferKind::Posted,
            purpose: "bench".into(),
            reference: id.to_string(),
        };
        self.batcher.submit(vec![transfer]).await??;
        Ok(())
    }
}

fn account(user: u128) -> NewAccount {
    NewAccount::new(
        Owner::User(UserId::from_u128(user)),
        AccountKind::Available,
        CNY,
    )
}

fn hot() -> NewAccount {
    NewAccount::new(Owner::Platform, AccountKind::Revenue, CNY)
}

fn outside() -> NewAccount {
    NewAccount::new(
        Owner::External(Channel::SANDBOX),
        AccountKind::External,
        CNY,
    )
}
