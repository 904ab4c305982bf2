//! Who may do what: the scope of the permit, and whose the money is.

use qiao_auth::{Actor, Permit};
use qiao_model::{Scope, UserId};
use qiao_payments::Party;

use crate::error::Error;
use crate::transfer::BankTransfer;

/// Links and money of a person are that signed-in person's alone.
pub(crate) fn own_account(permit: &Permit) -> Result<UserId, Error> {
    permit.covers(Scope::Account)?;
    match permit.actor() {
        Actor::User(user) => Ok(*user),
        _ => not_owner(permit),
    }
}

/// A person sees their own transfers; operators and the host's jobs every one.
pub(crate) fn may_see(permit: &Permit, transfer: &BankTransfer) -> Result<bool, Error> {
    match permit.actor() {
        Actor::User(user) => {
            permit.covers(Scope::Account)?;
            Ok(transfer.party == Party::User(*user))
        }
        Actor::Operator(_) => {
            permit.covers(Scope::Operate)?;
            Ok(true)
        }
        Actor::System(_) => {
            permit.covers(Scope::PaymentsRead)?;
            Ok(true)
        }
        Actor::Staff { .. } | Actor::Client { .. } | Actor::Plugin { .. } => not_owner(permit),
    }
}

/// Payouts are the host's own job, from an institution's accounts.
pub(crate) fn may_pay_out(permit: &Permit, from: Party) -> Result<(), Error> {
    permit.covers(Scope::PaymentsWrite)?;
    match (permit.actor(), from) {
        (Actor::System(_), Party::Institution(_) | Party::Revenue(_) | Party::Platform) => Ok(()),
        _ => not_owner(permit),
    }
}

/// What custody accounts hold is for operators and the host's jobs.
pub(crate) fn may_see_custody(permit: &Permit) -> Result<(), Error> {
    match permit.actor() {
        Actor::System(_) => Ok(permit.covers(Scope::PaymentsRead)?),
        _ => Ok(permit.covers(Scope::Operate)?),
    }
}

/// Channels and stuck transfers are for operators.
pub(crate) fn may_operate(permit: &Permit) -> Result<(), Error> {
    Ok(permit.covers(Scope::Operate)?)
}

fn not_owner<T>(permit: &Permit) -> Result<T, Error> {
    Err(Error::NotOwner {
        actor: permit.actor().to_string(),
    })
}
