//! The top-level sections of a component, without looking into them.

use std::ops::Range;

use wasmparser::BinaryReader;

use crate::error::PackingError;

const PREAMBLE_BYTES: usize = 8;
const MAGIC: &[u8] = b"\0asm";
/// Version 13 of the component binary format, layer 1.
const COMPONENT_VERSION: &[u8] = &[0x0d, 0x00, 0x01, 0x00];
/// Version 1 of the core format, layer 0.
const CORE_MODULE_VERSION: &[u8] = &[0x01, 0x00, 0x00, 0x00];
const CUSTOM_SECTION_ID: u8 = 0;

/// A custom section.
pub(crate) struct CustomSection<'a> {
    pub(crate) name: &'a str,
    pub(crate) content: &'a [u8],
    /// From the section's id to its last byte.
    pub(crate) range: Range<usize>,
}

/// The top-level custom sections, in order. Every byte of the file belongs to a section.
pub(crate) fn custom_sections(file: &[u8]) -> Result<Vec<CustomSection<'_>>, PackingError> {
    check_preamble(file)?;
    let mut reader = BinaryReader::new(&file[PREAMBLE_BYTES..], PREAMBLE_BYTES as u64);
    let mut sections = Vec::new();
    while !reader.eof() {
        let start = position(&reader);
        let id = reader.read_u8().map_err(malformed)?;
        let size = reader.read_var_u32().map_err(malformed)? as usize;
        let body_start = position(&reader);
        let body = reader.read_bytes(size).map_err(malformed)?;
        if id != CUSTOM_SECTION_ID {
            continue;
        }
        let mut body = BinaryReader::new(body, body_start as u64);
        let name = body.read_string().map_err(malformed)?;
        let length = body.bytes_remaining();
        let content = body.read_bytes(length).map_err(malformed)?;
        sections.push(CustomSection {
            name,
            content,
            range: start..position(&reader),
        });
    }
    Ok(sections)
}

fn check_preamble(file: &[u8]) -> Result<(), PackingError> {
    let (Some(magic), Some(version)) = (file.get(..4), file.get(4..PREAMBLE_BYTES)) else {
        return Err(PackingError::NotWasm);
    };
    if magic != MAGIC {
        return Err(PackingError::NotWasm);
    }
    match version {
        COMPONENT_VERSION => Ok(()),
        CORE_MODULE_VERSION => Err(PackingError::CoreModule),
        _ => Err(PackingError::Malformed {
            offset: 4,
            cause: "an unknown version of the component format".to_owned(),
        }),
    }
}

fn position(reader: &BinaryReader<'_>) -> usize {
    usize::try_from(reader.original_position()).unwrap_or(usize::MAX)
}

pub(crate) fn malformed(error: wasmparser::Error) -> PackingError {
    PackingError::Malformed {
        offset: usize::try_from(error.offset()).unwrap_or(usize::MAX),
        cause: error.message().to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::custom_sections;
    use crate::error::PackingError;

    const EMPTY: &[u8] = b"\0asm\x0d\x00\x01\x00";

    fn with(bytes: &[u8]) -> Vec<u8> {
        [EMPTY, bytes].concat()
    }

    #[test]
    fn custom_sections_are_found_among_others() {
        let file = with(b"\x07\x01\x00\x00\x04\x02abc");
        let sections = custom_sections(&file).unwrap();
        assert_eq!(sections.len(), 1);
        assert_eq!((sections[0].name, sections[0].content), ("ab", &b"c"[..]));
        assert_eq!(sections[0].range, 11..17);
    }

    #[test]
    fn what_is_no_component_is_refused() {
        for file in [
            &b""[..],
            b"\0asm",
            b"\0asm\x0d\x00\x01",
            b"PK\x03\x04\x0d\x00\x01\x00",
        ] {
            assert_eq!(custom_sections(file).err(), Some(PackingError::NotWasm));
        }
        let core = custom_sections(b"\0asm\x01\x00\x00\x00").err();
        assert_eq!(core, Some(PackingError::CoreModule));
        let later = custom_sections(b"\0asm\x0e\x00\x01\x00").err();
        assert!(matches!(
            later,
            Some(PackingError::Malformed { offset: 4, .. })
        ));
    }

    #[test]
    fn sections_that_claim_more_than_there_is_are_refused() {
        for tail in [
            &b"\x00"[..],
            b"\x00\xff\xff\xff\xff\x0f",
            b"\x00\x05\x02ab",
            b"\x00\x01\x02",
            b"\x00\x03\x02\xff\xff",
            b"\x07\x80",
        ] {
            let refusal = custom_sections(&with(tail)).err();
            assert!(
                matches!(refusal, Some(PackingError::Malformed { .. })),
                "{tail:?}"
            );
        }
    }
}
