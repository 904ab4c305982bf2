use super::{CSRF, ORDER, PAYMENT, Sample, cny, sample, visitor, when};
use crate::pages::view::console::{
    AccountEntries, Home, Institution, Order, Plugin, Product, Release, Revenue, Schedule, Webhooks,
};
use crate::pages::view::staff::{FormPage, List, Report, Tiles};
use crate::pages::view::user::MoneyStory;
use crate::pages::view::{
    Badge, Cell, Empty, Face, Facts, Field, Figure, Form, Icon, Kind, Link, Locale, Notice, Paging,
    Progress, Shell, Table, Timeline, Tone,
};

fn shell(title: &str, at: &str) -> Shell {
    let mut shell =
        Shell::new(Face::Console, Locale::En, title).seen_by(Some(visitor(true, false)));
    for (path, label) in [
        ("", "Overview"),
        ("/plugins", "Plugins"),
        ("/products", "Products"),
        ("/orders", "Orders"),
        ("/revenue", "Revenue"),
        ("/invocations", "Invocations"),
        ("/webhooks", "Webhooks"),
    ] {
        shell = shell.tab(
            format!("/console/ins_1{path}"),
            label,
            Icon::Chevron,
            path == at,
        );
    }
    shell
}

fn good(word: &str) -> Cell {
    Cell::Badge(Badge::new(Tone::Good, word))
}

fn home(filled: bool) -> Home {
    let empty = Empty::new(
        "You work for no institution yet",
        "Register one; an operator approves it before it can serve people.",
    );
    let mut table = Table::new("Institutions", &["Name", "Kind", "State"], empty);
    if filled {
        table.push(vec![
            Cell::link("/console/ins_1", "West Lake Fund"),
            Cell::text("Fund company"),
            good("active"),
        ]);
        table.push(vec![
            Cell::link("/console/ins_2", "Harbour Insurance"),
            Cell::text("Insurer"),
            Cell::Badge(Badge::new(Tone::Warning, "pending")),
        ]);
    }
    Home {
        shell: Shell::new(Face::Console, Locale::En, "Your institutions")
            .seen_by(Some(visitor(true, false))),
        institutions: table,
    }
}

fn register() -> FormPage {
    let kinds = [
        ("fund", "Fund company"),
        ("insurer", "Insurer"),
        ("biller", "Biller"),
    ];
    let kinds = kinds.map(|(value, label)| (value.to_owned(), label.to_owned()));
    FormPage {
        shell: Shell::new(Face::Console, Locale::En, "Register an institution")
            .seen_by(Some(visitor(false, false)))
            .back("/console", "Your institutions"),
        lead: "An operator checks it before it can serve people.".to_owned(),
        facts: Facts::new(),
        form: Form::new("register", "/console/register", CSRF, "Register")
            .field(Field::new("name", "Name", Kind::Text).value("West Lake Fund"))
            .field(Field::new("kind", "Kind", Kind::Choice(kinds.to_vec())).value("insurer"))
            .field(
                Field::new("handle", "Handle of the public account", Kind::Code)
                    .hint("Lower-case letters, digits and `-`; people find you at /a/handle.")
                    .value("West Lake")
                    .error(Some("A handle is 3 to 32 of a-z, 0-9 and `-`.".to_owned())),
            )
            .field(
                Field::new("key", "Public key", Kind::Lines)
                    .hint("A JWK, a JWK set, or PEM. `qiao plugin key` prints one."),
            ),
    }
}

fn institution(pending: bool) -> Institution {
    let mut keys = Table::new(
        "Signing keys",
        &["Key id", "Kind"],
        Empty::new("No key", "None."),
    );
    keys.push(vec![
        Cell::code("vX7bq0Zq1kAbC9dQ4rT2"),
        Cell::text("EdDSA (Ed25519)"),
    ]);
    let mut clients = Table::new(
        "API clients",
        &["Name", "Client id", "Scopes", "Waiting for the operator"],
        Empty::new(
            "No client yet",
            "It is made when an operator approves the institution.",
        ),
    );
    if !pending {
        clients.push(vec![
            Cell::text("publisher"),
            Cell::code("cli_01kgb7m3c8f7q9s2x4v6w8y0zc"),
            Cell::code("releases:write orders:read payments:read"),
            Cell::code("payments:write"),
        ]);
    }
    let advice = Notice::new(
        Tone::Warning,
        "An operator has not approved this institution yet. You can look around; you cannot upload a release.",
    );
    Institution {
        shell: shell("West Lake Fund", "").back("/console", "Your institutions"),
        name: "West Lake Fund".to_owned(),
        state: if pending {
            Badge::new(Tone::Warning, "pending")
        } else {
            Badge::new(Tone::Good, "active")
        },
        advice: pending.then_some(advice),
        tiles: Tiles::default()
            .tile("Settlement account", cny(12_345_678))
            .link("/console/ins_1/revenue")
            .tile("Revenue account", cny(1_040))
            .link("/console/ins_1/revenue")
            .tile("Followers", Figure::count(12_408)),
        facts: Facts::new()
            .with("Institution", Cell::code("ins_01kgb7m3c8f7q9s2x4v6w8y0zd"))
            .with("Kind", Cell::text("Fund company"))
            .with("Public account", Cell::link("/a/lake-fund", "@lake-fund")),
        keys,
        clients,
    }
}

