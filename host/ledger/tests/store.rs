//! The ledger on real databases, both engines.
#![expect(clippy::unwrap_used, reason = "a test stops where it fails")]

use std::borrow::Cow;
use std::collections::HashSet;
use std::sync::Arc;

use qiao_db::{BatchOptions, Batcher, Db, Engine};
use qiao_ledger::{
    AccountKind, Ledger, LedgerMachine, MIGRATIONS, NewAccount, NewTransfer, Owner, Refusal,
    Transfer, TransferKind, Verdict,
};
use qiao_model::{Asset, Channel, Currency, Env, ProductId, Timestamp, TransferId, UserId};
use qiao_tests::each_database;

const CNY: Asset = Asset::Currency(Currency::CNY);

fn world() -> NewAccount {
    NewAccount::new(
        Owner::External(Channel::SANDBOX),
        AccountKind::External,
        CNY,
    )
}

fn user(number: u128) -> NewAccount {
    let owner = Owner::User(UserId::from_u128(number));
    NewAccount::new(owner, AccountKind::Available, CNY)
}

fn posted(number: u128, debit: NewAccount, credit: NewAccount, minor: i64) -> NewTransfer {
    NewTransfer {
        id: TransferId::from_u128(number),
        debit,
        credit,
        minor,
        kind: TransferKind::Posted,
        purpose: Cow::Borrowed("test"),
        reference: format!("pay_{number}"),
    }
}

fn resolve(of: &NewTransfer, number: u128, minor: i64, kind: TransferKind) -> NewTransfer {
    NewTransfer {
        id: TransferId::from_u128(number),
        minor,
        kind,
        ..of.clone()
    }
}

/// A migrated ledger behind a batcher, with 1,000 on user 1.
async fn books(db: &Db) -> (Batcher<LedgerMachine>, Ledger) {
    db.migrate(&[MIGRATIONS]).await.unwrap();
    let batcher = batcher(db, 1);
    let top_up = vec![posted(1, world(), user(1), 1_000)];
    assert_eq!(batcher.submit(top_up).await.unwrap(), Ok(Verdict::Accepted));
    (batcher, Ledger::new(db.clone()))
}

fn batcher(db: &Db, seed: u64) -> Batcher<LedgerMachine> {
    let (env, _) = Env::fixed(Timestamp::from_millis(1_790_000_000_000), seed);
    Batcher::start(db.clone(), LedgerMachine::new(env), BatchOptions::default())
}

async fn available(ledger: &Ledger, account: NewAccount) -> i64 {
    let balance = ledger.balance(account.id()).await.unwrap();
    balance.unwrap_or_default().available()
}

async fn assert_books_hold(ledger: &Ledger) {
    for total in ledger.totals().await.unwrap() {
        assert!(total.is_balanced(), "{total:?}");
    }
}

#[tokio::test]
async fn a_transfer_is_in_the_books_and_opens_its_accounts() {
    each_database(|database| async move {
        let (batcher, ledger) = books(&database.db).await;
        assert_eq!(ledger.balance(user(2).id()).await.unwrap(), None);
        let outcome = batcher.submit(vec![posted(2, user(1), user(2), 250)]).await;
        assert_eq!(outcome.unwrap(), Ok(Verdict::Accepted));
        assert_eq!(available(&ledger, user(1)).await, 750);
        assert_eq!(available(&ledger, user(2)).await, 250);
        let account = ledger.account(user(2).id()).await.unwrap().unwrap();
        assert_eq!(account.owner, UserId::from_u128(2).to_string());
        assert_eq!((account.debits, account.credits), (0, 250));
        let found = ledger.transfers_of("pay_2").await.unwrap();
        assert_eq!(found.len(), 1);
        assert_eq!(found[0].debit, user(1).id());
        assert_eq!(found[0].minor, 250);
        assert_eq!(found[0].at, Timestamp::from_millis(1_790_000_000_000));
        let totals = ledger.totals().await.unwrap();
        assert_eq!(totals.len(), 1);
        assert_eq!(totals[0].asset, CNY);
        assert_eq!((totals[0].accounts, totals[0].transfers), (3, 2));
        assert_eq!(totals[0].debits, 1_250);
        assert!(totals[0].is_balanced());
    })
    .await;
}

