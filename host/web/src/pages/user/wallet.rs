use std::collections::HashMap;
use std::collections::hash_map::Entry;

use axum::extract::{Query, State};
use axum::response::Response;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use qiao_ledger::TransferKind;
use qiao_model::{Currency, InstitutionId, Money, TransferId};
use qiao_payments::{IdempotencyKey, StatementLine, StatementOf, StatementPage};
use serde::Deserialize;

use super::account::institution_name;
use super::bank_list;
use super::bank_transfer::{self, Kept};
use crate::App;
use crate::pages::failed::{Failed, page, refused, see};
use crate::pages::purpose;
use crate::pages::sent::Sent;
use crate::pages::text::{Text, fill};
use crate::pages::view::user::{Movement, Wallet};
use crate::pages::view::{Empty, Field, Figure, Form, Kind, Link, Notice, Paging, Tone, When};
use crate::pages::visit::{Person, own_path};
use crate::problem::{Kind as ProblemKind, Problem};

/// The sandbox gives at most so much at a time.
pub(super) const TOP_UP_MAX: Money = Money::cny(1_000_000_000);
/// A movement has a few lines: a hold and a posting for each of its splits.
const LINES_PER_PAGE: usize = 100;

/// A key for a form that moves money: sent twice, it has one effect.
pub(in crate::pages) fn new_key(app: &App) -> String {
    URL_SAFE_NO_PAD.encode(app.env.secret::<16>().expose())
}

#[derive(Default, Deserialize)]
pub(super) struct WalletQuery {
    before: Option<String>,
    #[serde(default)]
    next: String,
}

/// `GET /wallet`
pub(super) async fn show(
    State(app): State<App>,
    person: Person,
    Query(query): Query<WalletQuery>,
) -> Result<Response, Failed> {
    let top_up = TopUp {
        key: new_key(&app),
        next: query.next.clone(),
        ..TopUp::default()
    };
    page(&wallet_page(&app, &person, &query, Forms::of(&top_up)).await?)
}

/// What the wallet's forms hold, and what stood against them.
struct Forms<'a> {
    top_up: &'a TopUp,
    error: Option<String>,
    bank: Option<&'a Kept<'a>>,
}

impl<'a> Forms<'a> {
    fn of(top_up: &'a TopUp) -> Self {
        Self {
            top_up,
            error: None,
            bank: None,
        }
    }
}

async fn wallet_page(
    app: &App,
    person: &Person,
    query: &WalletQuery,
    forms: Forms<'_>,
) -> Result<Wallet, Failed> {
    let t = person.visit.t();
    let top_up = forms.top_up;
    let from = query.before.as_deref().map(str::parse::<TransferId>);
    let from = from.transpose().map_err(Failed::not_found)?;
    let of = StatementOf::User(person.user, Currency::CNY);
    let statement = app
        .payments
        .statement(&person.permit, of, from, LINES_PER_PAGE)
        .await?;
    let balance = app
        .payments
        .balance(&person.permit, person.user, Currency::CNY)
        .await?;
    let held = (balance.pending_out > 0).then(|| Figure::money(Money::cny(balance.pending_out)));
    let names = names_of_charges(app, &statement).await?;
    let (movements, next) = movements(&statement, &names, t);
    let mut shell = person.visit.user_page(t.wallet, "/wallet");
    if !top_up.next.is_empty() {
        shell = shell.back(own_path(&top_up.next), t.checkout);
    }
    let bank_forms = bank_transfer::forms(app, person, &top_up.next, forms.bank).await?;
    Ok(Wallet {
        shell,
        available: Figure::money(Money::cny(balance.available())),
        held,
        under_way: bank_list::under_way(&bank_list::newest(app, person).await?, t),
        pin_needed: pin_needed(app, person, !bank_forms.is_empty()).await?,
        banks: app.banks.is_any_configured().then(|| {
            let label = if bank_forms.is_empty() {
                t.link_bank
            } else {
                t.linked_accounts
            };
            Link::new("/banks", label)
        }),
        bank_forms,
        top_up: app.gives_play_money().then(|| {
            Form::new("top-up", "/wallet/top-up", person.visit.csrf(), t.top_up)
                .hidden("key", &top_up.key)
                .hidden("next", &top_up.next)
                .field(
                    Field::new("amount", t.amount, Kind::Decimal("CNY".to_owned()))
                        .placeholder("1000.00")
                        .hint(fill(t.top_up_limit, &[&Figure::money(TOP_UP_MAX).text()]))
                        .value(&top_up.amount)
                        .error(forms.error),
                )
        }),
        movements,
        empty: Empty::new(t.nothing_moved, t.nothing_moved_text),
        paging: Paging {
            newest: from.map(|_| Link::new("/wallet", t.newest)),
            older: next.map(|next| Link::new(format!("/wallet?before={next}"), t.older)),
        },
    })
}

