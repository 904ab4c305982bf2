use std::fmt;

use crate::{Asset, Currency};

/// So many minor units of an asset: what the ledger counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Amount {
    /// Minor units (fen, hundredths of a fund unit).
    pub minor: i64,
    /// Of what.
    pub asset: Asset,
}

impl fmt::Display for Amount {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let exponent = match self.asset {
            Asset::Currency(currency) => currency.exponent(),
            Asset::Units(_) => 2,
        };
        write_decimal(f, self.minor, exponent)?;
        write!(f, " {}", self.asset)
    }
}

impl From<Money> for Amount {
    fn from(money: Money) -> Self {
        Self {
            minor: money.minor,
            asset: Asset::Currency(money.currency),
        }
    }
}

/// Money: minor units of a currency. There are no floats and no implicit
/// conversions; arithmetic is checked.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Money {
    /// Minor units.
    pub minor: i64,
    /// Its currency.
    pub currency: Currency,
}

/// Why an amount could not be computed or read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum AmountError {
    /// The sum or difference does not fit in 64 bits.
    #[error("the amount does not fit in 64 bits")]
    Overflow,
    /// Two currencies in one sum.
    #[error("{0} and {1} cannot be added")]
    MixedCurrencies(Currency, Currency),
    /// The text is not a decimal amount of the currency.
    #[error("`{0}` is not an amount such as 1000.00")]
    NotAnAmount(String),
}

impl Money {
    /// So many minor units of a currency.
    #[must_use]
    pub const fn new(minor: i64, currency: Currency) -> Self {
        Self { minor, currency }
    }

    /// So many fen.
    #[must_use]
    pub const fn cny(fen: i64) -> Self {
        Self::new(fen, Currency::CNY)
    }

    /// The sum.
    ///
    /// # Errors
    /// Two currencies, or more than 64 bits.
    pub fn plus(self, other: Self) -> Result<Self, AmountError> {
        self.same_currency(other)?;
        let minor = self.minor.checked_add(other.minor);
        Ok(Self::new(
            minor.ok_or(AmountError::Overflow)?,
            self.currency,
        ))
    }

    /// The difference.
    ///
    /// # Errors
    /// Two currencies, or more than 64 bits.
    pub fn minus(self, other: Self) -> Result<Self, AmountError> {
        self.same_currency(other)?;
        let minor = self.minor.checked_sub(other.minor);
        Ok(Self::new(
            minor.ok_or(AmountError::Overflow)?,
            self.currency,
        ))
    }

    /// Reads a decimal amount of main units: `1000`, `1000.5`, `1,000.00`.
    ///
    /// # Errors
    /// Anything else: a sign, more decimals than the currency has, no digit.
    pub fn parse(text: &str, currency: Currency) -> Result<Self, AmountError> {
        parse_decimal(text, currency.exponent())
            .map(|minor| Self::new(minor, currency))
            .ok_or_else(|| AmountError::NotAnAmount(text.chars().take(40).collect()))
    }

    /// The decimal digits without the currency: `1000.00`.
    #[must_use]
    pub fn decimal(self) -> String {
        Decimal(self.minor, self.currency.exponent()).to_string()
    }

    fn same_currency(self, other: Self) -> Result<(), AmountError> {
        if self.currency == other.currency {
            Ok(())
        } else {
            Err(AmountError::MixedCurrencies(self.currency, other.currency))
        }
    }
}

impl fmt::Display for Money {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.decimal(), self.currency)
    }
}

struct Decimal(i64, u32);

impl fmt::Display for Decimal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write_decimal(f, self.0, self.1)
    }
}

fn write_decimal(f: &mut fmt::Formatter<'_>, minor: i64, exponent: u32) -> fmt::Result {
    let sign = if minor < 0 { "-" } else { "" };
    let scale = 10_u64.pow(exponent);
    let digits = minor.unsigned_abs();
    if exponent == 0 {
        return write!(f, "{sign}{digits}");
    }
    let width = exponent as usize;
    write!(f, "{sign}{}.{:0width$}", digits / scale, digits % scale)
}

fn parse_decimal(text: &str, exponent: u32) -> Option<i64> {
    let text = text.trim().replace(',', "");
    let (whole, fraction) = text.split_once('.').unwrap_or((&text, ""));
    let decimals = usize::try_from(exponent).ok()?;
    let all_digits = |part: &str| part.bytes().all(|b| b.is_ascii_digit());
    if whole.is_empty() || !all_digits(whole) || !all_digits(fraction) || fraction.len() > decimals
    {
        return None;
    }
    format!("{whole}{fraction:0<decimals$}").parse().ok()
}

/// A share in parts per million: 1.3 % is 13,000.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Rate(i64);

impl Rate {
    /// The whole.
    pub const ONE: Self = Self(1_000_000);
    /// Nothing.
    pub const ZERO: Self = Self(0);

    /// So many parts per million.
    #[must_use]
    pub const fn from_ppm(ppm: i64) -> Self {
        Self(ppm)
    }

    /// Parts per million.
    #[must_use]
    pub const fn ppm(self) -> i64 {
        self.0
    }

    /// This share of an amount in minor units.
    ///
    /// # Errors
    /// More than 64 bits.
    pub fn of(self, minor: i64, rounding: Rounding) -> Result<i64, AmountError> {
        rounding.divide(
            i128::from(minor)
                .checked_mul(i128::from(self.0))
                .ok_or(AmountError::Overflow)?,
            1_000_000,
        )
    }
}

impl fmt::Display for Rate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let text = Decimal(self.0, 4).to_string();
        let text = text.trim_end_matches('0').trim_end_matches('.');
        write!(f, "{text} %")
    }
}

