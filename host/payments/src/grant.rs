//! What a spend grant allows and what was spent of it. Pure: the batch asks
//! [`SpendGrant::consume`] under the lock of the mandate's row.

use qiao_model::{Currency, Day, InstitutionId, Money, ProductId, Timestamp};

/// Payees of one grant at most.
pub const PAYEES_MAX: usize = 10;
/// Products of one grant at most.
pub const GRANT_PRODUCTS_MAX: usize = 20;
/// Days that a grant lasts at most.
pub const GRANT_DAYS_MAX: i64 = 1_096;

/// How much may be spent, how often, with whom, for what, until when. Days and
/// months are those of Asia/Shanghai.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SpendLimits {
    /// The one currency.
    pub currency: Currency,
    /// Minor units of one payment at most.
    pub per_payment: i64,
    /// Minor units of one day at most.
    pub per_day: Option<i64>,
    /// Minor units of one month at most.
    pub per_month: Option<i64>,
    /// Payments in all at most.
    pub count: Option<u32>,
    /// Who may be paid: 1 to [`PAYEES_MAX`] institutions.
    pub payees: Vec<InstitutionId>,
    /// For which products, at most [`GRANT_PRODUCTS_MAX`]; none means any of the payees'.
    pub products: Vec<ProductId>,
    /// From when on nothing may be spent.
    pub expires_at: Timestamp,
}

impl SpendLimits {
    /// Checks the limits of a grant that is made now.
    ///
    /// # Errors
    /// [`InvalidLimits`] names the first that no grant has.
    pub fn check(&self, now: Timestamp) -> Result<(), InvalidLimits> {
        let amounts = [Some(self.per_payment), self.per_day, self.per_month];
        if amounts.into_iter().flatten().any(|minor| minor < 1) {
            return Err(InvalidLimits::Amount);
        }
        if self.count == Some(0) {
            return Err(InvalidLimits::Count);
        }
        if self.payees.is_empty() || self.payees.len() > PAYEES_MAX {
            return Err(InvalidLimits::Payees(self.payees.len()));
        }
        if self.products.len() > GRANT_PRODUCTS_MAX {
            return Err(InvalidLimits::Products(self.products.len()));
        }
        let latest = now.plus_secs(GRANT_DAYS_MAX.saturating_mul(86_400));
        if self.expires_at <= now || self.expires_at > latest {
            return Err(InvalidLimits::Expiry);
        }
        Ok(())
    }
}

/// What is wrong with the limits of a new grant.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum InvalidLimits {
    /// A limit below one minor unit.
    #[error("a limit of money is at least one minor unit")]
    Amount,
    /// A grant of no payment.
    #[error("a grant allows at least one payment")]
    Count,
    /// No payee, or too many.
    #[error("{0} payees are not within 1 to {PAYEES_MAX}")]
    Payees(usize),
    /// Too many products.
    #[error("{0} products are more than {GRANT_PRODUCTS_MAX}")]
    Products(usize),
    /// It ends in the past, or too late.
    #[error("a grant ends after now and within {GRANT_DAYS_MAX} days")]
    Expiry,
}

/// What was spent of a grant. The windows of day and month roll forward only,
/// whatever the clocks of two hosts say around midnight.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SpendUsage {
    /// Payments that count.
    pub count: u32,
    /// Minor units in all.
    pub minor: i64,
    /// The day of the newest payment.
    pub day: Day,
    /// Minor units on that day.
    pub day_minor: i64,
    /// Minor units in the month of that day.
    pub month_minor: i64,
}

impl SpendUsage {
    /// Nothing, as of a day.
    #[must_use]
    pub const fn none(day: Day) -> Self {
        Self {
            count: 0,
            minor: 0,
            day,
            day_minor: 0,
            month_minor: 0,
        }
    }

    /// The same with the windows of a day, unless they are later already.
    #[must_use]
    pub fn on(self, today: Day) -> Self {
        if today <= self.day {
            return self;
        }
        let month_minor = match month(today) == month(self.day) {
            true => self.month_minor,
            false => 0,
        };
        Self {
            day: today,
            day_minor: 0,
            month_minor,
            ..self
        }
    }