/// What a person without a PIN reads where the withdrawal would be.
async fn pin_needed(app: &App, person: &Person, is_linked: bool) -> Result<Option<Notice>, Failed> {
    if !is_linked || app.auth.has_pin(&person.permit).await? {
        return Ok(None);
    }
    let t = person.visit.t();
    let notice = Notice::new(Tone::Info, t.pin_needed_to_withdraw).titled(t.withdraw);
    Ok(Some(notice.link("/pin?next=/wallet", t.set_pin)))
}

/// One movement for each payment and each refund of one, however many splits it
/// has; a hold shows until it is posted. Gives also where the next page begins.
fn movements(page: &StatementPage, names: &Names, t: &Text) -> (Vec<Movement>, Option<TransferId>) {
    let mut groups: Vec<Vec<&StatementLine>> = Vec::new();
    for line in &page.lines {
        let known = groups
            .iter_mut()
            .find(|group| is_one_movement(group[0], line));
        match known {
            Some(group) => group.push(line),
            None => groups.push(vec![line]),
        }
    }
    let mut next = page.next;
    // The oldest movement may have more lines on the next page: it is shown whole there.
    if next.is_some()
        && groups.len() > 1
        && let Some(cut) = groups.pop()
    {
        next = Some(cut[0].transfer.id);
    }
    (
        groups
            .iter()
            .map(|group| movement(group, names, t))
            .collect(),
        next,
    )
}

fn is_one_movement(one: &StatementLine, other: &StatementLine) -> bool {
    let payment = |line: &StatementLine| line.payment.as_ref().map(|payment| payment.id);
    payment(one).is_some() && payment(one) == payment(other) && is_refund(one) == is_refund(other)
}

/// What a movement to or from a bank is called.
fn bank_title(line: &StatementLine, t: &Text) -> Option<&'static str> {
    match line.transfer.purpose.as_str() {
        "bank-top-up" => Some(t.top_up_from),
        "bank-payment" => Some(t.paid_from),
        "withdrawal" => Some(t.withdrawal_to),
        _ => None,
    }
}

fn is_refund(line: &StatementLine) -> bool {
    purpose::is_refund(&line.transfer.purpose)
}

/// The names of institutions.
type Names = HashMap<InstitutionId, String>;

/// Who charged without an order: no order's page says it.
async fn names_of_charges(app: &App, page: &StatementPage) -> Result<Names, Failed> {
    let payments = page.lines.iter().filter_map(|line| line.payment.as_ref());
    let charges = payments.filter(|payment| payment.order.is_none());
    let mut names = Names::new();
    for institution in charges.filter_map(|payment| payment.institution) {
        if let Entry::Vacant(unnamed) = names.entry(institution) {
            unnamed.insert(institution_name(app, institution).await?);
        }
    }
    Ok(names)
}

