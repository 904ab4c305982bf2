use axum::extract::State;
use axum::response::Response;
use qiao_catalog::{Price, Product};
use qiao_model::{Currency, Money, Rounding};

use crate::App;
use crate::pages::failed::{Failed, page};
use crate::pages::view::user::{Holding, Holdings};
use crate::pages::view::{Empty, Figure, Link};
use crate::pages::visit::Person;

/// `GET /holdings`
pub(super) async fn show(State(app): State<App>, person: Person) -> Result<Response, Failed> {
    let t = person.visit.t();
    let mut totals: Vec<Money> = Vec::new();
    let mut holdings = Vec::new();
    for held in app.payments.holdings(&person.permit, person.user).await? {
        let Some(product) = app.catalog.product(held.product).await? else {
            continue;
        };
        if held.balance.posted == 0 && held.income_minor == 0 {
            continue;
        }
        let price = app.catalog.latest_price(held.product).await?;
        let value = price.and_then(|price| worth(&product, held.balance.posted, price));
        if let Some(value) = value {
            add(&mut totals, value)?;
        }
        let account = app.registry.account_of(product.institution).await?;
        let (href, institution) = account.map_or_else(
            || ("/".to_owned(), String::new()),
            |account| (format!("/a/{}", account.handle), account.name),
        );
        let is_held = held.balance.pending_out > 0;
        holdings.push(Holding {
            product: Link::new(href, &product.name),
            institution,
            value: value.map(Figure::money),
            units: Figure::units(held.balance.available(), t.units),
            held: is_held.then(|| Figure::units(held.balance.pending_out, t.units)),
            income: Figure::units(held.income_minor, t.units),
            price: price.map(|price| {
                let nav = Figure::scaled(price.nav_e4, 4, &product.currency.to_string());
                (nav, price.day.to_string())
            }),
        });
    }
    page(&Holdings {
        shell: person.visit.user_page(t.holdings, "/holdings"),
        totals: totals.into_iter().map(Figure::money).collect(),
        holdings,
        empty: Empty::new(t.no_holdings, t.no_holdings_text).link("/", t.find_account),
    })
}

/// What units are worth at a price, rounded down to the minor unit.
fn worth(product: &Product, units_minor: i64, price: Price) -> Option<Money> {
    // Units are hundredths, a price is ten-thousandths of the main unit.
    let scale = 10_i128.pow(product.currency.exponent());
    let numerator = i128::from(units_minor) * i128::from(price.nav_e4) * scale;
    let minor = Rounding::Down.divide(numerator, 100 * 10_000).ok()?;
    Some(Money::new(minor, product.currency))
}

fn add(totals: &mut Vec<Money>, value: Money) -> Result<(), Failed> {
    let of = |currency: Currency| move |total: &&mut Money| total.currency == currency;
    match totals.iter_mut().find(of(value.currency)) {
        Some(total) => *total = total.plus(value).map_err(Failed::not_found)?,
        None => totals.push(value),
    }
    Ok(())
}
