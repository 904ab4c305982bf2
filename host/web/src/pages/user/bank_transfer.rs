use axum::extract::{Path, State};
use axum::response::Response;
use qiao_auth::Error as AuthError;
use qiao_banks::{
    BankChannel, BankLink, BankTransfer, Direction, Error, LinkState, NewTopUp, NewWithdrawal,
    Purpose, TransferState,
};
use qiao_model::{BankLinkId, BankTransferId, Currency, Money, Secret};
use qiao_payments::{IdempotencyKey, Refusal};
use serde::Deserialize;

use super::bank::{bank_name, standing_text};
use super::wallet::{self, new_key};
use crate::App;
use crate::pages::failed::{Failed, page, see};
use crate::pages::sent::Sent;
use crate::pages::text::{Text, fill};
use crate::pages::view::user::BankTransferPage;
use crate::pages::view::{Cell, Facts, Field, Figure, Form, Kind, Link, Notice, Tone, When};
use crate::pages::visit::{Person, own_path};

/// What a form asks for.
#[derive(Default, Deserialize)]
pub(super) struct Asked {
    #[serde(default)]
    pub(super) link: String,
    #[serde(default)]
    pub(super) amount: String,
    #[serde(default)]
    pin: String,
    #[serde(default)]
    key: String,
    #[serde(default)]
    next: String,
}

const TOP_UP: &str = "bank-top-up";
const WITHDRAW: &str = "withdraw";

/// A form that was refused: what it held, and what stood against it.
pub(super) struct Kept<'a> {
    form: &'static str,
    asked: &'a Asked,
    wrong: Wrong,
}

/// What stood against a form: beside a field, or against the whole of it.
enum Wrong {
    /// It is no amount.
    Amount(String),
    /// The PIN does not count.
    Pin(String),
    /// Anything else.
    Whole(String),
}

impl Kept<'_> {
    /// Puts back what was typed and says what was wrong with it; never a PIN.
    fn fill(kept: Option<&Self>, form: Form, mut account: Field, mut amount: Field) -> Form {
        let Some(kept) = kept else {
            return form.field(account).field(amount);
        };
        account = account.value(&kept.asked.link);
        amount = amount.value(&kept.asked.amount);
        let (amount, whole) = match &kept.wrong {
            Wrong::Amount(wrong) => (amount.error(Some(wrong.clone())), None),
            Wrong::Whole(wrong) => (amount, Some(wrong.clone())),
            Wrong::Pin(_) => (amount, None),
        };
        form.problem(whole).field(account).field(amount)
    }

    fn pin(kept: Option<&Self>) -> Option<String> {
        match kept.map(|kept| &kept.wrong) {
            Some(Wrong::Pin(wrong)) => Some(wrong.clone()),
            Some(Wrong::Amount(_) | Wrong::Whole(_)) | None => None,
        }
    }
}

/// The wallet's forms from and to the bank; none without a usable link, and no
/// withdrawal without a PIN.
pub(super) async fn forms(
    app: &App,
    person: &Person,
    next: &str,
    kept: Option<&Kept<'_>>,
) -> Result<Vec<(String, String, Form)>, Failed> {
    let t = person.visit.t();
    let choices = accounts(app, person).await?;
    if choices.is_empty() {
        return Ok(Vec::new());
    }
    let account = || Field::new("link", t.bank_account, Kind::Choice(choices.clone()));
    let amount =
        || Field::new("amount", t.amount, Kind::Decimal("CNY".to_owned())).placeholder("1000.00");
    let csrf = person.visit.csrf();
    let of = |id| kept.filter(|kept| kept.form == id);
    let top_up = Form::new(TOP_UP, "/banks/top-up", csrf, t.top_up)
        .hidden("key", new_key(app))
        .hidden("next", next);
    let top_up = Kept::fill(of(TOP_UP), top_up, account(), amount());
    let mut forms = vec![(t.top_up.to_owned(), t.from_bank.to_owned(), top_up)];
    if app.auth.has_pin(&person.permit).await? {
        let pin = Field::new("pin", t.payment_pin, Kind::Pin).error(Kept::pin(of(WITHDRAW)));
        let withdraw =
            Form::new(WITHDRAW, "/banks/withdraw", csrf, t.withdraw).hidden("key", new_key(app));
        let withdraw = Kept::fill(of(WITHDRAW), withdraw, account(), amount()).field(pin);
        forms.push((t.withdraw.to_owned(), t.to_bank.to_owned(), withdraw));
    }
    Ok(forms)
}

/// The person's usable accounts as choices: each with what it costs, and first
/// the one that the host chooses when there are several.
pub(super) async fn accounts(app: &App, person: &Person) -> Result<Vec<(String, String)>, Failed> {
    let t = person.visit.t();
    let channels = app.banks.channels().await?;
    let links = app.banks.links(&person.permit).await?;
    let usable = links.iter().filter(|link| link.state == LinkState::Active);
    let mut choices: Vec<(String, String)> = usable
        .map(|link| (link.id.to_string(), account_label(&channels, link, t)))
        .collect();
    if choices.len() > 1 {
        choices.insert(0, (String::new(), t.any_account.to_owned()));
    }
    Ok(choices)
}

