use qiao_model::{MandateId, ProductId, Timestamp};

use super::Loaded;
use crate::command::{Command, Outcome};
use crate::event;
use crate::grant::{Returned, SpendUsage};
use crate::mandate::{Charge, ChargeCapture, MandateState};
use crate::method::Method;
use crate::payment::{NewPayment, Payment, PaymentState};
use crate::refusal::{Invalid, Refusal};

/// The mandate that a new payment consumes.
pub(super) const fn of_command(command: &Command) -> Option<MandateId> {
    match command {
        Command::Hold(new) | Command::Pay(new) => mandate_of(new.method),
        Command::Charge(charge) => mandate_of(charge.payment.method),
        Command::TopUp(_)
        | Command::Post { .. }
        | Command::Void { .. }
        | Command::Expire { .. }
        | Command::Refund(_)
        | Command::Recover(_)
        | Command::Credit(_) => None,
    }
}

/// The mandate that a method is.
pub(super) const fn mandate_of(method: Method) -> Option<MandateId> {
    match method {
        Method::Mandate(id) => Some(id),
        Method::Balance | Method::Bank { .. } => None,
    }
}

impl Loaded {
    pub(super) fn charge(&mut self, charge: &Charge, now: Timestamp) -> Result<Outcome, Refusal> {
        let state = match charge.capture {
            ChargeCapture::Later => PaymentState::Held,
            ChargeCapture::Now => PaymentState::Posted,
        };
        if mandate_of(charge.payment.method).is_none() {
            return Err(Invalid::ChargeMethod.into());
        }
        self.make(&charge.payment, charge.product, state, now)
    }

    /// Consumes the mandate of a new payment, if its method is one. What became
    /// of the payment then goes to [`Loaded::settle`].
    pub(super) fn consume(
        &mut self,
        new: &NewPayment,
        product: Option<ProductId>,
        now: Timestamp,
    ) -> Result<Option<Consumed>, Refusal> {
        let Some(id) = mandate_of(new.method) else {
            return Ok(None);
        };
        let mandate = self.mandates.get_mut(&id);
        let mandate = mandate.ok_or(Refusal::UnknownMandate(id))?;
        let usage = mandate.consume(new, product, now);
        let usage = usage.map_err(|cause| Refusal::Mandate { mandate: id, cause })?;
        let before = std::mem::replace(&mut mandate.grant.usage, usage);
        Ok(Some(Consumed {
            mandate: id,
            before,
        }))
    }

    /// Keeps what a payment consumed once it is made, and undoes it when the
    /// books refused it.
    pub(super) fn settle(
        &mut self,
        consumed: Consumed,
        made: &Result<Outcome, Refusal>,
        now: Timestamp,
    ) {
        let Some(mandate) = self.mandates.get_mut(&consumed.mandate) else {
            return;
        };
        let Some(payment) = made.as_ref().ok().and_then(Outcome::payment) else {
            mandate.grant.usage = consumed.before;
            return;
        };
        let spent = self.changes.spent_mandates.entry(consumed.mandate);
        spent.or_insert(consumed.before);
        if mandate.state(now) == MandateState::UsedUp {
            let used_up = event::of_mandate(mandate, MandateState::UsedUp, payment.id);
            self.changes.events.push(used_up);
        }
    }

    /// Gives money of a payment back to the mandate that it was taken by, if any.
    ///
    /// # Panics
    /// The batch was loaded without the mandate of a payment that it loaded.
    pub(super) fn give_back(&mut self, payment: &Payment, minor: i64, returned: Returned) {
        let Some(id) = mandate_of(payment.method).filter(|_| minor > 0) else {
            return;
        };
        let Some(mandate) = self.mandates.get_mut(&id) else {
            panic!(
                "the mandate of payment {} was not loaded with it",
                payment.id
            );
        };
        let spent_on = payment.created_at.day();
        let usage = mandate.grant.usage;
        mandate.grant.usage = usage.given_back(minor, spent_on, returned);
        self.changes.spent_mandates.entry(id).or_insert(usage);
    }
}

/// What a payment took of a mandate.
pub(super) struct Consumed {
    mandate: MandateId,
    before: SpendUsage,
}
