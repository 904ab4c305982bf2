//! Linked bank accounts, and money to and from them.

use axum::body::Bytes;
use axum::extract::State;
use axum::http::header::LOCATION;
use axum::http::{HeaderMap, StatusCode};
use axum::response::IntoResponse;
use qiao_banks::{
    BankChannel, BankLink, BankTransfer, CallbackHeaders, Direction, NewTopUp, NewWithdrawal,
    TRANSFERS_PAGE_MAX, TransferPage,
};
use qiao_events::{ID_HEADER, SIGNATURE_HEADER, TIMESTAMP_HEADER};
use qiao_model::{BankLinkId, BankTransferId, Channel, Money, Secret};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::wire::{Listing, MoneyBody, parse, time};
use crate::App;
use crate::extract::{Json, PathParam, Query, SessionUser};
use crate::idempotency::Keyed;
use crate::problem::{Kind, Problem, ProblemBody};

/// A bank channel.
#[derive(Serialize, ToSchema)]
pub(crate) struct BankChannelBody {
    /// Its code.
    code: String,
    /// What people read.
    name: String,
    /// `debit`, `credit` or `both`.
    abilities: &'static str,
    /// What a transfer costs whatever its amount, in minor units.
    cost_flat_minor: i64,
    /// What it costs of its amount, in parts per million.
    cost_ppm: i64,
    /// One transfer moves at most so many minor units.
    amount_max_minor: i64,
    /// `active` or `paused`.
    state: &'static str,
}

/// A linked bank account.
#[derive(Serialize, ToSchema)]
pub(crate) struct BankLinkBody {
    /// `bnk_…`.
    id: String,
    /// The channel's code.
    channel: String,
    /// The holder's name at the bank.
    name: String,
    /// Such as `**** 6789`.
    number_masked: String,
    /// `active` or `expired`: link it again.
    state: &'static str,
    /// When it was linked.
    linked_at: String,
}

/// Where to link an account.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct NewBankLinkBody {
    /// The channel's code.
    channel: String,
}

/// Where the person goes on.
#[derive(Serialize, ToSchema)]
pub(crate) struct AuthorizationBody {
    /// The bank's page; it sends the person back to this host.
    authorize_url: String,
}

/// Which way money goes.
#[derive(Clone, Copy, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum DirectionBody {
    /// From the bank to the balance.
    In,
    /// From the balance to the bank.
    Out,
}

/// A transfer to be made.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct NewBankTransferBody {
    /// Which way.
    direction: DirectionBody,
    /// `bnk_…`; without it the cheapest of the caller's accounts that works.
    link: Option<String>,
    /// What the balance gets, or the account.
    amount: MoneyBody,
    /// The payment PIN, for `out`.
    pin: Option<String>,
}

/// A transfer to or from a bank.
#[derive(Serialize, ToSchema)]
pub(crate) struct BankTransferBody {
    /// `btr_…`.
    id: String,
    /// `bank-top-up`, `bank-payment`, `withdrawal`, `payout`, `advance` or `advance-return`.
    purpose: &'static str,
    /// The channel that carries it.
    channel: String,
    /// The linked account.
    link: Option<String>,
    /// What the bank moves.
    amount: MoneyBody,
    /// What the channel takes.
    fee: MoneyBody,
    /// `requested`, `unknown`, `accepted`, `done` or `rejected`.
    state: &'static str,
    /// Why it is unknown or rejected.
    reason: Option<String>,
    /// The bank's own id of it.
    bank_reference: Option<String>,
    /// The payment on the books; there once money is held or moved.
    payment: String,
    /// How often the bank was asked.
    attempt: u32,
    /// When it is asked next; none when it has ended, or waits for an operator.
    next_at: Option<String>,
    /// When it was asked for.
    requested_at: String,
    /// When the bank booked it.
    booked_at: Option<String>,
}

impl From<BankChannel> for BankChannelBody {
    fn from(channel: BankChannel) -> Self {
        Self {
            code: channel.code.to_string(),
            name: channel.name,
            abilities: channel.abilities.name(),
            cost_flat_minor: channel.cost.flat_minor,
            cost_ppm: channel.cost.rate.ppm(),
            amount_max_minor: channel.amount_max_minor,
            state: channel.state.name(),
        }
    }
}

impl From<BankLink> for BankLinkBody {
    fn from(link: BankLink) -> Self {
        Self {
            id: link.id.to_string(),
            channel: link.channel.to_string(),
            name: link.name,
            number_masked: link.number_masked,
            state: link.state.name(),
            linked_at: time(link.linked_at),
        }
    }
}

