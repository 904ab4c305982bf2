//! What payments tell the world. Who paid is not told: users are pseudonymous.

use qiao_events::NewEvent;
use qiao_model::id::Noun;
use qiao_model::{Id, InstitutionId, Money, TransferId};
use serde_json::{Value, json};

use crate::command::{Credit, Credited};
use crate::mandate::{Mandate, MandateState};
use crate::payment::{Payment, PaymentState, Refund, VoidReason};

/// A payment reached its state.
pub(crate) fn of_payment(payment: &Payment) -> NewEvent {
    let kind = match payment.state {
        PaymentState::Held => "payment.held",
        PaymentState::Posted => "payment.posted",
        PaymentState::Voided => "payment.voided",
        PaymentState::PartlyRefunded | PaymentState::Refunded => "payment.refunded",
    };
    NewEvent {
        id: payment.id.derive(kind, 0),
        kind,
        institution: payment.institution,
        plugin: None,
        subject: payment.id.to_string(),
        payload: payload(payment),
    }
}

/// A part or all of a payment went back.
pub(crate) fn of_refund(payment: &Payment, refund: &Refund) -> NewEvent {
    let kind = "payment.refunded";
    let mut payload = payload(payment);
    payload["refund"] = json!({
        "id": refund.id.to_string(),
        "amount": money(refund.amount),
        "receivable": money(refund.receivable()),
        "reason": refund.reason,
    });
    NewEvent {
        id: refund.id.derive(kind, 0),
        kind,
        institution: payment.institution,
        plugin: None,
        subject: payment.id.to_string(),
        payload,
    }
}

/// A refund found a receiver short, and the institution owes what it lacked.
pub(crate) fn of_receivable(debtor: InstitutionId, refund: &Refund) -> NewEvent {
    let kind = "receivable.opened";
    NewEvent {
        id: refund.id.derive(kind, 0),
        kind,
        institution: Some(debtor),
        plugin: None,
        subject: refund.payment.to_string(),
        payload: json!({
            "institution": debtor.to_string(),
            "payment": refund.payment.to_string(),
            "refund": refund.id.to_string(),
            "amount": money(refund.receivable()),
        }),
    }
}

/// Holders were credited; the first transfer makes the event one of its kind.
pub(crate) fn of_credit(credit: &Credit, credited: &Credited, first: TransferId) -> NewEvent {
    let kind = "income.credited";
    NewEvent {
        id: first.derive(kind, 0),
        kind,
        institution: None,
        plugin: None,
        subject: credit.product.to_string(),
        payload: json!({
            "product": credit.product.to_string(),
            "day": credit.day.to_string(),
            "holders": credited.holders,
            "units_minor": credited.minor,
        }),
    }
}

/// A mandate was given, revoked or used up, or its time is over; `cause` makes the event one of its kind.
pub(crate) fn of_mandate<N: Noun>(
    mandate: &Mandate,
    state: MandateState,
    cause: Id<N>,
) -> NewEvent {
    let kind = match state {
        MandateState::Active => "mandate.given",
        MandateState::Revoked => "mandate.revoked",
        MandateState::UsedUp => "mandate.used-up",
        MandateState::Expired => "mandate.expired",
    };
    NewEvent {
        id: cause.derive(kind, 0),
        kind,
        institution: Some(mandate.institution),
        plugin: mandate.plugin,
        subject: mandate.id.to_string(),
        payload: json!({
            "mandate": mandate.id.to_string(),
            "state": state.name(),
            "reference": mandate.reference,
        }),
    }
}

fn payload(payment: &Payment) -> Value {
    json!({
        "payment": payment.id.to_string(),
        "order": payment.order.map(|order| order.to_string()),
        "state": payment.state.name(),
        "void_reason": payment.void_reason.map(VoidReason::name),
        "method": payment.method.name(),
        "amount": money(payment.amount),
        "captured": money(payment.captured),
        "refunded": money(payment.refunded),
    })
}

fn money(amount: Money) -> Value {
    json!({ "minor": amount.minor, "currency": amount.currency.code() })
}
