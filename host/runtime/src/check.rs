use std::sync::Arc;
use std::time::Duration;

use qiao_catalog::{NewProduct, OrderKind, Price};
use qiao_manifest::Manifest;
use qiao_model::{Day, InstitutionId, Money, PluginId, ReleaseId, Scope, UserId};

use crate::call::Ran;
use crate::calls::Checked;
use crate::compile::CompileError;
use crate::invocation::LogLine;
use crate::loaded::{LoadError, Loaded};
use crate::sandbox::Sandbox;
use crate::{Function, Offer, Outcome, QuoteRequest, ReleaseRef, Runtime, Visit, limits, wire};

/// What running a component's fixed corpus in a sandbox found, under the limits of
/// production: `activate`, every service's page, and a quote of a sample offer of every
/// product that `activate` registered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CheckReport {
    /// Bytes of the component.
    pub component_bytes: usize,
    /// Bytes of its machine code and data.
    pub compiled_bytes: usize,
    /// Bytes of memory that an instance begins with.
    pub memory_bytes: usize,
    /// The most memory that a call had.
    pub memory_bytes_max: usize,
    /// Each call of the corpus.
    pub calls: Vec<CheckedCall>,
    /// What `activate` registered.
    pub products: Vec<NewProduct>,
}

/// One call of the corpus.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CheckedCall {
    /// Which: `activate`, `open invest`, `quote fund redeem`.
    pub case: String,
    /// What was called.
    pub function: Function,
    /// How it ended.
    pub outcome: Outcome,
    /// What it burnt, of at most [`Function::fuel_max`].
    pub fuel: u64,
    /// The memory it had.
    pub memory_bytes: usize,
    /// How long it took.
    pub duration: Duration,
    /// What it logged.
    pub log: Vec<LogLine>,
}

/// Why a component does not pass the check.
#[derive(Debug, thiserror::Error)]
pub enum CheckError {
    /// It does not compile, or is no plugin of this host.
    #[error(transparent)]
    Load(#[from] LoadError),
    /// Its `activate` refused or failed, so it could never serve.
    #[error("activate failed: {0}")]
    Activate(String),
    /// The host has no room for the check.
    #[error("the host is too busy for the check")]
    Busy,
}

impl CheckError {
    /// Whether it is the host that failed, and not the component.
    #[must_use]
    pub const fn is_of_host(&self) -> bool {
        matches!(
            self,
            Self::Busy
                | Self::Load(LoadError::NoComponent | LoadError::Compile(CompileError::NoChild(_)))
        )
    }
}

/// A day whose prices and pages are the same in every check.
const SAMPLE_DAY: (i16, i8, i8) = (2026, 11, 23);
const SAMPLE_FEN: i64 = 100_000;
const SAMPLE_UNITS_MINOR: i64 = 10_000;
const SAMPLE_NAV_E4: i64 = 10_000;

impl Runtime {
    /// Runs the fixed corpus on a component. Nothing of it reaches a room, a database or
    /// the network; its machine code stays in the cache.
    ///
    /// # Errors
    /// See [`CheckError`].
    pub async fn check(
        &self,
        component: &[u8],
        manifest: &Manifest,
    ) -> Result<CheckReport, CheckError> {
        let sandbox = Sandbox::default();
        sandbox.add_user(SAMPLE_USER, "Qiao");
        let ports = sandbox.ports(Arc::clone(&self.0.ports.gate), None);
        let release = sample_release(component, manifest)?;
        let loaded = self.load_with(&release, component, Arc::new(ports)).await?;
        let mut corpus = Corpus {
            runtime: self,
            loaded: &loaded,
            calls: Vec::new(),
        };
        let memory_bytes = corpus.memory_at_start().await?;
        corpus.activate().await?;
        for service in &manifest.services {
            corpus.open(&service.name).await?;
        }
        let products = sandbox.products();
        for product in &products {
            for request in sample_requests(product, sandbox.latest_price(&product.code)) {
                corpus.quote(&request).await?;
            }
        }
        let calls = corpus.calls;
        Ok(CheckReport {
            component_bytes: component.len(),
            compiled_bytes: loaded.compiled_bytes(),
            memory_bytes,
            memory_bytes_max: calls.iter().map(|c| c.memory_bytes).max().unwrap_or(0),
            calls,
            products,
        })
    }
}

struct Corpus<'a> {
    runtime: &'a Runtime,
    loaded: &'a Arc<Loaded>,
    calls: Vec<CheckedCall>,
}

