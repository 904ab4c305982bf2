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
    /// Something is said.
    Speech,
}

impl Icon {
    const fn path(self) -> &'static str {
        match self {
            Self::Bridge => "M2.5 16.5c3-6.700 6-9.500 9.500-9.500s6.500 2.800 9.500 9.500M6.500 16.500a5.500 5.500 0 0 1 11 0M2.500 16.500h19",
            Self::Orders => "M6 3.500h12v17l-3-2-3 2-3-2-3 2zM9 8.500h6M9 12.500h6",
            Self::Holdings => "M4 20V11M9.300 20V6M14.700 20v-6M20 20V4",
            Self::Wallet => "M4 7.500h14.500a1.500 1.500 0 0 1 1.500 1.500v9a1.500 1.500 0 0 1-1.500 1.500H5.500A1.500 1.500 0 0 1 4 18zm0 0V6.500A2 2 0 0 1 5.700 4.600L16 3.500v4M16 13.500h.5",
            Self::Person => "M12 12a4 4 0 1 0 0-8 4 4 0 0 0 0 8zM4.500 20.500c.8-4 3.800-6 7.500-6s6.700 2 7.500 6",
            Self::Chevron => "M9.500 5.500 16 12l-6.500 6.500",
            Self::Back => "M14.500 5.500 8 12l6.500 6.500",
            Self::Tick => "M5 12.500l4.500 4.500L19 7.500",
            Self::Lock => "M6.500 10.500h11a1 1 0 0 1 1 1v8a1 1 0 0 1-1 1h-11a1 1 0 0 1-1-1v-8a1 1 0 0 1 1-1zM8.500 10.500V8a3.500 3.500 0 0 1 7 0v2.500",
            Self::Speech => "M4 5.500h16v11H11l-4.500 3.500v-3.500H4z",
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
