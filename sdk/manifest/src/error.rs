use std::fmt;

/// Why a manifest is refused: where, what, and how to mend it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("plugin.toml line {line}: {key}: {refusal}")]
pub struct ManifestError {
    /// The line, from 1.
    pub line: usize,
    /// The key: `plugin.name`, `egress[0].url`; `syntax` when the text is no manifest at all.
    pub key: String,
    /// What is wrong with it.
    pub refusal: Refusal,
}

/// What is wrong with a value of a manifest.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// It is not TOML, or a key is missing, unknown or of another type.
    #[error("{0}")]
    Syntax(String),
    /// The whole text is too long.
    #[error("the manifest has {bytes} bytes; keep it to {max}")]
    ManifestTooLarge {
        /// How many it has.
        bytes: usize,
        /// How many it may have.
        max: usize,
    },
    /// A text is empty.
    #[error("is empty; write 1 to {max} characters")]
    Empty {
        /// How many characters it may have.
        max: usize,
    },
    /// A text is too long.
    #[error("has {chars} characters; keep it to {max}")]
    TooLong {
        /// How many it has.
        chars: usize,
        /// How many it may have.
        max: usize,
    },
    /// A text has a control character.
    #[error("has a line break or another control character; write one line of plain text")]
    ControlCharacter,
    /// A list is too long.
    #[error("has {count} elements; keep it to {max}")]
    TooMany {
        /// How many it has.
        count: usize,
        /// How many it may have.
        max: usize,
    },
    /// A list is empty.
    #[error("has no element; {0}")]
    NoElement(Fix),
    /// A value is not of its form.
    #[error("{value:?} is not valid; {fix}")]
    Invalid {
        /// The value.
        value: String,
        /// What to write instead.
        fix: Fix,
    },
    /// Two elements have the same name.
    #[error("{0:?} is taken by an earlier element; choose another name")]
    Duplicate(String),
    /// A menu item points to no service.
    #[error("no service has the name {service:?}; the services are {known}")]
    UnknownService {
        /// The name it gives.
        service: String,
        /// The names there are.
        known: String,
    },
    /// Egress rules without the scope, or the scope without rules.
    #[error("{0}")]
    EgressMismatch(Fix),
}

/// A sentence that says what to write.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fix(pub String);

impl fmt::Display for Fix {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl From<&str> for Fix {
    fn from(text: &str) -> Self {
        Self(text.to_owned())
    }
}

/// Why a file is not a packed release, or cannot become one.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PackingError {
    /// It does not begin as WebAssembly does.
    #[error("the file is not WebAssembly")]
    NotWasm,
    /// It is a core module.
    #[error("the file is a core module and not a component; `qiao plugin build` makes one of it")]
    CoreModule,
    /// Its bytes do not decode or validate.
    #[error("the component is malformed at byte {offset}: {cause}")]
    Malformed {
        /// Where.
        offset: usize,
        /// What the decoder says.
        cause: String,
    },
    /// It has no manifest.
    #[error("the component has no section `qiao:manifest`; `qiao plugin build` embeds plugin.toml")]
    MissingManifest,
    /// A section that must be unique is there twice.
    #[error("the component has more than one section `{0}`")]
    DuplicateSection(&'static str),
    /// A section is too large.
    #[error("the section `{section}` has {bytes} bytes; it may have {max}")]
    OversizedSection {
        /// Its name.
        section: &'static str,
        /// How many it has.
        bytes: usize,
        /// How many it may have.
        max: usize,
    },
    /// A section that holds text does not.
    #[error("the section `{0}` is not UTF-8 text")]
    NotText(&'static str),
    /// Something follows the signature, so the signature does not cover it.
    #[error("the section `qiao:signature` is not the last one")]
    SignatureNotLast,
    /// The signature is not a compact JWS.
    #[error("the signature is not a compact JWS (three base64url parts with points between)")]
    InvalidSignature,
    /// It has a manifest already.
    #[error("the component has a manifest already; embed it into a freshly built one")]
    AlreadyEmbedded,
    /// It is signed already.
    #[error("the release is signed already; detach its signature first")]
    AlreadySigned,
    /// It imports or exports something that is no function of an interface.
    #[error(
        "the component imports or exports {name:?}, which is a {kind}; only interfaces of functions can cross"
    )]
    UnsupportedExtern {
        /// Its name.
        name: String,
        /// What it is.
        kind: &'static str,
    },
    /// The manifest is not valid.
    #[error(transparent)]
    Manifest(#[from] ManifestError),
}