fn movement(lines: &[&StatementLine], names: &Names, t: &Text) -> Movement {
    let newest = lines[0];
    let charged_by = newest.payment.as_ref().and_then(|payment| {
        let institution = payment.institution.filter(|_| payment.order.is_none())?;
        names.get(&institution).map(String::as_str)
    });
    let title = match &newest.payment {
        _ if newest.transfer.purpose == "top-up" => t.sandbox_top_up.to_owned(),
        Some(payment) if bank_title(newest, t).is_some() => fill(
            bank_title(newest, t).unwrap_or_default(),
            &[&payment.description],
        ),
        Some(payment) if is_refund(newest) => format!("{}: {}", t.refund, payment.description),
        Some(payment) if payment.description.is_empty() => {
            charged_by.unwrap_or_default().to_owned()
        }
        Some(payment) => payment.description.clone(),
        None => newest.transfer.purpose.clone(),
    };
    let held = lines
        .iter()
        .filter(|line| line.transfer.kind == TransferKind::Pending);
    let held: i64 = held.map(|line| line.transfer.minor).sum();
    let moved: i64 = lines.iter().map(|line| line.change).sum();
    let (detail, amount) = match newest.transfer.kind {
        TransferKind::Posted | TransferKind::PostPending { .. } => {
            // Said in the title when there is nothing else to say there.
            let by = charged_by.filter(|by| *by != title).unwrap_or_default();
            (by, Figure::money(Money::cny(moved)).signed())
        }
        TransferKind::Pending => (t.transfer_pending, Figure::money(Money::cny(held))),
        TransferKind::VoidPending { .. } => (t.transfer_void, Figure::money(Money::cny(held))),
    };
    let payment = newest.payment.as_ref();
    Movement {
        title,
        order: payment
            .and_then(|payment| payment.order)
            .map(|order| format!("/orders/{order}")),
        at: When(newest.transfer.at),
        detail: detail.to_owned(),
        amount,
    }
}

/// The wallet with what stood against a bank's form of it.
pub(super) async fn refuse(
    app: &App,
    person: &Person,
    next: &str,
    kept: &Kept<'_>,
) -> Result<Response, Failed> {
    let top_up = TopUp {
        next: next.to_owned(),
        ..TopUp::default()
    };
    let forms = Forms {
        bank: Some(kept),
        ..Forms::of(&top_up)
    };
    refused(&wallet_page(app, person, &WalletQuery::default(), forms).await?)
}

#[derive(Default, Deserialize)]
pub(super) struct TopUp {
    #[serde(default)]
    amount: String,
    #[serde(default)]
    key: String,
    #[serde(default)]
    next: String,
}

/// `POST /wallet/top-up`: the sandbox's money.
pub(super) async fn top_up(
    State(app): State<App>,
    person: Person,
    Sent(sent): Sent<TopUp>,
) -> Result<Response, Failed> {
    if !app.gives_play_money() {
        let detail = "only a sandbox gives money";
        return Err(Problem::new(ProblemKind::NotFound, detail).into());
    }
    let t = person.visit.t();
    let amount = match Money::parse(&sent.amount, Currency::CNY) {
        Ok(amount) if amount.minor < 1 => Err(t.not_an_amount),
        Ok(amount) if amount.minor > TOP_UP_MAX.minor => Err(t.amount_above_limit),
        Ok(amount) => Ok(amount),
        Err(_) => Err(t.not_an_amount),
    };
    let amount = match amount {
        Ok(amount) => amount,
        Err(wrong) => {
            let query = WalletQuery::default();
            let forms = Forms {
                error: Some(wrong.to_owned()),
                ..Forms::of(&sent)
            };
            return refused(&wallet_page(&app, &person, &query, forms).await?);
        }
    };
    let request = format!("POST /wallet/top-up {amount}");
    let key = IdempotencyKey::of(&person.permit, &sent.key, request.as_bytes())?;
    app.payments
        .top_up(&person.permit, person.user, amount, Some(key))
        .await?;
    if sent.next.is_empty() {
        see("/wallet?note=topped-up")
    } else {
        see(own_path(&sent.next))
    }
}
