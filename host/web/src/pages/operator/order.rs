use axum::extract::{Path, Query, State};
use axum::response::Response;
use qiao_model::OrderId;
use qiao_orders::{Order, OrderPage, UnpaidDay};
use serde::Deserialize;

pub(super) use crate::pages::console::order::ORDERS_PER_PAGE;

use crate::App;
use crate::pages::console::order::paging;
use crate::pages::failed::{Failed, page, see, sentence_of};
use crate::pages::sent::Sent;
use crate::pages::text::Text;
use crate::pages::user::Nothing;
use crate::pages::view::staff::{List, Section};
use crate::pages::view::{Cell, Empty, Figure, Form, Locale, Table, Tone, When};
use crate::pages::visit::{Operator, Visit};
use crate::pages::wording;

#[derive(Default, Deserialize)]
pub(super) struct OrdersQuery {
    before: Option<String>,
}

/// `GET /operator/orders`: those whose end nobody knows, those that their institution
/// cannot pay yet, and the accrued fees that are due.
pub(super) async fn list(
    State(app): State<App>,
    operator: Operator,
    Query(query): Query<OrdersQuery>,
) -> Result<Response, Failed> {
    let before = query.before.as_deref().map(str::parse::<OrderId>);
    let before = before.transpose().map_err(Failed::not_found)?;
    let wanted = OrderPage {
        before,
        limit: ORDERS_PER_PAGE,
    };
    let orders = app.orders.stuck(&operator.permit, wanted).await?;
    let table = table(&operator.visit, &orders);
    let table = table.paging(paging("/operator/orders", before.is_some(), &orders));
    let lead = "The plugin was asked how they ended as often as the host asks by itself, and did not say: “Go on now” asks again. Or the day of a redemption has come and its institution has too little, which is tried again. What was held stays held meanwhile.";
    let shell = operator
        .visit
        .operator_page(&app, "Orders that wait", "/orders");
    let mut list = List::new(shell, lead, table);
    list.sections.push(Section {
        title: "Accrued fees that are due".to_owned(),
        table: unpaid_table(&app.orders.unpaid_days(&operator.permit).await?),
    });
    page(&list)
}

fn unpaid_table(unpaid: &[UnpaidDay]) -> Table {
    let empty = Empty::new(
        "No fee is due",
        "Days that a fund's settlement account cannot pay appear here until it can.",
    );
    let columns = ["Day", "Fund", "Institution", ">Days"];
    let mut table = Table::new("Accrued fees that are due", &columns, empty);
    for day in unpaid {
        table.push(vec![
            Cell::text(day.day.to_string()),
            Cell::Two(day.name.clone(), day.product.to_string()),
            Cell::code(day.institution),
            Cell::Figure(Figure::count(i64::from(day.days))),
        ]);
    }
    table
}

fn table(visit: &Visit, orders: &[Order]) -> Table {
    let empty = Empty::new(
        "No order waits",
        "Orders whose plugin gave no answer however often it was asked, and redemptions that cannot be paid yet, appear here.",
    );
    let columns = [
        "Order",
        "State",
        "What happened",
        "Asks again",
        ">Attempt",
        ">In all",
        "",
    ];
    let mut table = Table::new("Orders that wait", &columns, empty);
    let t = Text::of(Locale::En);
    for (index, order) in orders.iter().enumerate() {
        let standing = &order.standing;
        let next = standing
            .next_at
            .map_or_else(|| Cell::text("–"), |at| Cell::When(When(at)));
        let action = format!("/operator/orders/{}/ask-again", order.id);
        let again = Form::new(
            &format!("ask-again-{index}"),
            action,
            visit.csrf(),
            "Go on now",
        );
        table.push(vec![
            Cell::Two(order.quote.title.clone(), order.id.to_string()),
            Cell::Badge(wording::order_state(standing.state, t).0),
            Cell::text(
                standing
                    .problem
                    .as_deref()
                    .map_or_else(String::new, sentence_of),
            ),
            next,
            Cell::Figure(Figure::count(i64::from(standing.attempt))),
            Cell::Figure(Figure::money(order.quote.amount)),
            Cell::Forms(vec![again.tone(Tone::Info).compact()]),
        ]);
    }
    table
}

/// `POST /operator/orders/{order}/ask-again`
pub(super) async fn ask_again(
    State(app): State<App>,
    operator: Operator,
    Path(id): Path<String>,
    Sent(Nothing {}): Sent<Nothing>,
) -> Result<Response, Failed> {
    let id: OrderId = id.parse().map_err(Failed::not_found)?;
    if app.orders.ask_again(&operator.permit, id).await? {
        see("/operator/orders?note=asked-again")
    } else {
        Err(Failed::not_found(format_args!("order {id} is not stuck")))
    }
}
