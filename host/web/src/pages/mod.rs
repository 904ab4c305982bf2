//! The pages of the three faces.

use axum::Router;

use crate::App;

pub(crate) mod assets;
pub(crate) mod text;
pub(crate) mod view;

/// Every page.
pub(crate) fn router() -> Router<App> {
    Router::new()
}
