//! The person's half of the scenario by clicks, in headless Chromium without scripts.

use qiao::PASSWORD;
use qiao_tests::sqlite;

use crate::browser::Browser;
use crate::sandbox::Sandbox;

const PIN: &str = "246802";

#[tokio::test(flavor = "multi_thread")]
async fn a_person_buys_redeems_and_pays_by_clicks() {
    let sandbox = Sandbox::open(sqlite().await).await;
    sandbox.scenario().set_up().await.unwrap();
    let mut browser = Browser::open().await;
    let at = |path: &str| format!("{}{path}", sandbox.url);

    browser.go(&at("/")).await;
    browser.shoot("home").await;
    sign_up(&mut browser, &at("/signup")).await;
    browser.go(&at("/pin")).await;
    browser.fill("pin", PIN).await;
    browser.fill("repeat", PIN).await;
    browser.click("#pin button[type='submit']").await;
    browser.go(&at("/wallet")).await;
    browser.fill("amount", "3000.00").await;
    browser.shoot("wallet").await;
    browser.click("#top-up button[type='submit']").await;
    browser.says(&["3,000.00"]).await;

    browser.go(&at("/a/steady-fund")).await;
    browser.click("#follow button[type='submit']").await;
    browser.shoot("public-account").await;
    buy(&mut browser, &at("/a/steady-fund/invest")).await;
    sandbox
        .operator()
        .await
        .fill("/operator/clock", "clock", &[("hours", "48")])
        .await
        .unwrap();
    see_income(&mut browser, &at("/holdings")).await;
    redeem(&mut browser, &at("/a/steady-fund/invest")).await;
    pay_fine(&mut browser, &at("/a/traffic/fines")).await;

    browser.go(&at("/orders")).await;
    browser.says(&["Completed"]).await;
    browser.shoot("orders").await;
    browser.close().await;
    sandbox.close().await;
}

async fn sign_up(browser: &mut Browser, url: &str) {
    browser.go(url).await;
    browser.fill("name", "Jia Baoyu").await;
    browser.fill("login", "baoyu").await;
    browser.fill("password", PASSWORD).await;
    browser.shoot("sign-up").await;
    browser.click("#sign-up button[type='submit']").await;
}

async fn buy(browser: &mut Browser, url: &str) {
    browser.go(url).await;
    browser.fill("f_amount", "1000.00").await;
    browser.shoot("service").await;
    browser
        .click("form:has(input[name='form'][value='buy']) button[type='submit']")
        .await;
    browser.says(&["1,000.00"]).await;
    // A wrong PIN is refused with the tries that are left, and nothing is posted.
    browser.fill("pin", "111222").await;
    browser.click("#confirm button[type='submit']").await;
    browser.says(&["4"]).await;
    browser.shoot("wrong-pin").await;
    confirm(browser, "checkout").await;
    browser.says(&["Completed", "999.00"]).await;
    browser.shoot("order").await;
}

async fn confirm(browser: &mut Browser, shot: &str) {
    browser.fill("pin", PIN).await;
    browser.shoot(shot).await;
    browser.click("#confirm button[type='submit']").await;
}

async fn see_income(browser: &mut Browser, url: &str) {
    for _ in 0..100 {
        browser.go(url).await;
        if !browser.text().await.contains("999.00 units") {
            break;
        }
        tokio::time::sleep(std::time::Duration::from_millis(200)).await;
    }
    browser.says(&["999.0", "Income"]).await;
    browser.shoot("holdings").await;
}

async fn redeem(browser: &mut Browser, url: &str) {
    browser.go(url).await;
    browser.fill("f_units", "200.00").await;
    browser
        .click("form:has(input[name='form'][value='redeem']) button[type='submit']")
        .await;
    confirm(browser, "redeem").await;
    browser.says(&["Completed", "200.00"]).await;
}

async fn pay_fine(browser: &mut Browser, url: &str) {
    browser.go(url).await;
    browser.fill("f_plate", "京A12345").await;
    browser
        .click("form:has(input[name='form'][value='look-up']) button[type='submit']")
        .await;
    browser.shoot("fines").await;
    browser
        .click("form:has(input[name='form'][value='pay']) button[type='submit']")
        .await;
    confirm(browser, "fine-checkout").await;
    browser.says(&["Completed", "TA-"]).await;
    browser.shoot("receipt").await;
}
