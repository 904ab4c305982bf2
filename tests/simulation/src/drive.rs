//! From the simulator's words to those of payments, and back.

use std::borrow::Cow;

use anyhow::bail;
use qiao_db::Error;
use qiao_model::{Amount, Asset, Currency, Money};
use qiao_payments::{
    Account, Charge, ChargeCapture, Command, Credit, CreditLine, Delivery, IdempotencyKey, Keyed,
    Mandate, Method, NewMandate, NewPayment, NewRefund, Outcome, Party, Payment, Purse, Recovery,
    Refusal, SpendLimits, Split, TopUp,
};

use crate::ask::{Ask, Deal, Heard, Permission, Place, Sent, Standing, Told, Units};

/// The request as a command.
pub(crate) fn command(sent: &Sent) -> anyhow::Result<Keyed> {
    let key = match &sent.key {
        Some(key) => Some(IdempotencyKey::new(
            &key.owner,
            &key.key,
            key.request.as_bytes(),
        )?),
        None => None,
    };
    Ok(Keyed::new(unkeyed(&sent.ask)?, key))
}

fn unkeyed(ask: &Ask) -> anyhow::Result<Command> {
    Ok(match ask {
        Ask::TopUp {
            payment,
            user,
            minor,
        } => Command::TopUp(TopUp {
            payment: *payment,
            user: *user,
            amount: Money::cny(*minor),
        }),
        Ask::Hold(deal) => Command::Hold(new_payment(deal)?),
        Ask::Pay(deal) => Command::Pay(new_payment(deal)?),
        Ask::Charge {
            deal,
            product,
            is_held,
        } => Command::Charge(Charge {
            product: *product,
            capture: match is_held {
                true => ChargeCapture::Later,
                false => ChargeCapture::Now,
            },
            payment: new_payment(deal)?,
        }),
        Ask::Recover {
            payment,
            institution,
            from,
        } => Command::Recover(Recovery {
            payment: *payment,
            institution: *institution,
            purse: match from {
                Place::Revenue(_) => Purse::Revenue,
                _ => Purse::Settlement,
            },
            currency: Currency::CNY,
        }),
        Ask::Give(_) | Ask::Revoke { .. } | Ask::Bank(_) => {
            bail!("{ask:?} is no command of payments")
        }
        Ask::Capture { payment, minor } => Command::Post {
            payment: *payment,
            amount: minor.map(Money::cny),
        },
        Ask::Void { payment } => Command::Void { payment: *payment },
        Ask::Expire { payment } => Command::Expire { payment: *payment },
        Ask::Refund {
            refund,
            payment,
            minor,
        } => Command::Refund(NewRefund {
            id: *refund,
            payment: *payment,
            amount: Money::cny(*minor),
            reason: "simulated".to_owned(),
        }),
        Ask::Credit {
            product,
            day,
            lines,
        } => Command::Credit(Credit {
            product: *product,
            day: *day,
            lines: lines
                .iter()
                .map(|(user, minor)| CreditLine {
                    user: *user,
                    minor: *minor,
                })
                .collect(),
        }),
    })
}

fn new_payment(deal: &Deal) -> anyhow::Result<NewPayment> {
    let money = |minor| Money::new(minor, deal.currency);
    let split = |(place, minor): &(Place, i64)| {
        anyhow::Ok(Split {
            receiver: party(*place)?,
            amount: money(*minor),
            purpose: Cow::Borrowed("simulated"),
        })
    };
    Ok(NewPayment {
        id: deal.payment,
        order: None,
        institution: Some(deal.institution),
        payer: party(deal.payer)?,
        method: deal.mandate.map_or(Method::Balance, Method::Mandate),
        amount: money(deal.minor),
        splits: deal.splits.iter().map(split).collect::<Result<_, _>>()?,
        deliveries: deal.units.iter().map(delivery).collect::<Result<_, _>>()?,
        description: "simulated".to_owned(),
        expires_at: deal.expires_at,
    })
}

