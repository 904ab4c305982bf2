//! What a refund takes from whom.

use std::borrow::Cow;
use std::collections::HashMap;

use qiao_ledger::NewAccount;
use qiao_model::{InstitutionId, LedgerAccountId, Money, Timestamp, split_by_largest_remainder};

use super::{Move, check_description};
use crate::command::NewRefund;
use crate::party::Party;
use crate::payment::{Payment, PaymentState, REFUND_DAYS_MAX, REFUNDS_MAX};
use crate::refusal::{Invalid, Refusal};

/// A payment with what its splits gave back so far.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Refundable<'a> {
    pub(crate) payment: &'a Payment,
    /// For each split, what it gave back.
    pub(crate) returned: &'a [i64],
    /// How often.
    pub(crate) refunds: i64,
}

/// What each split gives back for a refund: its share of the amount by what is
/// left of it, so no split gives more than it got.
pub(crate) fn parts(
    of: Refundable<'_>,
    new: &NewRefund,
    now: Timestamp,
) -> Result<Vec<i64>, Refusal> {
    let payment = of.payment;
    match payment.state {
        PaymentState::Posted | PaymentState::PartlyRefunded | PaymentState::Refunded => {}
        PaymentState::Held | PaymentState::Voided => {
            return Err(Refusal::WrongState {
                payment: payment.id,
                state: payment.state,
            });
        }
    }
    if !payment
        .splits
        .iter()
        .all(|split| gives_back(split.receiver))
    {
        return Err(Refusal::NotRefundable(payment.id));
    }
    if new.amount.minor < 1 {
        return Err(Invalid::Amount(new.amount.into()).into());
    }
    check_description(&new.reason)?;
    let refundable = (payment.captured)
        .minus(payment.refunded)
        .map_err(|_| Invalid::NotAddable)?;
    if new.amount.currency != refundable.currency {
        return Err(Invalid::NotAddable.into());
    }
    if new.amount.minor > refundable.minor {
        return Err(Refusal::ExceedsRefundable {
            payment: payment.id,
            refundable,
            requested: new.amount,
        });
    }
    if of.refunds >= REFUNDS_MAX {
        return Err(Refusal::TooManyRefunds(payment.id));
    }
    if now.day() > payment.created_at.day().plus_days(REFUND_DAYS_MAX) {
        return Err(Refusal::RefundTooLate(payment.id));
    }
    let left: Vec<i64> = (payment.captured_splits().iter().zip(of.returned))
        .map(|(got, returned)| got.saturating_sub(*returned))
        .collect();
    split_by_largest_remainder(new.amount.minor, &left).map_err(|_| Invalid::NotAddable.into())
}

/// Whether the books alone can take money back from a receiver. What went to a
/// bank, paid a debt or an advance, or was set aside, did so for good.
const fn gives_back(receiver: Party) -> bool {
    match receiver {
        Party::User(_)
        | Party::Institution(_)
        | Party::Revenue(_)
        | Party::Platform
        | Party::Channel(_) => true,
        Party::Bank(_)
        | Party::Receivable(_)
        | Party::Advance(_)
        | Party::Clearing(_)
        | Party::Sandbox => false,
    }
}

/// Who owes what receivers of a payment cannot give back: its institution, but
/// not to itself, for that would make money out of a debt.
pub(crate) fn debtor(payment: &Payment) -> Option<InstitutionId> {
    debtor_of(payment.institution, payment.payer)
}

/// The same of a payment that is still to be made.
pub(crate) fn debtor_of(institution: Option<InstitutionId>, payer: Party) -> Option<InstitutionId> {
    let is_own = match payer {
        Party::Institution(payer)
        | Party::Revenue(payer)
        | Party::Receivable(payer)
        | Party::Advance(payer)
        | Party::Clearing(payer) => institution == Some(payer),
        Party::User(_) | Party::Platform | Party::Bank(_) | Party::Channel(_) | Party::Sandbox => {
            false
        }
    };
    institution.filter(|_| !is_own)
}

/// Of each part, what its receiver lacks: it gives what it has free, the first
/// splits first.
pub(crate) fn shortfalls(
    payment: &Payment,
    parts: &[i64],
    free: impl Fn(LedgerAccountId) -> i64,
) -> Result<Vec<i64>, Refusal> {
    let currency = payment.amount.currency;
    let mut left: HashMap<LedgerAccountId, i64> = HashMap::new();
    let mut owed = Vec::with_capacity(parts.len());
    for (split, part) in payment.splits.iter().zip(parts) {
        let account = split.receiver.account(currency).id();
        let left = left.entry(account).or_insert_with(|| free(account).max(0));
        let given = (*left).min(*part);
        *left = left.saturating_sub(given);
        if given < *part && debtor(payment).is_none() {
            return Err(Refusal::ReceiverShort {
                account,
                requested: Money::new(*part, currency).into(),
                available_minor: given,
            });
        }
        owed.push(part.saturating_sub(given));
    }
    Ok(owed)
}

/// The moves of a refund: of each part, what its receiver has from the receiver
/// and the rest from its institution's receivable, back to the payer; and on
/// the refund of the last rest the deliveries back too.
pub(crate) fn moves(payment: &Payment, parts: &[i64], owed: &[i64], is_whole: bool) -> Vec<Move> {
    let currency = payment.amount.currency;
    let payer = payment.payer.account(currency);
    let back = |debit: NewAccount, minor: i64, purpose: String| Move {
        debit,
        credit: payer,
        minor,
        purpose: Cow::Owned(purpose),
    };
    let mut moves = Vec::with_capacity(parts.len());
    for ((split, part), owed) in payment.splits.iter().zip(parts).zip(owed) {
        let receiver = split.receiver.account(currency);
        let given = part.saturating_sub(*owed);
        moves.push(back(receiver, given, format!("refund/{}", split.purpose)));
        if let Some(debtor) = debtor(payment) {
            let debt = Party::Receivable(debtor).account(currency);
            moves.push(back(debt, *owed, format!("receivable/{}", split.purpose)));
        }
    }
    moves.retain(|part| part.minor > 0);
    if is_whole {
        let units = super::moves(payment.payer, currency, &[], &payment.deliveries);
        moves.extend(units.into_iter().map(|delivered| Move {
            debit: delivered.credit,
            credit: delivered.debit,
            purpose: Cow::Owned(format!("refund/{}", delivered.purpose)),
            ..delivered
        }));
    }
    moves
}
