//! Uploads: what is taken, and every way to be refused.
#![expect(
    clippy::unwrap_used,
    reason = "a test stops where something is missing"
)]

mod platform;

use platform::component::{self, EXPORTS};
use platform::{Compiler, Platform, Tenant};
use qiao_auth::keys::{KeyKind, generate_key, sign_jws};
use qiao_auth::{ClientAssertion, NewClient, TokenRequest};
use qiao_manifest::{MANIFEST_SECTION, SIGNATURE_SECTION};
use qiao_model::{Scope, ScopeSet};
use qiao_registry::{
    COMPONENT_BYTES_MAX, CheckError, Error, InstitutionState, ReleaseState, SIGNATURE_TYPE,
    UploadError,
};
use qiao_tests::each_database;
use serde_json::json;

const CATALOG: &str = "qiao:host/catalog@0.1.0";

fn catalog_component() -> Vec<u8> {
    component::of(&[CATALOG], &EXPORTS)
}

/// The uploader's signature over whatever the bytes are.
fn sign_anything(tenant: &Tenant, component: &[u8]) -> Vec<u8> {
    let digest = qiao_manifest::digest(component).unwrap();
    let jws = sign_jws(&tenant.pem, SIGNATURE_TYPE, digest.as_bytes()).unwrap();
    component::with_section(component, SIGNATURE_SECTION, jws.as_bytes())
}

/// Uploads what must be refused and gives the error, after checking that nothing
/// of it is kept but a row in the audit.
async fn refused(platform: &Platform, tenant: &Tenant, upload: &[u8]) -> UploadError {
    let before = kept(platform).await;
    let rows = platform.count("audit").await;
    let error = platform
        .registry
        .upload(&tenant.staff, upload, &Compiler::willing())
        .await
        .unwrap_err();
    assert_eq!(kept(platform).await, before, "{error}");
    assert_eq!(platform.count("audit").await, rows + 1, "{error}");
    let page = platform
        .auth
        .audit_page(&platform.operator, None)
        .await
        .unwrap();
    let prefix = format!("{}: ", error.code());
    let row = page.iter().find(|row| row.detail.starts_with(&prefix));
    let row = row.unwrap_or_else(|| panic!("no audit row of {error}"));
    assert_eq!(
        (row.action.as_str(), row.outcome.name()),
        ("release.upload", "refused")
    );
    error
}

async fn kept(platform: &Platform) -> [i64; 4] {
    [
        platform.count("plugin").await,
        platform.count("release").await,
        platform.count("release_component").await,
        platform.count("event").await,
    ]
}

#[tokio::test]
async fn a_signed_component_is_kept_with_its_report_and_waits_for_review() {
    each_database(|database| async move {
        let platform = platform::open(database).await;
        let tenant = platform.tenant("harvest").await;
        let upload = tenant.sign(&component::good("money-fund", "1.0.0"));
        let release = platform
            .registry
            .upload(&tenant.staff, &upload, &Compiler::willing())
            .await
            .unwrap();
        assert_eq!(release.digest, qiao_manifest::digest(&upload).unwrap());
        assert_eq!(release.state, ReleaseState::InReview);
        assert_eq!(
            (release.version.as_str(), release.institution),
            ("1.0.0", tenant.id)
        );
        assert_eq!(release.scopes(), ScopeSet::EMPTY.with(Scope::CatalogWrite));
        assert_eq!(release.signed_by, tenant.client.keys[0].kid());
        let registry = &platform.registry;
        assert_eq!(
            registry.release(release.id).await.unwrap(),
            Some(release.clone())
        );
        let bytes = registry.component_bytes(release.id).await.unwrap();
        assert!(bytes == Some(upload), "the upload is kept byte for byte");
        let plugins = registry.plugins_of(tenant.id).await.unwrap();
        assert_eq!((plugins[0].id, plugins[0].active), (release.plugin, None));
        let waiting = registry.in_review(&platform.operator).await.unwrap();
        assert_eq!(waiting, std::slice::from_ref(&release));
        assert_eq!(registry.active_release(release.plugin).await.unwrap(), None);
        let events = platform.events().await;
        assert!(events.iter().any(|kind| kind == "release.uploaded"));
        let audit = platform.audit_of(release.id).await;
        assert!(
            audit[0].starts_with("release.upload allowed money-fund 1.0.0"),
            "{audit:?}"
        );
    })
    .await;
}

