use qiao_manifest::EgressRule;
use qiao_model::{InstitutionId, PluginId, ReleaseId, ScopeSet};
use qiao_registry::Release;

/// One release, as far as its calls depend on it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ReleaseRef {
    /// Which.
    pub id: ReleaseId,
    /// Of which plugin.
    pub plugin: PluginId,
    /// Of whom.
    pub institution: InstitutionId,
    /// SHA-256 of all of the component's bytes but its signature, in lower-case hex.
    pub digest: String,
    /// What the operator granted: the scopes of the reviewed manifest.
    pub scopes: ScopeSet,
    /// Where it may send HTTP requests.
    pub egress: Vec<EgressRule>,
}

impl From<&Release> for ReleaseRef {
    fn from(release: &Release) -> Self {
        Self {
            id: release.id,
            plugin: release.plugin,
            institution: release.institution,
            digest: release.digest.clone(),
            scopes: release.scopes(),
            egress: release.manifest.egress.clone(),
        }
    }
}
