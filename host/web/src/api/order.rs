//! A person's way from an offer to a receipt.

use axum::extract::State;
use axum::http::StatusCode;
use axum::http::header::LOCATION;
use axum::response::IntoResponse;
use qiao_auth::Permit;
use qiao_banks::{BankTransfer, TransferState};
use qiao_catalog::fee::ChargedLine;
use qiao_model::{OfferId, OrderId, Secret};
use qiao_orders as orders;
use qiao_payments::Method;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::fee_schedule::payer_name;
use super::page::EntryBody;
use super::payment::MethodBody;
use super::wire::{Listing, MoneyBody, parse, time};
use crate::App;
use crate::checkout::{self, Agreement, Confirmed, PaidFrom};
use crate::extract::{Bearer, Json, PathParam, Query, SessionUser, scope};
use crate::idempotency::Keyed;
use crate::problem::{Kind, Problem, ProblemBody};

/// What a plugin proposed to a person.
#[derive(Serialize, ToSchema)]
pub(crate) struct OfferBody {
    /// `ofr_…`.
    id: String,
    /// `plg_…`.
    plugin: String,
    /// `ins_…`.
    institution: String,
    /// `prd_…`.
    product: String,
    /// `purchase`, `redeem` or `pay`.
    kind: &'static str,
    /// What is sold, in a sentence.
    title: String,
    /// What the person means to spend before fees on top.
    amount: Option<MoneyBody>,
    /// Units to give back, in hundredths.
    units_minor: Option<i64>,
    /// Facts looked up for the person.
    facts: Vec<EntryBody>,
    /// From when on it is refused.
    expires_at: String,
}

impl From<&orders::Offer> for OfferBody {
    fn from(offer: &orders::Offer) -> Self {
        let facts = offer.terms.facts.iter().cloned();
        Self {
            id: offer.id.to_string(),
            plugin: offer.plugin.to_string(),
            institution: offer.institution.to_string(),
            product: offer.product.to_string(),
            kind: offer.terms.kind.name(),
            title: offer.terms.title.clone(),
            amount: offer.terms.amount.map(MoneyBody::from),
            units_minor: offer.terms.units_minor,
            facts: facts.map(EntryBody::from).collect(),
            expires_at: time(offer.expires_at),
        }
    }
}

/// Which offer to price.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct NewQuoteBody {
    /// `ofr_…`.
    offer: String,
    /// How the person wants to pay; without it, from the balance.
    method: Option<NewMethodBody>,
}

/// How a person wants to pay.
#[derive(Deserialize, ToSchema)]
#[serde(tag = "type", rename_all = "snake_case", deny_unknown_fields)]
pub(crate) enum NewMethodBody {
    /// From the balance.
    Balance,
    /// From a linked bank account.
    Bank {
        /// `bnk_…`.
        link: String,
    },
}

impl NewMethodBody {
    async fn read(&self, app: &App, permit: &Permit) -> Result<Method, Problem> {
        let from = match self {
            Self::Balance => PaidFrom::Balance,
            Self::Bank { link } => PaidFrom::Link(parse(link)?),
        };
        Ok(from.method(app, permit).await?)
    }
}

/// A priced offer, which the person can confirm until it expires.
#[derive(Serialize, ToSchema)]
pub(crate) struct QuoteBody {
    /// The signed text that `POST /v1/orders` takes.
    token: String,
    /// What is paid in all; for a redemption, what is received.
    amount: MoneyBody,
    /// The price of the thing itself, before fees.
    principal: MoneyBody,
    /// Every fee.
    fees: Vec<FeeBody>,
    /// How it is paid; its channel's surcharge is among the fees.
    method: MethodBody,
    /// What the bank would be asked for; none where the balance pays.
    debit: Option<DebitBody>,
    /// Units bought or given back, in hundredths.
    units_minor: Option<i64>,
    /// The price of a unit in 1/10000 of the main unit.
    unit_price_e4: Option<i64>,
    /// When a redemption's money would arrive if it were confirmed now.
    arrival: Option<ArrivalBody>,
    /// Lines beside the fees.
    notes: Vec<EntryBody>,
    /// The fee schedule's version.
    schedule_version: u32,
    /// SHA-256 of the release that priced it.
    release_digest: String,
    /// What the plugin burnt.
    fuel: u64,
    /// From when on it is refused.
    expires_at: String,
}

