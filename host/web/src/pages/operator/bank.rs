use axum::extract::{Path, Query, State};
use axum::response::Response;
use qiao_banks::{
    BankChannel, BankTransfer, ChannelState, Error, Evidence, TransferPage, TransferState,
};
use qiao_model::{BankTransferId, Channel, Currency, Money};
use qiao_payments::Party;
use serde::Deserialize;

use super::institution::Reason;
use crate::App;
use crate::pages::failed::{Failed, page, refused, see, sentence_of};
use crate::pages::sent::Sent;
use crate::pages::user::Nothing;
use crate::pages::view::operator::BankTransferReview;
use crate::pages::view::staff::{List, Section};
use crate::pages::view::{
    Badge, Cell, Confirm, Empty, Facts, Field, Figure, Form, Kind, Link, Paging, Table, Tone, When,
};
use crate::pages::visit::{Operator, Visit};

/// Transfers of one page.
const TRANSFERS_PER_PAGE: usize = 50;

#[derive(Default, Deserialize)]
pub(super) struct BanksQuery {
    before: Option<String>,
}

/// `GET /operator/banks`: the channels, and what has not ended.
pub(super) async fn list(
    State(app): State<App>,
    operator: Operator,
    Query(query): Query<BanksQuery>,
) -> Result<Response, Failed> {
    let before = query.before.as_deref().map(str::parse::<BankTransferId>);
    let before = before.transpose().map_err(Failed::not_found)?;
    let wanted = TransferPage {
        before,
        limit: TRANSFERS_PER_PAGE,
    };
    let channels = app.banks.channels().await?;
    let open = app.banks.open_transfers(&operator.permit, wanted).await?;
    let older = open
        .last()
        .filter(|_| open.len() == TRANSFERS_PER_PAGE)
        .map(|last| Link::new(format!("/operator/banks?before={}", last.id), "Older"));
    let paging = Paging {
        newest: before.map(|_| Link::new("/operator/banks", "Newest")),
        older,
    };
    let lead = "Money goes to and comes from custody banks by these channels. A transfer that nobody knows the end of is asked for with longer and longer pauses; after the last it is stuck and waits here.";
    let shell = operator.visit.operator_page(&app, "Banks", "/banks");
    let mut view = List::new(shell, lead, channel_table(&operator.visit, &channels));
    view.sections[0].title = "Channels".to_owned();
    view.sections.push(Section {
        title: "Transfers that have not ended".to_owned(),
        table: transfer_table(&open, &channels).paging(paging),
    });
    page(&view)
}

fn channel_table(visit: &Visit, channels: &[BankChannel]) -> Table {
    let empty = Empty::new(
        "No bank is configured",
        "Write one into qiao.toml: `qiao admin config` shows how.",
    );
    let columns = [
        "Channel",
        "Can",
        ">Flat cost",
        ">Share",
        ">At most",
        "State",
        "",
    ];
    let mut table = Table::new("Channels", &columns, empty);
    let fen = |minor| Cell::Figure(Figure::money(Money::new(minor, Currency::CNY)));
    for (index, channel) in channels.iter().enumerate() {
        let here = format!("/operator/banks/{}", channel.code);
        let (state, action) = match channel.state {
            ChannelState::Active => (
                Cell::Badge(Badge::new(Tone::Good, "active")),
                Cell::link(format!("{here}/pause"), "Pause…"),
            ),
            ChannelState::Paused => {
                let why = channel.paused_because.clone().unwrap_or_default();
                let resume = Form::new(
                    &format!("resume-{index}"),
                    format!("{here}/resume"),
                    visit.csrf(),
                    "Resume",
                );
                (
                    Cell::Two("paused".to_owned(), why),
                    Cell::Forms(vec![resume.compact()]),
                )
            }
        };
        table.push(vec![
            Cell::Two(channel.name.clone(), channel.code.to_string()),
            Cell::text(channel.abilities.name()),
            fen(channel.cost.flat_minor),
            Cell::text(channel.cost.rate.to_string()),
            fen(channel.amount_max_minor),
            state,
            action,
        ]);
    }
    table
}