/// How a fraction of a minor unit is rounded.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Rounding {
    /// Half away from zero.
    HalfUp,
    /// Half to the even neighbour.
    HalfEven,
    /// Toward zero.
    Down,
    /// Away from zero.
    Up,
}

impl Rounding {
    /// `numerator / denominator`, rounded so.
    ///
    /// # Errors
    /// More than 64 bits, or a denominator that is not positive.
    pub fn divide(self, numerator: i128, denominator: i128) -> Result<i64, AmountError> {
        if denominator <= 0 {
            return Err(AmountError::Overflow);
        }
        let quotient = numerator
            .checked_div(denominator)
            .ok_or(AmountError::Overflow)?;
        let remainder = numerator
            .checked_rem(denominator)
            .ok_or(AmountError::Overflow)?;
        let twice = remainder
            .checked_abs()
            .and_then(|r| r.checked_mul(2))
            .ok_or(AmountError::Overflow)?;
        let away = match self {
            Self::Down => false,
            Self::Up => remainder != 0,
            Self::HalfUp => twice >= denominator,
            Self::HalfEven => twice > denominator || (twice == denominator && quotient & 1 == 1),
        };
        let step = if !away {
            0
        } else if numerator < 0 {
            -1
        } else {
            1
        };
        let rounded = quotient.checked_add(step).ok_or(AmountError::Overflow)?;
        i64::try_from(rounded).map_err(|_| AmountError::Overflow)
    }
}

/// Splits `total` minor units by `weights`, so that the parts sum to the total:
/// every part is rounded down, and what is left goes one by one to the largest
/// remainders, the earlier first.
///
/// # Errors
/// A negative total or weight, weights that sum to nothing, or more than 64 bits.
pub fn split_by_largest_remainder(total: i64, weights: &[i64]) -> Result<Vec<i64>, AmountError> {
    let sum: i128 = weights.iter().map(|w| i128::from(*w)).sum();
    if total < 0 || sum <= 0 || weights.iter().any(|w| *w < 0) {
        return Err(AmountError::Overflow);
    }
    let mut parts = Vec::with_capacity(weights.len());
    let mut remainders = Vec::with_capacity(weights.len());
    let mut left = total;
    for (index, weight) in weights.iter().enumerate() {
        let product = i128::from(total)
            .checked_mul(i128::from(*weight))
            .ok_or(AmountError::Overflow)?;
        let part = Rounding::Down.divide(product, sum)?;
        left = left.checked_sub(part).ok_or(AmountError::Overflow)?;
        parts.push(part);
        remainders.push((product.checked_rem(sum).unwrap_or(0), index));
    }
    remainders.sort_by(|a, b| b.0.cmp(&a.0).then(a.1.cmp(&b.1)));
    for (_, index) in remainders {
        if left == 0 {
            break;
        }
        parts[index] = parts[index].checked_add(1).ok_or(AmountError::Overflow)?;
        left = left.saturating_sub(1);
    }
    assert_eq!(
        parts.iter().map(|p| i128::from(*p)).sum::<i128>(),
        i128::from(total),
        "the parts of a split sum to its total"
    );
    Ok(parts)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn decimals_are_read_and_written() {
        let money = |text| Money::parse(text, Currency::CNY).map(|m| m.minor);
        assert_eq!(money("1000"), Ok(100_000));
        assert_eq!(money("1,000.5"), Ok(100_050));
        assert_eq!(money(" 0.01 "), Ok(1));
        for refused in ["", ".", "-1", "1.001", "1e3", "abc", "99999999999999999999"] {
            assert!(money(refused).is_err(), "{refused}");
        }
        assert_eq!(Money::cny(-5).to_string(), "-0.05 CNY");
        assert_eq!(Rate::from_ppm(13_000).to_string(), "1.3 %");
    }

    #[test]
    fn halves_round_as_named() {
        assert_eq!(Rounding::HalfUp.divide(5, 2), Ok(3));
        assert_eq!(Rounding::HalfEven.divide(5, 2), Ok(2));
        assert_eq!(Rounding::HalfEven.divide(7, 2), Ok(4));
        assert_eq!(Rounding::Down.divide(-5, 2), Ok(-2));
        assert_eq!(Rounding::Up.divide(-5, 2), Ok(-3));
        assert_eq!(Rounding::HalfUp.divide(-5, 2), Ok(-3));
        assert!(Rounding::Down.divide(1, 0).is_err());
    }

    proptest! {
        #[test]
        fn the_parts_of_a_split_sum_to_its_total(
            total in 0..i64::MAX,
            weights in proptest::collection::vec(0..1_000_000_i64, 1..50),
        ) {
            prop_assume!(weights.iter().sum::<i64>() > 0);
            let parts = split_by_largest_remainder(total, &weights).unwrap();
            prop_assert_eq!(parts.iter().map(|p| i128::from(*p)).sum::<i128>(), i128::from(total));
            let sum: i128 = weights.iter().map(|w| i128::from(*w)).sum();
            for (part, weight) in parts.iter().zip(&weights) {
                let exact = i128::from(total) * i128::from(*weight);
                prop_assert!((i128::from(*part) * sum - exact).abs() < sum);
            }
        }

        #[test]
        fn every_rounding_is_within_one_of_the_exact_quotient(n in any::<i64>(), d in 1..1_000_000_i64) {
            for rounding in [Rounding::HalfUp, Rounding::HalfEven, Rounding::Down, Rounding::Up] {
                let q = rounding.divide(i128::from(n), i128::from(d)).unwrap();
                prop_assert!((i128::from(q) * i128::from(d) - i128::from(n)).abs() < i128::from(d));
            }
        }
    }
}