/// What a bank would take from the person's account for an order.
#[derive(Serialize, ToSchema)]
pub(crate) struct DebitBody {
    /// `bnk_…`.
    link: String,
    /// The channel's code.
    channel: String,
    /// In all: the order's amount and the bank's fee.
    amount: MoneyBody,
    /// The bank's fee, which is no part of the order.
    fee: MoneyBody,
}

/// When a redemption's money arrives.
#[derive(Serialize, ToSchema)]
pub(crate) struct ArrivalBody {
    /// The day in Asia/Shanghai.
    day: String,
    /// `instant`, or `next_business_day` where the daily limit or the bank's
    /// advance does not reach.
    form: &'static str,
}

impl From<orders::Arrival> for ArrivalBody {
    fn from(arrival: orders::Arrival) -> Self {
        Self {
            day: arrival.day().to_string(),
            form: match arrival {
                orders::Arrival::Instant(_) => "instant",
                orders::Arrival::Later(_) => "next_business_day",
            },
        }
    }
}

/// One fee.
#[derive(Serialize, ToSchema)]
pub(crate) struct FeeBody {
    /// Its code in the schedule.
    code: String,
    /// What it is called.
    name: String,
    /// Who pays it: `user` on top, `user_inside` out of the principal, or `institution`.
    payer: &'static str,
    /// How much.
    amount: MoneyBody,
    /// Who gets how much of it.
    shares: Vec<FeeShareBody>,
}

/// What one receiver gets of a fee.
#[derive(Serialize, ToSchema)]
pub(crate) struct FeeShareBody {
    /// `institution`, `platform`, `channel`, `developer` or `scene`.
    receiver: &'static str,
    /// How much.
    amount: MoneyBody,
}

impl QuoteBody {
    async fn of(app: &App, permit: &Permit, quote: orders::Quote) -> Result<Self, Problem> {
        let arrival = app.orders.expected_arrival(&quote).await?;
        Ok(Self {
            arrival: arrival.map(ArrivalBody::from),
            debit: debit(app, permit, &quote).await?,
            method: quote.method.into(),
            token: quote.token,
            amount: quote.amount.into(),
            principal: quote.principal.into(),
            fees: fees(&quote.lines),
            units_minor: quote.units_minor,
            unit_price_e4: quote.unit_price_e4,
            notes: quote.notes.into_iter().map(EntryBody::from).collect(),
            schedule_version: quote.schedule_version,
            release_digest: quote.release_digest,
            fuel: quote.fuel,
            expires_at: time(quote.expires_at),
        })
    }
}

async fn debit(
    app: &App,
    permit: &Permit,
    quote: &orders::Quote,
) -> Result<Option<DebitBody>, Problem> {
    let PaidFrom::Link(link) = PaidFrom::of(quote.method) else {
        return Ok(None);
    };
    let debit = app
        .banks
        .expected_pay_in(permit, link, quote.amount)
        .await?;
    Ok(Some(DebitBody {
        link: link.to_string(),
        channel: debit.channel.to_string(),
        amount: debit.amount.into(),
        fee: debit.fee.into(),
    }))
}

fn fees(lines: &[ChargedLine]) -> Vec<FeeBody> {
    let fee = |line: &ChargedLine| FeeBody {
        code: line.code.clone(),
        name: line.name.clone(),
        payer: payer_name(line.payer),
        amount: line.amount.into(),
        shares: line
            .shares
            .iter()
            .map(|(receiver, share)| FeeShareBody {
                receiver: receiver.name(),
                amount: (*share).into(),
            })
            .collect(),
    };
    lines.iter().map(fee).collect()
}

