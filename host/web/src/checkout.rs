//! A person's yes to a quote, from either face: what the quoted bank is asked for
//! first, and then the order. Nothing is asked of a bank for a quote that could not
//! be confirmed, and one quote debits a bank at most once, whatever key came with it.

use qiao_auth::{Permit, Session};
use qiao_banks::{BankTransfer, LinkState, NewPayIn, TransferState};
use qiao_model::{BankLinkId, Money, Secret};
use qiao_orders::{Confirmation, Order, Quote, Reviewed};
use qiao_payments::{IdempotencyKey, Method};

use crate::App;
use crate::problem::Problem;

/// How a person wants to pay, as a door reads it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum PaidFrom {
    /// From the balance.
    Balance,
    /// From a linked account.
    Link(BankLinkId),
}

impl PaidFrom {
    /// Where a quoted method takes the money from. A mandate takes it from the balance.
    pub(crate) const fn of(method: Method) -> Self {
        match method {
            Method::Balance | Method::Mandate(_) => Self::Balance,
            Method::Bank { link, channel: _ } => Self::Link(link),
        }
    }

    /// The method with the channel of the caller's account.
    pub(crate) async fn method(
        self,
        app: &App,
        permit: &Permit,
    ) -> Result<Method, qiao_banks::Error> {
        let Self::Link(id) = self else {
            return Ok(Method::Balance);
        };
        let links = app.banks.links(permit).await?;
        let link = links.iter().find(|link| link.id == id);
        let link = link.ok_or(qiao_banks::Error::UnknownLink(id))?;
        match link.state {
            LinkState::Active => Ok(Method::Bank {
                link: id,
                channel: link.channel,
            }),
            LinkState::Expired | LinkState::Unlinked => Err(qiao_banks::Error::LinkOver(id)),
        }
    }
}

/// What a person agreed to, and how they prove it.
pub(crate) struct Agreement {
    /// The quote's token.
    pub(crate) token: String,
    /// The amount that they saw.
    pub(crate) amount: Money,
    /// The way to pay that they saw; none for whatever was quoted.
    pub(crate) method: Option<Method>,
    /// The payment PIN.
    pub(crate) pin: Secret<String>,
    /// The caller's idempotency key.
    pub(crate) key: IdempotencyKey,
}

/// What came of it.
pub(crate) enum Confirmed {
    /// The order.
    Ordered(Box<Order>),
    /// The bank has not moved the money, or never will: nothing is ordered. What
    /// arrives later is in the balance.
    NotPaidIn(Box<BankTransfer>),
}

/// Which room refused.
pub(crate) enum Refused {
    /// The PIN does not count.
    Auth(qiao_auth::Error),
    /// The quote does not count, or was not ordered.
    Orders(qiao_orders::Error),
    /// Nothing was asked of the bank.
    Banks(qiao_banks::Error),
}

/// Confirms a quote for its user.
pub(crate) async fn confirm(
    app: &App,
    (permit, session): (&Permit, &Session),
    agreement: Agreement,
) -> Result<Confirmed, Refused> {
    let verify = || {
        app.auth
            .verify_pin_in_session(permit, session, &agreement.pin)
    };
    let mut pin = verify().await.map_err(Refused::Auth)?;
    let (token, amount) = (agreement.token.as_str(), agreement.amount);
    let reviewed = app.orders.review(permit, token, amount, agreement.method);
    let Reviewed { quote, placed } = reviewed.await.map_err(Refused::Orders)?;
    let method = agreement.method.unwrap_or(quote.method);
    if let (Method::Bank { link, channel: _ }, None) = (quote.method, placed) {
        let key = pay_in_key(permit, &quote)?;
        let new = NewPayIn {
            link,
            amount,
            pin,
            key,
        };
        let transfer = app.banks.pay_in(permit, new).await;
        let transfer = transfer.map_err(Refused::Banks)?;
        if transfer.standing.state != TransferState::Done {
            return Ok(Confirmed::NotPaidIn(Box::new(transfer)));
        }
        // The bank took the first proof: one is good for one movement.
        pin = verify().await.map_err(Refused::Auth)?;
    }
    let confirmation = Confirmation {
        token: agreement.token,
        amount,
        method,
        pin,
        key: agreement.key,
    };
    let order = app.orders.confirm(permit, confirmation).await;
    let order = order.map_err(Refused::Orders)?;
    Ok(Confirmed::Ordered(Box::new(order)))
}

impl From<Refused> for Problem {
    fn from(refused: Refused) -> Self {
        match refused {
            Refused::Auth(auth) => auth.into(),
            Refused::Orders(orders) => orders.into(),
            Refused::Banks(banks) => banks.into(),
        }
    }
}

/// Of the quote alone: a second key for the same quote debits nothing again.
fn pay_in_key(permit: &Permit, quote: &Quote) -> Result<IdempotencyKey, Refused> {
    let key = format!("{}/bank", quote.id);
    let request = format!("{} {}", quote.method, quote.amount);
    let key = IdempotencyKey::of(permit, &key, request.as_bytes());
    key.map_err(|refusal| Refused::Orders(refusal.into()))
}
