//! Payments between accounts.

use axum::extract::State;
use axum::http::StatusCode;
use axum::http::header::LOCATION;
use axum::response::IntoResponse;
use qiao_model::{InstitutionId, PaymentId, Timestamp, UserId};
use qiao_payments::{
    HOLD_SECS_DEFAULT, Method, NewPayment, PAYMENTS_PAGE_MAX, Party, Payment, Split, VoidReason,
};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::wire::{MoneyBody, parse, time};
use crate::App;
use crate::extract::{Bearer, Json, PathParam, Query, scope};
use crate::idempotency::Keyed;
use crate::problem::{Kind, Problem, ProblemBody};

/// A payment from the calling institution's settlement account.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct NewPaymentBody {
    /// How much in all.
    amount: MoneyBody,
    /// Who gets it: 1 to 50 splits that sum to the amount.
    splits: Vec<NewSplitBody>,
    /// What people read about it, at most 200 characters.
    #[serde(default)]
    description: String,
    /// Whether the money moves at once or is held until it is captured.
    #[serde(default)]
    capture: CaptureBody,
    /// Seconds after which a hold ends by itself: 7 days unless said, 30 days at
    /// most. Only with `capture: "later"`.
    expires_in: Option<i64>,
}

/// When the receivers get the money.
#[derive(Clone, Copy, Default, PartialEq, Eq, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum CaptureBody {
    /// At once.
    #[default]
    Now,
    /// When the hold is captured.
    Later,
}

/// What one receiver gets.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct NewSplitBody {
    /// Who.
    receiver: ReceiverBody,
    /// How much.
    amount: MoneyBody,
    /// What for: `principal`, `commission`; at most 64 bytes.
    purpose: String,
}

/// Who gets money.
#[derive(Serialize, Deserialize, ToSchema)]
#[serde(tag = "type", rename_all = "snake_case", deny_unknown_fields)]
pub(crate) enum ReceiverBody {
    /// A person, as the calling institution knows them.
    User {
        /// `sub_…`.
        subject: String,
    },
    /// An institution's settlement account.
    Institution {
        /// `ins_…`.
        id: String,
    },
    /// An institution's own fees.
    Revenue {
        /// `ins_…`.
        id: String,
    },
    /// The platform's own fees.
    Platform,
    /// What an institution owes since a refund found it short; never named by a request.
    Receivable {
        /// `ins_…`.
        id: String,
    },
    /// What a bank advanced to an institution; never named by a request.
    Advance {
        /// `ins_…`.
        id: String,
    },
    /// What an institution sets aside for redemptions that are paid later; never named
    /// by a request.
    Clearing {
        /// `ins_…`.
        id: String,
    },
    /// A bank channel's custody; never named by a request.
    Bank {
        /// The channel's code.
        channel: String,
    },
    /// A bank channel's own fees; never named by a request.
    Channel {
        /// The channel's code.
        channel: String,
    },
    /// Play money of a sandbox; never named by a request.
    Sandbox,
}

/// A payment.
#[derive(Serialize, ToSchema)]
pub(crate) struct PaymentBody {
    /// `pay_…`.
    id: String,
    /// The order that it pays.
    order: Option<String>,
    /// Who pays.
    payer: ReceiverBody,
    /// How they pay.
    method: MethodBody,
    /// How much in all.
    amount: MoneyBody,
    /// Who gets it.
    splits: Vec<SplitBody>,
    /// What people read about it.
    description: String,
    /// `held`, `posted`, `voided`, `partly-refunded` or `refunded`.
    state: &'static str,
    /// When a hold ends by itself.
    expires_at: Option<String>,
    /// Why a hold was voided: `released` or `expired`.
    void_reason: Option<&'static str>,
    /// What the receivers got in all: less than the amount after a partial capture.
    captured: MoneyBody,
    /// What went back so far.
    refunded: MoneyBody,
    /// When it was made.
    created_at: String,
    /// When it changed last.
    changed_at: String,
}

/// How a payer pays.
#[derive(Serialize, ToSchema)]
#[serde(tag = "type", rename_all = "snake_case")]
pub(crate) enum MethodBody {
    /// From the balance on the books.
    Balance,
    /// From or to a linked bank account.
    Bank {
        /// The code of the channel that was chosen.
        channel: String,
    },
    /// By a standing permission.
    Mandate {
        /// `mdt_…`.
        id: String,
    },
}

impl From<Method> for MethodBody {
    fn from(method: Method) -> Self {
        match method {
            Method::Balance => Self::Balance,
            // Whose account it is stays between the person and the platform.
            Method::Bank { link: _, channel } => Self::Bank {
                channel: channel.to_string(),
            },
            Method::Mandate(id) => Self::Mandate { id: id.to_string() },
        }
    }
}

