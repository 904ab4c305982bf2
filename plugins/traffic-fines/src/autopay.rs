//! The service `autopay`: a plate, the mandate that pays its fines, and the daily job
//! that looks for new ones.
//!
//! A fine is charged once by a mandate: the key of the charge is made of both, and a
//! mark in storage keeps its message from being sent twice.

use qiao_sdk::messages;
use qiao_sdk::payments::{self, MandateRefusal, PaymentsError};
use qiao_sdk::storage;
use qiao_sdk::{
    Date, EventError, Form, Input, JobError, MandateChanged, MandateOffer, MandateState, Money,
    Page, PageError, Submission, Visit, log,
};

use crate::biller::{self, Fine, FineStatus, NoAnswer};
use crate::fines::offer_of;
use crate::payment::AMOUNT_MINOR_MAX;
use crate::{CONVENIENCE_FEE_MINOR, FINE, plate};

const REFERENCE: &str = "autopay/";
/// Where the plates are, by mandate.
const PLATES: &str = "auto/";
/// Where the fines are that were charged.
const CHARGED: &str = "charged/";
/// How far a day's run came: the day, and the last plate that is done.
const CURSOR: &str = "auto-cursor";
/// Plates of one run of the job: the contract allows 16 requests. The host runs it
/// again for the rest.
const PLATES_PER_RUN_MAX: usize = 15;
/// How long a mandate lasts.
const MANDATE_DAYS: i64 = 365;
/// Fines that a mandate pays at most.
const FINES_MAX: u32 = 50;

pub(crate) fn page(visit: &Visit) -> Page {
    let plate = Input::text("plate", visit.say("Number plate", "车牌号")).placeholder("京A12345");
    let label = visit.say("Pay fines up to, in CNY", "每张罚单上限(元)");
    let most = Input::amount("most", label).placeholder("200.00");
    Page::new(visit.say("Pay fines automatically", "罚款自动缴纳"))
        .text(visit.say(
            "Every morning new fines of your plate are looked up and paid from your balance, with a message to you. You allow it once and can revoke it at any time.",
            "每天早上查询您的车牌,新罚单自动用余额缴纳并通知您。授权一次即可,随时可撤销。",
        ))
        .form(Form::new("autopay", visit.say("Set up", "设置")).input(plate).input(most))
}

/// Offers the mandate that pays the fines of a plate.
pub(crate) fn enroll(submission: &Submission) -> Result<MandateOffer, PageError> {
    let visit = &submission.visit;
    let Some(plate) = plate::normalised(submission.text("plate")?) else {
        return Err(submission.problem(
            "plate",
            "Write a plate such as 京A12345.",
            "请输入正确的车牌号,例如 京A12345。",
        ));
    };
    let most = submission.amount("most", "CNY")?;
    if !(1..=AMOUNT_MINOR_MAX).contains(&most.minor) {
        return Err(submission.problem(
            "most",
            "Write an amount up to 50,000.00 CNY.",
            "请输入不超过 50,000.00 元的金额。",
        ));
    }
    let until = visit.today.plus_days(MANDATE_DAYS);
    let until = until.ok_or_else(|| PageError::Unavailable("no such day".to_owned()))?;
    let title = format!("{} {plate}", visit.say("Fines of", "自动缴纳罚款"));
    let purpose = match visit.is_chinese() {
        true => format!("自动缴纳 {plate} 的新罚单,每张不超过 {most}。"),
        false => format!("Pays new fines of {plate}, each up to {most}."),
    };
    let fee = i64::try_from(CONVENIENCE_FEE_MINOR).unwrap_or(0);
    let per_payment = Money::cny(most.minor + fee);
    Ok(MandateOffer::new(FINE, title, purpose, per_payment, until)
        .count(FINES_MAX)
        .reference(format!("{REFERENCE}{plate}"))
        .fact(
            visit.say("Convenience fee", "便民服务费"),
            visit.say("1.00 CNY for each fine", "每张罚单 1.00 元"),
        ))
}

/// Keeps the plate of a mandate that was given, and forgets that of one that ended.
pub(crate) fn mandate_changed(change: &MandateChanged) -> Result<(), EventError> {
    let Some(plate) = change.reference.strip_prefix(REFERENCE) else {
        return Ok(());
    };
    let key = format!("{PLATES}{}", change.mandate);
    if change.state == MandateState::Active {
        return Ok(storage::set(&key, format!("{}\n{plate}", change.user))?);
    }
    Ok(storage::delete(&key)?)
}

