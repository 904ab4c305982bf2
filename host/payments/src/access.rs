//! Who may do what with which payment: the scope of the permit, and whose the
//! money is.

use qiao_auth::{Actor, Permit};
use qiao_model::{InstitutionId, Scope, UserId};

use crate::error::Error;
use crate::mandate::Mandate;
use crate::party::Party;
use crate::payment::{NewPayment, Payment, Split};
use crate::refusal::Refusal;

/// A payer pays for themselves: a signed-in person from their balance, an
/// institution's server from its accounts, the host's own jobs for an order
/// that its user confirmed.
pub(crate) fn may_pay(permit: &Permit, new: &NewPayment) -> Result<(), Error> {
    match (permit.actor(), new.payer) {
        (Actor::System(_), _) => Ok(permit.covers(Scope::PaymentsWrite)?),
        (Actor::User(user), Party::User(payer)) => {
            permit.covers(Scope::Account)?;
            demand(*user == payer, permit)
        }
        (Actor::Client { institution, .. }, Party::Institution(payer) | Party::Revenue(payer)) => {
            permit.covers(Scope::PaymentsWrite)?;
            demand(
                *institution == payer && new.institution == Some(payer),
                permit,
            )
        }
        (Actor::Operator(_), Party::Platform) => Ok(permit.covers(Scope::Operate)?),
        _ => not_owner(permit),
    }
}

/// The institution that is owed captures and releases the holds that it made, or
/// the host for it. A hold that does not expire is the host's alone: an order's
/// saga or a bank transfer ends it.
pub(crate) fn may_resolve(permit: &Permit, payment: &Payment) -> Result<(), Error> {
    permit.covers(Scope::PaymentsWrite)?;
    match permit.actor() {
        Actor::System(_) => Ok(()),
        Actor::Client { institution, .. } => {
            let is_its_hold = owns(*institution, payment) && payment.expires_at.is_some();
            demand(is_its_hold, permit)
        }
        Actor::User(_) | Actor::Staff { .. } | Actor::Plugin { .. } | Actor::Operator(_) => {
            not_owner(permit)
        }
    }
}

/// The institution gives back what its own orders paid, through its server, its
/// staff or its plugin; the host does when an order fails.
pub(crate) fn may_refund(permit: &Permit, payment: &Payment) -> Result<(), Error> {
    match permit.actor() {
        Actor::Operator(_) => Ok(permit.covers(Scope::Operate)?),
        Actor::System(_) => Ok(permit.covers(Scope::PaymentsRefund)?),
        Actor::Staff { institution, .. }
        | Actor::Client { institution, .. }
        | Actor::Plugin { institution, .. } => {
            permit.covers(Scope::PaymentsRefund)?;
            demand(owns(*institution, payment), permit)
        }
        Actor::User(_) => not_owner(permit),
    }
}

/// What a person was paid is theirs: nobody takes it back from their balance as a
/// refund. The host alone undoes a payment of its own saga that way.
pub(crate) fn may_take_back(permit: &Permit, payment: &Payment) -> Result<(), Error> {
    let is_person = |split: &Split| matches!(split.receiver, Party::User(_));
    match permit.actor() {
        Actor::System(_) => Ok(()),
        Actor::User(_)
        | Actor::Staff { .. }
        | Actor::Client { .. }
        | Actor::Plugin { .. }
        | Actor::Operator(_) => {
            if payment.splits.iter().any(is_person) {
                return Err(Refusal::NotRefundable(payment.id).into());
            }
            Ok(())
        }
    }
}

/// Play money goes to oneself.
pub(crate) fn may_top_up(permit: &Permit, user: UserId) -> Result<(), Error> {
    match permit.actor() {
        Actor::System(_) => Ok(permit.covers(Scope::PaymentsWrite)?),
        _ => may_see_user(permit, user),
    }
}

/// Income is the host's own job.
pub(crate) fn may_credit(permit: &Permit) -> Result<(), Error> {
    permit.covers(Scope::PaymentsWrite)?;
    demand(matches!(permit.actor(), Actor::System(_)), permit)
}

/// Whether a payment exists for this caller.
pub(crate) fn may_see(permit: &Permit, payment: &Payment) -> Result<bool, Error> {
    match permit.actor() {
        Actor::Operator(_) => {
            permit.covers(Scope::Operate)?;
            Ok(true)
        }
        Actor::System(_) => {
            permit.covers(Scope::PaymentsRead)?;
            Ok(true)
        }
        Actor::User(user) => {
            permit.covers(Scope::PaymentsRead)?;
            let person = Party::User(*user);
            let receives = payment.splits.iter().any(|s| s.receiver == person);
            Ok(payment.payer == person || receives)
        }
        Actor::Staff { institution, .. }
        | Actor::Client { institution, .. }
        | Actor::Plugin { institution, .. } => {
            permit.covers(Scope::PaymentsRead)?;
            Ok(owns(*institution, payment))
        }
    }
}