    /// Gives money back that was spent on `spent_on`: to the total, and to the
    /// windows that it was taken from if they still last. What a voided payment
    /// gives back is the whole payment, so it does not count any more; a refunded
    /// one took place and counts.
    #[must_use]
    pub fn given_back(self, minor: i64, spent_on: Day, returned: Returned) -> Self {
        let less = |before: i64| before.saturating_sub(minor).max(0);
        let is_same_day = self.day == spent_on;
        let is_same_month = month(self.day) == month(spent_on);
        Self {
            count: match returned {
                Returned::Voided => self.count.saturating_sub(1),
                Returned::Refunded => self.count,
            },
            minor: less(self.minor),
            day: self.day,
            day_minor: if is_same_day {
                less(self.day_minor)
            } else {
                self.day_minor
            },
            month_minor: if is_same_month {
                less(self.month_minor)
            } else {
                self.month_minor
            },
        }
    }
}

/// How money came back.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Returned {
    /// The hold was released: the payment never took place.
    Voided,
    /// A part or all of a payment went back.
    Refunded,
}

fn month(day: Day) -> (i16, i8) {
    let (year, month, _) = day.parts();
    (year, month)
}

/// What is to be spent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Spend {
    /// How much.
    pub amount: Money,
    /// Who is paid.
    pub payee: InstitutionId,
    /// For what, if it is for a product.
    pub product: Option<ProductId>,
}

/// Limits and what was spent of them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SpendGrant {
    /// What is allowed.
    pub limits: SpendLimits,
    /// What was spent.
    pub usage: SpendUsage,
}

impl SpendGrant {
    /// What is spent once this payment is made too.
    ///
    /// # Errors
    /// The first limit that it breaks; then nothing is spent.
    pub fn consume(&self, spend: &Spend, now: Timestamp) -> Result<SpendUsage, GrantRefusal> {
        let limits = &self.limits;
        if now >= limits.expires_at {
            return Err(GrantRefusal::Expired);
        }
        if spend.amount.currency != limits.currency {
            return Err(GrantRefusal::Currency(limits.currency));
        }
        if !limits.payees.contains(&spend.payee) {
            return Err(GrantRefusal::Payee);
        }
        let is_for = |product| limits.products.contains(&product);
        if !limits.products.is_empty() && !spend.product.is_some_and(is_for) {
            return Err(GrantRefusal::Product);
        }
        let usage = self.usage.on(now.day());
        let count = usage.count.saturating_add(1);
        if let Some(most) = limits.count.filter(|most| count > *most) {
            return Err(GrantRefusal::UsedUp(most));
        }
        let minor = spend.amount.minor;
        let left = |most: i64, spent: i64| {
            let left = most.saturating_sub(spent);
            (minor > left).then(|| Money::new(left.max(0), limits.currency))
        };
        if let Some(most) = left(limits.per_payment, 0) {
            return Err(GrantRefusal::PerPayment(most));
        }
        if let Some(left) = limits.per_day.and_then(|most| left(most, usage.day_minor)) {
            return Err(GrantRefusal::PerDay(left));
        }
        if let Some(left) = limits
            .per_month
            .and_then(|most| left(most, usage.month_minor))
        {
            return Err(GrantRefusal::PerMonth(left));
        }
        Ok(SpendUsage {
            count,
            minor: usage.minor.saturating_add(minor),
            day: usage.day,
            day_minor: usage.day_minor.saturating_add(minor),
            month_minor: usage.month_minor.saturating_add(minor),
        })
    }
}

/// Why a mandate does not allow a payment.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum GrantRefusal {
    /// The person took it back.
    #[error("it was revoked")]
    Revoked,
    /// Its time is over.
    #[error("it has expired")]
    Expired,
    /// So many payments were made of it, which is all.
    #[error("its {0} payments are used up")]
    UsedUp(u32),
    /// More than one payment may be.
    #[error("one payment is at most {0}")]
    PerPayment(Money),
    /// More than is left for the day.
    #[error("{0} is left for the day")]
    PerDay(Money),
    /// More than is left for the month.
    #[error("{0} is left for the month")]
    PerMonth(Money),
    /// It is for another currency.
    #[error("it is for {0}")]
    Currency(Currency),
    /// Somebody else would be paid.
    #[error("it does not name the payee")]
    Payee,
    /// It is for other products.
    #[error("it does not name the product")]
    Product,
    /// The payer is not the person who gave it.
    #[error("it was given by another person")]
    Payer,
}

impl GrantRefusal {
    /// The wire name of the cause.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::Revoked => "revoked",
            Self::Expired => "expired",
            Self::UsedUp(_) => "used-up",
            Self::PerPayment(_) => "per-payment",
            Self::PerDay(_) => "per-day",
            Self::PerMonth(_) => "per-month",
            Self::Currency(_) => "currency",
            Self::Payee => "payee",
            Self::Product => "product",
            Self::Payer => "payer",
        }
    }
}

#[cfg(test)]
mod tests;
