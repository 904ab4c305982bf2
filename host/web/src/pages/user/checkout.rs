use axum::extract::{Path, State};
use axum::response::Response;
use qiao_auth::Error as AuthError;
use qiao_catalog::OrderKind;
use qiao_model::{Asset, Currency, Money, OfferId, Secret};
use qiao_orders::{Arrival, Confirmation, Error, Offer, Quote, QuoteContext};
use qiao_payments::{IdempotencyKey, Method, Refusal};
use serde::Deserialize;

use super::checkout_bank as bank_link;
use super::wallet::new_key;
use crate::App;
use crate::pages::failed::{Failed, page, refused, see};
use crate::pages::sent::Sent;
use crate::pages::text::fill;
use crate::pages::view::user::{Checkout, CheckoutState, Payable};
use crate::pages::view::{Facts, Field, Figure, Form, Kind, Notice, Tone};
use crate::pages::visit::Person;
use crate::pages::wording;

/// `GET /checkout/{offer}`: a fresh quote.
pub(super) async fn show(
    State(app): State<App>,
    person: Person,
    Path(offer): Path<String>,
) -> Result<Response, Failed> {
    let desk = match Desk::open(&app, &person, &offer).await {
        Ok(desk) => desk,
        Err(Error::OfferExpired(_)) => return gone(&person),
        Err(error) => return Err(error.into()),
    };
    page(&desk.quoted(None, None).await?)
}

#[derive(Default, Deserialize)]
pub(super) struct Confirmed {
    #[serde(default)]
    quote: String,
    #[serde(default)]
    amount: String,
    #[serde(default)]
    key: String,
    #[serde(default)]
    pin: String,
    /// A linked account; empty for the balance.
    #[serde(default)]
    method: String,
}

/// `POST /checkout/{offer}`: the PIN, then the order. Sent twice, it is one order.
pub(super) async fn confirm(
    State(app): State<App>,
    person: Person,
    Path(offer): Path<String>,
    Sent(sent): Sent<Confirmed>,
) -> Result<Response, Failed> {
    let desk = match Desk::open(&app, &person, &offer).await {
        Ok(desk) => desk,
        Err(Error::OfferExpired(_)) => return gone(&person),
        Err(error) => return Err(error.into()),
    };
    let t = person.visit.t();
    let pin = Secret::new(sent.pin);
    let verified = (app.auth).verify_pin_in_session(&person.permit, &person.session, &pin);
    let proof = match verified.await {
        Ok(proof) => proof,
        Err(AuthError::WrongPin { tries_left }) => {
            let wrong = fill(t.wrong_pin, &[&tries_left]);
            return refused(&desk.quoted(Some(wrong), None).await?);
        }
        Err(AuthError::PinLocked { until }) => {
            let locked = fill(t.pin_locked, &[&until.local()]);
            let notice = Notice::new(Tone::Bad, locked).titled(t.pin_locked_title);
            return refused(&desk.quoted(None, Some(notice)).await?);
        }
        Err(AuthError::NoPin) => return refused(&desk.quoted(None, None).await?),
        Err(error) => return Err(error.into()),
    };
    let amount = desk.amount(&sent.amount)?;
    let (proof, method) = match bank_link::PaidFrom::of(&sent.method)? {
        bank_link::PaidFrom::Balance => (proof, Method::Balance),
        bank_link::PaidFrom::Link(link) => {
            match desk.pay_in((link, amount), &sent.key, proof, &pin).await? {
                Ok(paid) => paid,
                Err(response) => return Ok(response),
            }
        }
    };
    // Of the quote and the amount alone: a stored hash of the PIN would tell it.
    let request = format!("POST {} {} {amount}", desk.path(), sent.quote);
    let key = IdempotencyKey::of(&person.permit, &sent.key, request.as_bytes())?;
    let confirmation = Confirmation {
        token: sent.quote,
        amount,
        method,
        pin: proof,
        key,
    };
    match app.orders.confirm(&person.permit, confirmation).await {
        Ok(order) => see(format!("/orders/{}", order.id)),
        Err(error) => desk.refuse(error).await,
    }
}

