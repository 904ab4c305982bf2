use crate::{
    Action, Block, Entry, Field, Form, Input, InputKind, Item, Metric, Notice, Page, Tone,
};

impl Page {
    /// A page without blocks.
    #[must_use]
    pub fn new(title: impl Into<String>) -> Self {
        Self {
            title: title.into(),
            blocks: Vec::new(),
        }
    }

    /// Adds a block of any kind.
    #[must_use]
    pub fn block(mut self, block: Block) -> Self {
        self.blocks.push(block);
        self
    }

    /// Adds a heading.
    #[must_use]
    pub fn heading(self, text: impl Into<String>) -> Self {
        self.block(Block::Heading(text.into()))
    }

    /// Adds a paragraph.
    #[must_use]
    pub fn text(self, text: impl Into<String>) -> Self {
        self.block(Block::Text(text.into()))
    }

    /// Adds a boxed sentence.
    #[must_use]
    pub fn notice(self, tone: Tone, text: impl Into<String>) -> Self {
        self.block(Block::Notice(Notice {
            tone,
            text: text.into(),
        }))
    }

    /// Adds labels and values.
    #[must_use]
    pub fn entries(self, entries: impl IntoIterator<Item = Entry>) -> Self {
        self.block(Block::Entries(entries.into_iter().collect()))
    }

    /// Adds large figures side by side, at most 4.
    #[must_use]
    pub fn metrics(self, metrics: impl IntoIterator<Item = Metric>) -> Self {
        self.block(Block::Metrics(metrics.into_iter().collect()))
    }

    /// Adds rows.
    #[must_use]
    pub fn items(self, items: impl IntoIterator<Item = Item>) -> Self {
        self.block(Block::Items(items.into_iter().collect()))
    }

    /// Adds a form.
    #[must_use]
    pub fn form(self, form: Form) -> Self {
        self.block(Block::Form(form))
    }
}

impl Entry {
    /// A label and its value.
    #[must_use]
    pub fn new(label: impl Into<String>, value: impl Into<String>) -> Self {
        Self {
            label: label.into(),
            value: value.into(),
        }
    }
}

impl Field {
    /// A named value.
    #[must_use]
    pub fn new(name: impl Into<String>, value: impl Into<String>) -> Self {
        Self {
            name: name.into(),
            value: value.into(),
        }
    }
}

impl Metric {
    /// A figure and what it is.
    #[must_use]
    pub fn new(label: impl Into<String>, value: impl Into<String>) -> Self {
        Self {
            label: label.into(),
            value: value.into(),
            note: None,
        }
    }

    /// Adds a line below the figure.
    #[must_use]
    pub fn note(mut self, note: impl Into<String>) -> Self {
        self.note = Some(note.into());
        self
    }
}

impl Item {
    /// A row with a title, a line below it and a figure at the right.
    #[must_use]
    pub fn new(
        title: impl Into<String>,
        detail: impl Into<String>,
        value: impl Into<String>,
    ) -> Self {
        Self {
            title: title.into(),
            detail: detail.into(),
            value: value.into(),
            action: None,
        }
    }

    /// Adds a button that submits `fields` as the form `form`.
    #[must_use]
    pub fn action(
        mut self,
        form: impl Into<String>,
        button: impl Into<String>,
        fields: impl IntoIterator<Item = Field>,
    ) -> Self {
        self.action = Some(Action {
            form: form.into(),
            button: button.into(),
            fields: fields.into_iter().collect(),
        });
        self
    }
}

impl Form {
    /// A form of that name with one button and no inputs.
    #[must_use]
    pub fn new(name: impl Into<String>, button: impl Into<String>) -> Self {
        Self {
            name: name.into(),
            button: button.into(),
            inputs: Vec::new(),
        }
    }

    /// Adds an input.
    #[must_use]
    pub fn input(mut self, input: Input) -> Self {
        self.inputs.push(input);
        self
    }

    /// Adds a value that is carried along and not shown. The user can change it all
    /// the same: look up again whatever matters.
    #[must_use]
    pub fn hidden(self, name: impl Into<String>, value: impl Into<String>) -> Self {
        let mut input = Input::new(name, "", InputKind::Hidden);
        input.value = value.into();
        self.input(input)
    }
}

impl Input {
    /// An input that must be filled.
    #[must_use]
    pub fn new(name: impl Into<String>, label: impl Into<String>, kind: InputKind) -> Self {
        Self {
            name: name.into(),
            label: label.into(),
            kind,
            value: String::new(),
            placeholder: String::new(),
            required: true,
        }
    }

    /// One line of text.
    #[must_use]
    pub fn text(name: impl Into<String>, label: impl Into<String>) -> Self {
        Self::new(name, label, InputKind::Text)
    }

    /// A decimal amount of money.
    #[must_use]
    pub fn amount(name: impl Into<String>, label: impl Into<String>) -> Self {
        Self::new(name, label, InputKind::Amount)
    }

    /// A decimal number of units.
    #[must_use]
    pub fn units(name: impl Into<String>, label: impl Into<String>) -> Self {
        Self::new(name, label, InputKind::Units)
    }

    /// The value it begins with.
    #[must_use]
    pub fn value(mut self, value: impl Into<String>) -> Self {
        self.value = value.into();
        self
    }

    /// An example in grey.
    #[must_use]
    pub fn placeholder(mut self, placeholder: impl Into<String>) -> Self {
        self.placeholder = placeholder.into();
        self
    }

    /// It may be left empty.
    #[must_use]
    pub fn optional(mut self) -> Self {
        self.required = false;
        self
    }
}
