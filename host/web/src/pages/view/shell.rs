use askama::Template;
use url::form_urlencoded;

use super::{Facts, Form, Icon, Link, Notice};
use crate::pages::assets;
use crate::pages::text::Text;

/// The languages of the faces.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Locale {
    /// English.
    En,
    /// Simplified Chinese.
    ZhCn,
}

impl Locale {
    /// BCP 47 tag, also what plugins are told.
    pub(crate) const fn tag(self) -> &'static str {
        match self {
            Self::En => "en",
            Self::ZhCn => "zh-CN",
        }
    }

    /// The locale of a tag: by its language alone.
    pub(crate) fn of_tag(tag: &str) -> Option<Self> {
        match tag.trim().split(['-', '_']).next()? {
            "en" | "EN" => Some(Self::En),
            "zh" | "ZH" => Some(Self::ZhCn),
            _ => None,
        }
    }
}

/// Which of the three faces a page belongs to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Face {
    /// People, at `/`.
    User,
    /// Institution staff, at `/console`.
    Console,
    /// Operators, at `/operator`.
    Operator,
}

/// Who looks at a page.
#[derive(Clone, Debug)]
pub(crate) struct Visitor {
    /// The name to greet.
    pub(crate) name: String,
    /// Whether the console has something for them.
    pub(crate) is_staff: bool,
    /// Whether the operator's face is open to them.
    pub(crate) is_operator: bool,
}

/// One entry of a face's navigation.
#[derive(Clone, Debug)]
pub(crate) struct Tab {
    pub(super) href: String,
    pub(super) label: String,
    pub(super) icon: Icon,
    pub(super) current: bool,
}

/// What every page has around it.
#[derive(Clone, Debug)]
pub(crate) struct Shell {
    /// The page's language.
    pub(crate) locale: Locale,
    /// The words of that language.
    pub(crate) t: &'static Text,
    /// The page's title.
    pub(crate) title: String,
    /// Whoever is signed in.
    pub(crate) visitor: Option<Visitor>,
    /// Where the page's parent is.
    pub(crate) back: Option<Link>,
    /// What just happened.
    pub(crate) notice: Option<Notice>,
    pub(super) face: Face,
    pub(super) tabs: Vec<Tab>,
    query: String,
}

impl Shell {
    /// The surroundings of a page of a face.
    pub(crate) fn new(face: Face, locale: Locale, title: impl Into<String>) -> Self {
        Self {
            locale,
            t: Text::of(locale),
            title: title.into(),
            visitor: None,
            back: None,
            notice: None,
            face,
            tabs: Vec::new(),
            query: String::new(),
        }
    }

    /// Asked for with this query.
    pub(crate) fn asked_with(mut self, query: &str) -> Self {
        query.clone_into(&mut self.query);
        self
    }

    /// The same page in a language: what it was asked for with stays.
    pub(super) fn in_language(&self, tag: &str) -> String {
        let kept = form_urlencoded::parse(self.query.as_bytes())
            .filter(|(name, _)| name != "lang" && name != "note");
        form_urlencoded::Serializer::for_suffix("?".to_owned(), 1)
            .extend_pairs(kept)
            .append_pair("lang", tag)
            .finish()
    }

    /// Seen by somebody who is signed in.
    pub(crate) fn seen_by(mut self, visitor: Option<Visitor>) -> Self {
        self.visitor = visitor;
        self
    }

    /// With a way back.
    pub(crate) fn back(mut self, href: impl Into<String>, label: impl Into<String>) -> Self {
        self.back = Some(Link::new(href, label));
        self
    }

    /// With what just happened.
    pub(crate) fn notice(mut self, notice: Option<Notice>) -> Self {
        self.notice = notice;
        self
    }

    /// With one more entry of the navigation.
    pub(crate) fn tab(
        mut self,
        href: impl Into<String>,
        label: &str,
        icon: Icon,
        current: bool,
    ) -> Self {
        self.tabs.push(Tab {
            href: href.into(),
            label: label.to_owned(),
            icon,
            current,
        });
        self
    }

    pub(super) fn style(&self) -> String {
        assets::STYLE.path()
    }

    pub(super) fn mark(&self) -> String {
        assets::MARK.path()
    }

    pub(super) fn face_name(&self) -> &'static str {
        match self.face {
            Face::User => "user",
            Face::Console => "console",
            Face::Operator => "operator",
        }
    }

    pub(super) fn home(&self) -> &'static str {
        match self.face {
            Face::User => "/",
            Face::Console => "/console",
            Face::Operator => "/operator",
        }
    }

    pub(super) fn is_user(&self) -> bool {
        self.face == Face::User
    }
}

/// The question before an act that cannot be taken back.
#[derive(Clone, Debug, Template)]
#[template(path = "confirm.html")]
pub(crate) struct Confirm {
    /// Around it.
    pub(crate) shell: Shell,
    /// What will happen, in a sentence.
    pub(crate) text: String,
    /// What it happens to.
    pub(crate) facts: Facts,
    /// The form that does it.
    pub(crate) form: Form,
}

/// There is no such page, or it cannot be shown.
#[derive(Clone, Debug, Template)]
#[template(path = "failure.html")]
pub(crate) struct Failure {
    /// Around it.
    pub(crate) shell: Shell,
    /// What happened, in a sentence.
    pub(crate) text: String,
    /// The HTTP status.
    pub(crate) status: u16,
    /// Where to go from here.
    pub(crate) link: Link,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn another_language_keeps_what_was_asked_for() {
        let shell = Shell::new(Face::User, Locale::En, "Checkout");
        assert_eq!(shell.in_language("zh-CN"), "?lang=zh-CN");
        let shell = shell.asked_with("method=bank%3Abnk_1&lang=en&note=given&next=%2Fa%3Fb");
        assert_eq!(
            shell.in_language("zh-CN"),
            "?method=bank%3Abnk_1&next=%2Fa%3Fb&lang=zh-CN"
        );
    }
}
