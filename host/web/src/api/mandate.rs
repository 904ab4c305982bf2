//! Standing permissions: people give and revoke them, institutions see their own.

use axum::extract::State;
use axum::http::StatusCode;
use axum::http::header::LOCATION;
use axum::response::IntoResponse;
use qiao_model::{MandateId, Money, OfferId, Secret, Timestamp};
use qiao_orders::MandateOffer;
use qiao_payments::{Mandate, SpendLimits};
use qiao_runtime::MandateTerms;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::page::EntryBody;
use super::payment::known;
use super::wire::{Listing, MoneyBody, parse, time};
use crate::App;
use crate::extract::{Bearer, Json, PathParam, Query, SessionUser, scope};
use crate::problem::{Kind, Problem, ProblemBody};

/// What a mandate allows. Days and months are those of Asia/Shanghai.
#[derive(Serialize, ToSchema)]
pub(crate) struct LimitsBody {
    /// One payment takes at most this much.
    per_payment: MoneyBody,
    /// All payments of a day take at most this much.
    per_day: Option<MoneyBody>,
    /// All payments of a month take at most this much.
    per_month: Option<MoneyBody>,
    /// At most so many payments in all.
    count: Option<u32>,
    /// `ins_…` of those that may be paid.
    payees: Vec<String>,
    /// `prd_…` of what may be paid for; none means anything of the payees.
    products: Vec<String>,
    /// From when on nothing may be taken.
    expires_at: String,
}

impl From<&SpendLimits> for LimitsBody {
    fn from(limits: &SpendLimits) -> Self {
        let money = |minor| MoneyBody::from(Money::new(minor, limits.currency));
        Self {
            per_payment: money(limits.per_payment),
            per_day: limits.per_day.map(money),
            per_month: limits.per_month.map(money),
            count: limits.count,
            payees: limits.payees.iter().map(ToString::to_string).collect(),
            products: limits.products.iter().map(ToString::to_string).collect(),
            expires_at: time(limits.expires_at),
        }
    }
}

/// A mandate that was proposed to a person.
#[derive(Serialize, ToSchema)]
pub(crate) struct MandateOfferBody {
    /// `ofr_…`.
    id: String,
    /// The plugin that may charge it: `plg_…`; none means the institution's servers.
    plugin: Option<String>,
    /// `ins_…`.
    institution: String,
    /// What it is called.
    title: String,
    /// What it is for, in a sentence.
    purpose: String,
    /// What it would allow.
    limits: LimitsBody,
    /// Facts beside it.
    facts: Vec<EntryBody>,
    /// From when on the offer is refused.
    expires_at: String,
}

impl From<&MandateOffer> for MandateOfferBody {
    fn from(offer: &MandateOffer) -> Self {
        let facts = offer.terms.facts.iter().cloned();
        Self {
            id: offer.id.to_string(),
            plugin: offer.plugin().map(|id| id.to_string()),
            institution: offer.institution.to_string(),
            title: offer.terms.title.clone(),
            purpose: offer.terms.purpose.clone(),
            limits: LimitsBody::from(&offer.new_mandate().limits),
            facts: facts.map(EntryBody::from).collect(),
            expires_at: time(offer.expires_at),
        }
    }
}

/// A mandate.
#[derive(Serialize, ToSchema)]
pub(crate) struct MandateBody {
    /// `mdt_…`.
    id: String,
    /// `active`, `revoked`, `expired` or `used-up`.
    state: &'static str,
    /// Who gave it, as the institution knows them.
    subject: String,
    /// The institution that may debit: `ins_…`.
    institution: String,
    /// Its one plugin that may: `plg_…`; none means the institution's servers.
    plugin: Option<String>,
    /// What it is called.
    title: String,
    /// What it is for, in a sentence.
    purpose: String,
    /// The plugin's own key for it.
    reference: String,
    /// What it allows.
    limits: LimitsBody,
    /// What was taken.
    usage: UsageBody,
    /// When it was given.
    created_at: String,
    /// When it was revoked.
    revoked_at: Option<String>,
}

