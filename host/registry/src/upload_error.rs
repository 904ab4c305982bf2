use qiao_auth::Denied;
use qiao_auth::keys::KeyError;
use qiao_manifest::{Export, Import, ManifestError, PackingError, Scope};

use crate::Error;
use crate::port::CheckError;
use crate::upload::COMPONENT_BYTES_MAX;

/// Why an upload was refused; nothing of it is kept but a row in the audit.
#[derive(Debug, thiserror::Error)]
pub enum UploadError {
    /// There are no bytes.
    #[error("the upload is empty")]
    Empty,
    /// There are too many.
    #[error("the upload has {0} bytes; a component has at most {COMPONENT_BYTES_MAX}")]
    TooLarge(usize),
    /// It is not a valid component of functions.
    #[error("the upload is not a component: {0}")]
    NotAComponent(PackingError),
    /// The section of the manifest is missing, there twice, too large or no text.
    #[error("the manifest's section is wrong: {0}")]
    ManifestSection(PackingError),
    /// The manifest itself is wrong.
    #[error("the manifest is wrong: {0}")]
    Manifest(ManifestError),
    /// The contract's version is not one that this host speaks.
    #[error("this host does not speak that version of the contract: {0}")]
    WitVersion(ManifestError),
    /// There is no signature.
    #[error("the upload is not signed; `qiao plugin publish` signs it with your institution's key")]
    MissingSignature,
    /// The section of the signature is there twice, not last or not a JWS.
    #[error("the signature's section is wrong: {0}")]
    SignatureSection(PackingError),
    /// No registered key of the institution made the signature.
    #[error("the signature is wrong: {0}")]
    WrongSignature(KeyError),
    /// The signature is good, and of another file.
    #[error(
        "the signature is of another file: it signs `{signed}`, this file's digest is `{digest}`"
    )]
    SignatureOfAnotherFile {
        /// What was signed.
        signed: String,
        /// What was uploaded.
        digest: String,
    },
    /// It imports what no host offers.
    #[error("the component imports {} {}, which no host offers", .0.interface, .0.function)]
    UnknownImport(Import),
    /// It imports what its manifest does not ask for.
    #[error(
        "the component imports {} {} without the scope `{scope}`; add it with its reason to [scopes]",
        .import.interface, .import.function
    )]
    ImportWithoutScope {
        /// The import.
        import: Import,
        /// The scope that covers it.
        scope: Scope,
    },
    /// It does not export what every plugin does.
    #[error("the component does not export {} {}", .0.interface, .0.function)]
    MissingExport(Export),
    /// The manifest names a developer that is no institution of this host.
    #[error("the developer `{0}` is no institution of this host")]
    UnknownDeveloper(String),
    /// Another institution has a plugin of this name.
    #[error("the plugin name `{0}` belongs to another institution")]
    NameTaken(String),
    /// A release is immutable: another file has this version.
    #[error(
        "version {version} of this plugin was uploaded before with the digest `{digest}`; raise the version"
    )]
    VersionUsed {
        /// The version.
        version: String,
        /// The digest of the file that has it.
        digest: String,
    },
    /// It does not compile, or not within the limits.
    #[error(transparent)]
    Check(CheckError),
    /// The caller may not upload.
    #[error(transparent)]
    Denied(#[from] Denied),
    /// The institution is not active, or the host failed.
    #[error(transparent)]
    Registry(#[from] Error),
}

impl UploadError {
    /// A stable name of the cause, for a problem's type.
    #[must_use]
    pub const fn code(&self) -> &'static str {
        match self {
            Self::Empty => "upload-empty",
            Self::TooLarge(_) => "upload-too-large",
            Self::NotAComponent(_) => "not-a-component",
            Self::ManifestSection(_) => "manifest-section",
            Self::Manifest(_) => "manifest-invalid",
            Self::WitVersion(_) => "wit-version",
            Self::MissingSignature => "signature-missing",
            Self::SignatureSection(_) => "signature-section",
            Self::WrongSignature(_) => "signature-wrong",
            Self::SignatureOfAnotherFile { .. } => "signature-of-another-file",
            Self::UnknownImport(_) => "unknown-import",
            Self::ImportWithoutScope { .. } => "import-without-scope",
            Self::MissingExport(_) => "missing-export",
            Self::UnknownDeveloper(_) => "unknown-developer",
            Self::NameTaken(_) => "plugin-name-taken",
            Self::VersionUsed { .. } => "version-used",
            Self::Check(CheckError::Rejected(_)) => "component-rejected",
            Self::Check(CheckError::Unavailable(_)) => "check-unavailable",
            Self::Denied(_) => "denied",
            Self::Registry(_) => "registry",
        }
    }

    /// Whether the uploader was refused, rather than failed by the host.
    #[must_use]
    pub const fn is_refusal(&self) -> bool {
        match self {
            Self::Check(CheckError::Unavailable(_)) => false,
            Self::Registry(error) => error.is_refusal(),
            _ => true,
        }
    }

    /// A fault of the file's outer form, told from one of its sections.
    pub(crate) fn of_packing(error: PackingError) -> Self {
        use qiao_manifest::{MANIFEST_SECTION, SIGNATURE_SECTION};
        match error {
            PackingError::Manifest(manifest) if manifest.key == "plugin.wit" => {
                Self::WitVersion(manifest)
            }
            PackingError::Manifest(manifest) => Self::Manifest(manifest),
            PackingError::SignatureNotLast | PackingError::InvalidSignature => {
                Self::SignatureSection(error)
            }
            PackingError::DuplicateSection(section)
            | PackingError::OversizedSection { section, .. }
            | PackingError::NotText(section)
                if section == SIGNATURE_SECTION =>
            {
                Self::SignatureSection(error)
            }
            PackingError::DuplicateSection(section)
            | PackingError::OversizedSection { section, .. }
            | PackingError::NotText(section)
                if section == MANIFEST_SECTION =>
            {
                Self::ManifestSection(error)
            }
            PackingError::MissingManifest => Self::ManifestSection(error),
            _ => Self::NotAComponent(error),
        }
    }
}

impl From<qiao_db::Error> for UploadError {
    fn from(error: qiao_db::Error) -> Self {
        Self::Registry(error.into())
    }
}

impl From<qiao_auth::Error> for UploadError {
    fn from(error: qiao_auth::Error) -> Self {
        Self::Registry(error.into())
    }
}

impl qiao_db::Retryable for UploadError {
    fn is_retryable(&self) -> bool {
        matches!(self, Self::Registry(error) if error.is_retryable())
    }
}
