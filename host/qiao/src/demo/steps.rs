//! The acts of the scenario, each through pages and the public API.

use std::time::Duration;

use anyhow::{bail, ensure};

use super::bank_steps;
use super::person::{Page, Person};
use super::scenario::{Cast, Scenario};
use super::stage::{PIN, Played, Profile};

/// How often and for how long the scenario looks for what the worker does.
const LOOK: Duration = Duration::from_millis(100);
const LOOK_TIMES: u32 = 200;

/// The plate that the demo looks up; the biller knows its fines.
pub(super) const PLATE: &str = "京A12345";

/// The fund company.
pub(super) const FUND: Profile = Profile {
    login: "fund",
    name: "Steady Fund Management",
    kind: "fund",
    handle: "steady-fund",
    summary: "A money-market fund from 1.00 CNY.",
};

/// The traffic authority.
pub(super) const AUTHORITY: Profile = Profile {
    login: "authority",
    name: "City Traffic Authority",
    kind: "biller",
    handle: "traffic",
    summary: "Look up and pay traffic fines.",
};

pub(super) async fn buy(cast: &Cast) -> Played<()> {
    let handle = cast.fund.handle;
    cast.person
        .fill(&format!("/a/{handle}"), "follow", &[])
        .await?;
    let service = cast.person.open(&format!("/a/{handle}/invest")).await?;
    let form = service.form_with("form", "buy")?;
    let checkout = cast
        .person
        .send(&service, &form, &[("f_amount", "1000.00")])
        .await?;
    checkout.says(&["1,000.00"])?;
    let order = confirm(&cast.person, &checkout).await?;
    let order = settled(&cast.person, &order, "Completed").await?;
    let holdings = cast.person.open("/holdings").await?;
    holdings.says(&["999.00"])?;
    Ok((
        (),
        format!("{}; 999.00 units after a fee of 1.00", order.id("ord_")?),
    ))
}

/// Confirms a checkout with the PIN; gives the order's page.
async fn confirm(person: &Person, checkout: &Page) -> anyhow::Result<Page> {
    let order = person.send(checkout, "confirm", &[("pin", PIN)]).await?;
    ensure!(
        order.path.starts_with("/orders/"),
        "the checkout did not lead to an order: {}",
        order.text()
    );
    Ok(order)
}

/// Looks at an order until it is in this state.
async fn settled(person: &Person, order: &Page, state: &str) -> anyhow::Result<Page> {
    for _ in 0..LOOK_TIMES {
        let page = person.open(&order.path).await?;
        if page.says(&[state]).is_ok() {
            return Ok(page);
        }
        tokio::time::sleep(LOOK).await;
    }
    bail!(
        "{} is not {state}: {}",
        order.path,
        person.open(&order.path).await?.text()
    )
}

/// Units bought today earn from tomorrow on, and the fund publishes at 16:00.
pub(super) async fn a_day_passes(scenario: &Scenario<'_>, cast: &Cast) -> Played<()> {
    let clock = &scenario.host.app.env;
    let hours = 24 + 17 - clock.now().minute_of_day() / 60;
    let hours = hours.to_string();
    cast.operator
        .fill("/operator/clock", "clock", &[("hours", &hours)])
        .await?;
    for _ in 0..LOOK_TIMES {
        let holdings = cast.person.open("/holdings").await?;
        if holdings.says(&["999.00 units"]).is_err() {
            let line = format!("it is {}: {}", clock.now().local(), holdings.text());
            return Ok(((), line));
        }
        tokio::time::sleep(LOOK).await;
    }
    let holdings = cast.person.open("/holdings").await?;
    bail!("no income by {}: {}", clock.now().local(), holdings.text())
}

pub(super) async fn redeem(cast: &Cast) -> Played<()> {
    let service = cast
        .person
        .open(&format!("/a/{}/invest", cast.fund.handle))
        .await?;
    let form = service.form_with("form", "redeem")?;
    let checkout = cast
        .person
        .send(&service, &form, &[("f_units", "200.00")])
        .await?;
    checkout.says(&["The money arrives today"])?;
    let order = confirm(&cast.person, &checkout).await?;
    let order = settled(&cast.person, &order, "Completed").await?;
    order.says(&["Arrives"])?;
    cast.person.open("/wallet").await?.says(&["2,200.00"])?;
    Ok((
        (),
        format!("{}; 200.00 CNY are back in the wallet", order.id("ord_")?),
    ))
}

