//! What operators see of custody: the check, the banks' statements, the cases.

use axum::extract::State;
use qiao_model::{CaseId, Channel, Day};
use qiao_settlement::{
    Case, CaseEnd, CaseState, ChannelCustody, CustodyCheck, DayCheck, Reconciliation,
};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::wire::{Listing, parse, time};
use crate::App;
use crate::extract::{Json, Operator, PathParam, Query};
use crate::problem::{Kind, Problem, ProblemBody};

/// Whose money there is, and where it is, in minor units.
#[derive(Serialize, ToSchema)]
pub(crate) struct CustodyBody {
    /// The currency's code.
    currency: String,
    /// Whether everything owed is at a bank, and every bank's statement of the newest
    /// closed day proves it.
    holds: bool,
    /// Why it does not hold, in words.
    doubts: Vec<String>,
    /// The newest day that is over.
    closed_day: String,
    /// What the books owe to anybody.
    owed_minor: i64,
    /// What the books say that banks keep.
    custody_minor: i64,
    /// People's balances.
    people_minor: i64,
    /// What institutions are owed for their orders.
    institutions_minor: i64,
    /// Fees of institutions, of the platform and of channels.
    fees_minor: i64,
    /// What banks advanced.
    advances_minor: i64,
    /// Money between two accounts.
    clearing_minor: i64,
    /// What institutions owe, less than zero.
    receivables_minor: i64,
    /// Play money.
    play_minor: i64,
    /// Each custody bank.
    channels: Vec<ChannelCustodyBody>,
}

/// What one bank keeps.
#[derive(Serialize, ToSchema)]
pub(crate) struct ChannelCustodyBody {
    /// The channel's code.
    channel: String,
    /// What the books say.
    books_minor: i64,
    /// What is on its way out.
    leaving_minor: i64,
    /// What top-ups under way may have brought it already.
    coming_minor: i64,
    /// What the bank says; none when it does not answer.
    bank_minor: Option<i64>,
    /// How the last day that was compared ended.
    last_day: Option<DayCheckBody>,
    /// Differences that nobody has ended.
    open_cases: i64,
}

/// How a day ended at a bank.
#[derive(Serialize, ToSchema)]
pub(crate) struct DayCheckBody {
    /// The comparison.
    reconciliation: ReconciliationBody,
    /// What the bank kept more than the books said, without what was in transit.
    difference_minor: i64,
    /// The sum of the cases that are open or written off: what explains it.
    cases_minor: i64,
    /// What no case explains.
    unexplained_minor: i64,
}

/// A day of a bank's statement against the books.
#[derive(Serialize, ToSchema)]
pub(crate) struct ReconciliationBody {
    /// The channel's code.
    channel: String,
    /// The day.
    day: String,
    /// The bank's balance when it began.
    bank_opening_minor: i64,
    /// The bank's balance when it ended.
    bank_closing_minor: i64,
    /// The books' balance when it ended.
    books_closing_minor: i64,
    /// What the books took in after the day.
    in_transit_minor: i64,
    /// Lines of the statement.
    lines: i64,
    /// Those that match.
    matched: i64,
    /// When it ran last.
    ran_at: String,
}

impl From<CustodyCheck> for CustodyBody {
    fn from(check: CustodyCheck) -> Self {
        Self {
            currency: check.currency.to_string(),
            holds: check.holds(),
            doubts: check.doubts().iter().map(ToString::to_string).collect(),
            closed_day: check.closed.to_string(),
            owed_minor: check.owed_minor(),
            custody_minor: check.custody_minor(),
            people_minor: check.people_minor,
            institutions_minor: check.institutions_minor,
            fees_minor: check.fees_minor,
            advances_minor: check.advances_minor,
            clearing_minor: check.clearing_minor,
            receivables_minor: check.receivables_minor,
            play_minor: check.play_minor,
            channels: check.channels.into_iter().map(Into::into).collect(),
        }
    }
}

impl From<ChannelCustody> for ChannelCustodyBody {
    fn from(custody: ChannelCustody) -> Self {
        Self {
            channel: custody.channel.to_string(),
            books_minor: custody.books_minor,
            leaving_minor: custody.leaving_minor,
            coming_minor: custody.coming_minor,
            bank_minor: custody.bank_minor,
            open_cases: custody.open_cases,
            last_day: custody.last_day.map(Into::into),
        }
    }
}

impl From<DayCheck> for DayCheckBody {
    fn from(day: DayCheck) -> Self {
        Self {
            difference_minor: day.difference_minor(),
            cases_minor: day.cases_minor,
            unexplained_minor: day.unexplained_minor(),
            reconciliation: day.run.into(),
        }
    }
}

impl From<Reconciliation> for ReconciliationBody {
    fn from(run: Reconciliation) -> Self {
        Self {
            channel: run.channel.to_string(),
            day: run.day.to_string(),
            bank_opening_minor: run.bank_opening,
            bank_closing_minor: run.bank_closing,
            books_closing_minor: run.books_closing,
            in_transit_minor: run.in_transit,
            lines: run.lines,
            matched: run.matched,
            ran_at: time(run.ran_at),
        }
    }
}

/// Whose money there is, and whether the banks keep it
#[utoipa::path(
    get,
    path = "/v1/custody",
    tag = "operator",
    security(("session" = [])),
    responses((status = 200, description = "As it is now", body = CustodyBody))
)]
pub(crate) async fn get_custody(
    State(app): State<App>,
    caller: Operator,
) -> Result<Json<CustodyBody>, Problem> {
    Ok(Json(app.settlement.custody(&caller.permit).await?.into()))
}

/// Which day of which bank.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct NewReconciliationBody {
    /// The channel's code.
    channel: String,
    /// The day, in Asia/Shanghai.
    #[schema(example = "2026-11-27")]
    day: String,
}

