//! A migrated host without doors: a person with money, a fund, the books.

use std::borrow::Cow;
use std::sync::Arc;

use qiao_auth::{Auth, AuthConfig, Permit, keys};
use qiao_db::{BatchOptions, Batcher, Db};
use qiao_ledger::{Balance, Ledger};
use qiao_model::{
    Amount, Asset, Currency, Env, InstitutionId, ManualClock, Money, PaymentId, ProductId,
    RefundId, Scope, Secret, Timestamp, UserId,
};
use qiao_payments::{
    Account, Command, Delivery, IdempotencyKey, Keyed, Method, NewPayment, NewRefund, Outcome,
    Party, Payment, PaymentMachine, Payments, Refusal, Split, TopUp,
};
use sqlx::Row;

pub(crate) const USER: UserId = UserId::from_u128(1);
pub(crate) const FUND: InstitutionId = InstitutionId::from_u128(2);
pub(crate) const PRODUCT: ProductId = ProductId::from_u128(3);

pub(crate) struct World {
    pub(crate) db: Db,
    pub(crate) env: Env,
    pub(crate) clock: Arc<ManualClock>,
    pub(crate) ledger: Ledger,
    pub(crate) payments: Payments,
    pub(crate) auth: Auth,
    machine: Batcher<PaymentMachine>,
}

impl World {
    /// A world in which the user has 1,000.00 CNY.
    pub(crate) async fn new(db: Db) -> Self {
        let rooms = [
            qiao_auth::MIGRATIONS,
            qiao_ledger::MIGRATIONS,
            qiao_events::MIGRATIONS,
            qiao_payments::MIGRATIONS,
        ];
        db.migrate(&rooms).await.unwrap();
        let (env, clock) = Env::fixed(Timestamp::from_millis(1_790_000_000_000), 1);
        let (signing_key_pem, _) = keys::generate_key(keys::KeyKind::P256).unwrap();
        let config = AuthConfig {
            issuer: "https://qiao.test".to_owned(),
            audience: "https://qiao.test/v1".to_owned(),
            signing_key_pem,
            pepper: Secret::new([7; 32]),
        };
        let world = Self {
            auth: Auth::open(db.clone(), env.clone(), config).unwrap(),
            payments: Payments::start(db.clone(), env.clone()),
            ledger: Ledger::new(db.clone()),
            machine: host(&db, &env),
            db,
            env,
            clock,
        };
        world.top_up(USER, 100_000).await;
        world
    }

    /// Another host on the same database.
    pub(crate) fn other_host(&self) -> Batcher<PaymentMachine> {
        host(&self.db, &self.env)
    }

    pub(crate) async fn run(&self, command: Command) -> Result<Outcome, Refusal> {
        self.machine.submit(command.into()).await.unwrap()
    }

    pub(crate) async fn run_keyed(
        &self,
        command: Command,
        key: IdempotencyKey,
    ) -> Result<Outcome, Refusal> {
        let keyed = Keyed::new(command, Some(key));
        self.machine.submit(keyed).await.unwrap()
    }

    /// Runs a command that ends in a payment.
    pub(crate) async fn payment(&self, command: Command) -> Payment {
        let outcome = self.run(command).await.unwrap();
        outcome.payment().unwrap().clone()
    }

    pub(crate) async fn top_up(&self, user: UserId, fen: i64) {
        let payment = self.env.id();
        let amount = Money::cny(fen);
        let top_up = TopUp {
            payment,
            user,
            amount,
        };
        self.payment(Command::TopUp(top_up)).await;
    }

    pub(crate) async fn balance(&self, party: Party) -> Balance {
        let account = party.account(Currency::CNY).id();
        let balance = self.ledger.balance(account).await.unwrap();
        balance.unwrap_or_default()
    }

    /// What the parties have posted, in fen: user, settlement, revenue, platform.
    pub(crate) async fn fen(&self) -> [i64; 4] {
        let mut fen = [0; 4];
        let parties = [
            Party::User(USER),
            Party::Institution(FUND),
            Party::Revenue(FUND),
            Party::Platform,
        ];
        for (at, party) in parties.into_iter().enumerate() {
            fen[at] = self.balance(party).await.posted;
        }
        fen
    }

    pub(crate) async fn units(&self, user: UserId) -> Balance {
        let account = Account::Holding(user).of(PRODUCT).id();
        let balance = self.ledger.balance(account).await.unwrap();
        balance.unwrap_or_default()
    }

    /// The kinds of events about a subject, in the order of their ids' making.
    pub(crate) async fn events(&self, subject: &str) -> Vec<String> {
        let rows = sqlx::query("select kind from event where subject = $1 order by kind")
            .bind(subject)
            .fetch_all(self.db.reads())
            .await
            .unwrap();
        rows.iter().map(|row| row.get("kind")).collect()
    }

    pub(crate) async fn assert_books_hold(&self) {
        for total in self.ledger.totals().await.unwrap() {
            assert!(total.is_balanced(), "{total:?}");
        }
    }

    pub(crate) fn system(&self, scope: Scope) -> Permit {
        self.auth.permit_system("test", scope)
    }

    /// A payment of 1,000.00: 985.00 to the fund, 12.00 fee to it, 3.00 to the platform.
    pub(crate) fn purchase(&self) -> NewPayment {
        self.new_payment(&[
            (Party::Institution(FUND), 98_500, "principal"),
            (Party::Revenue(FUND), 1_200, "purchase-fee"),
            (Party::Platform, 300, "platform-fee"),
        ])
    }

    pub(crate) fn new_payment(&self, splits: &[(Party, i64, &'static str)]) -> NewPayment {
        let splits: Vec<Split> = splits
            .iter()
            .map(|(receiver, fen, purpose)| Split {
                receiver: *receiver,
                amount: Money::cny(*fen),
                purpose: Cow::Borrowed(*purpose),
            })
            .collect();
        NewPayment {
            id: self.env.id(),
            order: None,
            institution: Some(FUND),
            payer: Party::User(USER),
            method: Method::Balance,
            amount: Money::cny(splits.iter().map(|split| split.amount.minor).sum()),
            splits,
            deliveries: Vec::new(),
            description: "a test".to_owned(),
            expires_at: None,
        }
    }

    pub(crate) fn refund(&self, payment: PaymentId, fen: i64) -> NewRefund {
        let id: RefundId = self.env.id();
        NewRefund {
            id,
            payment,
            amount: Money::cny(fen),
            reason: "a test".to_owned(),
        }
    }
}

/// Captures the whole hold.
pub(crate) fn post(payment: PaymentId) -> Command {
    Command::Post {
        payment,
        amount: None,
    }
}

/// So many units issued to the user.
pub(crate) fn issue(minor: i64) -> Delivery {
    Delivery {
        from: Account::Issuance,
        to: Account::Holding(USER),
        amount: Amount {
            minor,
            asset: Asset::Units(PRODUCT),
        },
    }
}

fn host(db: &Db, env: &Env) -> Batcher<PaymentMachine> {
    let machine = PaymentMachine::new(env.clone());
    Batcher::start(db.clone(), machine, BatchOptions::default())
}
