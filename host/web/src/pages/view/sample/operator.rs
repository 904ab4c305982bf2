use super::console::report;
use super::{CSRF, Sample, cny, sample, visitor, when};
use crate::pages::view::operator::{Books, Clock, Home, Release};
use crate::pages::view::staff::Tiles;
use crate::pages::view::{
    Badge, Cell, Empty, Face, Facts, Field, Figure, Form, Icon, Kind, Link, Locale, Shell, Table,
    Tone,
};

fn shell(title: &str, at: &str) -> Shell {
    let mut shell =
        Shell::new(Face::Operator, Locale::En, title).seen_by(Some(visitor(false, true)));
    for (path, label) in [
        ("", "Today"),
        ("/institutions", "Institutions"),
        ("/releases", "Releases"),
        ("/orders", "Orders"),
        ("/books", "Books"),
        ("/audit", "Audit"),
        ("/clock", "Clock"),
    ] {
        shell = shell.tab(format!("/operator{path}"), label, Icon::Chevron, path == at);
    }
    shell
}

fn home(filled: bool) -> Home {
    let mut institutions = Table::new(
        "Institutions to approve",
        &["Name", "Kind", "Handle", ""],
        Empty::new("Nobody waits", "New institutions appear here."),
    );
    let mut releases = Table::new(
        "Releases in review",
        &["Plugin", "Institution", "Uploaded"],
        Empty::new("Nothing to review", "New releases appear here."),
    );
    if filled {
        institutions.push(vec![
            Cell::text("West Lake Fund"),
            Cell::text("Fund company"),
            Cell::code("@lake-fund"),
            Cell::link("/operator/institutions/ins_1/approve", "Approve…"),
        ]);
        releases.push(vec![
            Cell::link("/operator/releases/rel_1", "money-fund 1.3.0"),
            Cell::text("West Lake Fund"),
            Cell::When(when(5)),
        ]);
    }
    Home {
        shell: shell("Today", ""),
        lead: "2026-11-22 16:00:00 in Asia/Shanghai".to_owned(),
        tiles: Tiles::default()
            .tile("Institutions to approve", Figure::count(i64::from(filled)))
            .link("/operator/institutions")
            .tile("Releases in review", Figure::count(i64::from(filled)))
            .link("/operator/releases")
            .tile("Orders under way too long", Figure::count(0))
            .link("/operator/orders")
            .tile("Books", Figure::count(0))
            .note("sum of all balances")
            .tone(Tone::Good)
            .link("/operator/books"),
        institutions,
        releases,
    }
}

pub(super) fn samples() -> Vec<Sample> {
    let release = Release {
        shell: shell("traffic-fines 1.2.0", "/releases").back("/operator/releases", "Releases"),
        state: Badge::new(Tone::Info, "in review"),
        institution: "City Traffic Authority".to_owned(),
        decided: None,
        report: report(),
        approve: Some(Link::new("/operator/releases/rel_1/approve", "Approve…")),
        reject: Some(
            Form::new("reject", "/operator/releases/rel_1/reject", CSRF, "Reject")
                .tone(Tone::Bad)
                .field(
                    Field::new("reason", "Reason", Kind::Lines)
                        .error(Some("Say why; the institution reads it.".to_owned())),
                ),
        ),
    };
    let mut totals = Table::new(
        "Totals",
        &[
            "Asset",
            ">Sum of balances",
            ">Debits",
            ">Credits",
            ">Accounts",
            ">Transfers",
        ],
        Empty::new("No transfer yet", "The ledger is empty."),
    );
    for (asset, sum) in [("CNY", 0), ("prd_01kgb7m3c8f7q9s2x4v6w8y0zg", 1)] {
        totals.push(vec![
            Cell::code(asset),
            Cell::Figure(cny(sum)),
            Cell::Figure(cny(4_222_600)),
            Cell::Figure(cny(4_222_600)),
            Cell::Figure(Figure::count(9)),
            Cell::Figure(Figure::count(31)),
        ]);
    }
    let mut heads = Table::new(
        "Heads of the journal",
        &["Chain", ">Entries", "Head"],
        Empty::new("No journal", "It begins with the first batch."),
    );
    heads.push(vec![
        Cell::text("1"),
        Cell::Figure(Figure::count(31)),
        Cell::code(format!("1:31:{}", "9f86d081".repeat(8))),
    ]);
    let books = Books {
        shell: shell("Books", "/books"),
        verdict: Badge::new(Tone::Bad, "not zero"),
        tiles: Tiles::default()
            .tile("Assets", Figure::count(2))
            .tile("Sum of CNY", cny(0))
            .tone(Tone::Good),
        totals,
        debts: {
            let columns = ["Institution", ">Owed"];
            let empty = Empty::new("Nobody owes", "Refunds that found a receiver short.");
            let mut debts = Table::new("Receivables", &columns, empty);
            debts.push(vec![Cell::text("Harvest"), Cell::Figure(cny(1_200))]);
            debts
        },
        heads,
    };
    let clock = Clock {
        shell: shell("Sandbox clock", "/clock"),
        facts: Facts::new().with("Now", Cell::When(when(0))),
        form: Form::new("clock", "/operator/clock", CSRF, "Move the clock")
            .field(Field::new("hours", "Hours", Kind::Decimal("h".to_owned())).value("24")),
    };
    vec![
        sample("operator/home.html", "waiting", &home(true)),
        sample("operator/home.html", "calm", &home(false)),
        sample("operator/release.html", "in_review", &release),
        sample("operator/books.html", "broken", &books),
        sample("operator/clock.html", "sandbox", &clock),
    ]
}
