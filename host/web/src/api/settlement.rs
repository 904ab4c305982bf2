//! Settlement: statements of receivers, payouts, terms.

use axum::extract::State;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use qiao_model::{Currency, Day, InstitutionId, PayoutId, TransferId};
use qiao_payments::Party;
use qiao_settlement::{Line, NewTerms, Payout, Period, Statement, Terms};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::institution::ReasonBody;
use super::wire::{Listing, MoneyBody, parse, time};
use crate::App;
use crate::extract::{Bearer, Json, Operator, PathParam, Query, scope};
use crate::problem::{Kind, Problem, ProblemBody};

/// Payouts of one page when the caller does not say.
const PAYOUTS_DEFAULT: usize = 50;

/// Which account of the calling institution.
#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(crate) struct AccountQuery {
    /// `settlement`, `revenue`, `receivable` or `advance`.
    #[param(example = "settlement")]
    account: String,
}

/// Which receiver's account.
#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(crate) struct ReceiverQuery {
    /// `ins_…`, `ins_…/revenue`, `ins_…/receivable`, `ins_…/advance`, `platform`,
    /// `bank:<channel>` or `channel:<channel>`.
    #[param(example = "platform")]
    receiver: String,
}

/// Over which days, and which page.
#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(crate) struct PeriodQuery {
    /// A currency's code.
    #[param(example = "CNY")]
    currency: String,
    /// The first day, in Asia/Shanghai.
    #[param(example = "2026-11-01")]
    from: String,
    /// The last day, which counts; at most 366 days.
    #[param(example = "2026-11-30")]
    to: String,
    /// Where the page begins: `next` of the page before.
    cursor: Option<String>,
}

/// A receiver's account over a period, a page of it.
#[derive(Serialize, ToSchema)]
pub(crate) struct SettlementBody {
    /// Whose account.
    receiver: String,
    /// The currency's code.
    currency: String,
    /// The first day.
    from: String,
    /// The last day.
    to: String,
    /// The balance when the first day began.
    opening_minor: i64,
    /// Everything that came in.
    credited_minor: i64,
    /// Everything that went out.
    debited_minor: i64,
    /// The balance when the last day ended, or now while it lasts.
    closing_minor: i64,
    /// The newest line first.
    lines: Vec<SettlementLineBody>,
    /// Where the next page begins.
    next: Option<String>,
}

/// A movement of a receiver's account.
#[derive(Serialize, ToSchema)]
pub(crate) struct SettlementLineBody {
    /// `tra_…`.
    transfer: String,
    /// When.
    at: String,
    /// `payment`, `refund` or `payout`.
    kind: &'static str,
    /// `principal`, or the code of a fee line.
    purpose: String,
    /// `pay_…`.
    payment: Option<String>,
    /// `ord_…`.
    order: Option<String>,
    /// What the payer paid in all.
    gross_minor: Option<i64>,
    /// What of it went to fees.
    fees_minor: Option<i64>,
    /// What it did to the balance.
    change_minor: i64,
    /// The balance after it.
    balance_minor: i64,
    /// What people read about it.
    description: String,
}

impl From<Statement> for SettlementBody {
    fn from(statement: Statement) -> Self {
        Self {
            receiver: statement.of.to_string(),
            currency: statement.currency.to_string(),
            from: statement.period.from().to_string(),
            to: statement.period.to().to_string(),
            opening_minor: statement.opening_minor,
            credited_minor: statement.credited_minor,
            debited_minor: statement.debited_minor,
            closing_minor: statement.closing_minor,
            lines: statement.lines.into_iter().map(Into::into).collect(),
            next: statement.next.map(|id| id.to_string()),
        }
    }
}

impl From<Line> for SettlementLineBody {
    fn from(line: Line) -> Self {
        Self {
            transfer: line.transfer.to_string(),
            at: time(line.at),
            kind: line.kind.name(),
            purpose: line.purpose,
            payment: line.payment.map(|id| id.to_string()),
            order: line.order.map(|id| id.to_string()),
            gross_minor: line.gross_minor,
            fees_minor: line.fees_minor,
            change_minor: line.change_minor,
            balance_minor: line.balance_minor,
            description: line.description,
        }
    }
}

