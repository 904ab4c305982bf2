//! The service `invest`: the figures of the day, and the forms that lead to an offer.

use qiao_sdk::users::{self, UserHolding};
use qiao_sdk::{
    Form, Input, Metric, Money, Offer, Page, PageError, Submission, Units, Visit, catalog, decimal,
    log,
};

use crate::fund::{self, PURCHASE_MINOR_MAX, PURCHASE_MINOR_MIN, REDEEM_UNITS_MINOR_MAX};

pub(crate) fn page(visit: &Visit) -> Result<Page, PageError> {
    let price = catalog::latest_price(fund::CODE).map_err(|error| unavailable(visit, &error))?;
    let holding = holding(visit)?;
    let mut nav = Metric::new(
        visit.say("NAV", "单位净值"),
        e4(fund::nav_e4(price.as_ref())),
    );
    if let Some(price) = price {
        nav = nav.note(price.day.to_string());
    }
    let page = Page::new(visit.say("Steady Bond Fund", "稳健债券基金"))
        .metrics([nav])
        .heading(visit.say("Your holding", "我的持有"))
        .metrics([
            Metric::new(
                visit.say("Units", "可用份额"),
                Units(holding.available_minor).to_string(),
            ),
            Metric::new(
                visit.say("In open orders", "在途份额"),
                Units(holding.held_minor).to_string(),
            ),
        ])
        .heading(visit.say("Buy", "买入"))
        .form(buy_form(visit));
    if holding.available_minor == 0 {
        return Ok(page);
    }
    Ok(page
        .heading(visit.say("Redeem", "赎回"))
        .text(visit.say(
            "Your oldest units are redeemed first. The checkout shows the fee before you confirm.",
            "赎回按先进先出计算,确认前收银台会显示费用。",
        ))
        .form(redeem_form(visit)))
}

pub(crate) fn buy(submission: &Submission) -> Result<Offer, PageError> {
    let amount = submission.amount("amount", "CNY")?;
    if amount.minor < PURCHASE_MINOR_MIN {
        let (english, chinese) = ("Buy for 10.00 CNY or more.", "最低买入 10.00 元。");
        return Err(submission.problem("amount", english, chinese));
    }
    if amount.minor > PURCHASE_MINOR_MAX {
        return Err(submission.problem(
            "amount",
            "Buy for at most 10,000,000.00 CNY at a time.",
            "单笔最高买入 10,000,000.00 元。",
        ));
    }
    let visit = &submission.visit;
    let title = visit.say("Buy Steady Bond Fund", "买入稳健债券基金");
    Ok(Offer::purchase(fund::CODE, title, amount).fact(
        visit.say("Confirmation", "确认"),
        visit.say("at once, at the newest NAV", "实时确认,按最新净值"),
    ))
}

pub(crate) fn redeem(submission: &Submission) -> Result<Offer, PageError> {
    let visit = &submission.visit;
    let units = submission.units("units")?;
    let available = Units(holding(visit)?.available_minor);
    if units.0 < 1 || units.0 > REDEEM_UNITS_MINOR_MAX || units > available {
        let english = format!("You can redeem 0.01 to {available} units.");
        let chinese = format!("可赎回 0.01 至 {available} 份。");
        return Err(submission.problem("units", &english, &chinese));
    }
    let title = visit.say("Redeem Steady Bond Fund", "赎回稳健债券基金");
    Ok(Offer::redeem(fund::CODE, title, units).fact(
        visit.say("Which units", "赎回份额"),
        visit.say("the oldest first", "先进先出"),
    ))
}

/// Four decimal places: `1.0423`.
fn e4(value: u64) -> String {
    i64::try_from(value).map_or_else(|_| "—".to_owned(), |value| decimal::format(value, 4))
}

fn buy_form(visit: &Visit) -> Form {
    let amount = Input::amount("amount", visit.say("Amount in CNY", "买入金额(元)"))
        .placeholder(Money::cny(1_000_000).decimal());
    Form::new("buy", visit.say("Buy", "买入")).input(amount)
}

fn redeem_form(visit: &Visit) -> Form {
    let units = Input::units("units", visit.say("Units", "赎回份额")).placeholder("1000.00");
    Form::new("redeem", visit.say("Redeem", "赎回")).input(units)
}

fn holding(visit: &Visit) -> Result<UserHolding, PageError> {
    users::holding(&visit.user, fund::CODE).map_err(|error| unavailable(visit, &error))
}

/// The author reads the error, the user a sentence.
fn unavailable(visit: &Visit, error: &dyn std::error::Error) -> PageError {
    log::error(&format!("the page of the fund cannot be made: {error}"));
    let text = visit.say(
        "The fund is not available now. Try again later.",
        "基金暂不可用,请稍后再试。",
    );
    PageError::Unavailable(text.to_owned())
}
