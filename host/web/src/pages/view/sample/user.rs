use super::{CSRF, ORDER, PAYMENT, Sample, cny, sample, visitor, when};
use crate::pages::text::{Text, fill};
use crate::pages::view::user::{
    Account, AccountCard, Block, Checkout, CheckoutState, Debited, FeeLine, FollowButton, Greeting,
    Holding, Holdings, Home, Item, LogIn, Me, MenuGroup, Message, MethodRow, Metric, MoneyStory,
    Movement, Order, OrderRow, Orders, Payable, Pin, Service, SignUp, Wallet,
};
use crate::pages::view::{
    Badge, Cell, Empty, Face, Facts, Field, Figure, Form, Icon, Kind, Link, Locale, Notice, Paging,
    Progress, Shell, Table, Timeline, Tone,
};

pub(super) fn shell(locale: Locale, title: &str, at: &str) -> Shell {
    let t = Text::of(locale);
    Shell::new(Face::User, locale, title)
        .seen_by(Some(visitor(false, false)))
        .tab("/", t.home, Icon::Bridge, at == "/")
        .tab("/orders", t.orders, Icon::Orders, at == "/orders")
        .tab("/holdings", t.holdings, Icon::Holdings, at == "/holdings")
        .tab("/wallet", t.wallet, Icon::Wallet, at == "/wallet")
}

fn cards(t: &Text) -> Vec<AccountCard> {
    let card = |handle: &str, name: &str, summary: &str, kind: &str| AccountCard {
        handle: handle.to_owned(),
        name: name.to_owned(),
        summary: summary.to_owned(),
        kind: kind.to_owned(),
    };
    vec![
        card(
            "lake-fund",
            "West Lake Fund",
            "A money-market fund with income every day, and instant redemption.",
            t.fund_company,
        ),
        card(
            "traffic-hz",
            "City Traffic Authority",
            "Look up and pay the fines of your plate.",
            t.biller,
        ),
    ]
}

fn home(locale: Locale, signed_in: bool, filled: bool) -> Home {
    let t = Text::of(locale);
    let mut shell = shell(locale, t.home, "/");
    if !signed_in {
        shell = Shell::new(Face::User, locale, t.home);
    }
    let mut both = if filled { cards(t) } else { Vec::new() };
    Home {
        shell,
        greeting: signed_in.then(|| Greeting {
            hello: fill(t.hello, &[&"Lin Wei"]),
            available: cny(if filled { 234_567_890 } else { 0 }),
            advice: (!filled).then(|| {
                Notice::new(Tone::Info, t.set_pin_advice)
                    .titled(t.set_pin_title)
                    .link("/pin", t.set_pin)
            }),
        }),
        followed: if signed_in && filled {
            vec![both.remove(0)]
        } else {
            Vec::new()
        },
        nothing_followed: Empty::new(t.nothing_followed, t.nothing_followed_text),
        discover: both,
        nothing_to_discover: Empty::new(t.nothing_to_discover, t.nothing_to_discover_text),
        paging: Paging::default(),
    }
}

fn sign_up(error: bool) -> SignUp {
    let t = Text::of(Locale::En);
    let wrong = |text: &str| error.then(|| text.to_owned());
    SignUp {
        log_in: "/login".to_owned(),
        shell: Shell::new(Face::User, Locale::En, t.sign_up_title),
        form: Form::new("sign-up", "/signup", CSRF, t.create_account)
            .field(
                Field::new("name", t.name, Kind::Text)
                    .hint(t.name_hint)
                    .autocomplete("name")
                    .value("Lin Wei"),
            )
            .field(
                Field::new("login", t.login, Kind::Code)
                    .hint(t.login_hint)
                    .autocomplete("username")
                    .error(wrong(t.login_taken))
                    .value("linwei"),
            )
            .field(
                Field::new("password", t.password, Kind::Password)
                    .hint(fill(t.password_hint, &[&10]))
                    .autocomplete("new-password"),
            ),
    }
}

