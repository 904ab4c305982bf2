//! The rules of payments, without IO: what a payment must be, which transfers
//! it becomes, and what a refund takes from whom.

pub(crate) mod recovery;
pub(crate) mod refund;

use std::borrow::Cow;
use std::iter;

use qiao_ledger::{NewAccount, NewTransfer, TransferKind};
use qiao_model::{
    Amount, Asset, Currency, Id, Money, PaymentId, Timestamp, TransferId, id::Noun, is_plain_text,
};

use crate::command::{CREDIT_LINES_MAX, Credit, TopUp};
use crate::income;
use crate::method::Method;
use crate::party::{Account, Party};
use crate::payment::{
    DELIVERIES_MAX, DESCRIPTION_CHARS_MAX, Delivery, HOLD_SECS_MAX, NewPayment, PURPOSE_BYTES_MAX,
    Payment, PaymentState, SPLITS_MAX, Split, captured_parts,
};
use crate::refusal::{Invalid, Refusal};

/// One movement of a payment: a split or a delivery.
#[derive(Clone, Debug)]
pub(crate) struct Move {
    pub(crate) debit: NewAccount,
    pub(crate) credit: NewAccount,
    pub(crate) minor: i64,
    pub(crate) purpose: Cow<'static, str>,
}

/// What the ids of a hold's transfers are derived with.
pub(crate) const HOLD: &str = "hold";

/// The one purpose of deliveries.
const UNITS: &str = "units";

/// What a payment moves: its splits, then its deliveries, in order. Splits of
/// nothing are left out.
pub(crate) fn moves(
    payer: Party,
    currency: Currency,
    splits: &[Split],
    deliveries: &[Delivery],
) -> Vec<Move> {
    let debit = payer.account(currency);
    let money = splits
        .iter()
        .filter(|split| split.amount.minor > 0)
        .map(|split| Move {
            debit,
            credit: split.receiver.account(currency),
            minor: split.amount.minor,
            purpose: split.purpose.clone(),
        });
    let units = deliveries
        .iter()
        .filter_map(|delivery| match delivery.amount.asset {
            Asset::Units(product) => Some(Move {
                debit: delivery.from.of(product),
                credit: delivery.to.of(product),
                minor: delivery.amount.minor,
                purpose: Cow::Borrowed(UNITS),
            }),
            // Refused by `check_payment`.
            Asset::Currency(_) => None,
        });
    money.chain(units).collect()
}

/// What a stored payment moves or moved.
pub(crate) fn moves_of(payment: &Payment) -> Vec<Move> {
    moves(
        payment.payer,
        payment.amount.currency,
        &payment.splits,
        &payment.deliveries,
    )
}

/// The transfers of a payment or refund: one for each move, with ids that
/// follow from its own.
pub(crate) fn transfers<N: Noun>(
    parent: Id<N>,
    label: &str,
    reference: &str,
    moves: Vec<Move>,
    kind: TransferKind,
) -> Vec<NewTransfer> {
    moves
        .into_iter()
        .zip(0_u64..)
        .map(|(part, index)| NewTransfer {
            id: parent.derive(label, index),
            debit: part.debit,
            credit: part.credit,
            minor: part.minor,
            kind,
            purpose: part.purpose,
            reference: reference.to_owned(),
        })
        .collect()
}

/// The hold of a payment's move: what a post or a void resolves.
pub(crate) fn hold_id(payment: PaymentId, index: u64) -> TransferId {
    payment.derive(HOLD, index)
}

/// Whether so much of what is held can be captured.
pub(crate) fn check_capture(payment: &Payment, captured: Money) -> Result<(), Refusal> {
    let held = payment.amount;
    let is_within =
        captured.currency == held.currency && (1..=held.minor).contains(&captured.minor);
    if !is_within {
        return Err(Refusal::ExceedsHeld {
            payment: payment.id,
            held,
            requested: captured,
        });
    }
    if captured != held && !payment.deliveries.is_empty() {
        return Err(Refusal::WholeCaptureOnly(payment.id));
    }
    Ok(())
}

/// The transfers of a capture: each split posts its share of its hold, and a
/// hold of which nothing is posted is released.
pub(crate) fn capture(payment: &Payment, captured: Money) -> Vec<NewTransfer> {
    let shares = captured_parts(&payment.splits, captured.minor);
    let held = payment.splits.iter().zip(shares);
    let held = held.filter(|(split, _)| split.amount.minor > 0);
    let units = payment.deliveries.iter().map(|units| units.amount.minor);
    resolution(payment, "post", held.map(|(_, share)| share).chain(units))
}

/// The transfers that release a hold.
pub(crate) fn release(payment: &Payment) -> Vec<NewTransfer> {
    resolution(payment, "void", iter::repeat(0))
}

/// Resolves each pending transfer of a payment by so much of it.
fn resolution(
    payment: &Payment,
    label: &str,
    posted: impl Iterator<Item = i64>,
) -> Vec<NewTransfer> {
    let reference = payment.id.to_string();
    let mut group = transfers(
        payment.id,
        label,
        &reference,
        moves_of(payment),
        TransferKind::Pending,
    );
    for ((transfer, posted), index) in group.iter_mut().zip(posted).zip(0_u64..) {
        let pending = hold_id(payment.id, index);
        if posted > 0 {
            transfer.minor = posted;
            transfer.kind = TransferKind::PostPending { pending };
        } else {
            transfer.kind = TransferKind::VoidPending { pending };
        }
    }
    group
}

