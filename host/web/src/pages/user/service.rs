use axum::extract::{Path, Query, State};
use axum::http::StatusCode;
use axum::response::Response;
use qiao_orders::{Answer, Error, Submission, Visit as ServiceVisit};
use qiao_registry::PublicAccount;
use qiao_runtime::{self as runtime, FieldProblem, InputKind};

use crate::App;
use crate::pages::failed::{Failed, page, page_with, refused, see};
use crate::pages::sent::Sent;
use crate::pages::text::fill;
use crate::pages::view::user::{Block, Item, Metric, Service};
use crate::pages::view::{Facts, Field, Form, Kind, Link, Notice, Tone};
use crate::pages::visit::Person;

/// A plugin's own fields carry this prefix, so that they clash with none of the host's.
const FIELD_PREFIX: &str = "f_";
const FORM: &str = "form";
/// The public account through whose door the visitor came, by its handle.
const SCENE: &str = "scene";

type Pairs = Vec<(String, String)>;

/// What was sent with a form that the plugin did not take.
struct Kept<'a> {
    form: &'a str,
    fields: &'a [runtime::Field],
    problem: &'a FieldProblem,
}

/// `GET /a/{handle}/{service}`
pub(super) async fn open(
    State(app): State<App>,
    person: Person,
    Path((handle, service)): Path<(String, String)>,
    Query(query): Query<Pairs>,
) -> Result<Response, Failed> {
    let here = Here::find(&app, handle, service, &query).await?;
    let visit = here.visit(&person, plugin_fields(&query));
    match app.orders.open_page(&person.permit, visit).await {
        Ok(found) => page(&here.show(&person, found, None)),
        Err(error) => here.unavailable(&person, error),
    }
}

/// `POST /a/{handle}/{service}`
pub(super) async fn submit(
    State(app): State<App>,
    person: Person,
    Path((handle, service)): Path<(String, String)>,
    Query(query): Query<Pairs>,
    Sent(pairs): Sent<Pairs>,
) -> Result<Response, Failed> {
    let here = Here::find(&app, handle, service, &query).await?;
    let form = pairs.iter().find(|(name, _)| name == FORM);
    let form = form.map_or_else(String::new, |(_, value)| value.clone());
    let submission = Submission {
        visit: here.visit(&person, Vec::new()),
        form: form.clone(),
        fields: plugin_fields(&pairs),
    };
    let fields = submission.fields.clone();
    match app.orders.submit(&person.permit, submission).await {
        Ok(Answer::Page(found)) => page(&here.show(&person, found, None)),
        Ok(Answer::Offer(offer)) => see(format!("/checkout/{}", offer.id)),
        Ok(Answer::Mandate(offer)) => see(format!("/consent/{}", offer.id)),
        Err(Error::InvalidField(problem)) => {
            // The page again, with what was typed and the error beside its field.
            let visit = here.visit(&person, fields.clone());
            let found = match app.orders.open_page(&person.permit, visit).await {
                Ok(found) => found,
                Err(error) => return here.unavailable(&person, error),
            };
            let kept = Kept {
                form: &form,
                fields: &fields,
                problem: &problem,
            };
            refused(&here.show(&person, found, Some(&kept)))
        }
        Err(error) => here.unavailable(&person, error),
    }
}

fn plugin_fields(pairs: &[(String, String)]) -> Vec<runtime::Field> {
    let own = pairs.iter().filter_map(|(name, value)| {
        Some(runtime::Field {
            name: name.strip_prefix(FIELD_PREFIX)?.to_owned(),
            value: value.clone(),
        })
    });
    own.collect()
}

/// The service that the visitor is at.
struct Here {
    handle: String,
    service: String,
    account: String,
    scene: Option<PublicAccount>,
}

impl Here {
    async fn find(
        app: &App,
        handle: String,
        service: String,
        query: &[(String, String)],
    ) -> Result<Self, Failed> {
        let account = app.registry.public_account_by_handle(&handle).await?;
        let account = account.ok_or_else(|| Failed::not_found(&handle))?;
        // A handle that nobody has is no scene.
        let scene = match query.iter().find(|(name, _)| name == SCENE) {
            Some((_, scene)) => app.registry.public_account_by_handle(scene).await?,
            None => None,
        };
        Ok(Self {
            handle,
            service,
            account: account.name,
            scene: scene.filter(|scene| scene.institution != account.institution),
        })
    }

    fn path(&self) -> String {
        let path = format!("/a/{}/{}", self.handle, self.service);
        match &self.scene {
            Some(scene) => format!("{path}?{SCENE}={}", scene.handle),
            None => path,
        }
    }

    fn visit(&self, person: &Person, params: Vec<runtime::Field>) -> ServiceVisit {
        ServiceVisit {
            account: self.handle.clone(),
            service: self.service.clone(),
            locale: person.visit.locale.tag().to_owned(),
            params,
            scene: self.scene.as_ref().map(|scene| scene.institution),
        }
    }