impl PeriodQuery {
    fn currency(&self) -> Result<Currency, Problem> {
        parse(&self.currency)
    }

    fn period(&self) -> Result<Period, Problem> {
        let from: Day = parse(&self.from)?;
        let to: Day = parse(&self.to)?;
        Ok(Period::new(from, to)?)
    }

    fn cursor(&self) -> Result<Option<TransferId>, Problem> {
        self.cursor.as_deref().map(parse).transpose()
    }
}

impl AccountQuery {
    fn party(&self, institution: InstitutionId) -> Result<Party, Problem> {
        match self.account.as_str() {
            "settlement" => Ok(Party::Institution(institution)),
            "revenue" => Ok(Party::Revenue(institution)),
            "receivable" => Ok(Party::Receivable(institution)),
            "advance" => Ok(Party::Advance(institution)),
            _ => Err(Problem::new(
                Kind::Invalid,
                "account is settlement, revenue, receivable or advance",
            )),
        }
    }
}

/// What came to one of the calling institution's accounts and what left it
#[utoipa::path(
    get,
    path = "/v1/settlements",
    tag = "settlement",
    params(AccountQuery, PeriodQuery),
    security(("bearer" = ["payments:read"])),
    responses(
        (status = 200, description = "Balances and a page of lines", body = SettlementBody),
        (status = 422, description = "A parameter is not acceptable", content_type = "application/problem+json", body = ProblemBody),
    )
)]
pub(crate) async fn get_settlement(
    State(app): State<App>,
    caller: Bearer<scope::PaymentsRead>,
    Query(account): Query<AccountQuery>,
    Query(query): Query<PeriodQuery>,
) -> Result<Json<SettlementBody>, Problem> {
    let party = account.party(caller.permit.demand_institution()?)?;
    let of = (party, query.currency()?);
    let (period, cursor) = (query.period()?, query.cursor()?);
    let statement = app.settlement.statement(&caller.permit, of, period, cursor);
    Ok(Json(statement.await?.into()))
}

/// The same as CSV, whole, the oldest line first
#[utoipa::path(
    get,
    path = "/v1/settlements.csv",
    tag = "settlement",
    params(AccountQuery, PeriodQuery),
    security(("bearer" = ["payments:read"])),
    responses(
        (status = 200, description = "RFC 4180, with the opening and the closing balance", content_type = "text/csv", body = String),
        (status = 422, description = "A parameter is not acceptable, or there are more than 50,000 lines", content_type = "application/problem+json", body = ProblemBody),
    )
)]
pub(crate) async fn get_settlement_csv(
    State(app): State<App>,
    caller: Bearer<scope::PaymentsRead>,
    Query(account): Query<AccountQuery>,
    Query(query): Query<PeriodQuery>,
) -> Result<Response, Problem> {
    let party = account.party(caller.permit.demand_institution()?)?;
    let of = (party, query.currency()?);
    let period = query.period()?;
    let statement = app.settlement.whole_statement(&caller.permit, of, period);
    csv(&statement.await?)
}

/// A statement as a file.
pub(crate) fn csv(statement: &Statement) -> Result<Response, Problem> {
    let period = statement.period;
    let name = format!("settlement-{}-{}.csv", period.from(), period.to());
    let attachment = HeaderValue::from_str(&format!("attachment; filename=\"{name}\""));
    let mut response = statement.csv()?.into_response();
    let headers = response.headers_mut();
    let kind = HeaderValue::from_static("text/csv; charset=utf-8");
    headers.insert(header::CONTENT_TYPE, kind);
    if let Ok(attachment) = attachment {
        headers.insert(header::CONTENT_DISPOSITION, attachment);
    }
    Ok(response)
}

