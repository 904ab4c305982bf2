//! The pages of the three faces: people at `/`, institution staff at `/console`,
//! operators at `/operator`. Rendered here, usable without any script.
//!
//! The players: [`visit`] finds out who asks and in which language before any
//! handler runs; a handler asks the rooms and fills a view; [`view`] shows it.
//!
//! Guarantees: every form carries the CSRF token and [`sent`] demands it; what
//! moves money carries a key, so that a form sent twice has one effect; what
//! destroys asks first, on a page of its own; a plugin's page is typed blocks
//! that the host renders. What is absent: scripts, inline styles, HTML of a
//! plugin, and any rule of a room.
//!
//! # Forms
//!
//! Every form is a `POST` of `application/x-www-form-urlencoded` with a hidden
//! `csrf`; send all hidden inputs back as they are. Ids of inputs are
//! `<form id>-<field>`. An answer is `303 See Other` when it worked, and the
//! same page with status 422 and the errors beside their fields when not. Every
//! action is also an address to open, so that going back, reloading and changing
//! the language work on the page of a refused form.
//!
//! | form id | action | fields |
//! |---|---|---|
//! | `sign-up` | `/signup` | `name`, `login`, `password` |
//! | `log-in` | `/login` | `login`, `password`, hidden `next` |
//! | `log-out` | `/logout` | |
//! | `pin` | `/pin` | `pin`, `repeat`, `current` when there is one, hidden `next` |
//! | `top-up` | `/wallet/top-up` | `amount`, hidden `key`, `next` |
//! | `bank-top-up` | `/banks/top-up` | `link`, `amount`, hidden `key`, `next` |
//! | `withdraw` | `/banks/withdraw` | `link`, `amount`, `pin`, hidden `key` |
//! | `confirm` | `/banks/links/{link}/unlink` | |
//! | `follow` | `/a/{handle}/follow` | |
//! | `confirm` | `/a/{handle}/unfollow` | |
//! | `form-{n}`, `action-{n}` | `/a/{handle}/{service}` | hidden `form`, the plugin's own as `f_<name>` |
//! | `confirm` | `/checkout/{offer}` | `pin`, hidden `quote`, `amount`, `method`, `key` |
//! | `register` | `/console/register` | `name`, `kind`, `handle`, `summary`, `key` |
//! | `upload` | `/console/{institution}/releases/upload` | `component` (multipart) |
//! | `confirm` | `/console/{institution}/releases/{release}/activate` | |
//! | `endpoint` | `/console/{institution}/webhooks` | `url`, `kinds` |
//! | `confirm` | `/console/{institution}/webhooks/{endpoint}/delete` | |
//! | `redeliver-{n}` | `/console/{institution}/deliveries/{delivery}/redeliver` | |
//! | `confirm` | `/operator/institutions/{institution}/approve` | |
//! | `confirm` | `/operator/institutions/{institution}/suspend` | `reason` |
//! | `grant-{n}-{scope}`, `refuse-{n}-{scope}` | `/operator/clients/{client}/scopes` | hidden `scope`, `verdict` |
//! | `confirm` | `/operator/releases/{release}/approve` | |
//! | `reject` | `/operator/releases/{release}/reject` | `reason` |
//! | `ask-again-{n}` | `/operator/orders/{order}/ask-again` | |
//! | `confirm` | `/operator/banks/{channel}/pause` | `reason` |
//! | `resume-{n}` | `/operator/banks/{channel}/resume` | |
//! | `ask-again` | `/operator/banks/transfers/{transfer}/ask-again` | |
//! | `decide` | `/operator/banks/transfers/{transfer}/decide` | `verdict` (`done`, `rejected`), `bank_reference`, `reason` |
//! | `advance` | `/operator/advances/{institution}/fund`, `…/return` | `channel`, `account_number`, `amount`, hidden `key` |
//! | `clock` | `/operator/clock` | `hours` |

use axum::Router;
use axum::extract::{Path, Request};
use axum::http::{StatusCode, header};
use axum::middleware::from_fn_with_state;
use axum::response::{IntoResponse, Response};
use axum::routing::{any, get};

use crate::App;

mod assets;
mod console;
mod failed;
mod note;
mod operator;
mod purpose;
mod sent;
mod text;
mod user;
mod view;
mod visit;
mod wording;

pub use console::UPLOAD_BYTES_MAX;
pub use sent::FIELDS_MAX;

/// A name with the hash of its content never changes what it names.
const ASSET_CACHE: &str = "public, max-age=31536000, immutable";

/// Every page.
pub(crate) fn router(app: &App) -> Router<App> {
    let pages = Router::new()
        .merge(user::routes())
        .merge(console::routes())
        .merge(operator::routes())
        .route("/{*path}", any(missing))
        .layer(from_fn_with_state(app.clone(), visit::prepare));
    Router::new()
        .route("/assets/{name}", get(asset))
        .merge(pages)
}

/// No route is there: a page for a browser, a problem for everybody else.
async fn missing(request: Request) -> Response {
    let accepted = request.headers().get(header::ACCEPT);
    let is_browser = accepted
        .and_then(|value| value.to_str().ok())
        .is_some_and(|value| value.contains("text/html"));
    let problem = crate::layers::no_route(request).await;
    if is_browser {
        failed::Failed::from(problem).into_response()
    } else {
        problem.into_response()
    }
}

async fn asset(Path(name): Path<String>) -> Response {
    match assets::find(&name) {
        Some(asset) => {
            let headers = [
                (header::CONTENT_TYPE, asset.media_type),
                (header::CACHE_CONTROL, ASSET_CACHE),
            ];
            (headers, asset.bytes).into_response()
        }
        None => StatusCode::NOT_FOUND.into_response(),
    }
}
