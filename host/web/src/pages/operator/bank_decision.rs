use axum::extract::{Path, State};
use axum::response::Response;
use qiao_banks::{BankTransfer, Error, Verdict};
use serde::Deserialize;

use super::bank::{facts, find};
use crate::App;
use crate::pages::failed::{Failed, page, refused, see, sentence_of};
use crate::pages::sent::Sent;
use crate::pages::view::{Confirm, Field, Form, Kind, Tone};
use crate::pages::visit::Operator;

const DONE: &str = "done";
const REJECTED: &str = "rejected";

/// What an operator read on the bank's paper.
#[derive(Default, Deserialize)]
pub(super) struct Decision {
    #[serde(default)]
    verdict: String,
    #[serde(default)]
    bank_reference: String,
    #[serde(default)]
    reason: String,
}

/// What is wrong with a decision, each in a sentence.
#[derive(Debug, Default, PartialEq, Eq)]
struct Wrong {
    verdict: Option<String>,
    bank_reference: Option<String>,
    reason: Option<String>,
}

impl Decision {
    /// The verdict, when the decision says all that one needs. Nothing is assumed
    /// of a form that says nothing.
    fn verdict(&self) -> Result<Verdict, Wrong> {
        let mut wrong = Wrong::default();
        if self.reason.trim().is_empty() {
            wrong.reason = Some("Say what proves it.".to_owned());
        }
        let reference = self.bank_reference.trim();
        let verdict = match self.verdict.as_str() {
            DONE if reference.is_empty() => {
                let sentence = "A bank that moved money gave it a number: write it here.";
                wrong.bank_reference = Some(sentence.to_owned());
                None
            }
            DONE => Some(Verdict::Done {
                bank_reference: reference.to_owned(),
            }),
            REJECTED => Some(Verdict::Rejected),
            _ => {
                wrong.verdict = Some("Choose what the bank's paper says.".to_owned());
                None
            }
        };
        match verdict {
            Some(verdict) if wrong == Wrong::default() => Ok(verdict),
            Some(_) | None => Err(wrong),
        }
    }
}

/// `GET /operator/banks/transfers/{transfer}/decide`: asks first.
pub(super) async fn ask(
    State(app): State<App>,
    operator: Operator,
    Path(id): Path<String>,
) -> Result<Response, Failed> {
    let transfer = find(&app, &operator, &id).await?;
    if !transfer.is_stuck() {
        return see(format!("/operator/banks/transfers/{}", transfer.id));
    }
    let asked = (&Decision::default(), Wrong::default());
    page(&question(&app, &operator, &transfer, asked).await?)
}

async fn question(
    app: &App,
    operator: &Operator,
    transfer: &BankTransfer,
    (sent, wrong): (&Decision, Wrong),
) -> Result<Confirm, Failed> {
    let verdicts = [
        ("", "Choose…"),
        (REJECTED, "The bank moved nothing"),
        (DONE, "The bank moved the money"),
    ];
    let verdicts = verdicts.map(|(value, label)| (value.to_owned(), label.to_owned()));
    let here = format!("/operator/banks/transfers/{}", transfer.id);
    let form = Form::new(
        "decide",
        format!("{here}/decide"),
        operator.visit.csrf(),
        "End the transfer",
    )
    .tone(Tone::Bad)
    .field(
        Field::new(
            "verdict",
            "What the bank's paper says",
            Kind::Choice(verdicts.to_vec()),
        )
        .value(&sent.verdict)
        .error(wrong.verdict),
    )
    .field(
        Field::new("bank_reference", "Bank's number", Kind::Code)
            .optional("when it moved the money")
            .value(&sent.bank_reference)
            .error(wrong.bank_reference),
    )
    .field(
        Field::new("reason", "What proves it", Kind::Text)
            .hint("Kept in the audit; at most 200 characters.")
            .value(&sent.reason)
            .error(wrong.reason),
    )
    .cancel(here, "Cancel");
    Ok(Confirm {
        shell: operator
            .visit
            .operator_page(app, "End this transfer by hand?", "/banks"),
        text: "A transfer ends once. The books follow what you say here, and nothing takes it back: look at the bank's paper first.".to_owned(),
        facts: facts(app, transfer).await?,
        form,
    })
}

/// `POST /operator/banks/transfers/{transfer}/decide`
pub(super) async fn decide(
    State(app): State<App>,
    operator: Operator,
    Path(id): Path<String>,
    Sent(sent): Sent<Decision>,
) -> Result<Response, Failed> {
    let transfer = find(&app, &operator, &id).await?;
    let wrong = match sent.verdict() {
        Ok(verdict) => {
            let decided = app
                .banks
                .decide(&operator.permit, transfer.id, verdict, &sent.reason);
            match decided.await {
                Ok(_) => return see("/operator/banks?note=bank-decided"),
                Err(error @ Error::Reason(_)) => Wrong {
                    reason: Some(sentence_of(&error.to_string())),
                    ..Wrong::default()
                },
                Err(error) => return Err(error.into()),
            }
        }
        Err(wrong) => wrong,
    };
    refused(&question(&app, &operator, &transfer, (&sent, wrong)).await?)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn decision(verdict: &str, bank_reference: &str, reason: &str) -> Decision {
        Decision {
            verdict: verdict.to_owned(),
            bank_reference: bank_reference.to_owned(),
            reason: reason.to_owned(),
        }
    }

    #[test]
    fn a_decision_that_does_not_say_all_decides_nothing() {
        let wrong = |verdict, reference, reason| {
            let wrong = decision(verdict, reference, reason).verdict().unwrap_err();
            [
                wrong.verdict.is_some(),
                wrong.bank_reference.is_some(),
                wrong.reason.is_some(),
            ]
        };
        assert_eq!(wrong("", "", ""), [true, false, true]);
        assert_eq!(wrong("maybe", "B1", "paper"), [true, false, false]);
        assert_eq!(wrong("done", " ", "paper"), [false, true, false]);
        assert_eq!(wrong("rejected", "", " "), [false, false, true]);
    }

    #[test]
    fn a_whole_decision_is_taken_as_it_says() {
        let done = decision("done", " B1 ", "paper").verdict().unwrap();
        assert!(matches!(done, Verdict::Done { bank_reference } if bank_reference == "B1"));
        let rejected = decision("rejected", "", "paper").verdict().unwrap();
        assert!(matches!(rejected, Verdict::Rejected));
    }
}