fn gone(person: &Person) -> Result<Response, Failed> {
    let t = person.visit.t();
    let notice = Notice::new(Tone::Warning, t.offer_gone).link("/", t.go_home);
    refused(&Checkout {
        shell: person.visit.user_page(t.checkout, ""),
        title: t.quote_expired.to_owned(),
        institution: String::new(),
        product: String::new(),
        facts: Facts::new(),
        payable: None,
        state: CheckoutState::Blocked(notice),
    })
}

/// The checkout of one offer for one person.
pub(super) struct Desk<'a> {
    pub(super) app: &'a App,
    pub(super) person: &'a Person,
    offer: Offer,
    institution: String,
    product: String,
    currency: Currency,
}

impl<'a> Desk<'a> {
    async fn open(app: &'a App, person: &'a Person, offer: &str) -> Result<Self, Error> {
        // A text that is no id names no offer; the nil id belongs to nobody.
        let id = offer.parse().unwrap_or(OfferId::from_u128(0));
        let offer = app.orders.offer(&person.permit, id).await?;
        let product = app.catalog.product(offer.product).await?;
        let product = product.ok_or(Error::OfferNotFound(id))?;
        let institution = app.registry.account_of(offer.institution).await;
        let institution = institution.ok().flatten();
        Ok(Self {
            app,
            person,
            offer,
            institution: institution.map_or_else(String::new, |account| account.name),
            product: product.name.clone(),
            currency: product.currency,
        })
    }

    pub(super) fn path(&self) -> String {
        format!("/checkout/{}", self.offer.id)
    }

    fn amount(&self, sent: &str) -> Result<Money, Failed> {
        let digits = sent.split(' ').next().unwrap_or_default();
        let amount = Money::parse(digits, self.currency);
        amount.map_err(|error| {
            let kind = crate::problem::Kind::QuoteInvalid;
            crate::problem::Problem::new(kind, error.to_string()).into()
        })
    }

    /// The page with a fresh quote, and what stands against confirming it.
    pub(super) async fn quoted(
        &self,
        wrong: Option<String>,
        blocked: Option<Notice>,
    ) -> Result<Checkout, Failed> {
        let t = self.person.visit.t();
        let quote = match self
            .app
            .orders
            .quote(&self.person.permit, self.offer.id, QuoteContext::default())
            .await
        {
            Ok(quote) => quote,
            Err(Error::OfferNotAvailable(sentence) | Error::AmountOutOfRange(sentence)) => {
                let notice = Notice::new(Tone::Warning, sentence).titled(t.no_quote);
                return Ok(self.page(None, CheckoutState::Blocked(notice)));
            }
            Err(error) => return Err(error.into()),
        };
        let permit = &self.person.permit;
        let balance = self
            .app
            .payments
            .balance(permit, self.person.user, self.currency)
            .await?;
        let balance = Money::new(balance.available(), self.currency);
        let blocked = match blocked {
            Some(notice) => Some(notice),
            None => self.stands_against(&quote, balance).await?,
        };
        let accounts = super::bank_transfer::accounts(self.app, self.person).await?;
        let state = match blocked {
            Some(notice) => CheckoutState::Blocked(notice),
            None => CheckoutState::Ready {
                balance: Figure::money(balance),
                form: Box::new(self.form(&quote, wrong, self.methods(&quote, balance, accounts))),
            },
        };
        let arrival = self.app.orders.expected_arrival(&quote).await?;
        Ok(self.page(Some(self.payable(&quote, arrival)), state))
    }

    async fn stands_against(
        &self,
        quote: &Quote,
        balance: Money,
    ) -> Result<Option<Notice>, Failed> {
        let t = self.person.visit.t();
        let here = self.path();
        if !self.app.auth.has_pin(&self.person.permit).await? {
            let notice = Notice::new(Tone::Info, t.pin_needed_text).titled(t.set_pin_title);
            return Ok(Some(notice.link(format!("/pin?next={here}"), t.set_pin)));
        }
        let pays = quote.kind != OrderKind::Redeem;
        let accounts = super::bank_transfer::accounts(self.app, self.person).await?;
        if pays && balance.minor < quote.amount.minor && accounts.is_empty() {
            return Ok(Some(self.too_small(balance, quote.amount)));
        }
        Ok(None)
    }