/// What confirms a quote.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct NewOrderBody {
    /// The quote's token.
    quote: String,
    /// The amount that the person saw and agreed to: the quote's.
    amount: MoneyBody,
    /// The way to pay that the person saw, to be checked against the quote's; without
    /// it, whatever was quoted.
    method: Option<NewMethodBody>,
    /// The payment PIN.
    pin: String,
}

/// An order.
#[derive(Serialize, ToSchema)]
pub(crate) struct OrderBody {
    /// `ord_…`.
    id: String,
    /// `held`, `paid`, `unknown`, `completed`, `voided` or `refunded`.
    state: &'static str,
    /// `purchase`, `redeem` or `pay`.
    kind: &'static str,
    /// What is sold, in a sentence.
    title: String,
    /// Who ordered, as the institution knows them.
    subject: String,
    /// `ins_…`.
    institution: String,
    /// `plg_…`.
    plugin: String,
    /// `prd_…`.
    product: String,
    /// `pay_…`.
    payment: String,
    /// What is paid in all; for a redemption, what is received.
    amount: MoneyBody,
    /// The price of the thing itself, before fees.
    principal: MoneyBody,
    /// Every fee.
    fees: Vec<FeeBody>,
    /// Units bought or given back, in hundredths.
    units_minor: Option<i64>,
    /// When a redemption's money arrives or arrived; not told in a list.
    arrival: Option<ArrivalBody>,
    /// What the person keeps.
    receipt: Option<ReceiptBody>,
    /// Why it was rejected, or why its last call gave no answer.
    problem: Option<String>,
    /// When it was confirmed.
    confirmed_at: String,
    /// When anything of it changed.
    changed_at: String,
}

/// What the person keeps.
#[derive(Serialize, ToSchema)]
pub(crate) struct ReceiptBody {
    /// The institution's own number.
    number: String,
    /// Its lines.
    entries: Vec<EntryBody>,
}

impl From<orders::Order> for OrderBody {
    fn from(order: orders::Order) -> Self {
        let receipt = order.standing.receipt.map(|receipt| ReceiptBody {
            number: receipt.number,
            entries: receipt.entries.into_iter().map(EntryBody::from).collect(),
        });
        Self {
            id: order.id.to_string(),
            state: orders::state_name(order.standing.state),
            kind: order.quote.kind.name(),
            title: order.quote.title,
            subject: order.subject,
            institution: order.quote.institution.to_string(),
            plugin: order.quote.plugin.to_string(),
            product: order.quote.product.to_string(),
            payment: order.payment.to_string(),
            amount: order.quote.amount.into(),
            principal: order.quote.principal.into(),
            fees: fees(&order.quote.lines),
            units_minor: order.quote.units_minor,
            arrival: None,
            receipt,
            problem: order.standing.problem,
            confirmed_at: time(order.confirmed_at),
            changed_at: time(order.standing.changed_at),
        }
    }
}

/// An order with when its money arrives.
async fn whole(app: &App, order: orders::Order) -> Result<OrderBody, Problem> {
    let arrivals = app.orders.arrivals(&[order.id]).await?;
    let arrival = arrivals.get(&order.id).copied().map(ArrivalBody::from);
    Ok(OrderBody {
        arrival,
        ..order.into()
    })
}

/// Which orders, newest first.
#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(crate) struct OrdersQuery {
    /// Only those before this one: `ord_…`.
    before: Option<String>,
    /// At most so many, at most 100.
    limit: Option<u32>,
}

impl OrdersQuery {
    pub(super) fn page(&self) -> Result<orders::OrderPage, Problem> {
        let before = self.before.as_deref().map(parse).transpose()?;
        let limit = self.limit.unwrap_or(50).min(orders::ORDERS_PAGE_MAX);
        Ok(orders::OrderPage { before, limit })
    }
}

