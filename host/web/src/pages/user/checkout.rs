use axum::extract::{Path, Query, State};
use axum::response::Response;
use qiao_auth::Error as AuthError;
use qiao_catalog::OrderKind;
use qiao_model::{Asset, Currency, Money, OfferId, Secret};
use qiao_orders::{Error, Offer, Quote, QuoteContext};
use qiao_payments::{IdempotencyKey, Method, Refusal};
use serde::Deserialize;

use super::bank_transfer;
use super::checkout_methods::{self as methods, Debit, Purse};
use super::wallet::new_key;
use crate::App;
use crate::checkout::{self, Agreement, Confirmed, Refused};
use crate::pages::failed::{Failed, page, refused, see};
use crate::pages::sent::Sent;
use crate::pages::text::fill;
use crate::pages::view::user::{Checkout, CheckoutState, MethodRow, Payable};
use crate::pages::view::{Facts, Field, Figure, Form, Kind, Notice, Tone};
use crate::pages::visit::Person;
use crate::pages::wording;

#[derive(Default, Deserialize)]
pub(super) struct Chosen {
    /// A linked account, or the balance; empty for what the host finds best.
    #[serde(default)]
    method: String,
}

/// `GET /checkout/{offer}`: a fresh quote for the chosen way to pay.
pub(super) async fn show(
    State(app): State<App>,
    person: Person,
    Path(offer): Path<String>,
    Query(chosen): Query<Chosen>,
) -> Result<Response, Failed> {
    let desk = match Desk::open(&app, &person, &offer, &chosen.method).await? {
        Ok(desk) => desk,
        Err(response) => return Ok(response),
    };
    page(&desk.quoted(None, None).await?)
}

#[derive(Default, Deserialize)]
pub(super) struct Yes {
    #[serde(default)]
    quote: String,
    #[serde(default)]
    amount: String,
    #[serde(default)]
    key: String,
    #[serde(default)]
    pin: String,
    /// The way to pay that the page showed.
    #[serde(default)]
    method: String,
}