#[tokio::test]
async fn the_report_says_what_changed_since_the_active_release() {
    each_database(|database| async move {
        let platform = platform::open(database).await;
        let tenant = platform.tenant("harvest").await;
        let first = platform.active(&tenant, "money-fund", "1.0.0").await;
        assert_eq!(first.report.compared_with, None);
        assert!(
            first
                .report
                .scopes
                .iter()
                .all(|scope| !scope.added && scope.used)
        );
        let imports: Vec<_> = first
            .report
            .imports
            .iter()
            .map(|i| (i.function.as_str(), i.scope.as_deref()))
            .collect();
        assert!(imports.contains(&("register-product", Some("catalog:write"))));
        assert!(imports.contains(&("write", None)));
        assert_eq!(first.report.jobs, ["daily at 16:00"]);
        assert_eq!(first.report.check.fuel[0].fuel, 7);
        let scopes = ["catalog:write", "storage", "egress"];
        let manifest = component::manifest("money-fund", "1.1.0", &scopes)
            + "\n[[egress]]\nname = \"biller\"\nurl = \"https://biller.example/v1/\"\n\
               methods = [\"get\"]\nreason = \"asks it\"\n";
        let second = qiao_manifest::embed(&catalog_component(), &manifest).unwrap();
        let second = platform
            .registry
            .upload(&tenant.staff, &tenant.sign(&second), &Compiler::willing())
            .await
            .unwrap();
        let report = second.report;
        assert_eq!(report.compared_with.as_deref(), Some("1.0.0"));
        let told = report
            .scopes
            .iter()
            .map(|s| (s.scope.as_str(), s.used, s.added));
        assert_eq!(
            told.collect::<Vec<_>>(),
            [
                ("catalog:write", true, false),
                ("storage", false, true),
                ("egress", false, true)
            ]
        );
        assert_eq!(report.egress[0].url, "https://biller.example/v1/");
        assert!(report.egress[0].added);
    })
    .await;
}

#[tokio::test]
async fn the_same_bytes_again_are_the_same_release_whoever_of_the_institution_signs() {
    each_database(|database| async move {
        let platform = platform::open(database).await;
        let mut tenant = platform.tenant("harvest").await;
        let component = component::good("money-fund", "1.0.0");
        let upload = async |tenant: &Tenant| {
            let upload = tenant.sign(&component);
            let compiler = Compiler::willing();
            platform
                .registry
                .upload(&tenant.staff, &upload, &compiler)
                .await
        };
        let first = upload(&tenant).await.unwrap();
        let before = kept(&platform).await;
        assert_eq!(upload(&tenant).await.unwrap(), first);
        let (pem, jwk) = generate_key(KeyKind::P256).unwrap();
        let second_client = NewClient {
            institution: tenant.id,
            name: "second".to_owned(),
            jwks_json: json!({ "keys": [jwk] }).to_string(),
            scopes: ScopeSet::EMPTY,
        };
        let registered = platform
            .auth
            .register_client(&tenant.staff, second_client)
            .await;
        registered.unwrap();
        tenant.pem = pem;
        assert_eq!(upload(&tenant).await.unwrap(), first);
        assert_eq!(kept(&platform).await, before);
    })
    .await;
}

#[tokio::test]
async fn what_is_not_a_component_is_refused() {
    each_database(|database| async move {
        let platform = platform::open(database).await;
        let tenant = platform.tenant("harvest").await;
        let good = tenant.sign(&component::good("money-fund", "1.0.0"));
        let largest = vec![0; COMPONENT_BYTES_MAX];
        let too_large = vec![0; COMPONENT_BYTES_MAX + 1];
        let core_module = b"\0asm\x01\0\0\0".to_vec();
        let cut = good[..good.len() / 2].to_vec();
        for (upload, code) in [
            (Vec::new(), "upload-empty"),
            (largest, "not-a-component"),
            (too_large, "upload-too-large"),
            (b"PK\x03\x04 a zip archive".to_vec(), "not-a-component"),
            (core_module, "not-a-component"),
            (cut, "not-a-component"),
        ] {
            let error = refused(&platform, &tenant, &upload).await;
            assert_eq!(error.code(), code, "{error}");
        }
        // Sections in order, and no valid component.
        let garbage = [&b"\0asm\x0d\0\x01\0\x07\x01\xff"[..]].concat();
        let manifest = component::manifest("garbage", "1.0.0", &[]);
        let garbage = component::with_section(&garbage, MANIFEST_SECTION, manifest.as_bytes());
        let error = refused(&platform, &tenant, &sign_anything(&tenant, &garbage)).await;
        assert_eq!(error.code(), "not-a-component", "{error}");
    })
    .await;
}

