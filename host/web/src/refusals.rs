//! Every refusal of every room as a problem. Exhaustive on purpose: a new refusal does
//! not compile until somebody has decided what the caller is told.

use axum::http::{HeaderValue, header};
use qiao_catalog::fee::FeeError;
use qiao_orders::plan::PlanError;

use crate::problem::{Kind, Problem};

impl From<qiao_db::Error> for Problem {
    fn from(error: qiao_db::Error) -> Self {
        use qiao_db::Error as E;
        match &error {
            E::Busy(_) | E::Full(_) | E::Unreachable(_) | E::Stopped => Self::unavailable(&error),
            E::Constraint(_)
            | E::Sqlx(_)
            | E::MigrationChanged { .. }
            | E::MigrationUnknown(_)
            | E::Address(_)
            | E::Corrupt { .. }
            | E::Panicked(_) => Self::internal(&error),
        }
    }
}

impl From<qiao_auth::Denied> for Problem {
    fn from(denied: qiao_auth::Denied) -> Self {
        Self::new(Kind::Forbidden, denied.to_string())
    }
}

impl From<qiao_auth::Error> for Problem {
    fn from(error: qiao_auth::Error) -> Self {
        use qiao_auth::Error as E;
        let told = |kind| Self::new(kind, error.to_string());
        match error {
            E::InvalidLogin | E::InvalidName | E::WeakPassword | E::WeakPin => told(Kind::Invalid),
            E::Keys(ref keys) => Self::new(Kind::Invalid, keys.to_string()),
            E::ScopeNotGrantable(_) | E::ScopeNotAsked { .. } => told(Kind::Invalid),
            E::LoginTaken(_) | E::OperatorExists | E::PinAlreadySet => told(Kind::Conflict),
            E::WrongCredentials => told(Kind::WrongCredentials),
            E::TooManyAttempts { retry_after_secs } => {
                told(Kind::Locked).with_header(header::RETRY_AFTER, retry_after_secs.into())
            }
            E::UnknownUser(_) | E::UnknownClient(_) => told(Kind::NotFound),
            E::NoPin => told(Kind::PinMissing),
            E::WrongPin { tries_left } => told(Kind::WrongPin).with("tries_left", tries_left),
            E::PinLocked { until } => told(Kind::Locked).with("until", until.rfc3339()),
            E::InvalidPinProof => told(Kind::WrongPin),
            E::Denied(denied) => denied.into(),
            E::Storage(storage) => storage.into(),
            E::Crypto(_) => Self::internal(&error),
        }
    }
}

impl From<qiao_auth::BearerError> for Problem {
    fn from(error: qiao_auth::BearerError) -> Self {
        use qiao_auth::BearerError as E;
        let kind = match error {
            E::Invalid | E::Expired | E::Revoked => Kind::InvalidToken,
            E::InsufficientScope(_) => Kind::InsufficientScope,
            E::Storage(storage) => return storage.into(),
        };
        let problem = Self::new(kind, error.to_string());
        match challenge(&error) {
            Some(challenge) => problem.with_header(header::WWW_AUTHENTICATE, challenge),
            None => problem,
        }
    }
}

