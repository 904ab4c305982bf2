//! Spreads on real databases, both engines: the same books as groups make.
#![expect(clippy::unwrap_used, reason = "a test stops where it fails")]

use qiao_db::{BatchOptions, Batcher, Db};
use qiao_ledger::audit::{Report, check_books, check_journal};
use qiao_ledger::{
    ATTESTED, AccountKind, Ledger, LedgerMachine, MIGRATIONS, NewAccount, NewTransfer, Owner,
    Place, Refusal, Spread, SpreadLine, SpreadOf, TransferKind, place_of,
};
use qiao_model::{Asset, Env, ProductId, Timestamp, TransferId, UserId};
use qiao_tests::each_database;

const PRODUCT: ProductId = ProductId::from_u128(9);
const UNITS: Asset = Asset::Units(PRODUCT);
const NOW: Timestamp = Timestamp::from_millis(1_790_000_000_000);

fn holding(number: u128) -> NewAccount {
    let owner = Owner::User(UserId::from_u128(number));
    NewAccount::new(owner, AccountKind::Holding, UNITS)
}

fn product(kind: AccountKind) -> NewAccount {
    NewAccount::new(Owner::Product(PRODUCT), kind, UNITS)
}

/// Three holders of 100 units each.
async fn books(db: &Db) -> Batcher<LedgerMachine> {
    db.migrate(&[MIGRATIONS]).await.unwrap();
    let (env, _) = Env::fixed(NOW, 1);
    let batcher = Batcher::start(db.clone(), LedgerMachine::new(env), BatchOptions::default());
    let issue = |number| NewTransfer {
        id: TransferId::from_u128(number),
        debit: product(AccountKind::Issuance),
        credit: holding(number),
        minor: 100,
        kind: TransferKind::Posted,
        purpose: "units".into(),
        reference: "issue".to_owned(),
    };
    let group = (1..=3).map(issue).collect();
    batcher.submit(group).await.unwrap().unwrap();
    batcher
}

fn income(day: &str) -> SpreadOf {
    SpreadOf {
        giver: product(AccountKind::Income),
        purpose: "income",
        reference: format!("income/{day}"),
        at: NOW,
    }
}

/// Lines of 1, 2 and 3 units, behind what the accounts are now.
async fn lines(db: &Db, first_id: u128) -> (Place, Vec<SpreadLine>) {
    let mut tx = db.begin_snapshot().await.unwrap();
    let holders = qiao_ledger::holders(&mut tx, PRODUCT, None, 10)
        .await
        .unwrap();
    let giver = product(AccountKind::Income).id();
    let place = place_of(&mut tx, giver).await.unwrap();
    tx.commit().await.unwrap();
    let lines = holders.iter().zip(1..).map(|(holder, number)| SpreadLine {
        id: TransferId::from_u128(first_id + number),
        account: holder.id,
        place: holder.place,
        minor: i64::try_from(number).unwrap(),
    });
    (place, lines.collect())
}

async fn store(db: &Db, spread: &Spread) -> bool {
    let mut tx = db.begin().await.unwrap();
    let stored = spread.store(&mut tx, []).await.unwrap();
    if stored {
        tx.commit().await.unwrap();
    } else {
        tx.rollback().await.unwrap();
    }
    stored
}

async fn assert_clean(db: &Db) {
    let mut report = Report::of(NOW);
    let mut tx = db.begin_snapshot().await.unwrap();
    check_journal(&mut tx, ATTESTED, &[], &mut report)
        .await
        .unwrap();
    check_books(&mut tx, &mut report).await.unwrap();
    tx.commit().await.unwrap();
    assert_eq!(report.findings(), []);
}

#[tokio::test]
async fn a_spread_credits_everybody_and_the_audit_agrees() {
    each_database(|database| async move {
        let db = &database.db;
        books(db).await;
        for (day, first_id) in [("one", 100), ("two", 200)] {
            let (place, lines) = lines(db, first_id).await;
            let spread = Spread::prepare(income(day), place, &lines).unwrap();
            assert!(store(db, &spread).await);
        }
        let ledger = Ledger::new(db.clone());
        let giver = product(AccountKind::Income).id();
        let account = ledger.account(giver).await.unwrap().unwrap();
        assert_eq!((account.debits, account.credits), (12, 0));
        assert_eq!(account.place.transfers, 6);
        let statement = ledger.statement(giver, None, 10).await.unwrap();
        assert_eq!(statement.transfers.len(), 6);
        assert_eq!(statement.transfers[0].debit_balance, -12);
        assert_clean(db).await;
    })
    .await;
}

#[tokio::test]
async fn a_spread_whose_account_moved_meanwhile_is_not_stored() {
    each_database(|database| async move {
        let db = &database.db;
        let batcher = books(db).await;
        let (place, lines) = lines(db, 100).await;
        let spread = Spread::prepare(income("one"), place, &lines).unwrap();
        let back = NewTransfer {
            id: TransferId::from_u128(50),
            debit: holding(2),
            credit: product(AccountKind::Issuance),
            minor: 40,
            kind: TransferKind::Posted,
            purpose: "units".into(),
            reference: "redeem".to_owned(),
        };
        batcher.submit(vec![back]).await.unwrap().unwrap();
        assert!(!store(db, &spread).await);
        let ledger = Ledger::new(db.clone());
        let giver = product(AccountKind::Income).id();
        assert_eq!(
            ledger.balance(giver).await.unwrap(),
            None,
            "nothing remains"
        );
        assert_clean(db).await;
        let accounts: Vec<_> = lines.iter().map(|line| line.account).collect();
        let mut tx = db.begin().await.unwrap();
        let places = qiao_ledger::lock_places(&mut tx, &accounts).await.unwrap();
        assert_eq!(places.len(), 3);
        let again: Vec<_> = lines
            .iter()
            .map(|line| SpreadLine {
                place: places.iter().find(|(id, _)| *id == line.account).unwrap().1,
                ..*line
            })
            .collect();
        let spread = Spread::prepare(income("one"), Place::default(), &again).unwrap();
        assert!(spread.store(&mut tx, []).await.unwrap());
        tx.commit().await.unwrap();
        assert_clean(db).await;
    })
    .await;
}

#[test]
fn a_line_that_moves_nothing_or_too_much_is_refused() {
    let line = |minor, posted| SpreadLine {
        id: TransferId::from_u128(1),
        account: holding(1).id(),
        place: Place {
            posted,
            ..Place::default()
        },
        minor,
    };
    let prepare = |line| Spread::prepare(income("one"), Place::default(), &[line]).map(drop);
    assert_eq!(prepare(line(1, 0)), Ok(()));
    assert_eq!(
        prepare(line(0, 0)),
        Err(Refusal::NotPositive(TransferId::from_u128(1)))
    );
    assert_eq!(prepare(line(1, i64::MAX - 1)), Ok(()));
    let overflow = Refusal::Overflow(holding(1).id());
    assert_eq!(prepare(line(1, i64::MAX)), Err(overflow));
}