#[tokio::test]
async fn a_missing_or_wrong_signature_is_refused() {
    each_database(|database| async move {
        let platform = platform::open(database).await;
        let tenant = platform.tenant("harvest").await;
        let stranger = platform.tenant("stranger").await;
        let component = component::good("money-fund", "1.0.0");
        let digest = qiao_manifest::digest(&component).unwrap();
        let sign = |typ: &str, payload: &str| {
            let jws = sign_jws(&tenant.pem, typ, payload.as_bytes()).unwrap();
            qiao_manifest::attach_signature(&component, &jws).unwrap()
        };
        let good = tenant.sign(&component);
        let after = component::with_section(&good, "note", b"added after the signature");
        let twice = sign_anything_again(&tenant, &good);
        let no_jws = component::with_section(&component, SIGNATURE_SECTION, b"not a JWS");
        for (upload, code) in [
            (component.clone(), "signature-missing"),
            (stranger.sign(&component), "signature-wrong"),
            (sign("JWT", &digest), "signature-wrong"),
            (
                sign(SIGNATURE_TYPE, &digest.to_uppercase()),
                "signature-of-another-file",
            ),
            (sign(SIGNATURE_TYPE, ""), "signature-of-another-file"),
            (after, "signature-section"),
            (twice, "signature-section"),
            (no_jws, "signature-section"),
        ] {
            let error = refused(&platform, &tenant, &upload).await;
            assert_eq!(error.code(), code, "{error}");
        }
        // One flipped byte of what was signed.
        let mut flipped = good.clone();
        let at = flipped
            .windows(7)
            .position(|bytes| bytes == b"Summary")
            .unwrap();
        flipped[at] = b'Z';
        let error = refused(&platform, &tenant, &flipped).await;
        assert_eq!(error.code(), "signature-of-another-file", "{error}");
        // The key of a client that was disabled signs no more.
        let (staff, client) = (&tenant.staff, tenant.client.id);
        platform
            .auth
            .disable_client(staff, tenant.id, client)
            .await
            .unwrap();
        let error = refused(&platform, &tenant, &good).await;
        assert_eq!(error.code(), "signature-wrong", "{error}");
    })
    .await;
}

fn sign_anything_again(tenant: &Tenant, signed: &[u8]) -> Vec<u8> {
    let jws = sign_jws(&tenant.pem, SIGNATURE_TYPE, b"again").unwrap();
    component::with_section(signed, SIGNATURE_SECTION, jws.as_bytes())
}

#[tokio::test]
async fn a_missing_or_wrong_manifest_is_refused() {
    each_database(|database| async move {
        let platform = platform::open(database).await;
        let tenant = platform.tenant("harvest").await;
        let bare = catalog_component();
        let with =
            |manifest: &str| component::with_section(&bare, MANIFEST_SECTION, manifest.as_bytes());
        let good = component::manifest("money-fund", "1.0.0", &["catalog:write"]);
        let twice = component::with_section(&with(&good), MANIFEST_SECTION, good.as_bytes());
        for (component, code) in [
            (bare.clone(), "manifest-section"),
            (twice, "manifest-section"),
            (
                component::with_section(&bare, MANIFEST_SECTION, b"\xff"),
                "manifest-section",
            ),
            (with("this is no manifest"), "manifest-invalid"),
            (with(&good.replace("1.0.0", "one")), "manifest-invalid"),
            (
                with(&good.replace("wit = \"0.1.0\"", "wit = \"9.9.9\"")),
                "wit-version",
            ),
        ] {
            let error = refused(&platform, &tenant, &sign_anything(&tenant, &component)).await;
            assert_eq!(error.code(), code, "{error}");
        }
    })
    .await;
}