/// An offer that was made to the caller
#[utoipa::path(
    get,
    path = "/v1/offers/{id}",
    tag = "orders",
    params(("id" = String, Path, description = "`ofr_…`")),
    security(("session" = [])),
    responses(
        (status = 200, description = "The offer", body = OfferBody),
        (status = 404, description = "No such offer", content_type = "application/problem+json", body = ProblemBody),
    )
)]
pub(crate) async fn get_offer(
    State(app): State<App>,
    caller: SessionUser,
    PathParam(id): PathParam<OfferId>,
) -> Result<Json<OfferBody>, Problem> {
    let offer = app.orders.offer(&caller.permit, id).await?;
    Ok(Json(OfferBody::from(&offer)))
}

/// Price an offer: nothing is stored and no money moves
#[utoipa::path(
    post,
    path = "/v1/quotes",
    tag = "orders",
    request_body = NewQuoteBody,
    security(("session" = [], "csrf" = [])),
    responses(
        (status = 200, description = "The quote, to be confirmed until it expires", body = QuoteBody),
        (status = 404, description = "No such offer, or no such bank account of the caller", content_type = "application/problem+json", body = ProblemBody),
        (status = 409, description = "The account has to be linked again, or its bank cannot carry the amount now", content_type = "application/problem+json", body = ProblemBody),
        (status = 422, description = "The plugin does not sell it so, or it is not paid that way", content_type = "application/problem+json", body = ProblemBody),
    )
)]
pub(crate) async fn quote(
    State(app): State<App>,
    caller: SessionUser,
    Json(body): Json<NewQuoteBody>,
) -> Result<Json<QuoteBody>, Problem> {
    let offer: OfferId = parse(&body.offer)?;
    let method = match &body.method {
        Some(method) => method.read(&app, &caller.permit).await?,
        None => Method::Balance,
    };
    let context = orders::QuoteContext { method };
    let quote = app.orders.quote(&caller.permit, offer, context).await?;
    Ok(Json(QuoteBody::of(&app, &caller.permit, quote).await?))
}

/// Confirm a quote with the payment PIN: a quoted bank account is debited, the money is
/// held, the plugin fulfils, the money is posted or goes back
#[utoipa::path(
    post,
    path = "/v1/orders",
    tag = "orders",
    params(("idempotency-key" = String, Header, description = "At most 255 characters")),
    request_body = NewOrderBody,
    security(("session" = [], "csrf" = [])),
    responses(
        (status = 201, description = "The order, in the state that it has reached", body = OrderBody),
        (status = 402, description = "The balance is too small, or the bank does not move the money", content_type = "application/problem+json", body = ProblemBody),
        (status = 403, description = "The PIN is wrong", content_type = "application/problem+json", body = ProblemBody),
        (status = 409, description = "The first request with the key is in flight, or the bank has not moved the money yet: the same request again places the order once it has, while the quote holds; what arrives later is in the balance", content_type = "application/problem+json", body = ProblemBody),
        (status = 422, description = "The quote does not count, another way to pay was quoted, or the key was used with another body", content_type = "application/problem+json", body = ProblemBody),
    )
)]
pub(crate) async fn place_order(
    State(app): State<App>,
    caller: SessionUser,
    request: Keyed<NewOrderBody>,
) -> Result<impl IntoResponse, Problem> {
    // The kept hash leaves the PIN out: it would tell the six digits.
    let agreed = format!("{} {}", request.body.amount.minor, request.body.quote);
    let key = request.under_part(&caller.permit, agreed.as_bytes())?;
    let body = request.body;
    let method = match &body.method {
        Some(method) => Some(method.read(&app, &caller.permit).await?),
        None => None,
    };
    let agreement = Agreement {
        method,
        amount: body.amount.try_into()?,
        pin: Secret::new(body.pin),
        token: body.quote,
        key,
    };
    let by = (&caller.permit, &caller.session);
    let order = match checkout::confirm(&app, by, agreement).await? {
        Confirmed::Ordered(order) => *order,
        Confirmed::NotPaidIn(transfer) => return Err(not_paid_in(&transfer)),
    };
    let location = format!("/v1/orders/{}", order.id);
    Ok((
        StatusCode::CREATED,
        [(LOCATION, location)],
        Json(whole(&app, order).await?),
    ))
}

