//! A value of the document, checked where it stands.

use std::collections::BTreeSet;
use std::ops::Range;

use toml::Spanned;

use crate::document::Text;
use crate::error::{ManifestError, Refusal};
use crate::limits::NAME_CHARS_MAX;
use crate::manifest::Title;

/// The text that the places of a document point into.
pub(crate) struct Source<'a>(pub(crate) &'a str);

impl Source<'_> {
    pub(crate) fn error(&self, place: Range<usize>, key: &str, refusal: Refusal) -> ManifestError {
        let before = self.0.as_bytes().get(..place.start).unwrap_or_default();
        let line = before.iter().filter(|byte| **byte == b'\n').count() + 1;
        ManifestError {
            line,
            key: key.to_owned(),
            refusal,
        }
    }

    pub(crate) fn invalid(&self, key: &str, value: &Text, fix: &str) -> ManifestError {
        let refusal = Refusal::Invalid {
            value: value.get_ref().clone(),
            fix: fix.into(),
        };
        self.error(value.span(), key, refusal)
    }

    /// A line of plain text, from 1 to `max` characters.
    pub(crate) fn line(&self, key: &str, value: Text, max: usize) -> Result<String, ManifestError> {
        let text = value.get_ref();
        let chars = text.chars().count();
        let refusal = if text.trim().is_empty() {
            Refusal::Empty { max }
        } else if chars > max {
            Refusal::TooLong { chars, max }
        } else if text.chars().any(char::is_control) {
            Refusal::ControlCharacter
        } else {
            return Ok(value.into_inner());
        };
        Err(self.error(value.span(), key, refusal))
    }

    pub(crate) fn name(&self, key: &str, value: Text) -> Result<String, ManifestError> {
        let text = value.get_ref();
        let known = |byte: u8| matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'-');
        if text.is_empty()
            || text.len() > NAME_CHARS_MAX
            || !text.bytes().all(known)
            || text.starts_with('-')
            || text.ends_with('-')
        {
            let fix = "write 1 to 32 characters a-z, 0-9 and -, with no - at either end";
            return Err(self.invalid(key, &value, fix));
        }
        Ok(value.into_inner())
    }

    pub(crate) fn title(
        &self,
        at: &str,
        text: Text,
        chinese: Option<Text>,
        max: usize,
    ) -> Result<Title, ManifestError> {
        Ok(Title {
            text: self.line(&format!("{at}.title"), text, max)?,
            zh_cn: chinese
                .map(|chinese| self.line(&format!("{at}.title-zh"), chinese, max))
                .transpose()?,
        })
    }

    /// Refuses a list that is too long, at the first element past the limit.
    pub(crate) fn at_most<T>(
        &self,
        key: &str,
        list: &[Spanned<T>],
        max: usize,
    ) -> Result<(), ManifestError> {
        match list.get(max) {
            Some(past) => {
                let refusal = Refusal::TooMany {
                    count: list.len(),
                    max,
                };
                Err(self.error(past.span(), key, refusal))
            }
            None => Ok(()),
        }
    }

    /// A name that no earlier element has.
    pub(crate) fn unique(
        &self,
        key: &str,
        value: Text,
        taken: &mut BTreeSet<String>,
    ) -> Result<String, ManifestError> {
        let place = value.span();
        let name = self.name(key, value)?;
        if !taken.insert(name.clone()) {
            return Err(self.error(place, key, Refusal::Duplicate(name)));
        }
        Ok(name)
    }
}
