//! A host with real rooms, a fake plugin, and people.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use qiao_auth::keys::{KeyKind, generate_key};
use qiao_auth::{Auth, AuthConfig, NewUser, Permit, PinProof, PluginCaller};
use qiao_catalog::fee::{FeeForm, FeeLine, Payer, Receiver, Share};
use qiao_catalog::{Capture, Catalog, NewProduct, Price, Product, Redemption};
use qiao_ledger::Ledger;
use qiao_model::{
    Calendar, Currency, Day, Env, Id, InstitutionId, ManualClock, Money, OfferId, Rate, Rounding,
    Scope, ScopeSet, Secret, Timestamp, UserId,
};
use qiao_orders::{
    Answer, Confirmation, Crash, Error, Offer, Order, OrderKind, Orders, OrdersConfig, Quote,
    QuoteContext, Rooms, Submission, Visit,
};
use qiao_payments::{IdempotencyKey, Party, Payments};
use qiao_runtime::Offer as Terms;
use qiao_tests::TestDatabase;
use tokio::task::JoinSet;

use crate::plugin::{ACCOUNT, FakePlugin, INSTITUTION, PLUGIN, offer};

pub(crate) const NODE: &str = "node-a";
const PASSWORD: &str = "a long enough secret";
const PIN: &str = "135790";

pub(crate) struct World {
    pub(crate) database: TestDatabase,
    pub(crate) env: Env,
    pub(crate) clock: Arc<ManualClock>,
    pub(crate) auth: Auth,
    pub(crate) catalog: Catalog,
    pub(crate) payments: Payments,
    pub(crate) plugin: Arc<FakePlugin>,
    pub(crate) orders: Orders,
    pub(crate) user: Person,
    pub(crate) fund: Product,
    keys: AtomicU32,
}

pub(crate) struct Person {
    pub(crate) id: UserId,
    pub(crate) permit: Permit,
}

/// 2026-11-22 10:00 in Shanghai.
pub(crate) fn start() -> Timestamp {
    day(22).start().plus_secs(10 * 3600)
}

pub(crate) fn day(number: i8) -> Day {
    Day::new(2026, 11, number).unwrap()
}

pub(crate) fn secret(text: &str) -> Secret<String> {
    Secret::new(text.to_owned())
}

impl World {
    /// A host with three products and a user who has 10,000.00 CNY.
    pub(crate) async fn new(database: TestDatabase) -> Self {
        let rooms = [
            qiao_ledger::MIGRATIONS,
            qiao_auth::MIGRATIONS,
            qiao_catalog::MIGRATIONS,
            qiao_events::MIGRATIONS,
            qiao_payments::MIGRATIONS,
            qiao_orders::MIGRATIONS,
        ];
        database.db.migrate(&rooms).await.unwrap();
        let (env, clock) = Env::fixed(start(), 7);
        let (signing_key_pem, _) = generate_key(KeyKind::P256).unwrap();
        let config = AuthConfig {
            issuer: "https://qiao.example".to_owned(),
            audience: "https://qiao.example/v1".to_owned(),
            signing_key_pem,
            pepper: Secret::new([7; 32]),
        };
        let db = &database.db;
        let auth = Auth::open(db.clone(), env.clone(), config).unwrap();
        let catalog = Catalog::new(db.clone(), env.clone());
        let payments = Payments::start(db.clone(), env.clone());
        let plugin = Arc::new(FakePlugin::new());
        let rooms = Rooms {
            db: db.clone(),
            env: env.clone(),
            auth: auth.clone(),
            catalog: catalog.clone(),
            payments: payments.clone(),
            plugins: plugin.clone(),
        };
        let orders = Orders::open(rooms, node(NODE, Crash::Never)).await.unwrap();
        let fund = register(&auth, &catalog).await;
        let user = person(&auth, "wei").await;
        let world = Self {
            database,
            env,
            clock,
            auth,
            catalog,
            payments,
            plugin,
            orders,
            user,
            fund,
            keys: AtomicU32::new(0),
        };
        world.top_up(&world.user, 1_000_000).await;
        world
    }

