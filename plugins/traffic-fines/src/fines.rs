//! The service `fines`: a plate leads to its fines, a fine to the checkout.

use qiao_sdk::{
    Answer, Field, Form, Input, Item, Money, Offer, Page, PageError, Submission, Tone, Visit,
};

use crate::biller::{self, Fine, FineStatus, NoAnswer};
use crate::payment::AMOUNT_MINOR_MAX;
use crate::{FINE, plate};

/// How many fines a page shows.
const FINES_SHOWN_MAX: usize = 20;
/// The contract's limit for the value of a fact.
const FACT_CHARS_MAX: usize = 256;

pub(crate) fn look_up_page(visit: &Visit) -> Page {
    Page::new(visit.say("Pay a fine", "缴纳罚款"))
        .text(visit.say(
            "Enter your number plate to see its open fines.",
            "输入车牌号,查询未缴罚款。",
        ))
        .form(look_up_form(visit, ""))
}

/// The fines of the plate that the user typed.
pub(crate) fn of_plate(submission: &Submission) -> Result<Page, PageError> {
    let visit = &submission.visit;
    let Some(plate) = plate::normalised(submission.text("plate")?) else {
        return Err(submission.problem(
            "plate",
            "Write a plate such as 京A12345.",
            "请输入正确的车牌号,例如 京A12345。",
        ));
    };
    let fines = biller::fines_of(&plate).map_err(|NoAnswer| unavailable(visit))?;
    let page = Page::new(visit.say("Pay a fine", "缴纳罚款")).form(look_up_form(visit, &plate));
    let payable: Vec<_> = fines
        .iter()
        .filter(|fine| fine.status != FineStatus::Paid)
        .collect();
    if payable.is_empty() {
        let text = visit.say("There are no open fines.", "没有未缴罚款。");
        return Ok(page.notice(Tone::Success, format!("{plate}: {text}")));
    }
    let shown = payable
        .iter()
        .take(FINES_SHOWN_MAX)
        .map(|fine| item(visit, fine));
    let page = page.heading(plate).items(shown);
    if payable.len() > FINES_SHOWN_MAX {
        let text = visit.say(
            "More fines appear when these are paid.",
            "缴清后将显示其余罚款。",
        );
        return Ok(page.notice(Tone::Info, text));
    }
    Ok(page)
}

/// Offers the payment of a fine. Of the form only the number counts: everything else is
/// fetched again.
pub(crate) fn pay(submission: &Submission) -> Result<Answer, PageError> {
    let visit = &submission.visit;
    let number = submission.text("fine")?;
    let unknown = || submission.problem("fine", "There is no such fine.", "未找到该罚款。");
    if !plate::is_fine_number(number) {
        return Err(unknown());
    }
    let fine = biller::fine(number)
        .map_err(|NoAnswer| unavailable(visit))?
        .ok_or_else(unknown)?;
    if fine.status != FineStatus::Open {
        return Ok(Answer::Page(
            look_up_page(visit).notice(Tone::Info, status(visit, &fine)),
        ));
    }
    if fine.currency != "CNY" || !(1..=AMOUNT_MINOR_MAX).contains(&fine.amount_minor) {
        return Err(submission.problem(
            "fine",
            "This fine cannot be paid here.",
            "该罚款无法在此缴纳。",
        ));
    }
    Ok(Answer::Offer(offer(visit, fine)))
}

/// The payment of a fine that nobody looks at, for a charge.
pub(crate) fn offer_of(fine: Fine) -> Offer {
    Offer::pay(
        FINE,
        "Traffic fine / 交通罚款",
        Money::cny(fine.amount_minor),
    )
    .fact("Fine / 罚单号", fine.number.as_str())
    .fact("Plate / 车牌号", clipped(&fine.plate))
    .fact("Violation / 违法行为", clipped(&fine.violation))
    .reference(fine.number)
}

fn offer(visit: &Visit, fine: Fine) -> Offer {
    let title = visit.say("Traffic fine", "交通罚款");
    Offer::pay(FINE, title, Money::cny(fine.amount_minor))
        .fact(visit.say("Fine", "罚单号"), fine.number.as_str())
        .fact(visit.say("Plate", "车牌号"), clipped(&fine.plate))
        .fact(visit.say("Violation", "违法行为"), clipped(&fine.violation))
        .fact(visit.say("Place", "地点"), clipped(&fine.place))
        .fact(visit.say("Time", "时间"), clipped(&fine.time))
        .fact(visit.say("Points", "记分"), fine.points.to_string())
        .reference(fine.number)
}

fn item(visit: &Visit, fine: &Fine) -> Item {
    let amount = Money::new(fine.amount_minor, &fine.currency).to_string();
    let detail = format!(
        "{} · {} · {}",
        fine.place,
        fine.time,
        points(visit, fine.points)
    );
    if fine.status == FineStatus::Open {
        Item::new(&fine.violation, detail, amount).action(
            "pay",
            visit.say("Pay", "缴纳"),
            [Field::new("fine", &fine.number)],
        )
    } else {
        Item::new(
            &fine.violation,
            format!("{detail} · {}", status(visit, fine)),
            amount,
        )
    }
}

fn points(visit: &Visit, points: u8) -> String {
    if visit.is_chinese() {
        format!("记 {points} 分")
    } else {
        format!("{points} points")
    }
}

fn status<'a>(visit: &Visit, fine: &Fine) -> &'a str {
    match fine.status {
        FineStatus::Open => visit.say("This fine is open.", "该罚款未缴纳。"),
        FineStatus::Pending => visit.say("This fine is being paid.", "该罚款正在处理中。"),
        FineStatus::Paid => visit.say("This fine is paid already.", "该罚款已缴纳。"),
    }
}

fn look_up_form(visit: &Visit, plate: &str) -> Form {
    let input = Input::text("plate", visit.say("Number plate", "车牌号"))
        .placeholder("京A12345")
        .value(plate);
    Form::new("look-up", visit.say("Look up", "查询")).input(input)
}

fn unavailable(visit: &Visit) -> PageError {
    let text = visit.say(
        "The traffic authority does not answer now. Try again later.",
        "交管部门暂无响应,请稍后再试。",
    );
    PageError::Unavailable(text.to_owned())
}

fn clipped(text: &str) -> String {
    text.chars().take(FACT_CHARS_MAX).collect()
}