impl Corpus<'_> {
    async fn memory_at_start(&self) -> Result<usize, CheckError> {
        let ran = self
            .runtime
            .run_on_guest_thread(self.loaded, Function::Quote, None, |_, _, _| Ok(()))
            .await
            .ok_or(CheckError::Busy)?;
        match ran.answer {
            Ok(()) => Ok(ran.memory_bytes),
            Err(fault) => Err(LoadError::NotAPlugin(fault.to_string()).into()),
        }
    }

    async fn activate(&mut self) -> Result<(), CheckError> {
        let ran = self
            .runtime
            .run_on_guest_thread(
                self.loaded,
                Function::Activate,
                None,
                move |store, i, exports| {
                    let guest = exports.activation.load(&mut *store, i)?;
                    let answer = guest.call_activate(&mut *store)?;
                    Ok(Ok(answer.map_err(wire::activation_error)))
                },
            )
            .await;
        match self.keep("activate".to_owned(), Function::Activate, ran)? {
            Outcome::Answered => Ok(()),
            Outcome::Refused(cause) => Err(CheckError::Activate(cause)),
            Outcome::Faulted(fault) => Err(CheckError::Activate(fault.to_string())),
        }
    }

    async fn open(&mut self, service: &str) -> Result<(), CheckError> {
        let gate = &self.loaded.ports.gate;
        let subject = gate.subject(self.loaded.release.institution, SAMPLE_USER);
        let visit = wire::visit(&sample_visit(service), subject);
        let user = Some(SAMPLE_USER);
        let ran = self
            .runtime
            .run_on_guest_thread(
                self.loaded,
                Function::Open,
                user,
                move |store, i, exports| {
                    let guest = exports.pages.load(&mut *store, i)?;
                    Ok(match guest.call_open(&mut *store, &visit)? {
                        Ok(page) => wire::page(page).map(Ok),
                        Err(error) => Ok(Err(wire::page_error(error))),
                    })
                },
            )
            .await;
        self.keep(format!("open {service}"), Function::Open, ran)?;
        Ok(())
    }

    async fn quote(&mut self, request: &QuoteRequest) -> Result<(), CheckError> {
        let case = format!("quote {} {}", request.offer.product, request.offer.kind);
        let request = wire::quote_request(request);
        let ran = self
            .runtime
            .run_on_guest_thread(
                self.loaded,
                Function::Quote,
                None,
                move |store, i, exports| crate::quote::quote_in(store, i, exports, &request),
            )
            .await;
        self.keep(case, Function::Quote, ran)?;
        Ok(())
    }

    fn keep<R, E: std::error::Error>(
        &mut self,
        case: String,
        function: Function,
        ran: Option<Ran<Checked<R, E>>>,
    ) -> Result<Outcome, CheckError> {
        let ran = ran.ok_or(CheckError::Busy)?;
        let outcome = match ran.answer {
            Ok(Ok(Ok(_))) => Outcome::Answered,
            Ok(Ok(Err(refusal))) => Outcome::Refused(refusal.to_string()),
            Ok(Err(fault)) | Err(fault) => Outcome::Faulted(fault),
        };
        self.calls.push(CheckedCall {
            case,
            function,
            outcome: outcome.clone(),
            fuel: ran.fuel,
            memory_bytes: ran.memory_bytes,
            duration: ran.duration,
            log: ran.log,
        });
        Ok(outcome)
    }
}

/// Nobody: the ids of the check are of no plugin, institution or person.
const SAMPLE_USER: UserId = UserId::from_u128(1);

fn sample_release(component: &[u8], manifest: &Manifest) -> Result<ReleaseRef, CheckError> {
    let digest = qiao_manifest::digest(component)
        .map_err(|error| LoadError::NotAPlugin(error.to_string()))?;
    let scopes = manifest.scopes.keys();
    Ok(ReleaseRef {
        id: ReleaseId::from_u128(1),
        plugin: PluginId::from_u128(1),
        institution: InstitutionId::from_u128(1),
        digest,
        scopes: scopes
            .filter_map(|scope| scope.as_str().parse::<Scope>().ok())
            .collect(),
        egress: manifest.egress.clone(),
    })
}

fn sample_day() -> Day {
    let (year, month, day) = SAMPLE_DAY;
    let Some(day) = Day::new(year, month, day) else {
        unreachable!("the calendar has the sample day");
    };
    day
}

fn sample_visit(service: &str) -> Visit {
    Visit {
        service: service.to_owned(),
        user: SAMPLE_USER,
        locale: "zh-CN".to_owned(),
        today: sample_day(),
        params: Vec::new(),
    }
}

/// A purchase and a redemption of what is held in units, a payment of anything else.
fn sample_requests(product: &NewProduct, price: Option<Price>) -> Vec<QuoteRequest> {
    let kinds: &[OrderKind] = if product.in_units {
        &[OrderKind::Purchase, OrderKind::Redeem]
    } else {
        &[OrderKind::Pay]
    };
    let price = price.or_else(|| {
        product.in_units.then(|| Price {
            day: sample_day(),
            nav_e4: SAMPLE_NAV_E4,
            income_per_10k_e4: None,
            yield_7d_ppm: None,
        })
    });
    let offer = |kind: OrderKind| Offer {
        product: product.code.clone(),
        kind,
        title: product
            .name
            .chars()
            .take(limits::OFFER_TITLE_CHARS_MAX)
            .collect(),
        amount: (kind != OrderKind::Redeem).then(|| Money::new(SAMPLE_FEN, product.currency)),
        units_minor: (kind == OrderKind::Redeem).then_some(SAMPLE_UNITS_MINOR),
        reference: "sample".to_owned(),
        facts: Vec::new(),
    };
    kinds
        .iter()
        .map(|kind| QuoteRequest {
            offer: offer(*kind),
            price,
            today: sample_day(),
        })
        .collect()
}