/// A person sees their own balances alone.
pub(crate) fn may_see_user(permit: &Permit, user: UserId) -> Result<(), Error> {
    permit.covers(Scope::Account)?;
    demand(
        matches!(permit.actor(), Actor::User(own) if *own == user),
        permit,
    )
}

/// A person's units: seen by themselves, by the host, and by a plugin in a call
/// for that person (the runtime asks for its own products alone).
pub(crate) fn may_see_holding(permit: &Permit, user: UserId) -> Result<(), Error> {
    permit.covers(Scope::HoldingsRead)?;
    match permit.actor() {
        Actor::System(_) => Ok(()),
        Actor::User(_) | Actor::Plugin { .. } => demand(permit.user() == Some(user), permit),
        Actor::Staff { .. } | Actor::Client { .. } | Actor::Operator(_) => not_owner(permit),
    }
}

/// An institution sees its own books; an operator those of all.
pub(crate) fn may_see_institution(
    permit: &Permit,
    institution: InstitutionId,
) -> Result<(), Error> {
    match permit.actor() {
        Actor::Operator(_) => Ok(permit.covers(Scope::Operate)?),
        Actor::System(_) => Ok(permit.covers(Scope::PaymentsRead)?),
        Actor::Staff { .. } | Actor::Client { .. } => {
            permit.covers(Scope::PaymentsRead)?;
            demand(permit.institution() == Some(institution), permit)
        }
        Actor::User(_) | Actor::Plugin { .. } => not_owner(permit),
    }
}

/// A person's and an institution's books are theirs; those of the platform and
/// of channels are for operators and the host's own jobs.
pub(crate) fn may_see_party(permit: &Permit, party: Party) -> Result<(), Error> {
    match party {
        Party::User(user) => may_see_user(permit, user),
        Party::Institution(id)
        | Party::Revenue(id)
        | Party::Receivable(id)
        | Party::Advance(id)
        | Party::Clearing(id) => may_see_institution(permit, id),
        Party::Platform | Party::Bank(_) | Party::Channel(_) | Party::Sandbox => {
            match permit.actor() {
                Actor::System(_) => Ok(permit.covers(Scope::PaymentsRead)?),
                _ => may_see_books(permit),
            }
        }
    }
}

/// The books of the whole platform.
pub(crate) fn may_see_books(permit: &Permit) -> Result<(), Error> {
    Ok(permit.covers(Scope::Operate)?)
}

/// Who holds a product is the host's own business.
pub(crate) fn may_see_holders(permit: &Permit) -> Result<(), Error> {
    permit.covers(Scope::HoldingsRead)?;
    demand(matches!(permit.actor(), Actor::System(_)), permit)
}

/// A mandate is charged by the plugin that it is for or, when it is for none, by a
/// server of its institution, or by the host for them.
pub(crate) fn may_charge(permit: &Permit) -> Result<(), Error> {
    permit.covers(Scope::PaymentsCharge)?;
    match permit.actor() {
        Actor::System(_) | Actor::Client { .. } | Actor::Plugin { .. } => Ok(()),
        Actor::User(_) | Actor::Staff { .. } | Actor::Operator(_) => not_owner(permit),
    }
}

/// Whether a mandate exists for this caller to charge.
pub(crate) fn is_chargeable_by(permit: &Permit, mandate: &Mandate) -> bool {
    match permit.actor() {
        Actor::System(_) => true,
        Actor::Client { institution, .. } => {
            mandate.plugin.is_none() && mandate.institution == *institution
        }
        Actor::Plugin { plugin, .. } => mandate.plugin == Some(*plugin),
        Actor::User(_) | Actor::Staff { .. } | Actor::Operator(_) => false,
    }
}

/// Whether a mandate exists for this caller: the person who gave it, the
/// institution that may debit, its plugin, the host and its operators.
pub(crate) fn may_see_mandate(permit: &Permit, mandate: &Mandate) -> Result<bool, Error> {
    match permit.actor() {
        Actor::Operator(_) => {
            permit.covers(Scope::Operate)?;
            Ok(true)
        }
        Actor::System(_) => {
            permit.covers(Scope::PaymentsRead)?;
            Ok(true)
        }
        Actor::User(user) => {
            permit.covers(Scope::Account)?;
            Ok(mandate.user == *user)
        }
        Actor::Staff { institution, .. } | Actor::Client { institution, .. } => {
            permit.covers(Scope::PaymentsRead)?;
            Ok(mandate.institution == *institution)
        }
        Actor::Plugin { plugin, .. } => {
            permit.covers(Scope::PaymentsCharge)?;
            Ok(mandate.plugin == Some(*plugin))
        }
    }
}

fn owns(institution: InstitutionId, payment: &Payment) -> bool {
    payment.institution == Some(institution)
}

fn demand(is_own: bool, permit: &Permit) -> Result<(), Error> {
    if is_own { Ok(()) } else { not_owner(permit) }
}

fn not_owner(permit: &Permit) -> Result<(), Error> {
    Err(Error::NotOwner {
        actor: permit.actor().to_string(),
    })
}
