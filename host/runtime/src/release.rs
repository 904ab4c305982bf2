use qiao_manifest::EgressRule;
use qiao_model::{InstitutionId, PluginId, ReleaseId, ScopeSet};

/// One release, as far as its calls depend on it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ReleaseRef {
    /// Which.
    pub id: ReleaseId,
    /// Of which plugin.
    pub plugin: PluginId,
    /// Of whom.
    pub institution: InstitutionId,
    /// SHA-256 of the component.
    pub digest: [u8; 32],
    /// What the operator granted: the scopes of the reviewed manifest.
    pub scopes: ScopeSet,
    /// Where it may send HTTP requests.
    pub egress: Vec<EgressRule>,
}