fn transfer_table(open: &[BankTransfer], channels: &[BankChannel]) -> Table {
    let empty = Empty::new(
        "Every transfer has ended",
        "Transfers that a bank has not ended appear here.",
    );
    let columns = [
        "Transfer",
        "Bank",
        "State",
        "Asked again at",
        ">Attempt",
        ">Amount",
    ];
    let mut table = Table::new("Transfers that have not ended", &columns, empty);
    for transfer in open {
        let standing = &transfer.standing;
        let next = standing
            .next_at
            .map_or_else(|| Cell::text("–"), |at| Cell::When(When(at)));
        table.push(vec![
            Cell::link(
                format!("/operator/banks/transfers/{}", transfer.id),
                transfer.id.to_string(),
            ),
            named(channels, transfer.route.channel),
            Cell::Badge(state_badge(transfer)),
            next,
            Cell::Figure(Figure::count(i64::from(standing.attempt))),
            Cell::Figure(Figure::money(transfer.route.amount)),
        ]);
    }
    table
}

fn state_badge(transfer: &BankTransfer) -> Badge {
    if transfer.is_stuck() {
        return Badge::new(Tone::Bad, "stuck");
    }
    let tone = match transfer.standing.state {
        TransferState::Requested | TransferState::Accepted => Tone::Info,
        TransferState::Unknown => Tone::Warning,
        TransferState::Done => Tone::Good,
        TransferState::Rejected => Tone::Plain,
    };
    Badge::new(tone, transfer.standing.state.name())
}

pub(super) async fn find(app: &App, operator: &Operator, id: &str) -> Result<BankTransfer, Failed> {
    let id: BankTransferId = id.parse().map_err(Failed::not_found)?;
    let found = app.banks.transfer(&operator.permit, id).await?;
    found.ok_or_else(|| Failed::not_found(format_args!("there is no bank transfer {id}")))
}

/// `GET /operator/banks/transfers/{transfer}`: the evidence.
pub(super) async fn show(
    State(app): State<App>,
    operator: Operator,
    Path(id): Path<String>,
) -> Result<Response, Failed> {
    let transfer = find(&app, &operator, &id).await?;
    page(&review(&app, &operator, &transfer).await?)
}

async fn review(
    app: &App,
    operator: &Operator,
    transfer: &BankTransfer,
) -> Result<BankTransferReview, Failed> {
    let channels = app.banks.channels().await?;
    let evidence = app.banks.evidence(&operator.permit, transfer.id).await?;
    let here = format!("/operator/banks/transfers/{}", transfer.id);
    let is_stuck = transfer.is_stuck();
    Ok(BankTransferReview {
        shell: operator
            .visit
            .operator_page(app, "Bank transfer", "/banks")
            .back("/operator/banks", "Banks"),
        state: state_badge(transfer),
        facts: facts(app, transfer).await?,
        evidence: evidence_table(&evidence, &channels),
        ask_again: is_stuck.then(|| {
            Form::new(
                "ask-again",
                format!("{here}/ask-again"),
                operator.visit.csrf(),
                "Ask the bank again",
            )
        }),
        decide: is_stuck.then(|| Link::new(format!("{here}/decide"), "Decide…")),
    })
}

/// What is known of a transfer, for whoever looks at it or ends it.
pub(super) async fn facts(app: &App, transfer: &BankTransfer) -> Result<Facts, Failed> {
    let channels = app.banks.channels().await?;
    let (route, standing) = (&transfer.route, &transfer.standing);
    Ok(Facts::new()
        .with("Transfer", Cell::code(transfer.id))
        .with("Purpose", Cell::text(transfer.purpose.name()))
        .with("Whose", whose(app, transfer.party).await?)
        .with("Bank", named(&channels, route.channel))
        .with("Amount", Cell::Figure(Figure::money(route.amount)))
        .with("Fee", Cell::Figure(Figure::money(route.fee)))
        .with("Payment", Cell::code(route.payment))
        .with("Asked for", Cell::When(When(transfer.requested_at)))
        .with_some(
            "Bank's number",
            standing.bank_reference.as_ref().map(Cell::code),
        )
        .with_some(
            "What happened",
            standing
                .reason
                .as_deref()
                .map(|why| Cell::text(sentence_of(why))),
        ))
}

/// An institution by its name; a person by their id alone.
async fn whose(app: &App, party: Party) -> Result<Cell, Failed> {
    let (Party::Institution(id) | Party::Revenue(id)) = party else {
        return Ok(Cell::code(party));
    };
    let found = app.registry.institution(id).await?;
    Ok(found.map_or_else(
        || Cell::code(party),
        |found| Cell::Two(found.name, party.to_string()),
    ))
}