/// What one receiver gets.
#[derive(Serialize, ToSchema)]
pub(crate) struct SplitBody {
    /// Who.
    receiver: ReceiverBody,
    /// How much.
    amount: MoneyBody,
    /// What for.
    purpose: String,
}

/// A payment as one institution may see it: people by its own pseudonyms.
pub(super) fn seen_by(app: &App, institution: InstitutionId, payment: Payment) -> PaymentBody {
    let party = |party| receiver_seen_by(app, institution, party);
    let splits = payment.splits.into_iter().map(|split| SplitBody {
        receiver: party(split.receiver),
        amount: split.amount.into(),
        purpose: split.purpose.into_owned(),
    });
    PaymentBody {
        id: payment.id.to_string(),
        order: payment.order.map(|id| id.to_string()),
        payer: party(payment.payer),
        method: payment.method.into(),
        amount: payment.amount.into(),
        splits: splits.collect(),
        description: payment.description,
        state: payment.state.name(),
        expires_at: payment.expires_at.map(time),
        void_reason: payment.void_reason.map(VoidReason::name),
        captured: payment.captured.into(),
        refunded: payment.refunded.into(),
        created_at: time(payment.created_at),
        changed_at: time(payment.changed_at),
    }
}

fn receiver_seen_by(app: &App, institution: InstitutionId, party: Party) -> ReceiverBody {
    match party {
        Party::User(user) => ReceiverBody::User {
            subject: app.auth.subject(institution, user),
        },
        Party::Institution(id) => ReceiverBody::Institution { id: id.to_string() },
        Party::Revenue(id) => ReceiverBody::Revenue { id: id.to_string() },
        Party::Receivable(id) => ReceiverBody::Receivable { id: id.to_string() },
        Party::Advance(id) => ReceiverBody::Advance { id: id.to_string() },
        Party::Clearing(id) => ReceiverBody::Clearing { id: id.to_string() },
        Party::Bank(channel) => ReceiverBody::Bank {
            channel: channel.to_string(),
        },
        Party::Channel(channel) => ReceiverBody::Channel {
            channel: channel.to_string(),
        },
        Party::Platform => ReceiverBody::Platform,
        Party::Sandbox => ReceiverBody::Sandbox,
    }
}

/// Who gets what, as an institution names them.
pub(super) async fn read_splits(
    app: &App,
    institution: InstitutionId,
    bodies: Vec<NewSplitBody>,
) -> Result<Vec<Split>, Problem> {
    let mut splits = Vec::with_capacity(bodies.len());
    for split in bodies {
        splits.push(Split {
            receiver: receiver(app, institution, split.receiver).await?,
            amount: split.amount.try_into()?,
            purpose: split.purpose.into(),
        });
    }
    Ok(splits)
}

/// The person whom an institution knows by this subject.
pub(super) async fn known(
    app: &App,
    institution: InstitutionId,
    subject: &str,
) -> Result<UserId, Problem> {
    let user = app.auth.user_of_subject(institution, subject).await?;
    user.ok_or_else(|| {
        let problem = format!("`{subject}` is nobody that this institution knows");
        Problem::new(Kind::Invalid, problem)
    })
}

async fn receiver(
    app: &App,
    institution: InstitutionId,
    body: ReceiverBody,
) -> Result<Party, Problem> {
    match body {
        ReceiverBody::User { subject } => {
            let user = known(app, institution, &subject).await?;
            Ok(Party::User(user))
        }
        ReceiverBody::Institution { id } => {
            known_institution(app, &id).await.map(Party::Institution)
        }
        ReceiverBody::Revenue { id } => known_institution(app, &id).await.map(Party::Revenue),
        ReceiverBody::Platform => Ok(Party::Platform),
        ReceiverBody::Receivable { .. }
        | ReceiverBody::Advance { .. }
        | ReceiverBody::Clearing { .. }
        | ReceiverBody::Bank { .. }
        | ReceiverBody::Channel { .. }
        | ReceiverBody::Sandbox => Err(Problem::new(
            Kind::Invalid,
            "a request pays to users, institutions, revenue or the platform",
        )),
    }
}

/// Money sent to an id that nobody has would be lost.
pub(super) async fn known_institution(app: &App, text: &str) -> Result<InstitutionId, Problem> {
    let id = parse(text)?;
    if app.registry.is_institution(id).await? {
        return Ok(id);
    }
    let detail = format!("there is no institution {id}");
    Err(Problem::new(Kind::Invalid, detail))
}

/// Every hold that a request makes ends by itself: nobody else would release it.
fn expiry(
    capture: CaptureBody,
    expires_in: Option<i64>,
    now: Timestamp,
) -> Result<Option<Timestamp>, Problem> {
    match (capture, expires_in) {
        (CaptureBody::Now, None) => Ok(None),
        (CaptureBody::Now, Some(_)) => Err(Problem::new(
            Kind::Invalid,
            "only a payment that is captured later expires",
        )),
        (CaptureBody::Later, secs) => Ok(Some(now.plus_secs(secs.unwrap_or(HOLD_SECS_DEFAULT)))),
    }
}

