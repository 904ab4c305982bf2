use std::fmt;

use qiao_auth::Denied;
use qiao_db::Retryable;
use qiao_model::{Day, ProductId};

/// What is wrong and where.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    /// The field: `fees.lines[0].form.tiers[2]`.
    pub at: String,
    /// One sentence that names the cause.
    pub cause: String,
}

impl Problem {
    /// A problem at a field.
    #[must_use]
    pub fn new(at: impl Into<String>, cause: impl Into<String>) -> Self {
        Self {
            at: at.into(),
            cause: cause.into(),
        }
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.at, self.cause)
    }
}

impl std::error::Error for Problem {}

/// Why this room refused.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// A field of the product is missing, too long or not of its form.
    #[error("the product is not acceptable: {0}")]
    InvalidProduct(Problem),
    /// The schedule has a gap, an overlap, a fee above the amount, or shares
    /// that do not sum, or begins in the past.
    #[error("the fee schedule is not acceptable: {0}")]
    InvalidFeeSchedule(Problem),
    /// The price is of a day in the future, zero, or differs from the one that
    /// was published before.
    #[error("the price is not acceptable: {0}")]
    InvalidPrice(Problem),
    /// No such product, or not this caller's.
    #[error("there is no product {0}")]
    UnknownProduct(ProductId),
    /// No schedule of the product was in force on that day.
    #[error("product {product} has no fee schedule in force on {day}")]
    NoSchedule {
        /// The product.
        product: ProductId,
        /// The day.
        day: Day,
    },
    /// Only a running plugin registers products: a product belongs to a plugin.
    #[error("only a plugin registers products")]
    NotAPlugin,
    /// The caller may not do it.
    #[error(transparent)]
    Denied(#[from] Denied),
    /// The database did not do it.
    #[error("catalog storage failed")]
    Storage(#[from] qiao_db::Error),
}

impl From<sqlx::Error> for Error {
    fn from(error: sqlx::Error) -> Self {
        Self::Storage(error.into())
    }
}

impl Retryable for Error {
    fn is_retryable(&self) -> bool {
        matches!(self, Self::Storage(error) if error.is_retryable())
    }
}
