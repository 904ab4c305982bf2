use std::fmt;
use std::str::FromStr;

/// Characters of a channel's code at most.
pub const CHANNEL_CHARS_MAX: usize = 16;

/// A bank channel by its code: the way money enters and leaves the books at one
/// custody bank. `a-z 0-9 -`, 1 to [`CHANNEL_CHARS_MAX`] characters.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Channel([u8; CHANNEL_CHARS_MAX]);

impl Channel {
    /// Play money of a sandbox host.
    pub const SANDBOX: Self = Self(*b"sandbox\0\0\0\0\0\0\0\0\0");

    /// The code.
    #[must_use]
    pub fn code(&self) -> &str {
        let len = self.0.iter().take_while(|byte| **byte != 0).count();
        std::str::from_utf8(&self.0[..len]).unwrap_or_default()
    }
}

impl fmt::Display for Channel {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.code())
    }
}

impl fmt::Debug for Channel {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.code())
    }
}

/// The text is no code of a channel.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is not a channel: 1 to 16 characters of a-z 0-9 -")]
pub struct ParseChannelError(String);

impl FromStr for Channel {
    type Err = ParseChannelError;

    fn from_str(text: &str) -> Result<Self, ParseChannelError> {
        let is_code = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
        if !(1..=CHANNEL_CHARS_MAX).contains(&text.len()) || !text.bytes().all(is_code) {
            return Err(ParseChannelError(text.chars().take(40).collect()));
        }
        let mut code = [0_u8; CHANNEL_CHARS_MAX];
        code[..text.len()].copy_from_slice(text.as_bytes());
        Ok(Self(code))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_channel_survives_its_code() {
        for code in ["a", "sandbox", "bank-of-river-16"] {
            assert_eq!(code.parse::<Channel>().unwrap().to_string(), code);
        }
        assert_eq!("sandbox".parse(), Ok(Channel::SANDBOX));
    }

    #[test]
    fn a_code_of_17_characters_or_of_others_is_refused() {
        for code in ["", "bank-of-rivers-17", "Bank", "bank:a", "b\0"] {
            assert!(code.parse::<Channel>().is_err(), "{code}");
        }
    }
}