impl From<BankTransfer> for BankTransferBody {
    fn from(transfer: BankTransfer) -> Self {
        let (route, standing) = (transfer.route, transfer.standing);
        Self {
            id: transfer.id.to_string(),
            purpose: transfer.purpose.name(),
            channel: route.channel.to_string(),
            link: route.link.map(|link| link.to_string()),
            amount: route.amount.into(),
            fee: route.fee.into(),
            state: standing.state.name(),
            reason: standing.reason,
            bank_reference: standing.bank_reference,
            payment: route.payment.to_string(),
            attempt: standing.attempt,
            next_at: standing.next_at.map(time),
            requested_at: time(transfer.requested_at),
            booked_at: standing.booked_at.map(time),
        }
    }
}

/// The banks that an account can be linked at
#[utoipa::path(
    get,
    path = "/v1/bank-channels",
    tag = "banks",
    security(("session" = [])),
    responses((status = 200, description = "By priority", body = Listing<BankChannelBody>))
)]
pub(crate) async fn list_channels(
    State(app): State<App>,
    _caller: SessionUser,
) -> Result<Json<Listing<BankChannelBody>>, Problem> {
    Ok(Json(Listing::of(app.banks.channels().await?)))
}

/// The caller's linked accounts
#[utoipa::path(
    get,
    path = "/v1/bank-links",
    tag = "banks",
    security(("session" = [])),
    responses((status = 200, description = "Oldest first", body = Listing<BankLinkBody>))
)]
pub(crate) async fn list_links(
    State(app): State<App>,
    caller: SessionUser,
) -> Result<Json<Listing<BankLinkBody>>, Problem> {
    Ok(Json(Listing::of(app.banks.links(&caller.permit).await?)))
}

/// Begin to link an account: the caller's browser goes to the bank and comes back
#[utoipa::path(
    post,
    path = "/v1/bank-links",
    tag = "banks",
    request_body = NewBankLinkBody,
    security(("session" = [], "csrf" = [])),
    responses(
        (status = 201, description = "Where the person goes on", body = AuthorizationBody),
        (status = 404, description = "No such channel", content_type = "application/problem+json", body = ProblemBody),
        (status = 502, description = "The bank does not answer", content_type = "application/problem+json", body = ProblemBody),
    )
)]
pub(crate) async fn begin_link(
    State(app): State<App>,
    caller: SessionUser,
    Json(body): Json<NewBankLinkBody>,
) -> Result<(StatusCode, Json<AuthorizationBody>), Problem> {
    let channel: Channel = parse(&body.channel)?;
    let session = caller.session.id();
    let begun = app.banks.begin_link(&caller.permit, session, channel, "");
    let body = AuthorizationBody {
        authorize_url: begun.await?.url.to_string(),
    };
    Ok((StatusCode::CREATED, Json(body)))
}

/// Unlink an account; its tokens are revoked at the bank
#[utoipa::path(
    delete,
    path = "/v1/bank-links/{id}",
    tag = "banks",
    params(("id" = String, Path, description = "`bnk_…`")),
    security(("session" = [], "csrf" = [])),
    responses(
        (status = 204, description = "It is unlinked"),
        (status = 404, description = "The caller has no such link", content_type = "application/problem+json", body = ProblemBody),
    )
)]
pub(crate) async fn unlink(
    State(app): State<App>,
    caller: SessionUser,
    PathParam(id): PathParam<BankLinkId>,
) -> Result<StatusCode, Problem> {
    app.banks.unlink(&caller.permit, id).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Move money between the caller's bank and balance
#[utoipa::path(
    post,
    path = "/v1/bank-transfers",
    tag = "banks",
    params(("idempotency-key" = String, Header, description = "At most 255 characters")),
    request_body = NewBankTransferBody,
    security(("session" = [], "csrf" = [])),
    responses(
        (status = 201, description = "It is stored; its state says how far it is", body = BankTransferBody),
        (status = 402, description = "The balance is too small", content_type = "application/problem+json", body = ProblemBody),
        (status = 409, description = "No channel can carry it, the link is over, or the key is in flight", content_type = "application/problem+json", body = ProblemBody),
    )
)]
pub(crate) async fn request_transfer(
    State(app): State<App>,
    caller: SessionUser,
    request: Keyed<NewBankTransferBody>,
) -> Result<impl IntoResponse, Problem> {
    let body = &request.body;
    let link: Option<BankLinkId> = body.link.as_deref().map(parse).transpose()?;
    let amount: Money = body.amount.clone().try_into()?;
    let (direction, word) = match body.direction {
        DirectionBody::In => (Direction::In, "in"),
        DirectionBody::Out => (Direction::Out, "out"),
    };
    // The kept hash leaves the PIN out: it would tell the six digits.
    let account = body.link.as_deref().unwrap_or_default();
    let asked = format!("{word} {amount} {account}");
    let key = request.under_part(&caller.permit, asked.as_bytes())?;
    let permit = &caller.permit;
    let transfer = match direction {
        Direction::In => {
            app.banks
                .top_up(permit, NewTopUp { link, amount, key })
                .await?
        }
        Direction::Out => {
            let pin = Secret::new(request.body.pin.unwrap_or_default());
            let pin = (app.auth)
                .verify_pin_in_session(permit, &caller.session, &pin)
                .await?;
            let new = NewWithdrawal {
                link,
                amount,
                pin,
                key,
            };
            app.banks.withdraw(permit, new).await?
        }
    };
    let location = format!("/v1/bank-transfers/{}", transfer.id);
    let body = BankTransferBody::from(transfer);
    Ok((StatusCode::CREATED, [(LOCATION, location)], Json(body)))
}