/// What was taken by a mandate.
#[derive(Serialize, ToSchema)]
pub(crate) struct UsageBody {
    /// Payments that count: all but the voided ones.
    count: u32,
    /// In all, less what came back.
    total: MoneyBody,
    /// Today.
    today: MoneyBody,
    /// This month.
    this_month: MoneyBody,
}

fn body(app: &App, mandate: &Mandate) -> MandateBody {
    let now: Timestamp = app.env.now();
    let limits = &mandate.grant.limits;
    let usage = mandate.grant.usage.on(now.day());
    let money = |minor| MoneyBody::from(Money::new(minor, limits.currency));
    MandateBody {
        id: mandate.id.to_string(),
        state: mandate.state(now).name(),
        subject: app.auth.subject(mandate.institution, mandate.user),
        institution: mandate.institution.to_string(),
        plugin: mandate.plugin.map(|id| id.to_string()),
        title: mandate.title.clone(),
        purpose: mandate.purpose.clone(),
        reference: mandate.reference.clone(),
        limits: limits.into(),
        usage: UsageBody {
            count: usage.count,
            total: money(usage.minor),
            today: money(usage.day_minor),
            this_month: money(usage.month_minor),
        },
        created_at: time(mandate.created_at),
        revoked_at: mandate.revoked_at.map(time),
    }
}

/// Which mandates, newest first.
#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(crate) struct MandatesQuery {
    /// Only those before this one: `mdt_…`.
    before: Option<String>,
}

impl MandatesQuery {
    fn before(&self) -> Result<Option<MandateId>, Problem> {
        self.before.as_deref().map(parse).transpose()
    }
}

/// The offer of a mandate to the caller
#[utoipa::path(
    get,
    path = "/v1/mandate-offers/{id}",
    tag = "mandates",
    params(("id" = String, Path, description = "`ofr_…`")),
    security(("session" = [])),
    responses(
        (status = 200, description = "The offer", body = MandateOfferBody),
        (status = 404, description = "No such offer", content_type = "application/problem+json", body = ProblemBody),
    )
)]
pub(crate) async fn get_mandate_offer(
    State(app): State<App>,
    caller: SessionUser,
    PathParam(id): PathParam<OfferId>,
) -> Result<Json<MandateOfferBody>, Problem> {
    let offer = app.orders.mandate_offer(&caller.permit, id).await?;
    Ok(Json(MandateOfferBody::from(&offer)))
}

/// What institutions' servers propose to the caller
///
/// Neither given nor expired, newest first, at most 20. What a plugin offers is the answer
/// to the caller's own form and is not listed.
#[utoipa::path(
    get,
    path = "/v1/mandate-offers",
    tag = "mandates",
    security(("session" = [])),
    responses(
        (status = 200, description = "The offers", body = Listing<MandateOfferBody>),
    )
)]
pub(crate) async fn list_mandate_offers(
    State(app): State<App>,
    caller: SessionUser,
) -> Result<Json<Listing<MandateOfferBody>>, Problem> {
    let open = app.orders.mandate_proposals(&caller.permit).await?;
    Ok(Json(Listing::of(open.iter().map(MandateOfferBody::from))))
}

/// A mandate for plain money that an institution's servers propose.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct NewMandateOfferBody {
    /// To whom, as the institution knows them.
    subject: String,
    /// What it is called, at most 80 characters.
    title: String,
    /// What it is for, in a sentence of at most 200 characters.
    purpose: String,
    /// The institution's own key for it, at most 64 characters.
    #[serde(default)]
    reference: String,
    /// One charge takes at most this much.
    per_payment: MoneyBody,
    /// All charges of a day take at most this much.
    #[serde(default)]
    per_day: Option<MoneyBody>,
    /// All charges of a month take at most this much.
    #[serde(default)]
    per_month: Option<MoneyBody>,
    /// At most so many charges in all.
    #[serde(default)]
    count: Option<u32>,
    /// The last day on which it can be charged, in Asia/Shanghai.
    #[schema(example = "2027-11-30")]
    until: String,
}