    /// The room opened again over the same database: a host that starts anew,
    /// or another node.
    pub(crate) async fn open(&self, name: &str, crash: Crash) -> Orders {
        let rooms = Rooms {
            db: self.database.db.clone(),
            env: self.env.clone(),
            auth: self.auth.clone(),
            catalog: self.catalog.clone(),
            payments: Payments::start(self.database.db.clone(), self.env.clone()),
            plugins: self.plugin.clone(),
        };
        Orders::open(rooms, node(name, crash)).await.unwrap()
    }

    /// This node ends and starts anew.
    pub(crate) async fn restart(&mut self, crash: Crash) {
        self.orders = self.open(NODE, crash).await;
    }

    pub(crate) async fn person(&self, login: &str) -> Person {
        person(&self.auth, login).await
    }

    pub(crate) async fn operator(&self) -> Permit {
        let new = new_user("operator");
        self.auth.bootstrap_operator(new).await.unwrap();
        let session = session(&self.auth, "operator").await;
        self.auth.permit_session(&session, Scope::Operate).unwrap()
    }

    /// The person's permit for an institution that they are on the staff of.
    pub(crate) async fn staff(&self, login: &str, institution: InstitutionId) -> Permit {
        let session = session(&self.auth, login).await;
        self.auth.permit_staff(&session, institution).unwrap()
    }

    pub(crate) async fn top_up(&self, person: &Person, fen: i64) {
        let money = Money::cny(fen);
        let done = self.payments.top_up(&person.permit, person.id, money, None);
        done.await.unwrap();
    }

    pub(crate) async fn money(&self, person: &Person) -> i64 {
        let balance = self
            .payments
            .balance(&person.permit, person.id, Currency::CNY);
        balance.await.unwrap().available()
    }

    /// What an account of this party has, posted.
    pub(crate) async fn has(&self, party: Party) -> i64 {
        let ledger = Ledger::new(self.database.db.clone());
        let account = party.account(Currency::CNY).id();
        let balance = ledger.balance(account).await.unwrap();
        balance.map_or(0, |balance| balance.posted)
    }

    /// Units of the fund: available, and held by open orders.
    pub(crate) async fn units(&self, person: &Person) -> (i64, i64) {
        let held = self
            .payments
            .holding(&person.permit, person.id, self.fund.id);
        let balance = held.await.unwrap().balance;
        (balance.available(), balance.pending_out)
    }

    pub(crate) fn advance_secs(&self, secs: i64) {
        self.clock.advance_millis(secs * 1000);
    }

    /// The kinds of the events so far, sorted.
    pub(crate) async fn events(&self, prefix: &str) -> Vec<String> {
        let kinds: Vec<String> =
            sqlx::query_scalar("select kind from event where kind like $1 || '%' order by kind")
                .bind(prefix)
                .fetch_all(self.database.db.reads())
                .await
                .unwrap();
        kinds
    }

    pub(crate) async fn offer(&self, person: &Person, terms: Terms) -> Offer {
        self.offer_at(person, terms, None).await
    }

    /// An offer to somebody who came through the door of a scene.
    pub(crate) async fn offer_at(
        &self,
        person: &Person,
        terms: Terms,
        scene: Option<InstitutionId>,
    ) -> Offer {
        self.plugin.offers(terms);
        let mut submission = submission();
        submission.visit.scene = scene;
        let answered = self.orders.submit(&person.permit, submission).await;
        match answered.unwrap() {
            Answer::Offer(offer) => *offer,
            other => panic!("no offer: {other:?}"),
        }
    }

    pub(crate) async fn quote(&self, person: &Person, terms: Terms) -> Quote {
        let offer = self.offer(person, terms).await;
        self.quote_by(person, offer.id, QuoteContext::default())
            .await
    }

    pub(crate) async fn quote_by(
        &self,
        person: &Person,
        offer: OfferId,
        context: QuoteContext,
    ) -> Quote {
        let quoted = self.orders.quote(&person.permit, offer, context);
        quoted.await.unwrap()
    }

    pub(crate) async fn proof(&self, person: &Person) -> PinProof {
        let pin = secret(PIN);
        self.auth.verify_pin(&person.permit, &pin).await.unwrap()
    }