fn session() -> Vec<Sample> {
    let t = Text::of(Locale::En);
    let log_in = LogIn {
        sign_up: "/signup".to_owned(),
        shell: Shell::new(Face::User, Locale::En, t.log_in)
            .notice(Some(Notice::new(Tone::Good, t.logged_out))),
        form: Form::new("log-in", "/login", CSRF, t.log_in)
            .hidden("next", "/orders")
            .problem(Some(t.wrong_login.to_owned()))
            .field(Field::new("login", t.login, Kind::Code).autocomplete("username"))
            .field(
                Field::new("password", t.password, Kind::Password).autocomplete("current-password"),
            ),
    };
    let pin = Pin {
        shell: shell(Locale::En, t.set_pin_title, "").back("/me", t.my_account),
        form: Form::new("pin", "/pin", CSRF, t.set_pin)
            .field(Field::new("pin", t.new_pin, Kind::Pin))
            .field(
                Field::new("repeat", t.repeat_pin, Kind::Pin).error(Some(t.pin_differs.to_owned())),
            ),
    };
    let me = Me {
        shell: shell(Locale::En, t.my_account, "").seen_by(Some(visitor(true, true))),
        facts: Facts::new()
            .with(t.name, Cell::text("Lin Wei"))
            .with("ID", Cell::code("usr_01kgb7m3c8f7q9s2x4v6w8y0zb")),
        pin: Badge::new(Tone::Good, t.pin_is_set),
        banks: Some(Link::new("/banks", t.banks)),
        faces: vec![
            Link::new("/console", t.console),
            Link::new("/operator", t.operator),
        ],
        log_out: Form::new("log-out", "/logout", CSRF, t.log_out).tone(Tone::Info),
    };
    vec![
        sample("user/sign_up.html", "fresh", &sign_up(false)),
        sample("user/sign_up.html", "taken", &sign_up(true)),
        sample("user/log_in.html", "wrong", &log_in),
        sample("user/pin.html", "differs", &pin),
        sample("user/me.html", "operator", &me),
    ]
}

fn wallet(filled: bool) -> Wallet {
    let t = Text::of(Locale::En);
    let movement = |title: &str, minutes, detail: &str, fen| Movement {
        title: title.to_owned(),
        order: (fen < 0).then(|| format!("/orders/{ORDER}")),
        at: when(minutes),
        detail: detail.to_owned(),
        amount: cny(fen).signed(),
    };
    let mut wallet = Wallet {
        shell: shell(Locale::En, t.wallet, "/wallet"),
        available: cny(0),
        held: None,
        top_up: Some(
            Form::new("top-up", "/wallet/top-up", CSRF, t.top_up)
                .hidden("key", "k1")
                .field(
                    Field::new("amount", t.amount, Kind::Decimal("CNY".to_owned()))
                        .placeholder("1000.00")
                        .hint(fill(t.top_up_limit, &[&"100,000.00 CNY"])),
                ),
        ),
        bank_forms: Vec::new(),
        under_way: Vec::new(),
        pin_needed: None,
        banks: None,
        movements: Vec::new(),
        empty: Empty::new(t.nothing_moved, t.nothing_moved_text),
        paging: Paging::default(),
    };
    if filled {
        wallet.available = cny(898_700);
        wallet.top_up = None;
        let pin = Notice::new(Tone::Info, t.pin_needed_to_withdraw).titled(t.withdraw);
        wallet.pin_needed = Some(pin.link("/pin?next=/wallet", t.set_pin));
        wallet.banks = Some(Link::new("/banks", t.linked_accounts));
        wallet.bank_forms = vec![(
            t.withdraw.to_owned(),
            t.to_bank.to_owned(),
            Form::new("withdraw", "/banks/withdraw", CSRF, t.withdraw).field(Field::new(
                "pin",
                t.payment_pin,
                Kind::Pin,
            )),
        )];
        wallet.under_way = vec![super::bank::row(t)];
        wallet.held = Some(cny(101_300));
        wallet.movements = vec![
            movement("Money fund: redemption", 90, "", 20_000),
            movement("Money fund: purchase", 30, t.payment_held, -101_300),
            movement("Sandbox top-up", 0, "", 1_000_000),
        ];
        wallet.paging.older = Some(Link::new("/wallet?before=x", t.older));
    }
    wallet
}

