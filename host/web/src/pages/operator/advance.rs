//! What institutions' banks lend them for instant redemptions, and get back.

use axum::extract::{Path, State};
use axum::response::Response;
use qiao_banks::{Error, NewAdvance};
use qiao_model::{Currency, InstitutionId, Money};
use qiao_payments::{IdempotencyKey, InstitutionSummary, Refusal};
use qiao_registry::Institution;
use serde::Deserialize;

use crate::App;
use crate::pages::failed::{Failed, page, refused, see, sentence_of};
use crate::pages::sent::Sent;
use crate::pages::user::new_key;
use crate::pages::view::staff::{FormPage, List};
use crate::pages::view::{Cell, Empty, Facts, Field, Figure, Form, Kind, Table};
use crate::pages::visit::Operator;

const HERE: &str = "/operator/advances";
const CURRENCY: Currency = Currency::CNY;

/// Which way the money goes.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Way {
    Fund,
    Return,
}

impl Way {
    fn parse(text: &str) -> Result<Self, Failed> {
        match text {
            "fund" => Ok(Self::Fund),
            "return" => Ok(Self::Return),
            other => Err(Failed::not_found(format_args!("nothing is at {other}"))),
        }
    }

    const fn name(self) -> &'static str {
        match self {
            Self::Fund => "fund",
            Self::Return => "return",
        }
    }

    const fn title(self) -> &'static str {
        match self {
            Self::Fund => "Fund an advance line",
            Self::Return => "Pay an advance back",
        }
    }

    const fn lead(self) -> &'static str {
        match self {
            Self::Fund => {
                "The institution's bank is debited, and what arrives at the custody bank is on its line: it pays instant redemptions."
            }
            Self::Return => {
                "What the line has free goes back to the institution's bank. What is lent out is repaid by the institution on the next business day."
            }
        }
    }
}

/// `GET /operator/advances`: every line.
pub(super) async fn list(State(app): State<App>, operator: Operator) -> Result<Response, Failed> {
    let empty = Empty::new("No institution yet", "They appear here as they register.");
    let columns = ["Institution", ">Free", ">Lent out", "", ""];
    let mut table = Table::new("Advance lines", &columns, empty);
    let lent = app.orders.lent_out(&operator.permit, CURRENCY).await?;
    for institution in app.registry.institutions(&operator.permit).await? {
        let line = line(&app, &operator, institution.id).await?.advance;
        let money = |minor| Cell::Figure(Figure::money(Money::new(minor, CURRENCY)));
        let lent = lent.get(&institution.id).copied().unwrap_or(0);
        let here = format!("{HERE}/{}", institution.id);
        table.push(vec![
            Cell::Two(institution.name, institution.id.to_string()),
            money(line.available()),
            money(line.pending_out.saturating_add(lent)),
            Cell::link(format!("{here}/fund"), "Fund…"),
            Cell::link(format!("{here}/return"), "Pay back…"),
        ]);
    }
    let lead = "Redemptions are paid at once out of what an institution's bank has lent it. The money is at a custody bank from the beginning.";
    let shell = operator
        .visit
        .operator_page(&app, "Advance lines", "/advances");
    page(&List::new(shell, lead, table))
}

async fn line(
    app: &App,
    operator: &Operator,
    id: InstitutionId,
) -> Result<InstitutionSummary, Failed> {
    let found = app.payments.institution_summary(&operator.permit, id);
    let found = found.await?.into_iter().find(|of| of.currency == CURRENCY);
    Ok(found.unwrap_or_else(|| InstitutionSummary::empty(CURRENCY)))
}

#[derive(Default, Deserialize)]
pub(super) struct Asked {
    #[serde(default)]
    channel: String,
    #[serde(default)]
    account_number: String,
    #[serde(default)]
    amount: String,
    #[serde(default)]
    key: String,
}

