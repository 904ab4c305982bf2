use axum::extract::{Path, Query, State};
use axum::response::Response;
use qiao_banks::{
    BankChannel, BankTransfer, ChannelState, Error, Evidence, TransferPage, TransferState, Verdict,
};
use qiao_model::{BankTransferId, Channel, Currency, Money};
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
        table: transfer_table(&open).paging(paging),
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

fn transfer_table(open: &[BankTransfer]) -> Table {
    let empty = Empty::new(
        "Every transfer has ended",
        "Transfers that a bank has not ended appear here.",
    );
    let columns = [
        "Transfer",
        "Channel",
        "State",
        "Asked again",
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
            Cell::text(transfer.route.channel.to_string()),
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

async fn find(app: &App, operator: &Operator, id: &str) -> Result<BankTransfer, Failed> {
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
    page(&review(&app, &operator, &transfer, None).await?)
}

async fn review(
    app: &App,
    operator: &Operator,
    transfer: &BankTransfer,
    wrong: Option<String>,
) -> Result<BankTransferReview, Failed> {
    let evidence = app.banks.evidence(&operator.permit, transfer.id).await?;
    let (route, standing) = (&transfer.route, &transfer.standing);
    let facts = Facts::new()
        .with("Purpose", Cell::text(transfer.purpose.name()))
        .with("Whose", Cell::code(transfer.party))
        .with("Channel", Cell::text(route.channel.to_string()))
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
        );
    let here = format!("/operator/banks/transfers/{}", transfer.id);
    let csrf = operator.visit.csrf();
    let is_stuck = transfer.is_stuck();
    let verdicts = [
        ("rejected", "The bank moved nothing"),
        ("done", "The bank moved the money"),
    ];
    let verdicts = verdicts.map(|(value, label)| (value.to_owned(), label.to_owned()));
    Ok(BankTransferReview {
        shell: operator
            .visit
            .operator_page(app, transfer.id.to_string(), "/banks")
            .back("/operator/banks", "Banks"),
        state: state_badge(transfer),
        facts,
        evidence: evidence_table(&evidence),
        ask_again: is_stuck.then(|| {
            Form::new(
                "ask-again",
                format!("{here}/ask-again"),
                csrf,
                "Ask the bank again",
            )
        }),
        decide: is_stuck.then(|| {
            Form::new("decide", format!("{here}/decide"), csrf, "Decide")
                .tone(Tone::Bad)
                .problem(wrong)
                .field(Field::new(
                    "verdict",
                    "What the bank's paper says",
                    Kind::Choice(verdicts.to_vec()),
                ))
                .field(
                    Field::new("bank_reference", "Bank's number", Kind::Code)
                        .optional("when it moved the money"),
                )
                .field(
                    Field::new("reason", "What proves it", Kind::Text)
                        .hint("Kept in the audit; at most 200 characters."),
                )
        }),
    })
}

fn evidence_table(evidence: &[Evidence]) -> Table {
    let empty = Empty::new(
        "Nothing is known yet",
        "Each exchange with the bank appears here.",
    );
    let columns = ["When", "Channel", "How", "What", "Detail"];
    let mut table = Table::new("Evidence", &columns, empty);
    for one in evidence {
        table.push(vec![
            Cell::When(When(one.at)),
            Cell::text(one.channel.to_string()),
            Cell::text(one.via.name()),
            Cell::text(one.outcome.clone()),
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

#[derive(Default, Deserialize)]
pub(super) struct Decision {
    #[serde(default)]
    verdict: String,
    #[serde(default)]
    bank_reference: String,
    #[serde(default)]
    reason: String,
}

/// `POST /operator/banks/transfers/{transfer}/decide`
pub(super) async fn decide(
    State(app): State<App>,
    operator: Operator,
    Path(id): Path<String>,
    Sent(sent): Sent<Decision>,
) -> Result<Response, Failed> {
    let transfer = find(&app, &operator, &id).await?;
    let verdict = match sent.verdict.as_str() {
        "done" => Verdict::Done {
            bank_reference: sent.bank_reference,
        },
        _ => Verdict::Rejected,
    };
    let decided = app
        .banks
        .decide(&operator.permit, transfer.id, verdict, &sent.reason)
        .await;
    match decided {
        Ok(_) => see("/operator/banks?note=bank-decided"),
        Err(error @ Error::Reason(_)) => {
            let wrong = Some(sentence_of(&error.to_string()));
            refused(&review(&app, &operator, &transfer, wrong).await?)
        }
        Err(error) => Err(error.into()),
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