fn holdings() -> Vec<Sample> {
    let t = Text::of(Locale::ZhCn);
    let full = Holdings {
        shell: shell(Locale::ZhCn, t.holdings, "/holdings"),
        totals: vec![cny(98_800)],
        holdings: vec![Holding {
            product: Link::new("/a/lake-fund", "西湖货币市场基金"),
            institution: "West Lake Fund Management".to_owned(),
            value: Some(cny(98_800)),
            units: Figure::units(78_800, t.units),
            held: Some(Figure::units(20_000, t.units)),
            income: Figure::units(7, t.units),
            price: Some((Figure::scaled(10_000, 4, "CNY"), "2026-11-22".to_owned())),
        }],
        empty: Empty::new(t.no_holdings, t.no_holdings_text),
    };
    let t = Text::of(Locale::En);
    let none = Holdings {
        shell: shell(Locale::En, t.holdings, "/holdings"),
        totals: Vec::new(),
        holdings: Vec::new(),
        empty: Empty::new(t.no_holdings, t.no_holdings_text).link("/", t.find_account),
    };
    vec![
        sample("user/holdings.html", "full", &full),
        sample("user/holdings.html", "empty", &none),
    ]
}

fn account(follows: bool) -> Account {
    let t = Text::of(Locale::En);
    let service = |name: &str, title: &str| Link::new(format!("/a/lake-fund/{name}"), title);
    Account {
        shell: shell(Locale::En, "West Lake Fund", "/").back("/", t.home),
        name: "West Lake Fund".to_owned(),
        handle: "lake-fund".to_owned(),
        institution: "West Lake Fund Management Co.".to_owned(),
        kind: t.fund_company.to_owned(),
        summary: "A money-market fund with income every day, and instant redemption.".to_owned(),
        followers: fill(t.followers, &[&"12,408"]),
        follow: if follows {
            FollowButton::Unfollow(Link::new("/a/lake-fund/unfollow", t.following))
        } else {
            FollowButton::Follow(
                Form::new("follow", "/a/lake-fund/follow", CSRF, t.follow).compact(),
            )
        },
        menu: if follows {
            vec![
                MenuGroup {
                    title: "Money fund".to_owned(),
                    services: vec![service("buy", "Buy"), service("redeem", "Redeem")],
                },
                MenuGroup {
                    title: "About".to_owned(),
                    services: vec![
                        service("yield", "Yield and income"),
                        service("fees", "Fees"),
                    ],
                },
            ]
        } else {
            Vec::new()
        },
        no_service: Empty::new(t.no_service, t.no_service_text),
        messages: Some(if follows {
            vec![Message {
                at: when(600),
                text:
                    "Yesterday's income is credited: 0.07 units.\nYour seven-day yield is 2.431 %."
                        .to_owned(),
            }]
        } else {
            Vec::new()
        }),
        no_message: Empty::new(t.no_message, t.no_message_text),
        paging: Paging::default(),
    }
}

