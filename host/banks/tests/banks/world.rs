//! A migrated host without doors, a bank, and a person who banks there.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use qiao_auth::{Auth, AuthConfig, NewUser, Permit, PinProof, keys};
use qiao_banks::audit::check_banks;
use qiao_banks::{
    Abilities, BankLink, BankTransfer, Banks, BanksConfig, Cost, Crash, Evidence, NewChannel,
    NewTopUp, NewWithdrawal, Redirected, Rooms, TransferState,
};
use qiao_db::Db;
use qiao_events::{Egress, Policy, Sealer};
use qiao_ledger::Ledger;
use qiao_ledger::audit::{Report, check_books, check_journal};
use qiao_model::{
    BankLinkId, BankTransferId, Channel, Currency, Env, ManualClock, Money, Rate, Scope, Secret,
    SessionId, Timestamp, UserId,
};
use qiao_payments::audit::check_payments;
use qiao_payments::{IdempotencyKey, Party, Payments};
use qiao_tests::TestDatabase;
use sandbox_bank::{Bank, Clock, Customer, Options};
use url::Url;

/// Longer than a bank of this machine needs, shorter than a bank that hangs.
const TIMEOUT: Duration = Duration::from_millis(600);
pub(crate) const PIN: &str = "135790";
pub(crate) const NUMBER: &str = "6222020200018801";
/// What the person has at the bank at first.
pub(crate) const AT_THE_BANK: i64 = 1_000_000;

/// A signed-in person.
pub(crate) struct Person {
    pub(crate) user: UserId,
    pub(crate) permit: Permit,
    pub(crate) session: SessionId,
}

pub(crate) struct World {
    pub(crate) db: Db,
    pub(crate) env: Env,
    pub(crate) clock: Arc<ManualClock>,
    pub(crate) auth: Auth,
    pub(crate) ledger: Ledger,
    pub(crate) payments: Payments,
    pub(crate) banks: Banks,
    pub(crate) bank: Bank,
    pub(crate) person: Person,
    pub(crate) operator: Permit,
    channels: Vec<NewChannel>,
    policy: Policy,
    /// The folder of an SQLite file goes away last.
    _database: TestDatabase,
}

/// The fund's account for payouts.
pub(crate) const FUND_NUMBER: &str = "6222029900000001";
/// The account out of which the fund's bank lends.
pub(crate) const LENDER_NUMBER: &str = "6222029900000002";

pub(crate) fn river() -> Channel {
    "river".parse().unwrap()
}

/// A bank whose clock is the host's.
pub(crate) async fn open_bank(clock: &Arc<ManualClock>) -> Bank {
    let clock = clock.clone();
    Bank::start(Options {
        customers: vec![
            Customer::new("lin", "secret", NUMBER, AT_THE_BANK),
            Customer::new("harvest", "secret", FUND_NUMBER, 0),
            Customer::new("lender", "secret", LENDER_NUMBER, AT_THE_BANK).debitable(),
        ],
        clock: Clock::new(move || qiao_model::Clock::now(&*clock).as_millis()),
        ..Options::default()
    })
    .await
    .unwrap()
}

pub(crate) fn channel(code: &str, bank: &Bank, cost: Cost) -> NewChannel {
    let secret = sandbox_bank::WEBHOOK_SECRET_DEFAULT;
    NewChannel {
        code: code.parse().unwrap(),
        name: format!("Bank of {code}"),
        issuer: Url::parse(&bank.url).unwrap(),
        client_id: sandbox_bank::CLIENT_ID_DEFAULT.to_owned(),
        client_secret: Secret::new(sandbox_bank::CLIENT_SECRET_DEFAULT.to_owned()),
        callback_key: qiao_banks::callback_key(secret).unwrap(),
        abilities: Abilities::Both,
        cost,
        priority: 100,
        amount_max_minor: 5_000_000,
    }
}

/// 0.10 CNY and 0.1 %.
pub(crate) const COST: Cost = Cost {
    flat_minor: 10,
    rate: Rate::from_ppm(1_000),
};

impl World {
    /// A world with one bank that costs nothing.
    pub(crate) async fn new(database: TestDatabase) -> Self {
        Self::with(database, |bank| vec![channel("river", bank, Cost::FREE)]).await
    }