#[tokio::test]
async fn a_hold_survives_its_batch_and_is_posted_in_part_later() {
    each_database(|database| async move {
        let (batcher, ledger) = books(&database.db).await;
        let hold = NewTransfer {
            kind: TransferKind::Pending,
            ..posted(2, user(1), user(2), 600)
        };
        let pending = hold.id;
        assert_eq!(
            batcher.submit(vec![hold.clone()]).await.unwrap(),
            Ok(Verdict::Accepted)
        );
        assert_eq!(available(&ledger, user(1)).await, 400);
        let balance = ledger.balance(user(2).id()).await.unwrap().unwrap();
        assert_eq!((balance.posted, balance.pending_in), (0, 600));
        let refused = batcher.submit(vec![posted(3, user(1), user(3), 401)]).await;
        assert!(matches!(
            refused.unwrap(),
            Err(Refusal::InsufficientFunds { available: 400, .. })
        ));
        let post = resolve(&hold, 4, 500, TransferKind::PostPending { pending });
        assert_eq!(
            batcher.submit(vec![post.clone()]).await.unwrap(),
            Ok(Verdict::Accepted)
        );
        assert_eq!(
            batcher.submit(vec![post]).await.unwrap(),
            Ok(Verdict::Existing)
        );
        assert_eq!(available(&ledger, user(1)).await, 500);
        assert_eq!(available(&ledger, user(2)).await, 500);
        let void = resolve(&hold, 5, 600, TransferKind::VoidPending { pending });
        assert_eq!(
            batcher.submit(vec![void]).await.unwrap(),
            Err(Refusal::AlreadyResolved {
                pending,
                by: TransferId::from_u128(4),
            })
        );
        assert_books_hold(&ledger).await;
    })
    .await;
}

#[tokio::test]
async fn a_refused_group_leaves_nothing_and_its_neighbours_are_stored() {
    each_database(|database| async move {
        let (batcher, ledger) = books(&database.db).await;
        let outcomes = tokio::join!(
            batcher.submit(vec![posted(2, user(1), user(2), 10)]),
            batcher.submit(vec![
                posted(3, user(1), user(2), 10),
                posted(4, user(3), user(2), 10),
            ]),
            batcher.submit(vec![posted(5, user(1), user(2), 10)]),
        );
        assert_eq!(outcomes.0.unwrap(), Ok(Verdict::Accepted));
        assert!(outcomes.1.unwrap().is_err());
        assert_eq!(outcomes.2.unwrap(), Ok(Verdict::Accepted));
        assert_eq!(available(&ledger, user(2)).await, 20);
        assert!(ledger.transfers_of("pay_3").await.unwrap().is_empty());
    })
    .await;
}

#[tokio::test]
async fn an_id_of_an_earlier_batch_is_found_again() {
    each_database(|database| async move {
        let (batcher, ledger) = books(&database.db).await;
        let transfer = posted(2, user(1), user(2), 10);
        batcher
            .submit(vec![transfer.clone()])
            .await
            .unwrap()
            .unwrap();
        // Another host, that knows nothing.
        let other = self::batcher(&database.db, 2);
        assert_eq!(
            other.submit(vec![transfer.clone()]).await.unwrap(),
            Ok(Verdict::Existing)
        );
        let changed = NewTransfer {
            minor: 11,
            ..transfer.clone()
        };
        assert_eq!(
            other.submit(vec![changed]).await.unwrap(),
            Err(Refusal::IdConflict(transfer.id))
        );
        assert_eq!(available(&ledger, user(2)).await, 10);
    })
    .await;
}