/// Which transfers, newest first.
#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(crate) struct BankTransfersQuery {
    /// Only those before this one.
    before: Option<String>,
    /// At most so many, at most 100.
    limit: Option<usize>,
}

impl BankTransfersQuery {
    pub(super) fn page(&self) -> Result<TransferPage, Problem> {
        Ok(TransferPage {
            before: self.before.as_deref().map(parse).transpose()?,
            limit: self.limit.unwrap_or(TRANSFERS_PAGE_MAX),
        })
    }
}

/// The caller's transfers
#[utoipa::path(
    get,
    path = "/v1/bank-transfers",
    tag = "banks",
    params(BankTransfersQuery),
    security(("session" = [])),
    responses((status = 200, description = "Newest first", body = Listing<BankTransferBody>))
)]
pub(crate) async fn list_transfers(
    State(app): State<App>,
    caller: SessionUser,
    Query(query): Query<BankTransfersQuery>,
) -> Result<Json<Listing<BankTransferBody>>, Problem> {
    let transfers = app.banks.transfers(&caller.permit, query.page()?).await?;
    Ok(Json(Listing::of(transfers)))
}

/// One of the caller's transfers
#[utoipa::path(
    get,
    path = "/v1/bank-transfers/{id}",
    tag = "banks",
    params(("id" = String, Path, description = "`btr_…`")),
    security(("session" = [])),
    responses(
        (status = 200, description = "The transfer", body = BankTransferBody),
        (status = 404, description = "The caller has no such transfer", content_type = "application/problem+json", body = ProblemBody),
    )
)]
pub(crate) async fn get_transfer(
    State(app): State<App>,
    caller: SessionUser,
    PathParam(id): PathParam<BankTransferId>,
) -> Result<Json<BankTransferBody>, Problem> {
    let found = app.banks.transfer(&caller.permit, id).await?;
    let found = found
        .ok_or_else(|| Problem::new(Kind::NotFound, format!("there is no bank transfer {id}")))?;
    Ok(Json(found.into()))
}

/// Take a bank's word on a transfer; its signature (Standard Webhooks) is the permit
#[utoipa::path(
    post,
    path = "/v1/bank-callbacks/{channel}",
    tag = "banks",
    params(("channel" = String, Path, description = "The channel's code")),
    request_body(content = String, content_type = "application/json"),
    responses(
        (status = 204, description = "It is stored, with the money it moves"),
        (status = 401, description = "Not signed by the bank", content_type = "application/problem+json", body = ProblemBody),
        (status = 404, description = "No such channel or transfer", content_type = "application/problem+json", body = ProblemBody),
    )
)]
pub(crate) async fn take_callback(
    State(app): State<App>,
    PathParam(channel): PathParam<Channel>,
    headers: HeaderMap,
    body: Bytes,
) -> Result<StatusCode, Problem> {
    let text = |name: &str| {
        let value = headers.get(name).and_then(|value| value.to_str().ok());
        value.unwrap_or_default()
    };
    let signed = CallbackHeaders {
        id: text(ID_HEADER),
        timestamp: text(TIMESTAMP_HEADER),
        signature: text(SIGNATURE_HEADER),
    };
    app.banks.callback(channel, signed, &body).await?;
    Ok(StatusCode::NO_CONTENT)
}