pub(super) fn report() -> Report {
    let mut egress = Table::new(
        "Egress rules",
        &["Name", "Address", "Methods", "Why"],
        Empty::new("No address", "It can call nothing outside the host."),
    );
    egress.push(vec![
        Cell::code("authority"),
        Cell::code("https://fines.example/api/"),
        Cell::code("GET POST"),
        Cell::text("Looks up fines and pays them."),
    ]);
    Report {
        facts: Facts::new()
            .with("Plugin", Cell::text("traffic-fines"))
            .with("Version", Cell::text("1.2.0"))
            .with(
                "SHA-256",
                Cell::code("9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08"),
            )
            .with("Signed by", Cell::code("vX7bq0Zq1kAbC9dQ4rT2"))
            .with("Uploaded", Cell::When(when(0))),
        scopes: vec![
            (
                "catalog:write".to_owned(),
                "Registers the product `fine` and its fee.".to_owned(),
            ),
            (
                "egress".to_owned(),
                "Asks the authority's server for fines.".to_owned(),
            ),
        ],
        imports: vec![
            "qiao:host/catalog.register-product".to_owned(),
            "qiao:host/egress.fetch".to_owned(),
            "qiao:host/log.write".to_owned(),
        ],
        measures: Facts::new()
            .with("Component", Cell::Figure(Figure::count(184_320)))
            .with("Fuel of activate", Cell::Figure(Figure::count(21_400)))
            .with("Memory", Cell::text("1.1 MiB")),
        egress,
        services: Facts::new().with_entries([("fines", "Look up and pay fines")]),
    }
}

fn releases() -> Table {
    let columns = ["Version", "State", "Uploaded", "Digest"];
    let mut table = Table::new(
        "Releases",
        &columns,
        Empty::new("No release", "Upload one."),
    );
    for (version, tone, state) in [
        ("1.3.0", Tone::Info, "in review"),
        ("1.2.0", Tone::Good, "active"),
        ("1.1.0", Tone::Plain, "superseded"),
        ("1.0.0", Tone::Bad, "rejected"),
    ] {
        table.push(vec![
            Cell::link("/console/ins_1/releases/rel_1", version),
            Cell::Badge(Badge::new(tone, state)),
            Cell::When(when(0)),
            Cell::code("9f86d081884c"),
        ]);
    }
    table
}

fn plugins() -> List {
    let columns = ["Plugin", "Active release", "Newest"];
    let empty = Empty::new(
        "No plugin yet",
        "Build one with `qiao plugin new`, then upload its component.",
    )
    .link("/console/ins_1/releases/upload", "Upload a release");
    List {
        actions: vec![Link::new(
            "/console/ins_1/releases/upload",
            "Upload a release",
        )],
        ..List::new(
            shell("Plugins", "/plugins"),
            "A plugin is served by one release at a time.",
            Table::new("Plugins", &columns, empty),
        )
    }
}