#[tokio::test]
async fn a_statement_is_the_chain_of_an_account_page_by_page() {
    each_database(|database| async move {
        let (batcher, ledger) = books(&database.db).await;
        let page = ledger.statement(user(2).id(), None, 10).await.unwrap();
        assert_eq!((page.transfers.len(), page.next), (0, None));
        for number in 2..12 {
            let there = posted(number, user(1), user(2), 10);
            batcher.submit(vec![there]).await.unwrap().unwrap();
        }
        let back = posted(12, user(2), user(1), 5);
        batcher.submit(vec![back]).await.unwrap().unwrap();
        let account = user(2).id();
        let first = ledger.statement(account, None, 4).await.unwrap();
        let numbers = |transfers: &[Transfer]| -> Vec<u128> {
            transfers.iter().map(|t| t.id.as_u128()).collect()
        };
        assert_eq!(numbers(&first.transfers), [12, 11, 10, 9]);
        assert_eq!(first.transfers[0].change_of(account), -5);
        assert_eq!(first.transfers[0].balance_of(account), 95);
        assert_eq!(first.transfers[1].balance_of(account), 100);
        let second = ledger.statement(account, first.next, 4).await.unwrap();
        assert_eq!(numbers(&second.transfers), [8, 7, 6, 5]);
        let third = ledger.statement(account, second.next, 4).await.unwrap();
        assert_eq!(numbers(&third.transfers), [4, 3, 2]);
        assert_eq!(third.next, None);
        // A transfer of somebody else begins no page.
        let foreign = Some(TransferId::from_u128(1));
        let none = ledger.statement(account, foreign, 4).await.unwrap();
        assert_eq!((none.transfers.len(), none.next), (0, None));
    })
    .await;
}

#[tokio::test]
async fn the_schema_refuses_to_change_or_lose_a_transfer() {
    each_database(|database| async move {
        let (_batcher, ledger) = books(&database.db).await;
        let mut statements = vec![
            "update ledger_transfer set minor = 1",
            "update ledger_transfer set at = at",
            "delete from ledger_transfer",
            "update ledger_account set owner = 'somebody'",
            "update ledger_account set id = 'lac_1'",
            "delete from ledger_account",
            "update ledger_account set debits = 1001 where kind = 'available'",
            "update ledger_account set pending_out = 1001 where kind = 'available'",
            "insert into ledger_transfer select 'tra_new', kind, debit_account, credit_account, 0, pending_id, purpose, reference, debit_previous, credit_previous, debit_balance, credit_balance, at from ledger_transfer",
            "insert into ledger_transfer select id, kind, debit_account, credit_account, minor, pending_id, purpose, reference, debit_previous, credit_previous, debit_balance, credit_balance, at from ledger_transfer",
        ];
        if database.db.engine() == Engine::Postgres {
            statements.push("truncate ledger_transfer");
            statements.push("truncate ledger_account");
        }
        for statement in statements {
            let mut tx = database.db.begin().await.unwrap();
            let outcome = sqlx::query(statement).execute(tx.conn()).await;
            assert!(outcome.is_err(), "{statement}");
            tx.rollback().await.unwrap();
        }
        assert_eq!(available(&ledger, user(1)).await, 1_000);
        assert_eq!(ledger.transfers_of("pay_1").await.unwrap()[0].minor, 1_000);
    })
    .await;
}

#[tokio::test]
async fn the_schema_refuses_a_second_resolution() {
    each_database(|database| async move {
        let (batcher, _ledger) = books(&database.db).await;
        let hold = NewTransfer {
            kind: TransferKind::Pending,
            ..posted(2, user(1), user(2), 600)
        };
        let pending = hold.id;
        let void = resolve(&hold, 3, 600, TransferKind::VoidPending { pending });
        batcher.submit(vec![hold]).await.unwrap().unwrap();
        batcher.submit(vec![void]).await.unwrap().unwrap();
        let mut tx = database.db.begin().await.unwrap();
        let again = "insert into ledger_transfer select 'tra_again', kind, debit_account, credit_account, minor, pending_id, purpose, reference, debit_previous, credit_previous, debit_balance, credit_balance, at from ledger_transfer where kind = 'void'";
        assert!(sqlx::query(again).execute(tx.conn()).await.is_err());
    })
    .await;
}

