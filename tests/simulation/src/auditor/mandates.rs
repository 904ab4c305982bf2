//! What people allowed, and what was taken of it: every charge is remembered with
//! what is left of it, and each sum is counted anew from these.

use std::collections::BTreeMap;

use qiao_model::{PaymentId, ProductId, Timestamp};

use super::days::{day_of, month_of, text_of};
use crate::ask::{Deal, Permission, Place, Told};

/// A mandate lasts so long at most.
const DAYS_MAX: i64 = 1_096;
const PAYEES_MAX: usize = 10;
const PRODUCTS_MAX: usize = 20;
const DAY_MILLIS: i64 = 86_400_000;

/// A permission with its charges.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Mandate {
    permission: Permission,
    is_revoked: bool,
    /// The day of the newest charge, or on which it was given.
    newest: i64,
    taken: BTreeMap<PaymentId, Taken>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Taken {
    day: i64,
    /// What was not given back.
    left: i64,
    /// Whether it took place: a voided charge did not.
    counts: bool,
}

/// A row of a mandate: what is counted of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Used {
    pub(crate) count: i64,
    pub(crate) minor: i64,
    pub(crate) day: String,
    pub(crate) day_minor: i64,
    pub(crate) month_minor: i64,
    pub(crate) is_revoked: bool,
}

/// Whether such a permission can be given now.
pub(crate) fn is_valid(permission: &Permission, now: Timestamp) -> bool {
    let amounts = [
        Some(permission.per_payment),
        permission.per_day,
        permission.per_month,
    ];
    let lasts = permission.expires_at.as_millis() - now.as_millis();
    amounts.into_iter().flatten().all(|minor| minor > 0)
        && permission.count != Some(0)
        && (1..=PAYEES_MAX).contains(&permission.payees.len())
        && permission.products.len() <= PRODUCTS_MAX
        && lasts > 0
        && lasts <= DAYS_MAX * DAY_MILLIS
}

impl Mandate {
    pub(crate) fn given(permission: &Permission, now: Timestamp) -> Self {
        Self {
            permission: permission.clone(),
            is_revoked: false,
            newest: day_of(now),
            taken: BTreeMap::new(),
        }
    }

    /// Whether this person gave it.
    pub(crate) fn is_of(&self, user: qiao_model::UserId) -> bool {
        self.permission.user == user
    }

    /// Takes it back; gives whether it was not before.
    pub(crate) fn revoke(&mut self) -> bool {
        !std::mem::replace(&mut self.is_revoked, true)
    }

    /// The first limit that the payment breaks.
    pub(crate) fn refuses(
        &self,
        deal: &Deal,
        product: Option<ProductId>,
        now: Timestamp,
    ) -> Option<&'static str> {
        let allowed = &self.permission;
        let today = day_of(now).max(self.newest);
        let more_than =
            |most: Option<i64>, spent: i64| most.is_some_and(|m| spent + deal.minor > m);
        let for_all = allowed.products.is_empty();
        let causes = [
            (self.is_revoked, "Mandate revoked"),
            (deal.payer != Place::User(allowed.user), "Mandate payer"),
            (now >= allowed.expires_at, "Mandate expired"),
            (!allowed.payees.contains(&deal.institution), "Mandate payee"),
            (
                !for_all && !product.is_some_and(|id| allowed.products.contains(&id)),
                "Mandate product",
            ),
            (
                allowed
                    .count
                    .is_some_and(|most| self.count() >= i64::from(most)),
                "Mandate used-up",
            ),
            (
                more_than(Some(allowed.per_payment), 0),
                "Mandate per-payment",
            ),
            (
                more_than(allowed.per_day, self.sum(|taken| taken.day == today)),
                "Mandate per-day",
            ),
            (
                more_than(
                    allowed.per_month,
                    self.sum(|taken| month_of(taken.day) == month_of(today)),
                ),
                "Mandate per-month",
            ),
        ];
        let broken = causes.into_iter().find(|(is_broken, _)| *is_broken);
        broken.map(|(_, cause)| cause)
    }

    /// Remembers a charge; gives whether it was the last one that is allowed.
    pub(crate) fn take(&mut self, payment: PaymentId, minor: i64, now: Timestamp) -> bool {
        self.newest = self.newest.max(day_of(now));
        let taken = Taken {
            day: day_of(now),
            left: minor,
            counts: true,
        };
        self.taken.insert(payment, taken);
        let most = self.permission.count;
        most.is_some_and(|most| self.count() >= i64::from(most))
    }

    /// A part of a charge went back to the payer.
    pub(crate) fn give_back(&mut self, payment: PaymentId, minor: i64) {
        if let Some(taken) = self.taken.get_mut(&payment) {
            taken.left -= minor;
        }
    }

    /// A charge was released: it never took place.
    pub(crate) fn forget(&mut self, payment: PaymentId) {
        if let Some(taken) = self.taken.get_mut(&payment) {
            *taken = Taken {
                left: 0,
                counts: false,
                ..*taken
            };
        }
    }

    pub(crate) fn told(&self) -> Told {
        Told::Mandate {
            mandate: self.permission.mandate,
            count: self.count(),
            minor: self.sum(|_| true),
            is_revoked: self.is_revoked,
        }
    }

    pub(crate) fn used(&self) -> Used {
        Used {
            count: self.count(),
            minor: self.sum(|_| true),
            day: text_of(self.newest),
            day_minor: self.sum(|taken| taken.day == self.newest),
            month_minor: self.sum(|taken| month_of(taken.day) == month_of(self.newest)),
            is_revoked: self.is_revoked,
        }
    }

    fn count(&self) -> i64 {
        let counted = self.taken.values().filter(|taken| taken.counts).count();
        i64::try_from(counted).unwrap_or(i64::MAX)
    }

    fn sum(&self, of: impl Fn(&Taken) -> bool) -> i64 {
        let taken = self.taken.values().filter(|taken| of(taken));
        taken.map(|taken| taken.left).sum()
    }
}
