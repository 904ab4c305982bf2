//! Every method of the door: the scope, and whose the money is.

use qiao_auth::{ClientAssertion, NewClient, NewUser, Permit, PluginCaller, TokenRequest, keys};
use qiao_model::{
    Currency, InstitutionId, Money, PluginId, ReleaseId, Scope, ScopeSet, Secret, UserId,
};
use qiao_payments::{
    Command, Credit, CreditLine, Error, NewPayment, Party, PaymentState, Refusal, StatementOf,
    holding_in, holdings_in,
};
use qiao_tests::each_database;

use crate::world::{FUND, PRODUCT, USER, World};

const OTHER: InstitutionId = InstitutionId::from_u128(99);

/// One caller of every kind.
pub(crate) struct Callers {
    pub(crate) user: UserId,
    /// The user, for themselves.
    pub(crate) account: Permit,
    pub(crate) operator: Permit,
    /// The operator as a person.
    pub(crate) stranger: Permit,
    /// Staff of the fund.
    pub(crate) staff: Permit,
    /// The fund's server, by scope.
    pub(crate) client_read: Permit,
    pub(crate) client_write: Permit,
    pub(crate) client_refund: Permit,
    pub(crate) client_charge: Permit,
    /// The server of another institution.
    pub(crate) other_client_write: Permit,
    pub(crate) other_client_refund: Permit,
    pub(crate) other_client_charge: Permit,
    pub(crate) other_client_read: Permit,
}

impl Callers {
    pub(crate) async fn new(world: &World) -> Self {
        let auth = &world.auth;
        let password = Secret::new("correct horse battery".to_owned());
        let new = |login: &str| NewUser {
            login: login.to_owned(),
            name: login.to_owned(),
            password: password.clone(),
        };
        auth.bootstrap_operator(new("operator")).await.unwrap();
        let user = auth.sign_up(new("person")).await.unwrap();
        let session = async |login: &str| {
            let token = auth.log_in(login, &password).await.unwrap();
            auth.session(token.expose()).await.unwrap().unwrap()
        };
        let chief = session("operator").await;
        let operator = auth.permit_session(&chief, Scope::Operate).unwrap();
        auth.add_staff(&operator, FUND, user).await.unwrap();
        let person = session("person").await;
        let (own, other) = (
            Client::register(world, &operator, FUND).await,
            Client::register(world, &operator, OTHER).await,
        );
        Self {
            user,
            account: auth.permit_session(&person, Scope::Account).unwrap(),
            stranger: auth.permit_session(&chief, Scope::Account).unwrap(),
            staff: auth.permit_staff(&person, FUND).unwrap(),
            client_read: own.permit(world, Scope::PaymentsRead).await,
            client_write: own.permit(world, Scope::PaymentsWrite).await,
            client_refund: own.permit(world, Scope::PaymentsRefund).await,
            client_charge: own.permit(world, Scope::PaymentsCharge).await,
            other_client_write: other.permit(world, Scope::PaymentsWrite).await,
            other_client_refund: other.permit(world, Scope::PaymentsRefund).await,
            other_client_charge: other.permit(world, Scope::PaymentsCharge).await,
            other_client_read: other.permit(world, Scope::PaymentsRead).await,
            operator,
        }
    }
}

/// A server with an access token.
struct Client {
    token: String,
}

