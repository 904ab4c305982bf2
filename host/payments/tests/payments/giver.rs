//! Somebody who gives mandates, and charges by them.

use qiao_auth::{NewUser, Permit, PinProof};
use qiao_model::{Currency, MandateId, PaymentId, Scope, Secret, UserId};
use qiao_payments::{
    Charge, ChargeCapture, Command, GrantRefusal, Mandate, Method, NewMandate, Party, Refusal,
    SpendLimits,
};

use crate::world::{FUND, PRODUCT, World};

/// A person with 1,000.00 and a PIN.
pub(crate) struct Person<'a> {
    world: &'a World,
    pub(crate) user: UserId,
    pub(crate) permit: Permit,
}

impl<'a> Person<'a> {
    pub(crate) async fn new(world: &'a World) -> Self {
        let auth = &world.auth;
        let password = Secret::new("correct horse battery".to_owned());
        let new = NewUser {
            login: "giver".to_owned(),
            name: "giver".to_owned(),
            password: password.clone(),
        };
        let user = auth.sign_up(new).await.unwrap();
        let token = auth.log_in("giver", &password).await.unwrap();
        let session = auth.session(token.expose()).await.unwrap().unwrap();
        let permit = auth.permit_session(&session, Scope::Account).unwrap();
        auth.set_pin(&permit, &pin()).await.unwrap();
        world.top_up(user, 100_000).await;
        Self {
            world,
            user,
            permit,
        }
    }

    /// 10.00 at once, 30.00 a day, so many payments, for 30 days.
    pub(crate) fn mandate(&self, count: u32) -> NewMandate {
        NewMandate {
            id: self.world.env.id(),
            user: self.user,
            institution: FUND,
            plugin: None,
            title: "Auto-invest".to_owned(),
            purpose: "Buys units every Monday.".to_owned(),
            reference: "weekly".to_owned(),
            limits: SpendLimits {
                currency: Currency::CNY,
                per_payment: 1_000,
                per_day: Some(3_000),
                per_month: None,
                count: Some(count),
                payees: vec![FUND],
                products: vec![PRODUCT],
                expires_at: self.world.env.now().plus_secs(30 * 86_400),
            },
        }
    }

    /// The same for nothing in particular: an institution's server charges it.
    pub(crate) fn plain_mandate(&self, count: u32) -> NewMandate {
        let mut new = self.mandate(count);
        new.limits.products.clear();
        new
    }

    pub(crate) async fn proof(&self) -> PinProof {
        self.world
            .auth
            .verify_pin(&self.permit, &pin())
            .await
            .unwrap()
    }

    pub(crate) async fn give(&self, new: NewMandate) -> Mandate {
        let proof = self.proof().await;
        let given = self
            .world
            .payments
            .give_mandate(&self.permit, new, &proof)
            .await;
        given.unwrap()
    }

    pub(crate) async fn stored(&self, id: MandateId) -> Mandate {
        let found = self.world.payments.mandate(&self.permit, id).await.unwrap();
        found.unwrap()
    }

    pub(crate) fn charge(&self, mandate: MandateId, fen: i64) -> Charge {
        let mut payment = self
            .world
            .new_payment(&[(Party::Institution(FUND), fen, "principal")]);
        payment.payer = Party::User(self.user);
        payment.method = Method::Mandate(mandate);
        Charge {
            product: Some(PRODUCT),
            capture: ChargeCapture::Now,
            payment,
        }
    }

    pub(crate) fn plain_charge(&self, mandate: MandateId, fen: i64) -> Charge {
        Charge {
            product: None,
            ..self.charge(mandate, fen)
        }
    }

    pub(crate) async fn run(&self, charge: Charge) -> Result<PaymentId, Refusal> {
        let outcome = self.world.run(Command::Charge(charge)).await?;
        Ok(outcome.payment().unwrap().id)
    }
}

fn pin() -> Secret<String> {
    Secret::new("271828".to_owned())
}

pub(crate) fn refused(mandate: MandateId, cause: GrantRefusal) -> Refusal {
    Refusal::Mandate { mandate, cause }
}
