//! Decimal numbers as integers: `"1000.00"` with two places is `100000`. No floats.

use std::fmt;

/// The largest number of decimal places that [`parse`] and [`format()`] take.
pub const PLACES_MAX: u32 = 18;

/// Why a text is not a decimal number.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DecimalError {
    /// There is nothing.
    Empty,
    /// There is something other than digits and one point.
    NotANumber,
    /// There are more decimal places than this.
    TooPrecise(u32),
    /// It does not fit in 64 bits.
    TooLarge,
}

impl fmt::Display for DecimalError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Empty => f.write_str("the number is missing"),
            Self::NotANumber => f.write_str("only digits and one point make a number"),
            Self::TooPrecise(places) => write!(f, "more than {places} decimal places"),
            Self::TooLarge => f.write_str("the number is too large"),
        }
    }
}

impl std::error::Error for DecimalError {}

/// Reads a number without sign, with at most `places` decimal places; blanks around it are ignored.
///
/// # Errors
/// [`DecimalError`] says what is wrong.
///
/// # Panics
/// When `places` is more than [`PLACES_MAX`].
pub fn parse(text: &str, places: u32) -> Result<i64, DecimalError> {
    assert!(
        places <= PLACES_MAX,
        "a decimal has at most {PLACES_MAX} places"
    );
    let text = text.trim();
    if text.is_empty() {
        return Err(DecimalError::Empty);
    }
    let (whole, fraction) = match text.split_once('.') {
        Some((whole, fraction)) if !fraction.is_empty() => (whole, fraction),
        Some(_) => return Err(DecimalError::NotANumber),
        None => (text, ""),
    };
    if whole.is_empty()
        || !whole
            .bytes()
            .chain(fraction.bytes())
            .all(|byte| byte.is_ascii_digit())
    {
        return Err(DecimalError::NotANumber);
    }
    let missing = places
        .checked_sub(u32::try_from(fraction.len()).map_err(|_| DecimalError::TooPrecise(places))?)
        .ok_or(DecimalError::TooPrecise(places))?;
    let mut value: i64 = 0;
    for digit in whole
        .bytes()
        .chain(fraction.bytes())
        .map(|byte| i64::from(byte - b'0'))
    {
        value = value
            .checked_mul(10)
            .and_then(|value| value.checked_add(digit))
            .ok_or(DecimalError::TooLarge)?;
    }
    value
        .checked_mul(10_i64.pow(missing))
        .ok_or(DecimalError::TooLarge)
}

/// Writes a number with exactly `places` decimal places.
///
/// # Panics
/// When `places` is more than [`PLACES_MAX`].
#[must_use]
pub fn format(value: i64, places: u32) -> String {
    assert!(
        places <= PLACES_MAX,
        "a decimal has at most {PLACES_MAX} places"
    );
    let sign = if value < 0 { "-" } else { "" };
    let scale = 10_u64.pow(places);
    let whole = value.unsigned_abs() / scale;
    if places == 0 {
        return format!("{sign}{whole}");
    }
    let fraction = value.unsigned_abs() % scale;
    format!("{sign}{whole}.{fraction:0width$}", width = places as usize)
}

#[cfg(test)]
mod tests {
    use super::{DecimalError, format, parse};

    #[test]
    fn numbers_are_read_to_their_places() {
        assert_eq!(parse("1000.00", 2), Ok(100_000));
        assert_eq!(parse(" 0.5 ", 2), Ok(50));
        assert_eq!(parse("7", 0), Ok(7));
        assert_eq!(parse("1.0423", 4), Ok(10_423));
        assert_eq!(parse("92233720368547758.07", 2), Ok(i64::MAX));
    }

    #[test]
    fn what_is_no_number_is_refused_with_its_cause() {
        assert_eq!(parse("  ", 2), Err(DecimalError::Empty));
        for text in [
            "-1", "+1", "1,000", "1.", ".5", ".", "1.2.3", "1e3", "abc", "１",
        ] {
            assert_eq!(parse(text, 2), Err(DecimalError::NotANumber), "{text}");
        }
        assert_eq!(parse("1.005", 2), Err(DecimalError::TooPrecise(2)));
        assert_eq!(parse("1.0", 0), Err(DecimalError::TooPrecise(0)));
        assert_eq!(
            parse("92233720368547758.08", 2),
            Err(DecimalError::TooLarge)
        );
    }

    #[test]
    fn numbers_are_written_with_all_their_places() {
        assert_eq!(format(100_000, 2), "1000.00");
        assert_eq!(format(5, 2), "0.05");
        assert_eq!(format(-5, 2), "-0.05");
        assert_eq!(format(7, 0), "7");
        assert_eq!(format(i64::MIN, 2), "-92233720368547758.08");
    }
}
