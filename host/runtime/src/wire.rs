//! Between the values of WIT 0.1.0 and this room's own. What a guest says is checked here:
//! a value that breaks the contract becomes a fault of the guest, never a value of ours.

mod answer;
mod catalog;
mod mandate;
mod page;
mod request;

pub(crate) use answer::{
    activation_error, event_error, fulfil_error, fulfilment, job_error, offer_in, page_error,
    quote, quote_error,
};
pub(crate) use catalog::{price_in, product_in};
pub(crate) use mandate::{charged, mandate_offer_in, mandate_refusal, mandate_state};
pub(crate) use page::{answer, page};
pub(crate) use request::{event, job_run, placed_order, price, quote_request, submission, visit};

use qiao_catalog::OrderKind;
use qiao_model::{Day, Money, Timestamp, is_plain_text, to_plain_text};

use crate::bindings::v0_1_0::qiao::host::types as wit;
use crate::limits::{ENTRIES_MAX, ENTRY_LABEL_CHARS_MAX, ENTRY_VALUE_CHARS_MAX, REFUSAL_CHARS_MAX};
use crate::{Entry, Fault, Field, OrderState};

pub(crate) fn money(money: Money) -> wit::Money {
    wit::Money {
        minor: money.minor,
        currency: money.currency.code().to_owned(),
    }
}

pub(crate) fn money_in(money: &wit::Money) -> Result<Money, Fault> {
    let currency = money.currency.parse().map_err(|_| {
        let code: String = money.currency.chars().take(8).collect();
        Fault::invalid_answer(format!("`{code}` is not a currency of this host"))
    })?;
    Ok(Money::new(money.minor, currency))
}

pub(crate) fn date(day: Day) -> wit::Date {
    let (year, month, day) = day.parts();
    wit::Date {
        year: u16::try_from(year).unwrap_or(0),
        month: month.unsigned_abs(),
        day: day.unsigned_abs(),
    }
}

pub(crate) fn day_in(date: wit::Date) -> Option<Day> {
    let year = i16::try_from(date.year)
        .ok()
        .filter(|year| (1970..=9999).contains(year))?;
    Day::new(
        year,
        i8::try_from(date.month).ok()?,
        i8::try_from(date.day).ok()?,
    )
}

pub(crate) fn timestamp(at: Timestamp) -> u64 {
    u64::try_from(at.as_millis()).unwrap_or(0)
}

pub(crate) fn order_kind(kind: OrderKind) -> wit::OrderKind {
    match kind {
        OrderKind::Purchase => wit::OrderKind::Purchase,
        OrderKind::Redeem => wit::OrderKind::Redeem,
        OrderKind::Pay => wit::OrderKind::Pay,
    }
}

pub(crate) fn order_kind_in(kind: wit::OrderKind) -> OrderKind {
    match kind {
        wit::OrderKind::Purchase => OrderKind::Purchase,
        wit::OrderKind::Redeem => OrderKind::Redeem,
        wit::OrderKind::Pay => OrderKind::Pay,
    }
}

pub(crate) fn order_state(state: OrderState) -> wit::OrderState {
    match state {
        OrderState::Held => wit::OrderState::Held,
        OrderState::Paid => wit::OrderState::Paid,
        OrderState::Completed => wit::OrderState::Completed,
        OrderState::Voided => wit::OrderState::Voided,
        OrderState::Refunded => wit::OrderState::Refunded,
        OrderState::Unknown => wit::OrderState::Unknown,
    }
}

fn entries(entries: &[Entry]) -> Vec<wit::Entry> {
    let entry = |entry: &Entry| wit::Entry {
        label: entry.label.clone(),
        value: entry.value.clone(),
    };
    entries.iter().map(entry).collect()
}

fn entry_in(entry: wit::Entry) -> Result<Entry, Fault> {
    Ok(Entry {
        label: short(entry.label, "an entry's label", ENTRY_LABEL_CHARS_MAX)?,
        value: short(entry.value, "an entry's value", ENTRY_VALUE_CHARS_MAX)?,
    })
}

/// The entries of an offer, a quote, a receipt or a mandate.
fn few_entries_in(entries: Vec<wit::Entry>, what: &str) -> Result<Vec<Entry>, Fault> {
    few(entries.len(), what, ENTRIES_MAX)?;
    entries.into_iter().map(entry_in).collect()
}

fn fields(fields: &[Field]) -> Vec<wit::Field> {
    let field = |field: &Field| wit::Field {
        name: field.name.clone(),
        value: field.value.clone(),
    };
    fields.iter().map(field).collect()
}

fn field_in(field: wit::Field) -> Field {
    Field {
        name: field.name,
        value: field.value,
    }
}

fn few(count: usize, what: &str, max: usize) -> Result<(), Fault> {
    if count <= max {
        return Ok(());
    }
    let cause = format!("{what} has {count} parts; at most {max} are allowed");
    Err(Fault::invalid_answer(cause))
}

fn short(text: String, what: &str, chars_max: usize) -> Result<String, Fault> {
    // A text of few bytes has few characters: most are not counted.
    if text.len() > chars_max && text.chars().count() > chars_max {
        let cause = format!("{what} is longer than {chars_max} characters");
        return Err(Fault::invalid_answer(cause));
    }
    if !is_plain_text(&text) {
        let cause = format!("{what} has control characters");
        return Err(Fault::invalid_answer(cause));
    }
    Ok(text)
}

/// A sentence of a refusal: shown as it is, but cut where it would be a page, and
/// without control characters.
fn sentence(text: String) -> String {
    if text.len() <= REFUSAL_CHARS_MAX && is_plain_text(&text) {
        return text;
    }
    to_plain_text(&text, REFUSAL_CHARS_MAX)
}