fn service() -> Service {
    let metric = |label: &str, value: &str, note: &str| Metric {
        label: label.to_owned(),
        value: value.to_owned(),
        note: note.to_owned(),
    };
    let action = |index: usize| {
        Form::new(&format!("action-{index}"), "/a/lake-fund/buy", CSRF, "Pay")
            .hidden("form", "pay")
            .hidden("f_fine", "F-1")
            .compact()
    };
    let item = |index, title: &str, detail: &str, value: &str| Item {
        title: title.to_owned(),
        detail: detail.to_owned(),
        value: value.to_owned(),
        action: Some(action(index)),
    };
    Service {
        shell: shell(Locale::En, "Buy the money fund", "/").back("/a/lake-fund", "West Lake Fund"),
        account: Link::new("/a/lake-fund", "West Lake Fund"),
        title: "Buy the money fund".to_owned(),
        blocks: vec![
            Block::Text(
                "Your money works from the next day on. You can redeem at any time.".to_owned(),
            ),
            Block::Metrics(vec![
                metric("Seven-day yield", "2.431 %", "annualised"),
                metric("Income per 10,000", "0.6512", "2026-11-21"),
            ]),
            Block::Notice(Notice::new(
                Tone::Warning,
                "Past yields say nothing about future ones.",
            )),
            Block::Heading("Facts".to_owned()),
            Block::Entries(Facts::new().with_entries([
                ("Smallest purchase", "1.00 CNY"),
                ("Custodian", "Bank of the Lake"),
            ])),
            Block::Items(vec![
                item(
                    0,
                    "Running a red light",
                    "West Lake Avenue, 2026-11-02",
                    "200.00 CNY",
                ),
                item(
                    1,
                    "Parking on a crossing",
                    "Station Road, 2026-11-09",
                    "150.00 CNY",
                ),
            ]),
            Block::Form(Box::new(
                Form::new("form-0", "/a/lake-fund/buy", CSRF, "Buy")
                    .hidden("form", "buy")
                    .field(
                        Field::new("f_amount", "Amount", Kind::Decimal("CNY".to_owned()))
                            .value("0.001")
                            .placeholder("1000.00")
                            .error(Some("At least 1.00 CNY.".to_owned())),
                    )
                    .field(
                        Field::new("f_note", "A note for yourself", Kind::Text)
                            .optional("optional"),
                    ),
            )),
        ],
    }
}

fn fees(t: &Text) -> Vec<FeeLine> {
    vec![
        FeeLine {
            name: "Purchase fee".to_owned(),
            told: format!(
                "{} · goes to Qiao 3.90 CNY, the institution 9.10 CNY",
                t.paid_by_you
            ),
            amount: cny(1_300),
        },
        FeeLine {
            name: "Platform fee".to_owned(),
            told: t.paid_by_institution.to_owned(),
            amount: cny(100),
        },
    ]
}

fn checkout(locale: Locale, state: CheckoutState, priced: bool) -> Checkout {
    let t = Text::of(locale);
    Checkout {
        shell: shell(locale, t.checkout, ""),
        title: "Buy the money fund".to_owned(),
        institution: "West Lake Fund Management Co.".to_owned(),
        product: "West Lake Money Market A".to_owned(),
        facts: Facts::new().with_entries([
            ("Income begins", "2026-11-23"),
            ("Custodian", "Bank of the Lake"),
        ]),
        payable: priced.then(|| Payable {
            principal_label: t.pay_amount.to_owned(),
            principal: cny(100_000),
            units: Some(Figure::units(100_000, t.units)),
            fees: fees(t),
            total_label: t.you_pay.to_owned(),
            total: cny(101_300),
            debit: None,
            notes: Facts::new(),
            arrival: Some(fill(t.arrives_on, &[&"2026-11-23"])),
            holds_until: fill(t.holds_until, &[&"2026-11-22 16:05:00"]),
        }),
        pays: true,
        methods: if priced {
            methods(t, false)
        } else {
            Vec::new()
        },
        state,
    }
}

fn ready(locale: Locale, error: Option<String>) -> CheckoutState {
    let t = Text::of(locale);
    let button = fill(t.confirm_pay, &[&"1,013.00 CNY"]);
    let form = Form::new("confirm", "/checkout/ofr_1", CSRF, &button)
        .hidden("quote", "eyJ…")
        .hidden("method", "balance")
        .hidden("key", "k2")
        .field(Field::new("pin", t.payment_pin, Kind::Pin).error(error));
    CheckoutState::Ready(Box::new(form))
}