    /// A confirmation of a quote as its user would send it, under a new key.
    pub(crate) async fn yes(&self, person: &Person, quote: &Quote) -> Confirmation {
        let number = self.keys.fetch_add(1, Ordering::SeqCst);
        self.yes_with_key(person, quote, &format!("key-{number}"))
            .await
    }

    pub(crate) async fn yes_with_key(
        &self,
        person: &Person,
        quote: &Quote,
        key: &str,
    ) -> Confirmation {
        let request = quote.token.as_bytes();
        Confirmation {
            method: quote.method,
            token: quote.token.clone(),
            amount: quote.amount,
            pin: self.proof(person).await,
            key: IdempotencyKey::of(&person.permit, key, request).unwrap(),
        }
    }

    pub(crate) async fn confirm(&self, person: &Person, quote: &Quote) -> Result<Order, Error> {
        let confirmation = self.yes(person, quote).await;
        self.orders.confirm(&person.permit, confirmation).await
    }

    /// A confirmation of the quote that goes on beside the test, and is there
    /// once the plugin was asked; dropped, it is a user who went away.
    pub(crate) async fn confirm_aside(&self, quote: &Quote) -> JoinSet<Result<Order, Error>> {
        let confirmation = self.yes(&self.user, quote).await;
        let (orders, permit) = (self.orders.clone(), self.user.permit.clone());
        let mut request = JoinSet::new();
        request.spawn(async move { orders.confirm(&permit, confirmation).await });
        while self.plugin.seen().fulfilled.is_empty() {
            tokio::task::yield_now().await;
        }
        request
    }

    /// The plugin registers another product.
    pub(crate) async fn register(&self, new: NewProduct) -> Product {
        let permit = plugin_permit(&self.auth, Scope::CatalogWrite, None);
        let registered = self.catalog.register_product(&permit, new);
        registered.await.unwrap()
    }

    /// The whole way of one order.
    pub(crate) async fn order(&self, person: &Person, terms: Terms) -> Result<Order, Error> {
        let quote = self.quote(person, terms).await;
        self.confirm(person, &quote).await
    }

    pub(crate) async fn stored(&self, order: &Order) -> Order {
        let found = self.orders.get(&self.user.permit, order.id).await;
        found.unwrap().unwrap()
    }

    /// The plugin publishes the fund's price of a day.
    pub(crate) async fn publish(&self, day: Day, income_per_10k_e4: i64) {
        let price = Price {
            day,
            nav_e4: 10_000,
            income_per_10k_e4: Some(income_per_10k_e4),
            yield_7d_ppm: None,
        };
        let permit = plugin_permit(&self.auth, Scope::CatalogWrite, None);
        let published = self.catalog.publish_price(&permit, self.fund.id, price);
        published.await.unwrap();
    }

    pub(crate) async fn count(&self, table: &str) -> i64 {
        let sql = format!("select count(*) from {table}");
        sqlx::query_scalar(sqlx::AssertSqlSafe(sql))
            .fetch_one(self.database.db.reads())
            .await
            .unwrap()
    }
}

pub(crate) fn submission() -> Submission {
    Submission {
        visit: visit("invest"),
        form: "buy".to_owned(),
        fields: Vec::new(),
    }
}

pub(crate) fn visit(service: &str) -> Visit {
    Visit {
        account: ACCOUNT.to_owned(),
        service: service.to_owned(),
        locale: "zh-CN".to_owned(),
        params: Vec::new(),
        scene: None,
    }
}

pub(crate) fn buy(fen: i64) -> Terms {
    Terms {
        amount: Some(Money::cny(fen)),
        ..offer("fund", OrderKind::Purchase)
    }
}

pub(crate) fn redeem(units_minor: i64) -> Terms {
    Terms {
        units_minor: Some(units_minor),
        ..offer("fund", OrderKind::Redeem)
    }
}

/// A fine: captured before it is fulfilled, 2.00 CNY on top for the platform.
pub(crate) fn fine(fen: i64) -> Terms {
    Terms {
        amount: Some(Money::cny(fen)),
        ..offer("fine", OrderKind::Pay)
    }
}

/// A ticket: captured when it is fulfilled, without fees.
pub(crate) fn ticket(fen: i64) -> Terms {
    Terms {
        amount: Some(Money::cny(fen)),
        ..offer("ticket", OrderKind::Pay)
    }
}

