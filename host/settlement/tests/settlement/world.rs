//! A migrated host without doors, a bank, a person with money there, a fund.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use qiao_auth::{Auth, AuthConfig, NewUser, Permit, Session, keys};
use qiao_banks::audit::check_banks;
use qiao_banks::{
    Abilities, Banks, BanksConfig, Cost, Crash, NewChannel, NewTopUp, Redirected, TransferState,
};
use qiao_db::Db;
use qiao_events::{Egress, Policy, Sealer};
use qiao_ledger::audit::{Report, check_books, check_journal};
use qiao_ledger::{Balance, Ledger};
use qiao_model::{
    BankTransferId, Calendar, Channel, Currency, Day, Env, InstitutionId, ManualClock, Money,
    PaymentId, Scope, Secret, Timestamp, UserId,
};
use qiao_payments::audit::check_payments;
use qiao_payments::{IdempotencyKey, Method, NewPayment, NewRefund, Party, Payments, Split};
use qiao_settlement::audit::check_settlement;
use qiao_settlement::{NewTerms, Payout, Rooms, Settlement};
use qiao_tests::TestDatabase;
use sandbox_bank::{Bank, Clock, Customer, Options};
use url::Url;

pub(crate) const FUND: InstitutionId = InstitutionId::from_u128(2);
pub(crate) const NUMBER: &str = "6222020200018801";
pub(crate) const FUND_NUMBER: &str = "1001880200000001";
/// What the person tops up at first.
pub(crate) const TOPPED_UP: i64 = 1_000_000;
/// What the channel carries at once.
pub(crate) const CHANNEL_MAX: i64 = 5_000_000;

/// Longer than a bank of this machine needs, shorter than a bank that hangs.
const TIMEOUT: Duration = Duration::from_millis(600);
const PASSWORD: &str = "bridge-over-the-river";

pub(crate) struct World {
    pub(crate) db: Db,
    pub(crate) env: Env,
    pub(crate) clock: Arc<ManualClock>,
    pub(crate) auth: Auth,
    pub(crate) ledger: Ledger,
    pub(crate) payments: Payments,
    pub(crate) banks: Banks,
    pub(crate) bank: Bank,
    pub(crate) settlement: Settlement,
    pub(crate) user: UserId,
    pub(crate) person: Permit,
    pub(crate) operator: Permit,
    session: Session,
    channels: Vec<NewChannel>,
    policy: Policy,
}

pub(crate) fn river() -> Channel {
    "river".parse().unwrap()
}

pub(crate) fn day(text: &str) -> Day {
    text.parse().unwrap()
}

/// An hour and minute of a day in Asia/Shanghai.
pub(crate) fn at(text: &str, minute: i64) -> Timestamp {
    day(text).start().plus_secs(minute * 60)
}

impl World {
    /// Wednesday, 2026-11-25 10:00: a person with 10,000.00 on the books, all of
    /// it at the bank.
    pub(crate) async fn new(database: TestDatabase) -> Self {
        let db = database.db;
        let rooms = [
            qiao_auth::MIGRATIONS,
            qiao_ledger::MIGRATIONS,
            qiao_events::MIGRATIONS,
            qiao_payments::MIGRATIONS,
            qiao_banks::MIGRATIONS,
            qiao_settlement::MIGRATIONS,
        ];
        db.migrate(&rooms).await.unwrap();
        let (env, clock) = Env::fixed(at("2026-11-25", 600), 1);
        let (signing_key_pem, _) = keys::generate_key(keys::KeyKind::P256).unwrap();
        let config = AuthConfig {
            issuer: "https://qiao.test".to_owned(),
            audience: "https://qiao.test/v1".to_owned(),
            signing_key_pem,
            pepper: Secret::new([7; 32]),
        };
        let auth = Auth::open(db.clone(), env.clone(), config).unwrap();
        let payments = Payments::start(db.clone(), env.clone());
        let bank = open_bank(&clock).await;
        let channels = vec![channel(&bank)];
        let port = channels[0].issuer.port_or_known_default().unwrap();
        let policy = Policy::allowing([format!("127.0.0.1:{port}")]).unwrap();
        let rooms = (&db, &env, &auth, &payments);
        let banks = open_banks(rooms, (channels.clone(), policy.clone()), Crash::Never).await;
        let session = sign_up(&auth, "lin").await;
        let world = Self {
            settlement: open(rooms, &banks, "node-a").await,
            operator: operator(&auth).await,
            person: auth.permit_session(&session, Scope::Account).unwrap(),
            user: session.user(),
            ledger: Ledger::new(db.clone()),
            db,
            env,
            clock,
            auth,
            payments,
            banks,
            bank,
            session,
            channels,
            policy,
        };
        world.link_and_top_up(TOPPED_UP).await;
        world
    }

