use qiao_auth::Permit;
use qiao_db::{BatchOptions, Batcher, BatcherHealth, Db};
use qiao_ledger::Ledger;
use qiao_model::{Env, Money, PaymentId, UserId};

use crate::access;
use crate::advance::Advance;
use crate::command::{Command, Credit, Credited, Keyed, NewRefund, Outcome, TopUp};
use crate::error::Error;
use crate::idempotency::{IdempotencyKey, InFlight};
use crate::machine::PaymentMachine;
use crate::party::Party;
use crate::payment::{NewPayment, Payment, Refund};
use crate::refusal::Refusal;
use crate::store;

/// How long an answer is kept under its idempotency key.
pub const IDEMPOTENCY_KEEP_HOURS: i64 = 72;
/// Holds that one call releases at most when their time ran out.
pub const EXPIRED_HOLDS_MAX: i64 = 500;
/// Answers that one sweep forgets at most.
const SWEEP_ROWS_MAX: i64 = 10_000;

/// The payment API. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Payments {
    pub(crate) db: Db,
    pub(crate) env: Env,
    pub(crate) ledger: Ledger,
    pub(crate) batcher: Batcher<PaymentMachine>,
    in_flight: InFlight,
}

impl Payments {
    /// Starts the batcher of payments on a migrated database.
    #[must_use]
    pub fn start(db: Db, env: Env) -> Self {
        let machine = PaymentMachine::new(env.clone());
        Self {
            batcher: Batcher::start(db.clone(), machine, BatchOptions::default()),
            ledger: Ledger::new(db.clone()),
            in_flight: InFlight::default(),
            db,
            env,
        }
    }

    /// Holds the payer's money and the units that go with it.
    ///
    /// # Errors
    /// The permit is not the payer's, the rules refuse, or the database failed.
    pub async fn hold(
        &self,
        permit: &Permit,
        new: NewPayment,
        key: Option<IdempotencyKey>,
    ) -> Result<Payment, Error> {
        access::may_pay(permit, &new)?;
        self.payment(Command::Hold(new), key).await
    }

    /// Moves the money at once.
    ///
    /// # Errors
    /// As [`Payments::hold`].
    pub async fn pay(
        &self,
        permit: &Permit,
        new: NewPayment,
        key: Option<IdempotencyKey>,
    ) -> Result<Payment, Error> {
        access::may_pay(permit, &new)?;
        self.payment(Command::Pay(new), key).await
    }

    /// Moves many payments at once, in few batches; gives what became of each, in
    /// order. For the host's own jobs.
    ///
    /// # Errors
    /// The permit is not the payers', or the database failed: then some may have
    /// moved, and sending them again finds those.
    pub async fn pay_all(
        &self,
        permit: &Permit,
        payments: Vec<NewPayment>,
    ) -> Result<Vec<Result<Payment, Refusal>>, Error> {
        for new in &payments {
            access::may_pay(permit, new)?;
        }
        let commands = payments.into_iter().map(|new| Command::Pay(new).into());
        let mut paid = Vec::new();
        for outcome in self.batcher.submit_all(commands.collect()).await {
            paid.push(match outcome? {
                Ok(Outcome::Payment(payment)) => Ok(payment),
                Ok(Outcome::Refunded { .. } | Outcome::Credited(_)) => Err(Refusal::KeyReused),
                Err(refusal) => Err(refusal),
            });
        }
        Ok(paid)
    }

    /// Play money for an institution's instant redemptions. Whether the host is a
    /// sandbox is for the door to know.
    ///
    /// # Errors
    /// The permit is not an operator's, the amount is no amount, or the database failed.
    pub async fn fund_advance(
        &self,
        permit: &Permit,
        advance: Advance,
        key: Option<IdempotencyKey>,
    ) -> Result<Payment, Error> {
        access::may_see_books(permit)?;
        let new = advance.payment(self.env.id());
        self.payment(Command::Pay(new), key).await
    }

    /// Gives what is held, or so much of it, to the receivers and the rest back
    /// to the payer. A payment that was posted so stays so.
    ///
    /// # Errors
    /// The permit is not of the payment's institution or the host; the hold was
    /// released, ran out, was posted by another amount, holds less or delivers
    /// units that a part does not; or the database failed.
    pub async fn post(
        &self,
        permit: &Permit,
        payment: PaymentId,
        amount: Option<Money>,
        key: Option<IdempotencyKey>,
    ) -> Result<Payment, Error> {
        access::may_resolve(permit, &self.stored(payment).await?)?;
        let post = Command::Post { payment, amount };
        self.payment(post, key).await
    }

    /// Releases what is held. A payment that was voided stays so.
    ///
    /// # Errors
    /// The permit is not of the payment's institution or the host, the payment
    /// was posted, or the database failed.
    pub async fn void(
        &self,
        permit: &Permit,
        payment: PaymentId,
        key: Option<IdempotencyKey>,
    ) -> Result<Payment, Error> {
        access::may_resolve(permit, &self.stored(payment).await?)?;
        self.payment(Command::Void { payment }, key).await
    }