fn node(name: &str, crash: Crash) -> OrdersConfig {
    OrdersConfig {
        node: name.to_owned(),
        host_key: Secret::new([9; 32]),
        crash,
        calendar: Calendar::mainland(),
    }
}

fn new_user(login: &str) -> NewUser {
    NewUser {
        login: login.to_owned(),
        name: "Li Wei".to_owned(),
        password: secret(PASSWORD),
    }
}

async fn session(auth: &Auth, login: &str) -> qiao_auth::Session {
    let token = auth.log_in(login, &secret(PASSWORD)).await.unwrap();
    auth.session(token.expose()).await.unwrap().unwrap()
}

async fn person(auth: &Auth, login: &str) -> Person {
    let id = auth.sign_up(new_user(login)).await.unwrap();
    let session = session(auth, login).await;
    let permit = auth.permit_session(&session, Scope::Account).unwrap();
    auth.set_pin(&permit, &secret(PIN)).await.unwrap();
    Person { id, permit }
}

pub(crate) fn plugin_permit(auth: &Auth, scope: Scope, on_behalf_of: Option<UserId>) -> Permit {
    let caller = PluginCaller {
        plugin: PLUGIN,
        release: Id::from_u128(0x13),
        institution: INSTITUTION,
        granted: ScopeSet::EMPTY.with(scope),
        on_behalf_of,
    };
    auth.permit_plugin(&caller, scope).unwrap()
}

async fn register(auth: &Auth, catalog: &Catalog) -> Product {
    let permit = plugin_permit(auth, Scope::CatalogWrite, None);
    let fees = vec![
        FeeLine {
            maximum: None,
            ..fee(
                "subscription",
                OrderKind::Purchase,
                Payer::UserInside,
                13_000,
                300_000,
            )
        },
        fee(
            "channel",
            OrderKind::Purchase,
            Payer::Institution,
            500,
            1_000_000,
        ),
    ];
    let fund = product("fund", true, Capture::OnFulfilment, fees);
    let fund = catalog.register_product(&permit, fund).await.unwrap();
    let handling = FeeLine {
        form: FeeForm::Flat(200),
        ..fee("handling", OrderKind::Pay, Payer::User, 0, 1_000_000)
    };
    for new in [
        product("fine", false, Capture::BeforeFulfilment, vec![handling]),
        product("ticket", false, Capture::OnFulfilment, Vec::new()),
    ] {
        catalog.register_product(&permit, new).await.unwrap();
    }
    fund
}

/// The fund as it is when its redemptions are paid at once, without fees.
pub(crate) fn instant_fund() -> NewProduct {
    NewProduct {
        redemption: Redemption::Instant,
        ..product("fund", true, Capture::OnFulfilment, Vec::new())
    }
}

pub(crate) fn product(
    code: &str,
    in_units: bool,
    capture: Capture,
    fees: Vec<FeeLine>,
) -> NewProduct {
    NewProduct {
        code: code.to_owned(),
        name: code.to_owned(),
        summary: String::new(),
        currency: Currency::CNY,
        in_units,
        capture,
        redemption: Redemption::Ordinary,
        fees,
        accrued: Vec::new(),
        effective_from: None,
    }
}

pub(crate) fn fee(
    code: &str,
    kind: OrderKind,
    payer: Payer,
    ppm: i64,
    platform_ppm: i64,
) -> FeeLine {
    let shares = [
        (Receiver::Institution, 1_000_000 - platform_ppm),
        (Receiver::Platform, platform_ppm),
    ];
    FeeLine {
        code: code.to_owned(),
        name: code.to_owned(),
        applies_to: kind,
        payer,
        form: FeeForm::Percent(Rate::from_ppm(ppm)),
        minimum: None,
        maximum: None,
        band: None,
        monotone: false,
        rounding: Rounding::HalfUp,
        shares: shares
            .into_iter()
            .filter(|(_, ppm)| *ppm > 0)
            .map(|(receiver, ppm)| Share {
                receiver,
                rate: Rate::from_ppm(ppm),
            })
            .collect(),
    }
}
