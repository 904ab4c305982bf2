use askama::Template;
use askama::filters::HtmlSafe;

use super::Tone;

/// A form with its fields. It is the only thing that writes a `<form>`, so
/// every form carries the session's CSRF token and every error stands beside
/// its field.
#[derive(Clone, Debug, Template)]
#[template(path = "part/form.html")]
pub(crate) struct Form {
    id: String,
    action: String,
    csrf: String,
    fields: Vec<Field>,
    hidden: Vec<(String, String)>,
    button: String,
    tone: Tone,
    compact: bool,
    file: bool,
    problem: Option<String>,
    cancel: Option<(String, String)>,
}

impl HtmlSafe for Form {}

impl Form {
    /// A form that posts to `action`.
    pub(crate) fn new(id: &str, action: impl Into<String>, csrf: &str, button: &str) -> Self {
        Self {
            id: id.to_owned(),
            action: action.into(),
            csrf: csrf.to_owned(),
            fields: Vec::new(),
            hidden: Vec::new(),
            button: button.to_owned(),
            tone: Tone::Plain,
            compact: false,
            file: false,
            problem: None,
            cancel: None,
        }
    }

    /// With one more field.
    pub(crate) fn field(mut self, mut field: Field) -> Self {
        field.id = format!("{}-{}", self.id, field.name);
        self.file |= matches!(field.kind, Kind::File(_));
        self.fields.push(field);
        self
    }

    /// With a value that is carried along and not shown.
    pub(crate) fn hidden(mut self, name: &str, value: impl Into<String>) -> Self {
        self.hidden.push((name.to_owned(), value.into()));
        self
    }

    /// With the colour of its button.
    pub(crate) fn tone(mut self, tone: Tone) -> Self {
        self.tone = tone;
        self
    }

    /// As a lone button in a row.
    pub(crate) fn compact(mut self) -> Self {
        self.compact = true;
        self
    }

    /// With what went wrong with the whole of it.
    pub(crate) fn problem(mut self, problem: Option<String>) -> Self {
        self.problem = problem;
        self
    }

    /// With a way out beside the button.
    pub(crate) fn cancel(mut self, href: impl Into<String>, label: &str) -> Self {
        self.cancel = Some((href.into(), label.to_owned()));
        self
    }

    /// Whether a field of it has an error.
    pub(crate) fn has_errors(&self) -> bool {
        self.fields.iter().any(|field| field.error.is_some())
    }
}

/// One input with its label, its hint and its error.
#[derive(Clone, Debug)]
pub(crate) struct Field {
    id: String,
    name: String,
    label: String,
    kind: Kind,
    value: String,
    placeholder: String,
    hint: String,
    autocomplete: &'static str,
    optional: Option<&'static str>,
    error: Option<String>,
}

/// What a field takes.
#[derive(Clone, Debug)]
pub(crate) enum Kind {
    /// One line.
    Text,
    /// One line that a machine reads: no capitals, no spelling.
    Code,
    /// A password.
    Password,
    /// The six digits of the payment PIN.
    Pin,
    /// A decimal number; the string says of what.
    Decimal(String),
    /// Several lines.
    Lines,
    /// One of a few: value and label.
    Choice(Vec<(String, String)>),
    /// A file of these kinds.
    File(&'static str),
}

impl Field {
    /// A field that must be filled.
    pub(crate) fn new(name: &str, label: &str, kind: Kind) -> Self {
        Self {
            id: String::new(),
            name: name.to_owned(),
            label: label.to_owned(),
            kind,
            value: String::new(),
            placeholder: String::new(),
            hint: String::new(),
            autocomplete: "off",
            optional: None,
            error: None,
        }
    }

    /// With what it holds already.
    pub(crate) fn value(mut self, value: impl Into<String>) -> Self {
        self.value = value.into();
        self
    }

    /// With an example in grey.
    pub(crate) fn placeholder(mut self, placeholder: impl Into<String>) -> Self {
        self.placeholder = placeholder.into();
        self
    }

    /// With a line of help.
    pub(crate) fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = hint.into();
        self
    }

    /// With what a browser may fill in (the tokens of HTML's `autocomplete`).
    pub(crate) fn autocomplete(mut self, token: &'static str) -> Self {
        self.autocomplete = token;
        self
    }

    /// That may stay empty; `word` says so.
    pub(crate) fn optional(mut self, word: &'static str) -> Self {
        self.optional = Some(word);
        self
    }

    /// With what is wrong with it.
    pub(crate) fn error(mut self, error: Option<String>) -> Self {
        self.error = error;
        self
    }

    fn described_by(&self) -> String {
        let mut ids = Vec::new();
        if self.error.is_some() {
            ids.push(format!("{}-error", self.id));
        }
        if !self.hint.is_empty() {
            ids.push(format!("{}-hint", self.id));
        }
        ids.join(" ")
    }
}
