//! The service `invest`: the figures of the day, and the forms that lead to an offer.

use qiao_sdk::users::{self, UserHolding, UsersError};
use qiao_sdk::{
    Form, Input, Metric, Money, Offer, Page, PageError, Submission, Tone, Units, Visit, catalog,
    log,
};

use crate::fund::{
    self, PURCHASE_MINOR_MAX, PURCHASE_MINOR_MIN, REDEEM_UNITS_MINOR_MAX, REDEEM_UNITS_MINOR_MIN,
};
use crate::pages::{e4, yield_percent};

pub(crate) fn page(visit: &Visit) -> Result<Page, PageError> {
    let price = catalog::latest_price(fund::CODE).map_err(|error| unavailable(visit, &error))?;
    let holding = holding(visit)?;
    let none = || "—".to_owned();
    let income = price
        .and_then(|price| price.income_per_10k_e4)
        .map_or_else(none, e4);
    let seven_day = price
        .and_then(|price| price.yield_7d_ppm)
        .map_or_else(none, yield_percent);
    let mut nav = Metric::new(
        visit.say("NAV", "单位净值"),
        e4(fund::nav_e4(price.as_ref())),
    );
    if let Some(price) = price {
        nav = nav.note(price.day.to_string());
    }
    let mut page = Page::new(visit.say("Steady Money Fund", "稳健货币基金")).metrics([
        Metric::new(visit.say("Seven-day yield", "七日年化"), seven_day),
        Metric::new(visit.say("Income per 10,000", "万份收益"), income),
        nav,
    ]);
    if price.is_none() {
        let text = visit.say(
            "The first yield is published at 16:00.",
            "首个收益将于 16:00 公布。",
        );
        page = page.notice(Tone::Info, text);
    }
    page = page
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
            Metric::new(
                visit.say("Income so far", "累计收益"),
                Units(holding.income_minor).to_string(),
            ),
        ])
        .heading(visit.say("Buy", "买入"))
        .form(buy_form(visit));
    if holding.available_minor > 0 {
        page = page
            .heading(visit.say("Redeem", "赎回"))
            .form(redeem_form(visit));
    }
    Ok(page)
}

pub(crate) fn buy(submission: &Submission) -> Result<Offer, PageError> {
    let amount = submission.amount("amount", "CNY")?;
    if amount.minor < PURCHASE_MINOR_MIN {
        let refusal =
            submission.problem("amount", "Buy for 1.00 CNY or more.", "最低买入 1.00 元。");
        return Err(refusal);
    }
    if amount.minor > PURCHASE_MINOR_MAX {
        return Err(submission.problem(
            "amount",
            "Buy for at most 1,000,000.00 CNY at a time.",
            "单笔最高买入 1,000,000.00 元。",
        ));
    }
    let visit = &submission.visit;
    let title = visit.say("Buy Steady Money Fund", "买入稳健货币基金");
    Ok(Offer::purchase(fund::CODE, title, amount).fact(
        visit.say("Confirmation", "确认"),
        visit.say("at once, at the newest NAV", "实时确认,按最新净值"),
    ))
}

pub(crate) fn redeem(submission: &Submission) -> Result<Offer, PageError> {
    let visit = &submission.visit;
    let units = submission.units("units")?;
    if units.0 < REDEEM_UNITS_MINOR_MIN {
        return Err(submission.problem(
            "units",
            "Redeem 0.01 units or more.",
            "最低赎回 0.01 份。",
        ));
    }
    if units.0 > REDEEM_UNITS_MINOR_MAX {
        return Err(submission.problem(
            "units",
            "Redeem at most 1,000,000.00 units at a time.",
            "单笔最高赎回 1,000,000.00 份。",
        ));
    }
    let available = Units(holding(visit)?.available_minor);
    if units > available {
        let english = format!("You can redeem {available} units.");
        let chinese = format!("可赎回份额为 {available} 份。");
        return Err(submission.problem("units", &english, &chinese));
    }
    let title = visit.say("Redeem Steady Money Fund", "赎回稳健货币基金");
    // When the money arrives is the host's to say: it counts the daily limit.
    Ok(Offer::redeem(fund::CODE, title, units))
}

fn buy_form(visit: &Visit) -> Form {
    let amount = Input::amount("amount", visit.say("Amount in CNY", "买入金额(元)"))
        .placeholder(Money::cny(100_000).decimal());
    Form::new("buy", visit.say("Buy", "买入")).input(amount)
}

fn redeem_form(visit: &Visit) -> Form {
    let units = Input::units("units", visit.say("Units", "赎回份额")).placeholder("200.00");
    Form::new("redeem", visit.say("Redeem", "赎回")).input(units)
}

fn holding(visit: &Visit) -> Result<UserHolding, PageError> {
    users::holding(&visit.user, fund::CODE).map_err(|error: UsersError| unavailable(visit, &error))
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