/// Hold a bank's statement of a day against the books, again if need be
#[utoipa::path(
    post,
    path = "/v1/reconciliations",
    tag = "operator",
    request_body = NewReconciliationBody,
    security(("session" = [], "csrf" = [])),
    responses(
        (status = 200, description = "What came of it", body = ReconciliationBody),
        (status = 404, description = "No such channel", content_type = "application/problem+json", body = ProblemBody),
        (status = 503, description = "The bank does not answer", content_type = "application/problem+json", body = ProblemBody),
    )
)]
pub(crate) async fn reconcile(
    State(app): State<App>,
    caller: Operator,
    Json(body): Json<NewReconciliationBody>,
) -> Result<Json<ReconciliationBody>, Problem> {
    let channel: Channel = parse(&body.channel)?;
    let day: Day = parse(&body.day)?;
    let run = app
        .settlement
        .reconcile(&caller.permit, channel, day)
        .await?;
    Ok(Json(run.into()))
}

/// The days that were compared
#[utoipa::path(
    get,
    path = "/v1/reconciliations",
    tag = "operator",
    security(("session" = [])),
    responses((status = 200, description = "Newest first, at most 100", body = Listing<ReconciliationBody>))
)]
pub(crate) async fn list_reconciliations(
    State(app): State<App>,
    caller: Operator,
) -> Result<Json<Listing<ReconciliationBody>>, Problem> {
    let runs = app.settlement.reconciliations(&caller.permit).await?;
    Ok(Json(Listing::of(runs)))
}

/// Which cases, newest first.
#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(crate) struct CasesQuery {
    /// Only those in this state: `open`, `matched`, `explained`, `corrected`, `written-off`.
    state: Option<String>,
    /// Only those before this one: `cse_…`.
    before: Option<String>,
}

/// A difference between a bank's statement and the books.
#[derive(Serialize, ToSchema)]
pub(crate) struct CaseBody {
    /// `cse_…`.
    id: String,
    /// The channel's code.
    channel: String,
    /// Of which day's statement.
    day: String,
    /// `missing-here`, `missing-there` or `amount-differs`.
    kind: &'static str,
    /// The platform's id of it: `btr_…`.
    transfer: Option<String>,
    /// The bank's id of it.
    bank_reference: Option<String>,
    /// What the bank's line does to custody.
    bank_minor: Option<i64>,
    /// What the books' transfer does to custody.
    books_minor: Option<i64>,
    /// `open`, `matched`, `explained`, `corrected` or `written-off`.
    state: &'static str,
    /// What the operator found.
    note: Option<String>,
    /// Which operator.
    actor: Option<String>,
    /// When it was opened.
    opened_at: String,
    /// When it changed last.
    changed_at: String,
}

impl From<Case> for CaseBody {
    fn from(case: Case) -> Self {
        Self {
            id: case.id.to_string(),
            channel: case.channel.to_string(),
            day: case.day.to_string(),
            kind: case.kind.name(),
            transfer: case.transfer,
            bank_reference: case.bank_reference,
            bank_minor: case.bank_minor,
            books_minor: case.books_minor,
            state: case.state.name(),
            note: case.note,
            actor: case.actor,
            opened_at: time(case.opened_at),
            changed_at: time(case.changed_at),
        }
    }
}

/// Differences between the banks' statements and the books
#[utoipa::path(
    get,
    path = "/v1/cases",
    tag = "operator",
    params(CasesQuery),
    security(("session" = [])),
    responses(
        (status = 200, description = "Newest first, at most 100", body = Listing<CaseBody>),
        (status = 422, description = "A parameter is not acceptable", content_type = "application/problem+json", body = ProblemBody),
    )
)]
pub(crate) async fn list_cases(
    State(app): State<App>,
    caller: Operator,
    Query(query): Query<CasesQuery>,
) -> Result<Json<Listing<CaseBody>>, Problem> {
    let state = query.state.as_deref().map(|name| {
        let known = CaseState::ALL
            .into_iter()
            .find(|state| state.name() == name);
        known.ok_or_else(|| Problem::new(Kind::Invalid, format!("`{name}` is no state of a case")))
    });
    let before: Option<CaseId> = query.before.as_deref().map(parse).transpose()?;
    let cases = app
        .settlement
        .cases(&caller.permit, state.transpose()?, before)
        .await?;
    Ok(Json(Listing::of(cases)))
}

/// How a case ends.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct CaseEndBody {
    /// `explained`, `corrected` or `written-off`.
    #[schema(example = "explained")]
    state: String,
    /// What was found, 1 to 500 characters.
    note: String,
}

/// End an open case
#[utoipa::path(
    post,
    path = "/v1/cases/{id}/end",
    tag = "operator",
    params(("id" = String, Path, description = "`cse_…`")),
    request_body = CaseEndBody,
    security(("session" = [], "csrf" = [])),
    responses(
        (status = 200, description = "It has ended", body = CaseBody),
        (status = 404, description = "No such case", content_type = "application/problem+json", body = ProblemBody),
        (status = 409, description = "It had ended", content_type = "application/problem+json", body = ProblemBody),
    )
)]
pub(crate) async fn end_case(
    State(app): State<App>,
    caller: Operator,
    PathParam(id): PathParam<CaseId>,
    Json(body): Json<CaseEndBody>,
) -> Result<Json<CaseBody>, Problem> {
    let end = CaseEnd::of_name(&body.state).ok_or_else(|| {
        let told = format!("`{}` ends no case", body.state);
        Problem::new(Kind::Invalid, told)
    })?;
    let case = app.settlement.end_case(&caller.permit, id, end, &body.note);
    Ok(Json(case.await?.into()))
}
