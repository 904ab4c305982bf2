use qiao_model::{BankTransferId, Money};

use crate::answer::{Answer, Evidence, NO_ANSWER, NOT_FOUND, REFUSED, UNREACHABLE, Via};
use crate::banks::Banks;
use crate::client::Failure;
use crate::client::payment::{AccountName, Instruction};
use crate::crash::CrashPoint;
use crate::error::Error;
use crate::machine::{Command, Outcome, Refused};
use crate::routing::{Ask, choose};
use crate::rules::{Change, Heard, Refusal};
use crate::store;
use crate::tokens::NoToken;
use crate::transfer::{BankTransfer, Purpose, Routing, TransferState};

/// Why a bank rejects what another channel may carry.
const FAULTS_OF_THE_CHANNEL: [&str; 2] = ["limit", "unavailable"];
/// Nothing could be sent.
const REASON_UNREACHABLE: &str = "bank_unreachable";
/// The bank refused the request itself.
const REASON_REFUSED: &str = "bank_refused";

/// What one attempt learned.
struct Learned {
    change: Change,
    evidence: Vec<Evidence>,
}

/// What came of sending a transfer.
enum Sent {
    /// The bank answered.
    Answered(Answer),
    /// It may have it.
    Doubt(String),
    /// It certainly does not, and why.
    Not(&'static str),
}

impl Banks {
    /// Asks the bank about a transfer whose lease this node has, and stores what
    /// it learns with the money that moves; by another channel when this one
    /// certainly moved nothing.
    pub(crate) async fn drive(&self, transfer: BankTransfer) -> Result<BankTransfer, Error> {
        let mut transfer = transfer;
        // It ends: a channel that was tried is not taken again.
        loop {
            let learned = self.ask(&transfer).await?;
            self.inner().crash.at(CrashPoint::AfterSend)?;
            let route = transfer.route.number;
            transfer = self.keep(&transfer, learned).await?;
            self.inner().crash.at(CrashPoint::AfterStore)?;
            let is_rerouted = transfer.route.number > route && transfer.standing.lease.is_some();
            if !is_rerouted {
                return Ok(transfer);
            }
        }
    }

    /// Stores what was learned. When the payment is refused, nobody knows how the
    /// transfer ends: it stays unknown.
    async fn keep(&self, before: &BankTransfer, learned: Learned) -> Result<BankTransfer, Error> {
        let id = before.id;
        if let Change::Doubt { problem, .. } = &learned.change {
            tracing::warn!(transfer.id = %id, channel = %before.route.channel, attempt = before.standing.attempt, problem, "a bank transfer's outcome is unknown");
        }
        let refusal = match self.change(id, learned.change, learned.evidence).await? {
            Ok((transfer, _)) => return Ok(transfer),
            // Another attempt is on, or the bank called meanwhile.
            Err(Refused::Transfer(Refusal::Overtaken { .. })) => {
                let found = store::transfer::find(&self.inner().db, id).await?;
                return found.ok_or(Error::UnknownTransfer(id));
            }
            Err(refused) => refused,
        };
        tracing::error!(transfer.id = %id, %refusal, "the payment of a bank transfer was refused");
        let doubt = Change::Doubt {
            attempt: before.standing.attempt,
            problem: format!("the payment was refused: {refusal}"),
        };
        match self.change(id, doubt, Vec::new()).await? {
            Ok((transfer, _)) => Ok(transfer),
            Err(Refused::Transfer(refusal)) => Err(refusal.into()),
            Err(Refused::Payment(refusal)) => Err(refusal.into()),
            Err(Refused::Conflict(id)) => Err(Error::Conflict(id)),
        }
    }

    /// Hands a change in.
    pub(crate) async fn change(
        &self,
        transfer: BankTransferId,
        change: Change,
        evidence: Vec<Evidence>,
    ) -> Result<Result<(BankTransfer, Heard), Refused>, Error> {
        let command = Command::Change {
            transfer,
            change,
            evidence,
        };
        let outcome = match self.inner().batcher.submit(command).await? {
            Ok(outcome) => outcome,
            Err(refused) => return Ok(Err(refused)),
        };
        let (transfer, heard) = match outcome {
            Outcome::Changed(transfer, heard) => (*transfer, heard),
            Outcome::Existing(transfer) => (*transfer, Heard::Known),
            Outcome::Requested => return Err(Error::UnknownTransfer(transfer)),
        };
        if heard == Heard::Contradiction {
            tracing::error!(transfer.id = %transfer.id, channel = %transfer.route.channel, state = %transfer.standing.state, "a bank contradicts what it said of a transfer before");
        }
        Ok(Ok((transfer, heard)))
    }