/// What came to any receiver's account and what left it
#[utoipa::path(
    get,
    path = "/v1/receiver-settlements",
    tag = "operator",
    params(ReceiverQuery, PeriodQuery),
    security(("session" = [])),
    responses(
        (status = 200, description = "Balances and a page of lines", body = SettlementBody),
        (status = 422, description = "A parameter is not acceptable", content_type = "application/problem+json", body = ProblemBody),
    )
)]
pub(crate) async fn get_receiver_settlement(
    State(app): State<App>,
    caller: Operator,
    Query(receiver): Query<ReceiverQuery>,
    Query(query): Query<PeriodQuery>,
) -> Result<Json<SettlementBody>, Problem> {
    let of = (parse::<Party>(&receiver.receiver)?, query.currency()?);
    let (period, cursor) = (query.period()?, query.cursor()?);
    let statement = app.settlement.statement(&caller.permit, of, period, cursor);
    Ok(Json(statement.await?.into()))
}

/// Which payouts, newest first.
#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(crate) struct PayoutsQuery {
    /// Only those before this one: `pyo_…`.
    before: Option<String>,
    /// So many at most, at most 100.
    limit: Option<usize>,
}

/// What an institution gets on a day.
#[derive(Serialize, ToSchema)]
pub(crate) struct PayoutBody {
    /// `pyo_…`.
    id: String,
    /// `ins_…`.
    institution: String,
    /// `settlement` or `revenue`.
    source: &'static str,
    /// How much.
    amount: MoneyBody,
    /// The day that it is paid.
    day: String,
    /// Which part of the day's, from 1 on: a channel carries so much at once.
    part: u32,
    /// The last day whose credits it pays.
    through: String,
    /// `due`, `sent`, `unknown`, `paid` or `rejected`.
    state: &'static str,
    /// Why it waits or is rejected.
    reason: Option<String>,
    /// The bank's own id of it.
    bank_reference: Option<String>,
    /// When it was planned.
    created_at: String,
    /// When it changed last.
    changed_at: String,
}

impl From<Payout> for PayoutBody {
    fn from(payout: Payout) -> Self {
        Self {
            id: payout.id.to_string(),
            institution: payout.institution.to_string(),
            source: payout.source.name(),
            amount: payout.amount.into(),
            day: payout.day.to_string(),
            part: payout.part,
            through: payout.through.to_string(),
            state: payout.state.name(),
            reason: payout.reason,
            bank_reference: payout.bank_reference,
            created_at: time(payout.created_at),
            changed_at: time(payout.changed_at),
        }
    }
}

/// What the calling institution was paid
#[utoipa::path(
    get,
    path = "/v1/payouts",
    tag = "settlement",
    params(PayoutsQuery),
    security(("bearer" = ["payments:read"])),
    responses((status = 200, description = "Newest first", body = Listing<PayoutBody>))
)]
pub(crate) async fn list_payouts(
    State(app): State<App>,
    caller: Bearer<scope::PaymentsRead>,
    Query(query): Query<PayoutsQuery>,
) -> Result<Json<Listing<PayoutBody>>, Problem> {
    let institution = caller.permit.demand_institution()?;
    let before: Option<PayoutId> = query.before.as_deref().map(parse).transpose()?;
    let limit = query.limit.unwrap_or(PAYOUTS_DEFAULT);
    let payouts = app
        .settlement
        .payouts(&caller.permit, institution, before, limit)
        .await?;
    Ok(Json(Listing::of(payouts)))
}

/// Give up a payout that no bank was asked for; it is part of a later day's
#[utoipa::path(
    post,
    path = "/v1/payouts/{id}/give-up",
    tag = "operator",
    params(("id" = String, Path, description = "`pyo_…`")),
    request_body = ReasonBody,
    security(("session" = [], "csrf" = [])),
    responses(
        (status = 200, description = "It is rejected, with the reason", body = PayoutBody),
        (status = 404, description = "No such payout", content_type = "application/problem+json", body = ProblemBody),
        (status = 409, description = "A bank was or is being asked for it, or it has ended", content_type = "application/problem+json", body = ProblemBody),
        (status = 422, description = "The reason is missing", content_type = "application/problem+json", body = ProblemBody),
    )
)]
pub(crate) async fn give_up_payout(
    State(app): State<App>,
    caller: Operator,
    PathParam(id): PathParam<PayoutId>,
    Json(body): Json<ReasonBody>,
) -> Result<Json<PayoutBody>, Problem> {
    let given_up = app
        .settlement
        .give_up_payout(&caller.permit, id, &body.reason);
    Ok(Json(given_up.await?.into()))
}