    /// The room again, on another node.
    pub(crate) async fn other_node(&self, node: &str) -> Settlement {
        let rooms = (&self.db, &self.env, &self.auth, &self.payments);
        open(rooms, &self.banks, node).await
    }

    /// The room on banks that stop at a point.
    pub(crate) async fn crashing(&self, crash: Crash) -> Settlement {
        let rooms = (&self.db, &self.env, &self.auth, &self.payments);
        let channels = (self.channels.clone(), self.policy.clone());
        let banks = open_banks(rooms, channels, crash).await;
        open(rooms, &banks, "node-crash").await
    }

    async fn link_and_top_up(&self, fen: i64) {
        let session = self.session.id();
        let begun = self
            .banks
            .begin_link(&self.person, session, river(), "/wallet");
        let back = consent(&begun.await.unwrap().url).await;
        let linked = self.banks.finish_link(&self.person, session, river(), back);
        let (link, _) = linked.await.unwrap();
        let new = NewTopUp {
            link: Some(link.id),
            amount: Money::cny(fen),
            key: IdempotencyKey::of(&self.person, "first", b"top-up").unwrap(),
        };
        let done = self.banks.top_up(&self.person, new).await.unwrap();
        assert_eq!(done.standing.state, TransferState::Done);
    }

    pub(crate) async fn top_up(&self, key: &str, fen: i64) -> BankTransferId {
        let new = NewTopUp {
            link: None,
            amount: Money::cny(fen),
            key: IdempotencyKey::of(&self.person, key, b"top-up").unwrap(),
        };
        self.banks.top_up(&self.person, new).await.unwrap().id
    }

    pub(crate) fn set_time(&self, text: &str, minute: i64) {
        let millis = at(text, minute).as_millis() - self.env.now().as_millis();
        assert!(millis >= 0, "time does not go back to {text} {minute}");
        self.clock.advance_millis(millis);
    }