    /// Releases holds whose time ran out, at most [`EXPIRED_HOLDS_MAX`]; gives how
    /// many. A worker calls it, and again while there are some. A hold that is
    /// posted meanwhile stays posted: whichever the books decide first counts.
    ///
    /// # Errors
    /// The database failed.
    pub async fn expire_holds(&self) -> Result<usize, Error> {
        let due = store::read::due_holds(&self.db, self.env.now(), EXPIRED_HOLDS_MAX).await?;
        let commands = due.into_iter().map(|payment| Command::Expire { payment });
        let outcomes = self.batcher.submit_all(commands.map(Keyed::from).collect());
        let mut expired: usize = 0;
        for outcome in outcomes.await {
            match outcome? {
                Ok(_) => expired = expired.saturating_add(1),
                Err(Refusal::WrongState { .. }) => {}
                Err(refusal) => return Err(refusal.into()),
            }
        }
        Ok(expired)
    }

    /// The payment, if the caller may refund it: for the room of orders, which
    /// refunds the payments of its own.
    ///
    /// # Errors
    /// There is no such payment, the permit is not of its institution or the host, a
    /// person was paid and the permit is not the host's own, what was set aside paid
    /// it, or the database failed.
    pub async fn refundable(&self, permit: &Permit, id: PaymentId) -> Result<Payment, Error> {
        let payment = self.stored(id).await?;
        access::may_refund(permit, &payment)?;
        access::may_take_back(permit, &payment)?;
        // What went out of what was set aside would come back there, for nobody.
        if matches!(payment.payer, Party::Clearing(_)) {
            return Err(Refusal::NotRefundable(id).into());
        }
        Ok(payment)
    }

    /// Gives back a part or all of a posted payment, from every receiver by its share.
    /// That of an order goes through the room of orders, which would not know else.
    ///
    /// # Errors
    /// The permit is not of the payment's institution or the host, a person was paid
    /// and the permit is not the host's own, the rules refuse (a receiver has too little
    /// left and nobody owes it), or the database failed.
    pub async fn refund(
        &self,
        permit: &Permit,
        new: NewRefund,
        key: Option<IdempotencyKey>,
    ) -> Result<(Payment, Refund), Error> {
        self.refundable(permit, new.payment).await?;
        match self.submit(Command::Refund(new), key).await? {
            Outcome::Refunded { payment, refund } => Ok((payment, refund)),
            Outcome::Payment(_) | Outcome::Credited(_) => Err(Refusal::KeyReused.into()),
        }
    }

    /// Play money for a person. Whether the host is a sandbox is for the door to know.
    ///
    /// # Errors
    /// The permit is not that person's, the amount is no amount, or the
    /// database failed.
    pub async fn top_up(
        &self,
        permit: &Permit,
        user: UserId,
        amount: Money,
        key: Option<IdempotencyKey>,
    ) -> Result<Payment, Error> {
        access::may_top_up(permit, user)?;
        let top_up = TopUp {
            payment: self.env.id(),
            user,
            amount,
        };
        self.payment(Command::TopUp(top_up), key).await
    }

    /// Credits a day's income to holders, each once for the day.
    ///
    /// # Errors
    /// The permit is not the host's own, the credit is malformed, or the
    /// database failed.
    pub async fn credit(&self, permit: &Permit, credit: Credit) -> Result<Credited, Error> {
        access::may_credit(permit)?;
        match self.submit(Command::Credit(credit), None).await? {
            Outcome::Credited(credited) => Ok(credited),
            Outcome::Payment(_) | Outcome::Refunded { .. } => Err(Refusal::KeyReused.into()),
        }
    }

    /// How the batcher of payments is.
    #[must_use]
    pub fn health(&self) -> BatcherHealth {
        self.batcher.health()
    }

    /// The requests that this host is working on, for a room that runs keyed
    /// commands through a batcher of its own.
    #[must_use]
    pub const fn in_flight(&self) -> &InFlight {
        &self.in_flight
    }

    /// Forgets answers older than [`IDEMPOTENCY_KEEP_HOURS`]; gives how many. A
    /// worker calls it now and then, and again while there are some.
    ///
    /// # Errors
    /// The database failed.
    pub async fn sweep(&self) -> Result<u64, Error> {
        let keep_secs = IDEMPOTENCY_KEEP_HOURS.saturating_mul(3600);
        let before = self.env.now().plus_secs(keep_secs.saturating_neg());
        Ok(store::read::forget_keys(&self.db, before, SWEEP_ROWS_MAX).await?)
    }

    pub(crate) async fn payment(
        &self,
        command: Command,
        key: Option<IdempotencyKey>,
    ) -> Result<Payment, Error> {
        match self.submit(command, key).await? {
            Outcome::Payment(payment) => Ok(payment),
            // The hash of a request tells commands apart, unless the caller
            // built it from too little.
            Outcome::Refunded { .. } | Outcome::Credited(_) => Err(Refusal::KeyReused.into()),
        }
    }

    async fn submit(
        &self,
        command: Command,
        key: Option<IdempotencyKey>,
    ) -> Result<Outcome, Error> {
        let _guard = key
            .as_ref()
            .map(|key| self.in_flight.enter(key))
            .transpose()?;
        let outcome = self.batcher.submit(Keyed::new(command, key)).await?;
        Ok(outcome?)
    }

    async fn stored(&self, payment: PaymentId) -> Result<Payment, Error> {
        let found = store::read::payment(&self.db, payment).await?;
        Ok(found.ok_or(Refusal::UnknownPayment(payment))?)
    }
}
