//! Accounts, and payments by our id.

use qiao_events::Method;
use qiao_model::{BankTransferId, Channel, Money, Secret, Timestamp, to_plain_text};
use serde::{Deserialize, Serialize};

use super::{Client, Failure};
use crate::answer::Answer;
use crate::transfer::{Direction, TransferState};

/// A word of a bank is cut here.
const WORD_CHARS_MAX: usize = 64;

/// A person's account at the bank.
#[derive(Debug, Deserialize)]
pub(crate) struct AccountBody {
    pub(crate) id: String,
    pub(crate) name: String,
    pub(crate) number_masked: String,
}

/// What a bank answers about a payment, and sends in its callbacks.
#[derive(Debug, Deserialize)]
pub(crate) struct AnswerBody {
    pub(crate) id: String,
    bank_reference: Option<String>,
    state: String,
    reason: Option<String>,
    booked_at: Option<i64>,
}

impl AnswerBody {
    /// The answer, if its state is one of the contract.
    pub(crate) fn read(self) -> Option<Answer> {
        let state = match self.state.as_str() {
            "accepted" => TransferState::Accepted,
            "done" => TransferState::Done,
            "rejected" => TransferState::Rejected,
            _ => return None,
        };
        let cut = |text: String| to_plain_text(&text, WORD_CHARS_MAX);
        Some(Answer {
            state,
            bank_reference: self.bank_reference.map(cut),
            reason: self.reason.map(cut),
            booked_at: self.booked_at.map(Timestamp::from_millis),
        })
    }
}

/// What the bank is asked for.
pub(crate) struct Instruction<'a> {
    pub(crate) id: BankTransferId,
    pub(crate) direction: Direction,
    pub(crate) account: AccountName<'a>,
    pub(crate) amount: Money,
    pub(crate) reference: &'a str,
    pub(crate) requested_at: Timestamp,
}

/// How the bank is told which account.
#[derive(Clone, Copy, Serialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum AccountName<'a> {
    /// By the bank's id, of a link.
    Account(&'a str),
    /// By its number, of a payout.
    AccountNumber(&'a str),
}

#[derive(Serialize)]
struct InstructionBody<'a> {
    direction: &'static str,
    #[serde(flatten)]
    account: AccountName<'a>,
    amount_minor: i64,
    currency: String,
    reference: &'a str,
    requested_at: i64,
}

impl Client {
    /// The accounts that the person consented to.
    pub(crate) async fn accounts(
        &self,
        code: Channel,
        token: &Secret<String>,
    ) -> Result<Vec<AccountBody>, Failure> {
        let url = self.url(code, "/accounts")?;
        self.call((Method::Get, url), token, None).await
    }

    /// Asks for a payment; the same id and content again changes nothing.
    pub(crate) async fn put_payment(
        &self,
        code: Channel,
        token: &Secret<String>,
        instruction: &Instruction<'_>,
    ) -> Result<Answer, Failure> {
        let url = self.url(code, &format!("/payments/{}", instruction.id))?;
        let body = InstructionBody {
            direction: instruction.direction.at_the_bank(),
            account: instruction.account,
            amount_minor: instruction.amount.minor,
            currency: instruction.amount.currency.to_string(),
            reference: instruction.reference,
            requested_at: instruction.requested_at.as_millis(),
        };
        let body = serde_json::to_string(&body)
            .map_err(|_| Failure::NotSent("the request has no JSON form".to_owned()))?;
        let answer = self.call((Method::Put, url), token, Some(body)).await?;
        answer_about(instruction.id, answer)
    }

    /// Asks where a payment stands.
    pub(crate) async fn get_payment(
        &self,
        code: Channel,
        token: &Secret<String>,
        id: BankTransferId,
    ) -> Result<Answer, Failure> {
        let url = self.url(code, &format!("/payments/{id}"))?;
        let answer = self.call((Method::Get, url), token, None).await?;
        answer_about(id, answer)
    }
}

/// An answer about another payment, or in another state, is none.
fn answer_about(id: BankTransferId, answer: AnswerBody) -> Result<Answer, Failure> {
    let is_of_it = answer.id == id.to_string();
    let answer = answer.read().filter(|_| is_of_it);
    answer.ok_or_else(|| Failure::NoAnswer("the bank's answer is about something else".to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_instruction_names_the_account_in_one_way() {
        let body = |account| {
            let body = InstructionBody {
                direction: "credit",
                account,
                amount_minor: 5,
                currency: "CNY".to_owned(),
                reference: "r",
                requested_at: 7,
            };
            serde_json::to_value(&body).unwrap()
        };
        let by_id = body(AccountName::Account("acc_1"));
        assert_eq!(by_id["account"], "acc_1");
        assert_eq!(by_id.get("account_number"), None);
        let by_number = body(AccountName::AccountNumber("6222"));
        assert_eq!(by_number["account_number"], "6222");
        assert_eq!(by_number.get("account"), None);
    }

    #[test]
    fn an_answer_about_something_else_is_none() {
        let id = BankTransferId::from_u128(1);
        let body = |id: String, state: &str| AnswerBody {
            id,
            bank_reference: Some("桥".repeat(WORD_CHARS_MAX + 1)),
            state: state.to_owned(),
            reason: None,
            booked_at: Some(3),
        };
        let answer = answer_about(id, body(id.to_string(), "done")).unwrap();
        let reference = answer.bank_reference.unwrap_or_default();
        assert_eq!(reference.chars().count(), WORD_CHARS_MAX);
        assert!(answer_about(id, body("btr_other".to_owned(), "done")).is_err());
        assert!(answer_about(id, body(id.to_string(), "lost")).is_err());
    }
}
