use qiao_catalog::Price;

use super::{date, entries, fields, mandate_state, money, order_kind, order_state, timestamp};
use crate::bindings::v0_1_0::exports::qiao::guest::{events, jobs, orders, pages};
use crate::bindings::v0_1_0::qiao::host::types as wit;
use crate::{Event, Happening, JobRun, Offer, PlacedOrder, QuoteRequest, Submission, Visit};

/// `subject` is the user's pseudonym; the visit itself names the user.
pub(crate) fn visit(visit: &Visit, subject: String) -> pages::Visit {
    pages::Visit {
        service: visit.service.clone(),
        user: subject,
        locale: visit.locale.clone(),
        today: date(visit.today),
        params: fields(&visit.params),
    }
}

pub(crate) fn submission(submission: &Submission, subject: String) -> pages::Submission {
    pages::Submission {
        visit: visit(&submission.visit, subject),
        form: submission.form.clone(),
        fields: fields(&submission.fields),
    }
}

fn offer(offer: &Offer) -> wit::Offer {
    wit::Offer {
        product: offer.product.clone(),
        kind: order_kind(offer.kind),
        title: offer.title.clone(),
        amount: offer.amount.map(money),
        units_minor: offer.units_minor,
        reference: offer.reference.clone(),
        facts: entries(&offer.facts),
    }
}

pub(crate) fn price(price: &Price) -> wit::Price {
    wit::Price {
        day: date(price.day),
        nav_e4: price.nav_e4.unsigned_abs(),
        income_per_10k_e4: price.income_per_10k_e4.map(i64::unsigned_abs),
        yield_7d_ppm: price.yield_7d_ppm.and_then(|ppm| u32::try_from(ppm).ok()),
    }
}

pub(crate) fn quote_request(request: &QuoteRequest) -> orders::QuoteRequest {
    orders::QuoteRequest {
        offer: offer(&request.offer),
        price: request.price.as_ref().map(price),
        today: date(request.today),
    }
}

pub(crate) fn placed_order(order: &PlacedOrder, subject: String) -> orders::Order {
    orders::Order {
        id: order.id.to_string(),
        kind: order_kind(order.offer.kind),
        offer: offer(&order.offer),
        user: subject,
        principal: money(order.principal),
        units_minor: order.units_minor,
        attempt: order.attempt,
    }
}

pub(crate) fn job_run(run: &JobRun) -> jobs::JobRun {
    jobs::JobRun {
        name: run.name.clone(),
        day: date(run.day),
        due_at: timestamp(run.due_at),
    }
}

pub(crate) fn event(event: &Event, subject: String) -> events::Event {
    let happening = match &event.happening {
        Happening::OrderChanged { order, state, .. } => {
            events::Happening::OrderChanged(events::OrderChanged {
                order: order.to_string(),
                state: order_state(*state),
                user: subject,
            })
        }
        Happening::MandateChanged {
            mandate,
            state,
            reference,
            ..
        } => events::Happening::MandateChanged(events::MandateChanged {
            mandate: mandate.to_string(),
            state: mandate_state(*state),
            user: subject,
            reference: reference.clone(),
        }),
        Happening::Followed { .. } => events::Happening::Followed(subject),
        Happening::Unfollowed { .. } => events::Happening::Unfollowed(subject),
    };
    events::Event {
        id: event.id.to_string(),
        at: timestamp(event.at),
        happening,
    }
}
