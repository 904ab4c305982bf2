//! A catalog over a fresh database, and plugins that call it.

use std::sync::Arc;

use qiao_auth::keys::{KeyKind, generate_key};
use qiao_auth::{Auth, AuthConfig, NewUser, Permit, PluginCaller};
use qiao_catalog::{
    Capture, Catalog, FeeForm, FeeLine, NewProduct, OrderKind, Payer, Price, Receiver, Share,
};
use qiao_model::{
    Currency, Day, Env, InstitutionId, ManualClock, PluginId, Rate, ReleaseId, Rounding, Scope,
    ScopeSet, Secret, Timestamp,
};
use qiao_tests::TestDatabase;

pub(crate) struct Fixture {
    pub(crate) catalog: Catalog,
    pub(crate) auth: Auth,
    pub(crate) env: Env,
    pub(crate) clock: Arc<ManualClock>,
    pub(crate) database: TestDatabase,
    pub(crate) plugin: PluginCaller,
}

pub(crate) const DAY_MILLIS: i64 = 24 * 3600 * 1000;

pub(crate) fn day(day: i8) -> Day {
    Day::new(2026, 11, day).unwrap()
}

impl Fixture {
    /// At noon of 2026-11-10.
    pub(crate) async fn new(database: TestDatabase) -> Self {
        let rooms = [qiao_auth::MIGRATIONS, qiao_catalog::MIGRATIONS];
        database.db.migrate(&rooms).await.unwrap();
        let noon: Timestamp = day(10).start().plus_secs(12 * 3600);
        let (env, clock) = Env::fixed(noon, 7);
        let (signing_key_pem, _) = generate_key(KeyKind::Ed25519).unwrap();
        let config = AuthConfig {
            issuer: "https://qiao.example".to_owned(),
            audience: "https://qiao.example/v1".to_owned(),
            signing_key_pem,
            pepper: Secret::new([7; 32]),
        };
        Self {
            catalog: Catalog::new(database.db.clone(), env.clone()),
            auth: Auth::open(database.db.clone(), env.clone(), config).unwrap(),
            plugin: caller(1, 1),
            env,
            clock,
            database,
        }
    }

    /// The permit of the fixture's plugin.
    pub(crate) fn permit(&self) -> Permit {
        self.permit_of(&self.plugin)
    }

    pub(crate) fn permit_of(&self, caller: &PluginCaller) -> Permit {
        self.auth
            .permit_plugin(caller, Scope::CatalogWrite)
            .unwrap()
    }

    /// The permit of a signed-in member of an institution's staff.
    pub(crate) async fn staff_of(&self, institution: InstitutionId) -> Permit {
        let auth = &self.auth;
        let password = Secret::new("correct horse battery".to_owned());
        let person = |login: &str| NewUser {
            login: login.to_owned(),
            name: login.to_owned(),
            password: password.clone(),
        };
        auth.bootstrap_operator(person("operator")).await.unwrap();
        let staff = auth.sign_up(person("staff")).await.unwrap();
        let token = auth.log_in("operator", &password).await.unwrap();
        let session = auth.session(token.expose()).await.unwrap().unwrap();
        let operate = auth.permit_session(&session, Scope::Operate).unwrap();
        auth.add_staff(&operate, institution, staff).await.unwrap();
        let token = auth.log_in("staff", &password).await.unwrap();
        let session = auth.session(token.expose()).await.unwrap().unwrap();
        auth.permit_staff(&session, institution).unwrap()
    }

    /// A second host on the same database.
    pub(crate) fn other_host(&self) -> Catalog {
        Catalog::new(self.database.db.clone(), self.env.clone())
    }
}

pub(crate) fn caller(plugin: u128, institution: u128) -> PluginCaller {
    PluginCaller {
        plugin: PluginId::from_u128(plugin),
        release: ReleaseId::from_u128(1),
        institution: InstitutionId::from_u128(institution),
        granted: [Scope::CatalogWrite, Scope::Egress]
            .into_iter()
            .collect::<ScopeSet>(),
        on_behalf_of: None,
    }
}

pub(crate) fn flat_fee(fen: i64) -> Vec<FeeLine> {
    vec![FeeLine {
        code: "service".to_owned(),
        name: "服务费".to_owned(),
        applies_to: OrderKind::Pay,
        payer: Payer::User,
        form: FeeForm::Flat(fen),
        minimum: None,
        maximum: None,
        band: None,
        monotone: false,
        rounding: Rounding::HalfUp,
        shares: vec![Share {
            receiver: Receiver::Platform,
            rate: Rate::ONE,
        }],
    }]
}

pub(crate) fn fund(fees: Vec<FeeLine>) -> NewProduct {
    NewProduct {
        code: "money-fund".to_owned(),
        name: "货币基金".to_owned(),
        summary: "Income every day.".to_owned(),
        currency: Currency::CNY,
        in_units: true,
        capture: Capture::OnFulfilment,
        redemption: qiao_catalog::Redemption::Ordinary,
        fees,
        accrued: Vec::new(),
        effective_from: None,
    }
}

pub(crate) fn price(day: Day, nav_e4: i64) -> Price {
    Price {
        day,
        nav_e4,
        income_per_10k_e4: Some(5_432),
        yield_7d_ppm: None,
    }
}