    /// The person pays: so much to each.
    pub(crate) async fn pay(&self, splits: &[(Party, i64, &'static str)]) -> PaymentId {
        let splits: Vec<Split> = splits
            .iter()
            .map(|(receiver, fen, purpose)| Split {
                receiver: *receiver,
                amount: Money::cny(*fen),
                purpose: (*purpose).into(),
            })
            .collect();
        let new = NewPayment {
            id: self.env.id(),
            order: None,
            institution: FUND.into(),
            payer: Party::User(self.user),
            method: Method::Balance,
            amount: Money::cny(splits.iter().map(|split| split.amount.minor).sum()),
            splits,
            deliveries: Vec::new(),
            description: "=cmd, a test".to_owned(),
            expires_at: None,
        };
        let paid = self.payments.pay(&self.person, new, None).await;
        paid.unwrap().id
    }

    /// The person pays the fund.
    pub(crate) async fn pay_fund(&self, fen: i64) -> PaymentId {
        self.pay(&[(Party::Institution(FUND), fen, "principal")])
            .await
    }

    pub(crate) async fn refund(&self, payment: PaymentId, fen: i64) {
        let new = NewRefund {
            id: self.env.id(),
            payment,
            amount: Money::cny(fen),
            reason: "a test".to_owned(),
        };
        let system = self.auth.permit_system("test", Scope::PaymentsRefund);
        self.payments.refund(&system, new, None).await.unwrap();
    }

    pub(crate) async fn terms(&self, days: u32, minimum_minor: i64) {
        let terms = NewTerms {
            days,
            account_number: FUND_NUMBER.to_owned(),
            minimum_minor,
        };
        let set = self.settlement.set_terms(&self.operator, FUND, terms);
        set.await.unwrap();
    }

    pub(crate) async fn suspend(&self, institution: InstitutionId) {
        let mut tx = self.db.begin().await.unwrap();
        let suspend = self
            .auth
            .suspend_institution(&mut tx, &self.operator, institution);
        suspend.await.unwrap();
        tx.commit().await.unwrap();
    }

    pub(crate) async fn resume(&self, institution: InstitutionId) {
        let mut tx = self.db.begin().await.unwrap();
        let resume = self
            .auth
            .admit_institution(&mut tx, &self.operator, institution);
        resume.await.unwrap();
        tx.commit().await.unwrap();
    }

    /// The worker at a time: plans and drives until nothing is left to do.
    pub(crate) async fn work(&self, text: &str, minute: i64) {
        self.set_time(text, minute);
        self.settlement.plan_payouts().await.unwrap();
        while self.settlement.drive_payouts().await.unwrap() > 0 {}
    }

    /// The fund's payouts, the oldest first.
    pub(crate) async fn payouts(&self) -> Vec<Payout> {
        let system = self.auth.permit_system("test", Scope::PaymentsRead);
        let all = self.settlement.payouts(&system, FUND, None, 100).await;
        let mut all = all.unwrap();
        all.reverse();
        all
    }

    pub(crate) async fn balance(&self, party: Party) -> Balance {
        let account = party.account(Currency::CNY).id();
        self.ledger
            .balance(account)
            .await
            .unwrap()
            .unwrap_or_default()
    }

    /// What the audit finds.
    pub(crate) async fn report(&self) -> Report {
        let rooms = [
            qiao_ledger::ATTESTED,
            qiao_events::ATTESTED,
            qiao_payments::ATTESTED,
            qiao_banks::ATTESTED,
            qiao_settlement::ATTESTED,
        ];
        let mut report = Report::of(self.env.now());
        let mut tx = self.db.begin_snapshot().await.unwrap();
        check_journal(&mut tx, &rooms.concat(), &[], &mut report)
            .await
            .unwrap();
        check_books(&mut tx, &mut report).await.unwrap();
        check_payments(&mut tx, &mut report).await.unwrap();
        check_banks(&mut tx, &mut report).await.unwrap();
        check_settlement(&mut tx, &mut report).await.unwrap();
        tx.commit().await.unwrap();
        report
    }

    pub(crate) fn fund_at_the_bank(&self) -> i64 {
        self.bank.account(FUND_NUMBER).unwrap().balance_minor
    }

    /// The staff of the fund.
    pub(crate) async fn staff(&self) -> Permit {
        let session = sign_up(&self.auth, "staff").await;
        let user = session.user();
        self.auth
            .add_staff(&self.operator, FUND, user)
            .await
            .unwrap();
        let session = log_in(&self.auth, "staff").await;
        self.auth.permit_staff(&session, FUND).unwrap()
    }

    /// Moves custody at the bank behind the platform's back.
    pub(crate) async fn steal_custody(&self, fen: i64) {
        let client = reqwest::Client::new();
        let form = [("grant_type", "client_credentials")];
        let request = client.post(format!("{}/token", self.bank.url)).form(&form);
        let (id, secret) = (
            sandbox_bank::CLIENT_ID_DEFAULT,
            sandbox_bank::CLIENT_SECRET_DEFAULT,
        );
        let answer = request.basic_auth(id, Some(secret)).send().await.unwrap();
        let body: serde_json::Value = answer.json().await.unwrap();
        let token = body["access_token"].as_str().unwrap();
        let body = serde_json::json!({
            "direction": "credit", "account_number": NUMBER, "amount_minor": fen,
            "currency": "CNY", "requested_at": self.env.now().as_millis(),
        });
        let url = format!("{}/payments/stolen-{fen}", self.bank.url);
        let put = client.put(url).bearer_auth(token).json(&body).send().await;
        assert_eq!(put.unwrap().status(), 201);
    }
}

pub(crate) fn said(report: &Report) -> String {
    let lines: Vec<String> = report.findings().iter().map(ToString::to_string).collect();
    lines.join("\n")
}

async fn open_bank(clock: &Arc<ManualClock>) -> Bank {
    let clock = clock.clone();
    Bank::start(Options {
        customers: vec![
            Customer::new("lin", "secret", NUMBER, 10 * TOPPED_UP),
            Customer::new("fund", "secret", FUND_NUMBER, 0),
        ],
        clock: Clock::new(move || qiao_model::Clock::now(&*clock).as_millis()),
        ..Options::default()
    })
    .await
    .unwrap()
}

fn channel(bank: &Bank) -> NewChannel {
    let secret = sandbox_bank::WEBHOOK_SECRET_DEFAULT;
    NewChannel {
        code: river(),
        name: "River Bank".to_owned(),
        issuer: Url::parse(&bank.url).unwrap(),
        client_id: sandbox_bank::CLIENT_ID_DEFAULT.to_owned(),
        client_secret: Secret::new(sandbox_bank::CLIENT_SECRET_DEFAULT.to_owned()),
        callback_key: qiao_banks::callback_key(secret).unwrap(),
        abilities: Abilities::Both,
        cost: Cost::FREE,
        priority: 100,
        amount_max_minor: CHANNEL_MAX,
    }
}

/// The person at the bank's page: logs in and allows.
async fn consent(url: &Url) -> Redirected {
    let mut form: HashMap<String, String> = url.query_pairs().into_owned().collect();
    let answers = [
        ("customer", "lin"),
        ("password", "secret"),
        ("decision", "allow"),
    ];
    form.extend(answers.map(|(name, value)| (name.to_owned(), value.to_owned())));
    let client = reqwest::Client::builder()
        .redirect(reqwest::redirect::Policy::none())
        .build()
        .unwrap();
    let mut page = url.clone();
    page.set_query(None);
    let answer = client.post(page).form(&form).send().await.unwrap();
    let location = answer.headers()["location"].to_str().unwrap();
    let back = Url::parse(location).unwrap();
    let get = |name: &str| {
        let pair = back.query_pairs().find(|(key, _)| key == name);
        pair.map(|(_, value)| value.into_owned())
    };
    Redirected {
        code: get("code"),
        state: get("state"),
        iss: get("iss"),
        error: get("error"),
    }
}

async fn open_banks(
    (db, env, auth, payments): (&Db, &Env, &Auth, &Payments),
    (channels, policy): (Vec<NewChannel>, Policy),
    crash: Crash,
) -> Banks {
    let rooms = qiao_banks::Rooms {
        db: db.clone(),
        env: env.clone(),
        auth: auth.clone(),
        payments: payments.clone(),
        sealer: Sealer::new(&Secret::new([9; 32]), env.clone()).unwrap(),
        egress: Egress::new().unwrap(),
        policy,
    };
    let config = BanksConfig {
        node: "node-a".to_owned(),
        public_url: "http://127.0.0.1:8080".to_owned(),
        channels,
        timeout: TIMEOUT,
        repair_at_once: BanksConfig::REPAIR_AT_ONCE_DEFAULT,
        crash,
    };
    Banks::open(rooms, config).await.unwrap()
}

async fn open(
    (db, env, auth, payments): (&Db, &Env, &Auth, &Payments),
    banks: &Banks,
    node: &str,
) -> Settlement {
    let rooms = Rooms {
        db: db.clone(),
        env: env.clone(),
        auth: auth.clone(),
        payments: payments.clone(),
        banks: banks.clone(),
        calendar: Calendar::mainland(),
    };
    Settlement::open(rooms, node).await.unwrap()
}

async fn sign_up(auth: &Auth, login: &str) -> Session {
    let new = NewUser {
        login: login.to_owned(),
        name: login.to_owned(),
        password: Secret::new(PASSWORD.to_owned()),
    };
    auth.sign_up(new).await.unwrap();
    log_in(auth, login).await
}

async fn log_in(auth: &Auth, login: &str) -> Session {
    let password = Secret::new(PASSWORD.to_owned());
    let token = auth.log_in(login, &password).await.unwrap();
    auth.session(token.expose()).await.unwrap().unwrap()
}

async fn operator(auth: &Auth) -> Permit {
    let new = NewUser {
        login: "operator".to_owned(),
        name: "Operator".to_owned(),
        password: Secret::new(PASSWORD.to_owned()),
    };
    auth.bootstrap_operator(new).await.unwrap();
    let session = log_in(auth, "operator").await;
    auth.permit_session(&session, Scope::Operate).unwrap()
}
