use axum::extract::State;
use axum::response::Response;
use qiao_banks::BankChannel;
use qiao_model::{Currency, Money};
use qiao_settlement::{ChannelCustody, CustodyCheck, Doubt};

use super::bank::named;
use crate::App;
use crate::pages::failed::{Failed, page};
use crate::pages::view::staff::{List, Section};
use crate::pages::view::{Badge, Cell, Empty, Figure, Link, Table, Tone};
use crate::pages::visit::Operator;

/// `GET /operator/custody`
pub(super) async fn show(State(app): State<App>, operator: Operator) -> Result<Response, Failed> {
    let check = app.settlement.custody(&operator.permit).await?;
    let known = app.banks.channels().await?;
    let calendar = app.settlement.calendar();
    let mut lead = "Qiao is a channel: whatever the books owe to somebody is at a custody bank, but for what institutions owe themselves.".to_owned();
    if let Some(year) = calendar.missing_year(app.env.today()) {
        lead.push_str(&format!(
            " No holiday of {year} is configured, so payouts follow its weekends alone: add them to [calendar] holidays."
        ));
    }
    let shell = operator.visit.operator_page(&app, "Custody", "/custody");
    let mut list = List::new(shell, &lead, owed(&check));
    list.actions = vec![Link::new("/operator/reconciliation", "Reconciliation")];
    let doubts = check.doubts();
    if !doubts.is_empty() {
        list.sections.push(Section {
            title: "Why it is not proved".to_owned(),
            table: reasons(&doubts),
        });
    }
    list.sections.push(Section {
        title: "Custody banks".to_owned(),
        table: channels(&check, &known),
    });
    page(&list)
}

fn owed(check: &CustodyCheck) -> Table {
    let empty = Empty::new("Nothing booked yet", "Balances appear here.");
    let mut table = Table::new(
        "Whose money it is",
        &["Whose", ">How much", "Verdict"],
        empty,
    );
    let money = |minor| Cell::Figure(Figure::money(Money::new(minor, check.currency)));
    let nothing = || Cell::text("");
    let wrong_unless_zero = |minor: i64| {
        Cell::Badge(match minor {
            0 => Badge::new(Tone::Good, "none"),
            _ => Badge::new(Tone::Bad, "not at a bank"),
        })
    };
    for (whose, minor, verdict) in [
        ("People's balances", check.people_minor, nothing()),
        (
            "Institutions, for orders",
            check.institutions_minor,
            nothing(),
        ),
        (
            "Fees of institutions, platform and channels",
            check.fees_minor,
            nothing(),
        ),
        ("Advanced by banks", check.advances_minor, nothing()),
        (
            "Between two accounts",
            check.clearing_minor,
            wrong_unless_zero(check.clearing_minor),
        ),
        ("Owed by institutions", check.receivables_minor, nothing()),
        (
            "Play money",
            check.play_minor,
            wrong_unless_zero(check.play_minor),
        ),
        ("Owed to anybody", check.owed_minor(), nothing()),
        ("At custody banks", check.custody_minor(), verdict(check)),
    ] {
        table.push(vec![Cell::text(whose), money(minor), verdict]);
    }
    table
}

fn verdict(check: &CustodyCheck) -> Cell {
    let doubts = check.doubts();
    let only_waits = doubts.iter().all(is_waiting);
    Cell::Badge(match (doubts.is_empty(), only_waits) {
        (true, _) => Badge::new(Tone::Good, "every yuan is at a bank"),
        (false, true) => Badge::new(Tone::Warning, "not proved yet"),
        (false, false) => Badge::new(Tone::Bad, "it does not add up"),
    })
}

/// Whether nothing is known to be wrong, and a statement is missing.
const fn is_waiting(doubt: &Doubt) -> bool {
    matches!(doubt, Doubt::NotCompared { .. })
}

fn reasons(doubts: &[Doubt]) -> Table {
    let empty = Empty::new("Nothing", "Every yuan is at a bank.");
    let mut table = Table::new("Why it is not proved", &["Reason", "Verdict"], empty);
    for doubt in doubts {
        let badge = match is_waiting(doubt) {
            true => Badge::new(Tone::Warning, "not compared"),
            false => Badge::new(Tone::Bad, "does not hold"),
        };
        table.push(vec![Cell::text(doubt.to_string()), Cell::Badge(badge)]);
    }
    table
}

fn channels(check: &CustodyCheck, known: &[BankChannel]) -> Table {
    let empty = Empty::new(
        "No bank yet",
        "Each custody bank appears with its first movement.",
    );
    let columns = [
        "Bank",
        ">Books",
        ">Leaving",
        ">Bank says",
        "Last day",
        ">Difference",
        ">Of it in cases",
        "Verdict",
    ];
    let mut table = Table::new("Custody banks", &columns, empty);
    for channel in &check.channels {
        table.push(row(channel, check.currency, known));
    }
    table
}

fn row(channel: &ChannelCustody, currency: Currency, known: &[BankChannel]) -> Vec<Cell> {
    let money = |minor| Cell::Figure(Figure::money(Money::new(minor, currency)));
    let dash = || Cell::text("–");
    let bank = channel.bank_minor.map_or_else(dash, money);
    let mut cells = vec![
        named(known, channel.channel),
        money(channel.books_minor),
        money(channel.leaving_minor),
        bank,
    ];
    match &channel.last_day {
        Some(day) => {
            let difference = day.difference_minor();
            cells.extend([
                Cell::text(day.run.day.to_string()),
                money(difference),
                money(day.cases_minor),
                Cell::Badge(match (difference, day.unexplained_minor()) {
                    (0, 0) => Badge::new(Tone::Good, "to the fen"),
                    (0, _) => Badge::new(Tone::Warning, "to the fen, with open cases"),
                    (_, 0) => Badge::new(Tone::Bad, "explained, not there"),
                    (_, _) => Badge::new(Tone::Bad, "not explained"),
                }),
            ]);
        }
        None => cells.extend([
            dash(),
            dash(),
            dash(),
            Cell::Badge(Badge::new(Tone::Plain, "no day ended yet")),
        ]),
    }
    cells
}
