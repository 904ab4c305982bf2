use std::collections::HashSet;

use axum::extract::{Path, Query, State};
use axum::response::Response;
use qiao_catalog::fee::ChargedLine;
use qiao_catalog::{Capture, OrderKind};
use qiao_ledger::Transfer;
use qiao_model::{Asset, OrderId, TransferId};
use qiao_orders::{Captured, Order, OrderPage, OrderState, Standing};
use qiao_payments::{Method, Payment, Refund};
use serde::Deserialize;

use super::account::institution_name;
use crate::App;
use crate::pages::failed::{Failed, page, sentence_of};
use crate::pages::purpose;
use crate::pages::text::Text;
use crate::pages::view::user::{MoneyStory, Order as OrderView, OrderRow, Orders};
use crate::pages::view::{
    Badge, Cell, Empty, Facts, Figure, Link, Paging, Progress, Timeline, Tone, When,
};
use crate::pages::visit::Person;
use crate::pages::wording::{self, AccountNames};

const ORDERS_PER_PAGE: u32 = 20;

#[derive(Default, Deserialize)]
pub(super) struct OrdersQuery {
    before: Option<String>,
}

/// `GET /orders`
pub(super) async fn list(
    State(app): State<App>,
    person: Person,
    Query(query): Query<OrdersQuery>,
) -> Result<Response, Failed> {
    let t = person.visit.t();
    let before = query.before.as_deref().map(str::parse::<OrderId>);
    let before = before.transpose().map_err(Failed::not_found)?;
    let wanted = OrderPage {
        before,
        limit: ORDERS_PER_PAGE,
    };
    let orders = app.orders.list_for_user(&person.permit, wanted).await?;
    let is_full = orders.len() == ORDERS_PER_PAGE as usize;
    let last = orders.last().filter(|_| is_full);
    let paging = Paging {
        newest: before.map(|_| Link::new("/orders", t.newest)),
        older: last.map(|last| Link::new(format!("/orders?before={}", last.id), t.older)),
    };
    let mut rows = Vec::with_capacity(orders.len());
    for order in orders {
        rows.push(OrderRow {
            link: Link::new(format!("/orders/{}", order.id), &order.quote.title),
            institution: institution_name(&app, order.quote.institution).await?,
            at: When(order.confirmed_at),
            state: wording::order_state(order.standing.state, t).0,
            total: Figure::money(order.quote.amount),
        });
    }
    page(&Orders {
        shell: person.visit.user_page(t.orders, "/orders"),
        orders: rows,
        empty: Empty::new(t.no_orders, t.no_orders_text).link("/", t.find_account),
        paging,
    })
}

