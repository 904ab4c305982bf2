use qiao_manifest::Manifest;
use qiao_model::{InstitutionId, PluginId, ReleaseId, ScopeSet, Timestamp};

use crate::report::ReviewReport;

/// A plugin, owned by one institution.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Plugin {
    /// Which.
    pub id: PluginId,
    /// Whose.
    pub institution: InstitutionId,
    /// Its name, unique on the platform.
    pub name: String,
    /// The release that serves, if one does.
    pub active: Option<ReleaseId>,
    /// When its first release was uploaded.
    pub created_at: Timestamp,
}

/// Where a release stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ReleaseState {
    /// Uploaded and checked; nobody decided yet.
    InReview,
    /// An operator approved it; it never served.
    Approved,
    /// An operator rejected it.
    Rejected {
        /// Why.
        reason: String,
    },
    /// It serves.
    Active,
    /// It served; another one does, or none. It can be rolled back to.
    Superseded,
}

impl ReleaseState {
    /// Its stored name.
    #[must_use]
    pub const fn name(&self) -> &'static str {
        match self {
            Self::InReview => "in_review",
            Self::Approved => "approved",
            Self::Rejected { .. } => "rejected",
            Self::Active => "active",
            Self::Superseded => "superseded",
        }
    }

    pub(crate) fn parse(name: &str, reason: String) -> Option<Self> {
        let plain = [
            Self::InReview,
            Self::Approved,
            Self::Active,
            Self::Superseded,
        ];
        match name {
            "rejected" => Some(Self::Rejected { reason }),
            _ => plain.into_iter().find(|state| state.name() == name),
        }
    }

    /// Whether an operator approved it, lately or long ago.
    #[must_use]
    pub const fn is_approved(&self) -> bool {
        matches!(self, Self::Approved | Self::Active | Self::Superseded)
    }
}

/// One immutable version of a plugin.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Release {
    /// Which.
    pub id: ReleaseId,
    /// Of what.
    pub plugin: PluginId,
    /// Whose.
    pub institution: InstitutionId,
    /// The manifest's version.
    pub version: String,
    /// SHA-256 of all bytes but the signature, in lower-case hex.
    pub digest: String,
    /// What the plugin says about itself.
    pub manifest: Manifest,
    /// What the reviewer reads.
    pub report: ReviewReport,
    /// The `kid` of the key that signed it.
    pub signed_by: String,
    /// Who uploaded it.
    pub uploaded_by: String,
    /// When.
    pub uploaded_at: Timestamp,
    /// Where it stands.
    pub state: ReleaseState,
    /// When an operator decided.
    pub decided_at: Option<Timestamp>,
}

impl Release {
    /// The scopes that its manifest asks for: granted once it is approved.
    #[must_use]
    pub fn scopes(&self) -> ScopeSet {
        scopes_of(&self.manifest)
    }
}

/// The platform's scopes of the same names.
pub(crate) fn scopes_of(manifest: &Manifest) -> ScopeSet {
    let scopes = manifest.scopes.keys();
    scopes
        .filter_map(|scope| scope.as_str().parse::<qiao_model::Scope>().ok())
        .collect()
}

#[cfg(test)]
mod tests {
    #[test]
    fn every_scope_of_a_manifest_is_a_scope_of_the_platform_that_a_plugin_may_have() {
        for scope in qiao_manifest::Scope::ALL {
            let ours: qiao_model::Scope = scope.as_str().parse().unwrap();
            assert!(ours.grantable_to_client(), "{scope}");
        }
    }
}
