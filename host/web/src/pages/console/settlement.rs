use axum::extract::{Query, State};
use axum::response::Response;
use qiao_model::{Currency, Day, Money, TransferId};
use qiao_payments::Party;
use qiao_settlement::{
    Error, NewTerms, PAGE_MAX, Payout, PayoutState, Period, Statement, TERMS_DAYS_MAX, Terms,
    TermsState,
};
use serde::Deserialize;

use crate::App;
use crate::api::settlement::csv;
use crate::pages::failed::{Failed, page, refused, see, sentence_of};
use crate::pages::sent::Sent;
use crate::pages::view::staff::{FormPage, List, Section};
use crate::pages::view::{
    Badge, Cell, Empty, Facts, Field, Figure, Form, Kind, Link, Paging, Table, Tone, When,
};
use crate::pages::visit::Staff;

/// Days of a statement when the visitor does not say.
const DAYS_DEFAULT: i64 = 30;

#[derive(Default, Deserialize)]
pub(super) struct StatementQuery {
    account: Option<String>,
    from: Option<String>,
    to: Option<String>,
    cursor: Option<String>,
}

/// The accounts of an institution that have a statement.
const ACCOUNTS: &[(&str, &str)] = &[
    ("settlement", "Settlement"),
    ("revenue", "Fees"),
    ("receivable", "Receivables"),
    ("advance", "Advances"),
];

/// What of a statement is asked for.
struct Asked {
    account: &'static str,
    party: Party,
    period: Period,
    cursor: Option<TransferId>,
}

impl StatementQuery {
    fn asked(&self, staff: &Staff, today: Day) -> Result<Asked, Failed> {
        let id = staff.institution;
        let (account, party) = match self.account.as_deref() {
            None | Some("settlement") => ("settlement", Party::Institution(id)),
            Some("revenue") => ("revenue", Party::Revenue(id)),
            Some("receivable") => ("receivable", Party::Receivable(id)),
            Some("advance") => ("advance", Party::Advance(id)),
            Some(other) => return Err(Failed::not_found(format_args!("no account {other}"))),
        };
        let day = |text: &Option<String>| text.as_deref().map(str::parse::<Day>).transpose();
        let to = day(&self.to).map_err(Failed::not_found)?.unwrap_or(today);
        let from = day(&self.from).map_err(Failed::not_found)?;
        let from = from.unwrap_or_else(|| to.plus_days(1 - DAYS_DEFAULT));
        let cursor = self.cursor.as_deref().map(str::parse::<TransferId>);
        Ok(Asked {
            account,
            party,
            period: Period::new(from, to)?,
            cursor: cursor.transpose().map_err(Failed::not_found)?,
        })
    }
}

/// `GET /console/{institution}/settlement`: the statement, the payouts, the terms.
pub(super) async fn show(
    State(app): State<App>,
    staff: Staff,
    Query(query): Query<StatementQuery>,
) -> Result<Response, Failed> {
    let asked = query.asked(&staff, app.env.now().day())?;
    let of = (asked.party, Currency::CNY);
    let statement = app
        .settlement
        .statement(&staff.permit, of, asked.period, asked.cursor)
        .await?;
    let id = staff.institution;
    let terms = app.settlement.terms(&staff.permit, id).await?;
    let payouts = app.settlement.payouts(&staff.permit, id, None, PAGE_MAX);
    let payouts = payouts.await?;
    let here = staff.path("/settlement");
    let days = format!("from={}&to={}", asked.period.from(), asked.period.to());
    let shell = staff
        .visit
        .console_page("Settlement", Some(id), "/settlement");
    let mut list = List::new(shell, &lead(terms.as_ref()), sums(&statement));
    let title = account_label(asked.account);
    list.sections[0].title = format!("{title}, {}", days_of(asked.period));
    let others = ACCOUNTS.iter().filter(|(name, _)| *name != asked.account);
    list.actions = others
        .map(|(name, label)| Link::new(format!("{here}?account={name}&{days}"), *label))
        .collect();
    list.actions
        .extend(other_days(&here, &asked, app.env.now().day()));
    list.actions.extend([
        Link::new(
            format!("{here}/statement.csv?account={}&{days}", asked.account),
            "Download CSV",
        ),
        Link::new(staff.path("/settlement/terms"), "Terms…"),
    ]);
    let first = format!("{here}?account={}&{days}", asked.account);
    let paging = Paging {
        newest: asked.cursor.map(|_| Link::new(&first, "Newest")),
        older: statement
            .next
            .map(|next| Link::new(format!("{first}&cursor={next}"), "Older")),
    };
    list.sections.push(Section {
        title: "Lines".to_owned(),
        table: lines(&staff, &statement).paging(paging),
    });
    list.sections.push(Section {
        title: "Payouts".to_owned(),
        table: payouts_table(&payouts),
    });
    page(&list)
}

