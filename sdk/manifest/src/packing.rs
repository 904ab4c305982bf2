use sha2::{Digest, Sha256};
use wasm_encoder::{ComponentSection, CustomSection};

use crate::error::PackingError;
use crate::limits::{MANIFEST_BYTES_MAX, SIGNATURE_BYTES_MAX};
use crate::manifest::Manifest;
use crate::section::{self, custom_sections};

/// The custom section that holds `plugin.toml`.
pub const MANIFEST_SECTION: &str = "qiao:manifest";
/// The custom section that holds the signature; the last of the file.
pub const SIGNATURE_SECTION: &str = "qiao:signature";

/// Puts a manifest into a component.
///
/// # Errors
/// When the component is none, has a manifest or a signature already, or the manifest is
/// not valid.
pub fn embed(component: &[u8], manifest_toml: &str) -> Result<Vec<u8>, PackingError> {
    for section in custom_sections(component)? {
        match section.name {
            MANIFEST_SECTION => return Err(PackingError::AlreadyEmbedded),
            SIGNATURE_SECTION => return Err(PackingError::AlreadySigned),
            _ => {}
        }
    }
    Manifest::parse(manifest_toml)?;
    Ok(append(
        component,
        MANIFEST_SECTION,
        manifest_toml.as_bytes(),
    ))
}

/// The manifest of a component, parsed and as it is written.
///
/// # Errors
/// When there is none, more than one, or it is not valid.
pub fn extract(component: &[u8]) -> Result<(Manifest, String), PackingError> {
    let section = only(component, MANIFEST_SECTION)?.ok_or(PackingError::MissingManifest)?;
    let text = text(&section, MANIFEST_SECTION, MANIFEST_BYTES_MAX)?;
    Ok((Manifest::parse(text)?, text.to_owned()))
}

/// The bytes that a release's signature covers: all but the signature.
///
/// # Errors
/// When the upload is no component, or its signature section is not the one last section.
pub fn signing_bytes(upload: &[u8]) -> Result<&[u8], PackingError> {
    detach_signature(upload).map(|(component, _)| component)
}

/// The digest of a release: SHA-256 of [`signing_bytes`] in lower-case hex. It is the
/// same before and after the release is signed.
///
/// # Errors
/// As [`signing_bytes`].
pub fn digest(upload: &[u8]) -> Result<String, PackingError> {
    const HEX: &[u8; 16] = b"0123456789abcdef";
    let hash = Sha256::digest(signing_bytes(upload)?);
    let digits = hash
        .iter()
        .flat_map(|byte| [HEX[usize::from(byte >> 4)], HEX[usize::from(byte & 15)]]);
    Ok(digits.map(char::from).collect())
}

/// Adds a signature, a compact JWS, as the last section.
///
/// # Errors
/// When the component has no manifest or is signed already, or the signature is no
/// compact JWS.
pub fn attach_signature(component: &[u8], jws: &str) -> Result<Vec<u8>, PackingError> {
    if only(component, MANIFEST_SECTION)?.is_none() {
        return Err(PackingError::MissingManifest);
    }
    if only(component, SIGNATURE_SECTION)?.is_some() {
        return Err(PackingError::AlreadySigned);
    }
    check_signature(jws)?;
    Ok(append(component, SIGNATURE_SECTION, jws.as_bytes()))
}

/// Parts an upload into the component that was signed and its signature, if it has one.
///
/// # Errors
/// When the signature is there twice, not last, too large, or no compact JWS.
pub fn detach_signature(upload: &[u8]) -> Result<(&[u8], Option<String>), PackingError> {
    let Some(section) = only(upload, SIGNATURE_SECTION)? else {
        return Ok((upload, None));
    };
    if section.range.end != upload.len() {
        return Err(PackingError::SignatureNotLast);
    }
    let jws = text(&section, SIGNATURE_SECTION, SIGNATURE_BYTES_MAX)?;
    check_signature(jws)?;
    Ok((&upload[..section.range.start], Some(jws.to_owned())))
}

fn append(component: &[u8], name: &str, content: &[u8]) -> Vec<u8> {
    let mut file = component.to_vec();
    CustomSection {
        name: name.into(),
        data: content.into(),
    }
    .append_to_component(&mut file);
    file
}

/// The one section of that name.
fn only<'a>(
    file: &'a [u8],
    name: &'static str,
) -> Result<Option<section::CustomSection<'a>>, PackingError> {
    let mut named = custom_sections(file)?
        .into_iter()
        .filter(|section| section.name == name);
    let first = named.next();
    if named.next().is_some() {
        return Err(PackingError::DuplicateSection(name));
    }
    Ok(first)
}

fn text<'a>(
    section: &section::CustomSection<'a>,
    name: &'static str,
    max: usize,
) -> Result<&'a str, PackingError> {
    let bytes = section.content.len();
    if bytes > max {
        return Err(PackingError::OversizedSection {
            section: name,
            bytes,
            max,
        });
    }
    std::str::from_utf8(section.content).map_err(|_| PackingError::NotText(name))
}

/// Three parts of base64url with points between; the payload may be detached (RFC 7515,
/// appendix F) and thus empty.
fn check_signature(jws: &str) -> Result<(), PackingError> {
    if jws.len() > SIGNATURE_BYTES_MAX {
        return Err(PackingError::OversizedSection {
            section: SIGNATURE_SECTION,
            bytes: jws.len(),
            max: SIGNATURE_BYTES_MAX,
        });
    }
    let base64url = |part: &str| {
        part.bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_'))
    };
    let parts: Vec<&str> = jws.split('.').collect();
    match parts.as_slice() {
        [header, payload, signature]
            if !header.is_empty()
                && !signature.is_empty()
                && base64url(header)
                && base64url(payload)
                && base64url(signature) =>
        {
            Ok(())
        }
        _ => Err(PackingError::InvalidSignature),
    }
}
