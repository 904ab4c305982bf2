/// Whether a text is one that people read: no control character but a tab and the
/// ends of lines. Every room asks it of what callers write before the text is stored:
/// `PostgreSQL` keeps no NUL, so a text with one would fail a whole batch of others'
/// commands, and the rest would garble pages, logs and statements.
#[must_use]
pub fn is_plain_text(text: &str) -> bool {
    text.chars().all(is_plain)
}

/// What somebody else's system said, as it can be kept: cut after so many characters,
/// and with a replacement character for each that no plain text has.
#[must_use]
pub fn to_plain_text(text: &str, chars_max: usize) -> String {
    let kept = text.chars().take(chars_max);
    kept.map(|char| {
        if is_plain(char) {
            char
        } else {
            char::REPLACEMENT_CHARACTER
        }
    })
    .collect()
}

fn is_plain(char: char) -> bool {
    !char.is_control() || matches!(char, '\t' | '\n' | '\r')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_and_tabs_are_plain_and_other_control_characters_are_not() {
        for text in ["", "桥 for everybody", "a\tb\r\nc"] {
            assert!(is_plain_text(text), "{text:?}");
        }
        for text in ["\0", "a\u{1b}[31m", "\u{7f}", "b\u{85}"] {
            assert!(!is_plain_text(text), "{text:?}");
            assert!(is_plain_text(&to_plain_text(text, 9)), "{text:?}");
        }
        assert_eq!(to_plain_text("桥\0b\nc", 4), "桥\u{fffd}b\n");
    }
}