/// `POST /checkout/{offer}`: the PIN, then the order. Sent twice, it is one order.
pub(super) async fn confirm(
    State(app): State<App>,
    person: Person,
    Path(offer): Path<String>,
    Sent(yes): Sent<Yes>,
) -> Result<Response, Failed> {
    let desk = match Desk::open(&app, &person, &offer, &yes.method).await? {
        Ok(desk) => desk,
        Err(response) => return Ok(response),
    };
    let amount = desk.amount(&yes.amount)?;
    // Of the quote and the amount alone: a stored hash of the PIN would tell it.
    let request = format!("POST {} {} {amount}", desk.path(), yes.quote);
    let key = IdempotencyKey::of(&person.permit, &yes.key, request.as_bytes())?;
    let agreement = Agreement {
        token: yes.quote,
        amount,
        method: desk.chosen,
        pin: Secret::new(yes.pin),
        key,
    };
    let by = (&person.permit, &person.session);
    match checkout::confirm(&app, by, agreement).await {
        Ok(Confirmed::Ordered(order)) => see(format!("/orders/{}", order.id)),
        Ok(Confirmed::NotPaidIn(transfer)) => see(format!("/banks/transfers/{}", transfer.id)),
        Err(Refused::Auth(error)) => desk.refuse_pin(error).await,
        Err(Refused::Orders(error)) => desk.refuse(error).await,
        Err(Refused::Banks(error)) => desk.refuse_bank(error).await,
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
        pays: true,
        methods: Vec::new(),
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
    pub(super) currency: Currency,
    /// How the person wants to pay; none where they have not chosen.
    chosen: Option<Method>,
}

impl<'a> Desk<'a> {
    async fn open(
        app: &'a App,
        person: &'a Person,
        offer: &str,
        chosen: &str,
    ) -> Result<Result<Self, Response>, Failed> {
        let mut desk = match Self::of_offer(app, person, offer).await {
            Ok(desk) => desk,
            Err(Error::OfferExpired(_)) => return Ok(Err(gone(person)?)),
            Err(error) => return Err(error.into()),
        };
        let Some(from) = methods::chosen(chosen)? else {
            return Ok(Ok(desk));
        };
        match from.method(app, &person.permit).await {
            Ok(method) => desk.chosen = Some(method),
            Err(error) => return Ok(Err(desk.refuse_bank(error).await?)),
        }
        Ok(Ok(desk))
    }

    async fn of_offer(app: &'a App, person: &'a Person, offer: &str) -> Result<Self, Error> {
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
            chosen: None,
        })
    }

    pub(super) fn path(&self) -> String {
        format!("/checkout/{}", self.offer.id)
    }

    /// Where the price for that way to pay is.
    pub(super) fn path_for(&self, method: Method) -> String {
        format!("{}?method={}", self.path(), methods::text(method))
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
        let purse = Purse::of(self).await?;
        let quote = match self.fresh_quote(&purse).await {
            Ok(quote) => quote,
            Err(Error::OfferNotAvailable(sentence) | Error::AmountOutOfRange(sentence)) => {
                let notice = Notice::new(Tone::Warning, sentence).titled(t.no_quote);
                return Ok(self.page(None, Vec::new(), CheckoutState::Blocked(notice)));
            }
            Err(error) => return Err(error.into()),
        };
        let debit = purse.debit(self, &quote).await?;
        let blocked = match blocked {
            Some(notice) => Some(notice),
            None => self.stands_against(&quote, &purse, &debit).await?,
        };
        let state = match blocked {
            Some(notice) => CheckoutState::Blocked(notice),
            None => CheckoutState::Ready(Box::new(self.form(&quote, wrong))),
        };
        let payable = Payable {
            debit: purse.debited(&debit, t),
            ..self.payable(&quote).await?
        };
        let mut methods = purse.rows(self, &quote);
        if matches!(state, CheckoutState::Blocked(_)) && methods.len() < 2 {
            methods.clear();
        }
        Ok(self.page(Some(payable), methods, state))
    }

    /// Quotes for what was chosen; without a choice for the balance, and where that
    /// is too little, for the first account.
    async fn fresh_quote(&self, purse: &Purse) -> Result<Quote, Error> {
        if let Some(method) = self.chosen {
            return self.quote_for(method).await;
        }
        let of_balance = self.quote_for(Method::Balance).await?;
        let is_short = pays(of_balance.kind) && purse.balance.minor < of_balance.amount.minor;
        match purse.first_account().filter(|_| is_short) {
            Some(account) => self.quote_for(account).await,
            None => Ok(of_balance),
        }
    }

    async fn quote_for(&self, method: Method) -> Result<Quote, Error> {
        let context = QuoteContext { method };
        let permit = &self.person.permit;
        self.app.orders.quote(permit, self.offer.id, context).await
    }

    async fn stands_against(
        &self,
        quote: &Quote,
        purse: &Purse,
        debit: &Debit,
    ) -> Result<Option<Notice>, Failed> {
        let t = self.person.visit.t();
        let here = self.path();
        if !self.app.auth.has_pin(&self.person.permit).await? {
            let notice = Notice::new(Tone::Info, t.pin_needed_text).titled(t.set_pin_title);
            return Ok(Some(notice.link(format!("/pin?next={here}"), t.set_pin)));
        }
        Ok(match debit {
            Debit::No if pays(quote.kind) && purse.balance.minor < quote.amount.minor => {
                Some(self.too_small(purse.balance, quote.amount))
            }
            Debit::Refused(sentence) => Some(Notice::new(Tone::Warning, sentence.clone())),
            Debit::No | Debit::Of(_) => None,
        })
    }

    fn too_small(&self, available: Money, requested: Money) -> Notice {
        let t = self.person.visit.t();
        let figures = [available, requested].map(|money| Figure::money(money).text());
        let text = fill(t.balance_too_small_text, &[&figures[0], &figures[1]]);
        let notice = Notice::new(Tone::Warning, text).titled(t.balance_too_small);
        notice.link(format!("/wallet?next={}", self.path()), t.go_top_up)
    }

    fn form(&self, quote: &Quote, wrong: Option<String>) -> Form {
        let t = self.person.visit.t();
        let total = Figure::money(quote.amount).text();
        let button = match quote.kind {
            OrderKind::Redeem => fill(t.confirm_redeem, &[&total]),
            OrderKind::Purchase | OrderKind::Pay => fill(t.confirm_pay, &[&total]),
        };
        Form::new("confirm", self.path(), self.person.visit.csrf(), &button)
            .hidden("quote", &quote.token)
            .hidden("amount", quote.amount.to_string())
            .hidden("method", methods::text(quote.method))
            .hidden("key", new_key(self.app))
            .field(Field::new("pin", t.payment_pin, Kind::Pin).error(wrong))
    }

    async fn payable(&self, quote: &Quote) -> Result<Payable, Failed> {
        let t = self.person.visit.t();
        let arrival = self.app.orders.expected_arrival(quote).await?;
        let (principal, total) = match quote.kind {
            OrderKind::Redeem => (t.redeem_worth, t.you_receive),
            OrderKind::Purchase | OrderKind::Pay => (t.pay_amount, t.you_pay),
        };
        let fee = |line| wording::fee(line, t);
        let notes = quote
            .notes
            .iter()
            .map(|e| (e.label.as_str(), e.value.as_str()));
        Ok(Payable {
            principal_label: principal.to_owned(),
            principal: Figure::money(quote.principal),
            units: quote.units_minor.map(|units| Figure::units(units, t.units)),
            fees: quote.lines.iter().map(fee).collect(),
            total_label: total.to_owned(),
            total: Figure::money(quote.amount),
            debit: None,
            notes: Facts::new().with_entries(notes),
            arrival: arrival.map(|arrival| wording::arrival(arrival, t)),
            holds_until: fill(t.holds_until, &[&quote.expires_at.local()]),
        })
    }

    fn page(
        &self,
        payable: Option<Payable>,
        methods: Vec<MethodRow>,
        state: CheckoutState,
    ) -> Checkout {
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
            pays: pays(terms.kind),
            methods,
            state,
        }
    }

    /// The page that says why the PIN does not count.
    async fn refuse_pin(&self, error: AuthError) -> Result<Response, Failed> {
        let t = self.person.visit.t();
        let view = match error {
            AuthError::WrongPin { tries_left } => {
                let wrong = fill(t.wrong_pin, &[&tries_left]);
                self.quoted(Some(wrong), None).await?
            }
            AuthError::PinLocked { until } => {
                let locked = fill(t.pin_locked, &[&until.local()]);
                let notice = Notice::new(Tone::Bad, locked).titled(t.pin_locked_title);
                self.quoted(None, Some(notice)).await?
            }
            AuthError::NoPin => self.quoted(None, None).await?,
            error => return Err(error.into()),
        };
        refused(&view)
    }

    /// The page that says why the bank was asked for nothing.
    async fn refuse_bank(&self, error: qiao_banks::Error) -> Result<Response, Failed> {
        let Some(sentence) = bank_transfer::refusal(&error, self.person.visit.t()) else {
            return Err(error.into());
        };
        let notice = Notice::new(Tone::Warning, sentence);
        refused(&self.quoted(None, Some(notice)).await?)
    }

    /// The page that says why it was not ordered. Nothing was charged.
    async fn refuse(&self, error: Error) -> Result<Response, Failed> {
        let t = self.person.visit.t();
        let notice = match error {
            Error::QuoteExpired(_) | Error::QuoteOutdated(_) => {
                let notice = Notice::new(Tone::Warning, t.quote_expired_text);
                return self.look_again(notice.titled(t.quote_expired));
            }
            Error::MethodDiffers { .. } => {
                let notice = Notice::new(Tone::Warning, t.method_differs_text);
                return self.look_again(notice.titled(t.method_differs));
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

    /// The page without a price, and the way to a fresh one.
    fn look_again(&self, notice: Notice) -> Result<Response, Failed> {
        let t = self.person.visit.t();
        let here = match self.chosen {
            Some(method) => self.path_for(method),
            None => self.path(),
        };
        let notice = notice.link(here, t.fresh_quote);
        refused(&self.page(None, Vec::new(), CheckoutState::Blocked(notice)))
    }
}

/// Whether an order takes money from the person.
pub(super) const fn pays(kind: OrderKind) -> bool {
    match kind {
        OrderKind::Purchase | OrderKind::Pay => true,
        OrderKind::Redeem => false,
    }
}