/// When, where to and from how much on an institution is paid.
#[derive(Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct NewTermsBody {
    /// T+n in business days, 0 to 5.
    #[schema(example = 1)]
    days: u32,
    /// The number of its bank account: 1 to 34 letters and digits.
    #[schema(example = "6222029900000001")]
    account_number: String,
    /// Less than this waits for another day, in fen.
    #[schema(example = 10_000)]
    minimum_minor: i64,
}

/// An institution's terms.
#[derive(Serialize, ToSchema)]
pub(crate) struct TermsBody {
    /// `ins_…`.
    institution: String,
    /// T+n in business days.
    days: u32,
    /// The number of its bank account.
    account_number: String,
    /// Less than this waits for another day, in fen.
    minimum_minor: i64,
    /// `proposed` until an operator approves them, or `active`.
    state: &'static str,
    /// When they changed last.
    changed_at: String,
}

impl From<Terms> for TermsBody {
    fn from(terms: Terms) -> Self {
        Self {
            institution: terms.institution.to_string(),
            days: terms.says.days,
            account_number: terms.says.account_number,
            minimum_minor: terms.says.minimum_minor,
            state: terms.state.name(),
            changed_at: time(terms.changed_at),
        }
    }
}

/// When the calling institution is paid
#[utoipa::path(
    get,
    path = "/v1/settlement-terms",
    tag = "settlement",
    security(("bearer" = ["payments:read"])),
    responses(
        (status = 200, description = "Its terms", body = TermsBody),
        (status = 404, description = "It proposed none", content_type = "application/problem+json", body = ProblemBody),
    )
)]
pub(crate) async fn get_terms(
    State(app): State<App>,
    caller: Bearer<scope::PaymentsRead>,
) -> Result<Json<TermsBody>, Problem> {
    let institution = caller.permit.demand_institution()?;
    let terms = app.settlement.terms(&caller.permit, institution).await?;
    let missing = || Problem::new(Kind::NotFound, "no terms of settlement are set");
    Ok(Json(terms.ok_or_else(missing)?.into()))
}

/// Set when an institution is paid
#[utoipa::path(
    post,
    path = "/v1/institutions/{id}/settlement-terms",
    tag = "operator",
    params(("id" = String, Path, description = "`ins_…`")),
    request_body = NewTermsBody,
    security(("session" = [], "csrf" = [])),
    responses(
        (status = 200, description = "They hold", body = TermsBody),
        (status = 404, description = "No such institution", content_type = "application/problem+json", body = ProblemBody),
        (status = 422, description = "The terms cannot be", content_type = "application/problem+json", body = ProblemBody),
    )
)]
pub(crate) async fn set_terms(
    State(app): State<App>,
    caller: Operator,
    PathParam(id): PathParam<InstitutionId>,
    Json(body): Json<NewTermsBody>,
) -> Result<Json<TermsBody>, Problem> {
    if app.registry.institution(id).await?.is_none() {
        return Err(Problem::new(
            Kind::NotFound,
            format!("there is no institution {id}"),
        ));
    }
    let new = NewTerms {
        days: body.days,
        account_number: body.account_number,
        minimum_minor: body.minimum_minor,
    };
    let terms = app.settlement.set_terms(&caller.permit, id, new).await?;
    Ok(Json(terms.into()))
}

/// Let an institution's proposed terms hold
#[utoipa::path(
    post,
    path = "/v1/institutions/{id}/settlement-terms/approve",
    tag = "operator",
    params(("id" = String, Path, description = "`ins_…`")),
    security(("session" = [], "csrf" = [])),
    responses(
        (status = 204, description = "They hold"),
        (status = 404, description = "None wait for approval", content_type = "application/problem+json", body = ProblemBody),
    )
)]
pub(crate) async fn approve_terms(
    State(app): State<App>,
    caller: Operator,
    PathParam(id): PathParam<InstitutionId>,
) -> Result<StatusCode, Problem> {
    app.settlement.approve_terms(&caller.permit, id).await?;
    Ok(StatusCode::NO_CONTENT)
}
