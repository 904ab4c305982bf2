//! Events over a fresh database, and permits to use them.

use std::sync::Arc;

use qiao_auth::keys::{KeyKind, generate_key};
use qiao_auth::{Auth, AuthConfig, Permit, PluginCaller};
use qiao_events::{
    Attempt, AttemptOutcome, Delivery, Endpoint, Events, NewEndpoint, NewEvent, Policy, Sealer,
    append,
};
use qiao_model::{Env, InstitutionId, ManualClock, PluginId, ReleaseId, Scope, Secret, Timestamp};
use qiao_tests::TestDatabase;
use serde_json::json;

pub(crate) struct Fixture {
    pub(crate) events: Events,
    pub(crate) auth: Auth,
    pub(crate) env: Env,
    pub(crate) clock: Arc<ManualClock>,
    pub(crate) database: TestDatabase,
}

pub(crate) const OURS: InstitutionId = InstitutionId::from_u128(1);
pub(crate) const THEIRS: InstitutionId = InstitutionId::from_u128(2);
pub(crate) const PLUGIN: PluginId = PluginId::from_u128(1);
pub(crate) const HOUR_MILLIS: i64 = 3600 * 1000;

impl Fixture {
    pub(crate) async fn new(database: TestDatabase) -> Self {
        let now = Timestamp::from_millis(1_790_000_000_000);
        Self::at(database, now, Policy::public_only()).await
    }

    pub(crate) async fn at(database: TestDatabase, now: Timestamp, policy: Policy) -> Self {
        let rooms = [qiao_auth::MIGRATIONS, qiao_events::MIGRATIONS];
        database.db.migrate(&rooms).await.unwrap();
        let (env, clock) = Env::fixed(now, 7);
        let (signing_key_pem, _) = generate_key(KeyKind::Ed25519).unwrap();
        let config = AuthConfig {
            issuer: "https://qiao.example".to_owned(),
            audience: "https://qiao.example/v1".to_owned(),
            signing_key_pem,
            pepper: Secret::new([7; 32]),
        };
        let sealer = Sealer::new(&Secret::new([9; 32]), env.clone()).unwrap();
        Self {
            events: Events::new(database.db.clone(), env.clone(), sealer, policy),
            auth: Auth::open(database.db.clone(), env.clone(), config).unwrap(),
            env,
            clock,
            database,
        }
    }

    pub(crate) fn permit(&self, institution: InstitutionId) -> Permit {
        self.permit_for(institution, Scope::WebhooksWrite).unwrap()
    }

    pub(crate) fn permit_for(
        &self,
        institution: InstitutionId,
        scope: Scope,
    ) -> Result<Permit, qiao_auth::Denied> {
        let caller = PluginCaller {
            plugin: PLUGIN,
            release: ReleaseId::from_u128(1),
            institution,
            granted: Scope::ALL.into_iter().collect(),
            on_behalf_of: None,
        };
        self.auth.permit_plugin(&caller, scope)
    }

    /// An endpoint of ours for every kind of event.
    pub(crate) async fn endpoint(&self) -> Endpoint {
        self.endpoint_of(OURS, &[]).await
    }

    pub(crate) async fn endpoint_of(&self, institution: InstitutionId, kinds: &[&str]) -> Endpoint {
        let new = NewEndpoint {
            url: "https://shop.example/hook".to_owned(),
            kinds: kinds.iter().map(|kind| (*kind).to_owned()).collect(),
        };
        let registered = self
            .events
            .register_endpoint(&self.permit(institution), new)
            .await;
        registered.unwrap().0
    }

    pub(crate) fn event(&self, institution: Option<InstitutionId>) -> NewEvent {
        NewEvent {
            id: self.env.id(),
            kind: "order.completed",
            institution,
            plugin: None,
            subject: "ord_1".to_owned(),
            payload: json!({ "order": "ord_1" }),
        }
    }

    pub(crate) async fn append(&self, events: &[NewEvent]) {
        let mut tx = self.database.db.begin().await.unwrap();
        append(&mut tx, self.env.now(), events).await.unwrap();
        tx.commit().await.unwrap();
    }

    /// So many events of ours.
    pub(crate) async fn happen(&self, count: usize) {
        let events: Vec<_> = (0..count).map(|_| self.event(Some(OURS))).collect();
        self.append(&events).await;
    }

    pub(crate) async fn claim(&self) -> Vec<Delivery> {
        self.events.claim(100).await.unwrap()
    }

    /// The one delivery that is due.
    #[track_caller]
    pub(crate) fn only<'a>(&self, claimed: &'a [Delivery]) -> &'a Delivery {
        assert_eq!(claimed.len(), 1, "{claimed:?}");
        &claimed[0]
    }

    pub(crate) async fn finish(&self, delivery: &Delivery, outcome: AttemptOutcome) {
        self.events
            .finish(delivery.ticket(), attempt(outcome))
            .await
            .unwrap();
    }
}

pub(crate) fn attempt(outcome: AttemptOutcome) -> Attempt {
    Attempt {
        outcome,
        status: Some(match outcome {
            AttemptOutcome::Delivered => 200,
            AttemptOutcome::Failed => 500,
            AttemptOutcome::Gone => 410,
        }),
        duration_ms: 12,
        detail: "the endpoint answered".to_owned(),
    }
}
