//! Paying an order straight from a linked account: the bank is debited, the
//! balance gets it, and then the order is placed.

use axum::response::Response;
use qiao_auth::PinProof;
use qiao_banks::{NewPayIn, TransferState};
use qiao_catalog::OrderKind;
use qiao_model::{BankLinkId, Money, Secret};
use qiao_orders::Quote;
use qiao_payments::{IdempotencyKey, Method};

use super::bank_transfer;
use super::checkout::Desk;
use crate::pages::failed::{Failed, refused, see};
use crate::pages::view::{Figure, Notice, Tone};

/// Where the money of an order is.
pub(super) enum PaidFrom {
    /// In the balance.
    Balance,
    /// At the bank.
    Link(BankLinkId),
}

impl PaidFrom {
    /// What a form chose.
    pub(super) fn of(text: &str) -> Result<Self, Failed> {
        if text.is_empty() {
            return Ok(Self::Balance);
        }
        text.parse().map(Self::Link).map_err(Failed::not_found)
    }
}

impl Desk<'_> {
    /// The ways to pay: the balance when it is enough, then each linked account.
    /// None when there is no choice, or when the order pays the person.
    pub(super) fn methods(
        &self,
        quote: &Quote,
        balance: Money,
        accounts: Vec<(String, String)>,
    ) -> Vec<(String, String)> {
        if quote.kind == OrderKind::Redeem || accounts.is_empty() {
            return Vec::new();
        }
        let t = self.person.visit.t();
        let is_enough = balance.minor >= quote.amount.minor;
        let of_balance = is_enough.then(|| {
            let label = format!("{} · {}", t.balance, Figure::money(balance).text());
            (String::new(), label)
        });
        // A named account: the checkout says which bank is debited.
        let named = accounts.into_iter().filter(|(link, _)| !link.is_empty());
        of_balance.into_iter().chain(named).collect()
    }

    /// Debits the bank. Gives a fresh proof of the PIN, since this one is spent,
    /// or the page that says why nothing was ordered: while the bank's answer is
    /// unknown nothing is, and what arrives later is in the balance.
    pub(super) async fn pay_in(
        &self,
        (link, amount): (BankLinkId, Money),
        key: &str,
        proof: PinProof,
        pin: &Secret<String>,
    ) -> Result<Result<(PinProof, Method), Response>, Failed> {
        let request = format!("POST {} from {link} {amount}", self.path());
        let key = format!("{key}/bank");
        let permit = &self.person.permit;
        let new = NewPayIn {
            link,
            amount,
            pin: proof,
            key: IdempotencyKey::of(permit, &key, request.as_bytes())?,
        };
        let t = self.person.visit.t();
        let transfer = match self.app.banks.pay_in(permit, new).await {
            Ok(transfer) => transfer,
            Err(error) => {
                let Some(sentence) = bank_transfer::refusal(&error, t) else {
                    return Err(error.into());
                };
                let notice = Notice::new(Tone::Warning, sentence);
                let view = self.quoted(None, Some(notice)).await?;
                return Ok(Err(refused(&view)?));
            }
        };
        if transfer.standing.state != TransferState::Done {
            return Ok(Err(see(format!("/banks/transfers/{}", transfer.id))?));
        }
        let method = Method::Bank {
            link,
            channel: transfer.route.channel,
        };
        let session = &self.person.session;
        let proof = self.app.auth.verify_pin_in_session(permit, session, pin);
        let proof = proof.await?;
        Ok(Ok((proof, method)))
    }
}
