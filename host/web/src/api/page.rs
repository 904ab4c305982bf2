//! A service's page on the wire: the same typed blocks that the host renders as HTML.

use qiao_runtime as runtime;
use serde::Serialize;
use utoipa::ToSchema;

/// A page of a service.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Page)]
pub(crate) struct PageBody {
    /// Its title.
    title: String,
    /// Its blocks in order.
    blocks: Vec<BlockBody>,
}

/// A part of a page.
#[derive(Debug, Serialize, ToSchema)]
#[serde(tag = "type", rename_all = "snake_case")]
#[schema(as = Block)]
pub(crate) enum BlockBody {
    /// A heading.
    Heading { text: String },
    /// A paragraph of plain text.
    Text { text: String },
    /// A boxed sentence; `tone` is `info`, `success` or `warning`.
    Notice { tone: &'static str, text: String },
    /// Labels and values.
    Entries { entries: Vec<EntryBody> },
    /// Large figures side by side.
    Metrics { metrics: Vec<MetricBody> },
    /// Rows.
    Items { items: Vec<ItemBody> },
    /// A form.
    Form(FormBody),
}

/// A label and a value.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Entry)]
pub(crate) struct EntryBody {
    /// What it is.
    label: String,
    /// The value, formatted.
    value: String,
}

/// A figure that is shown large.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Metric)]
pub(crate) struct MetricBody {
    /// What it is.
    label: String,
    /// The figure, formatted.
    value: String,
    /// A line below it.
    note: Option<String>,
}

/// A row, and optionally a button that submits fixed fields.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Item)]
pub(crate) struct ItemBody {
    /// The title.
    title: String,
    /// A line below it.
    detail: String,
    /// The figure at the right.
    value: String,
    /// The button.
    action: Option<ActionBody>,
}

/// A button that submits fixed fields.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Action)]
pub(crate) struct ActionBody {
    /// The form to submit.
    form: String,
    /// What the button says.
    button: String,
    /// What it submits.
    fields: Vec<FieldBody>,
}

/// A named value of a form.
#[derive(Debug, Serialize, serde::Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = Field)]
pub(crate) struct FieldBody {
    /// The name that the form gave it.
    pub(crate) name: String,
    /// What was typed or chosen.
    pub(crate) value: String,
}

/// A form with one button.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Form)]
pub(crate) struct FormBody {
    /// Its name.
    name: String,
    /// What the button says.
    button: String,
    /// Its inputs.
    inputs: Vec<InputBody>,
}

/// One input of a form; `kind` is `text`, `amount`, `units` or `hidden`.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Input)]
pub(crate) struct InputBody {
    /// Its name.
    name: String,
    /// What the user reads.
    label: String,
    /// What can be typed.
    kind: &'static str,
    /// The value it begins with.
    value: String,
    /// An example.
    placeholder: String,
    /// Whether it must be filled.
    required: bool,
}

impl From<runtime::Page> for PageBody {
    fn from(page: runtime::Page) -> Self {
        Self {
            title: page.title,
            blocks: each(page.blocks),
        }
    }
}

impl From<runtime::Block> for BlockBody {
    fn from(block: runtime::Block) -> Self {
        match block {
            runtime::Block::Heading(text) => Self::Heading { text },
            runtime::Block::Text(text) => Self::Text { text },
            runtime::Block::Notice(notice) => Self::Notice {
                tone: match notice.tone {
                    runtime::Tone::Info => "info",
                    runtime::Tone::Success => "success",
                    runtime::Tone::Warning => "warning",
                },
                text: notice.text,
            },
            runtime::Block::Entries(entries) => Self::Entries {
                entries: each(entries),
            },
            runtime::Block::Metrics(metrics) => Self::Metrics {
                metrics: each(metrics),
            },
            runtime::Block::Items(items) => Self::Items { items: each(items) },
            runtime::Block::Form(form) => Self::Form(form.into()),
        }
    }
}

impl From<runtime::Entry> for EntryBody {
    fn from(entry: runtime::Entry) -> Self {
        Self {
            label: entry.label,
            value: entry.value,
        }
    }
}

impl From<runtime::Metric> for MetricBody {
    fn from(metric: runtime::Metric) -> Self {
        Self {
            label: metric.label,
            value: metric.value,
            note: metric.note,
        }
    }
}

impl From<runtime::Item> for ItemBody {
    fn from(item: runtime::Item) -> Self {
        Self {
            title: item.title,
            detail: item.detail,
            value: item.value,
            action: item.action.map(ActionBody::from),
        }
    }
}

impl From<runtime::Action> for ActionBody {
    fn from(action: runtime::Action) -> Self {
        Self {
            form: action.form,
            button: action.button,
            fields: each(action.fields),
        }
    }
}

impl From<runtime::Field> for FieldBody {
    fn from(field: runtime::Field) -> Self {
        Self {
            name: field.name,
            value: field.value,
        }
    }
}

impl From<FieldBody> for runtime::Field {
    fn from(body: FieldBody) -> Self {
        Self {
            name: body.name,
            value: body.value,
        }
    }
}

impl From<runtime::Form> for FormBody {
    fn from(form: runtime::Form) -> Self {
        Self {
            name: form.name,
            button: form.button,
            inputs: each(form.inputs),
        }
    }
}

impl From<runtime::Input> for InputBody {
    fn from(input: runtime::Input) -> Self {
        Self {
            name: input.name,
            label: input.label,
            kind: match input.kind {
                runtime::InputKind::Text => "text",
                runtime::InputKind::Amount => "amount",
                runtime::InputKind::Units => "units",
                runtime::InputKind::Hidden => "hidden",
            },
            value: input.value,
            placeholder: input.placeholder,
            required: input.required,
        }
    }
}

fn each<D, W: From<D>>(values: Vec<D>) -> Vec<W> {
    values.into_iter().map(W::from).collect()
}