impl Client {
    async fn register(world: &World, operator: &Permit, institution: InstitutionId) -> Self {
        let (pem, jwk) = keys::generate_key(keys::KeyKind::P256).unwrap();
        let scopes: ScopeSet = [
            Scope::PaymentsRead,
            Scope::PaymentsWrite,
            Scope::PaymentsRefund,
            Scope::PaymentsCharge,
        ]
        .into_iter()
        .collect();
        let new = NewClient {
            institution,
            name: "server".to_owned(),
            jwks_json: serde_json::json!({ "keys": [jwk] }).to_string(),
            scopes,
        };
        let client = world.auth.register_client(operator, new).await.unwrap();
        let now = world.env.now().as_secs();
        let claims = serde_json::json!({
            "iss": client.id.to_string(),
            "sub": client.id.to_string(),
            "aud": world.auth.issuer(),
            "jti": client.id.to_string(),
            "iat": now,
            "exp": now + 60,
        });
        let assertion = keys::sign_jws(&pem, "JWT", claims.to_string().as_bytes()).unwrap();
        let request = TokenRequest {
            grant_type: Some("client_credentials".to_owned()),
            client: ClientAssertion {
                client_assertion_type: Some(qiao_auth::CLIENT_ASSERTION_TYPE.to_owned()),
                client_assertion: Some(assertion),
                client_id: None,
            },
            scope: None,
        };
        let token = world.auth.token(request).await.unwrap().access_token;
        Self { token }
    }

    async fn permit(&self, world: &World, scope: Scope) -> Permit {
        world.auth.permit_bearer(&self.token, scope).await.unwrap()
    }
}

pub(crate) fn plugin(world: &World, scope: Scope, on_behalf_of: Option<UserId>) -> Permit {
    let caller = PluginCaller {
        plugin: PluginId::from_u128(1),
        release: ReleaseId::from_u128(1),
        institution: FUND,
        granted: [scope].into_iter().collect(),
        on_behalf_of,
    };
    world.auth.permit_plugin(&caller, scope).unwrap()
}

#[track_caller]
fn assert_denied<T: std::fmt::Debug>(outcome: Result<T, Error>) {
    assert!(
        matches!(outcome, Err(Error::Denied(_) | Error::NotOwner { .. })),
        "{outcome:?}"
    );
}

#[tokio::test]
async fn only_the_payer_pays() {
    each_database(|database| async move {
        let world = World::new(database.db).await;
        let callers = Callers::new(&world).await;
        world.top_up(callers.user, 1_000).await;
        let new = |payer| NewPayment {
            payer,
            ..world.new_payment(&[(Party::Platform, 100, "fee")])
        };
        let of_user = || new(Party::User(callers.user));
        for permit in [
            &callers.stranger,
            &callers.operator,
            &callers.staff,
            &callers.client_read,
            &callers.client_write,
            &callers.client_refund,
            &plugin(&world, Scope::PaymentsWrite, Some(callers.user)),
            &world.system(Scope::PaymentsRead),
        ] {
            assert_denied(world.payments.pay(permit, of_user(), None).await);
            assert_denied(world.payments.hold(permit, of_user(), None).await);
        }
        let paid = world.payments.pay(&callers.account, of_user(), None).await;
        assert_eq!(paid.unwrap().state, PaymentState::Posted);
        let held = world.payments.hold(&callers.account, of_user(), None).await;
        assert_eq!(held.unwrap().state, PaymentState::Held);

        let fund = || new(Party::Institution(FUND));
        world
            .payment(Command::Pay(world.new_payment(&[(
                Party::Institution(FUND),
                500,
                "principal",
            )])))
            .await;
        for permit in [
            &callers.account,
            &callers.operator,
            &callers.staff,
            &callers.client_read,
            &callers.other_client_write,
        ] {
            assert_denied(world.payments.pay(permit, fund(), None).await);
        }
        let paid = world
            .payments
            .pay(&callers.client_write, fund(), None)
            .await;
        assert_eq!(paid.unwrap().state, PaymentState::Posted);
        // Nor may it write a payment into the books of another institution.
        let foreign = NewPayment {
            institution: Some(OTHER),
            ..fund()
        };
        assert_denied(
            world
                .payments
                .pay(&callers.client_write, foreign, None)
                .await,
        );
        let sandbox = new(Party::Sandbox);
        assert_denied(world.payments.pay(&callers.operator, sandbox, None).await);
    })
    .await;
}

