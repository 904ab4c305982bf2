//! The banks outside: they answer the host's real requests, and everything that a
//! network and a bank can do wrong happens between the two. What a bank did and
//! said it keeps; it never says two things of one payment, but it may say them
//! late, twice, out of order or not at all.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use qiao_db::{Fault, Faults};
use qiao_events::egress::NotSent;
use qiao_events::{EgressError, EgressRequest, EgressResponse, Exchange, Method, Wire};
use qiao_model::{Channel, Clock, ManualClock};
use serde_json::{Value, json};
use tokio::sync::Notify;

use crate::ask::{AtBank, AtBanks, BANKS, BankState};
use crate::chance::Chance;

/// A request that was slow on its way still arrives within these seconds. A host
/// gives up a transfer that no bank has heard of after more.
const LATE_SECS_MAX: i64 = 600;
/// Tokens outlive every run.
const TOKEN_SECS: u64 = 1_000_000_000;
const MINUTE_MS: i64 = 60_000;

/// What becomes of one exchange.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Fate {
    Answered,
    /// No connection.
    NotSent,
    /// No answer, and the request is lost.
    Lost,
    /// No answer, and the request arrives later.
    Late,
    /// The bank did it, and the answer is lost.
    AnswerLost,
    /// The bank is broken and did nothing.
    Broken,
    /// The bank did it and then broke.
    BrokenAfter,
    /// The bank does not take the token.
    Unauthorized,
    /// The bank refuses the request.
    Refused,
    /// The host ends before the request is out.
    EndsBefore,
    /// The host ends before it hears the answer.
    EndsAfter,
    /// It is answered, and storage breaks under what the host makes of it.
    StorageBreaks(Fault),
}

/// A bank's word on its way to the host.
#[derive(Clone, Debug)]
pub(crate) struct Call {
    at: i64,
    pub(crate) bank: Channel,
    pub(crate) number: u64,
    pub(crate) body: Vec<u8>,
}

#[derive(Debug)]
struct Late {
    at: i64,
    bank: Channel,
    transfer: String,
    asked: AtBank,
}

#[derive(Debug, Default)]
struct Inside {
    is_healed: bool,
    payments: AtBanks,
    /// How often each thing was asked, so that each exchange has a fate of its own.
    exchanges: BTreeMap<String, u64>,
    late: Vec<Late>,
    calls: Vec<Call>,
    called: u64,
}

/// Every bank of a run; it outlives the hosts.
pub(crate) struct SimulatedBanks {
    seed: u64,
    clock: Arc<ManualClock>,
    faults: Faults,
    host_ends: Notify,
    inside: Mutex<Inside>,
}

impl fmt::Debug for SimulatedBanks {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SimulatedBanks")
    }
}

impl SimulatedBanks {
    pub(crate) fn new(seed: u64, clock: Arc<ManualClock>, faults: Faults) -> Self {
        Self {
            seed,
            clock,
            faults,
            host_ends: Notify::new(),
            inside: Mutex::default(),
        }
    }

    /// Every exchange is answered from now on.
    pub(crate) fn heal(&self) {
        self.inside().is_healed = true;
    }

    /// Waits until a host ends in the middle of an exchange.
    pub(crate) async fn host_ends(&self) {
        self.host_ends.notified().await;
    }

    /// What the banks did.
    pub(crate) fn payments(&self) -> AtBanks {
        self.inside().payments.clone()
    }

