use qiao_auth::{AuditEntry, Permit, PublicKey};
use qiao_events::NewEvent;
use qiao_manifest::{Import, Manifest, RequiredScope, Uncovered};
use qiao_model::{InstitutionId, Scope};
use serde_json::json;

use crate::port::{CheckError, ComponentCheck};
use crate::release::{Release, ReleaseState};
use crate::report::{CheckReport, ReportEgress, ReportImport, ReportScope, ReviewReport};
use crate::store::{plugin, release as store};
use crate::{Registry, UploadError};

/// The largest upload.
pub const COMPONENT_BYTES_MAX: usize = 4 * 1024 * 1024;
/// The `typ` of a release's signature: a JWS over the digest's hex digits.
pub const SIGNATURE_TYPE: &str = "qiao-release+jws";

/// An upload whose form, signature, manifest and imports are in order.
struct Checked {
    digest: String,
    manifest: Manifest,
    manifest_text: String,
    imports: Vec<Import>,
    signed_by: String,
}

impl Registry {
    /// Takes one signed component for review. The same bytes again give the same
    /// release. Scope `releases:write`.
    ///
    /// # Errors
    /// The first thing that is wrong with it; nothing is kept but a row in the audit.
    pub async fn upload(
        &self,
        permit: &Permit,
        upload: &[u8],
        check: &dyn ComponentCheck,
    ) -> Result<Release, UploadError> {
        let outcome = self.try_upload(permit, upload, check).await;
        if let Err(error) = &outcome
            && error.is_refusal()
        {
            let digest = qiao_manifest::digest(upload).unwrap_or_else(|_| "no digest".to_owned());
            let cause = format!("{}: {error}", error.code());
            let entry = AuditEntry::refused(permit.actor(), "release.upload", digest, cause);
            self.inner().auth.audit(entry).await?;
        }
        outcome
    }

    async fn try_upload(
        &self,
        permit: &Permit,
        upload: &[u8],
        check: &dyn ComponentCheck,
    ) -> Result<Release, UploadError> {
        permit.covers(Scope::ReleasesWrite)?;
        let institution = permit.demand_institution()?;
        self.demand_active(institution).await?;
        let checked = self.inspect(institution, upload).await?;
        self.demand_developer(&checked.manifest).await?;
        if let Some(stored) = self.stored_before(institution, &checked).await? {
            return Ok(stored);
        }
        let measured = check
            .check(upload, &checked.manifest)
            .await
            .map_err(UploadError::Check)?;
        let active = self.active_of_name(institution, &checked).await?;
        let report = report(&checked, upload.len(), measured, active.as_ref());
        self.store(permit, institution, upload, &checked, report)
            .await
    }

    /// Every check that needs no compiler, on a blocking thread: reading and
    /// validating some megabytes would hold up everybody else's requests.
    async fn inspect(
        &self,
        institution: InstitutionId,
        upload: &[u8],
    ) -> Result<Checked, UploadError> {
        if upload.is_empty() {
            return Err(UploadError::Empty);
        }
        if upload.len() > COMPONENT_BYTES_MAX {
            return Err(UploadError::TooLarge(upload.len()));
        }
        let keys = self.inner().auth.institution_keys(institution).await?;
        let upload = upload.to_vec();
        tokio::task::spawn_blocking(move || inspect(&keys, &upload))
            .await
            .map_err(|_| {
                let cause = "the inspection stopped in the middle".to_owned();
                UploadError::Check(CheckError::Unavailable(cause))
            })?
    }

    /// Money goes to a developer, so it must be an institution that exists.
    async fn demand_developer(&self, manifest: &Manifest) -> Result<(), UploadError> {
        let Some(developer) = &manifest.developer else {
            return Ok(());
        };
        let found = match developer.parse() {
            Ok(id) => self.institution(id).await?,
            Err(_) => None,
        };
        match found {
            Some(_) => Ok(()),
            None => Err(UploadError::UnknownDeveloper(developer.clone())),
        }
    }

    /// The release with these bytes, if it was stored before.
    async fn stored_before(
        &self,
        institution: InstitutionId,
        checked: &Checked,
    ) -> Result<Option<Release>, UploadError> {
        let db = &self.inner().db;
        let name = &checked.manifest.name;
        let Some(owner) = plugin::find_by_name(db, name).await? else {
            return Ok(None);
        };
        if owner.institution != institution {
            return Err(UploadError::NameTaken(name.clone()));
        }
        let version = checked.manifest.version.to_string();
        match store::find_version(db, owner.id, &version).await? {
            Some(stored) if stored.digest == checked.digest => Ok(Some(stored)),
            Some(stored) => Err(UploadError::VersionUsed {
                version,
                digest: stored.digest,
            }),
            None => Ok(None),
        }
    }

    async fn active_of_name(
        &self,
        institution: InstitutionId,
        checked: &Checked,
    ) -> Result<Option<Release>, UploadError> {
        let db = &self.inner().db;
        let owner = plugin::find_by_name(db, &checked.manifest.name).await?;
        match owner {
            Some(owner) if owner.institution == institution => {
                Ok(store::find_active(db, owner.id).await?)
            }
            Some(_) | None => Ok(None),
        }
    }