/// The balance and one account, of which one is quoted.
fn methods(t: &Text, of_bank: bool) -> Vec<MethodRow> {
    let row = |is_bank: bool, name: &str, told: String| MethodRow {
        is_bank,
        name: name.to_owned(),
        told,
        href: (is_bank != of_bank).then(|| "/checkout/ofr_1?method=…".to_owned()),
    };
    let available = format!("{} 10,000.00 CNY", t.available);
    vec![
        row(false, t.balance, available),
        row(true, "Bank of the Lake **** 8801", t.bank_free.to_owned()),
    ]
}

/// The same order from a bank that takes a fee.
fn from_a_bank() -> Checkout {
    let t = Text::of(Locale::En);
    let mut view = checkout(Locale::En, ready(Locale::En, None), true);
    view.methods = methods(t, true);
    view.payable = view.payable.map(|payable| Payable {
        debit: Some(Debited {
            fee: cny(200),
            label: fill(t.taken_from, &[&"Bank of the Lake", &"**** 8801"]),
            amount: cny(101_500),
        }),
        ..payable
    });
    view
}

fn checkouts() -> Vec<Sample> {
    let en = Text::of(Locale::En);
    let wrong = fill(en.wrong_pin, &[&3]);
    let blocked = |title: &str, text: String, href: &str, label: &str| {
        let notice = Notice::new(Tone::Warning, text)
            .titled(title)
            .link(href, label);
        CheckoutState::Blocked(notice)
    };
    let expired = blocked(
        en.quote_expired,
        en.quote_expired_text.to_owned(),
        "/checkout/ofr_1",
        en.fresh_quote,
    );
    let small = blocked(
        en.balance_too_small,
        fill(en.balance_too_small_text, &[&"10.00 CNY", &"1,013.00 CNY"]),
        "/wallet",
        en.go_top_up,
    );
    let fresh = ready(Locale::ZhCn, None);
    let page = "user/checkout.html";
    vec![
        sample(page, "ready", &checkout(Locale::ZhCn, fresh, true)),
        sample(
            page,
            "wrong_pin",
            &checkout(Locale::En, ready(Locale::En, Some(wrong)), true),
        ),
        sample(page, "from_a_bank", &from_a_bank()),
        sample(page, "expired", &checkout(Locale::En, expired, false)),
        sample(page, "too_small", &checkout(Locale::En, small, true)),
    ]
}

fn transfers(t: &Text, rows: &[(&str, &str, &str, i64)]) -> Table {
    let columns = [
        t.transfer_purpose,
        t.transfer_from,
        t.transfer_to,
        &format!(">{}", t.amount),
    ];
    let mut table = Table::new(t.transfers, &columns, Empty::new(t.no_transfers, ""));
    for (purpose, from, to, fen) in rows {
        table.push(vec![
            Cell::text(*purpose),
            Cell::text(*from),
            Cell::text(*to),
            Cell::Figure(cny(*fen)),
        ]);
    }
    table
}