#[tokio::test]
async fn every_import_is_known_and_covered_and_every_export_is_there() {
    each_database(|database| async move {
        let platform = platform::open(database).await;
        let tenant = platform.tenant("harvest").await;
        let upload = |component: &[u8], scopes: &[&str]| {
            let manifest = component::manifest("money-fund", "1.0.0", scopes);
            tenant.sign(&qiao_manifest::embed(component, &manifest).unwrap())
        };
        let elsewhere = component::of(&["elsewhere"], &EXPORTS);
        let error = refused(&platform, &tenant, &upload(&elsewhere, &[])).await;
        assert!(
            matches!(&error, UploadError::UnknownImport(i) if i.function == "call"),
            "{error}"
        );
        let error = refused(
            &platform,
            &tenant,
            &upload(&catalog_component(), &["storage"]),
        )
        .await;
        assert!(
            matches!(&error, UploadError::ImportWithoutScope { scope, .. }
                if scope.as_str() == "catalog:write"),
            "{error}"
        );
        assert_eq!(error.code(), "import-without-scope");
        for missing in EXPORTS {
            let exports: Vec<&str> = EXPORTS.into_iter().filter(|e| *e != missing).collect();
            let component = component::of(&[], &exports);
            let error = refused(&platform, &tenant, &upload(&component, &[])).await;
            assert!(
                matches!(&error, UploadError::MissingExport(e) if e.interface.contains(missing)),
                "{missing}: {error}"
            );
        }
    })
    .await;
}

#[tokio::test]
async fn a_version_is_used_once_and_a_name_belongs_to_one_institution() {
    each_database(|database| async move {
        let platform = platform::open(database).await;
        let tenant = platform.tenant("harvest").await;
        let neighbour = platform.tenant("neighbour").await;
        let first = platform.approved(&tenant, "money-fund", "1.0.0").await;
        let component = qiao_manifest::embed(
            &catalog_component(),
            &component::manifest("money-fund", "1.0.0", &["catalog:write"]),
        )
        .unwrap();
        let error = refused(&platform, &tenant, &tenant.sign(&component)).await;
        assert!(
            matches!(&error, UploadError::VersionUsed { version, digest }
                if version == "1.0.0" && *digest == first.digest),
            "{error}"
        );
        let theirs = component::good("money-fund", "2.0.0");
        let error = refused(&platform, &neighbour, &neighbour.sign(&theirs)).await;
        assert!(matches!(&error, UploadError::NameTaken(name) if name == "money-fund"));
        // The same bytes of another institution are no way around it.
        let same = component::good("money-fund", "1.0.0");
        let error = refused(&platform, &neighbour, &neighbour.sign(&same)).await;
        assert_eq!(error.code(), "plugin-name-taken");
    })
    .await;
}

#[tokio::test]
async fn a_developer_is_an_institution_of_this_host() {
    each_database(|database| async move {
        let platform = platform::open(database).await;
        let tenant = platform.tenant("harvest").await;
        let developed_by = |developer: &str| {
            let manifest = component::manifest("money-fund", "1.0.0", &["catalog:write"]);
            let manifest = manifest.replacen(
                "[plugin]\n",
                &format!("[plugin]\ndeveloper = \"{developer}\"\n"),
                1,
            );
            qiao_manifest::embed(&catalog_component(), &manifest).unwrap()
        };
        let nobody = format!("ins_{}", "7".repeat(26));
        let error = refused(&platform, &tenant, &tenant.sign(&developed_by(&nobody))).await;
        assert!(matches!(&error, UploadError::UnknownDeveloper(id) if *id == nobody));
        assert_eq!(error.code(), "unknown-developer");
        let developer = platform.tenant("studio").await.id.to_string();
        let upload = tenant.sign(&developed_by(&developer));
        let compiler = Compiler::willing();
        let uploaded = platform.registry.upload(&tenant.staff, &upload, &compiler);
        let release = uploaded.await.unwrap();
        assert_eq!(release.manifest.developer, Some(developer));
    })
    .await;
}