/// The permission as a mandate that is given.
pub(crate) fn new_mandate(permission: &Permission) -> NewMandate {
    NewMandate {
        id: permission.mandate,
        user: permission.user,
        institution: permission.institution,
        plugin: None,
        title: "simulated".to_owned(),
        purpose: "Simulated.".to_owned(),
        reference: String::new(),
        limits: SpendLimits {
            currency: Currency::CNY,
            per_payment: permission.per_payment,
            per_day: permission.per_day,
            per_month: permission.per_month,
            count: permission.count,
            payees: permission.payees.clone(),
            products: permission.products.clone(),
            expires_at: permission.expires_at,
        },
    }
}

fn delivery(units: &Units) -> anyhow::Result<Delivery> {
    Ok(Delivery {
        from: account(units.from)?,
        to: account(units.to)?,
        amount: Amount {
            minor: units.minor,
            asset: Asset::Units(units.product),
        },
    })
}

pub(crate) fn party(place: Place) -> anyhow::Result<Party> {
    Ok(match place {
        Place::User(user) => Party::User(user),
        Place::Settlement(id) => Party::Institution(id),
        Place::Revenue(id) => Party::Revenue(id),
        Place::Receivable(id) => Party::Receivable(id),
        Place::Platform => Party::Platform,
        Place::Bank(channel) => Party::Bank(channel),
        Place::Fees(channel) => Party::Channel(channel),
        Place::Holding(_) | Place::Issuance | Place::Income => bail!("{place:?} has no money"),
    })
}

fn account(place: Place) -> anyhow::Result<Account> {
    Ok(match place {
        Place::Holding(user) => Account::Holding(user),
        Place::Issuance => Account::Issuance,
        Place::Income => Account::Income,
        _ => bail!("{place:?} has no units"),
    })
}

/// What the caller hears.
pub(crate) fn heard(outcome: Result<Result<Outcome, Refusal>, Error>) -> Heard {
    match outcome {
        Ok(Ok(outcome)) => Heard::Told(told(outcome)),
        Ok(Err(refusal)) => Heard::Told(Told::Refused(name_of(&refusal))),
        Err(Error::Unreachable(cause)) => Heard::Unknown(cause.to_string()),
        Err(error) => Heard::Untouched(error.to_string()),
    }
}

/// What the person hears who gives or revokes a mandate.
pub(crate) fn heard_of_mandate(outcome: Result<Mandate, qiao_payments::Error>) -> Heard {
    match outcome {
        Ok(mandate) => Heard::Told(Told::Mandate {
            mandate: mandate.id,
            count: mandate.grant.usage.count.into(),
            minor: mandate.grant.usage.minor,
            is_revoked: mandate.revoked_at.is_some(),
        }),
        Err(qiao_payments::Error::Refused(refusal)) => {
            Heard::Told(Told::Refused(name_of(&refusal)))
        }
        Err(qiao_payments::Error::Storage(Error::Unreachable(cause))) => {
            Heard::Unknown(cause.to_string())
        }
        Err(error) => Heard::Untouched(error.to_string()),
    }
}

fn told(outcome: Outcome) -> Told {
    match outcome {
        Outcome::Refunded { payment, refund } => Told::Refunded {
            standing: standing(&payment),
            refund: refund.id,
            parts: refund.parts,
        },
        Outcome::Credited(credited) => Told::Credited {
            holders: credited.holders,
            minor: credited.minor,
            existing: credited.existing,
        },
        Outcome::Payment(payment) => Told::Payment(standing(&payment)),
    }
}

fn standing(payment: &Payment) -> Standing {
    Standing {
        payment: payment.id,
        state: payment.state.name().to_owned(),
        captured: payment.captured.minor,
        refunded: payment.refunded.minor,
    }
}

/// The refusal's own name: what is before its content; of a mandate's, the cause too.
pub(crate) fn name_of(refusal: &Refusal) -> String {
    if let Refusal::Mandate { cause, .. } = refusal {
        return format!("Mandate {}", cause.code());
    }
    let text = format!("{refusal:?}");
    let end = text.find(|c: char| !c.is_ascii_alphanumeric());
    text[..end.unwrap_or(text.len())].to_owned()
}