/// Looks the plate up and begins to pay its first open fine.
async fn choose_fine(cast: &Cast) -> anyhow::Result<(Page, String)> {
    let path = format!("/a/{}/fines", cast.authority.handle);
    let service = cast.person.open(&path).await?;
    let form = service.form_with("form", "look-up")?;
    let fines = cast
        .person
        .send(&service, &form, &[("f_plate", PLATE)])
        .await?;
    let form = fines.form_with("form", "pay")?;
    let checkout = cast.person.send(&fines, &form, &[]).await?;
    let text = checkout.text();
    Ok((checkout, text))
}

pub(super) async fn pay_fine(cast: &Cast) -> Played<()> {
    let (checkout, _) = choose_fine(cast).await?;
    let before = balance(&cast.person.open("/wallet").await?);
    let order = bank_steps::confirm(&cast.person, &checkout).await?;
    let order = settled(&cast.person, &order, "Completed").await?;
    order.says(&["TA-"])?;
    let after = balance(&cast.person.open("/wallet").await?);
    ensure!(before == after, "the wallet had {before} and has {after}");
    let text = order.text();
    let receipt = text.split_whitespace().find(|word| word.starts_with("TA-"));
    Ok((
        (),
        format!(
            "{}, receipt {}",
            order.id("ord_")?,
            receipt.unwrap_or_default()
        ),
    ))
}

pub(super) async fn fail_fine(scenario: &Scenario<'_>, cast: &Cast) -> Played<()> {
    let mode = |mode: &'static str| async move {
        let url = format!("{}/mode", scenario.options.biller_url);
        let body = serde_json::json!({ "mode": mode });
        let answer = reqwest::Client::new().post(url).json(&body).send().await?;
        anyhow::Ok(answer.error_for_status()?)
    };
    let before = balance(&cast.person.open("/wallet").await?);
    mode("fail").await?;
    let (checkout, _) = choose_fine(cast).await?;
    let order = confirm(&cast.person, &checkout).await?;
    let order = settled(&cast.person, &order, "Refunded").await;
    mode("ok").await?;
    let order = order?;
    let after = balance(&cast.person.open("/wallet").await?);
    ensure!(before == after, "the wallet had {before} and has {after}");
    Ok((
        (),
        format!(
            "{}; payment and refund are both in the books",
            order.id("ord_")?
        ),
    ))
}

/// The first amount on the wallet's page.
fn balance(wallet: &Page) -> String {
    let text = wallet.text();
    let amount = text
        .split_whitespace()
        .find(|word| word.contains('.') && word.chars().any(|c| c.is_ascii_digit()));
    amount.unwrap_or_default().to_owned()
}

pub(super) async fn institutions_look(cast: &Cast) -> Played<()> {
    for institution in [&cast.fund, &cast.authority] {
        let room = format!("/console/{}", institution.id);
        let staff = &institution.staff;
        staff
            .open(&format!("{room}/orders"))
            .await?
            .says(&["Completed"])?;
        staff
            .open(&format!("{room}/revenue"))
            .await?
            .says(&["CNY"])?;
        recorded(staff, &format!("{room}/invocations"), "fulfil").await?;
    }
    Ok(((), "each its own".to_owned()))
}

/// Looks until a call of the plugin is in its records, which are written behind it.
async fn recorded(staff: &Person, path: &str, function: &str) -> anyhow::Result<()> {
    for _ in 0..LOOK_TIMES {
        if staff.open(path).await?.says(&[function]).is_ok() {
            return Ok(());
        }
        tokio::time::sleep(LOOK).await;
    }
    staff.open(path).await?.says(&[function])
}

pub(super) async fn operator_looks(cast: &Cast) -> Played<()> {
    cast.operator
        .open("/operator/books")
        .await?
        .says(&["CNY", "0.00"])?;
    Ok(((), "sum zero".to_owned()))
}