fn account_label(channels: &[BankChannel], link: &BankLink, t: &Text) -> String {
    let channel = channels.iter().find(|channel| channel.code == link.channel);
    let cost = channel.map_or_else(String::new, |channel| standing_text(channel, t));
    let bank = bank_name(channels, link);
    format!("{bank} {} · {cost}", link.number_masked)
}

impl Asked {
    fn amount(&self, t: &'static Text) -> Result<Money, String> {
        match Money::parse(&self.amount, Currency::CNY) {
            Ok(amount) if amount.minor >= 1 => Ok(amount),
            Ok(_) | Err(_) => Err(t.not_an_amount.to_owned()),
        }
    }

    fn link(&self) -> Result<Option<BankLinkId>, Failed> {
        if self.link.is_empty() {
            return Ok(None);
        }
        self.link.parse().map(Some).map_err(Failed::not_found)
    }

    fn key(&self, person: &Person, path: &str, amount: Money) -> Result<IdempotencyKey, Refusal> {
        let request = format!("POST {path} {amount} {}", self.link);
        IdempotencyKey::of(&person.permit, &self.key, request.as_bytes())
    }
}

/// `POST /banks/top-up`
pub(super) async fn top_up(
    State(app): State<App>,
    person: Person,
    Sent(asked): Sent<Asked>,
) -> Result<Response, Failed> {
    let t = person.visit.t();
    let amount = match asked.amount(t) {
        Ok(amount) => amount,
        Err(wrong) => {
            let wrong = Wrong::Amount(wrong);
            return refuse(&app, &person, (TOP_UP, &asked, wrong)).await;
        }
    };
    let new = NewTopUp {
        link: asked.link()?,
        amount,
        key: asked.key(&person, "/banks/top-up", amount)?,
    };
    match app.banks.top_up(&person.permit, new).await {
        Ok(transfer) => {
            let is_done = transfer.standing.state == TransferState::Done;
            if is_done && !asked.next.is_empty() {
                return see(own_path(&asked.next));
            }
            see(format!("/banks/transfers/{}", transfer.id))
        }
        Err(error) => match refusal(&error, t) {
            Some(told) => refuse(&app, &person, (TOP_UP, &asked, Wrong::Whole(told))).await,
            None => Err(error.into()),
        },
    }
}

/// `POST /banks/withdraw`
pub(super) async fn withdraw(
    State(app): State<App>,
    person: Person,
    Sent(asked): Sent<Asked>,
) -> Result<Response, Failed> {
    let t = person.visit.t();
    let amount = match asked.amount(t) {
        Ok(amount) => amount,
        Err(wrong) => {
            let wrong = Wrong::Amount(wrong);
            return refuse(&app, &person, (WITHDRAW, &asked, wrong)).await;
        }
    };
    let pin = Secret::new(asked.pin.clone());
    let verified = (app.auth).verify_pin_in_session(&person.permit, &person.session, &pin);
    let pin = match verified.await {
        Ok(pin) => pin,
        Err(error) => match wrong_pin(&error, t) {
            Some(wrong) => {
                let wrong = Wrong::Pin(wrong);
                return refuse(&app, &person, (WITHDRAW, &asked, wrong)).await;
            }
            None => return Err(error.into()),
        },
    };
    let new = NewWithdrawal {
        link: asked.link()?,
        amount,
        pin,
        key: asked.key(&person, "/banks/withdraw", amount)?,
    };
    match app.banks.withdraw(&person.permit, new).await {
        Ok(transfer) => see(format!("/banks/transfers/{}", transfer.id)),
        Err(error) => match refusal(&error, t) {
            Some(told) => refuse(&app, &person, (WITHDRAW, &asked, Wrong::Whole(told))).await,
            None => Err(error.into()),
        },
    }
}

/// The sentence for a PIN that does not count.
fn wrong_pin(error: &AuthError, t: &Text) -> Option<String> {
    match error {
        AuthError::WrongPin { tries_left } => Some(fill(t.wrong_pin, &[tries_left])),
        AuthError::PinLocked { until } => Some(fill(t.pin_locked, &[&until.local()])),
        AuthError::NoPin => Some(t.pin_needed_text.to_owned()),
        _ => None,
    }
}

