use axum::extract::{Path, Query, State};
use axum::response::Response;
use qiao_banks::BankChannel;
use qiao_model::{CaseId, Channel, Currency, Day, Money};
use qiao_settlement::{Case, CaseEnd, CaseState, Error, NOTE_CHARS_MAX, PAGE_MAX, Reconciliation};
use serde::Deserialize;

use super::bank::{name_of, named};
use crate::App;
use crate::pages::failed::{Failed, page, refused, see};
use crate::pages::sent::Sent;
use crate::pages::view::staff::{List, Section};
use crate::pages::view::{
    Badge, Cell, Confirm, Empty, Facts, Field, Figure, Form, Kind, Link, Paging, Table, Tone, When,
};
use crate::pages::visit::Operator;

const HERE: &str = "/operator/reconciliation";

#[derive(Default, Deserialize)]
pub(super) struct CasesQuery {
    before: Option<String>,
}

/// `GET /operator/reconciliation`: what differs, and which days were compared.
pub(super) async fn list(
    State(app): State<App>,
    operator: Operator,
    Query(query): Query<CasesQuery>,
) -> Result<Response, Failed> {
    let before = query.before.as_deref().map(str::parse::<CaseId>);
    let before = before.transpose().map_err(Failed::not_found)?;
    let open = Some(CaseState::Open);
    let open = app.settlement.cases(&operator.permit, open, None).await?;
    let all = app.settlement.cases(&operator.permit, None, before).await?;
    let runs = app.settlement.reconciliations(&operator.permit).await?;
    let channels = app.banks.channels().await?;
    let lead = "Each bank's statement is held against the bank transfers once its day is over. A case closes by itself when its other half turns up.";
    let shell = operator
        .visit
        .operator_page(&app, "Reconciliation", "/reconciliation");
    let mut list = List::new(shell, lead, cases("Open cases", &open, &channels));
    list.actions = vec![Link::new("/operator/custody", "Custody")];
    let is_full = all.len() == PAGE_MAX;
    let older = all.last().filter(|_| is_full);
    list.sections[0].title = "Open cases".to_owned();
    list.sections.push(Section {
        title: "Days".to_owned(),
        table: days(&operator, &runs, &channels),
    });
    list.sections.push(Section {
        title: "All cases".to_owned(),
        table: cases("All cases", &all, &channels).paging(Paging {
            newest: before.map(|_| Link::new(HERE, "Newest")),
            older: older.map(|case| Link::new(format!("{HERE}?before={}", case.id), "Older")),
        }),
    });
    page(&list)
}

fn cases(title: &str, cases: &[Case], channels: &[BankChannel]) -> Table {
    let empty = Empty::new("No case", "Banks and books say the same.");
    let columns = [
        "Opened",
        "Bank and day",
        "What differs",
        ">Bank",
        ">Books",
        "State",
        "",
    ];
    let mut table = Table::new(title, &columns, empty);
    for case in cases {
        let lines = |minor: Option<i64>| minor.map_or_else(|| Cell::text("–"), money);
        let named = case.bank_reference.as_ref().or(case.transfer.as_ref());
        let action = match case.state {
            CaseState::Open => Cell::link(format!("{HERE}/cases/{}", case.id), "Decide…"),
            CaseState::Matched
            | CaseState::Explained
            | CaseState::Corrected
            | CaseState::WrittenOff => Cell::text(case.note.clone().unwrap_or_default()),
        };
        table.push(vec![
            Cell::When(When(case.opened_at)),
            Cell::Two(bank_name(channels, case.channel), case.day.to_string()),
            Cell::Two(
                case.kind.name().replace('-', " "),
                named.cloned().unwrap_or_default(),
            ),
            lines(case.bank_minor),
            lines(case.books_minor),
            Cell::Badge(badge(case.state)),
            action,
        ]);
    }
    table
}

fn bank_name(channels: &[BankChannel], code: Channel) -> String {
    name_of(channels, code).map_or_else(|| code.to_string(), str::to_owned)
}

fn badge(state: CaseState) -> Badge {
    let tone = match state {
        CaseState::Open => Tone::Warning,
        CaseState::Matched | CaseState::Explained | CaseState::Corrected => Tone::Good,
        CaseState::WrittenOff => Tone::Bad,
    };
    Badge::new(tone, state.name().replace('-', " "))
}

fn money(minor: i64) -> Cell {
    Cell::Figure(Figure::money(Money::new(minor, Currency::CNY)).signed())
}

fn balance(minor: i64) -> Cell {
    Cell::Figure(Figure::money(Money::new(minor, Currency::CNY)))
}