/// Looks up the plates and charges their open fines.
pub(crate) fn run(day: Date) -> Result<(), JobError> {
    let after = cursor(day)?;
    let keys = storage::keys(PLATES, after.as_deref()).map_err(failed)?;
    let more = keys.len() > PLATES_PER_RUN_MAX;
    for key in keys.into_iter().take(PLATES_PER_RUN_MAX) {
        pay_plate(&key)?;
        storage::set(CURSOR, format!("{day} {key}")).map_err(failed)?;
    }
    match more {
        true => Err(JobError::Failed(
            "more plates wait for their turn".to_owned(),
        )),
        false => Ok(()),
    }
}

/// Where the last run of the same day stopped.
fn cursor(day: Date) -> Result<Option<String>, JobError> {
    let stored = storage::get(CURSOR).map_err(failed)?.unwrap_or_default();
    let stored = String::from_utf8_lossy(&stored).into_owned();
    let of_day = stored.strip_prefix(&format!("{day} "));
    Ok(of_day.map(str::to_owned))
}

/// A plate whose fines a mandate pays.
struct Enrolled<'a> {
    mandate: &'a str,
    user: &'a str,
}

fn pay_plate(key: &str) -> Result<(), JobError> {
    let stored = storage::get(key).map_err(failed)?.unwrap_or_default();
    let stored = String::from_utf8_lossy(&stored);
    let Some((user, plate)) = stored.split_once('\n') else {
        log::warn(&format!("{key} is not readable"));
        return Ok(());
    };
    let mandate = key.strip_prefix(PLATES).unwrap_or(key);
    let enrolled = Enrolled { mandate, user };
    let fines = biller::fines_of(plate)
        .map_err(|NoAnswer| JobError::Failed("the authority does not answer".to_owned()))?;
    for fine in fines {
        let payable = fine.status == FineStatus::Open
            && fine.currency == "CNY"
            && (1..=AMOUNT_MINOR_MAX).contains(&fine.amount_minor)
            && plate::is_fine_number(&fine.number);
        if payable && !pay_fine(&enrolled, fine)? {
            return storage::delete(key).map_err(failed);
        }
    }
    Ok(())
}

/// Charges a fine unless it was charged; gives whether the mandate still counts.
fn pay_fine(enrolled: &Enrolled<'_>, fine: Fine) -> Result<bool, JobError> {
    let Enrolled { mandate, user } = enrolled;
    let number = fine.number.clone();
    let mark = format!("{CHARGED}{mandate}/{number}");
    if storage::get(&mark).map_err(failed)?.is_some() {
        return Ok(true);
    }
    let amount = Money::cny(fine.amount_minor);
    let said = match payments::charge(*mandate, offer_of(fine), format!("{mandate}/{number}")) {
        Ok(charged) => format!(
            "Fine {number} of {amount} is being paid: {0} with the fee. / 罚单 {number} 正在自动缴纳,含手续费共 {0}。",
            charged.amount
        ),
        Err(
            PaymentsError::UnknownMandate(_)
            | PaymentsError::MandateRefused(
                MandateRefusal::Revoked | MandateRefusal::Expired | MandateRefusal::UsedUp,
            ),
        ) => return Ok(false),
        // Asked again on the next day: the balance may be larger then.
        Err(PaymentsError::InsufficientFunds) => {
            let said = format!(
                "Fine {number} of {amount} was not paid: your balance is too small. / 余额不足,罚单 {number} 未缴。"
            );
            tell(user, &said);
            return Ok(true);
        }
        Err(PaymentsError::MandateRefused(_)) => format!(
            "Fine {number} of {amount} is above your limit; pay it yourself. / 罚单 {number} 超出限额,请自行缴纳。"
        ),
        Err(PaymentsError::NotOrderable(cause)) => {
            log::warn(&format!(
                "fine {number} was not charged by {mandate}: {cause}"
            ));
            format!(
                "Fine {number} of {amount} cannot be paid automatically; pay it yourself. / 罚单 {number} 无法自动缴纳,请自行缴纳。"
            )
        }
        Err(error) => return Err(failed(error)),
    };
    tell(user, &said);
    storage::set(&mark, "1").map_err(failed)?;
    Ok(true)
}

/// The user can do without the message.
fn tell(user: &str, text: &str) {
    if let Err(error) = messages::send(user, text) {
        log::info(&format!("no message to {user}: {error}"));
    }
}

fn failed(error: impl std::error::Error) -> JobError {
    JobError::Failed(error.to_string())
}