/// Why there is no order: the bank has not moved the money, or does not.
fn not_paid_in(transfer: &BankTransfer) -> Problem {
    let (id, state) = (transfer.id, transfer.standing.state);
    let kind = match state {
        TransferState::Rejected => Kind::BankRejected,
        TransferState::Requested
        | TransferState::Accepted
        | TransferState::Unknown
        | TransferState::Done => Kind::BankUnderWay,
    };
    let problem = Problem::new(kind, format!("bank transfer {id} is {state}"))
        .with("transfer", id.to_string())
        .with("state", state.name());
    match &transfer.standing.reason {
        Some(reason) => problem.with("reason", reason.as_str()),
        None => problem,
    }
}

/// The caller's orders
#[utoipa::path(
    get,
    path = "/v1/orders",
    tag = "orders",
    params(OrdersQuery),
    security(("session" = [])),
    responses((status = 200, description = "Newest first", body = Listing<OrderBody>))
)]
pub(crate) async fn list_orders(
    State(app): State<App>,
    caller: SessionUser,
    Query(query): Query<OrdersQuery>,
) -> Result<Json<Listing<OrderBody>>, Problem> {
    let orders = app
        .orders
        .list_for_user(&caller.permit, query.page()?)
        .await?;
    Ok(Json(Listing::of(orders)))
}

/// An order of the caller
#[utoipa::path(
    get,
    path = "/v1/orders/{id}",
    tag = "orders",
    params(("id" = String, Path, description = "`ord_…`")),
    security(("session" = [])),
    responses(
        (status = 200, description = "The order", body = OrderBody),
        (status = 404, description = "No such order", content_type = "application/problem+json", body = ProblemBody),
    )
)]
pub(crate) async fn get_order(
    State(app): State<App>,
    caller: SessionUser,
    PathParam(id): PathParam<OrderId>,
) -> Result<Json<OrderBody>, Problem> {
    let order = app.orders.get(&caller.permit, id).await?;
    let order =
        order.ok_or_else(|| Problem::new(Kind::NotFound, format!("there is no order {id}")))?;
    Ok(Json(whole(&app, order).await?))
}

/// The orders at the calling institution
#[utoipa::path(
    get,
    path = "/v1/institution/orders",
    tag = "orders",
    params(OrdersQuery),
    security(("bearer" = ["orders:read"])),
    responses((status = 200, description = "Newest first", body = Listing<OrderBody>))
)]
pub(crate) async fn list_institution_orders(
    State(app): State<App>,
    caller: Bearer<scope::OrdersRead>,
    Query(query): Query<OrdersQuery>,
) -> Result<Json<Listing<OrderBody>>, Problem> {
    let orders = app
        .orders
        .list_for_institution(&caller.permit, query.page()?)
        .await?;
    Ok(Json(Listing::of(orders)))
}

/// An order at the calling institution
#[utoipa::path(
    get,
    path = "/v1/institution/orders/{id}",
    tag = "orders",
    params(("id" = String, Path, description = "`ord_…`")),
    security(("bearer" = ["orders:read"])),
    responses(
        (status = 200, description = "The order", body = OrderBody),
        (status = 404, description = "No such order", content_type = "application/problem+json", body = ProblemBody),
    )
)]
pub(crate) async fn get_institution_order(
    State(app): State<App>,
    caller: Bearer<scope::OrdersRead>,
    PathParam(id): PathParam<OrderId>,
) -> Result<Json<OrderBody>, Problem> {
    let order = app.orders.get(&caller.permit, id).await?;
    let order =
        order.ok_or_else(|| Problem::new(Kind::NotFound, format!("there is no order {id}")))?;
    Ok(Json(whole(&app, order).await?))
}
