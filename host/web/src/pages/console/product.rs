use axum::extract::{Path, State};
use axum::response::Response;
use qiao_catalog::{
    AgeTier, Capture, Charge, FeeForm, FeeLine, FeeSchedule, Payer, Price, Product, Redemption,
    Share, Tier,
};
use qiao_model::{Currency, Money, ProductId, Rate, Rounding};
use qiao_orders::AccruedDay;

use crate::App;
use crate::pages::failed::{Failed, page};
use crate::pages::view::console::{Product as ProductView, Schedule};
use crate::pages::view::staff::{List, yes_no};
use crate::pages::view::{Badge, Cell, Empty, Facts, Figure, Table, Tone};
use crate::pages::visit::Staff;

const PRICES_SHOWN: usize = 30;
const ACCRUED_SHOWN: u32 = 30;

/// `GET /console/{institution}/products`
pub(super) async fn list(State(app): State<App>, staff: Staff) -> Result<Response, Failed> {
    let empty = Empty::new(
        "No product yet",
        "A plugin registers its products and fees when a release of it is activated.",
    );
    let columns = [
        "Product",
        "Code",
        "Currency",
        "In units",
        "Money is captured",
    ];
    let mut table = Table::new("Products", &columns, empty);
    for product in app
        .catalog
        .products_of_institution(staff.institution)
        .await?
    {
        table.push(vec![
            Cell::link(
                staff.path(format_args!("/products/{}", product.id)),
                &product.name,
            ),
            Cell::code(&product.code),
            Cell::text(product.currency.to_string()),
            yes_no(product.in_units),
            Cell::text(capture(product.capture)),
        ]);
    }
    let shell = staff
        .visit
        .console_page("Products", Some(staff.institution), "/products");
    page(&List::new(
        shell,
        "What your plugins sell, with the fees they registered.",
        table,
    ))
}

fn redemption(redemption: Redemption) -> &'static str {
    match redemption {
        Redemption::Ordinary => "when the order is fulfilled",
        Redemption::Instant => "at once up to the daily limit, the rest on the next business day",
    }
}

fn capture(capture: Capture) -> &'static str {
    match capture {
        Capture::OnFulfilment => "when the plugin has fulfilled the order",
        Capture::BeforeFulfilment => "before the plugin fulfils the order",
    }
}

/// `GET /console/{institution}/products/{product}`
pub(super) async fn show(
    State(app): State<App>,
    staff: Staff,
    Path((_, id)): Path<(String, String)>,
) -> Result<Response, Failed> {
    let id: ProductId = id.parse().map_err(Failed::not_found)?;
    let found = app.catalog.product(id).await?;
    let product = found.filter(|product| product.institution == staff.institution);
    let product =
        product.ok_or_else(|| Failed::not_found(format_args!("there is no product {id}")))?;
    let mut schedules = app.catalog.schedules(id).await?;
    schedules.sort_by_key(|schedule| std::cmp::Reverse(schedule.version));
    let in_force = app.catalog.schedule(id, app.env.today()).await;
    let in_force = in_force.ok().map(|schedule| schedule.version);
    let prices = app.catalog.prices(id, PRICES_SHOWN).await?;
    let accrues = schedules
        .iter()
        .any(|schedule| !schedule.accrued.is_empty());
    let accrued = app
        .orders
        .accrued_days(&staff.permit, id, ACCRUED_SHOWN)
        .await?;
    let shell = staff
        .visit
        .console_page(&product.name, Some(staff.institution), "/products");
    page(&ProductView {
        shell: shell.back(staff.path("/products"), "Products"),
        name: product.name.clone(),
        summary: product.summary.clone(),
        facts: Facts::new()
            .with("Product", Cell::code(product.id))
            .with("Code", Cell::code(&product.code))
            .with("Currency", Cell::text(product.currency.to_string()))
            .with("Held in units", yes_no(product.in_units))
            .with("Money is captured", Cell::text(capture(product.capture)))
            .with("Redeemed", Cell::text(redemption(product.redemption))),
        schedules: schedules
            .iter()
            .map(|schedule| schedule_view(schedule, in_force, product.currency, app.env.today()))
            .collect(),
        prices: price_table(&product, &prices),
        accrued: accrues.then(|| accrued_table(&product, &accrued)),
    })
}

fn schedule_view(
    schedule: &FeeSchedule,
    in_force: Option<u32>,
    currency: Currency,
    today: qiao_model::Day,
) -> Schedule {
    let state = if in_force == Some(schedule.version) {
        Badge::new(Tone::Good, "in force")
    } else if schedule.effective_from > today {
        Badge::new(Tone::Info, "planned")
    } else {
        Badge::new(Tone::Plain, "past")
    };
    let columns = ["Fee", "Order", "Who pays", "How much", "Rounding", "Shares"];
    let empty = Empty::new("No fee", "Orders of it are free of fees.");
    let mut lines = Table::new("Fee lines", &columns, empty);
    for line in &schedule.lines {
        lines.push(vec![
            Cell::Two(line.name.clone(), line.code.clone()),
            Cell::text(line.applies_to.name()),
            Cell::text(payer(line.payer)),
            how_much(line, currency),
            Cell::text(rounding(line.rounding)),
            Cell::text(shares(&line.shares)),
        ]);
    }
    for fee in &schedule.accrued {
        lines.push(vec![
            Cell::Two(fee.name.clone(), fee.code.clone()),
            Cell::text("none: every day"),
            Cell::text(payer(Payer::Institution)),
            Cell::text(format!("{} a year of the net asset value", fee.rate)),
            Cell::text("fractions are carried"),
            Cell::text(shares(&fee.shares)),
        ]);
    }
    Schedule {
        version: schedule.version,
        state,
        from: format!(
            "From {} on. Orders keep the version that they were quoted on.",
            schedule.effective_from
        ),
        lines,
    }
}