fn order(refunded: bool) -> Order {
    let t = Text::of(Locale::En);
    let paid = MoneyStory {
        title: t.payment.to_owned(),
        id: PAYMENT.to_owned(),
        state: Badge::new(Tone::Good, t.payment_posted),
        amount: cny(101_300),
        transfers: transfers(
            t,
            &[
                ("principal", "You", "West Lake Fund", 100_000),
                ("purchase-fee", "You", "West Lake Fund", 1_040),
                ("purchase-fee", "You", "Qiao", 260),
            ],
        ),
    };
    let back = MoneyStory {
        title: t.refund.to_owned(),
        id: PAYMENT.replace("pay", "rfd"),
        state: Badge::new(Tone::Good, t.payment_posted),
        amount: cny(101_300),
        transfers: transfers(t, &[("principal", "West Lake Fund", "You", 100_000)]),
    };
    let (state, explanation) = if refunded {
        (
            Badge::new(Tone::Warning, t.state_refunded),
            t.state_refunded_text,
        )
    } else {
        (
            Badge::new(Tone::Good, t.state_completed),
            t.state_completed_text,
        )
    };
    let mut timeline = Timeline::default()
        .step(Progress::Done, t.step_confirmed, Some(when(0)))
        .step(Progress::Done, t.step_held, Some(when(0)));
    timeline = if refunded {
        timeline
            .step(Progress::Failed, t.step_fulfilled, Some(when(1)))
            .detail("The authority's server refused the fine.")
            .step(Progress::Done, t.step_refunded, Some(when(1)))
    } else {
        timeline
            .step(Progress::Done, t.step_fulfilled, Some(when(1)))
            .step(Progress::Done, t.step_posted, Some(when(1)))
    };
    Order {
        shell: shell(Locale::En, t.orders, "/orders").back("/orders", t.orders),
        title: "Buy the money fund".to_owned(),
        id: ORDER.to_owned(),
        state,
        explanation: explanation.to_owned(),
        under_way: false,
        total: cny(101_300),
        timeline,
        receipt: if refunded {
            Facts::new()
        } else {
            Facts::new()
                .with(t.receipt_number, Cell::code("LF-20261122-0001"))
                .with("Income begins", Cell::text("2026-11-23"))
        },
        facts: Facts::new()
            .with(t.institution, Cell::text("West Lake Fund Management Co."))
            .with(t.product, Cell::text("West Lake Money Market A"))
            .with(t.units_held, Cell::Figure(Figure::units(100_000, t.units))),
        principal: (t.pay_amount.to_owned(), cny(100_000)),
        fees: fees(t),
        money: if refunded {
            vec![paid, back]
        } else {
            vec![paid]
        },
    }
}

fn orders(filled: bool) -> Orders {
    let t = Text::of(Locale::En);
    let row = |title: &str, tone, state: &str, fen| OrderRow {
        link: Link::new(format!("/orders/{ORDER}"), title),
        institution: "West Lake Fund".to_owned(),
        at: when(4),
        state: Badge::new(tone, state),
        total: cny(fen),
    };
    Orders {
        shell: shell(Locale::En, t.orders, "/orders"),
        orders: if filled {
            vec![
                row("Buy the money fund", Tone::Good, t.state_completed, 101_300),
                row(
                    "Fine F-2026-1102 of 浙A·12345",
                    Tone::Warning,
                    t.state_refunded,
                    20_000,
                ),
                row("Redeem 200.00 units", Tone::Info, t.state_held, 20_000),
                row("Fine F-2026-1109", Tone::Bad, t.state_unknown, 15_000),
            ]
        } else {
            Vec::new()
        },
        empty: Empty::new(t.no_orders, t.no_orders_text).link("/", t.find_account),
        paging: Paging {
            newest: Some(Link::new("/orders", t.newest)),
            older: Some(Link::new("/orders?before=x", t.older)),
        },
    }
}

pub(super) fn samples() -> Vec<Sample> {
    let mut all = vec![
        sample("user/home.html", "stranger", &home(Locale::En, false, true)),
        sample(
            "user/home.html",
            "stranger_zh",
            &home(Locale::ZhCn, false, true),
        ),
        sample("user/home.html", "new", &home(Locale::En, true, false)),
        sample("user/home.html", "full", &home(Locale::En, true, true)),
        sample("user/wallet.html", "empty", &wallet(false)),
        sample("user/wallet.html", "full", &wallet(true)),
        sample("user/account.html", "followed", &account(true)),
        sample("user/account.html", "fresh", &account(false)),
        sample("user/service.html", "all_blocks", &service()),
        sample("user/order.html", "completed", &order(false)),
        sample("user/order.html", "refunded", &order(true)),
        sample("user/orders.html", "full", &orders(true)),
        sample("user/orders.html", "empty", &orders(false)),
    ];
    all.extend(session());
    all.extend(holdings());
    all.extend(checkouts());
    all
}