/// `GET /operator/advances/{institution}/{way}`
pub(super) async fn ask(
    State(app): State<App>,
    operator: Operator,
    Path((id, way)): Path<(String, String)>,
) -> Result<Response, Failed> {
    let institution = find(&app, &id).await?;
    // Where it is paid to is where its bank is, unless the operator knows better.
    let terms = app.settlement.all_terms(&operator.permit, None).await?;
    let terms = terms.iter().find(|of| of.institution == institution.id);
    let asked = Asked {
        account_number: terms.map_or_else(String::new, |of| of.says.account_number.clone()),
        ..Asked::default()
    };
    let desk = Desk {
        app: &app,
        operator: &operator,
        institution,
        way: Way::parse(&way)?,
    };
    page(&desk.form(&asked, None).await?)
}

/// `POST /operator/advances/{institution}/{way}`: on to the bank transfer.
pub(super) async fn send(
    State(app): State<App>,
    operator: Operator,
    Path((id, way)): Path<(String, String)>,
    Sent(asked): Sent<Asked>,
) -> Result<Response, Failed> {
    let desk = Desk {
        institution: find(&app, &id).await?,
        way: Way::parse(&way)?,
        app: &app,
        operator: &operator,
    };
    let Some(amount) = Money::parse(&asked.amount, CURRENCY).ok() else {
        let wrong = "An amount such as 50000.00.".to_owned();
        return refused(&desk.form(&asked, Some(wrong)).await?);
    };
    let path = format!("POST {}", desk.path());
    let request = format!("{path} {} {} {amount}", asked.channel, asked.account_number);
    let new = NewAdvance {
        institution: desk.institution.id,
        channel: asked.channel.parse().map_err(Failed::not_found)?,
        account_number: asked.account_number.clone(),
        amount,
        key: IdempotencyKey::of(&operator.permit, &asked.key, request.as_bytes())?,
    };
    let moved = match desk.way {
        Way::Fund => app.banks.fund_advance(&operator.permit, new).await,
        Way::Return => app.banks.return_advance(&operator.permit, new).await,
    };
    match moved {
        Ok(transfer) => see(format!("/operator/banks/transfers/{}", transfer.id)),
        Err(
            error @ (Error::AccountNumber
            | Error::NoRoute
            | Error::Payment(Refusal::InsufficientFunds { .. } | Refusal::Invalid(_))),
        ) => {
            let wrong = sentence_of(&error.to_string());
            refused(&desk.form(&asked, Some(wrong)).await?)
        }
        Err(error) => Err(error.into()),
    }
}

async fn find(app: &App, id: &str) -> Result<Institution, Failed> {
    let id: InstitutionId = id.parse().map_err(Failed::not_found)?;
    let found = app.registry.institution(id).await?;
    found.ok_or_else(|| Failed::not_found(format_args!("there is no institution {id}")))
}

struct Desk<'a> {
    app: &'a App,
    operator: &'a Operator,
    institution: Institution,
    way: Way,
}

impl Desk<'_> {
    fn path(&self) -> String {
        format!("{HERE}/{}/{}", self.institution.id, self.way.name())
    }

    async fn form(&self, asked: &Asked, wrong: Option<String>) -> Result<FormPage, Failed> {
        let line = line(self.app, self.operator, self.institution.id).await?;
        let channels = self.app.banks.channels().await?.into_iter();
        let channels = channels.map(|channel| (channel.code.to_string(), channel.name));
        let free = Money::new(line.advance.available(), CURRENCY);
        let visit = &self.operator.visit;
        let amount = Kind::Decimal(CURRENCY.to_string());
        let form = Form::new("advance", self.path(), visit.csrf(), self.way.title())
            .hidden("key", new_key(self.app))
            .field(
                Field::new("channel", "Bank", Kind::Choice(channels.collect()))
                    .value(&asked.channel),
            )
            .field(
                Field::new("account_number", "The institution's account", Kind::Code)
                    .value(&asked.account_number),
            )
            .field(Field::new("amount", "Amount", amount).value(&asked.amount))
            .problem(wrong);
        Ok(FormPage {
            shell: visit.operator_page(self.app, self.way.title(), "/advances"),
            lead: self.way.lead().to_owned(),
            facts: Facts::new()
                .with("Institution", Cell::text(self.institution.name.clone()))
                .with("Free on the line", Cell::Figure(Figure::money(free))),
            form,
        })
    }
}
