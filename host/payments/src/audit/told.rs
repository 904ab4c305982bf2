//! Which events the stored payments, refunds and mandates must have, and may have.

use qiao_db::attest::IdForm;
use qiao_ledger::audit::AuditError;
use qiao_model::id::noun;

use super::outbox::{EventKind, Outbox};
use crate::mandate::Mandate;
use crate::method::Method;
use crate::payment::{Payment, PaymentState, Refund};

const HELD: &str = "payment.held";
const POSTED: &str = "payment.posted";
const VOIDED: &str = "payment.voided";
const REFUNDED: &str = "payment.refunded";
const OWED: &str = "receivable.opened";
const GIVEN: &str = "mandate.given";
const REVOKED: &str = "mandate.revoked";
const EXPIRED: &str = "mandate.expired";
const USED_UP: &str = "mandate.used-up";

const fn of_payment(name: &'static str) -> EventKind {
    EventKind {
        name,
        table: "payment",
        subject: IdForm::of::<noun::Payment>(),
    }
}

const fn of_mandate(name: &'static str) -> EventKind {
    EventKind {
        name,
        table: "mandate",
        subject: IdForm::of::<noun::Mandate>(),
    }
}

/// Every kind that this room makes of its own rows.
pub(super) const KINDS: &[EventKind] = &[
    of_payment(HELD),
    of_payment(POSTED),
    of_payment(VOIDED),
    of_payment(REFUNDED),
    of_payment(OWED),
    of_mandate(GIVEN),
    of_mandate(REVOKED),
    of_mandate(USED_UP),
];

/// A payment is told of when it is held, posted and voided. What was posted may
/// have been held before.
pub(super) fn payment(payment: &Payment, outbox: &mut Outbox) -> Result<(), AuditError> {
    let event = |kind: &str| payment.id.derive(kind, 0);
    let tells = |kind| (kind, payment.id.as_u128());
    let (created, changed) = (payment.created_at, payment.changed_at);
    match payment.state {
        PaymentState::Held => outbox.told(event(HELD), tells(HELD), created)?,
        PaymentState::Voided => {
            outbox.told(event(HELD), tells(HELD), created)?;
            outbox.told(event(VOIDED), tells(VOIDED), changed)?;
        }
        PaymentState::Posted => {
            outbox.perhaps(event(HELD), tells(HELD))?;
            outbox.told(event(POSTED), tells(POSTED), changed)?;
        }
        // When it was posted is no more known than that it was after its creation.
        PaymentState::PartlyRefunded | PaymentState::Refunded => {
            outbox.perhaps(event(HELD), tells(HELD))?;
            outbox.told(event(POSTED), tells(POSTED), created)?;
        }
    }
    if let Method::Mandate(mandate) = payment.method {
        outbox.perhaps(event(USED_UP), (USED_UP, mandate.as_u128()))?;
    }
    Ok(())
}

pub(super) fn refund(refund: &Refund, outbox: &mut Outbox) -> Result<(), AuditError> {
    let event = |kind: &str| refund.id.derive(kind, 0);
    let tells = |kind| (kind, refund.payment.as_u128());
    let at = refund.created_at;
    outbox.told(event(REFUNDED), tells(REFUNDED), at)?;
    if refund.receivable().minor > 0 {
        outbox.told(event(OWED), tells(OWED), at)?;
    }
    Ok(())
}

pub(super) fn mandate(mandate: &Mandate, outbox: &mut Outbox) -> Result<(), AuditError> {
    let event = |kind: &str| mandate.id.derive(kind, 0);
    let tells = |kind| (kind, mandate.id.as_u128());
    outbox.told(event(GIVEN), tells(GIVEN), mandate.created_at)?;
    if let Some(revoked_at) = mandate.revoked_at {
        outbox.told(event(REVOKED), tells(REVOKED), revoked_at)?;
    }
    // The worker tells of it some time after.
    outbox.perhaps(event(EXPIRED), tells(EXPIRED))?;
    Ok(())
}
