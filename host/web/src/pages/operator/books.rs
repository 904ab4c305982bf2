use axum::extract::State;
use axum::response::Response;
use qiao_ledger::{AssetTotal, Head};
use qiao_model::{Amount, Asset, Currency, Money};

use crate::App;
use crate::pages::failed::{Failed, page};
use crate::pages::view::operator::Books;
use crate::pages::view::staff::Tiles;
use crate::pages::view::{Badge, Cell, Empty, Figure, Table, Tone};
use crate::pages::visit::Operator;

/// Whether an asset's books are whole: the balances sum to zero, debits equal credits.
pub(super) fn is_whole(total: &AssetTotal) -> bool {
    total.sum_of_balances == 0 && total.debits == total.credits
}

/// `GET /operator/books`
pub(super) async fn show(State(app): State<App>, operator: Operator) -> Result<Response, Failed> {
    let totals = app.payments.books(&operator.permit).await?;
    let earned = app
        .payments
        .platform_revenue(&operator.permit, Currency::CNY)
        .await?;
    let is_all_whole = totals.iter().all(is_whole);
    let (tone, word) = if is_all_whole {
        (Tone::Good, "every sum is zero")
    } else {
        (Tone::Bad, "a sum is not zero")
    };
    let empty = Empty::new(
        "Nothing booked yet",
        "Each currency and product appears here.",
    );
    let columns = [
        "Asset",
        ">Sum of balances",
        ">Debits",
        ">Credits",
        ">Held now",
        ">Accounts",
        ">Transfers",
        "Verdict",
    ];
    let mut table = Table::new("Books per asset", &columns, empty);
    for total in &totals {
        let amount = |minor| {
            let amount = Amount {
                minor,
                asset: total.asset,
            };
            Cell::Figure(Figure::amount(amount, "units"))
        };
        let verdict = if is_whole(total) {
            Badge::new(Tone::Good, "zero")
        } else {
            Badge::new(Tone::Bad, "not zero")
        };
        table.push(vec![
            name(&app, total.asset).await?,
            amount(total.sum_of_balances),
            amount(total.debits),
            amount(total.credits),
            amount(total.pending),
            Cell::Figure(Figure::count(total.accounts)),
            Cell::Figure(Figure::count(total.transfers)),
            Cell::Badge(verdict),
        ]);
    }
    let transfers = totals.iter().map(|total| total.transfers).sum();
    let accounts = totals.iter().map(|total| total.accounts).sum();
    page(&Books {
        verdict: Badge::new(tone, word),
        tiles: Tiles::default()
            .tile(
                "Assets",
                Figure::count(i64::try_from(totals.len()).unwrap_or(i64::MAX)),
            )
            .tile("Accounts", Figure::count(accounts))
            .tile("Transfers", Figure::count(transfers))
            .tile(
                "Fees of the platform",
                Figure::money(Money::cny(earned.posted)),
            ),
        totals: table,
        debts: debts(&app, &operator).await?,
        heads: heads(&app.ledger.heads().await?),
        shell: operator.visit.operator_page(&app, "Books", "/books"),
    })
}

/// What institutions owe since refunds found receivers short.
async fn debts(app: &App, operator: &Operator) -> Result<Table, Failed> {
    let empty = Empty::new(
        "Nobody owes",
        "Refunds that found a receiver short appear here.",
    );
    let columns = ["Institution", ">Owed", ">Opened in all", ">Paid off"];
    let mut table = Table::new("Receivables", &columns, empty);
    for debt in app.payments.receivables(&operator.permit, None).await? {
        let found = app.registry.institution(debt.institution).await?;
        let money = |amount| Cell::Figure(Figure::money(amount));
        table.push(vec![
            found.map_or_else(
                || Cell::code(debt.institution),
                |found| Cell::Two(found.name.clone(), debt.institution.to_string()),
            ),
            money(debt.owed),
            money(debt.opened),
            money(debt.recovered),
        ]);
    }
    Ok(table)
}

/// The last entry of every chain, as `qiao admin audit --expect` takes it.
fn heads(heads: &[Head]) -> Table {
    let empty = Empty::new("No journal", "It begins with the first batch.");
    let mut table = Table::new(
        "Heads of the journal",
        &["Chain", ">Entries", "Head"],
        empty,
    );
    for head in heads {
        table.push(vec![
            Cell::text(head.chain.to_string()),
            Cell::Figure(Figure::count(head.seq)),
            Cell::code(head),
        ]);
    }
    table
}

async fn name(app: &App, asset: Asset) -> Result<Cell, Failed> {
    let product = match asset {
        Asset::Currency(currency) => return Ok(Cell::text(currency.to_string())),
        Asset::Units(product) => product,
    };
    let found = app.catalog.product(product).await?;
    Ok(found.map_or_else(
        || Cell::code(product),
        |found| Cell::Two(found.name.clone(), product.to_string()),
    ))
}