impl NewMandateOfferBody {
    fn terms(self) -> Result<MandateTerms, Problem> {
        let per_payment: Money = self.per_payment.try_into()?;
        let minor = |limit: Option<MoneyBody>| {
            let Some(limit) = limit else { return Ok(None) };
            let limit: Money = limit.try_into()?;
            if limit.currency != per_payment.currency {
                let problem = "the limits of a mandate are of one currency";
                return Err(Problem::new(Kind::Invalid, problem));
            }
            Ok(Some(limit.minor))
        };
        Ok(MandateTerms {
            per_day: minor(self.per_day)?,
            per_month: minor(self.per_month)?,
            title: self.title,
            purpose: self.purpose,
            per_payment,
            count: self.count,
            until: parse(&self.until)?,
            reference: self.reference,
            facts: Vec::new(),
        })
    }
}

/// A proposed mandate, and where it is given.
#[derive(Serialize, ToSchema)]
pub(crate) struct ProposedMandateBody {
    /// What the person is asked.
    offer: MandateOfferBody,
    /// Where the person reads it and gives it with the payment PIN.
    url: String,
    /// The mandate that it becomes, to be charged: `mdt_…`.
    mandate: String,
}

/// Propose a mandate for plain money: the person gives it, with the payment PIN, at the
/// page that the answer names, within seven days
#[utoipa::path(
    post,
    path = "/v1/institution/mandate-offers",
    tag = "mandates",
    request_body = NewMandateOfferBody,
    security(("bearer" = ["payments:charge"])),
    responses(
        (status = 201, description = "The offer, and where the person gives it", body = ProposedMandateBody),
        (status = 409, description = "20 of the institution's offers are open to this person", content_type = "application/problem+json", body = ProblemBody),
        (status = 422, description = "Nobody that the institution knows, or no such mandate can be", content_type = "application/problem+json", body = ProblemBody),
    )
)]
pub(crate) async fn propose_mandate(
    State(app): State<App>,
    caller: Bearer<scope::PaymentsCharge>,
    Json(body): Json<NewMandateOfferBody>,
) -> Result<impl IntoResponse, Problem> {
    let institution = caller.permit.demand_institution()?;
    let user = known(&app, institution, &body.subject).await?;
    let offer = app
        .orders
        .propose_mandate(&caller.permit, user, body.terms()?)
        .await?;
    let url = format!("{}/consent/{}", app.config.public_url, offer.id);
    let body = ProposedMandateBody {
        offer: MandateOfferBody::from(&offer),
        mandate: offer.mandate().to_string(),
        url: url.clone(),
    };
    Ok((StatusCode::CREATED, [(LOCATION, url)], Json(body)))
}

/// A person's yes to the offer of a mandate.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct NewMandateBody {
    /// `ofr_…`.
    offer: String,
    /// The payment PIN.
    pin: String,
}

/// Give the mandate of an offer, with the payment PIN: one offer, one mandate
#[utoipa::path(
    post,
    path = "/v1/mandates",
    tag = "mandates",
    request_body = NewMandateBody,
    security(("session" = [], "csrf" = [])),
    responses(
        (status = 201, description = "The mandate", body = MandateBody),
        (status = 403, description = "The PIN is wrong", content_type = "application/problem+json", body = ProblemBody),
        (status = 404, description = "No such offer", content_type = "application/problem+json", body = ProblemBody),
        (status = 422, description = "The offer has expired", content_type = "application/problem+json", body = ProblemBody),
    )
)]
pub(crate) async fn give_mandate(
    State(app): State<App>,
    caller: SessionUser,
    Json(sent): Json<NewMandateBody>,
) -> Result<impl IntoResponse, Problem> {
    let offer: OfferId = parse(&sent.offer)?;
    let pin = Secret::new(sent.pin);
    let proof = app.auth.verify_pin(&caller.permit, &pin).await?;
    let mandate = app.orders.agree(&caller.permit, offer, proof).await?;
    let location = format!("/v1/mandates/{}", mandate.id);
    let body = body(&app, &mandate);
    Ok((StatusCode::CREATED, [(LOCATION, location)], Json(body)))
}

