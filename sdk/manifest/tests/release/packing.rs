use qiao_manifest::limits::{MANIFEST_BYTES_MAX, SIGNATURE_BYTES_MAX};
use qiao_manifest::{
    MANIFEST_SECTION, PackingError, SIGNATURE_SECTION, attach_signature, detach_signature, digest,
    embed, extract, signing_bytes,
};

use crate::component::{MANIFEST, leb, nothing, section};

const JWS: &str = "eyJhbGciOiJFUzI1NiJ9.eyJkIjoiMSJ9.c2ln";

fn packed() -> Vec<u8> {
    embed(&nothing(), MANIFEST).unwrap()
}

fn with(file: Vec<u8>, name: &str, content: &[u8]) -> Vec<u8> {
    [file, section(name, content)].concat()
}

#[test]
fn a_manifest_travels_in_the_component() {
    let (manifest, text) = extract(&packed()).unwrap();
    assert_eq!(manifest.name, "n");
    assert_eq!(text, MANIFEST);
}

#[test]
fn a_signature_comes_off_as_it_went_on() {
    let signed = attach_signature(&packed(), JWS).unwrap();
    assert_eq!(
        detach_signature(&signed),
        Ok((&packed()[..], Some(JWS.to_owned())))
    );
    assert_eq!(detach_signature(&packed()), Ok((&packed()[..], None)));
    assert_eq!(extract(&signed).unwrap().1, MANIFEST);
    assert_eq!(signing_bytes(&signed), Ok(&packed()[..]));
}

#[test]
fn the_digest_covers_all_but_the_signature() {
    let plain = digest(&packed()).unwrap();
    assert_eq!(plain.len(), 64);
    assert!(
        plain
            .bytes()
            .all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'))
    );
    assert_eq!(
        digest(&attach_signature(&packed(), JWS).unwrap()).unwrap(),
        plain
    );
    assert_eq!(
        digest(b"\0asm\x0d\0\x01\0").unwrap(),
        "24eaf3439a60c96764c4f2c92a0a81b52bd4fe5d5b91f090184a0f6486b1bf29",
    );
    let other = embed(&nothing(), &MANIFEST.replace("\"S\"", "\"Z\"")).unwrap();
    assert_ne!(digest(&other).unwrap(), plain);
}

#[test]
fn a_component_without_manifest_or_with_two_is_refused() {
    assert_eq!(
        extract(&nothing()).err(),
        Some(PackingError::MissingManifest)
    );
    let twice = with(packed(), MANIFEST_SECTION, MANIFEST.as_bytes());
    assert_eq!(
        extract(&twice).err(),
        Some(PackingError::DuplicateSection(MANIFEST_SECTION))
    );
    assert_eq!(
        embed(&packed(), MANIFEST).err(),
        Some(PackingError::AlreadyEmbedded)
    );
}

#[test]
fn a_manifest_inside_a_nested_component_does_not_count() {
    const COMPONENT_SECTION_ID: u8 = 4;
    let nested = packed();
    let mut outer = nothing();
    outer.push(COMPONENT_SECTION_ID);
    outer.extend(leb(nested.len()));
    outer.extend(&nested);
    assert_eq!(extract(&outer).err(), Some(PackingError::MissingManifest));
}

#[test]
fn a_manifest_that_is_no_text_or_too_large_is_refused() {
    let binary = with(nothing(), MANIFEST_SECTION, b"\xff\xfe");
    assert_eq!(
        extract(&binary).err(),
        Some(PackingError::NotText(MANIFEST_SECTION))
    );
    let padding = "#".repeat(MANIFEST_BYTES_MAX - MANIFEST.len());
    let largest = format!("{MANIFEST}{padding}");
    assert!(extract(&with(nothing(), MANIFEST_SECTION, largest.as_bytes())).is_ok());
    let past = with(
        nothing(),
        MANIFEST_SECTION,
        format!("{largest}#").as_bytes(),
    );
    let (section, max) = (MANIFEST_SECTION, MANIFEST_BYTES_MAX);
    let refusal = PackingError::OversizedSection {
        section,
        bytes: max + 1,
        max,
    };
    assert_eq!(extract(&past).err(), Some(refusal));
}