    /// One attempt. What may be at the bank is asked for first, and sent again
    /// under the same id only when the bank never heard of it.
    async fn ask(&self, transfer: &BankTransfer) -> Result<Learned, Error> {
        let mut evidence = Vec::new();
        let attempt = transfer.standing.attempt;
        let mut is_absent = false;
        if transfer.standing.state != TransferState::Requested {
            match self.query(transfer, &mut evidence).await {
                Ok(answer) => {
                    let change = Change::Answered {
                        attempt: Some(attempt),
                        answer,
                    };
                    return Ok(Learned { change, evidence });
                }
                Err(Failure::NotFound) if transfer.standing.state == TransferState::Unknown => {
                    is_absent = true;
                }
                Err(failure) => {
                    let problem = failure.to_string();
                    let change = Change::Doubt { attempt, problem };
                    return Ok(Learned { change, evidence });
                }
            }
        }
        let sent = self.send(transfer, &mut evidence).await?;
        let is_certain = !is_absent && transfer.standing.state == TransferState::Requested;
        let change = match sent {
            Sent::Doubt(problem) => Change::Doubt { attempt, problem },
            Sent::Answered(answer) => {
                let another = match answer.reason.as_deref() {
                    Some(reason) if FAULTS_OF_THE_CHANNEL.contains(&reason) => {
                        self.another_route(transfer).await?
                    }
                    _ => None,
                };
                another.unwrap_or(Change::Answered {
                    attempt: Some(attempt),
                    answer,
                })
            }
            Sent::Not(reason) if is_certain => {
                let another = self.another_route(transfer).await?;
                another.unwrap_or_else(|| Change::NotSent {
                    attempt,
                    reason: reason.to_owned(),
                })
            }
            Sent::Not(REASON_UNREACHABLE) => Change::Doubt {
                attempt,
                problem: REASON_UNREACHABLE.to_owned(),
            },
            Sent::Not(reason) => Change::Absent {
                attempt,
                reason: reason.to_owned(),
            },
        };
        Ok(Learned { change, evidence })
    }

    async fn query(
        &self,
        transfer: &BankTransfer,
        evidence: &mut Vec<Evidence>,
    ) -> Result<Answer, Failure> {
        let channel = transfer.route.channel;
        let client = &self.inner().client;
        let token = client.platform_token(channel).await?;
        let answer = client.get_payment(channel, &token, transfer.id).await;
        if answer == Err(Failure::Unauthorized) {
            client.forget_platform_token(channel).await?;
        }
        evidence.push(self.exchanged(transfer, Via::Query, &answer));
        answer
    }

    /// Sends the transfer, once more with a fresh token when the bank does not
    /// take the one it has.
    async fn send(
        &self,
        transfer: &BankTransfer,
        evidence: &mut Vec<Evidence>,
    ) -> Result<Sent, Error> {
        let answer = match transfer.route.link {
            Some(_) => self.put_for_link(transfer).await,
            None => self.put_for_platform(transfer).await,
        };
        let answer = match answer {
            Ok(answer) => answer,
            Err(NoToken::Host(error)) => return Err(error),
            Err(NoToken::LinkOver(reason)) => {
                evidence.push(self.learned(transfer, Via::Send, (REFUSED, reason)));
                return Ok(Sent::Not(reason));
            }
            // Without a token nothing of the payment was sent.
            Err(NoToken::BankFailed(failure)) => {
                let detail = format!("no token: {failure}");
                evidence.push(self.learned(transfer, Via::Send, (UNREACHABLE, &detail)));
                return Ok(Sent::Not(REASON_UNREACHABLE));
            }
        };
        evidence.push(self.exchanged(transfer, Via::Send, &answer));
        Ok(match answer {
            Ok(answer) => Sent::Answered(answer),
            Err(Failure::NotSent(_) | Failure::NotConfigured) => Sent::Not(REASON_UNREACHABLE),
            Err(Failure::Unauthorized | Failure::NotFound | Failure::Refused(_)) => {
                Sent::Not(REASON_REFUSED)
            }
            Err(failure @ (Failure::NoAnswer(_) | Failure::Conflict)) => {
                Sent::Doubt(failure.to_string())
            }
        })
    }