    fn show(&self, person: &Person, page: runtime::Page, kept: Option<&Kept<'_>>) -> Service {
        let up = format!("/a/{}", self.handle);
        let shell = person
            .visit
            .user_page(&page.title, "/")
            .back(&up, &self.account);
        let blocks = page.blocks.into_iter().enumerate();
        let mut blocks: Vec<Block> = blocks
            .map(|(index, block)| self.block(person, index, block, kept))
            .collect();
        if let Some(problem) = kept.and_then(|kept| kept.unplaced(&blocks)) {
            blocks.insert(0, Block::Notice(Notice::new(Tone::Warning, problem)));
        }
        Service {
            shell,
            account: Link::new(up, &self.account),
            title: page.title,
            blocks,
        }
    }

    fn block(
        &self,
        person: &Person,
        index: usize,
        block: runtime::Block,
        kept: Option<&Kept<'_>>,
    ) -> Block {
        match block {
            runtime::Block::Heading(text) => Block::Heading(text),
            runtime::Block::Text(text) => Block::Text(text),
            runtime::Block::Notice(notice) => Block::Notice(Notice::new(
                match notice.tone {
                    runtime::Tone::Info => Tone::Info,
                    runtime::Tone::Success => Tone::Good,
                    runtime::Tone::Warning => Tone::Warning,
                },
                notice.text,
            )),
            runtime::Block::Entries(entries) => {
                let pairs = entries.iter().map(|e| (e.label.as_str(), e.value.as_str()));
                Block::Entries(Facts::new().with_entries(pairs))
            }
            runtime::Block::Metrics(metrics) => {
                let metric = |metric: runtime::Metric| Metric {
                    label: metric.label,
                    value: metric.value,
                    note: metric.note.unwrap_or_default(),
                };
                Block::Metrics(metrics.into_iter().map(metric).collect())
            }
            runtime::Block::Items(items) => {
                let items = items.into_iter().enumerate();
                let rows = items.map(|(row, item)| self.item(person, (index, row), item));
                Block::Items(rows.collect())
            }
            runtime::Block::Form(form) => {
                let kept = kept.filter(|kept| kept.form == form.name);
                Block::Form(Box::new(self.form(person, index, form, kept)))
            }
        }
    }

    fn item(&self, person: &Person, (block, row): (usize, usize), item: runtime::Item) -> Item {
        let action = item.action.map(|action| {
            let id = format!("action-{block}-{row}");
            let form = Form::new(&id, self.path(), person.visit.csrf(), &action.button)
                .hidden(FORM, action.form)
                .compact();
            action.fields.into_iter().fold(form, |form, field| {
                form.hidden(&format!("{FIELD_PREFIX}{}", field.name), field.value)
            })
        });
        Item {
            title: item.title,
            detail: item.detail,
            value: item.value,
            action,
        }
    }

    fn form(
        &self,
        person: &Person,
        index: usize,
        form: runtime::Form,
        kept: Option<&Kept<'_>>,
    ) -> Form {
        let t = person.visit.t();
        let id = format!("form-{index}");
        let mut view =
            Form::new(&id, self.path(), person.visit.csrf(), &form.button).hidden(FORM, &form.name);
        for input in form.inputs {
            let name = format!("{FIELD_PREFIX}{}", input.name);
            let value = kept
                .and_then(|kept| kept.value(&input.name))
                .unwrap_or(input.value);
            let kind = match input.kind {
                InputKind::Hidden => {
                    view = view.hidden(&name, value);
                    continue;
                }
                InputKind::Text => Kind::Text,
                InputKind::Amount => Kind::Decimal("CNY".to_owned()),
                InputKind::Units => Kind::Decimal(t.units.to_owned()),
            };
            let error = kept.and_then(|kept| kept.error(&input.name));
            let mut field = Field::new(&name, &input.label, kind)
                .value(value)
                .placeholder(input.placeholder)
                .error(error);
            if !input.required {
                field = field.optional(t.optional);
            }
            view = view.field(field);
        }
        view
    }

    fn unavailable(&self, person: &Person, error: Error) -> Result<Response, Failed> {
        let sentence = match error {
            Error::ServiceUnavailable(sentence) => sentence,
            error => return Err(error.into()),
        };
        let t = person.visit.t();
        let title = t.service_unavailable;
        let up = format!("/a/{}", self.handle);
        let advice = fill(t.service_unavailable_text, &[&self.account]);
        page_with(
            StatusCode::SERVICE_UNAVAILABLE,
            &Service {
                shell: person.visit.user_page(title, "/").back(&up, &self.account),
                account: Link::new(up, &self.account),
                title: title.to_owned(),
                blocks: vec![
                    Block::Notice(
                        Notice::new(Tone::Warning, sentence).link(self.path(), t.try_again),
                    ),
                    Block::Text(advice),
                ],
            },
        )
    }
}

impl Kept<'_> {
    fn value(&self, name: &str) -> Option<String> {
        let field = self.fields.iter().find(|field| field.name == name);
        field.map(|field| field.value.clone())
    }

    fn error(&self, name: &str) -> Option<String> {
        (self.problem.name == name).then(|| self.problem.cause.clone())
    }

    /// The problem's sentence, when the page has no field to put it beside.
    fn unplaced(&self, blocks: &[Block]) -> Option<String> {
        let is_placed = blocks.iter().any(|block| match block {
            Block::Form(form) => form.has_errors(),
            _ => false,
        });
        (!is_placed).then(|| self.problem.cause.clone())
    }
}
