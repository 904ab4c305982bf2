use serde::{Deserialize, Serialize};

/// What a reviewer reads about a release. It is a document: stored as JSON
/// beside the release and shown as it was written, whatever changes later.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReviewReport {
    /// The version of the contract.
    pub wit: String,
    /// Bytes of the upload.
    pub upload_bytes: u64,
    /// Every function that the component imports.
    pub imports: Vec<ReportImport>,
    /// Every scope that it asks for.
    pub scopes: Vec<ReportScope>,
    /// Every address that it may send requests below.
    pub egress: Vec<ReportEgress>,
    /// The services of its menu.
    pub services: Vec<String>,
    /// Its jobs, each with its time of day.
    pub jobs: Vec<String>,
    /// The version that was active when it was uploaded.
    pub compared_with: Option<String>,
    /// What the compile and the first calls measured.
    pub check: CheckReport,
}

/// An imported function.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReportImport {
    /// `qiao:host/catalog@0.1.0`.
    pub interface: String,
    /// `register-product`.
    pub function: String,
    /// The scope that covers it; none when it needs none.
    pub scope: Option<String>,
}

/// A scope of the manifest.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReportScope {
    /// `catalog:write`.
    pub scope: String,
    /// Why the author wants it.
    pub reason: String,
    /// Whether any import needs it; if not, it asks for more than it should.
    pub used: bool,
    /// Whether the active release did not ask for it.
    pub added: bool,
}

/// An egress rule of the manifest.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReportEgress {
    /// Its name.
    pub name: String,
    /// Scheme, host, port and path prefix.
    pub url: String,
    /// `get`, `post`, …
    pub methods: Vec<String>,
    /// Why the author wants it.
    pub reason: String,
    /// Whether the active release had no such rule.
    pub added: bool,
}

/// What compiling and calling the component measured. The runtime makes it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct CheckReport {
    /// Bytes of machine code and data.
    pub compiled_bytes: u64,
    /// Bytes of memory that an instance begins with.
    pub memory_bytes: u64,
    /// Fuel of each call of the fixed corpus.
    pub fuel: Vec<FuelSample>,
}

/// The fuel of one call.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct FuelSample {
    /// Which call.
    pub case: String,
    /// What it took.
    pub fuel: u64,
    /// How it ended.
    pub outcome: String,
}