fn product() -> Product {
    let columns = ["Fee", "Order", "Who pays", "How much", "Rounding", "Shares"];
    let mut lines = Table::new("Fee lines", &columns, Empty::new("No fee", "It is free."));
    lines.push(vec![
        Cell::Two("Purchase fee".to_owned(), "purchase-fee".to_owned()),
        Cell::text("purchase"),
        Cell::text("user, out of the amount"),
        Cell::Lines(
            "by slab, 4 tiers".to_owned(),
            vec![
                "below 1,000,000.00 CNY: 1.3 %".to_owned(),
                "from 1,000,000.00 to below 3,000,000.00 CNY: 0.8 %".to_owned(),
                "from 3,000,000.00 to below 5,000,000.00 CNY: 0.4 %".to_owned(),
                "from 5,000,000.00 CNY: 1,000.00 CNY".to_owned(),
            ],
        ),
        Cell::text("half up"),
        Cell::text("institution 80 %, platform 20 %"),
    ]);
    let mut prices = Table::new(
        "Prices",
        &["Day", ">Unit price", ">Per 10,000", ">7-day yield"],
        Empty::new("No price yet", "The plugin publishes it."),
    );
    prices.push(vec![
        Cell::text("2026-11-21"),
        Cell::Figure(Figure::scaled(10_000, 4, "CNY")),
        Cell::Figure(Figure::scaled(6_512, 4, "CNY")),
        Cell::text("2.431 %"),
    ]);
    let mut accrued = Table::new(
        "Accrued fees",
        &["Day", ">Days", ">Units", ">Unit price", ">Fees", "Payment"],
        Empty::new("No day yet", "The next price day is the first."),
    );
    accrued.push(vec![
        Cell::text("2026-11-21"),
        Cell::Figure(Figure::count(3)),
        Cell::Figure(Figure::scaled(9_871_668, 2, "")),
        Cell::Figure(Figure::scaled(10_423, 4, "CNY")),
        Cell::Figure(cny(1_183)),
        Cell::code("pay_1"),
    ]);
    Product {
        shell: shell("West Lake Mixed A", "/products").back("/console/ins_1/products", "Products"),
        name: "West Lake Mixed A".to_owned(),
        summary: "A fund of many lakes.".to_owned(),
        facts: Facts::new().with("Code", Cell::code("mixed-a")).with(
            "Money is captured",
            Cell::text("when the plugin has fulfilled the order"),
        ),
        schedules: vec![Schedule {
            version: 2,
            state: Badge::new(Tone::Good, "in force"),
            from: "From 2026-11-22 on.".to_owned(),
            lines,
        }],
        prices,
        accrued: Some(accrued),
    }
}

fn order() -> Order {
    let mut splits = Table::new(
        "Transfers",
        &["What", "From", "To", ">Amount"],
        Empty::new("No transfer", "None."),
    );
    splits.push(vec![
        Cell::text("principal"),
        Cell::text("user"),
        Cell::text("settlement"),
        Cell::Figure(cny(100_000)),
    ]);
    Order {
        shell: shell("Buy the money fund", "/orders").back("/console/ins_1/orders", "Orders"),
        title: "Buy the money fund".to_owned(),
        state: Badge::new(Tone::Bad, "unknown"),
        problem: Some(Notice::new(
            Tone::Warning,
            "timed out after 5 s; asked again at 16:08",
        )),
        facts: Facts::new()
            .with("Order", Cell::code(ORDER))
            .with("Subject", Cell::code("sub_4f1c"))
            .with("Release", Cell::code("rel_01kgb7m3c8f7q9s2x4v6w8y0ze")),
        timeline: Timeline::default()
            .step(Progress::Done, "Confirmed", Some(when(0)))
            .step(Progress::Current, "Fulfilment", None)
            .detail("attempt 3"),
        money: vec![MoneyStory {
            title: "Payment".to_owned(),
            id: PAYMENT.to_owned(),
            state: Badge::new(Tone::Info, "held"),
            amount: cny(101_300),
            transfers: splits,
        }],
    }
}

fn invocations() -> List {
    let mut table = Table::new(
        "Invocations",
        &["When", "Function", "Outcome", ">Fuel", ">Time", "Log"],
        Empty::new(
            "No invocation yet",
            "Each call of your plugins appears here.",
        ),
    );
    table.push(vec![
        Cell::When(when(2)),
        Cell::Two("pages.open".to_owned(), "1.2.0".to_owned()),
        good("ok"),
        Cell::Figure(Figure::count(81_204)),
        Cell::Figure(Figure::scaled(412, 3, "ms")),
        Cell::Lines(
            "2 lines".to_owned(),
            vec![
                "info  looked up 2 fines".to_owned(),
                "warn  one is older than a year".to_owned(),
            ],
        ),
    ]);
    table.push(vec![
        Cell::When(when(1)),
        Cell::Two("pages.submit".to_owned(), "1.2.0".to_owned()),
        Cell::Badge(Badge::new(Tone::Bad, "out of fuel")),
        Cell::Figure(Figure::count(50_000_000)),
        Cell::Figure(Figure::scaled(48_210, 3, "ms")),
        Cell::Lines("none".to_owned(), Vec::new()),
    ]);
    let table = table.paging(Paging {
        newest: None,
        older: Some(Link::new("?before=inv_1", "Older")),
    });
    List::new(
        shell("Invocations", "/invocations"),
        "Every call of your plugins.",
        table,
    )
}

