use axum::extract::{Path, Query, State};
use axum::response::Response;
use qiao_model::OrderId;
use qiao_orders::{Order, OrderPage};
use serde::Deserialize;

pub(super) use crate::pages::console::order::ORDERS_PER_PAGE;

use crate::App;
use crate::pages::console::order::paging;
use crate::pages::failed::{Failed, page, see, sentence_of};
use crate::pages::sent::Sent;
use crate::pages::text::Text;
use crate::pages::user::Nothing;
use crate::pages::view::staff::List;
use crate::pages::view::{Cell, Empty, Figure, Form, Locale, Table, Tone, When};
use crate::pages::visit::{Operator, Visit};
use crate::pages::wording;

#[derive(Default, Deserialize)]
pub(super) struct OrdersQuery {
    before: Option<String>,
}

/// `GET /operator/orders`: those whose end nobody knows.
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
    let lead = "The plugin did not say how they ended. The worker keeps asking, with longer and longer pauses; the money is held or captured meanwhile.";
    let shell = operator
        .visit
        .operator_page(&app, "Orders of unknown outcome", "/orders");
    page(&List::new(shell, lead, table))
}

fn table(visit: &Visit, orders: &[Order]) -> Table {
    let empty = Empty::new(
        "No order is stuck",
        "Orders of unknown outcome appear here.",
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
    let mut table = Table::new("Orders of unknown outcome", &columns, empty);
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
            "Ask now",
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
