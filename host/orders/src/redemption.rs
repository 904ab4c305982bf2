//! When the money of a redemption arrives: at once from what the fund's bank
//! advanced, up to the daily limit, or on the next business day. One that is paid
//! later holds its units from the beginning, and money of the fund's only when its
//! day has come: what the fund lacks until then is no reason to refuse it.

use std::collections::HashMap;

use qiao_auth::Permit;
use qiao_catalog::{OrderKind, Redemption};
use qiao_model::{
    Calendar, Currency, Day, InstitutionId, Money, OrderId, ProductId, Scope, UserId,
};
use qiao_payments::{Method, NewPayment, Party, Refusal, Split};

use crate::error::Error;
use crate::head::Head;
use crate::orders::Orders;
use crate::quote::Quote;
use crate::store;

/// What one person gets back at once of one product through one sales channel
/// on one day in Asia/Shanghai, at most: 10,000.00 CNY. The channel is the scene
/// through whose door the offer was made, or else the platform.
pub const INSTANT_REDEMPTION_DAY_MAX: i64 = 1_000_000;
/// Advances that are repaid in one batch at most.
pub const ADVANCES_PAGE_MAX: usize = 500;
/// The sales channel of an order that came through nobody's door: this platform.
const SALES_CHANNEL: &str = "platform";
/// The limit is of this currency; what is redeemed in another is not paid at once.
const LIMIT_CURRENCY: Currency = Currency::CNY;
/// The purpose of a repayment.
const REPAID: &str = "advance-repaid";
/// The purpose of setting money aside.
const SET_ASIDE: &str = "set-aside";
/// The purpose of putting it back.
const PUT_BACK: &str = "put-back";

/// When a redemption's money reaches its holder.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Arrival {
    /// At once, on this day.
    Instant(Day),
    /// On this day, the next business day.
    Later(Day),
}

impl Arrival {
    /// The day.
    #[must_use]
    pub const fn day(self) -> Day {
        match self {
            Self::Instant(day) | Self::Later(day) => day,
        }
    }
}

/// What is counted against the daily limit.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) struct Allowance {
    pub(crate) user: UserId,
    pub(crate) product: ProductId,
    pub(crate) channel: String,
    pub(crate) day: Day,
}

/// What is known about one order's redemption.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Redeeming {
    pub(crate) order: OrderId,
    pub(crate) institution: InstitutionId,
    pub(crate) allowance: Allowance,
    /// What its holder gets, which counts against the limit.
    pub(crate) amount: Money,
    /// What the line advances: with the fees that the institution pays.
    pub(crate) paid: Money,
    pub(crate) arrival: Arrival,
    /// When the money arrives, or when an advance of it is repaid.
    pub(crate) settles_on: Day,
    pub(crate) is_given_back: bool,
}

/// Decides how a redemption of so much is paid: `used` was taken of the day's
/// limit before, `line` is what the bank's advance has free.
pub(crate) fn arrival(
    redeemed: &Redeemed,
    used: i64,
    line: i64,
    today: Day,
    calendar: &Calendar,
) -> Arrival {
    let is_within = redeemed.minor <= INSTANT_REDEMPTION_DAY_MAX.saturating_sub(used);
    if is_within && redeemed.paid_minor <= line {
        Arrival::Instant(today)
    } else {
        Arrival::Later(calendar.plus_business_days(today, 1))
    }
}

/// What a redemption takes of the limit and of the line.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Redeemed {
    pub(crate) minor: i64,
    pub(crate) paid_minor: i64,
}

impl Orders {
    /// When the money of a quoted redemption would arrive if it were confirmed
    /// now; none for orders and products that are not paid so.
    ///
    /// # Errors
    /// The database failed.
    pub async fn expected_arrival(&self, quote: &Quote) -> Result<Option<Arrival>, Error> {
        let inner = self.inner();
        if !self.is_instant(quote).await? {
            return Ok(None);
        }
        let today = inner.env.today();
        let allowance = allowance_of(quote, today);
        let used = store::redemption::used(&inner.db, &allowance).await?;
        let plan = quote.plan().map_err(Error::Unpriceable)?;
        let line = self.advance_line(quote.institution, quote.amount.currency);
        let redeemed = Redeemed {
            minor: quote.amount.minor,
            paid_minor: plan.paid.minor,
        };
        let line = line.await?;
        Ok(Some(arrival(&redeemed, used, line, today, &inner.calendar)))
    }

