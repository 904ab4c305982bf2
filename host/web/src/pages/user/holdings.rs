use axum::extract::State;
use axum::response::Response;
use qiao_model::{Currency, Money};

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
    for held in app.orders.holdings(&person.permit).await? {
        if let Some(worth) = held.worth {
            add(&mut totals, worth)?;
        }
        let product = &held.product;
        let account = app.registry.account_of(product.institution).await?;
        let (href, institution) = account.map_or_else(
            || ("/".to_owned(), String::new()),
            |account| (format!("/a/{}", account.handle), account.name),
        );
        let is_held = held.held_minor > 0;
        holdings.push(Holding {
            product: Link::new(href, &product.name),
            institution,
            value: held.worth.map(Figure::money),
            units: Figure::units(held.available_minor, t.units),
            held: is_held.then(|| Figure::units(held.held_minor, t.units)),
            income: Figure::units(held.income_minor, t.units),
            price: held.price.map(|price| {
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

fn add(totals: &mut Vec<Money>, value: Money) -> Result<(), Failed> {
    let of = |currency: Currency| move |total: &&mut Money| total.currency == currency;
    match totals.iter_mut().find(of(value.currency)) {
        Some(total) => *total = total.plus(value).map_err(Failed::not_found)?,
        None => totals.push(value),
    }
    Ok(())
}