fn account_label(name: &str) -> &'static str {
    let found = ACCOUNTS.iter().find(|(known, _)| *known == name);
    found.map_or("Statement", |(_, label)| *label)
}

/// The way to as many days before and after; none to days that have not begun.
fn other_days(here: &str, asked: &Asked, today: Day) -> Vec<Link> {
    let (from, to) = (asked.period.from(), asked.period.to());
    let days = to.days_since(from).saturating_add(1);
    let link = |from: Day, to: Day, label: &str| {
        let account = asked.account;
        Link::new(
            format!("{here}?account={account}&from={from}&to={to}"),
            label,
        )
    };
    let mut links = vec![link(
        from.plus_days(days.saturating_neg()),
        from.plus_days(-1),
        "Earlier days",
    )];
    if to < today {
        let last = to.plus_days(days).min(today);
        links.push(link(to.plus_days(1), last, "Later days"));
    }
    links
}

fn days_of(period: Period) -> String {
    format!("{} to {}", period.from(), period.to())
}

fn lead(terms: Option<&Terms>) -> String {
    match terms {
        None => "No terms of settlement yet: say where you want to be paid.".to_owned(),
        Some(terms) if terms.state == TermsState::Proposed => {
            "Your terms wait for an operator. Nothing is paid out until then.".to_owned()
        }
        Some(terms) => format!(
            "You are paid at T+{} in business days of Asia/Shanghai, to {}.",
            terms.says.days, terms.says.account_number
        ),
    }
}

fn sums(statement: &Statement) -> Table {
    let mut table = Table::new(
        "Balances",
        &["Balance", ">Amount"],
        Empty::new("Nothing", ""),
    );
    let money = |minor| Cell::Figure(Figure::money(Money::new(minor, statement.currency)));
    for (label, minor) in [
        ("Opening", statement.opening_minor),
        ("Came in", statement.credited_minor),
        ("Went out", statement.debited_minor.saturating_neg()),
        ("Closing", statement.closing_minor),
    ] {
        table.push(vec![Cell::text(label), money(minor)]);
    }
    table
}

fn lines(staff: &Staff, statement: &Statement) -> Table {
    let empty = Empty::new(
        "Nothing moved",
        "Look at other days or another account, above.",
    );
    let columns = [
        "When",
        "What",
        "Order",
        ">Paid in all",
        ">Fees",
        ">Amount",
        ">Balance",
    ];
    let mut table = Table::new("Lines", &columns, empty);
    let money = |minor| Figure::money(Money::new(minor, statement.currency));
    let some = |minor: Option<i64>| {
        minor.map_or_else(|| Cell::text("–"), |minor| Cell::Figure(money(minor)))
    };
    for line in &statement.lines {
        let order = line.order.map_or_else(
            || Cell::text("–"),
            |order| {
                let path = staff.path(format_args!("/orders/{order}"));
                Cell::link(path, order.to_string())
            },
        );
        table.push(vec![
            Cell::When(When(line.at)),
            Cell::Two(
                line.purpose.replace('/', ": "),
                line.payment.map(|id| id.to_string()).unwrap_or_default(),
            ),
            order,
            some(line.gross_minor),
            some(line.fees_minor),
            Cell::Figure(money(line.change_minor).signed()),
            Cell::Figure(money(line.balance_minor)),
        ]);
    }
    table
}

fn payouts_table(payouts: &[Payout]) -> Table {
    let empty = Empty::new("Nothing paid yet", "Payouts appear on their business day.");
    let columns = ["Day", "From", ">Amount", "State", "Bank's id"];
    let mut table = Table::new("Payouts", &columns, empty);
    for payout in payouts {
        table.push(vec![
            Cell::Two(
                payout.day.to_string(),
                format!("through {}", payout.through),
            ),
            Cell::text(payout.source.name()),
            Cell::Figure(Figure::money(payout.amount)),
            Cell::Badge(payout_state(payout)),
            Cell::text(payout.bank_reference.clone().unwrap_or_default()),
        ]);
    }
    table
}

/// Where a payout stands, with the reason if it has one.
pub(in crate::pages) fn payout_state(payout: &Payout) -> Badge {
    let tone = match payout.state {
        PayoutState::Due | PayoutState::Sent => Tone::Info,
        PayoutState::Unknown => Tone::Warning,
        PayoutState::Paid => Tone::Good,
        PayoutState::Rejected => Tone::Bad,
    };
    match &payout.reason {
        Some(reason) => Badge::new(tone, format!("{}: {reason}", payout.state)),
        None => Badge::new(tone, payout.state.name()),
    }
}

