use qiao_catalog::Product;

use crate::error::Error;

/// What failed of a step that goes through the products: one that fails keeps no
/// other waiting.
#[derive(Default)]
pub(crate) struct Failures {
    first: Option<Error>,
}

impl Failures {
    /// Notes how it went for a product.
    ///
    /// # Errors
    /// A test made the host stop: then nothing goes on.
    pub(crate) fn note(
        &mut self,
        product: &Product,
        outcome: Result<(), Error>,
    ) -> Result<(), Error> {
        match outcome {
            Ok(()) => Ok(()),
            Err(error @ Error::Crashed(_)) => Err(error),
            Err(error) => {
                tracing::warn!(product.id = %product.id, %error, "a step failed for a product and goes on with the next");
                self.first.get_or_insert(error);
                Ok(())
            }
        }
    }

    /// The first failure, or what the step did.
    pub(crate) fn first_or<T>(self, done: T) -> Result<T, Error> {
        self.first.map_or(Ok(done), Err)
    }
}