/// `GET /orders/{id}`
pub(super) async fn show(
    State(app): State<App>,
    person: Person,
    Path(id): Path<String>,
) -> Result<Response, Failed> {
    let t = person.visit.t();
    let id: OrderId = id.parse().map_err(Failed::not_found)?;
    let order = app.orders.get(&person.permit, id).await?;
    let order = order.ok_or_else(|| Failed::not_found(format_args!("there is no order {id}")))?;
    let institution = institution_name(&app, order.quote.institution).await?;
    let product = app.catalog.product(order.quote.product).await?;
    let product = product.map_or_else(String::new, |product| product.name.clone());
    let (state, explanation) = wording::order_state(order.standing.state, t);
    let payment = app.payments.of_order(&person.permit, id).await?;
    let method = match payment.as_ref().map(|payment| payment.method) {
        Some(method) => paid_by(&app, &person, method).await?,
        None => None,
    };
    let money = match payment {
        Some(payment) => {
            let refunds = app.payments.refunds_of(&person.permit, payment.id).await?;
            let transfers = app
                .payments
                .transfers_of(&person.permit, payment.id)
                .await?;
            let asset = Asset::Currency(payment.amount.currency);
            let names = AccountNames::new(t)
                .user(person.user, t.you, asset)
                .user(person.user, t.you, Asset::Units(order.quote.product))
                .parties(&order.quote.parties, asset)
                .institution(order.quote.institution, &institution, asset)
                .product(order.quote.product)
                .platform(asset);
            stories(
                &payment,
                &refunds,
                &transfers,
                (&names, &order.quote.lines[..]),
            )
        }
        None => Vec::new(),
    };
    let arrival = app.orders.arrivals(&[id]).await?.remove(&id);
    let quote = &order.quote;
    let fee = |line| wording::fee(line, t);
    let facts = Facts::new()
        .with(t.kind, Cell::text(wording::order_kind(quote.kind, t)))
        .with(t.institution, Cell::text(institution))
        .with(t.product, Cell::text(product))
        .with_some(
            t.arrives,
            arrival.map(|arrival| Cell::text(arrival.day().to_string())),
        )
        .with_some(
            t.units_held,
            quote
                .units_minor
                .map(|units| Cell::Figure(Figure::units(units, t.units))),
        );
    let facts = match method {
        Some((label, cell)) => facts.with(label, cell),
        None => facts,
    };
    page(&OrderView {
        shell: person
            .visit
            .user_page(&quote.title, "/orders")
            .back("/orders", t.orders),
        title: quote.title.clone(),
        id: order.id.to_string(),
        state,
        explanation: explanation.to_owned(),
        under_way: !is_final(order.standing.state),
        total: Figure::money(quote.amount),
        timeline: timeline(&order, t),
        receipt: receipt(&order.standing, t),
        facts,
        principal: (
            principal_label(quote.kind, t).to_owned(),
            Figure::money(quote.principal),
        ),
        fees: quote.lines.iter().map(fee).collect(),
        money,
    })
}

/// Which bank account or which mandate an order was paid by; nothing for the balance.
async fn paid_by(
    app: &App,
    person: &Person,
    method: Method,
) -> Result<Option<(&'static str, Cell)>, Failed> {
    let t = person.visit.t();
    Ok(match method {
        Method::Balance => None,
        Method::Mandate(id) => {
            let mandate = Cell::link(format!("/mandates/{id}"), t.your_mandate);
            Some((t.charged_by, mandate))
        }
        Method::Bank { link, channel } => {
            let channels = app.banks.channels().await?;
            let links = app.banks.links(&person.permit).await?;
            let bank = channels.iter().find(|known| known.code == channel);
            let bank = bank.map_or_else(|| channel.to_string(), |bank| bank.name.clone());
            // An account that was unlinked since has no number any more.
            let account = links.iter().find(|known| known.id == link);
            let account = account.map_or("", |account| account.number_masked.as_str());
            let paid_from = format!("{bank} {account}");
            Some((t.paid_from_account, Cell::text(paid_from.trim_end())))
        }
    })
}

fn principal_label(kind: OrderKind, t: &Text) -> &'static str {
    match kind {
        OrderKind::Redeem => t.redeem_worth,
        OrderKind::Purchase | OrderKind::Pay => t.pay_amount,
    }
}

const fn is_final(state: OrderState) -> bool {
    match state {
        OrderState::Completed | OrderState::Voided | OrderState::Refunded => true,
        OrderState::Held | OrderState::Paid | OrderState::Unknown => false,
    }
}

fn receipt(standing: &Standing, t: &Text) -> Facts {
    let Some(receipt) = &standing.receipt else {
        return Facts::new();
    };
    let entries = receipt
        .entries
        .iter()
        .map(|e| (e.label.as_str(), e.value.as_str()));
    Facts::new()
        .with(t.receipt_number, Cell::code(&receipt.number))
        .with_entries(entries)
}