#[tokio::test]
async fn uploads_at_once_become_one_release() {
    each_database(|database| async move {
        let platform = platform::open(database).await;
        let tenant = platform.tenant("harvest").await;
        let upload = tenant.sign(&component::good("money-fund", "1.0.0"));
        let compiler = Compiler::willing();
        let (registry, other) = (&platform.registry, &platform.other_node);
        let (a, b, c) = tokio::join!(
            registry.upload(&tenant.staff, &upload, &compiler),
            other.upload(&tenant.staff, &upload, &compiler),
            registry.upload(&tenant.staff, &upload, &compiler),
        );
        let (a, b, c) = (a.unwrap(), b.unwrap(), c.unwrap());
        assert_eq!((a.id, a.plugin), (b.id, b.plugin));
        assert_eq!(a.id, c.id);
        assert_eq!(platform.count("release").await, 1);
        let other_bytes = qiao_manifest::embed(
            &catalog_component(),
            &component::manifest("money-fund", "2.0.0", &["catalog:write"]),
        );
        let first = tenant.sign(&component::good("money-fund", "2.0.0"));
        let second = tenant.sign(&other_bytes.unwrap());
        let (a, b) = tokio::join!(
            registry.upload(&tenant.staff, &first, &compiler),
            other.upload(&tenant.staff, &second, &compiler),
        );
        assert!(a.is_ok() != b.is_ok(), "one of two files gets the version");
        assert_eq!(a.err().or(b.err()).unwrap().code(), "version-used");
    })
    .await;
}

#[tokio::test]
async fn what_does_not_compile_is_refused_and_a_host_that_cannot_check_says_so() {
    each_database(|database| async move {
        let platform = platform::open(database).await;
        let tenant = platform.tenant("harvest").await;
        let upload = tenant.sign(&component::good("money-fund", "1.0.0"));
        let before = kept(&platform).await;
        let attempt = async |error: CheckError| {
            let compiler = Compiler::failing(error);
            let rows = platform.count("audit").await;
            let upload = platform
                .registry
                .upload(&tenant.staff, &upload, &compiler)
                .await;
            (
                upload.unwrap_err().code(),
                platform.count("audit").await - rows,
            )
        };
        let rejected = attempt(CheckError::Rejected("too much memory".to_owned())).await;
        assert_eq!(rejected, ("component-rejected", 1));
        let unavailable = attempt(CheckError::Unavailable("no compiler".to_owned())).await;
        assert_eq!(unavailable, ("check-unavailable", 0));
        assert_eq!(kept(&platform).await, before);
    })
    .await;
}

#[tokio::test]
async fn only_those_who_may_upload_do() {
    each_database(|database| async move {
        let platform = platform::open(database).await;
        let tenant = platform.pending("harvest").await;
        let upload = tenant.sign(&component::good("money-fund", "1.0.0"));
        let pending = refused(&platform, &tenant, &upload).await;
        assert!(matches!(
            pending,
            UploadError::Registry(Error::InstitutionState {
                state: InstitutionState::Pending,
                ..
            })
        ));
        let registry = &platform.registry;
        registry
            .approve_institution(&platform.operator, tenant.id)
            .await
            .unwrap();
        let compiler = Compiler::willing();
        let (_, account) = platform.user("li.wei").await;
        for permit in [&account, &platform.operator] {
            let denied = registry
                .upload(permit, &upload, &compiler)
                .await
                .unwrap_err();
            assert_eq!(denied.code(), "denied");
        }
        // The institution's server, with and without the scope.
        for (scope, is_allowed) in [("orders:read", false), ("releases:write", true)] {
            let token = token(&platform, &tenant, scope).await;
            let parsed: Scope = scope.parse().unwrap();
            let permit = platform.auth.permit_bearer(&token, parsed).await.unwrap();
            let outcome = registry.upload(&permit, &upload, &compiler).await;
            assert_eq!(outcome.is_ok(), is_allowed, "{scope}");
        }
        let why = "an incident";
        let suspended = registry
            .suspend_institution(&platform.operator, tenant.id, why)
            .await;
        suspended.unwrap();
        let error = refused(&platform, &tenant, &upload).await;
        assert_eq!(error.code(), "registry", "{error}");
    })
    .await;
}

async fn token(platform: &Platform, tenant: &Tenant, scope: &str) -> String {
    let id = tenant.client.id.to_string();
    let claims = json!({
        "iss": id, "sub": id, "aud": platform.auth.issuer(),
        "exp": platform.env.now().as_secs() + 60, "jti": format!("for {scope}"),
    });
    let jws = sign_jws(&tenant.pem, "JWT", claims.to_string().as_bytes()).unwrap();
    let request = TokenRequest {
        grant_type: Some("client_credentials".to_owned()),
        client: ClientAssertion {
            client_assertion_type: Some(qiao_auth::CLIENT_ASSERTION_TYPE.to_owned()),
            client_assertion: Some(jws),
            client_id: None,
        },
        scope: Some(scope.to_owned()),
    };
    platform.auth.token(request).await.unwrap().access_token
}
