use std::future::Future;
use std::pin::Pin;

use qiao_manifest::Manifest;

use crate::release::Release;
use crate::report::CheckReport;

/// What a port answers later.
pub type PortFuture<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

/// Why a component did not compile under the limits of this host.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CheckError {
    /// It is the component's fault: a sentence for its author.
    #[error("the component does not pass: {0}")]
    Rejected(String),
    /// It is the host's fault; try again.
    #[error("the check could not be made: {0}")]
    Unavailable(String),
}

/// Compiles a component under limits and measures it. The runtime fills it.
pub trait ComponentCheck: Send + Sync {
    /// Checks the bytes of an upload whose imports and manifest are in order.
    fn check<'a>(
        &'a self,
        component: &'a [u8],
        manifest: &'a Manifest,
    ) -> PortFuture<'a, Result<CheckReport, CheckError>>;
}

/// Runs the `activate` of a release that is about to serve. The runtime fills it.
pub trait Activator: Send + Sync {
    /// Runs it; the error is a sentence for the plugin's author.
    fn activate<'a>(&'a self, release: &'a Release) -> PortFuture<'a, Result<(), String>>;
}