#[test]
fn a_manifest_that_is_not_valid_is_neither_embedded_nor_extracted() {
    assert!(matches!(
        embed(&nothing(), "[plugin]"),
        Err(PackingError::Manifest(_))
    ));
    let invalid = with(nothing(), MANIFEST_SECTION, b"[plugin]");
    assert!(matches!(extract(&invalid), Err(PackingError::Manifest(_))));
}

#[test]
fn what_follows_the_signature_is_refused() {
    let signed = attach_signature(&packed(), JWS).unwrap();
    let followed = with(signed.clone(), "later", b"code");
    assert_eq!(
        detach_signature(&followed).err(),
        Some(PackingError::SignatureNotLast)
    );
    assert_eq!(
        digest(&followed).err(),
        Some(PackingError::SignatureNotLast)
    );
    let twice = with(signed.clone(), SIGNATURE_SECTION, JWS.as_bytes());
    assert_eq!(
        detach_signature(&twice).err(),
        Some(PackingError::DuplicateSection(SIGNATURE_SECTION))
    );
    assert_eq!(
        attach_signature(&signed, JWS).err(),
        Some(PackingError::AlreadySigned)
    );
    let resigned = with(nothing(), SIGNATURE_SECTION, JWS.as_bytes());
    assert_eq!(
        embed(&resigned, MANIFEST).err(),
        Some(PackingError::AlreadySigned)
    );
}

#[test]
fn only_a_component_with_a_manifest_is_signed() {
    assert_eq!(
        attach_signature(&nothing(), JWS).err(),
        Some(PackingError::MissingManifest)
    );
}

#[test]
fn a_signature_is_a_compact_jws_of_limited_size() {
    for jws in [
        "", "a.b", "a.b.c.d", ".b.c", "a.b.", "a.b.c=", "a. .c", "ä.b.c",
    ] {
        assert_eq!(
            attach_signature(&packed(), jws).err(),
            Some(PackingError::InvalidSignature)
        );
        let file = with(packed(), SIGNATURE_SECTION, jws.as_bytes());
        assert_eq!(
            detach_signature(&file).err(),
            Some(PackingError::InvalidSignature),
            "{jws}"
        );
    }
    assert!(attach_signature(&packed(), "header..signature").is_ok());
    let binary = with(packed(), SIGNATURE_SECTION, b"\xff");
    assert_eq!(
        detach_signature(&binary).err(),
        Some(PackingError::NotText(SIGNATURE_SECTION))
    );
    let longest = format!("a.b.{}", "c".repeat(SIGNATURE_BYTES_MAX - 4));
    let signed = attach_signature(&packed(), &longest).unwrap();
    assert!(detach_signature(&signed).is_ok());
    let (section, max) = (SIGNATURE_SECTION, SIGNATURE_BYTES_MAX);
    let refusal = PackingError::OversizedSection {
        section,
        bytes: max + 1,
        max,
    };
    let past = format!("{longest}c");
    assert_eq!(
        attach_signature(&packed(), &past).err(),
        Some(refusal.clone())
    );
    let file = with(packed(), SIGNATURE_SECTION, past.as_bytes());
    assert_eq!(detach_signature(&file).err(), Some(refusal));
}

#[test]
fn what_is_no_component_is_refused_everywhere() {
    let core = b"\0asm\x01\0\0\0";
    assert_eq!(embed(core, MANIFEST).err(), Some(PackingError::CoreModule));
    assert_eq!(extract(core).err(), Some(PackingError::CoreModule));
    assert_eq!(
        attach_signature(core, JWS).err(),
        Some(PackingError::CoreModule)
    );
    assert_eq!(detach_signature(core).err(), Some(PackingError::CoreModule));
    assert_eq!(digest(b"hello").err(), Some(PackingError::NotWasm));
}
