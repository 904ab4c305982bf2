//! Who may do what: the scope of the permit, and whose the money is.

use qiao_auth::{Actor, Permit};
use qiao_model::{InstitutionId, Scope};

use crate::error::Error;
use crate::terms::TermsState;

/// An institution's staff proposes terms; an operator sets them.
pub(crate) fn may_set_terms(
    permit: &Permit,
    institution: InstitutionId,
) -> Result<TermsState, Error> {
    match permit.actor() {
        Actor::Operator(_) => {
            permit.covers(Scope::Operate)?;
            Ok(TermsState::Active)
        }
        Actor::Staff {
            institution: own, ..
        } => {
            permit.covers(Scope::Institution)?;
            demand(*own == institution, permit)?;
            Ok(TermsState::Proposed)
        }
        _ => not_owner(permit),
    }
}

/// An institution sees its own terms and payouts; operators and jobs all.
pub(crate) fn may_see(permit: &Permit, institution: InstitutionId) -> Result<(), Error> {
    match permit.actor() {
        Actor::Operator(_) => Ok(permit.covers(Scope::Operate)?),
        Actor::System(_) => Ok(permit.covers(Scope::PaymentsRead)?),
        Actor::Staff {
            institution: own, ..
        }
        | Actor::Client {
            institution: own, ..
        } => {
            permit.covers(Scope::PaymentsRead)?;
            demand(*own == institution, permit)
        }
        Actor::User(_) | Actor::Plugin { .. } => not_owner(permit),
    }
}

/// Custody, statements of banks and cases are for operators.
pub(crate) fn may_operate(permit: &Permit) -> Result<(), Error> {
    Ok(permit.covers(Scope::Operate)?)
}

fn demand(is_own: bool, permit: &Permit) -> Result<(), Error> {
    if is_own { Ok(()) } else { not_owner(permit) }
}

fn not_owner<T>(permit: &Permit) -> Result<T, Error> {
    Err(Error::NotOwner {
        actor: permit.actor().to_string(),
    })
}
