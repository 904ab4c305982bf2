//! The services of a public account, as pages of typed blocks.

use axum::extract::State;
use qiao_model::InstitutionId;
use qiao_orders as orders;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::mandate::MandateOfferBody;
use super::order::OfferBody;
use super::page::{FieldBody, PageBody};
use crate::App;
use crate::extract::{Json, PathPair, Query, SessionUser};
use crate::problem::{Problem, ProblemBody};

/// How a service is opened.
#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(crate) struct OpenQuery {
    /// BCP 47 tag: `zh-CN` or `en`.
    #[serde(default = "default_locale")]
    locale: String,
    /// The handle of the public account through whose door the person came.
    scene: Option<String>,
}

/// A form that is sent back.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct SubmissionBody {
    /// The form's name.
    form: String,
    /// Its values.
    #[serde(default)]
    fields: Vec<FieldBody>,
    /// Values that a link of an earlier page carried.
    #[serde(default)]
    params: Vec<FieldBody>,
    /// BCP 47 tag: `zh-CN` or `en`.
    #[serde(default = "default_locale")]
    locale: String,
    /// The handle of the public account through whose door the person came.
    #[serde(default)]
    scene: Option<String>,
}

/// The institution of a scene's handle; a handle that nobody has is no scene.
async fn scene_of(app: &App, handle: Option<&str>) -> Result<Option<InstitutionId>, Problem> {
    let Some(handle) = handle else {
        return Ok(None);
    };
    let account = app.registry.public_account_by_handle(handle).await?;
    Ok(account.map(|account| account.institution))
}

fn default_locale() -> String {
    "zh-CN".to_owned()
}

/// What a submission leads to.
#[derive(Serialize, ToSchema)]
#[serde(tag = "type", rename_all = "snake_case")]
pub(crate) enum AnswerBody {
    /// Another page.
    Page { page: PageBody },
    /// An offer: ask for a quote of it.
    Offer { offer: OfferBody },
    /// The offer of a mandate: give it with the PIN.
    Mandate { offer: MandateOfferBody },
}

impl From<orders::Answer> for AnswerBody {
    fn from(answer: orders::Answer) -> Self {
        match answer {
            orders::Answer::Page(page) => Self::Page { page: page.into() },
            orders::Answer::Offer(offer) => Self::Offer {
                offer: OfferBody::from(&*offer),
            },
            orders::Answer::Mandate(offer) => Self::Mandate {
                offer: MandateOfferBody::from(&*offer),
            },
        }
    }
}

/// Open a service
#[utoipa::path(
    get,
    path = "/v1/public-accounts/{handle}/services/{service}",
    tag = "orders",
    params(("handle" = String, Path, description = "The public account"),
           ("service" = String, Path, description = "The service's name"), OpenQuery),
    security(("session" = [])),
    responses(
        (status = 200, description = "The service's first page", body = PageBody),
        (status = 404, description = "No such account or service", content_type = "application/problem+json", body = ProblemBody),
        (status = 502, description = "The plugin failed", content_type = "application/problem+json", body = ProblemBody),
    )
)]
pub(crate) async fn open_service(
    State(app): State<App>,
    caller: SessionUser,
    PathPair(account, service): PathPair<String, String>,
    Query(query): Query<OpenQuery>,
) -> Result<Json<PageBody>, Problem> {
    let visit = orders::Visit {
        account,
        service,
        locale: query.locale,
        params: Vec::new(),
        scene: scene_of(&app, query.scene.as_deref()).await?,
    };
    let page = app.orders.open_page(&caller.permit, visit).await?;
    Ok(Json(page.into()))
}

/// Send a form of a page back
#[utoipa::path(
    post,
    path = "/v1/public-accounts/{handle}/services/{service}",
    tag = "orders",
    params(("handle" = String, Path, description = "The public account"),
           ("service" = String, Path, description = "The service's name")),
    request_body = SubmissionBody,
    security(("session" = [], "csrf" = [])),
    responses(
        (status = 200, description = "Another page, an offer, or the offer of a mandate", body = AnswerBody),
        (status = 422, description = "A field is not acceptable", content_type = "application/problem+json", body = ProblemBody),
        (status = 502, description = "The plugin failed", content_type = "application/problem+json", body = ProblemBody),
    )
)]
pub(crate) async fn submit_form(
    State(app): State<App>,
    caller: SessionUser,
    PathPair(account, service): PathPair<String, String>,
    Json(body): Json<SubmissionBody>,
) -> Result<Json<AnswerBody>, Problem> {
    let submission = orders::Submission {
        visit: orders::Visit {
            account,
            service,
            locale: body.locale,
            params: body.params.into_iter().map(Into::into).collect(),
            scene: scene_of(&app, body.scene.as_deref()).await?,
        },
        form: body.form,
        fields: body.fields.into_iter().map(Into::into).collect(),
    };
    let answer = app.orders.submit(&caller.permit, submission).await?;
    Ok(Json(answer.into()))
}