/// Two hosts spend the same 1,000 at once, one by one and in overlapping
/// batches: 100 of 160 transfers of 10 find it, whoever is faster.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn two_batchers_at_once_never_break_a_floor() {
    each_database(|database| async move {
        let (_first, ledger) = books(&database.db).await;
        let hosts = [batcher(&database.db, 2), batcher(&database.db, 3)];
        let mut tasks = tokio::task::JoinSet::new();
        for number in 0..160_u128 {
            let host = hosts[usize::try_from(number % 2).unwrap()].clone();
            let receiver = user(2 + number % 7);
            let there = posted(100 + number, user(1), receiver, 10);
            spawn(&mut tasks, host, vec![there]);
        }
        let mut accepted = 0;
        let mut refused = 0;
        while let Some(outcome) = tasks.join_next().await {
            match outcome.unwrap() {
                Ok(Verdict::Accepted) => accepted += 1,
                Err(Refusal::InsufficientFunds { .. }) => refused += 1,
                other => panic!("{other:?}"),
            }
        }
        assert_eq!((accepted, refused), (100, 60));
        assert_eq!(available(&ledger, user(1)).await, 0);
        assert_books_hold(&ledger).await;
    })
    .await;
}

/// The same transfers through two hosts at once: each has one effect.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn the_same_transfer_through_two_hosts_at_once_has_one_effect() {
    each_database(|database| async move {
        let (_first, ledger) = books(&database.db).await;
        let hosts = [batcher(&database.db, 2), batcher(&database.db, 3)];
        let mut tasks = tokio::task::JoinSet::new();
        for number in 0..50_u128 {
            for host in &hosts {
                // Both directions, so that the hosts name the accounts in other orders.
                let receiver = user(50 - number);
                let group = vec![posted(100 + number, user(1), receiver, 10)];
                if receiver != user(1) {
                    spawn(&mut tasks, host.clone(), group);
                }
            }
        }
        let mut accepted = 0;
        while let Some(outcome) = tasks.join_next().await {
            accepted += i64::from(outcome.unwrap().unwrap() == Verdict::Accepted);
        }
        assert_eq!(accepted, 49);
        assert_eq!(available(&ledger, user(1)).await, 1_000 - 490);
        assert_books_hold(&ledger).await;
    })
    .await;
}

fn spawn(
    tasks: &mut tokio::task::JoinSet<Result<Verdict, Refusal>>,
    host: Batcher<LedgerMachine>,
    group: Vec<NewTransfer>,
) {
    tasks.spawn(async move { host.submit(group).await.unwrap() });
}

#[tokio::test]
async fn holders_are_listed_in_pages_without_those_who_hold_nothing() {
    each_database(|database| async move {
        let (batcher, ledger) = books(&database.db).await;
        let product = ProductId::from_u128(7);
        let units = |owner, kind| NewAccount::new(owner, kind, Asset::Units(product));
        let issuance = units(Owner::Product(product), AccountKind::Issuance);
        let holding = |number| {
            let owner = Owner::User(UserId::from_u128(number));
            units(owner, AccountKind::Holding)
        };
        for number in 1..=5 {
            let issue = posted(100 + number, issuance, holding(number), 10);
            batcher.submit(vec![issue]).await.unwrap().unwrap();
        }
        let redeem = posted(200, holding(3), issuance, 10);
        batcher.submit(vec![redeem]).await.unwrap().unwrap();
        let mut seen = HashSet::new();
        let mut after = None;
        loop {
            let page = ledger.holders(product, after, 2).await.unwrap();
            let Some(last) = page.last() else { break };
            after = Some(last.id);
            seen.extend(page.iter().map(|holder| holder.owner.clone()));
        }
        let expected: HashSet<String> = [1, 2, 4, 5]
            .map(|number| UserId::from_u128(number).to_string())
            .into();
        assert_eq!(seen, expected);
    })
    .await;
}

/// One batch of every size has the same number of statements; this one is large.
#[tokio::test]
async fn a_batch_of_a_thousand_groups_is_stored_whole() {
    each_database(|database| async move {
        let (batcher, ledger) = books(&database.db).await;
        let batcher = Arc::new(batcher);
        let mut tasks = tokio::task::JoinSet::new();
        for number in 0..1_000_u128 {
            let there = posted(1_000 + number, user(1), user(2 + number), 1);
            spawn(&mut tasks, (*batcher).clone(), vec![there]);
        }
        while let Some(outcome) = tasks.join_next().await {
            assert_eq!(outcome.unwrap(), Ok(Verdict::Accepted));
        }
        assert_eq!(available(&ledger, user(1)).await, 0);
        let totals = ledger.totals().await.unwrap();
        assert_eq!(totals[0].transfers, 1_001);
        assert!(totals[0].is_balanced());
    })
    .await;
}
