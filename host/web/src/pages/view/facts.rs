use askama::Template;
use askama::filters::HtmlSafe;

use super::{Cell, Link, Tone, When};

/// Labels and what they are.
#[derive(Clone, Debug, Default, Template)]
#[template(path = "part/facts.html")]
pub(crate) struct Facts {
    rows: Vec<(String, Cell)>,
}

impl HtmlSafe for Facts {}

impl Facts {
    /// None yet.
    pub(crate) fn new() -> Self {
        Self::default()
    }

    /// With one more.
    pub(crate) fn with(mut self, label: &str, value: Cell) -> Self {
        self.rows.push((label.to_owned(), value));
        self
    }

    /// With one more, when there is one.
    pub(crate) fn with_some(self, label: &str, value: Option<Cell>) -> Self {
        match value {
            Some(value) => self.with(label, value),
            None => self,
        }
    }

    /// With plain text entries.
    pub(crate) fn with_entries<'a>(
        mut self,
        entries: impl IntoIterator<Item = (&'a str, &'a str)>,
    ) -> Self {
        for (label, value) in entries {
            self = self.with(label, Cell::text(value));
        }
        self
    }

    /// Whether there is none.
    pub(crate) fn is_empty(&self) -> bool {
        self.rows.is_empty()
    }
}

/// A boxed sentence.
#[derive(Clone, Debug, Template)]
#[template(path = "part/notice.html")]
pub(crate) struct Notice {
    tone: Tone,
    title: String,
    text: String,
    link: Option<Link>,
}

impl HtmlSafe for Notice {}

impl Notice {
    /// A sentence and how much it matters.
    pub(crate) fn new(tone: Tone, text: impl Into<String>) -> Self {
        Self {
            tone,
            title: String::new(),
            text: text.into(),
            link: None,
        }
    }

    /// With a title above it.
    pub(crate) fn titled(mut self, title: impl Into<String>) -> Self {
        self.title = title.into();
        self
    }

    /// With a way to do something about it.
    pub(crate) fn link(mut self, href: impl Into<String>, label: impl Into<String>) -> Self {
        self.link = Some(Link::new(href, label));
        self
    }
}

/// What has happened and what comes, in order.
#[derive(Clone, Debug, Default, Template)]
#[template(path = "part/timeline.html")]
pub(crate) struct Timeline {
    steps: Vec<Step>,
}

impl HtmlSafe for Timeline {}

/// One step of a timeline.
#[derive(Clone, Debug)]
pub(crate) struct Step {
    /// How far it is.
    pub(crate) progress: Progress,
    /// What it is.
    pub(crate) label: String,
    /// When it happened.
    pub(crate) at: Option<When>,
    /// A line below it.
    pub(crate) detail: String,
}

/// How far a step is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Progress {
    /// It happened.
    Done,
    /// It is happening.
    Current,
    /// It comes.
    Ahead,
    /// It ended badly.
    Failed,
}

impl Progress {
    fn class(self) -> &'static str {
        match self {
            Self::Done => "done",
            Self::Current => "current",
            Self::Ahead => "ahead",
            Self::Failed => "failed",
        }
    }
}

impl Timeline {
    /// With one more step.
    pub(crate) fn step(mut self, progress: Progress, label: &str, at: Option<When>) -> Self {
        self.steps.push(Step {
            progress,
            label: label.to_owned(),
            at,
            detail: String::new(),
        });
        self
    }

    /// With a line below the last step.
    pub(crate) fn detail(mut self, detail: impl Into<String>) -> Self {
        if let Some(step) = self.steps.last_mut() {
            step.detail = detail.into();
        }
        self
    }
}