    /// Time goes by at the banks: late requests arrive, what was accepted is done
    /// or rejected, and now and then a bank says again what it said long ago.
    pub(crate) fn work(&self, chance: &mut Chance) {
        let now = self.now();
        let mut inside = self.inside();
        let inside = &mut *inside;
        let (arrived, late) = std::mem::take(&mut inside.late)
            .into_iter()
            .partition(|late| late.at <= now || inside.is_healed);
        inside.late = late;
        for late in arrived {
            inside.put(self.seed, (late.bank, late.transfer), late.asked, now);
        }
        let open =
            |(_, payment): &(&(Channel, String), &AtBank)| payment.state == BankState::Accepted;
        let open: Vec<_> = inside
            .payments
            .iter()
            .filter(open)
            .map(|(id, _)| id.clone())
            .collect();
        for id in open {
            if inside.is_healed || chance.one_in(4) {
                let is_done = !chance.one_in(4);
                inside.end(&id, is_done);
                inside.call(&id, now, chance);
            }
        }
        if !inside.is_healed && chance.one_in(6) && !inside.payments.is_empty() {
            let at = chance.index(inside.payments.len());
            let id = inside.payments.keys().nth(at).cloned();
            id.iter().for_each(|id| inside.call(id, now, chance));
        }
    }

    /// Every bank calls once more about all that it has.
    pub(crate) fn call_about_all(&self, chance: &mut Chance) {
        let now = self.now();
        let mut inside = self.inside();
        let all: Vec<_> = inside.payments.keys().cloned().collect();
        all.iter().for_each(|id| inside.call(id, now, chance));
    }

    /// A bank takes back what it said of a payment whose end the host knows.
    pub(crate) fn contradict(&self, (bank, transfer): (Channel, &str)) {
        let now = self.now();
        let mut inside = self.inside();
        let found = inside.payments.get(&(bank, transfer.to_owned()));
        let Some(mut lie) = found.copied() else {
            return;
        };
        lie.state = match lie.state {
            BankState::Done => BankState::Rejected,
            BankState::Accepted | BankState::Rejected => BankState::Done,
        };
        let body = body_of(transfer, &lie).to_string().into_bytes();
        inside.push_call(now, bank, body);
    }

    /// The calls that have arrived.
    pub(crate) fn calls(&self) -> Vec<Call> {
        let now = self.now();
        let mut inside = self.inside();
        let is_healed = inside.is_healed;
        let calls = std::mem::take(&mut inside.calls).into_iter();
        let (mut arrived, later): (Vec<_>, Vec<_>) =
            calls.partition(|call| call.at <= now || is_healed);
        inside.calls = later;
        arrived.sort_by_key(|call| (call.at, call.number));
        arrived
    }

    fn now(&self) -> i64 {
        self.clock.now().as_millis()
    }