/// From the confirmation to the end, or to what comes next.
pub(in crate::pages) fn timeline(order: &Order, t: &Text) -> Timeline {
    let standing = &order.standing;
    let at = Some(When(order.confirmed_at));
    let changed = Some(When(standing.changed_at));
    let mut timeline = Timeline::default()
        .step(Progress::Done, t.step_confirmed, at)
        .step(Progress::Done, t.step_held, at);
    let is_paid_first = order.quote.capture == Capture::BeforeFulfilment;
    if is_paid_first && standing.capture == Captured::Yes {
        timeline = timeline.step(Progress::Done, t.step_paid, standing.posted_at.map(When));
    }
    let problem = standing
        .problem
        .as_deref()
        .map_or_else(String::new, sentence_of);
    let then_posted = |timeline: Timeline| {
        if is_paid_first {
            timeline
        } else {
            timeline.step(Progress::Ahead, t.step_posted, None)
        }
    };
    match standing.state {
        OrderState::Held | OrderState::Paid => {
            then_posted(timeline.step(Progress::Current, t.step_fulfilled, None))
        }
        OrderState::Unknown => {
            let timeline = timeline.step(Progress::Current, t.step_fulfilled, changed);
            then_posted(timeline.detail(t.state_unknown))
        }
        OrderState::Completed => {
            timeline = timeline.step(Progress::Done, t.step_fulfilled, changed);
            if is_paid_first {
                timeline
            } else {
                timeline.step(
                    Progress::Done,
                    t.step_posted,
                    standing.posted_at.map(When).or(changed),
                )
            }
        }
        OrderState::Voided => timeline
            .step(Progress::Failed, t.step_not_fulfilled, changed)
            .detail(problem)
            .step(
                Progress::Done,
                t.step_voided,
                standing.returned_at.map(When),
            ),
        OrderState::Refunded => timeline
            .step(Progress::Failed, t.step_not_fulfilled, changed)
            .detail(problem)
            .step(
                Progress::Done,
                t.step_refunded,
                standing.returned_at.map(When),
            ),
    }
}

/// The payment and each refund, with the ledger's transfers for them.
fn stories(
    payment: &Payment,
    refunds: &[Refund],
    transfers: &[Transfer],
    (names, fees): (&AccountNames, &[ChargedLine]),
) -> Vec<MoneyStory> {
    let t = names.t();
    let money = Asset::Currency(payment.amount.currency);
    let units = payment
        .deliveries
        .first()
        .map_or(money, |delivery| delivery.amount.asset);
    // The one purpose of a delivery is its units; all other transfers are money.
    let asset_of = |transfer: &Transfer| {
        if purpose::plain(&transfer.purpose) == "units" {
            units
        } else {
            money
        }
    };
    // A hold that was posted or released shows as that alone.
    let resolved: HashSet<TransferId> = transfers
        .iter()
        .filter_map(|transfer| transfer.kind.resolves())
        .collect();
    let (back, there): (Vec<&Transfer>, Vec<&Transfer>) = transfers
        .iter()
        .filter(|transfer| !resolved.contains(&transfer.id))
        .partition(|transfer| purpose::is_refund(&transfer.purpose));
    let mut stories = vec![MoneyStory {
        title: t.payment.to_owned(),
        id: payment.id.to_string(),
        state: wording::payment_state(payment.state, t),
        amount: Figure::money(payment.amount),
        transfers: names.table(&there, fees, asset_of),
    }];
    let mut rest = back;
    for (index, refund) in refunds.iter().enumerate() {
        // A refund's transfers carry its time: one transaction makes them all.
        let is_last = index + 1 == refunds.len();
        let (own, others): (Vec<_>, Vec<_>) = rest
            .into_iter()
            .partition(|transfer| is_last || transfer.at == refund.created_at);
        rest = others;
        stories.push(MoneyStory {
            title: t.refund.to_owned(),
            id: refund.id.to_string(),
            state: Badge::new(Tone::Good, t.payment_posted),
            amount: Figure::money(refund.amount),
            transfers: names.table(&own, fees, asset_of),
        });
    }
    stories
}
