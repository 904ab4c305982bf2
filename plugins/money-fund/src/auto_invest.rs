//! The service `auto-invest`: a plan, the mandate that pays for it, and the daily job
//! that buys.
//!
//! A plan is bought once for a day: the key of its charge is made of mandate and day,
//! so that a job that runs twice orders once. A day on which the host was down is not
//! made up for.

use qiao_sdk::messages;
use qiao_sdk::payments::{self, MandateRefusal, PaymentsError};
use qiao_sdk::storage;
use qiao_sdk::{
    Date, EventError, Form, Input, JobError, MandateChanged, MandateOffer, MandateState, Money,
    Offer, Page, PageError, Submission, Visit, log,
};

use crate::fund::{self, AUTO_MINOR_MAX, PURCHASE_MINOR_MIN};
use crate::plan::{Enrolled, Every, Plan};

/// Where the plans are, by mandate.
const PLANS: &str = "auto/";
/// How far a day's run came: the day, and the last plan that is done.
const CURSOR: &str = "auto-cursor";
/// Pages of a hundred plans of one run of the job; the host runs it again for the rest.
const PAGES_PER_RUN_MAX: usize = 4;
/// How long a mandate lasts.
const MANDATE_DAYS: i64 = 365;
const MS_PER_DAY: u64 = 86_400_000;
/// Asia/Shanghai is eight hours ahead.
const SHANGHAI_MS: u64 = 8 * 3_600_000;

pub(crate) fn page(visit: &Visit) -> Page {
    let amount = |visit: &Visit| {
        Input::amount("amount", visit.say("Amount in CNY", "每次金额(元)"))
            .placeholder(Money::cny(20_000).decimal())
    };
    let button = visit.say("Set up", "设置定投");
    let weekday = Input::text("day", visit.say("Day, 1 (Monday) to 7", "星期几,1 至 7"));
    let of_month = Input::text("day", visit.say("Day, 1 to 28", "每月几号,1 至 28"));
    Page::new(visit.say("Auto-invest", "定投"))
        .text(visit.say(
            "The fund buys units for you, from your balance, at 09:30. You allow it once and can revoke it at any time.",
            "每到约定日 09:30,自动用余额买入。授权一次即可,随时可撤销。",
        ))
        .heading(visit.say("Every day", "每天"))
        .form(Form::new("auto-daily", button).input(amount(visit)))
        .heading(visit.say("Every week", "每周"))
        .form(Form::new("auto-weekly", button).input(amount(visit)).input(weekday.value("1")))
        .heading(visit.say("Every month", "每月"))
        .form(Form::new("auto-monthly", button).input(amount(visit)).input(of_month.value("1")))
}

/// Offers the mandate of a plan.
pub(crate) fn plan(submission: &Submission) -> Result<MandateOffer, PageError> {
    let amount = submission.amount("amount", "CNY")?;
    if !(PURCHASE_MINOR_MIN..=AUTO_MINOR_MAX).contains(&amount.minor) {
        return Err(submission.problem(
            "amount",
            "Invest 1.00 to 50,000.00 CNY at a time.",
            "每次定投 1.00 至 50,000.00 元。",
        ));
    }
    let every = every(submission)?;
    let visit = &submission.visit;
    let until = visit.today.plus_days(MANDATE_DAYS);
    let until = until.ok_or_else(|| PageError::Unavailable("no such day".to_owned()))?;
    let plan = Plan {
        minor: amount.minor,
        every,
    };
    let purpose = purpose(visit, &amount, every);
    let title = visit.say("Auto-invest in Steady Money Fund", "稳健货币基金定投");
    let mut offer = MandateOffer::new(fund::CODE, title, purpose, amount.clone(), until)
        .per_day(amount.minor.unsigned_abs())
        .reference(plan.reference());
    if let Some(first) = every.next_after(visit.today) {
        let label = visit.say("First purchase", "首次扣款日");
        offer = offer.fact(label, first.to_string());
    }
    Ok(offer)
}

fn every(submission: &Submission) -> Result<Every, PageError> {
    let day = || submission.text("day").map(|day| day.parse::<u8>().ok());
    match submission.form.as_str() {
        "auto-daily" => Ok(Every::Day),
        "auto-weekly" => day()?.and_then(Every::week).ok_or_else(|| {
            submission.problem("day", "Write a day from 1 to 7.", "请输入 1 至 7。")
        }),
        _ => day()?.and_then(Every::month).ok_or_else(|| {
            submission.problem("day", "Write a day from 1 to 28.", "请输入 1 至 28。")
        }),
    }
}