    async fn put_for_link(
        &self,
        transfer: &BankTransfer,
    ) -> Result<Result<Answer, Failure>, NoToken> {
        let Some(id) = transfer.route.link else {
            return Ok(Err(Failure::NotConfigured));
        };
        let client = &self.inner().client;
        let channel = transfer.route.channel;
        let token = self.link_token(id, None).await?;
        let instruction = instruction(transfer, AccountName::Account(&token.link.account));
        let answer = client
            .put_payment(channel, &token.access, &instruction)
            .await;
        if answer != Err(Failure::Unauthorized) {
            return Ok(answer);
        }
        let token = self.link_token(id, Some(token.version)).await?;
        let instruction = self::instruction(transfer, AccountName::Account(&token.link.account));
        Ok(client
            .put_payment(channel, &token.access, &instruction)
            .await)
    }

    async fn put_for_platform(
        &self,
        transfer: &BankTransfer,
    ) -> Result<Result<Answer, Failure>, NoToken> {
        let client = &self.inner().client;
        let channel = transfer.route.channel;
        let number = transfer.account_number.as_deref().unwrap_or_default();
        let instruction = instruction(transfer, AccountName::AccountNumber(number));
        let token = client.platform_token(channel).await;
        let token = token.map_err(NoToken::BankFailed)?;
        let answer = client.put_payment(channel, &token, &instruction).await;
        if answer != Err(Failure::Unauthorized) {
            return Ok(answer);
        }
        let renewed = client.forget_platform_token(channel).await;
        renewed.map_err(NoToken::BankFailed)?;
        let token = client.platform_token(channel).await;
        let token = token.map_err(NoToken::BankFailed)?;
        Ok(client.put_payment(channel, &token, &instruction).await)
    }

    /// Another channel for what this one certainly did not move.
    async fn another_route(&self, transfer: &BankTransfer) -> Result<Option<Change>, Error> {
        if transfer.routing == Routing::Fixed {
            return Ok(None);
        }
        let mut tried = transfer.tried.clone();
        tried.push(transfer.route.channel);
        let ask = Ask {
            purpose: transfer.purpose,
            wanted: wanted(transfer),
            fee_max: match transfer.purpose {
                Purpose::Payout => None,
                Purpose::TopUp
                | Purpose::Payment
                | Purpose::Withdrawal
                | Purpose::Advance
                | Purpose::AdvanceReturn => Some(transfer.route.fee),
            },
            tried: &tried,
        };
        let candidates = self.candidates(transfer.party, None).await?;
        let number = transfer.route.number.saturating_add(1);
        Ok(choose(&ask, &candidates).map(|choice| Change::Reroute {
            attempt: transfer.standing.attempt,
            route: Box::new(choice.route(transfer.id, number)),
        }))
    }

    fn exchanged(
        &self,
        transfer: &BankTransfer,
        via: Via,
        answer: &Result<Answer, Failure>,
    ) -> Evidence {
        match answer {
            Ok(answer) => {
                let detail = answer.reason.as_deref().unwrap_or_default();
                self.learned(transfer, via, (answer.state.name(), detail))
            }
            Err(failure) => {
                let outcome = match failure {
                    Failure::NotSent(_) | Failure::NotConfigured => UNREACHABLE,
                    Failure::NoAnswer(_) => NO_ANSWER,
                    Failure::NotFound => NOT_FOUND,
                    Failure::Unauthorized | Failure::Conflict | Failure::Refused(_) => REFUSED,
                };
                self.learned(transfer, via, (outcome, &failure.to_string()))
            }
        }
    }

    fn learned(&self, transfer: &BankTransfer, via: Via, learned: (&str, &str)) -> Evidence {
        let now = self.inner().env.now();
        Evidence::new(now, transfer.route.channel, via, learned)
    }
}

fn instruction<'a>(transfer: &'a BankTransfer, account: AccountName<'a>) -> Instruction<'a> {
    Instruction {
        id: transfer.id,
        direction: transfer.purpose.direction(),
        account,
        amount: transfer.route.amount,
        reference: &transfer.description,
        requested_at: transfer.requested_at,
    }
}

/// What the person or the institution named (see `routing::price`).
fn wanted(transfer: &BankTransfer) -> Money {
    let route = &transfer.route;
    let minor = match transfer.purpose {
        Purpose::TopUp | Purpose::Payment | Purpose::Advance => {
            route.amount.minor.saturating_sub(route.fee.minor)
        }
        Purpose::Withdrawal => route.amount.minor,
        Purpose::Payout | Purpose::AdvanceReturn => {
            route.amount.minor.saturating_add(route.fee.minor)
        }
    };
    Money::new(minor, route.amount.currency)
}