/// The wallet with what stood against a form of it. Nothing was asked of a bank.
async fn refuse(
    app: &App,
    person: &Person,
    (form, asked, wrong): (&'static str, &Asked, Wrong),
) -> Result<Response, Failed> {
    let kept = Kept { form, asked, wrong };
    wallet::refuse(app, person, &asked.next, &kept).await
}

/// What a person is told of a refusal that they can do something about.
pub(super) fn refusal(error: &Error, t: &Text) -> Option<String> {
    match error {
        Error::NoRoute => Some(t.no_bank_route.to_owned()),
        Error::LinkOver(_) => Some(t.reason_link_over.to_owned()),
        Error::Payment(Refusal::InsufficientFunds {
            available,
            requested,
        }) => {
            let figure = |amount| Figure::amount(amount, "").text();
            let (has, needs) = (figure(*available), figure(*requested));
            Some(fill(t.balance_too_small_text, &[&has, &needs]))
        }
        _ => None,
    }
}

/// `GET /banks/transfers/{transfer}`
pub(super) async fn show(
    State(app): State<App>,
    person: Person,
    Path(id): Path<String>,
) -> Result<Response, Failed> {
    let id: BankTransferId = id.parse().map_err(Failed::not_found)?;
    let found = app.banks.transfer(&person.permit, id).await?;
    let missing = || Failed::not_found(format_args!("there is no bank transfer {id}"));
    page(&transfer_page(&person, &found.ok_or_else(missing)?))
}

/// How far a transfer is, honestly.
pub(super) fn transfer_page(person: &Person, transfer: &BankTransfer) -> BankTransferPage {
    let t = person.visit.t();
    let (route, standing) = (&transfer.route, &transfer.standing);
    let (arrives, leaves) = match transfer.purpose.direction() {
        Direction::In => (t.bank_to_balance, t.bank_from_account),
        Direction::Out => (t.bank_to_account, t.bank_from_balance),
    };
    let [arriving, leaving] = moved(transfer).map(Figure::money).map(Cell::Figure);
    let facts = Facts::new()
        .with(arrives, arriving)
        .with(t.bank_fee_line, Cell::Figure(Figure::money(route.fee)))
        .with(leaves, leaving)
        .with(t.bank_transfer, Cell::code(transfer.id))
        .with(t.step_confirmed, Cell::When(When(transfer.requested_at)))
        .with_some(
            t.bank_reference,
            standing.bank_reference.as_ref().map(Cell::code),
        );
    let again = match standing.state {
        TransferState::Requested | TransferState::Unknown | TransferState::Accepted => {
            let here = format!("/banks/transfers/{}", transfer.id);
            Some(Link::new(here, t.look_again))
        }
        TransferState::Rejected => Some(Link::new("/wallet", t.try_again)),
        TransferState::Done => None,
    };
    BankTransferPage {
        shell: person
            .visit
            .user_page(named(transfer, t), "/wallet")
            .back("/wallet", t.wallet),
        state: state_notice(transfer, t),
        facts,
        again,
    }
}

/// What a transfer is called: its bank, and which way.
pub(super) fn named(transfer: &BankTransfer, t: &Text) -> String {
    let title = match transfer.purpose {
        Purpose::TopUp | Purpose::Advance => t.top_up_from,
        Purpose::Payment => t.paid_from,
        Purpose::Withdrawal | Purpose::Payout | Purpose::AdvanceReturn => t.withdrawal_to,
    };
    fill(title, &[&transfer.description])
}

/// What arrives and what leaves: they differ by the fee. The bank moves the
/// route's amount, so a fee is inside of what comes in and beside what goes out.
fn moved(transfer: &BankTransfer) -> [Money; 2] {
    let (amount, fee) = (transfer.route.amount, transfer.route.fee.minor);
    let money = |minor| Money::new(minor, amount.currency);
    match transfer.purpose.direction() {
        Direction::In => [money(amount.minor.saturating_sub(fee)), amount],
        Direction::Out => [amount, money(amount.minor.saturating_add(fee))],
    }
}

/// A transfer's state in a word.
pub(super) fn state_word(state: TransferState, t: &'static Text) -> (Tone, &'static str) {
    match state {
        TransferState::Requested | TransferState::Accepted => (Tone::Info, t.bank_on_its_way),
        TransferState::Unknown => (Tone::Warning, t.bank_unknown),
        TransferState::Done => (Tone::Good, t.bank_done),
        TransferState::Rejected => (Tone::Bad, t.bank_rejected),
    }
}

fn state_notice(transfer: &BankTransfer, t: &'static Text) -> Notice {
    let (tone, title) = state_word(transfer.standing.state, t);
    let text = match transfer.standing.state {
        TransferState::Requested | TransferState::Accepted => t.bank_on_its_way_text.to_owned(),
        TransferState::Unknown if transfer.purpose == Purpose::Payment => {
            format!("{} {}", t.bank_unknown_text, t.pay_from_bank_unknown)
        }
        TransferState::Unknown => t.bank_unknown_text.to_owned(),
        TransferState::Done => t.bank_done_text.to_owned(),
        TransferState::Rejected => {
            let reason = transfer.standing.reason.as_deref().unwrap_or_default();
            let then = match transfer.purpose.direction() {
                Direction::In => t.bank_rejected_in_text,
                Direction::Out => t.bank_rejected_out_text,
            };
            format!("{} {then}", reason_text(reason, t))
        }
    };
    Notice::new(tone, text).titled(title)
}

/// A bank's word, or the host's, as a sentence.
fn reason_text(reason: &str, t: &'static Text) -> &'static str {
    match reason {
        "insufficient_funds" => t.reason_insufficient,
        "account_closed" => t.reason_closed,
        "limit" => t.reason_limit,
        "bank_unreachable" => t.reason_unreachable,
        "link_expired" | "link_unlinked" => t.reason_link_over,
        _ => t.reason_other,
    }
}
