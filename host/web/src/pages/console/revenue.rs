use axum::extract::{Query, State};
use axum::response::Response;
use qiao_model::{Currency, Money, TransferId};
use qiao_payments::{StatementLine, StatementOf};
use serde::Deserialize;

use super::institution::balances;
use crate::App;
use crate::pages::failed::{Failed, page};
use crate::pages::view::console::{AccountEntries, Revenue};
use crate::pages::view::{Cell, Empty, Figure, Link, Paging, Table, When};
use crate::pages::visit::Staff;

const ENTRIES_PER_PAGE: usize = 25;

#[derive(Default, Deserialize)]
pub(super) struct RevenueQuery {
    settlement: Option<String>,
    revenue: Option<String>,
}

/// `GET /console/{institution}/revenue`
pub(super) async fn show(
    State(app): State<App>,
    staff: Staff,
    Query(query): Query<RevenueQuery>,
) -> Result<Response, Failed> {
    let id = staff.institution;
    let summaries = app.payments.institution_summary(&staff.permit, id).await?;
    let mut currencies: Vec<Currency> = summaries.iter().map(|s| s.currency).collect();
    if currencies.is_empty() {
        currencies.push(Currency::CNY);
    }
    let mut accounts = Vec::new();
    for currency in currencies {
        let of = [
            (
                "Fees",
                "revenue",
                StatementOf::Revenue(id, currency),
                &query.revenue,
            ),
            (
                "Settlement",
                "settlement",
                StatementOf::Settlement(id, currency),
                &query.settlement,
            ),
        ];
        for (title, name, of, from) in of {
            let from = from.as_deref().map(str::parse::<TransferId>);
            let from = from.transpose().map_err(Failed::not_found)?;
            let found = app
                .payments
                .statement(&staff.permit, of, from, ENTRIES_PER_PAGE)
                .await?;
            let here = staff.path("/revenue");
            let older = found.next.map(|next| format!("{here}?{name}={next}"));
            let summary = summaries
                .iter()
                .find(|summary| summary.currency == currency);
            let balance = summary.map_or(0, |summary| match of {
                StatementOf::Revenue(..) => summary.revenue.posted,
                _ => summary.settlement.posted,
            });
            let entries = entries(&staff, title, currency, &found.lines).paging(Paging {
                newest: from.map(|_| Link::new(here, "Newest")),
                older: older.map(|href| Link::new(href, "Older")),
            });
            accounts.push(AccountEntries {
                title: format!("{title}, {currency}"),
                balance: Figure::money(Money::new(balance, currency)),
                entries,
            });
        }
    }
    page(&Revenue {
        shell: staff.visit.console_page("Revenue", Some(id), "/revenue"),
        tiles: balances(&summaries, &staff.path("/revenue")),
        accounts,
    })
}

fn entries(staff: &Staff, title: &str, currency: Currency, lines: &[StatementLine]) -> Table {
    let empty = Empty::new("Nothing booked yet", "Splits of paid orders appear here.");
    let columns = ["When", "What", "Order", ">Amount", ">Balance"];
    let mut table = Table::new(title, &columns, empty);
    // A hold moves nothing yet; it is booked when it is posted.
    for line in lines.iter().filter(|line| line.change != 0) {
        let order = line.payment.as_ref().and_then(|payment| payment.order);
        let order = order.map_or_else(
            || Cell::text("–"),
            |order| {
                Cell::link(
                    staff.path(format_args!("/orders/{order}")),
                    order.to_string(),
                )
            },
        );
        let money = |minor| Figure::money(Money::new(minor, currency));
        table.push(vec![
            Cell::When(When(line.transfer.at)),
            Cell::text(line.transfer.purpose.replace('/', ": ")),
            order,
            Cell::Figure(money(line.change).signed()),
            Cell::Figure(money(line.balance)),
        ]);
    }
    table
}