    fn too_small(&self, available: Money, requested: Money) -> Notice {
        let t = self.person.visit.t();
        let figures = [available, requested].map(|money| Figure::money(money).text());
        let text = fill(t.balance_too_small_text, &[&figures[0], &figures[1]]);
        let notice = Notice::new(Tone::Warning, text).titled(t.balance_too_small);
        notice.link(format!("/wallet?next={}", self.path()), t.go_top_up)
    }

    fn form(&self, quote: &Quote, wrong: Option<String>, methods: Vec<(String, String)>) -> Form {
        let t = self.person.visit.t();
        let total = Figure::money(quote.amount).text();
        let button = match quote.kind {
            OrderKind::Redeem => fill(t.confirm_redeem, &[&total]),
            OrderKind::Purchase | OrderKind::Pay => fill(t.confirm_pay, &[&total]),
        };
        let form = Form::new("confirm", self.path(), self.person.visit.csrf(), &button)
            .hidden("quote", &quote.token)
            .hidden("amount", quote.amount.to_string())
            .hidden("key", new_key(self.app));
        let form = if methods.is_empty() {
            form
        } else {
            form.field(Field::new("method", t.pay_from, Kind::Choice(methods)))
        };
        form.field(Field::new("pin", t.payment_pin, Kind::Pin).error(wrong))
    }

    fn payable(&self, quote: &Quote, arrival: Option<Arrival>) -> Payable {
        let t = self.person.visit.t();
        let (principal, total) = match quote.kind {
            OrderKind::Redeem => (t.redeem_worth, t.you_receive),
            OrderKind::Purchase | OrderKind::Pay => (t.pay_amount, t.you_pay),
        };
        let fee = |line| wording::fee(line, t);
        let notes = quote
            .notes
            .iter()
            .map(|e| (e.label.as_str(), e.value.as_str()));
        Payable {
            principal_label: principal.to_owned(),
            principal: Figure::money(quote.principal),
            units: quote.units_minor.map(|units| Figure::units(units, t.units)),
            fees: quote.lines.iter().map(fee).collect(),
            total_label: total.to_owned(),
            total: Figure::money(quote.amount),
            notes: Facts::new().with_entries(notes),
            arrival: arrival.map(|arrival| wording::arrival(arrival, t)),
            holds_until: fill(t.holds_until, &[&quote.expires_at.local()]),
        }
    }

    fn page(&self, payable: Option<Payable>, state: CheckoutState) -> Checkout {
        let terms = &self.offer.terms;
        let facts = terms
            .facts
            .iter()
            .map(|e| (e.label.as_str(), e.value.as_str()));
        Checkout {
            shell: self.person.visit.user_page(&terms.title, "").notice(None),
            title: terms.title.clone(),
            institution: self.institution.clone(),
            product: self.product.clone(),
            facts: Facts::new().with_entries(facts),
            payable,
            state,
        }
    }

    /// The page that says why it was not ordered. Nothing was charged.
    async fn refuse(&self, error: Error) -> Result<Response, Failed> {
        let t = self.person.visit.t();
        let notice = match error {
            Error::QuoteExpired(_) | Error::QuoteOutdated(_) => {
                let notice = Notice::new(Tone::Warning, t.quote_expired_text);
                let notice = notice
                    .titled(t.quote_expired)
                    .link(self.path(), t.fresh_quote);
                return refused(&self.page(None, CheckoutState::Blocked(notice)));
            }
            Error::Payment(Refusal::InsufficientFunds {
                available,
                requested,
                ..
            }) => match (available.asset, requested.asset) {
                (Asset::Currency(has), Asset::Currency(needs)) => self.too_small(
                    Money::new(available.minor, has),
                    Money::new(requested.minor, needs),
                ),
                _ => Notice::new(Tone::Warning, t.too_few_units).titled(t.balance_too_small),
            },
            error => return Err(error.into()),
        };
        refused(&self.quoted(None, Some(notice)).await?)
    }
}