fn payer(payer: Payer) -> &'static str {
    match payer {
        Payer::User => "the user, on top",
        Payer::UserInside => "the user, out of the amount",
        Payer::Institution => "the institution",
    }
}

fn rounding(rounding: Rounding) -> &'static str {
    match rounding {
        Rounding::HalfUp => "half up",
        Rounding::HalfEven => "half to even",
        Rounding::Down => "down",
        Rounding::Up => "up",
    }
}

fn shares(shares: &[Share]) -> String {
    let shares = (shares.iter()).map(|share| format!("{} {}", share.receiver.name(), share.rate));
    shares.collect::<Vec<_>>().join(", ")
}

fn how_much(line: &FeeLine, currency: Currency) -> Cell {
    let money = |minor| Figure::money(Money::new(minor, currency)).text();
    let mut lines = Vec::new();
    let mut tiers = |how: &str, tiers: &[Tier]| {
        lines.extend(tiers.iter().map(|tier| tier_text(tier, &money)));
        format!("{how}, {} tiers", tiers.len())
    };
    let first = match &line.form {
        FeeForm::Flat(minor) => money(*minor),
        FeeForm::Percent(rate) => rate.to_string(),
        FeeForm::Graduated(of) => tiers("each tier its part", of),
        FeeForm::Slab(of) => tiers("the tier of the whole amount", of),
        FeeForm::BackLoad(of) => {
            lines.extend(of.iter().map(age_text));
            format!("by holding days, {} tiers", of.len())
        }
        FeeForm::ByChannel(of) => {
            let charge = |charge| charge_text(charge, &money);
            lines.extend((of.iter()).map(|of| format!("{}: {}", of.channel, charge(of.charge))));
            "by bank channel".to_owned()
        }
    };
    lines.extend(
        line.minimum
            .map(|minor| format!("at least {}", money(minor))),
    );
    lines.extend(
        line.maximum
            .map(|minor| format!("at most {}", money(minor))),
    );
    lines.extend(line.band.map(|band| {
        let [least, most] = [band.least, band.most].map(|charge| charge_text(charge, &money));
        format!("the plugin may propose {least} to {most}")
    }));
    if line.monotone {
        lines.push("never falls when the amount grows".to_owned());
    }
    Cell::Lines(first, lines)
}

fn age_text(tier: &AgeTier) -> String {
    let below = tier
        .below_days
        .map_or_else(String::new, |below| format!(" to below {below}"));
    format!("from {}{below} days: {}", tier.from_days, tier.rate)
}

fn charge_text(charge: Charge, money: &impl Fn(i64) -> String) -> String {
    match charge {
        Charge::Rate(rate) => rate.to_string(),
        Charge::Flat(minor) => money(minor),
    }
}

fn tier_text(tier: &Tier, money: &impl Fn(i64) -> String) -> String {
    let below = tier
        .below
        .map_or_else(String::new, |below| format!(" to below {}", money(below)));
    let charge = charge_text(tier.charge, money);
    format!("from {}{below}: {charge}", money(tier.from))
}

fn price_table(product: &Product, prices: &[Price]) -> Table {
    let columns = [
        "Day",
        ">Unit price",
        ">Income per 10,000 units",
        ">7-day yield",
    ];
    let empty = Empty::new("No price yet", "The plugin publishes one for each day.");
    let mut table = Table::new("Prices", &columns, empty);
    let unit = product.currency.to_string();
    for price in prices {
        let income = price.income_per_10k_e4;
        let or_dash = |text: Option<String>| Cell::text(text.unwrap_or_else(|| "–".to_owned()));
        table.push(vec![
            Cell::text(price.day.to_string()),
            Cell::Figure(Figure::scaled(price.nav_e4, 4, &unit)),
            or_dash(income.map(|income| Figure::scaled(income, 4, &unit).text())),
            or_dash(
                price
                    .yield_7d_ppm
                    .map(|ppm| Rate::from_ppm(ppm).to_string()),
            ),
        ]);
    }
    table
}

fn accrued_table(product: &Product, accrued: &[AccruedDay]) -> Table {
    let columns = ["Day", ">Days", ">Units", ">Unit price", ">Fees", "Payment"];
    let empty = Empty::new("No day yet", "The next price day is the first.");
    let mut table = Table::new("Accrued fees", &columns, empty);
    let unit = product.currency.to_string();
    for day in accrued {
        table.push(vec![
            Cell::text(day.day.to_string()),
            Cell::Figure(Figure::count(i64::from(day.days))),
            Cell::Figure(Figure::units(day.units_minor, "")),
            Cell::Figure(Figure::scaled(day.nav_e4, 4, &unit)),
            Cell::Figure(Figure::money(Money::new(day.minor, product.currency))),
            day.payment.map_or_else(|| Cell::text("–"), Cell::code),
        ]);
    }
    table
}