/// Pay from the calling institution's settlement account, or hold the money there
#[utoipa::path(
    post,
    path = "/v1/payments",
    tag = "payments",
    params(("idempotency-key" = String, Header, description = "At most 255 characters")),
    request_body = NewPaymentBody,
    security(("bearer" = ["payments:write"])),
    responses(
        (status = 201, description = "The money is with the receivers, or held", body = PaymentBody),
        (status = 402, description = "The settlement account has too little", content_type = "application/problem+json", body = ProblemBody),
        (status = 409, description = "The first request with the key is in flight", content_type = "application/problem+json", body = ProblemBody),
        (status = 422, description = "A value is not acceptable, or the key was used with another body", content_type = "application/problem+json", body = ProblemBody),
    )
)]
pub(crate) async fn pay(
    State(app): State<App>,
    caller: Bearer<scope::PaymentsWrite>,
    request: Keyed<NewPaymentBody>,
) -> Result<impl IntoResponse, Problem> {
    let institution = caller.permit.demand_institution()?;
    let key = request.under(&caller.permit)?;
    let splits = read_splits(&app, institution, request.body.splits).await?;
    let payment = NewPayment {
        id: app.env.id(),
        order: None,
        institution: Some(institution),
        payer: Party::Institution(institution),
        method: Method::Balance,
        amount: request.body.amount.try_into()?,
        splits,
        deliveries: Vec::new(),
        description: request.body.description,
        expires_at: expiry(request.body.capture, request.body.expires_in, app.env.now())?,
    };
    let payment = match request.body.capture {
        CaptureBody::Now => app.payments.pay(&caller.permit, payment, Some(key)).await?,
        CaptureBody::Later => {
            app.payments
                .hold(&caller.permit, payment, Some(key))
                .await?
        }
    };
    let location = format!("/v1/payments/{}", payment.id);
    let body = seen_by(&app, institution, payment);
    Ok((StatusCode::CREATED, [(LOCATION, location)], Json(body)))
}

/// Which payments, newest first.
#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(crate) struct PaymentsQuery {
    /// Only those before this one: `next` of the page before.
    before: Option<String>,
    /// At most so many, at most 100.
    limit: Option<usize>,
}

/// A page of payments.
#[derive(Serialize, ToSchema)]
pub(crate) struct PaymentsBody {
    /// The newest first.
    items: Vec<PaymentBody>,
    /// Where the next page begins.
    next: Option<String>,
}

/// The payments of the calling institution's orders, and those that it made
#[utoipa::path(
    get,
    path = "/v1/payments",
    tag = "payments",
    params(PaymentsQuery),
    security(("bearer" = ["payments:read"])),
    responses((status = 200, description = "The newest first", body = PaymentsBody))
)]
pub(crate) async fn list_payments(
    State(app): State<App>,
    caller: Bearer<scope::PaymentsRead>,
    Query(query): Query<PaymentsQuery>,
) -> Result<Json<PaymentsBody>, Problem> {
    let institution = caller.permit.demand_institution()?;
    let before: Option<PaymentId> = query.before.as_deref().map(parse).transpose()?;
    let limit = query.limit.unwrap_or(PAYMENTS_PAGE_MAX);
    let page = app
        .payments
        .of_institution(&caller.permit, institution, before, limit);
    let page = page.await?;
    let items = page.payments.into_iter();
    Ok(Json(PaymentsBody {
        items: items
            .map(|payment| seen_by(&app, institution, payment))
            .collect(),
        next: page.next.map(|id| id.to_string()),
    }))
}

/// A payment of the calling institution's orders, or one that it made
#[utoipa::path(
    get,
    path = "/v1/payments/{id}",
    tag = "payments",
    params(("id" = String, Path, description = "`pay_…`")),
    security(("bearer" = ["payments:read"])),
    responses(
        (status = 200, description = "The payment", body = PaymentBody),
        (status = 404, description = "No such payment", content_type = "application/problem+json", body = ProblemBody),
    )
)]
pub(crate) async fn get_payment(
    State(app): State<App>,
    caller: Bearer<scope::PaymentsRead>,
    PathParam(id): PathParam<PaymentId>,
) -> Result<Json<PaymentBody>, Problem> {
    let institution = caller.permit.demand_institution()?;
    let Some(payment) = app.payments.get(&caller.permit, id).await? else {
        return Err(Problem::new(
            Kind::NotFound,
            format!("there is no payment {id}"),
        ));
    };
    Ok(Json(seen_by(&app, institution, payment)))
}
