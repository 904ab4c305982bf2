use std::fmt;

use askama::filters::HtmlSafe;
use qiao_model::{Amount, Asset, Money, Timestamp};

/// An amount as a page shows it: grouped digits, then what they count.
#[derive(Clone, Debug)]
pub(crate) struct Figure {
    digits: String,
    unit: String,
}

impl Figure {
    /// Money: `1,000.00 CNY`.
    pub(crate) fn money(money: Money) -> Self {
        Self {
            digits: grouped(&money.decimal()),
            unit: money.currency.to_string(),
        }
    }

    /// Hundredths of a unit: `985.22 units`.
    pub(crate) fn units(minor: i64, unit: &str) -> Self {
        Self {
            digits: grouped(&decimal(minor, 2)),
            unit: unit.to_owned(),
        }
    }

    /// An amount of any asset; `unit` names the units of a product.
    pub(crate) fn amount(amount: Amount, unit: &str) -> Self {
        match amount.asset {
            Asset::Currency(currency) => Self::money(Money::new(amount.minor, currency)),
            Asset::Units(_) => Self::units(amount.minor, unit),
        }
    }

    /// A count without a unit.
    pub(crate) fn count(count: i64) -> Self {
        Self {
            digits: grouped(&count.to_string()),
            unit: String::new(),
        }
    }

    /// The same, counting something.
    pub(crate) fn counting(mut self, unit: &str) -> Self {
        unit.clone_into(&mut self.unit);
        self
    }

    /// A number with so many decimals: a price in 1/10000 has 4.
    pub(crate) fn scaled(minor: i64, decimals: u32, unit: &str) -> Self {
        Self {
            digits: grouped(&decimal(minor, decimals)),
            unit: unit.to_owned(),
        }
    }

    /// The same with its sign in front even when it is positive; zero has none.
    pub(crate) fn signed(mut self) -> Self {
        let is_zero = !self.digits.contains(|digit| ('1'..='9').contains(&digit));
        if !is_zero && !self.digits.starts_with('-') {
            self.digits.insert(0, '+');
        }
        self
    }

    /// As plain text: `1,000.00 CNY`.
    pub(crate) fn text(&self) -> String {
        format!("{} {}", self.digits, self.unit)
            .trim_end()
            .to_owned()
    }
}

impl fmt::Display for Figure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let digits = self.digits.replace('-', "\u{2212}");
        write!(f, r#"<span class="figure">{digits}"#)?;
        if !self.unit.is_empty() {
            write!(f, r#" <span class="unit">{}</span>"#, Escaped(&self.unit))?;
        }
        f.write_str("</span>")
    }
}

impl HtmlSafe for Figure {}

fn decimal(minor: i64, decimals: u32) -> String {
    let sign = if minor < 0 { "-" } else { "" };
    let digits = minor.unsigned_abs();
    let scale = 10_u64.pow(decimals);
    let width = decimals as usize;
    if decimals == 0 {
        return format!("{sign}{digits}");
    }
    format!("{sign}{}.{:0width$}", digits / scale, digits % scale)
}

fn grouped(decimal: &str) -> String {
    let (sign, digits) = decimal
        .strip_prefix('-')
        .map_or(("", decimal), |digits| ("-", digits));
    let (whole, fraction) = digits
        .split_once('.')
        .map_or((digits, None), |(whole, fraction)| (whole, Some(fraction)));
    let mut text = String::from(sign);
    for (index, digit) in whole.chars().enumerate() {
        if index > 0 && (whole.len() - index).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    if let Some(fraction) = fraction {
        text.push('.');
        text.push_str(fraction);
    }
    text
}

/// A point in time, in Asia/Shanghai.
#[derive(Clone, Copy, Debug)]
pub(crate) struct When(pub(crate) Timestamp);

impl fmt::Display for When {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let local = self.0.local();
        write!(f, r#"<time datetime="{}">{local}</time>"#, self.0.rfc3339())
    }
}

impl HtmlSafe for When {}

/// How much something matters, by colour and never by colour alone.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Tone {
    /// Neutral.
    Plain,
    /// Under way.
    Info,
    /// It went well.
    Good,
    /// Look at this.
    Warning,
    /// It failed, or it destroys.
    Bad,
}

impl Tone {
    /// The ARIA role of a box of this tone: an alert is read out at once.
    pub(crate) const fn role(self) -> &'static str {
        match self {
            Self::Warning | Self::Bad => "alert",
            Self::Plain | Self::Info | Self::Good => "status",
        }
    }
}

impl fmt::Display for Tone {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Plain => "plain",
            Self::Info => "info",
            Self::Good => "good",
            Self::Warning => "warning",
            Self::Bad => "bad",
        })
    }
}

/// A state in a word.
#[derive(Clone, Debug)]
pub(crate) struct Badge {
    tone: Tone,
    text: String,
}

impl Badge {
    /// A word and its colour.
    pub(crate) fn new(tone: Tone, text: impl Into<String>) -> Self {
        Self {
            tone,
            text: text.into(),
        }
    }
}

impl fmt::Display for Badge {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let text = Escaped(&self.text);
        write!(f, r#"<span class="badge {}">{text}</span>"#, self.tone)
    }
}

impl HtmlSafe for Badge {}

/// Text with HTML's five characters escaped.
pub(crate) struct Escaped<'a>(pub(crate) &'a str);

impl fmt::Display for Escaped<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for character in self.0.chars() {
            match character {
                '&' => f.write_str("&amp;")?,
                '<' => f.write_str("&lt;")?,
                '>' => f.write_str("&gt;")?,
                '"' => f.write_str("&quot;")?,
                '\'' => f.write_str("&#39;")?,
                other => write!(f, "{other}")?,
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn digits_are_grouped_by_three() {
        for (minor, expected) in [
            (0, "0.00 CNY"),
            (99, "0.99 CNY"),
            (100_000, "1,000.00 CNY"),
            (123_456_789, "1,234,567.89 CNY"),
            (-100_000, "-1,000.00 CNY"),
            (-99_999, "-999.99 CNY"),
        ] {
            assert_eq!(Figure::money(Money::cny(minor)).text(), expected);
        }
        assert_eq!(Figure::scaled(10_123, 4, "CNY").text(), "1.0123 CNY");
        assert_eq!(Figure::money(Money::cny(5)).signed().text(), "+0.05 CNY");
        assert_eq!(Figure::money(Money::cny(0)).signed().text(), "0.00 CNY");
        assert_eq!(Figure::money(Money::cny(-5)).signed().text(), "-0.05 CNY");
    }

    #[test]
    fn a_badge_escapes_its_text() {
        let badge = Badge::new(Tone::Bad, "<b>&\"'").to_string();
        assert_eq!(
            badge,
            r#"<span class="badge bad">&lt;b&gt;&amp;&quot;&#39;</span>"#
        );
    }
}