    /// When the money of each of these orders arrives or arrived, for those that
    /// redeem a product that is paid so.
    ///
    /// # Errors
    /// The database failed.
    pub async fn arrivals(&self, orders: &[OrderId]) -> Result<HashMap<OrderId, Arrival>, Error> {
        Ok(store::redemption::arrivals(&self.inner().db, orders).await?)
    }

    /// What the advance lines have paid to people and not got back yet, in minor units, of
    /// each institution that has lent out anything.
    ///
    /// # Errors
    /// The permit is not an operator's, or the database failed.
    pub async fn lent_out(
        &self,
        permit: &Permit,
        currency: Currency,
    ) -> Result<HashMap<InstitutionId, i64>, Error> {
        permit.covers(Scope::Operate)?;
        Ok(store::redemption::lent_out(&self.inner().db, currency).await?)
    }

    /// Worker step: repays the advances whose day has come, each out of its
    /// institution's settlement account. An institution that has too little
    /// stays in debt to its bank until it has. Gives how many were repaid.
    ///
    /// # Errors
    /// The database failed. What was repaid is found again by its id.
    pub async fn repay_advances(&self) -> Result<usize, Error> {
        let inner = self.inner();
        let permit = inner
            .auth
            .permit_system("repaying advances", Scope::PaymentsWrite);
        let today = inner.env.today();
        let (mut repaid, mut after) = (0, None);
        loop {
            let due = store::redemption::due_advances(&inner.db, today, after).await?;
            let payments = due.iter().map(repayment).collect();
            let outcomes = inner.payments.pay_all(&permit, payments).await?;
            let mut done = Vec::with_capacity(due.len());
            for (advance, outcome) in due.iter().zip(outcomes) {
                match outcome {
                    Ok(_) => done.push(advance.order),
                    Err(Refusal::InsufficientFunds { .. }) => {}
                    Err(refusal) => return Err(Error::Payment(refusal)),
                }
            }
            store::redemption::mark_repaid(&inner.db, &done, inner.env.now()).await?;
            repaid += done.len();
            after = due.last().map(|advance| advance.order);
            if due.len() < ADVANCES_PAGE_MAX {
                return Ok(repaid);
            }
        }
    }

    /// Whether a quote redeems a product that is paid at once.
    pub(crate) async fn is_instant(&self, quote: &Quote) -> Result<bool, Error> {
        if quote.kind != OrderKind::Redeem || quote.amount.currency != LIMIT_CURRENCY {
            return Ok(false);
        }
        let product = self.inner().catalog.product(quote.product).await?;
        Ok(product.is_some_and(|product| product.redemption == Redemption::Instant))
    }

    async fn advance_line(
        &self,
        institution: InstitutionId,
        currency: Currency,
    ) -> Result<i64, Error> {
        let inner = self.inner();
        let permit = inner
            .auth
            .permit_system("advance line", Scope::PaymentsRead);
        let found = inner
            .payments
            .institution_summary(&permit, institution)
            .await?;
        let found = found.iter().find(|summary| summary.currency == currency);
        Ok(found.map_or(0, |summary| summary.advance.available()))
    }
}

pub(crate) fn allowance_of(quote: &Quote, day: Day) -> Allowance {
    Allowance {
        user: quote.user,
        product: quote.product,
        channel: match quote.parties.scene {
            Some(scene) => scene.to_string(),
            None => SALES_CHANNEL.to_owned(),
        },
        day,
    }
}

/// What a redemption is paid from on its day: out of the settlement account into
/// what the order has held since it was placed.
pub(crate) fn set_aside(head: &Head) -> NewPayment {
    let (settlement, clearing) = own_accounts(head.institution);
    own_payment(head, SET_ASIDE, (settlement, clearing))
}

/// What goes back to the settlement account when such a redemption is rejected.
pub(crate) fn put_back(head: &Head) -> NewPayment {
    let (settlement, clearing) = own_accounts(head.institution);
    own_payment(head, PUT_BACK, (clearing, settlement))
}