    async fn store(
        &self,
        permit: &Permit,
        institution: InstitutionId,
        upload: &[u8],
        checked: &Checked,
        report: ReviewReport,
    ) -> Result<Release, UploadError> {
        let inner = self.inner();
        let mut release = Release {
            id: inner.env.id(),
            plugin: inner.env.id(),
            institution,
            version: checked.manifest.version.to_string(),
            digest: checked.digest.clone(),
            manifest: checked.manifest.clone(),
            report,
            signed_by: checked.signed_by.clone(),
            uploaded_by: permit.actor().to_string(),
            uploaded_at: inner.env.now(),
            state: ReleaseState::InReview,
            decided_at: None,
        };
        let stored = inner
            .db
            .write(|| async {
                let mut release = release.clone();
                let mut tx = inner.db.begin().await?;
                let plugin = plugin::find_or_insert(&mut tx, &release).await?;
                if plugin.institution != institution {
                    return Err(UploadError::NameTaken(plugin.name));
                }
                release.plugin = plugin.id;
                store::insert(&mut tx, &release, &checked.manifest_text, upload).await?;
                let entry =
                    AuditEntry::allowed(permit.actor(), "release.upload", release.id).detail(
                        format!("{} {} {}", plugin.name, release.version, release.digest),
                    );
                inner.auth.audit_in(&mut tx, &entry).await?;
                let event = uploaded(&release);
                qiao_events::append(&mut tx, inner.env.now(), &[event]).await?;
                tx.commit().await?;
                Ok(plugin.id)
            })
            .await;
        match stored {
            Ok(plugin) => {
                release.plugin = plugin;
                Ok(release)
            }
            // Another upload of the same version was faster: the same bytes, or not.
            Err(UploadError::Registry(crate::Error::Storage(error)))
                if error.is_unique_violation() =>
            {
                let stored = self.stored_before(institution, checked).await?;
                stored.ok_or_else(|| error.into())
            }
            Err(error) => Err(error),
        }
    }
}

/// Signature, manifest, imports and exports, in this order: nothing of a file is
/// believed before its signature is.
fn inspect(keys: &[PublicKey], upload: &[u8]) -> Result<Checked, UploadError> {
    let refuse = UploadError::of_packing;
    let (_, signature) = qiao_manifest::detach_signature(upload).map_err(refuse)?;
    let signature = signature.ok_or(UploadError::MissingSignature)?;
    let verified = qiao_auth::keys::verify_jws(keys, SIGNATURE_TYPE, &signature)
        .map_err(UploadError::WrongSignature)?;
    let digest = qiao_manifest::digest(upload).map_err(refuse)?;
    if verified.payload != digest.as_bytes() {
        let signed = String::from_utf8_lossy(&verified.payload);
        return Err(UploadError::SignatureOfAnotherFile {
            signed: signed.chars().take(80).collect(),
            digest,
        });
    }
    let (manifest, manifest_text) = qiao_manifest::extract(upload).map_err(refuse)?;
    let imports = qiao_manifest::imports(upload).map_err(refuse)?;
    if let Some(uncovered) = manifest.uncovered(&imports).into_iter().next() {
        return Err(match uncovered {
            Uncovered::Unknown(import) => UploadError::UnknownImport(import),
            Uncovered::NotRequested { import, scope } => {
                UploadError::ImportWithoutScope { import, scope }
            }
        });
    }
    let exports = qiao_manifest::exports(upload).map_err(refuse)?;
    if let Some(missing) = qiao_manifest::missing_exports(&exports).into_iter().next() {
        return Err(UploadError::MissingExport(missing));
    }
    Ok(Checked {
        digest,
        manifest,
        manifest_text,
        imports,
        signed_by: verified.kid,
    })
}

fn uploaded(release: &Release) -> NewEvent {
    NewEvent {
        id: release.id.derive("release.uploaded", 0),
        kind: "release.uploaded",
        institution: Some(release.institution),
        plugin: None,
        subject: release.id.to_string(),
        payload: json!({
            "release": release.id.to_string(),
            "plugin": release.plugin.to_string(),
            "version": release.version,
            "digest": release.digest,
        }),
    }
}

/// What the reviewer reads, compared with what serves now.
fn report(
    checked: &Checked,
    upload_bytes: usize,
    check: CheckReport,
    active: Option<&Release>,
) -> ReviewReport {
    let manifest = &checked.manifest;
    let unused = manifest.unused_scopes(&checked.imports);
    let scopes = manifest.scopes.iter().map(|(scope, reason)| ReportScope {
        scope: scope.to_string(),
        reason: reason.clone(),
        used: !unused.contains(scope),
        added: active.is_some_and(|active| !active.manifest.requests(*scope)),
    });
    let egress = manifest.egress.iter().map(|rule| ReportEgress {
        name: rule.name.clone(),
        url: rule.url.to_string(),
        methods: rule.methods.iter().map(ToString::to_string).collect(),
        reason: rule.reason.clone(),
        added: active.is_some_and(|active| !active.manifest.egress.contains(rule)),
    });
    let imports = checked.imports.iter().map(|import| ReportImport {
        interface: import.interface.clone(),
        function: import.function.clone(),
        scope: match qiao_manifest::required_scope(&import.interface, &import.function) {
            RequiredScope::Scope(scope) => Some(scope.to_string()),
            RequiredScope::NotNeeded | RequiredScope::Unknown => None,
        },
    });
    let jobs = manifest.jobs.iter();
    ReviewReport {
        wit: manifest.wit.clone(),
        upload_bytes: upload_bytes as u64,
        imports: imports.collect(),
        scopes: scopes.collect(),
        egress: egress.collect(),
        services: manifest.services.iter().map(|s| s.name.clone()).collect(),
        jobs: jobs
            .map(|job| format!("{} at {}", job.name, job.at))
            .collect(),
        compared_with: active.map(|active| active.version.clone()),
        check,
    }
}