    pub(crate) async fn with(
        database: TestDatabase,
        channels: impl FnOnce(&Bank) -> Vec<NewChannel>,
    ) -> Self {
        let db = database.db.clone();
        let rooms = [
            qiao_auth::MIGRATIONS,
            qiao_ledger::MIGRATIONS,
            qiao_events::MIGRATIONS,
            qiao_payments::MIGRATIONS,
            qiao_banks::MIGRATIONS,
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
        let auth = Auth::open(db.clone(), env.clone(), config).unwrap();
        let payments = Payments::start(db.clone(), env.clone());
        let bank = open_bank(&clock).await;
        let channels = channels(&bank);
        let addresses = channels.iter().map(|channel| {
            let port = channel.issuer.port_or_known_default().unwrap();
            format!("127.0.0.1:{port}")
        });
        let policy = Policy::allowing(addresses).unwrap();
        let person = sign_up(&auth, "lin").await;
        let pin = Secret::new(PIN.to_owned());
        auth.set_pin(&person.permit, &pin).await.unwrap();
        let world = Self {
            banks: open(
                (&db, &env, &auth, &payments),
                (channels.clone(), policy.clone()),
                ("node-a", Crash::Never),
            )
            .await,
            operator: operator(&auth).await,
            ledger: Ledger::new(db.clone()),
            db,
            env,
            clock,
            auth,
            payments,
            bank,
            person,
            channels,
            policy,
            _database: database,
        };
        world.audit().await;
        world
    }

    /// The room again, as another node or after a restart.
    pub(crate) async fn open(&self, node: &str, crash: Crash) -> Banks {
        open(
            (&self.db, &self.env, &self.auth, &self.payments),
            (self.channels.clone(), self.policy.clone()),
            (node, crash),
        )
        .await
    }

    pub(crate) async fn sign_up(&self, login: &str) -> Person {
        sign_up(&self.auth, login).await
    }

    pub(crate) fn system(&self, scope: Scope) -> Permit {
        self.auth.permit_system("test", scope)
    }

    /// The person at the bank's page: logs in and answers. Gives what the bank
    /// sends them back with.
    pub(crate) async fn consent(&self, url: &Url, decision: &str) -> Redirected {
        let mut form: HashMap<String, String> = url.query_pairs().into_owned().collect();
        let answers = [
            ("customer", "lin"),
            ("password", "secret"),
            ("decision", decision),
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
        assert!(back.as_str().starts_with("http://127.0.0.1:8080/banks/"));
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

    /// The person links their account at a channel.
    pub(crate) async fn link_at(&self, code: Channel) -> BankLink {
        let (permit, session) = (&self.person.permit, self.person.session);
        let begun = self
            .banks
            .begin_link(permit, session, code, "/wallet")
            .await;
        let back = self.consent(&begun.unwrap().url, "allow").await;
        let linked = self.banks.finish_link(permit, session, code, back).await;
        let (link, next) = linked.unwrap();
        assert_eq!(next, "/wallet");
        link
    }

    pub(crate) async fn link(&self) -> BankLink {
        self.link_at(river()).await
    }

    pub(crate) fn key(&self, key: &str, request: &str) -> IdempotencyKey {
        IdempotencyKey::of(&self.person.permit, key, request.as_bytes()).unwrap()
    }

    pub(crate) fn new_top_up(&self, link: BankLinkId, fen: i64) -> NewTopUp {
        let unique = self.env.id::<qiao_model::id::noun::Event>().to_string();
        NewTopUp {
            link: Some(link),
            amount: Money::cny(fen),
            key: self.key(&unique, "top-up"),
        }
    }

    /// A top-up that is asked for once and may end in any state.
    pub(crate) async fn top_up(&self, link: BankLinkId, fen: i64) -> BankTransfer {
        let new = self.new_top_up(link, fen);
        self.banks.top_up(&self.person.permit, new).await.unwrap()
    }

    pub(crate) async fn pin(&self) -> PinProof {
        let pin = Secret::new(PIN.to_owned());
        self.auth
            .verify_pin(&self.person.permit, &pin)
            .await
            .unwrap()
    }

    pub(crate) async fn new_withdrawal(&self, link: BankLinkId, fen: i64) -> NewWithdrawal {
        let unique = self.env.id::<qiao_model::id::noun::Event>().to_string();
        NewWithdrawal {
            link: Some(link),
            amount: Money::cny(fen),
            pin: self.pin().await,
            key: self.key(&unique, "withdrawal"),
        }
    }

    pub(crate) async fn withdraw(&self, link: BankLinkId, fen: i64) -> BankTransfer {
        let new = self.new_withdrawal(link, fen).await;
        self.banks.withdraw(&self.person.permit, new).await.unwrap()
    }

    pub(crate) async fn stored(&self, id: BankTransferId) -> BankTransfer {
        let found = self.banks.transfer(&self.operator, id).await.unwrap();
        found.unwrap()
    }

    pub(crate) async fn state(&self, id: BankTransferId) -> TransferState {
        self.stored(id).await.standing.state
    }

    pub(crate) async fn evidence(&self, id: BankTransferId) -> Vec<Evidence> {
        self.banks.evidence(&self.operator, id).await.unwrap()
    }

    /// What was learned, in short: `send done`.
    pub(crate) async fn learned(&self, id: BankTransferId) -> Vec<String> {
        let evidence = self.evidence(id).await.into_iter();
        evidence
            .map(|one| format!("{} {}", one.via.name(), one.outcome))
            .collect()
    }

    /// What a party has free, in fen.
    pub(crate) async fn free(&self, party: Party) -> i64 {
        let account = party.account(Currency::CNY).id();
        let balance = self.ledger.balance(account).await.unwrap();
        balance.unwrap_or_default().available()
    }

    pub(crate) async fn posted(&self, party: Party) -> i64 {
        let account = party.account(Currency::CNY).id();
        let balance = self.ledger.balance(account).await.unwrap();
        balance.unwrap_or_default().posted
    }

    pub(crate) async fn balance(&self) -> i64 {
        self.free(Party::User(self.person.user)).await
    }

    /// What the person has at the bank.
    pub(crate) fn at_the_bank(&self) -> i64 {
        self.bank.account(NUMBER).unwrap().balance_minor
    }

    /// The books balance, and the mirror of the bank is what its custody holds.
    pub(crate) async fn audit(&self) {
        for total in self.ledger.totals().await.unwrap() {
            assert!(total.is_balanced(), "{total:?}");
        }
        let mirror = self.posted(Party::Bank(river())).await;
        assert_eq!(-mirror, self.bank.custody_minor(), "the mirror of the bank");
        assert_eq!(said(&self.report().await), "");
    }

    /// What the audit finds.
    pub(crate) async fn report(&self) -> Report {
        let rooms = [
            qiao_ledger::ATTESTED,
            qiao_events::ATTESTED,
            qiao_payments::ATTESTED,
            qiao_banks::ATTESTED,
        ];
        let mut report = Report::of(self.env.now());
        let mut tx = self.db.begin_snapshot().await.unwrap();
        check_journal(&mut tx, &rooms.concat(), &[], &mut report)
            .await
            .unwrap();
        check_books(&mut tx, &mut report).await.unwrap();
        check_payments(&mut tx, &mut report).await.unwrap();
        check_banks(&mut tx, &mut report).await.unwrap();
        tx.commit().await.unwrap();
        report
    }

    /// Lets the next pause pass and the worker ask.
    pub(crate) async fn repair_after(&self, secs: i64) -> usize {
        self.clock.advance_millis(secs * 1000);
        self.banks.repair().await.unwrap()
    }
}

pub(crate) fn said(report: &Report) -> String {
    let lines: Vec<String> = report.findings().iter().map(ToString::to_string).collect();
    lines.join("\n")
}

async fn open(
    (db, env, auth, payments): (&Db, &Env, &Auth, &Payments),
    (channels, policy): (Vec<NewChannel>, Policy),
    (node, crash): (&str, Crash),
) -> Banks {
    let rooms = Rooms {
        db: db.clone(),
        env: env.clone(),
        auth: auth.clone(),
        payments: payments.clone(),
        sealer: Sealer::new(&Secret::new([9; 32]), env.clone()).unwrap(),
        egress: Egress::new().unwrap(),
        policy,
    };
    let config = BanksConfig {
        node: node.to_owned(),
        public_url: "http://127.0.0.1:8080".to_owned(),
        channels,
        timeout: TIMEOUT,
        repair_at_once: BanksConfig::REPAIR_AT_ONCE_DEFAULT,
        crash,
    };
    Banks::open(rooms, config).await.unwrap()
}

async fn sign_up(auth: &Auth, login: &str) -> Person {
    let password = Secret::new("bridge-over-the-river".to_owned());
    let new = NewUser {
        login: login.to_owned(),
        name: login.to_owned(),
        password: password.clone(),
    };
    let user = auth.sign_up(new).await.unwrap();
    let token = auth.log_in(login, &password).await.unwrap();
    let session = auth.session(token.expose()).await.unwrap().unwrap();
    Person {
        user,
        permit: auth.permit_session(&session, Scope::Account).unwrap(),
        session: session.id(),
    }
}

async fn operator(auth: &Auth) -> Permit {
    let password = Secret::new("bridge-over-the-river".to_owned());
    let new = NewUser {
        login: "operator".to_owned(),
        name: "Operator".to_owned(),
        password: password.clone(),
    };
    auth.bootstrap_operator(new).await.unwrap();
    let token = auth.log_in("operator", &password).await.unwrap();
    let session = auth.session(token.expose()).await.unwrap().unwrap();
    auth.permit_session(&session, Scope::Operate).unwrap()
}