fn purpose(visit: &Visit, amount: &Money, every: Every) -> String {
    match every {
        Every::Day if visit.is_chinese() => format!("每天买入 {amount}。"),
        Every::Day => format!("Buys units for {amount} every day."),
        Every::Week(day) if visit.is_chinese() => format!("每周第 {day} 天买入 {amount}。"),
        Every::Week(day) => format!("Buys units for {amount} on day {day} of each week."),
        Every::Month(day) if visit.is_chinese() => format!("每月 {day} 号买入 {amount}。"),
        Every::Month(day) => format!("Buys units for {amount} on day {day} of each month."),
    }
}

/// Keeps the plan of a mandate that was given, and forgets that of one that ended.
pub(crate) fn mandate_changed(change: &MandateChanged, at: u64) -> Result<(), EventError> {
    let key = format!("{PLANS}{}", change.mandate);
    let Some(plan) = Plan::of_reference(&change.reference) else {
        return Ok(());
    };
    if change.state != MandateState::Active {
        return Ok(storage::delete(&key)?);
    }
    let days = i64::try_from((at + SHANGHAI_MS) / MS_PER_DAY).unwrap_or(0);
    let since = Date::from_days_since_epoch(days);
    let since = since.ok_or_else(|| EventError::Failed("the event is of no day".to_owned()))?;
    let enrolled = Enrolled {
        user: change.user.clone(),
        since,
        plan,
    };
    Ok(storage::set(&key, enrolled.to_text())?)
}

/// Buys for every plan that is due on a day.
pub(crate) fn run(day: Date) -> Result<(), JobError> {
    let mut after = cursor(day)?;
    for _ in 0..PAGES_PER_RUN_MAX {
        let keys = storage::keys(PLANS, after.as_deref()).map_err(failed)?;
        let Some(last) = keys.last().cloned() else {
            return Ok(());
        };
        for key in &keys {
            buy(key, day)?;
        }
        storage::set(CURSOR, format!("{day} {last}")).map_err(failed)?;
        after = Some(last);
    }
    Err(JobError::Failed(
        "more plans wait for their turn".to_owned(),
    ))
}

/// Where the last run of the same day stopped.
fn cursor(day: Date) -> Result<Option<String>, JobError> {
    let stored = storage::get(CURSOR).map_err(failed)?.unwrap_or_default();
    let stored = String::from_utf8_lossy(&stored).into_owned();
    let of_day = stored.strip_prefix(&format!("{day} "));
    Ok(of_day.map(str::to_owned))
}

/// Buys for one plan, if it is due.
fn buy(key: &str, day: Date) -> Result<(), JobError> {
    let mandate = key.strip_prefix(PLANS).unwrap_or(key);
    let stored = storage::get(key).map_err(failed)?.unwrap_or_default();
    let Some(enrolled) = Enrolled::of_text(&String::from_utf8_lossy(&stored)) else {
        log::warn(&format!("the plan of {mandate} is not readable"));
        return Ok(());
    };
    if !enrolled.is_due(day) {
        return Ok(());
    }
    let amount = Money::cny(enrolled.plan.minor);
    let title = "Auto-invest / 定投";
    let offer = Offer::purchase(fund::CODE, title, amount).reference(enrolled.plan.reference());
    match payments::charge(mandate, offer, format!("{mandate}/{day}")) {
        Ok(_) => Ok(()),
        Err(
            PaymentsError::UnknownMandate(_)
            | PaymentsError::MandateRefused(
                MandateRefusal::Revoked | MandateRefusal::Expired | MandateRefusal::UsedUp,
            ),
        ) => storage::delete(key).map_err(failed),
        Err(PaymentsError::InsufficientFunds) => {
            tell(&enrolled.user, "your balance is too small / 余额不足");
            Ok(())
        }
        Err(error @ (PaymentsError::MandateRefused(_) | PaymentsError::NotOrderable(_))) => {
            log::warn(&format!("nothing was bought by {mandate}: {error}"));
            tell(&enrolled.user, "it was not allowed / 未获授权或超出限额");
            Ok(())
        }
        Err(error) => Err(failed(error)),
    }
}

/// Says that nothing was bought. The user can do without the message.
fn tell(user: &str, cause: &str) {
    let text = format!("Today's auto-invest did not take place: {cause}. / 今日定投未成功。");
    if let Err(error) = messages::send(user, &text) {
        log::info(&format!("no message to {user}: {error}"));
    }
}

fn failed(error: impl std::error::Error) -> JobError {
    JobError::Failed(error.to_string())
}
