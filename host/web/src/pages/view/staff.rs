//! What the console and the operator's face share.

use askama::Template;
use askama::filters::HtmlSafe;

use super::{Badge, Cell, Facts, Form, Icon, Link, Shell, Table, Tone};

/// A page of tables.
#[derive(Clone, Debug, Template)]
#[template(path = "staff/list.html")]
pub(crate) struct List {
    /// Around it.
    pub(crate) shell: Shell,
    /// What the page is for, in a sentence.
    pub(crate) lead: String,
    /// What else can be done here.
    pub(crate) actions: Vec<Link>,
    /// The tables.
    pub(crate) sections: Vec<Section>,
}

/// A table under a title.
#[derive(Clone, Debug)]
pub(crate) struct Section {
    /// The title; empty for a page of one table.
    pub(crate) title: String,
    /// The table.
    pub(crate) table: Table,
}

impl List {
    /// A page of one table.
    pub(crate) fn new(shell: Shell, lead: &str, table: Table) -> Self {
        Self {
            shell,
            lead: lead.to_owned(),
            actions: Vec::new(),
            sections: vec![Section {
                title: String::new(),
                table,
            }],
        }
    }
}

/// A page of one form.
#[derive(Clone, Debug, Template)]
#[template(path = "staff/form.html")]
pub(crate) struct FormPage {
    /// Around it.
    pub(crate) shell: Shell,
    /// What the form does, in a sentence.
    pub(crate) lead: String,
    /// What it does it to.
    pub(crate) facts: Facts,
    /// The form.
    pub(crate) form: Form,
}

/// Figures side by side.
#[derive(Clone, Debug, Default, Template)]
#[template(path = "part/tiles.html")]
pub(crate) struct Tiles {
    tiles: Vec<Tile>,
}

impl HtmlSafe for Tiles {}

/// One figure, and perhaps where it leads.
#[derive(Clone, Debug)]
pub(crate) struct Tile {
    label: String,
    value: super::Figure,
    note: String,
    tone: Tone,
    href: Option<String>,
}

impl Tiles {
    /// With one more figure.
    pub(crate) fn tile(mut self, label: &str, value: super::Figure) -> Self {
        self.tiles.push(Tile {
            label: label.to_owned(),
            value,
            note: String::new(),
            tone: Tone::Plain,
            href: None,
        });
        self
    }

    /// With a line below the last figure.
    pub(crate) fn note(mut self, note: impl Into<String>) -> Self {
        if let Some(tile) = self.tiles.last_mut() {
            tile.note = note.into();
        }
        self
    }

    /// With a tone for the last figure.
    pub(crate) fn tone(mut self, tone: Tone) -> Self {
        if let Some(tile) = self.tiles.last_mut() {
            tile.tone = tone;
        }
        self
    }

    /// With somewhere that the last figure leads to.
    pub(crate) fn link(mut self, href: impl Into<String>) -> Self {
        if let Some(tile) = self.tiles.last_mut() {
            tile.href = Some(href.into());
        }
        self
    }
}

/// What the checks of an upload found: read by its author and by its reviewer.
#[derive(Clone, Debug, Template)]
#[template(path = "part/report.html")]
pub(crate) struct Report {
    /// Name, version, digest, size.
    pub(crate) facts: Facts,
    /// Each scope with the manifest's reason for it.
    pub(crate) scopes: Vec<(String, String)>,
    /// Every imported function.
    pub(crate) imports: Vec<String>,
    /// Fuel, memory and sizes.
    pub(crate) measures: Facts,
    /// The egress rules.
    pub(crate) egress: Table,
    /// Services, menu and jobs.
    pub(crate) services: Facts,
}

impl HtmlSafe for Report {}

/// The word for whether something is there.
pub(crate) fn yes_no(yes: bool) -> Cell {
    Cell::Badge(if yes {
        Badge::new(Tone::Good, "yes")
    } else {
        Badge::new(Tone::Plain, "no")
    })
}
