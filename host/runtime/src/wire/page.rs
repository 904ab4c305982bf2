use super::{entry_in, few, field_in, mandate_offer_in, offer_in};
use crate::bindings::v0_1_0::exports::qiao::guest::pages as wit;
use crate::bindings::v0_1_0::qiao::host::types::Field as WitField;
use crate::limits::{FORM_INPUTS_MAX, METRICS_MAX, PAGE_BLOCKS_MAX, PAGE_BYTES_MAX};
use crate::{
    Action, Answer, Block, Fault, Field, Form, Input, InputKind, Item, Metric, Notice, Page, Tone,
};

pub(crate) fn answer(answer: wit::Answer) -> Result<Answer, Fault> {
    Ok(match answer {
        wit::Answer::Page(answer) => Answer::Page(page(answer)?),
        wit::Answer::Offer(offer) => Answer::Offer(offer_in(offer)?),
        wit::Answer::Mandate(offer) => Answer::Mandate(mandate_offer_in(offer)?),
    })
}

pub(crate) fn page(page: wit::Page) -> Result<Page, Fault> {
    few(page.blocks.len(), "a page", PAGE_BLOCKS_MAX)?;
    let blocks: Result<Vec<Block>, Fault> = page.blocks.into_iter().map(block).collect();
    let page = Page {
        title: page.title,
        blocks: blocks?,
    };
    let bytes = page.title.len() + page.blocks.iter().map(block_bytes).sum::<usize>();
    if bytes > PAGE_BYTES_MAX {
        let cause = format!("a page has {bytes} bytes; at most {PAGE_BYTES_MAX} are allowed");
        return Err(Fault::invalid_answer(cause));
    }
    Ok(page)
}

fn block(block: wit::Block) -> Result<Block, Fault> {
    Ok(match block {
        wit::Block::Heading(text) => Block::Heading(text),
        wit::Block::Text(text) => Block::Text(text),
        wit::Block::Notice(notice) => Block::Notice(Notice {
            tone: match notice.tone {
                wit::Tone::Info => Tone::Info,
                wit::Tone::Success => Tone::Success,
                wit::Tone::Warning => Tone::Warning,
            },
            text: notice.text,
        }),
        wit::Block::Entries(entries) => Block::Entries(
            entries
                .into_iter()
                .map(entry_in)
                .collect::<Result<_, _>>()?,
        ),
        wit::Block::Metrics(metrics) => {
            few(metrics.len(), "a row of metrics", METRICS_MAX)?;
            Block::Metrics(metrics.into_iter().map(metric).collect())
        }
        wit::Block::Items(items) => Block::Items(items.into_iter().map(item).collect()),
        wit::Block::Form(form) => {
            few(form.inputs.len(), "a form", FORM_INPUTS_MAX)?;
            Block::Form(Form {
                name: form.name,
                button: form.button,
                inputs: form.inputs.into_iter().map(input).collect(),
            })
        }
    })
}

fn metric(metric: wit::Metric) -> Metric {
    Metric {
        label: metric.label,
        value: metric.value,
        note: metric.note,
    }
}

fn item(item: wit::Item) -> Item {
    Item {
        title: item.title,
        detail: item.detail,
        value: item.value,
        action: item.action.map(|action| Action {
            form: action.form,
            button: action.button,
            fields: action.fields.into_iter().map(field).collect(),
        }),
    }
}

fn field(field: WitField) -> Field {
    field_in(field)
}

fn input(input: wit::Input) -> Input {
    Input {
        name: input.name,
        label: input.label,
        kind: match input.kind {
            wit::InputKind::Text => InputKind::Text,
            wit::InputKind::Amount => InputKind::Amount,
            wit::InputKind::Units => InputKind::Units,
            wit::InputKind::Hidden => InputKind::Hidden,
        },
        value: input.value,
        placeholder: input.placeholder,
        required: input.required,
    }
}

