//! The server-rendered pages.

use axum::Router;

use crate::App;

/// The pages of the three faces.
pub(crate) fn router() -> Router<App> {
    Router::new()
}