fn days(operator: &Operator, runs: &[Reconciliation], channels: &[BankChannel]) -> Table {
    let empty = Empty::new("No day yet", "A day is compared soon after it has ended.");
    let columns = [
        "Day",
        "Bank",
        ">Lines",
        ">Matched",
        ">Bank's balance",
        ">Books",
        "",
    ];
    let mut table = Table::new("Days", &columns, empty);
    for (index, run) in runs.iter().enumerate() {
        let id = format!("compare-{index}");
        let again = Form::new(&id, HERE, operator.visit.csrf(), "Compare again")
            .hidden("channel", run.channel.to_string())
            .hidden("day", run.day.to_string());
        table.push(vec![
            Cell::text(run.day.to_string()),
            named(channels, run.channel),
            Cell::Figure(Figure::count(run.lines)),
            Cell::Figure(Figure::count(run.matched)),
            balance(run.bank_closing),
            balance(run.books_closing),
            Cell::Forms(vec![again.tone(Tone::Info).compact()]),
        ]);
    }
    table
}

#[derive(Default, Deserialize)]
pub(super) struct Compared {
    channel: String,
    day: String,
}

/// `POST /operator/reconciliation`: compares a day again.
pub(super) async fn compare(
    State(app): State<App>,
    operator: Operator,
    Sent(sent): Sent<Compared>,
) -> Result<Response, Failed> {
    let channel: Channel = sent.channel.parse().map_err(Failed::not_found)?;
    let day: Day = sent.day.parse().map_err(Failed::not_found)?;
    let run = app.settlement.reconcile(&operator.permit, channel, day);
    run.await?;
    see(format!("{HERE}?note=compared"))
}

/// `GET /operator/reconciliation/cases/{case}`: asks how it ends.
pub(super) async fn ask(
    State(app): State<App>,
    operator: Operator,
    Path(id): Path<String>,
) -> Result<Response, Failed> {
    let case = find(&app, &operator, &id).await?;
    if case.state != CaseState::Open {
        return see(format!("{HERE}?note=case-ended"));
    }
    let fresh = (&Ending::default(), None);
    page(&question(&app, &operator, &case, fresh).await?)
}

async fn find(app: &App, operator: &Operator, id: &str) -> Result<Case, Failed> {
    let id: CaseId = id.parse().map_err(Failed::not_found)?;
    let found = app.settlement.case(&operator.permit, id).await?;
    found.ok_or_else(|| Failed::not_found(format_args!("there is no case {id}")))
}

#[derive(Default, Deserialize)]
pub(super) struct Ending {
    #[serde(default)]
    end: String,
    #[serde(default)]
    note: String,
}

async fn question(
    app: &App,
    operator: &Operator,
    case: &Case,
    (ending, wrong): (&Ending, Option<String>),
) -> Result<Confirm, Failed> {
    let bank = bank_name(&app.banks.channels().await?, case.channel);
    let facts = Facts::new()
        .with("Case", Cell::code(case.id))
        .with(
            "What differs",
            Cell::text(case.kind.name().replace('-', " ")),
        )
        .with("Bank and day", Cell::text(format!("{bank}, {}", case.day)))
        .with_some(
            "The bank's id",
            case.bank_reference.as_ref().map(Cell::code),
        )
        .with_some("Bank transfer", case.transfer.as_ref().map(Cell::code))
        .with_some("The bank says", case.bank_minor.map(money))
        .with_some("The books say", case.books_minor.map(money))
        .with(
            "The bank is above the books by",
            money(case.difference_minor()),
        );
    let ends = [
        ("explained", "Explained: it is known why, and no loss"),
        ("corrected", "Corrected: it was put right"),
        ("written-off", "Written off: it stays"),
    ];
    let ends = ends.map(|(value, label)| (value.to_owned(), label.to_owned()));
    let action = format!("{HERE}/cases/{}", case.id);
    let form = Form::new("confirm", action, operator.visit.csrf(), "End the case")
        .field(Field::new("end", "How it ends", Kind::Choice(ends.to_vec())).value(&ending.end))
        .field(
            Field::new("note", "What was found", Kind::Lines)
                .value(&ending.note)
                .error(wrong),
        )
        .cancel(HERE, "Cancel");
    Ok(Confirm {
        shell: operator
            .visit
            .operator_page(app, "End this case?", "/reconciliation"),
        text: "A case ends once, and the audit keeps who ended it and why.".to_owned(),
        facts,
        form,
    })
}

/// `POST /operator/reconciliation/cases/{case}`
pub(super) async fn end(
    State(app): State<App>,
    operator: Operator,
    Path(id): Path<String>,
    Sent(ending): Sent<Ending>,
) -> Result<Response, Failed> {
    let case = find(&app, &operator, &id).await?;
    let how = CaseEnd::of_name(&ending.end).ok_or_else(|| Failed::not_found("no such end"))?;
    let ended = app
        .settlement
        .end_case(&operator.permit, case.id, how, &ending.note)
        .await;
    match ended {
        Ok(_) => see(format!("{HERE}?note=case-ended")),
        Err(Error::Note(_)) => {
            let wrong = format!("Say what was found, in at most {NOTE_CHARS_MAX} characters.");
            refused(&question(&app, &operator, &case, (&ending, Some(wrong))).await?)
        }
        Err(error) => Err(error.into()),
    }
}