/// The challenge of RFC 6750 section 3.
fn challenge(error: &qiao_auth::BearerError) -> Option<HeaderValue> {
    let code = error.code()?;
    let scope = match error {
        qiao_auth::BearerError::InsufficientScope(scope) => format!(r#", scope="{scope}""#),
        qiao_auth::BearerError::Invalid
        | qiao_auth::BearerError::Expired
        | qiao_auth::BearerError::Revoked
        | qiao_auth::BearerError::Storage(_) => String::new(),
    };
    HeaderValue::from_str(&format!(r#"Bearer error="{code}"{scope}"#)).ok()
}

impl From<qiao_payments::Error> for Problem {
    fn from(error: qiao_payments::Error) -> Self {
        use qiao_payments::Error as E;
        match error {
            E::Denied(denied) => denied.into(),
            E::NotOwner { .. } => Self::new(Kind::Forbidden, error.to_string()),
            E::PinForeign => Self::new(Kind::WrongPin, error.to_string()),
            E::Refused(refusal) => refusal.into(),
            E::Storage(storage) => storage.into(),
        }
    }
}

impl From<qiao_payments::Refusal> for Problem {
    fn from(refusal: qiao_payments::Refusal) -> Self {
        use qiao_payments::Refusal as R;
        let told = |kind| Self::new(kind, refusal.to_string());
        match &refusal {
            R::InsufficientFunds { .. } => told(Kind::InsufficientFunds),
            R::ReceiverShort { .. } => told(Kind::ReceiverShort),
            R::UnknownPayment(_) => told(Kind::NotFound),
            R::PaymentConflict(_) | R::RefundConflict(_) => told(Kind::Conflict),
            R::WrongState { state, .. } => told(Kind::WrongState).with("state", state.name()),
            R::HoldExpired(_) => told(Kind::HoldExpired),
            R::NotExpired(_) | R::NothingToRecover(_) => told(Kind::WrongState),
            R::ExceedsHeld { held, .. } => told(Kind::NotCapturable).with("held_minor", held.minor),
            R::WholeCaptureOnly(_) => told(Kind::NotCapturable),
            R::ExceedsRefundable { refundable, .. } => {
                told(Kind::NotRefundable).with("refundable_minor", refundable.minor)
            }
            R::UnknownMandate(_) => told(Kind::NotFound),
            R::Mandate { cause, .. } => told(Kind::MandateRefused).with("cause", cause.code()),
            R::Invalid(_) | R::InvalidMandate(_) => told(Kind::Invalid),
            R::NotRefundable(_) | R::TooManyRefunds(_) | R::RefundTooLate(_) => {
                told(Kind::NotRefundable)
            }
            R::InvalidKey => told(Kind::IdempotencyKey),
            R::KeyReused => told(Kind::KeyReused),
            R::InFlight => told(Kind::KeyInFlight),
            R::Ledger(_) => Self::internal(&refusal),
        }
    }
}

impl From<qiao_settlement::Error> for Problem {
    fn from(error: qiao_settlement::Error) -> Self {
        use qiao_settlement::Error as E;
        let told = |kind| Self::new(kind, error.to_string());
        match error {
            E::Terms | E::Period(_) | E::TooLong(_) | E::Note(_) => told(Kind::Invalid),
            E::NothingToApprove(_) | E::UnknownCase(_) | E::UnknownPayout(_) => {
                told(Kind::NotFound)
            }
            E::PayoutUnderWay(_) => told(Kind::WrongState),
            E::CaseOver { state, .. } => told(Kind::WrongState).with("state", state.name()),
            E::NotOwner { .. } => told(Kind::Forbidden),
            E::Denied(denied) => denied.into(),
            E::Payments(payments) => payments.into(),
            E::Banks(banks) => banks.into(),
            E::Auth(auth) => auth.into(),
            E::Storage(storage) => storage.into(),
            E::Csv(_) => Self::internal(&error),
        }
    }
}

impl From<qiao_events::Error> for Problem {
    fn from(error: qiao_events::Error) -> Self {
        use qiao_events::Error as E;
        let told = |kind| Self::new(kind, error.to_string());
        match error {
            E::InvalidUrl { .. } | E::InvalidKind(_) => told(Kind::Invalid),
            E::TooManyEndpoints(_) => told(Kind::Conflict),
            E::UnknownEndpoint(_) | E::UnknownDelivery(_) => told(Kind::NotFound),
            E::NotRedeliverable(_) => told(Kind::WrongState),
            E::Denied(denied) => denied.into(),
            E::Storage(storage) => storage.into(),
            E::LeaseLost(_) | E::SealedSecret(..) | E::Seal(_) => Self::internal(&error),
        }
    }
}

impl From<qiao_catalog::Error> for Problem {
    fn from(error: qiao_catalog::Error) -> Self {
        use qiao_catalog::Error as E;
        let told = |kind| Self::new(kind, error.to_string());
        match error {
            E::InvalidProduct(ref at) | E::InvalidFeeSchedule(ref at) | E::InvalidPrice(ref at) => {
                told(Kind::Invalid).with("at", at.at.as_str())
            }
            E::UnknownProduct(_) | E::NoSchedule { .. } => told(Kind::NotFound),
            E::NotAPlugin => told(Kind::Forbidden),
            E::Denied(denied) => denied.into(),
            E::Storage(storage) => storage.into(),
        }
    }
}

impl From<qiao_orders::Error> for Problem {
    fn from(error: qiao_orders::Error) -> Self {
        use qiao_orders::Error as E;
        let told = |kind| Self::new(kind, error.to_string());
        match error {
            E::NotServing(_) | E::PageNotFound(_) | E::OfferNotFound(_) => told(Kind::NotFound),
            E::InvalidField(ref field) => told(Kind::Invalid).with("field", field.name.as_str()),
            E::ServiceUnavailable(_) | E::Busy => Self::unavailable(&error),
            E::PluginFailed(_) => told(Kind::PluginFailed),
            E::OfferExpired(_) | E::OfferNotAvailable(_) | E::AmountOutOfRange(_) => {
                told(Kind::PluginRefused)
            }
            E::Unpriceable(ref plan) => {
                let problem = Self::new(Kind::PluginRefused, format!("{error}: {plan}"));
                if let PlanError::Fees(FeeError::OutsideBand { code, .. }) = plan {
                    problem.with("fee", code.as_str())
                } else {
                    problem
                }
            }
            E::QuoteInvalid(_)
            | E::QuoteForeign(_)
            | E::QuoteExpired(_)
            | E::QuoteOutdated(_)
            | E::AmountDiffers { .. } => told(Kind::QuoteInvalid),
            E::MethodDiffers { .. } => told(Kind::MethodDiffers),
            E::NotChargeable(_) | E::NotPayableBy { .. } => told(Kind::Invalid),
            E::ChargeKeyReused => told(Kind::KeyReused),
            E::TooManyProposals | E::ProposerGone(_) => told(Kind::Conflict),
            E::PinForeign => told(Kind::WrongPin),
            E::Payment(refusal) => refusal.into(),
            E::Refused(_) => told(Kind::WrongState),
            E::Payments(payments) => payments.into(),
            E::Auth(auth) => auth.into(),
            E::Catalog(catalog) => catalog.into(),
            E::Denied(denied) => denied.into(),
            E::Storage(storage) => storage.into(),
            E::Lookup(_) | E::AccrualTooLarge(_) | E::Crashed(_) => Self::internal(&error),
        }
    }
}

impl From<qiao_banks::Error> for Problem {
    fn from(error: qiao_banks::Error) -> Self {
        use qiao_banks::Error as E;
        let told = |kind| Self::new(kind, error.to_string());
        match error {
            E::NotOwner { .. } => told(Kind::Forbidden),
            E::UnknownChannel(_) | E::UnknownLink(_) | E::UnknownTransfer(_) => {
                told(Kind::NotFound)
            }
            E::LinkOver(_) => told(Kind::LinkOver),
            E::NoRoute => told(Kind::NoBankRoute),
            E::LoginOver | E::WrongIssuer | E::NotAuthorized(_) => told(Kind::NotAuthorized),
            E::BankFailed { .. } => told(Kind::BankFailed),
            E::BadSignature(_) => told(Kind::BadSignature),
            E::BadCallback => told(Kind::Malformed),
            E::NotStuck { state, .. } => told(Kind::WrongState).with("state", state.name()),
            E::ChannelSoAlready(_) | E::Refused(_) => told(Kind::WrongState),
            E::TooManyLinks(_) | E::Conflict(_) => told(Kind::Conflict),
            E::Reason(_) | E::AccountNumber => told(Kind::Invalid),
            E::PinForeign => told(Kind::WrongPin),
            E::Payment(refusal) => refusal.into(),
            E::Auth(auth) => auth.into(),
            E::Denied(denied) => denied.into(),
            E::Storage(storage) => storage.into(),
            E::Seal(_) | E::Crashed(_) => Self::internal(&error),
        }
    }
}

impl From<qiao_registry::Error> for Problem {
    fn from(error: qiao_registry::Error) -> Self {
        use qiao_registry::Error as E;
        let told = |kind| Self::new(kind, error.to_string());
        match error {
            E::InvalidName | E::InvalidHandle(_) | E::InvalidReason | E::InvalidText => {
                told(Kind::Invalid)
            }
            E::HandleTaken(_) => told(Kind::Conflict),
            E::UnknownInstitution(_)
            | E::UnknownAccount(_)
            | E::UnknownPlugin(_)
            | E::UnknownRelease(_) => told(Kind::NotFound),
            E::InstitutionState { state, .. } => told(Kind::WrongState).with("state", state.name()),
            E::ReleaseState { ref state, .. } => told(Kind::WrongState).with("state", state.name()),
            E::ActivationFailed { .. } => told(Kind::PluginFailed),
            E::NotFollower { .. } => told(Kind::Forbidden),
            E::QuotaExceeded { .. } => told(Kind::Locked),
            E::Auth(auth) => auth.into(),
            E::Denied(denied) => denied.into(),
            E::Storage(storage) => storage.into(),
        }
    }
}

impl From<qiao_registry::UploadError> for Problem {
    fn from(error: qiao_registry::UploadError) -> Self {
        use qiao_registry::{CheckError, UploadError as E};
        let told = |kind| Self::new(kind, error.to_string()).with("code", error.code());
        match error {
            E::TooLarge(_) => told(Kind::TooLarge),
            E::NameTaken(_) | E::VersionUsed { .. } => told(Kind::Conflict),
            E::Empty
            | E::NotAComponent(_)
            | E::ManifestSection(_)
            | E::Manifest(_)
            | E::WitVersion(_)
            | E::MissingSignature
            | E::SignatureSection(_)
            | E::WrongSignature(_)
            | E::SignatureOfAnotherFile { .. }
            | E::UnknownImport(_)
            | E::ImportWithoutScope { .. }
            | E::MissingExport(_)
            | E::UnknownDeveloper(_)
            | E::Check(CheckError::Rejected(_)) => told(Kind::ReleaseRefused),
            E::Check(CheckError::Unavailable(_)) => Self::unavailable(&error),
            E::Denied(denied) => denied.into(),
            E::Registry(registry) => registry.into(),
        }
    }
}

impl From<qiao_runtime::InvocationsError> for Problem {
    fn from(error: qiao_runtime::InvocationsError) -> Self {
        Self::unavailable(&error)
    }
}
