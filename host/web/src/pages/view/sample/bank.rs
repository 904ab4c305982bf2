//! Samples of what people and operators see of banks.

use super::{CSRF, PAYMENT, Sample, cny, sample, visitor, when};
use crate::pages::text::{Text, fill};
use crate::pages::view::operator::BankTransferReview;
use crate::pages::view::user::{BankTransferPage, Banks, LinkedAccount, TransferRow};
use crate::pages::view::{
    Badge, Cell, Empty, Face, Facts, Form, Link, Locale, Notice, Shell, Table, Tone,
};

const TRANSFER: &str = "btr_01kgb7m3c8f7q9s2x4v6w8y0zc";

fn banks(locale: Locale, filled: bool) -> Banks {
    let t = Text::of(locale);
    let linked = LinkedAccount {
        bank: "River Bank".to_owned(),
        number: "Lin Wei **** 8801".to_owned(),
        expired: Some(Badge::new(Tone::Warning, t.link_expired)),
        unlink: Link::new("/banks/links/bnk_1/unlink", t.unlink),
    };
    Banks {
        shell: Shell::new(Face::User, locale, t.banks).seen_by(Some(visitor(false, false))),
        problem: filled.then(|| Notice::new(Tone::Warning, t.not_authorized)),
        links: if filled { vec![linked] } else { Vec::new() },
        empty: Empty::new(t.no_links, t.no_links_text),
        channels: vec![(
            Link::new("/banks/river/link", fill(t.link_at, &[&"River Bank"])),
            fill(t.bank_fee, &[&"0.10 CNY", &"0.1 %"]),
        )],
        transfers: if filled { vec![row(t)] } else { Vec::new() },
    }
}

pub(super) fn row(t: &'static Text) -> TransferRow {
    TransferRow {
        link: Link::new(
            format!("/banks/transfers/{TRANSFER}"),
            fill(t.top_up_from, &[&"River Bank"]),
        ),
        at: when(5),
        amount: cny(300_000),
        state: Badge::new(Tone::Warning, t.bank_unknown),
    }
}

fn transfer(unknown: bool) -> BankTransferPage {
    let t = Text::of(Locale::En);
    let title = fill(t.top_up_from, &[&"River Bank"]);
    BankTransferPage {
        shell: Shell::new(Face::User, Locale::En, title).seen_by(Some(visitor(false, false))),
        state: if unknown {
            Notice::new(Tone::Warning, t.bank_unknown_text).titled(t.bank_unknown)
        } else {
            Notice::new(Tone::Good, t.bank_done_text).titled(t.bank_done)
        },
        facts: Facts::new()
            .with(t.bank_to_balance, Cell::Figure(cny(300_000)))
            .with(t.bank_transfer, Cell::code(TRANSFER)),
        again: unknown.then(|| Link::new(format!("/banks/transfers/{TRANSFER}"), t.look_again)),
    }
}

fn review() -> BankTransferReview {
    let mut evidence = Table::new(
        "Evidence",
        &["When", "Channel", "How", "What", "Detail"],
        Empty::new("Nothing is known yet", "Each exchange appears here."),
    );
    evidence.push(vec![
        Cell::When(when(5)),
        Cell::text("river"),
        Cell::text("send"),
        Cell::text("no-answer"),
        Cell::text("`river.example` did not answer in time."),
    ]);
    let here = format!("/operator/banks/transfers/{TRANSFER}");
    BankTransferReview {
        shell: Shell::new(Face::Operator, Locale::En, TRANSFER).seen_by(Some(visitor(false, true))),
        state: Badge::new(Tone::Bad, "stuck"),
        facts: Facts::new()
            .with("Payment", Cell::code(PAYMENT))
            .with("Amount", Cell::Figure(cny(300_000))),
        evidence,
        ask_again: Some(Form::new(
            "ask-again",
            format!("{here}/ask-again"),
            CSRF,
            "Ask again",
        )),
        decide: Some(Link::new(format!("{here}/decide"), "Decide…")),
    }
}

pub(super) fn samples() -> Vec<Sample> {
    vec![
        sample("user/banks.html", "empty", &banks(Locale::En, false)),
        sample("user/banks.html", "expired_zh", &banks(Locale::ZhCn, true)),
        sample("user/bank_transfer.html", "unknown", &transfer(true)),
        sample("user/bank_transfer.html", "done", &transfer(false)),
        sample("operator/bank_transfer.html", "stuck", &review()),
    ]
}
