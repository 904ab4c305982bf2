use std::fmt;

use askama::filters::HtmlSafe;

/// A small picture beside a word; it says nothing that the word does not.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Icon {
    /// Home: the bridge.
    Bridge,
    /// Orders.
    Orders,
    /// Holdings.
    Holdings,
    /// The wallet.
    Wallet,
    /// A person.
    Person,
    /// Onward.
    Chevron,
    /// Back.
    Back,
    /// A tick.
    Tick,
    /// A lock.
    Lock,
}

impl Icon {
    const fn path(self) -> &'static str {
        match self {
            Self::Bridge => {
                "M2.5 16.5c3-6.7 6-9.5 9.5-9.5s6.5 2.8 9.5 9.5M6.5 16.5a5.5 5.5 0 0 1 11 0M2.5 16.5h19"
            }
            Self::Orders => "M6 3.5h12v17l-3-2-3 2-3-2-3 2zM9 8.5h6M9 12.5h6",
            Self::Holdings => "M4 20V11M9.3 20V6M14.7 20v-6M20 20V4",
            Self::Wallet => {
                "M4 7.5h14.5a1.5 1.5 0 0 1 1.5 1.5v9a1.5 1.5 0 0 1-1.5 1.5H5.5A1.5 1.5 0 0 1 4 18zm0 0V6.5A2 2 0 0 1 5.7 4.6L16 3.5v4M16 13.5h.5"
            }
            Self::Person => {
                "M12 12a4 4 0 1 0 0-8 4 4 0 0 0 0 8zM4.5 20.5c.8-4 3.8-6 7.5-6s6.7 2 7.5 6"
            }
            Self::Chevron => "M9.5 5.5 16 12l-6.5 6.5",
            Self::Back => "M14.5 5.5 8 12l6.5 6.5",
            Self::Tick => "M5 12.5l4.5 4.5L19 7.5",
            Self::Lock => {
                "M6.5 10.5h11a1 1 0 0 1 1 1v8a1 1 0 0 1-1 1h-11a1 1 0 0 1-1-1v-8a1 1 0 0 1 1-1zM8.5 10.5V8a3.5 3.5 0 0 1 7 0v2.5"
            }
        }
    }
}

impl fmt::Display for Icon {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            r#"<svg class="icon" viewBox="0 0 24 24" aria-hidden="true" focusable="false"><path d="{}"/></svg>"#,
            self.path()
        )
    }
}

impl HtmlSafe for Icon {}