/// Whether a payment can be made at all.
pub(crate) fn check_payment(new: &NewPayment) -> Result<(), Invalid> {
    if new.amount.minor < 1 {
        return Err(Invalid::Amount(new.amount.into()));
    }
    check_description(&new.description)?;
    check_splits(new)?;
    if new.deliveries.len() > DELIVERIES_MAX {
        return Err(Invalid::DeliveryCount(new.deliveries.len()));
    }
    for delivery in &new.deliveries {
        let is_units = matches!(delivery.amount.asset, Asset::Units(_));
        if !is_units || delivery.amount.minor < 1 || delivery.from == delivery.to {
            return Err(Invalid::Delivery(delivery.amount));
        }
    }
    Ok(())
}

fn check_splits(new: &NewPayment) -> Result<(), Invalid> {
    if new.splits.is_empty() || new.splits.len() > SPLITS_MAX {
        return Err(Invalid::SplitCount(new.splits.len()));
    }
    let mut sum = Money::new(0, new.amount.currency);
    for split in &new.splits {
        if split.amount.minor < 0 {
            return Err(Invalid::Amount(split.amount.into()));
        }
        if split.receiver == new.payer {
            return Err(Invalid::PaysItself(new.payer));
        }
        let length = split.purpose.len();
        if !(1..=PURPOSE_BYTES_MAX).contains(&length) || !is_plain_text(&split.purpose) {
            return Err(Invalid::Purpose);
        }
        sum = sum.plus(split.amount).map_err(|_| Invalid::NotAddable)?;
    }
    if sum == new.amount {
        Ok(())
    } else {
        Err(Invalid::SplitSum {
            splits: sum,
            amount: new.amount,
        })
    }
}

pub(crate) fn check_description(text: &str) -> Result<(), Invalid> {
    if text.chars().count() > DESCRIPTION_CHARS_MAX || !is_plain_text(text) {
        return Err(Invalid::Description);
    }
    Ok(())
}

/// Whether a stored payment is the one that is asked for.
pub(crate) fn is_same_payment(payment: &Payment, new: &NewPayment) -> bool {
    payment.id == new.id
        && payment.order == new.order
        && payment.institution == new.institution
        && payment.payer == new.payer
        && payment.method == new.method
        && payment.amount == new.amount
        && payment.splits == new.splits
        && payment.deliveries == new.deliveries
        && payment.description == new.description
        && payment.expires_at == new.expires_at
}

/// Whether a hold ends in time: later than now, and not too late.
pub(crate) fn check_expiry(new: &NewPayment, now: Timestamp) -> Result<(), Invalid> {
    match new.expires_at {
        Some(at) if at <= now || at > now.plus_secs(HOLD_SECS_MAX) => Err(Invalid::Expiry),
        Some(_) | None => Ok(()),
    }
}

/// A new payment in its first state.
pub(crate) fn payment(new: &NewPayment, state: PaymentState, now: Timestamp) -> Payment {
    let is_held = state == PaymentState::Held;
    let captured = if is_held { 0 } else { new.amount.minor };
    Payment {
        id: new.id,
        order: new.order,
        institution: new.institution,
        payer: new.payer,
        method: new.method,
        amount: new.amount,
        splits: new.splits.clone(),
        deliveries: new.deliveries.clone(),
        description: new.description.clone(),
        state,
        expires_at: new.expires_at,
        void_reason: None,
        captured: Money::new(captured, new.amount.currency),
        refunded: Money::new(0, new.amount.currency),
        created_at: now,
        changed_at: now,
    }
}

/// Whether a top-up can be made at all.
pub(crate) fn check_top_up(command: &TopUp) -> Result<(), Invalid> {
    if command.amount.minor < 1 {
        return Err(Invalid::Amount(command.amount.into()));
    }
    Ok(())
}

/// What a top-up is as a payment.
pub(crate) fn top_up(command: &TopUp, now: Timestamp) -> Payment {
    Payment {
        id: command.payment,
        order: None,
        institution: None,
        payer: Party::Sandbox,
        method: Method::Balance,
        amount: command.amount,
        splits: vec![Split {
            receiver: Party::User(command.user),
            amount: command.amount,
            purpose: Cow::Borrowed("top-up"),
        }],
        deliveries: Vec::new(),
        description: "top-up".to_owned(),
        state: PaymentState::Posted,
        expires_at: None,
        void_reason: None,
        captured: command.amount,
        refunded: Money::new(0, command.amount.currency),
        created_at: now,
        changed_at: now,
    }
}

/// Whether a credit can be made at all.
pub(crate) fn check_credit(credit: &Credit) -> Result<(), Invalid> {
    if credit.lines.is_empty() || credit.lines.len() > CREDIT_LINES_MAX {
        return Err(Invalid::CreditLines(credit.lines.len()));
    }
    for line in &credit.lines {
        if line.minor < 0 {
            return Err(Invalid::Amount(Amount {
                minor: line.minor,
                asset: Asset::Units(credit.product),
            }));
        }
    }
    Ok(())
}

/// The transfers of a credit: one id for a product, day and holder.
pub(crate) fn credit_transfers(credit: &Credit) -> Vec<NewTransfer> {
    let label = income::label(credit.product, credit.day);
    let debit = Account::Income.of(credit.product);
    let lines = credit.lines.iter().filter(|line| line.minor > 0);
    lines
        .map(|line| NewTransfer {
            id: income::transfer_id(&label, line.user),
            debit,
            credit: Account::Holding(line.user).of(credit.product),
            minor: line.minor,
            kind: TransferKind::Posted,
            purpose: Cow::Borrowed("income"),
            reference: label.clone(),
        })
        .collect()
}

#[cfg(test)]
mod tests;