    fn inside(&self) -> MutexGuard<'_, Inside> {
        self.inside.lock().unwrap_or_else(PoisonError::into_inner)
    }

    async fn carry(&self, request: EgressRequest) -> Result<EgressResponse, EgressError> {
        let host = request.url.host_str().unwrap_or_default().to_owned();
        let fate = self.fate(&request);
        match fate {
            Fate::NotSent => {
                let source = NotSent::NoPlace;
                return Err(EgressError::Unreachable { host, source });
            }
            Fate::Lost => return Err(EgressError::TimedOut { host }),
            Fate::Late => {
                self.delay(&request);
                return Err(EgressError::TimedOut { host });
            }
            Fate::Broken => return Ok(answer(503, &json!({}))),
            Fate::Unauthorized => return Ok(answer(401, &json!({}))),
            Fate::Refused if !self.is_known(&request) => {
                return Ok(answer(422, &json!({"title": "not today"})));
            }
            Fate::EndsBefore => self.end_the_host().await,
            Fate::Answered
            | Fate::Refused
            | Fate::AnswerLost
            | Fate::BrokenAfter
            | Fate::EndsAfter
            | Fate::StorageBreaks(_) => {}
        }
        let answered = self.answer(&request);
        match fate {
            Fate::AnswerLost => Err(EgressError::TimedOut { host }),
            Fate::BrokenAfter => Ok(answer(502, &json!({}))),
            Fate::EndsAfter => self.end_the_host().await,
            Fate::StorageBreaks(fault) => {
                self.faults.plan(fault);
                Ok(answered)
            }
            _ => Ok(answered),
        }
    }

    async fn end_the_host(&self) -> ! {
        self.host_ends.notify_one();
        std::future::pending().await
    }

    /// By chance, but the same for the same exchange of the same seed, whatever
    /// else is under way.
    fn fate(&self, request: &EgressRequest) -> Fate {
        let mut inside = self.inside();
        if inside.is_healed {
            return Fate::Answered;
        }
        let name = format!("{:?} {}", request.method, request.url);
        let count = inside.exchanges.entry(name.clone()).or_default();
        *count += 1;
        let mut chance = chance_of(self.seed, &format!("{name} {count}"));
        let is_payment = payment_of(request).is_some();
        let is_put = request.method == Method::Put;
        match chance.below(100) {
            0..=6 => Fate::NotSent,
            7..=9 => Fate::Broken,
            10..=13 => Fate::Lost,
            14..=17 if is_put => Fate::Late,
            18..=25 if is_payment => Fate::AnswerLost,
            26..=28 if is_payment => Fate::BrokenAfter,
            29..=30 if is_payment => Fate::Unauthorized,
            31..=32 if is_put => Fate::Refused,
            33..=35 if is_payment => Fate::EndsBefore,
            36..=39 if is_payment => Fate::EndsAfter,
            40..=47 if is_payment => Fate::StorageBreaks(chance.pick(&[
                Fault::CommitBusy,
                Fault::CommitFull,
                Fault::CommitLost,
                Fault::AnswerLost,
                Fault::DieBeforeCommit,
                Fault::DieAfterCommit,
                Fault::PanicAfter(3),
            ])),
            _ => Fate::Answered,
        }
    }

    fn is_known(&self, request: &EgressRequest) -> bool {
        payment_of(request).is_some_and(|id| self.inside().payments.contains_key(&id))
    }

    fn delay(&self, request: &EgressRequest) {
        let (Some((bank, transfer)), Some(asked)) = (payment_of(request), asked_by(request)) else {
            return;
        };
        let mut chance = chance_of(self.seed, &format!("late {transfer}"));
        let at = self.now() + chance.between(1, LATE_SECS_MAX) * 1000;
        let late = Late {
            at,
            bank,
            transfer,
            asked,
        };
        self.inside().late.push(late);
    }

    fn answer(&self, request: &EgressRequest) -> EgressResponse {
        let now = self.now();
        if let Some(id) = payment_of(request) {
            let mut inside = self.inside();
            if let Some(asked) = asked_by(request) {
                let is_same =
                    |known: &AtBank| (known.is_in, known.minor) == (asked.is_in, asked.minor);
                if inside
                    .payments
                    .get(&id)
                    .is_some_and(|known| !is_same(known))
                {
                    return answer(409, &json!({}));
                }
                inside.put(self.seed, id.clone(), asked, now);
            }
            return match inside.payments.get(&id) {
                Some(payment) => answer(200, &body_of(&id.1, payment)),
                None => answer(404, &json!({})),
            };
        }
        let origin = request.url.origin().ascii_serialization();
        match request.url.path() {
            "/.well-known/oauth-authorization-server" => answer(
                200,
                &json!({
                    "issuer": origin,
                    "authorization_endpoint": format!("{origin}/authorize"),
                    "token_endpoint": format!("{origin}/token"),
                    "revocation_endpoint": format!("{origin}/revoke"),
                    "code_challenge_methods_supported": ["S256"],
                    "authorization_response_iss_parameter_supported": true,
                }),
            ),
            "/token" => answer(
                200,
                &json!({
                    "access_token": "simulated",
                    "token_type": "bearer",
                    "expires_in": TOKEN_SECS,
                    "refresh_token": "simulated",
                }),
            ),
            "/accounts" => {
                let account = json!({"id": "acc", "name": "simulated", "number_masked": "*1"});
                answer(200, &json!([account]))
            }
            _ => answer(404, &json!({})),
        }
    }
}

impl Wire for SimulatedBanks {
    fn exchange(&self, request: EgressRequest) -> Exchange<'_> {
        Box::pin(self.carry(request))
    }
}

