use axum::extract::{Path, State};
use axum::response::Response;
use qiao_auth::Error as AuthError;
use qiao_model::{MandateId, OfferId, Secret};
use qiao_orders::{Error, MandateOffer};
use serde::Deserialize;

use crate::App;
use crate::pages::failed::{Failed, page, refused, see};
use crate::pages::sent::Sent;
use crate::pages::text::fill;
use crate::pages::view::user::{Consent, ConsentState};
use crate::pages::view::{Facts, Field, Form, Kind, Notice, Tone};
use crate::pages::visit::Person;
use crate::pages::wording;

/// `GET /consent/{offer}`
pub(super) async fn show(
    State(app): State<App>,
    person: Person,
    Path(offer): Path<String>,
) -> Result<Response, Failed> {
    match Desk::open(&app, &person, &offer).await {
        Ok(desk) => match desk.given().await? {
            Some(mandate) => see(format!("/mandates/{mandate}")),
            None => page(&desk.asked(None).await?),
        },
        Err(Error::OfferExpired(_)) => gone(&person),
        Err(error) => Err(error.into()),
    }
}

#[derive(Default, Deserialize)]
pub(super) struct Agreed {
    #[serde(default)]
    pin: String,
}

/// `POST /consent/{offer}`: the PIN, then the mandate. Sent twice, it is one mandate.
pub(super) async fn agree(
    State(app): State<App>,
    person: Person,
    Path(offer): Path<String>,
    Sent(sent): Sent<Agreed>,
) -> Result<Response, Failed> {
    let desk = match Desk::open(&app, &person, &offer).await {
        Ok(desk) => desk,
        Err(Error::OfferExpired(_)) => return gone(&person),
        Err(error) => return Err(error.into()),
    };
    if let Some(mandate) = desk.given().await? {
        return see(format!("/mandates/{mandate}"));
    }
    let t = person.visit.t();
    let pin = Secret::new(sent.pin);
    let proof = match app.auth.verify_pin(&person.permit, &pin).await {
        Ok(proof) => proof,
        Err(AuthError::WrongPin { tries_left }) => {
            let wrong = fill(t.wrong_pin, &[&tries_left]);
            return refused(&desk.asked(Some(wrong)).await?);
        }
        Err(AuthError::PinLocked { until }) => {
            let locked = fill(t.pin_locked, &[&until.local()]);
            let notice = Notice::new(Tone::Bad, locked).titled(t.pin_locked_title);
            return refused(&desk.page(ConsentState::Blocked(notice)));
        }
        Err(AuthError::NoPin) => return refused(&desk.asked(None).await?),
        Err(error) => return Err(error.into()),
    };
    let mandate = app
        .orders
        .agree(&person.permit, desk.offer.id, proof)
        .await?;
    see(format!("/mandates/{}?note=mandate-given", mandate.id))
}

fn gone(person: &Person) -> Result<Response, Failed> {
    let t = person.visit.t();
    let notice = Notice::new(Tone::Warning, t.offer_gone).link("/", t.go_home);
    refused(&Consent {
        shell: person.visit.user_page(t.consent, ""),
        title: t.consent.to_owned(),
        institution: String::new(),
        product: String::new(),
        purpose: String::new(),
        limits: Facts::new(),
        facts: Facts::new(),
        state: ConsentState::Blocked(notice),
    })
}

/// The offer of one mandate to one person.
struct Desk<'a> {
    app: &'a App,
    person: &'a Person,
    offer: MandateOffer,
    institution: String,
    product: String,
}

impl<'a> Desk<'a> {
    async fn open(app: &'a App, person: &'a Person, offer: &str) -> Result<Self, Error> {
        // A text that is no id names no offer; the nil id belongs to nobody.
        let id = offer.parse().unwrap_or(OfferId::from_u128(0));
        let offer = app.orders.mandate_offer(&person.permit, id).await?;
        let product = match offer.product() {
            Some(product) => app.catalog.product(product).await?,
            None => None,
        };
        let institution = app.registry.account_of(offer.institution).await;
        let institution = institution.ok().flatten();
        Ok(Self {
            app,
            person,
            offer,
            institution: institution.map_or_else(String::new, |account| account.name),
            product: product.map_or_else(String::new, |product| product.name.clone()),
        })
    }

    /// The mandate that was made of the offer, whatever became of it: an offer asks once.
    async fn given(&self) -> Result<Option<MandateId>, Failed> {
        let mandate = self.offer.mandate();
        let given = self
            .app
            .payments
            .mandate(&self.person.permit, mandate)
            .await?;
        Ok(given.map(|given| given.id))
    }

    /// The page with the form, or with what stands against it.
    async fn asked(&self, wrong: Option<String>) -> Result<Consent, Failed> {
        let t = self.person.visit.t();
        let here = format!("/consent/{}", self.offer.id);
        if !self.app.auth.has_pin(&self.person.permit).await? {
            let notice = Notice::new(Tone::Info, t.pin_needed_text).titled(t.set_pin_title);
            let notice = notice.link(format!("/pin?next={here}"), t.set_pin);
            return Ok(self.page(ConsentState::Blocked(notice)));
        }
        let form = Form::new("consent", here, self.person.visit.csrf(), t.consent_allow)
            .cancel("/", t.cancel)
            .field(Field::new("pin", t.payment_pin, Kind::Pin).error(wrong));
        Ok(self.page(ConsentState::Ready(Box::new(form))))
    }

    fn page(&self, state: ConsentState) -> Consent {
        let terms = &self.offer.terms;
        let t = self.person.visit.t();
        let facts = terms.facts.iter();
        let facts = facts.map(|e| (e.label.as_str(), e.value.as_str()));
        Consent {
            shell: self.person.visit.user_page(&terms.title, "").notice(None),
            title: terms.title.clone(),
            institution: self.institution.clone(),
            product: self.product.clone(),
            purpose: terms.purpose.clone(),
            limits: wording::mandate_limits(&self.offer.new_mandate().limits, t),
            facts: Facts::new().with_entries(facts),
            state,
        }
    }
}