/// Bytes of text of a block; an empty row counts too, so that rows of nothing are bounded.
fn block_bytes(block: &Block) -> usize {
    match block {
        Block::Heading(text) | Block::Text(text) => text.len(),
        Block::Notice(notice) => notice.text.len(),
        Block::Entries(entries) => entries
            .iter()
            .map(|entry| ROW_BYTES + entry.label.len() + entry.value.len())
            .sum(),
        Block::Metrics(metrics) => metrics
            .iter()
            .map(|m| m.label.len() + m.value.len() + m.note.as_ref().map_or(0, String::len))
            .sum(),
        Block::Items(items) => items
            .iter()
            .map(|item| {
                let action = item.action.as_ref().map_or(0, |action| {
                    action.form.len() + action.button.len() + fields_bytes(&action.fields)
                });
                ROW_BYTES + item.title.len() + item.detail.len() + item.value.len() + action
            })
            .sum(),
        Block::Form(form) => {
            let inputs = form.inputs.iter().map(|input| {
                input.name.len() + input.label.len() + input.value.len() + input.placeholder.len()
            });
            form.name.len() + form.button.len() + inputs.sum::<usize>()
        }
    }
}

/// What a row costs beside its text.
const ROW_BYTES: usize = 16;

fn fields_bytes(fields: &[Field]) -> usize {
    fields
        .iter()
        .map(|field| ROW_BYTES + field.name.len() + field.value.len())
        .sum()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::FaultKind;

    fn with_blocks(blocks: Vec<wit::Block>) -> Result<Page, Fault> {
        page(wit::Page {
            title: String::new(),
            blocks,
        })
    }

    fn is_refused(result: Result<Page, Fault>) -> bool {
        result.is_err_and(|fault| fault.kind == FaultKind::InvalidAnswer)
    }

    #[test]
    fn a_page_may_have_its_limit_of_blocks_and_not_one_more() {
        let blocks = vec![wit::Block::Text(String::new()); PAGE_BLOCKS_MAX];
        assert!(with_blocks(blocks.clone()).is_ok());
        let past = [blocks, vec![wit::Block::Text(String::new())]].concat();
        assert!(is_refused(with_blocks(past)));
    }

    #[test]
    fn a_page_may_have_its_limit_of_bytes_and_not_one_more() {
        let full = "x".repeat(PAGE_BYTES_MAX);
        assert!(with_blocks(vec![wit::Block::Text(full.clone())]).is_ok());
        assert!(is_refused(with_blocks(vec![wit::Block::Text(full + "x")])));
    }

    #[test]
    fn rows_of_nothing_are_bounded_too() {
        let nothing = wit::Item {
            title: String::new(),
            detail: String::new(),
            value: String::new(),
            action: None,
        };
        let rows = PAGE_BYTES_MAX / ROW_BYTES;
        let page = |rows| with_blocks(vec![wit::Block::Items(vec![nothing.clone(); rows])]);
        assert!(page(rows).is_ok());
        assert!(is_refused(page(rows + 1)));
    }

    #[test]
    fn a_form_and_a_row_of_metrics_are_bounded() {
        let input = wit::Input {
            name: String::new(),
            label: String::new(),
            kind: wit::InputKind::Text,
            value: String::new(),
            placeholder: String::new(),
            required: false,
        };
        let form = |inputs| {
            with_blocks(vec![wit::Block::Form(wit::Form {
                name: String::new(),
                button: String::new(),
                inputs: vec![input.clone(); inputs],
            })])
        };
        assert!(form(FORM_INPUTS_MAX).is_ok());
        assert!(is_refused(form(FORM_INPUTS_MAX + 1)));

        let metric = wit::Metric {
            label: String::new(),
            value: String::new(),
            note: None,
        };
        let metrics = |n| with_blocks(vec![wit::Block::Metrics(vec![metric.clone(); n])]);
        assert!(metrics(METRICS_MAX).is_ok());
        assert!(is_refused(metrics(METRICS_MAX + 1)));
    }
}
