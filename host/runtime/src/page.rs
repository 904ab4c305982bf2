/// A user opens a service.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Visit {
    /// The service's name in the manifest.
    pub service: String,
    /// Who; the plugin sees its institution's pseudonym.
    pub user: qiao_model::UserId,
    /// BCP 47 tag: `zh-CN` or `en`.
    pub locale: String,
    /// Today in Asia/Shanghai.
    pub today: qiao_model::Day,
    /// Values that a link of an earlier page carried.
    pub params: Vec<Field>,
}

/// A user sends a form of a page back.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Submission {
    /// Where and who.
    pub visit: Visit,
    /// The form's name.
    pub form: String,
    /// Its values.
    pub fields: Vec<Field>,
}

/// A label and a value, shown to the user as they are.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// At most 64 characters.
    pub label: String,
    /// At most 256 characters.
    pub value: String,
}

/// A named value of a form.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Field {
    /// The name that the form gave it.
    pub name: String,
    /// What the user typed or chose, or what the plugin put there.
    pub value: String,
}

/// A page of typed blocks; the host renders it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Page {
    /// Its title.
    pub title: String,
    /// Its blocks in order.
    pub blocks: Vec<Block>,
}

/// A part of a page.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Block {
    /// A heading.
    Heading(String),
    /// A paragraph of plain text.
    Text(String),
    /// A boxed sentence.
    Notice(Notice),
    /// Labels and values.
    Entries(Vec<Entry>),
    /// Large figures side by side.
    Metrics(Vec<Metric>),
    /// Rows.
    Items(Vec<Item>),
    /// A form.
    Form(Form),
}

/// A boxed sentence.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Notice {
    /// How much it matters.
    pub tone: Tone,
    /// The sentence.
    pub text: String,
}

/// How much a notice matters.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Tone {
    /// Neutral.
    Info,
    /// It went well.
    Success,
    /// Look at this.
    Warning,
}

/// A figure that is shown large.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Metric {
    /// What it is.
    pub label: String,
    /// The figure, formatted.
    pub value: String,
    /// A line below it.
    pub note: Option<String>,
}

/// A row with a title, a line below it, a figure, and optionally a button.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Item {
    /// The title.
    pub title: String,
    /// A line below it.
    pub detail: String,
    /// The figure at the right.
    pub value: String,
    /// The button.
    pub action: Option<Action>,
}

/// A button that submits fixed fields.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Action {
    /// The form's name, given back at `submit`.
    pub form: String,
    /// What the button says.
    pub button: String,
    /// What it submits.
    pub fields: Vec<Field>,
}

/// A form with one button.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Form {
    /// Its name, given back at `submit`.
    pub name: String,
    /// What the button says.
    pub button: String,
    /// Its inputs.
    pub inputs: Vec<Input>,
}

/// One input of a form.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Input {
    /// Its name.
    pub name: String,
    /// What the user reads.
    pub label: String,
    /// Its kind.
    pub kind: InputKind,
    /// The value it begins with.
    pub value: String,
    /// An example in grey.
    pub placeholder: String,
    /// Whether it must be filled.
    pub required: bool,
}

/// What the user can type.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum InputKind {
    /// One line of text.
    Text,
    /// A decimal amount of money in main units.
    Amount,
    /// A decimal number of units.
    Units,
    /// Carried along, not shown.
    Hidden,
}

/// What a submission leads to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Answer {
    /// Another page.
    Page(Page),
    /// The host's checkout of this offer.
    Offer(crate::Offer),
    /// The host's consent page for this mandate.
    Mandate(crate::MandateOffer),
}

/// Why there is no page.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PageError {
    /// No service or form of that name.
    #[error("there is no service or form `{0}`")]
    NotFound(String),
    /// A field is not acceptable: shown beside it.
    #[error("the field `{}` is not acceptable: {}", .0.name, .0.cause)]
    InvalidField(FieldProblem),
    /// Something that the plugin depends on does not answer.
    #[error("the service is not available: {0}")]
    Unavailable(String),
}

/// A field and what is wrong with it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FieldProblem {
    /// The field's name.
    pub name: String,
    /// One sentence for the user.
    pub cause: String,
}