fn webhooks() -> Webhooks {
    let mut endpoints = Table::new(
        "Endpoints",
        &["Address", "State", ""],
        Empty::new("No endpoint yet", "Register one below."),
    );
    endpoints.push(vec![
        Cell::Two(
            "https://shop.example/hooks".to_owned(),
            "whk_01kgb7m3".to_owned(),
        ),
        good("on"),
        Cell::link("/console/ins_1/webhooks/whk_1/delete", "Delete"),
    ]);
    let mut deliveries = Table::new(
        "Deliveries",
        &["When", "Event", "State", ">Attempts", "Last answer", ""],
        Empty::new(
            "No delivery yet",
            "Each event that is sent to an endpoint appears here.",
        ),
    );
    deliveries.push(vec![
        Cell::When(when(3)),
        Cell::code("order.completed"),
        Cell::Badge(Badge::new(Tone::Warning, "waiting")),
        Cell::Figure(Figure::count(3)),
        Cell::text("HTTP 503"),
        Cell::Forms(vec![
            Form::new(
                "redeliver-0",
                "/console/ins_1/deliveries/dlv_1",
                CSRF,
                "Send again",
            )
            .tone(Tone::Info)
            .compact(),
        ]),
    ]);
    Webhooks {
        shell: shell("Webhooks", "/webhooks"),
        secret: Some("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw".to_owned()),
        endpoints,
        form: Form::new("endpoint", "/console/ins_1/webhooks", CSRF, "Register").field(
            Field::new("url", "Address", Kind::Code).placeholder("https://shop.example/hooks"),
        ),
        deliveries,
    }
}

fn revenue() -> Revenue {
    let columns = ["When", "What", "Order", ">Amount"];
    let mut entries = Table::new("Entries", &columns, Empty::new("Nothing booked yet", "…"));
    entries.push(vec![
        Cell::When(when(3)),
        Cell::text("purchase-fee"),
        Cell::link(format!("/console/ins_1/orders/{ORDER}"), ORDER),
        Cell::Figure(cny(1_040).signed()),
    ]);
    Revenue {
        shell: shell("Revenue", "/revenue"),
        tiles: Tiles::default()
            .tile("Settlement account", cny(12_345_678))
            .tile("Revenue account", cny(1_040)),
        accounts: vec![AccountEntries {
            title: "Revenue account".to_owned(),
            balance: cny(1_040),
            entries,
        }],
    }
}

pub(super) fn samples() -> Vec<Sample> {
    let plugin = Plugin {
        shell: shell("money-fund", "/plugins").back("/console/ins_1/plugins", "Plugins"),
        name: "money-fund".to_owned(),
        state: Badge::new(Tone::Good, "serving 1.2.0"),
        facts: Facts::new().with("Plugin", Cell::code("plg_01kgb7m3c8f7q9s2x4v6w8y0zf")),
        releases: releases(),
    };
    let release = Release {
        shell: shell("traffic-fines 1.2.0", "/plugins")
            .back("/console/ins_1/plugins/x", "traffic-fines"),
        state: Badge::new(Tone::Bad, "rejected"),
        decision: Some(
            Notice::new(
                Tone::Bad,
                "The egress rule is wider than the service needs.",
            )
            .titled("Rejected"),
        ),
        report: report(),
        action: Some(Link::new(
            "/console/ins_1/releases/rel_1/activate",
            "Activate",
        )),
    };
    vec![
        sample("console/home.html", "full", &home(true)),
        sample("console/home.html", "empty", &home(false)),
        sample("staff/form.html", "register", &register()),
        sample("console/institution.html", "active", &institution(false)),
        sample("console/institution.html", "pending", &institution(true)),
        sample("staff/list.html", "plugins_empty", &plugins()),
        sample("staff/list.html", "invocations", &invocations()),
        sample("console/plugin.html", "serving", &plugin),
        sample("console/release.html", "rejected", &release),
        sample("console/product.html", "slab", &product()),
        sample("console/order.html", "unknown", &order()),
        sample("console/revenue.html", "full", &revenue()),
        sample("console/webhooks.html", "registered", &webhooks()),
    ]
}
