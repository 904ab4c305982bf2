//! What the platform's custody account at a bank holds, and its statement.

use std::iter;

use qiao_events::Method;
use qiao_model::{Channel, Currency, Day, Money, Timestamp, is_plain_text, to_plain_text};
use serde::Deserialize;
use serde::de::DeserializeOwned;

use super::{Client, Failure};
use crate::transfer::Direction;

/// What was written on a line is cut here.
const REFERENCE_CHARS_MAX: usize = 200;

/// What a custody account holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Custody {
    /// How much.
    pub balance: Money,
    /// At what time.
    pub as_of: Timestamp,
}

/// A day of a custody account, as the bank prints it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Statement {
    /// The day in Asia/Shanghai.
    pub day: Day,
    /// What it held when the day began.
    pub opening_minor: i64,
    /// What it held when the day ended.
    pub closing_minor: i64,
    /// What moved, in the order of booking.
    pub lines: Vec<StatementLine>,
}

/// One movement of a custody account.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StatementLine {
    /// The bank's own id of it.
    pub bank_reference: String,
    /// The platform's id of it; a bank transfer's, where the bank did not err.
    pub id: Option<String>,
    /// Seen from the platform: in adds to custody.
    pub direction: Direction,
    /// How much.
    pub amount: Money,
    /// When it was booked.
    pub booked_at: Timestamp,
    /// What was written on it.
    pub reference: String,
}

#[derive(Deserialize)]
struct CustodyBody {
    currency: String,
    balance_minor: i64,
    as_of: i64,
}

#[derive(Deserialize)]
struct StatementBody {
    day: String,
    opening_minor: i64,
    closing_minor: i64,
    lines: Vec<LineBody>,
}

#[derive(Deserialize)]
struct LineBody {
    bank_reference: String,
    id: Option<String>,
    direction: String,
    amount_minor: i64,
    currency: String,
    booked_at: i64,
    #[serde(default)]
    reference: String,
}

impl Client {
    /// What the platform's custody account holds now.
    pub(crate) async fn custody(&self, code: Channel) -> Result<Custody, Failure> {
        let body: CustodyBody = self.call_as_platform(code, "/custody").await?;
        Ok(Custody {
            balance: Money::new(body.balance_minor, currency(&body.currency)?),
            as_of: Timestamp::from_millis(body.as_of),
        })
    }

    /// The bank's statement of a day.
    pub(crate) async fn statement(&self, code: Channel, day: Day) -> Result<Statement, Failure> {
        let path = format!("/custody/statement?day={day}");
        let body: StatementBody = self.call_as_platform(code, &path).await?;
        if body.day != day.to_string() {
            return Err(unreadable());
        }
        Ok(Statement {
            day,
            opening_minor: body.opening_minor,
            closing_minor: body.closing_minor,
            lines: body.lines.into_iter().map(line).collect::<Result<_, _>>()?,
        })
    }

    /// A read with the platform's token, once more with a new one when the bank
    /// does not take the old.
    async fn call_as_platform<T: DeserializeOwned>(
        &self,
        code: Channel,
        path: &str,
    ) -> Result<T, Failure> {
        let url = self.url(code, path)?;
        let token = self.platform_token(code).await?;
        match self.call((Method::Get, url.clone()), &token, None).await {
            Err(Failure::Unauthorized) => {
                self.forget_platform_token(code).await?;
                let token = self.platform_token(code).await?;
                self.call((Method::Get, url), &token, None).await
            }
            answer => answer,
        }
    }
}

fn line(body: LineBody) -> Result<StatementLine, Failure> {
    let mut names = iter::once(&body.bank_reference).chain(&body.id);
    if !names.all(|name| is_plain_text(name)) {
        return Err(unreadable());
    }
    Ok(StatementLine {
        bank_reference: body.bank_reference,
        id: body.id,
        // The statement shows what the customer sees.
        direction: match body.direction.as_str() {
            "debit" => Direction::In,
            "credit" => Direction::Out,
            _ => return Err(unreadable()),
        },
        amount: Money::new(body.amount_minor, currency(&body.currency)?),
        booked_at: Timestamp::from_millis(body.booked_at),
        reference: to_plain_text(&body.reference, REFERENCE_CHARS_MAX),
    })
}

fn currency(code: &str) -> Result<Currency, Failure> {
    code.parse().map_err(|_| unreadable())
}

fn unreadable() -> Failure {
    Failure::NoAnswer("the bank's answer cannot be read".to_owned())
}