#[tokio::test]
async fn only_the_institution_or_the_host_resolves_and_refunds() {
    each_database(|database| async move {
        let world = World::new(database.db).await;
        let callers = Callers::new(&world).await;
        let new = NewPayment {
            expires_at: Some(world.env.now().plus_secs(60)),
            ..world.purchase()
        };
        let id = new.id;
        world.payment(Command::Hold(new)).await;
        let payments = &world.payments;
        for permit in [
            &callers.account,
            &callers.operator,
            &callers.staff,
            &callers.client_read,
            &callers.client_refund,
            &callers.other_client_write,
        ] {
            assert_denied(payments.post(permit, id, None, None).await);
            assert_denied(payments.void(permit, id, None).await);
        }
        let posted = payments.post(&callers.client_write, id, None, None).await;
        assert_eq!(posted.unwrap().state, PaymentState::Posted);
        for permit in [
            &callers.account,
            &callers.client_read,
            &callers.client_write,
            &callers.other_client_refund,
            &world.system(Scope::PaymentsWrite),
        ] {
            assert_denied(payments.refund(permit, world.refund(id, 100), None).await);
        }
        for permit in [
            &callers.staff,
            &callers.operator,
            &callers.client_refund,
            &plugin(&world, Scope::PaymentsRefund, None),
            &world.system(Scope::PaymentsRefund),
        ] {
            payments
                .refund(permit, world.refund(id, 100), None)
                .await
                .unwrap();
        }
    })
    .await;
}

#[tokio::test]
async fn what_a_person_was_paid_is_taken_back_by_the_host_alone() {
    each_database(|database| async move {
        let world = World::new(database.db).await;
        let callers = Callers::new(&world).await;
        world.payment(Command::Pay(world.purchase())).await;
        let out = NewPayment {
            payer: Party::Institution(FUND),
            ..world.new_payment(&[
                (Party::User(callers.user), 1_000, "proceeds"),
                (Party::Platform, 5, "fee"),
            ])
        };
        let id = out.id;
        world.payment(Command::Pay(out)).await;
        let payments = &world.payments;
        for permit in [
            &callers.staff,
            &callers.operator,
            &callers.client_refund,
            &plugin(&world, Scope::PaymentsRefund, Some(callers.user)),
        ] {
            let refused = payments.refund(permit, world.refund(id, 100), None).await;
            assert!(
                matches!(refused, Err(Error::Refused(Refusal::NotRefundable(of))) if of == id),
                "{refused:?}"
            );
        }
        let person = world.balance(Party::User(callers.user)).await;
        assert_eq!(person.posted, 1_000);
        let host = world.system(Scope::PaymentsRefund);
        let undone = payments.refund(&host, world.refund(id, 1_005), None).await;
        assert_eq!(undone.unwrap().0.state, PaymentState::Refunded);
    })
    .await;
}

#[tokio::test]
async fn a_hold_that_does_not_expire_is_ended_by_the_host_alone() {
    each_database(|database| async move {
        let world = World::new(database.db).await;
        let callers = Callers::new(&world).await;
        let new = world.purchase();
        let id = new.id;
        world.payment(Command::Hold(new)).await;
        let payments = &world.payments;
        assert_denied(payments.post(&callers.client_write, id, None, None).await);
        assert_denied(payments.void(&callers.client_write, id, None).await);
        let host = world.system(Scope::PaymentsWrite);
        payments.post(&host, id, None, None).await.unwrap();
    })
    .await;
}

