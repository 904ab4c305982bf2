//! What the scenario does at the bank: link, top up, pay, withdraw.

use anyhow::ensure;

use super::bank::{CUSTOMER, SANDBOX_BANK};
use super::person::{Page, Person};
use super::scenario::Cast;
use super::stage::{PIN, Played};

/// The person goes to the bank's own page, logs in there and allows it.
pub(super) async fn link(cast: &Cast) -> Played<()> {
    let path = format!("/banks/{SANDBOX_BANK}/link");
    let answers = [
        ("customer", CUSTOMER),
        ("password", CUSTOMER),
        ("decision", "allow"),
    ];
    let wallet = cast.person.answer_outside(&path, &answers).await?;
    ensure!(
        wallet.path == "/wallet",
        "the bank did not lead back to the wallet: {}",
        wallet.text()
    );
    let banks = cast.person.open("/banks").await?;
    banks.says(&["Sandbox Bank", "**** 8801"])?;
    Ok(((), format!("{}, **** 8801", banks.id("bnk_")?)))
}

pub(super) async fn top_up(cast: &Cast) -> Played<()> {
    let person = &cast.person;
    let fields = [("amount", "3000.00")];
    let transfer = person.fill("/wallet", "bank-top-up", &fields).await?;
    transfer.says(&["Done"])?;
    person.open("/wallet").await?.says(&["3,000.00"])?;
    Ok(((), format!("{}, 3,000.00 CNY", transfer.id("btr_")?)))
}

/// Chooses the linked account at a checkout, looks at its price and confirms it with
/// the PIN; gives the order's page.
pub(super) async fn confirm(person: &Person, checkout: &Page) -> anyhow::Result<Page> {
    let link = checkout.id("bnk_")?;
    let chosen = format!("{}?method={link}", checkout.path);
    let checkout = person.open(&chosen).await?;
    checkout.says(&["Taken from Sandbox Bank **** 8801"])?;
    let order = person.send(&checkout, "confirm", &[("pin", PIN)]).await?;
    ensure!(
        order.path.starts_with("/orders/"),
        "the checkout did not lead to an order: {}",
        order.text()
    );
    Ok(order)
}

pub(super) async fn withdraw(cast: &Cast) -> Played<()> {
    let person = &cast.person;
    let fields = [("amount", "500.00"), ("pin", PIN)];
    let transfer = person.fill("/wallet", "withdraw", &fields).await?;
    transfer.says(&["Done"])?;
    person.open("/wallet").await?.says(&["1,700.00"])?;
    Ok(((), format!("{}, 500.00 CNY", transfer.id("btr_")?)))
}
