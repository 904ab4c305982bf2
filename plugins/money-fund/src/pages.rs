//! Figures as people read them, and the page of fees and rules.

use qiao_sdk::{Entry, Page, Rate, Tone, Visit, decimal};

use crate::fund;

/// Four decimal places: `1.0000`.
pub(crate) fn e4(value: u64) -> String {
    i64::try_from(value).map_or_else(|_| "—".to_owned(), |value| decimal::format(value, 4))
}

/// A yield to three decimal places of a per cent: `1.825%`.
pub(crate) fn yield_percent(ppm: u32) -> String {
    format!("{}%", decimal::format(i64::from((ppm + 5) / 10), 3))
}

/// Fees and rules in plain text.
pub(crate) fn about(visit: &Visit) -> Page {
    let largest_fee = decimal::format(fund::SUBSCRIPTION_MINOR_MAX.cast_signed(), 2);
    Page::new(visit.say("Fees and rules", "费用与规则"))
        .heading(visit.say("What it costs", "费用"))
        .entries([
            Entry::new(visit.say("Subscription fee", "申购费"), subscription_fee(visit, &largest_fee)),
            Entry::new(visit.say("Redemption fee", "赎回费"), visit.say("none", "无")),
        ])
        .text(visit.say(
            "The subscription fee is part of what you pay: net amount = amount / (1 + rate). \
             Units are the net amount divided by the net asset value.",
            "申购费包含在支付金额内:净申购金额 = 申购金额 /(1 + 费率),份额 = 净申购金额 / 单位净值。",
        ))
        .heading(visit.say("Rules", "规则"))
        .text(visit.say(
            "You can buy from 1.00 CNY to 1,000,000.00 CNY at a time. A redemption is paid at \
             once, up to 10,000.00 CNY a day; past that on the next business day.",
            "单笔申购 1.00 元起,最高 1,000,000.00 元。赎回每日 10,000.00 元以内实时到账,超出则下一工作日到账。",
        ))
        .text(visit.say(
            "Income is added to your units every day. The seven-day yield is what the last \
             seven days would earn in a year.",
            "收益每日结转为份额。七日年化收益率按最近七日收益折算为年收益率。",
        ))
        .notice(
            Tone::Warning,
            visit.say(
                "A money fund is no bank deposit: its yield changes, and a loss is possible.",
                "货币基金不等于银行存款,收益会波动,不保证本金不受损失。",
            ),
        )
}

fn subscription_fee(visit: &Visit, largest: &str) -> String {
    let rate: Rate = fund::SUBSCRIPTION_RATE;
    if visit.is_chinese() {
        format!("{rate},最高 {largest} 元")
    } else {
        format!("{rate}, at most {largest} CNY")
    }
}