#[tokio::test]
async fn a_payment_of_others_is_not_there() {
    each_database(|database| async move {
        let world = World::new(database.db).await;
        let callers = Callers::new(&world).await;
        let new = NewPayment {
            payer: Party::User(callers.user),
            ..world.new_payment(&[(Party::User(USER), 100, "gift")])
        };
        let id = new.id;
        world.top_up(callers.user, 100).await;
        world.payment(Command::Pay(new)).await;
        let payments = &world.payments;
        for permit in [
            &callers.account,
            &callers.staff,
            &callers.client_read,
            &callers.operator,
            &plugin(&world, Scope::PaymentsRead, None),
            &world.system(Scope::PaymentsRead),
        ] {
            assert!(payments.get(permit, id).await.unwrap().is_some());
            assert!(!payments.transfers_of(permit, id).await.unwrap().is_empty());
        }
        for permit in [&callers.stranger, &callers.other_client_read] {
            assert!(payments.get(permit, id).await.unwrap().is_none());
            assert!(payments.transfers_of(permit, id).await.unwrap().is_empty());
            assert!(payments.refunds_of(permit, id).await.unwrap().is_empty());
        }
        assert_denied(payments.get(&callers.client_write, id).await);
    })
    .await;
}

#[tokio::test]
async fn balances_and_books_are_seen_by_their_owners() {
    each_database(|database| async move {
        let world = World::new(database.db).await;
        let callers = Callers::new(&world).await;
        let payments = &world.payments;
        let (user, cny) = (callers.user, Currency::CNY);
        for permit in [
            &callers.stranger,
            &callers.staff,
            &callers.operator,
            &callers.client_read,
        ] {
            assert_denied(payments.balances(permit, user).await);
            assert_denied(payments.balance(permit, user, cny).await);
            let mut tx = world.db.begin_snapshot().await.unwrap();
            assert_denied(holdings_in(&mut tx, permit, user).await);
            assert_denied(holding_in(&mut tx, permit, user, PRODUCT).await);
            tx.commit().await.unwrap();
            assert_denied(payments.holding(permit, user, PRODUCT).await);
            let of = StatementOf::User(user, cny);
            assert_denied(payments.statement(permit, of, None, 10).await);
        }
        let for_user = plugin(&world, Scope::HoldingsRead, Some(user));
        payments.holding(&for_user, user, PRODUCT).await.unwrap();
        assert_denied(payments.holding(&for_user, USER, PRODUCT).await);

        for permit in [&callers.account, &callers.other_client_read] {
            assert_denied(payments.institution_summary(permit, FUND).await);
            assert_denied(payments.of_institution(permit, FUND, None, 10).await);
            let of = StatementOf::Revenue(FUND, cny);
            assert_denied(payments.statement(permit, of, None, 10).await);
        }
        for permit in [&callers.staff, &callers.client_read, &callers.operator] {
            payments.institution_summary(permit, FUND).await.unwrap();
        }

        for permit in [&callers.account, &callers.staff, &callers.client_read] {
            assert_denied(payments.books(permit).await);
            assert_denied(payments.platform_revenue(permit, cny).await);
            assert_denied(payments.holders(permit, PRODUCT, None, 10).await);
        }
        let books = payments.books(&callers.operator).await.unwrap();
        assert!(books.iter().all(qiao_payments::AssetTotal::is_balanced));
        assert_eq!(books[0].credits, 100_000);
    })
    .await;
}

#[tokio::test]
async fn play_money_goes_to_oneself_and_income_comes_from_the_host() {
    each_database(|database| async move {
        let world = World::new(database.db).await;
        let callers = Callers::new(&world).await;
        let payments = &world.payments;
        let (user, ten) = (callers.user, Money::cny(1_000));
        for permit in [
            &callers.stranger,
            &callers.staff,
            &callers.operator,
            &callers.client_write,
        ] {
            assert_denied(payments.top_up(permit, user, ten, None).await);
        }
        let payment = payments.top_up(&callers.account, user, ten, None).await;
        assert_eq!(payment.unwrap().amount, ten);
        let credit = || Credit {
            product: PRODUCT,
            day: world.env.today(),
            lines: vec![CreditLine { user, minor: 5 }],
        };
        for permit in [&callers.account, &callers.operator, &callers.client_write] {
            assert_denied(payments.credit(permit, credit()).await);
        }
        let system = world.system(Scope::PaymentsWrite);
        assert_eq!(payments.credit(&system, credit()).await.unwrap().minor, 5);
    })
    .await;
}