/// The mandates that the caller gave
#[utoipa::path(
    get,
    path = "/v1/mandates",
    tag = "mandates",
    params(MandatesQuery),
    security(("session" = [])),
    responses((status = 200, description = "The newest first, at most 100", body = Listing<MandateBody>))
)]
pub(crate) async fn list_mandates(
    State(app): State<App>,
    caller: SessionUser,
    Query(query): Query<MandatesQuery>,
) -> Result<Json<Listing<MandateBody>>, Problem> {
    let (permit, user) = (&caller.permit, caller.session.user());
    let found = app.payments.mandates_of_user(permit, user, query.before()?);
    let found = found.await?;
    Ok(Json(Listing::of(found.iter().map(|m| body(&app, m)))))
}

/// A mandate that the caller gave
#[utoipa::path(
    get,
    path = "/v1/mandates/{id}",
    tag = "mandates",
    params(("id" = String, Path, description = "`mdt_…`")),
    security(("session" = [])),
    responses(
        (status = 200, description = "The mandate", body = MandateBody),
        (status = 404, description = "No such mandate", content_type = "application/problem+json", body = ProblemBody),
    )
)]
pub(crate) async fn get_mandate(
    State(app): State<App>,
    caller: SessionUser,
    PathParam(id): PathParam<MandateId>,
) -> Result<Json<MandateBody>, Problem> {
    let found = app.payments.mandate(&caller.permit, id).await?;
    let mandate = found.ok_or_else(|| missing(id))?;
    Ok(Json(body(&app, &mandate)))
}

/// Revoke a mandate: the next charge is refused
#[utoipa::path(
    delete,
    path = "/v1/mandates/{id}",
    tag = "mandates",
    params(("id" = String, Path, description = "`mdt_…`")),
    security(("session" = [], "csrf" = [])),
    responses(
        (status = 200, description = "The mandate, revoked", body = MandateBody),
        (status = 404, description = "No such mandate", content_type = "application/problem+json", body = ProblemBody),
    )
)]
pub(crate) async fn revoke_mandate(
    State(app): State<App>,
    caller: SessionUser,
    PathParam(id): PathParam<MandateId>,
) -> Result<Json<MandateBody>, Problem> {
    let mandate = app.payments.revoke_mandate(&caller.permit, id).await?;
    Ok(Json(body(&app, &mandate)))
}

/// The mandates by which the calling institution may debit
#[utoipa::path(
    get,
    path = "/v1/institution/mandates",
    tag = "mandates",
    params(MandatesQuery),
    security(("bearer" = ["payments:read"])),
    responses((status = 200, description = "The newest first, at most 100", body = Listing<MandateBody>))
)]
pub(crate) async fn list_institution_mandates(
    State(app): State<App>,
    caller: Bearer<scope::PaymentsRead>,
    Query(query): Query<MandatesQuery>,
) -> Result<Json<Listing<MandateBody>>, Problem> {
    let institution = caller.permit.demand_institution()?;
    let before = query.before()?;
    let found = app
        .payments
        .mandates_of_institution(&caller.permit, institution, before)
        .await?;
    Ok(Json(Listing::of(found.iter().map(|m| body(&app, m)))))
}

/// A mandate by which the calling institution may debit
#[utoipa::path(
    get,
    path = "/v1/institution/mandates/{id}",
    tag = "mandates",
    params(("id" = String, Path, description = "`mdt_…`")),
    security(("bearer" = ["payments:read"])),
    responses(
        (status = 200, description = "The mandate", body = MandateBody),
        (status = 404, description = "No such mandate", content_type = "application/problem+json", body = ProblemBody),
    )
)]
pub(crate) async fn get_institution_mandate(
    State(app): State<App>,
    caller: Bearer<scope::PaymentsRead>,
    PathParam(id): PathParam<MandateId>,
) -> Result<Json<MandateBody>, Problem> {
    let found = app.payments.mandate(&caller.permit, id).await?;
    let mandate = found.ok_or_else(|| missing(id))?;
    Ok(Json(body(&app, &mandate)))
}

fn missing(id: MandateId) -> Problem {
    Problem::new(Kind::NotFound, format!("there is no mandate {id}"))
}