/// A channel by its bank's name; by its code alone once the configuration has
/// forgotten it.
pub(super) fn named(channels: &[BankChannel], code: Channel) -> Cell {
    match name_of(channels, code) {
        Some(name) => Cell::Two(name.to_owned(), code.to_string()),
        None => Cell::code(code),
    }
}

/// The name of a channel's bank, while the configuration knows it.
pub(super) fn name_of(channels: &[BankChannel], code: Channel) -> Option<&str> {
    let found = channels.iter().find(|channel| channel.code == code);
    found.map(|channel| channel.name.as_str())
}

fn evidence_table(evidence: &[Evidence], channels: &[BankChannel]) -> Table {
    let empty = Empty::new(
        "Nothing is known yet",
        "Each exchange with the bank appears here.",
    );
    let columns = ["When", "Bank", "How", "What", "Detail"];
    let mut table = Table::new("Evidence", &columns, empty);
    for one in evidence {
        table.push(vec![
            Cell::When(When(one.at)),
            named(channels, one.channel),
            Cell::text(one.via.name().replace('-', " ")),
            Cell::text(one.outcome.replace('-', " ")),
            Cell::text(sentence_of(&one.detail)),
        ]);
    }
    table
}

/// `POST /operator/banks/transfers/{transfer}/ask-again`
pub(super) async fn ask_again(
    State(app): State<App>,
    operator: Operator,
    Path(id): Path<String>,
    Sent(Nothing {}): Sent<Nothing>,
) -> Result<Response, Failed> {
    let id: BankTransferId = id.parse().map_err(Failed::not_found)?;
    if app.banks.ask_again(&operator.permit, id).await? {
        see("/operator/banks?note=bank-asked")
    } else {
        Err(Failed::not_found(format_args!(
            "bank transfer {id} is not stuck"
        )))
    }
}

/// `GET /operator/banks/{channel}/pause`: asks first.
pub(super) async fn ask_pause(
    State(app): State<App>,
    operator: Operator,
    Path(code): Path<String>,
) -> Result<Response, Failed> {
    page(&pausing(&app, &operator, &code, None).await?)
}

async fn pausing(
    app: &App,
    operator: &Operator,
    code: &str,
    wrong: Option<String>,
) -> Result<Confirm, Failed> {
    let code: Channel = code.parse().map_err(Failed::not_found)?;
    let channel = app.banks.channel(code).await?;
    let title = format!("Pause {}?", channel.name);
    let action = format!("/operator/banks/{code}/pause");
    Ok(Confirm {
        shell: operator.visit.operator_page(app, title, "/banks"),
        text: "Nothing new begins on it until it is resumed. What is under way is still asked for."
            .to_owned(),
        facts: Facts::new().with("Channel", Cell::code(code)),
        form: Form::new("confirm", action, operator.visit.csrf(), "Pause")
            .tone(Tone::Bad)
            .field(Field::new("reason", "Reason", Kind::Text).error(wrong))
            .cancel("/operator/banks", "Cancel"),
    })
}

/// `POST /operator/banks/{channel}/pause`
pub(super) async fn pause(
    State(app): State<App>,
    operator: Operator,
    Path(code): Path<String>,
    Sent(Reason { reason }): Sent<Reason>,
) -> Result<Response, Failed> {
    let channel: Channel = code.parse().map_err(Failed::not_found)?;
    let paused = app.banks.pause_channel(&operator.permit, channel, &reason);
    match paused.await {
        Ok(()) => see("/operator/banks?note=bank-paused"),
        Err(error @ Error::Reason(_)) => {
            let wrong = Some(sentence_of(&error.to_string()));
            refused(&pausing(&app, &operator, &code, wrong).await?)
        }
        Err(error) => Err(error.into()),
    }
}

/// `POST /operator/banks/{channel}/resume`
pub(super) async fn resume(
    State(app): State<App>,
    operator: Operator,
    Path(code): Path<String>,
    Sent(Nothing {}): Sent<Nothing>,
) -> Result<Response, Failed> {
    let channel: Channel = code.parse().map_err(Failed::not_found)?;
    app.banks.resume_channel(&operator.permit, channel).await?;
    see("/operator/banks?note=bank-resumed")
}
