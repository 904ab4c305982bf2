//! What the registry asks of this room: to check an upload, and to run `activate`.

use qiao_manifest::Manifest;
use qiao_registry::{
    Activator, CheckError as RegistryCheckError, CheckReport as RegistryCheckReport,
    ComponentCheck, FuelSample, PortFuture, Registry, Release,
};

use crate::{CallError, CheckError, CheckReport, Outcome, Runtime};

impl ComponentCheck for Runtime {
    fn check<'a>(
        &'a self,
        component: &'a [u8],
        manifest: &'a Manifest,
    ) -> PortFuture<'a, Result<RegistryCheckReport, RegistryCheckError>> {
        Box::pin(async move {
            match Self::check(self, component, manifest).await {
                Ok(report) => Ok(report.into()),
                Err(error) if error.is_of_host() => {
                    tracing::error!(error = %Causes(&error), "an upload could not be checked");
                    Err(RegistryCheckError::Unavailable(error.to_string()))
                }
                Err(error) => Err(RegistryCheckError::Rejected(error.to_string())),
            }
        })
    }
}

impl From<CheckReport> for RegistryCheckReport {
    fn from(report: CheckReport) -> Self {
        let bytes = |count: usize| u64::try_from(count).unwrap_or(u64::MAX);
        Self {
            compiled_bytes: bytes(report.compiled_bytes),
            memory_bytes: bytes(report.memory_bytes_max),
            fuel: report
                .calls
                .into_iter()
                .map(|call| FuelSample {
                    case: call.case,
                    fuel: call.fuel,
                    outcome: match call.outcome {
                        Outcome::Answered => "answered".to_owned(),
                        Outcome::Refused(cause) => format!("refused: {cause}"),
                        Outcome::Faulted(fault) => fault.to_string(),
                    },
                })
                .collect(),
        }
    }
}

/// Runs the `activate` of a release that is about to serve.
#[derive(Clone, Debug)]
pub struct Activation {
    /// What runs it.
    pub runtime: Runtime,
    /// Where its component is.
    pub registry: Registry,
}

impl Activator for Activation {
    fn activate<'a>(&'a self, release: &'a Release) -> PortFuture<'a, Result<(), String>> {
        Box::pin(async move {
            let loaded = self.runtime.ready(&self.registry, release).await;
            let loaded = loaded.map_err(|error| error.to_string())?;
            match self.runtime.activate(&loaded).await {
                Ok(()) => Ok(()),
                Err(CallError::Guest(refusal)) => Err(refusal.to_string()),
                Err(CallError::Trap(fault)) => Err(fault.to_string()),
                Err(CallError::Unavailable) => Err(CheckError::Busy.to_string()),
            }
        })
    }
}

/// An error with everything that caused it, on one line.
struct Causes<'a>(&'a dyn std::error::Error);

impl std::fmt::Display for Causes<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}", self.0)?;
        let mut cause = self.0.source();
        while let Some(error) = cause {
            write!(f, ": {error}")?;
            cause = error.source();
        }
        Ok(())
    }
}
