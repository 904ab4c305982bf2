use axum::extract::{Path, Query, State};
use axum::response::Response;
use qiao_model::{Asset, Money, OrderId};
use qiao_orders::{Order, OrderPage, OrderState};
use qiao_payments::{Payment, Refund};
use serde::Deserialize;

use crate::App;
use crate::pages::failed::{Failed, page, sentence_of};
use crate::pages::text::Text;
use crate::pages::user::timeline;
use crate::pages::view::console::Order as OrderView;
use crate::pages::view::staff::List;
use crate::pages::view::user::MoneyStory;
use crate::pages::view::{
    Badge, Cell, Empty, Facts, Figure, Link, Locale, Notice, Paging, Table, Tone, When,
};
use crate::pages::visit::Staff;
use crate::pages::wording;

pub(in crate::pages) const ORDERS_PER_PAGE: u32 = 50;

#[derive(Default, Deserialize)]
pub(super) struct OrdersQuery {
    before: Option<String>,
}

/// `GET /console/{institution}/orders`
pub(super) async fn list(
    State(app): State<App>,
    staff: Staff,
    Query(query): Query<OrdersQuery>,
) -> Result<Response, Failed> {
    let before = query.before.as_deref().map(str::parse::<OrderId>);
    let before = before.transpose().map_err(Failed::not_found)?;
    let wanted = OrderPage {
        before,
        limit: ORDERS_PER_PAGE,
    };
    let orders = app
        .orders
        .list_for_institution(&staff.permit, wanted)
        .await?;
    let here = staff.path("/orders");
    let table = table(&orders, |order| {
        Cell::link(format!("{here}/{}", order.id), &order.quote.title)
    })
    .paging(paging(&here, before.is_some(), &orders));
    let shell = staff
        .visit
        .console_page("Orders", Some(staff.institution), "/orders");
    page(&List::new(
        shell,
        "Users are pseudonyms of your institution alone.",
        table,
    ))
}

/// Orders as staff and operators see them.
pub(in crate::pages) fn table(orders: &[Order], title: impl Fn(&Order) -> Cell) -> Table {
    let columns = [
        "Order",
        "State",
        "Kind",
        "Confirmed",
        ">Principal",
        ">In all",
    ];
    let empty = Empty::new("No orders", "Orders appear here as people confirm them.");
    let mut table = Table::new("Orders", &columns, empty);
    let t = Text::of(Locale::En);
    for order in orders {
        table.push(vec![
            title(order),
            Cell::Badge(wording::order_state(order.standing.state, t).0),
            Cell::text(order.quote.kind.name()),
            Cell::When(When(order.confirmed_at)),
            Cell::Figure(Figure::money(order.quote.principal)),
            Cell::Figure(Figure::money(order.quote.amount)),
        ]);
    }
    table
}

/// The way to newer and older orders.
pub(in crate::pages) fn paging(here: &str, is_later: bool, orders: &[Order]) -> Paging {
    let is_full = orders.len() == ORDERS_PER_PAGE as usize;
    let last = orders.last().filter(|_| is_full);
    Paging {
        newest: is_later.then(|| Link::new(here, "Newest")),
        older: last.map(|last| Link::new(format!("{here}?before={}", last.id), "Older")),
    }
}

/// `GET /console/{institution}/orders/{order}`
pub(super) async fn show(
    State(app): State<App>,
    staff: Staff,
    Path((_, id)): Path<(String, String)>,
) -> Result<Response, Failed> {
    let id: OrderId = id.parse().map_err(Failed::not_found)?;
    let order = app.orders.get(&staff.permit, id).await?;
    let order = order.ok_or_else(|| Failed::not_found(format_args!("there is no order {id}")))?;
    let money = match app.payments.of_order(&staff.permit, id).await? {
        Some(payment) => {
            let refunds = app.payments.refunds_of(&staff.permit, payment.id).await?;
            stories(&payment, &refunds)
        }
        None => Vec::new(),
    };
    let quote = &order.quote;
    let standing = &order.standing;
    let t = Text::of(Locale::En);
    let problem = standing.problem.as_ref();
    let tone = match standing.state {
        OrderState::Unknown => Tone::Bad,
        _ => Tone::Warning,
    };
    let units = quote
        .units_minor
        .map(|units| Cell::Figure(Figure::units(units, "units")));
    let receipt = standing.receipt.as_ref();
    let shell = staff
        .visit
        .console_page(&quote.title, Some(staff.institution), "/orders");
    let release = staff.path(format_args!("/releases/{}", quote.release));
    page(&OrderView {
        shell: shell.back(staff.path("/orders"), "Orders"),
        title: quote.title.clone(),
        state: wording::order_state(standing.state, t).0,
        problem: problem.map(|problem| Notice::new(tone, sentence_of(problem))),
        facts: Facts::new()
            .with("Order", Cell::code(order.id))
            .with("User, as you know them", Cell::code(&order.subject))
            .with("Product", Cell::code(&quote.product_code))
            .with_some(
                "Reference",
                (!quote.reference.is_empty()).then(|| Cell::code(&quote.reference)),
            )
            .with_some("Units", units)
            .with_some(
                "Receipt",
                receipt.map(|receipt| Cell::code(&receipt.number)),
            )
            .with(
                "Fee schedule",
                Cell::text(format!("version {}", quote.schedule_version)),
            )
            .with("Release", Cell::link(release, quote.release.to_string()))
            .with("Fuel of the quote", Cell::text(quote.fuel.to_string()))
            .with("Attempt", Cell::text(standing.attempt.to_string())),
        timeline: timeline(&order, t),
        money,
    })
}

/// The payment with its splits, and each refund with what it took back of them.
fn stories(payment: &Payment, refunds: &[Refund]) -> Vec<MoneyStory> {
    let t = Text::of(Locale::En);
    let money = |minor| Figure::money(Money::new(minor, payment.amount.currency));
    let empty = || Empty::new("No split", "Nothing was split.");
    let columns = ["What", "Receiver", ">Amount"];
    let mut splits = Table::new("Splits", &columns, empty());
    for split in &payment.splits {
        splits.push(vec![
            Cell::text(split.purpose.as_ref()),
            Cell::text(wording::party(split.receiver, payment.institution)),
            Cell::Figure(Figure::money(split.amount)),
        ]);
    }
    for delivery in &payment.deliveries {
        if let Asset::Units(_) = delivery.amount.asset {
            splits.push(vec![
                Cell::text("units"),
                Cell::text(wording::units_move(delivery.from, delivery.to)),
                Cell::Figure(Figure::amount(delivery.amount, "units")),
            ]);
        }
    }
    let mut stories = vec![MoneyStory {
        title: t.payment.to_owned(),
        id: payment.id.to_string(),
        state: wording::payment_state(payment.state, t),
        amount: Figure::money(payment.amount),
        transfers: splits,
    }];
    for refund in refunds {
        let mut parts = Table::new("Taken back", &columns, empty());
        for (split, part) in payment.splits.iter().zip(&refund.parts) {
            parts.push(vec![
                Cell::text(split.purpose.as_ref()),
                Cell::text(wording::party(split.receiver, payment.institution)),
                Cell::Figure(money(-part)),
            ]);
        }
        stories.push(MoneyStory {
            title: format!("{}: {}", t.refund, refund.reason),
            id: refund.id.to_string(),
            state: Badge::new(Tone::Good, t.payment_posted),
            amount: Figure::money(refund.amount),
            transfers: parts,
        });
    }
    stories
}
