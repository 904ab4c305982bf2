use askama::Template;
use askama::filters::HtmlSafe;

use super::{Badge, Figure, Form, When};

/// Rows under headings; on a narrow screen each row becomes a card.
#[derive(Clone, Debug, Template)]
#[template(path = "part/table.html")]
pub(crate) struct Table {
    caption: String,
    columns: Vec<Column>,
    rows: Vec<Vec<Cell>>,
    empty: Empty,
    paging: Paging,
}

impl HtmlSafe for Table {}

/// A heading, and whether its cells are figures.
#[derive(Clone, Debug)]
pub(crate) struct Column {
    label: String,
    numeric: bool,
}

impl Table {
    /// An empty table; `caption` names it for those who cannot see where it stands.
    pub(crate) fn new(caption: &str, columns: &[&str], empty: Empty) -> Self {
        let column = |label: &&str| Column {
            label: label.trim_start_matches('>').to_owned(),
            numeric: label.starts_with('>'),
        };
        Self {
            caption: caption.to_owned(),
            columns: columns.iter().map(column).collect(),
            rows: Vec::new(),
            empty,
            paging: Paging::default(),
        }
    }

    /// Adds a row.
    pub(crate) fn push(&mut self, cells: Vec<Cell>) {
        assert_eq!(
            cells.len(),
            self.columns.len(),
            "a row of `{}` has a cell for each column",
            self.caption
        );
        self.rows.push(cells);
    }

    /// With the way to the rows before and after.
    pub(crate) fn paging(mut self, paging: Paging) -> Self {
        self.paging = paging;
        self
    }

    fn cells<'a>(&'a self, row: &'a [Cell]) -> impl Iterator<Item = (&'a Column, &'a Cell)> {
        self.columns.iter().zip(row)
    }
}

/// What one cell of a table shows.
#[derive(Clone, Debug)]
pub(crate) enum Cell {
    /// Text.
    Text(String),
    /// Text, and a quieter line below it.
    Two(String, String),
    /// A link.
    Link(Link),
    /// An id, a digest, a name that a machine reads.
    Code(String),
    /// An amount.
    Figure(Figure),
    /// A time.
    When(When),
    /// A state.
    Badge(Badge),
    /// A button, or several.
    Forms(Vec<Form>),
    /// Lines that unfold: what to read first, then the lines.
    Lines(String, Vec<String>),
}

impl Cell {
    /// Text.
    pub(crate) fn text(text: impl Into<String>) -> Self {
        Self::Text(text.into())
    }

    /// A link.
    pub(crate) fn link(href: impl Into<String>, label: impl Into<String>) -> Self {
        Self::Link(Link::new(href, label))
    }

    /// A name that a machine reads.
    pub(crate) fn code(text: impl std::fmt::Display) -> Self {
        Self::Code(text.to_string())
    }
}

/// A way somewhere.
#[derive(Clone, Debug)]
pub(crate) struct Link {
    /// Where.
    pub(crate) href: String,
    /// What the reader sees.
    pub(crate) label: String,
}

impl Link {
    /// A link.
    pub(crate) fn new(href: impl Into<String>, label: impl Into<String>) -> Self {
        Self {
            href: href.into(),
            label: label.into(),
        }
    }
}

/// What stands where a list has nothing yet.
#[derive(Clone, Debug, Template)]
#[template(path = "part/empty.html")]
pub(crate) struct Empty {
    title: String,
    text: String,
    link: Option<Link>,
}

impl HtmlSafe for Empty {}

impl Empty {
    /// What is missing, and what would fill it.
    pub(crate) fn new(title: &str, text: &str) -> Self {
        Self {
            title: title.to_owned(),
            text: text.to_owned(),
            link: None,
        }
    }

    /// With the way to fill it.
    pub(crate) fn link(mut self, href: &str, label: &str) -> Self {
        self.link = Some(Link::new(href, label));
        self
    }
}

/// The way to what is newer and what is older.
#[derive(Clone, Debug, Default, Template)]
#[template(path = "part/paging.html")]
pub(crate) struct Paging {
    /// Back to the first page.
    pub(crate) newest: Option<Link>,
    /// On to the next page.
    pub(crate) older: Option<Link>,
}

impl HtmlSafe for Paging {}