impl Inside {
    /// The bank does what it is asked for, once.
    fn put(&mut self, seed: u64, id: (Channel, String), asked: AtBank, now: i64) {
        if self.payments.contains_key(&id) {
            return;
        }
        let mut chance = chance_of(seed, &format!("{} {}", id.0, id.1));
        let (state, reason) = match chance.below(20) {
            _ if self.is_healed => (BankState::Done, ""),
            0..=10 => (BankState::Done, ""),
            11..=14 => (BankState::Accepted, ""),
            15..=16 => (BankState::Rejected, "limit"),
            17 => (BankState::Rejected, "unavailable"),
            _ => (BankState::Rejected, "insufficient_funds"),
        };
        let payment = AtBank {
            state,
            reason,
            ..asked
        };
        self.payments.insert(id.clone(), payment);
        self.call(&id, now, &mut chance);
    }

    fn end(&mut self, id: &(Channel, String), is_done: bool) {
        if let Some(payment) = self.payments.get_mut(id) {
            (payment.state, payment.reason) = match is_done {
                true => (BankState::Done, ""),
                false => (BankState::Rejected, "insufficient_funds"),
            };
        }
    }

    /// Tells the host how it stands: never, once or twice, soon or late.
    fn call(&mut self, id: &(Channel, String), now: i64, chance: &mut Chance) {
        let Some(payment) = self.payments.get(id) else {
            return;
        };
        let body = body_of(&id.1, payment).to_string().into_bytes();
        let copies = if self.is_healed { 1 } else { chance.below(3) };
        for _ in 0..copies {
            let delay = match chance.below(4) {
                0 => chance.between(0, 90) * MINUTE_MS,
                _ => chance.between(0, 3_000),
            };
            self.push_call(now + delay, id.0, body.clone());
        }
    }

    fn push_call(&mut self, at: i64, bank: Channel, body: Vec<u8>) {
        self.called += 1;
        self.calls.push(Call {
            at,
            bank,
            number: self.called,
            body,
        });
    }
}

/// Which bank and payment a request is about, if it is about one.
fn payment_of(request: &EgressRequest) -> Option<(Channel, String)> {
    let bank = request.url.host_str()?.split('.').next()?;
    let transfer = request.url.path().strip_prefix("/payments/")?;
    Some((bank.parse().ok()?, transfer.to_owned()))
}

/// What a request asks the bank to do.
fn asked_by(request: &EgressRequest) -> Option<AtBank> {
    let body: Value = serde_json::from_slice(&request.body).ok()?;
    Some(AtBank {
        is_in: body["direction"] == "debit",
        minor: body["amount_minor"].as_i64()?,
        state: BankState::Accepted,
        reason: "",
    })
}

fn body_of(transfer: &str, payment: &AtBank) -> Value {
    let reason = (!payment.reason.is_empty()).then_some(payment.reason);
    json!({
        "id": transfer,
        "bank_reference": format!("ref-{transfer}"),
        "state": match payment.state {
            BankState::Accepted => "accepted",
            BankState::Done => "done",
            BankState::Rejected => "rejected",
        },
        "reason": reason,
        "booked_at": null,
    })
}

fn answer(status: u16, body: &Value) -> EgressResponse {
    EgressResponse {
        status,
        headers: vec![("content-type".to_owned(), "application/json".to_owned())],
        body: body.to_string().into_bytes(),
    }
}

/// The chance of one thing of a seed.
fn chance_of(seed: u64, name: &str) -> Chance {
    let mut mixed = seed ^ 0x51_7c_c1_b7_27_22_0a_95;
    for byte in name.bytes() {
        mixed = (mixed ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3);
    }
    Chance::of(mixed)
}

/// The address of a bank.
pub(crate) fn issuer_of(code: &str) -> String {
    format!("https://{code}.bank.example")
}

/// The codes of the banks.
pub(crate) fn channels() -> Vec<Channel> {
    let codes = BANKS.iter().map(|bank| bank.code.parse());
    codes.filter_map(Result::ok).collect()
}
