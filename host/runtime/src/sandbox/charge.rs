use qiao_catalog::OrderKind;
use qiao_model::OrderId;
use qiao_payments::{GrantRefusal, MandateState};

use super::Sandbox;
use crate::{ChargePortError, ChargeRequest, ChargedOrder, OrderState};

impl Sandbox {
    /// Counts a charge against what its mandate allows at once and in all. Days and
    /// months are not kept: the sandbox has no clock.
    pub(super) fn charge_once(
        &self,
        request: &ChargeRequest<'_>,
    ) -> Result<ChargedOrder, ChargePortError> {
        let not_orderable = |cause: &str| Err(ChargePortError::NotOrderable(cause.to_owned()));
        let mut state = self.0.lock();
        if let Some((mandate, offer, charged)) = state.charges.get(request.key) {
            return match *mandate == request.mandate && *offer == request.offer {
                true => Ok(*charged),
                false => not_orderable("the key was used for another charge"),
            };
        }
        if request.offer.kind == OrderKind::Redeem {
            return not_orderable("a mandate pays, it redeems nothing");
        }
        let Some(amount) = request.offer.amount else {
            return not_orderable("the offer has no amount");
        };
        let unknown = ChargePortError::UnknownMandate(request.mandate);
        let mandate = state.mandates.get_mut(&request.mandate).ok_or(unknown)?;
        let allowed = &mandate.offer;
        let refusal = if mandate.state == MandateState::Revoked {
            Some(GrantRefusal::Revoked)
        } else if request.offer.product != allowed.product {
            Some(GrantRefusal::Product)
        } else if amount.currency != allowed.terms.per_payment.currency {
            Some(GrantRefusal::Currency(allowed.terms.per_payment.currency))
        } else if amount.minor > allowed.terms.per_payment.minor {
            Some(GrantRefusal::PerPayment(allowed.terms.per_payment))
        } else {
            let used_up = allowed.terms.count.filter(|most| mandate.count >= *most);
            used_up.map(GrantRefusal::UsedUp)
        };
        if let Some(refusal) = refusal {
            return Err(ChargePortError::Refused(refusal));
        }
        mandate.count = mandate.count.saturating_add(1);
        let charged = ChargedOrder {
            order: OrderId::from_u128(state.charges.len() as u128 + 1),
            state: OrderState::Held,
            amount,
        };
        let kept = (request.mandate, request.offer.clone(), charged);
        state.charges.insert(request.key.to_owned(), kept);
        Ok(charged)
    }
}

#[cfg(test)]
mod tests {
    use qiao_model::{Day, Id, MandateId, Money, UserId};

    use super::*;
    use crate::{MandateOffer, MandateTerms, Offer};

    fn mandate() -> MandateOffer {
        let terms = MandateTerms {
            title: "Fines".to_owned(),
            purpose: "Pays fines.".to_owned(),
            per_payment: Money::cny(100),
            per_day: None,
            per_month: None,
            count: Some(2),
            until: Day::new(2027, 11, 27).unwrap(),
            reference: String::new(),
            facts: Vec::new(),
        };
        MandateOffer {
            product: "fine".to_owned(),
            terms,
        }
    }

    fn offer(fen: i64) -> Offer {
        Offer {
            product: "fine".to_owned(),
            kind: OrderKind::Pay,
            title: "Fine".to_owned(),
            amount: Some(Money::cny(fen)),
            units_minor: None,
            reference: String::new(),
            facts: Vec::new(),
        }
    }

    fn charge(
        sandbox: &Sandbox,
        mandate: MandateId,
        offer: Offer,
        key: &str,
    ) -> Result<ChargedOrder, ChargePortError> {
        sandbox.charge_once(&ChargeRequest {
            plugin: Id::from_u128(1),
            mandate,
            offer,
            key,
        })
    }

    #[test]
    fn a_charge_is_counted_once_per_key_up_to_what_its_mandate_allows() {
        let sandbox = Sandbox::default();
        let id = sandbox.give_mandate(UserId::from_u128(1), mandate());
        let first = charge(&sandbox, id, offer(100), "a").unwrap();
        assert_eq!(charge(&sandbox, id, offer(100), "a"), Ok(first));
        let reused = charge(&sandbox, id, offer(99), "a");
        assert!(matches!(reused, Err(ChargePortError::NotOrderable(_))));
        let over = charge(&sandbox, id, offer(101), "b");
        let limit = GrantRefusal::PerPayment(Money::cny(100));
        assert_eq!(over, Err(ChargePortError::Refused(limit)));
        charge(&sandbox, id, offer(1), "c").unwrap();
        let used_up = charge(&sandbox, id, offer(1), "d");
        assert_eq!(
            used_up,
            Err(ChargePortError::Refused(GrantRefusal::UsedUp(2)))
        );
        assert_eq!(sandbox.charges().len(), 2);
        assert_eq!(sandbox.mandates()[0].1.count, 2);
    }

    #[test]
    fn a_charge_by_a_mandate_that_is_not_there_or_revoked_is_refused() {
        let sandbox = Sandbox::default();
        let missing = MandateId::from_u128(9);
        let refused = charge(&sandbox, missing, offer(1), "a");
        assert_eq!(refused, Err(ChargePortError::UnknownMandate(missing)));
        let id = sandbox.give_mandate(UserId::from_u128(1), mandate());
        sandbox.revoke_mandate(id);
        let refused = charge(&sandbox, id, offer(1), "a");
        assert_eq!(
            refused,
            Err(ChargePortError::Refused(GrantRefusal::Revoked))
        );
    }
}