const fn own_accounts(institution: InstitutionId) -> (Party, Party) {
    (
        Party::Institution(institution),
        Party::Clearing(institution),
    )
}

/// A payment of an institution to itself for an order: one id for an order and a
/// purpose, whoever asks how often.
fn own_payment(
    head: &Head,
    purpose: &'static str,
    (payer, receiver): (Party, Party),
) -> NewPayment {
    NewPayment {
        id: head.id.derive(purpose, 0),
        order: None,
        institution: Some(head.institution),
        payer,
        method: Method::Balance,
        amount: head.paid,
        splits: vec![Split {
            receiver,
            amount: head.paid,
            purpose: purpose.into(),
        }],
        deliveries: Vec::new(),
        description: format!("redemption {}", head.id),
        expires_at: None,
    }
}

/// An advance that is to be repaid.
#[derive(Clone, Copy, Debug)]
pub(crate) struct DueAdvance {
    pub(crate) order: OrderId,
    pub(crate) institution: InstitutionId,
    pub(crate) amount: Money,
}

/// The repayment of an advance: one id for an order, whoever asks how often.
fn repayment(advance: &DueAdvance) -> NewPayment {
    NewPayment {
        id: advance.order.derive(REPAID, 0),
        order: None,
        institution: Some(advance.institution),
        payer: Party::Institution(advance.institution),
        method: Method::Balance,
        amount: advance.amount,
        splits: vec![Split {
            receiver: Party::Advance(advance.institution),
            amount: advance.amount,
            purpose: REPAID.into(),
        }],
        deliveries: Vec::new(),
        description: format!("advance for {}", advance.order),
        expires_at: None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn arrives(minor: i64, used: i64, line: i64, today: &str) -> String {
        let redeemed = Redeemed {
            minor,
            paid_minor: minor,
        };
        let calendar = Calendar::mainland();
        match arrival(&redeemed, used, line, today.parse().unwrap(), &calendar) {
            Arrival::Instant(day) => format!("at once on {day}"),
            Arrival::Later(day) => format!("later on {day}"),
        }
    }

    #[test]
    fn the_daily_limit_is_met_to_the_fen() {
        let line = i64::MAX;
        let at_once = "at once on 2026-11-24";
        assert_eq!(arrives(999_999, 0, line, "2026-11-24"), at_once);
        assert_eq!(arrives(1_000_000, 0, line, "2026-11-24"), at_once);
        assert_eq!(
            arrives(1_000_001, 0, line, "2026-11-24"),
            "later on 2026-11-25"
        );
        assert_eq!(arrives(1, 999_999, line, "2026-11-24"), at_once);
        assert_eq!(
            arrives(2, 999_999, line, "2026-11-24"),
            "later on 2026-11-25"
        );
        assert_eq!(
            arrives(1, 1_000_000, line, "2026-11-24"),
            "later on 2026-11-25"
        );
    }

    #[test]
    fn a_holiday_of_the_configuration_is_no_day_of_payment() {
        let redeemed = Redeemed {
            minor: 1,
            paid_minor: 1,
        };
        let (today, holiday) = ("2026-11-24".parse().unwrap(), "2026-11-25".parse().unwrap());
        let calendar = Calendar::mainland().with_holidays([holiday]);
        let later = arrival(&redeemed, 0, 0, today, &calendar);
        assert_eq!(later, Arrival::Later("2026-11-26".parse().unwrap()));
    }

    #[test]
    fn a_line_that_is_a_fen_short_means_the_next_business_day() {
        assert_eq!(arrives(500, 0, 500, "2026-11-24"), "at once on 2026-11-24");
        assert_eq!(arrives(500, 0, 499, "2026-11-24"), "later on 2026-11-25");
        // Friday's arrives on Monday; a weekend's counts as Monday's.
        assert_eq!(arrives(500, 0, 0, "2026-11-27"), "later on 2026-11-30");
        assert_eq!(arrives(500, 0, 0, "2026-11-28"), "later on 2026-12-01");
        assert_eq!(arrives(500, 0, 0, "2026-09-30"), "later on 2026-10-08");
    }
}