/// What terms say.
pub(in crate::pages) fn terms_facts(terms: &Terms) -> Facts {
    let minimum = Money::new(terms.says.minimum_minor, Currency::CNY);
    Facts::new()
        .with("When", Cell::text(format!("T+{}", terms.says.days)))
        .with("Bank account", Cell::code(&terms.says.account_number))
        .with("Least payout", Cell::Figure(Figure::money(minimum)))
}

/// `GET /console/{institution}/settlement/statement.csv`
pub(super) async fn download(
    State(app): State<App>,
    staff: Staff,
    Query(query): Query<StatementQuery>,
) -> Result<Response, Failed> {
    let asked = query.asked(&staff, app.env.now().day())?;
    let of = (asked.party, Currency::CNY);
    let statement = app
        .settlement
        .whole_statement(&staff.permit, of, asked.period);
    Ok(csv(&statement.await?)?)
}

#[derive(Default, Deserialize)]
pub(super) struct TermsForm {
    #[serde(default)]
    days: String,
    #[serde(default)]
    account_number: String,
    #[serde(default)]
    minimum: String,
}

/// `GET /console/{institution}/settlement/terms`
pub(super) async fn ask_terms(State(app): State<App>, staff: Staff) -> Result<Response, Failed> {
    let terms = app
        .settlement
        .terms(&staff.permit, staff.institution)
        .await?;
    let form = terms.map_or_else(
        || TermsForm {
            days: "1".to_owned(),
            minimum: "0.00".to_owned(),
            ..TermsForm::default()
        },
        |terms| TermsForm {
            days: terms.says.days.to_string(),
            account_number: terms.says.account_number,
            minimum: Money::new(terms.says.minimum_minor, Currency::CNY).decimal(),
        },
    );
    page(&terms_page(&staff, &form, None))
}

fn terms_page(staff: &Staff, sent: &TermsForm, wrong: Option<String>) -> FormPage {
    let choices = (0..=TERMS_DAYS_MAX)
        .map(|days| (days.to_string(), format!("T+{days}")))
        .collect();
    let form = Form::new(
        "terms",
        staff.path("/settlement/terms"),
        staff.visit.csrf(),
        "Propose",
    )
    .field(Field::new("days", "When, in business days", Kind::Choice(choices)).value(&sent.days))
    .field(Field::new("account_number", "Bank account", Kind::Code).value(&sent.account_number))
    .field(
        Field::new("minimum", "Least payout", Kind::Decimal("CNY".to_owned())).value(&sent.minimum),
    )
    .problem(wrong)
    .cancel(staff.path("/settlement"), "Cancel");
    FormPage {
        shell: staff.visit.console_page(
            "Terms of settlement",
            Some(staff.institution),
            "/settlement",
        ),
        lead: "An operator approves them first; until then nothing is paid out.".to_owned(),
        facts: Facts::new(),
        form,
    }
}

/// `POST /console/{institution}/settlement/terms`
pub(super) async fn propose_terms(
    State(app): State<App>,
    staff: Staff,
    Sent(sent): Sent<TermsForm>,
) -> Result<Response, Failed> {
    let minimum = Money::parse(&sent.minimum, Currency::CNY);
    let (Ok(days), Ok(minimum)) = (sent.days.parse::<u32>(), minimum) else {
        let wrong = sentence_of(&Error::Terms.to_string());
        return refused(&terms_page(&staff, &sent, Some(wrong)));
    };
    let new = NewTerms {
        days,
        account_number: sent.account_number.trim().to_owned(),
        minimum_minor: minimum.minor,
    };
    let set = app
        .settlement
        .set_terms(&staff.permit, staff.institution, new);
    match set.await {
        Ok(_) => see(staff.path("/settlement?note=terms-proposed")),
        Err(error @ Error::Terms) => {
            let wrong = sentence_of(&error.to_string());
            refused(&terms_page(&staff, &sent, Some(wrong)))
        }
        Err(error) => Err(error.into()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hrefs(from: &str, to: &str, today: &str) -> Vec<String> {
        let day = |text: &str| text.parse::<Day>().unwrap();
        let asked = Asked {
            account: "revenue",
            party: Party::Platform,
            period: Period::new(day(from), day(to)).unwrap(),
            cursor: None,
        };
        let links = other_days("/s", &asked, day(today));
        links.into_iter().map(|link| link.href).collect()
    }

    #[test]
    fn a_statement_leads_to_as_many_days_before_and_after() {
        assert_eq!(
            hrefs("2026-11-11", "2026-11-20", "2026-11-25"),
            [
                "/s?account=revenue&from=2026-11-01&to=2026-11-10",
                "/s?account=revenue&from=2026-11-21&to=2026-11-25",
            ]
        );
    }

    #[test]
    fn no_statement_leads_into_the_future() {
        let today = hrefs("2026-11-25", "2026-11-25", "2026-11-25");
        assert_eq!(today, ["/s?account=revenue&from=2026-11-24&to=2026-11-24"]);
    }
}
