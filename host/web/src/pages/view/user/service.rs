use askama::Template;

use crate::pages::view::{Facts, Form, Icon, Link, Notice, Shell};

/// `GET /a/{handle}/{service}`: the typed blocks that a plugin answered with.
#[derive(Clone, Debug, Template)]
#[template(path = "user/service.html")]
pub(crate) struct Service {
    /// Around it.
    pub(crate) shell: Shell,
    /// The account that speaks.
    pub(crate) account: Link,
    /// The page's title.
    pub(crate) title: String,
    /// Its blocks in order.
    pub(crate) blocks: Vec<Block>,
}

/// A part of a plugin's page.
#[derive(Clone, Debug)]
pub(crate) enum Block {
    /// A heading.
    Heading(String),
    /// A paragraph.
    Text(String),
    /// A boxed sentence.
    Notice(Notice),
    /// Labels and values.
    Entries(Facts),
    /// Large figures side by side.
    Metrics(Vec<Metric>),
    /// Rows.
    Items(Vec<Item>),
    /// A form.
    Form(Box<Form>),
}

/// A figure that is shown large.
#[derive(Clone, Debug)]
pub(crate) struct Metric {
    /// What it is.
    pub(crate) label: String,
    /// The figure.
    pub(crate) value: String,
    /// A line below it.
    pub(crate) note: String,
}

/// A row with a figure and perhaps a button.
#[derive(Clone, Debug)]
pub(crate) struct Item {
    /// The title.
    pub(crate) title: String,
    /// A line below it.
    pub(crate) detail: String,
    /// The figure at the right.
    pub(crate) value: String,
    /// The button.
    pub(crate) action: Option<Form>,
}
