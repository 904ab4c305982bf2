//! The service `about`: fees and rules in plain text.

use qiao_sdk::{Entry, Page, Tone, Visit};

pub(crate) fn page(visit: &Visit) -> Page {
    Page::new(visit.say("Fees and rules", "费用与规则"))
        .heading(visit.say("To buy", "申购费"))
        .entries([
            Entry::new(visit.say("below 1,000,000 CNY", "100 万元以下"), "1.3%"),
            Entry::new(visit.say("below 3,000,000 CNY", "300 万元以下"), "0.8%"),
            Entry::new(visit.say("below 5,000,000 CNY", "500 万元以下"), "0.4%"),
            Entry::new(
                visit.say("5,000,000 CNY or more", "500 万元及以上"),
                visit.say("1,000.00 CNY an order", "每笔 1,000.00 元"),
            ),
        ])
        .text(visit.say(
            "The fee is part of what you pay: net amount = amount / (1 + rate). Units are the \
             net amount divided by the net asset value.",
            "申购费包含在支付金额内:净申购金额 = 申购金额 /(1 + 费率),份额 = 净申购金额 / 单位净值。",
        ))
        .heading(visit.say("To redeem, by days held", "赎回费(按持有天数)"))
        .entries([
            Entry::new(visit.say("below 7 days", "7 天以内"), "1.5%"),
            Entry::new(visit.say("below 30 days", "30 天以内"), "0.75%"),
            Entry::new(visit.say("below 180 days", "180 天以内"), "0.5%"),
            Entry::new(
                visit.say("180 days or more", "180 天及以上"),
                visit.say("none", "无"),
            ),
        ])
        .heading(visit.say("Every year", "每年"))
        .entries([
            Entry::new(visit.say("Management", "管理费"), "1.2%"),
            Entry::new(visit.say("Custody", "托管费"), "0.2%"),
        ])
        .text(visit.say(
            "Yearly fees accrue every day and are part of the net asset value: you pay nothing \
             beside it.",
            "管理费与托管费按日计提,已反映在单位净值中,无需另行支付。",
        ))
        .notice(
            Tone::Warning,
            visit.say(
                "A bond fund can lose value.",
                "债券基金存在亏损可能,投资需谨慎。",
            ),
        )
}
