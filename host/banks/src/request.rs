use qiao_auth::{AuditEntry, Permit, PinProof};
use qiao_model::{BankLinkId, BankTransferId, Channel, InstitutionId, Money, Timestamp};
use qiao_payments::{IdempotencyKey, Invalid, Party, Refusal};

use crate::access;
use crate::banks::Banks;
use crate::crash::CrashPoint;
use crate::error::Error;
use crate::link::{BankLink, LinkState};
use crate::machine::{Command, Outcome, Refused, RequestKey};
use crate::parts::parts;
use crate::routing::{Ask, CIRCUIT_SECS, Candidate, Choice, choose};
use crate::rules::LEASE_SECS;
use crate::store;
use crate::transfer::{BankTransfer, Lease, Purpose, Routing, Standing, TransferState};

/// An account number is at most as long as an IBAN.
pub const ACCOUNT_NUMBER_CHARS_MAX: usize = 34;
/// How often a command is handed in again after another node had the same idea.
const REQUEST_TRIES_MAX: u32 = 3;

/// Money from the person's bank to their balance.
#[derive(Clone, Copy, Debug)]
pub struct NewTopUp {
    /// From which account; none for the cheapest of the person's that works.
    pub link: Option<BankLinkId>,
    /// What the balance gets.
    pub amount: Money,
    /// The caller's idempotency key.
    pub key: IdempotencyKey,
}

/// Money from the person's balance to their bank.
#[derive(Debug)]
pub struct NewWithdrawal {
    /// To which account; none for the cheapest of the person's that works.
    pub link: Option<BankLinkId>,
    /// What the account gets.
    pub amount: Money,
    /// The payment PIN, just given.
    pub pin: PinProof,
    /// The caller's idempotency key.
    pub key: IdempotencyKey,
}

/// Money from the person's bank for an order that is placed when it has arrived.
#[derive(Debug)]
pub struct NewPayIn {
    /// From which account.
    pub link: BankLinkId,
    /// What the order costs.
    pub amount: Money,
    /// The payment PIN, just given.
    pub pin: PinProof,
    /// The caller's idempotency key.
    pub key: IdempotencyKey,
}

/// Money that an institution is owed, to its bank account.
#[derive(Clone, Debug)]
pub struct NewPayout {
    /// Its id; the same id and content again changes nothing.
    pub id: BankTransferId,
    /// From which account on the books: settlement or revenue of an institution,
    /// or the platform's.
    pub from: Party,
    /// The number of the bank account.
    pub account_number: String,
    /// What leaves the books; the channel's fee is out of it.
    pub amount: Money,
    /// What the statement reads.
    pub description: String,
}

/// Money between an institution's bank and its line for instant redemptions.
#[derive(Clone, Debug)]
pub struct NewAdvance {
    /// Whose line.
    pub institution: InstitutionId,
    /// The channel of its bank.
    pub channel: Channel,
    /// The number of its account there.
    pub account_number: String,
    /// What the line gets, or gives back.
    pub amount: Money,
    /// The caller's idempotency key.
    pub key: IdempotencyKey,
}

/// A transfer to be routed and stored.
struct Wanted {
    id: BankTransferId,
    purpose: Purpose,
    party: Party,
    link: Option<BankLinkId>,
    channel: Option<Channel>,
    account_number: Option<String>,
    amount: Money,
    description: Option<String>,
    key: Option<RequestKey>,
}

impl Banks {
    /// Fills the caller's balance from their bank. Scope `account`.
    ///
    /// The transfer that comes back has not always ended: a bank may need longer,
    /// or give no answer, and then the worker asks on.
    ///
    /// # Errors
    /// The link is not the caller's or over, no channel can carry it, or the key
    /// is in flight or was used for something else. Then nothing is asked of a
    /// bank. After a storage error the same request can be sent again.
    pub async fn top_up(&self, permit: &Permit, new: NewTopUp) -> Result<BankTransfer, Error> {
        let user = access::own_account(permit)?;
        let _in_flight = self.inner().payments.in_flight().enter(&new.key)?;
        self.start(Wanted {
            id: self.inner().env.id(),
            purpose: Purpose::TopUp,
            party: Party::User(user),
            link: new.link,
            channel: None,
            account_number: None,
            amount: new.amount,
            description: None,
            key: Some(RequestKey::of(&new.key)),
        })
        .await
    }

    /// What [`Banks::pay_in`] would move by that account and take for it, if it were
    /// asked now. Scope `account`.
    ///
    /// # Errors
    /// The link is not the caller's or over, its channel cannot carry the amount, or
    /// the database failed.
    pub async fn expected_pay_in(
        &self,
        permit: &Permit,
        link: BankLinkId,
        amount: Money,
    ) -> Result<Choice, Error> {
        let user = access::own_account(permit)?;
        let candidates = self.candidates(Party::User(user), Some(link)).await?;
        let ask = Ask {
            purpose: Purpose::Payment,
            wanted: amount,
            fee_max: None,
            tried: &[],
        };
        choose(&ask, &candidates).ok_or(Error::NoRoute)
    }

    /// Debits the caller's bank for an order, by the account that it names and no
    /// other: what a channel adds to the order's price was quoted for this one. What arrives is in their balance,
    /// and the caller places the order when it is done. Scope `account`.
    ///
    /// # Errors
    /// As [`Banks::top_up`], or the PIN is not the caller's.
    pub async fn pay_in(&self, permit: &Permit, new: NewPayIn) -> Result<BankTransfer, Error> {
        let user = access::own_account(permit)?;
        let now = self.inner().env.now();
        if new.pin.is_of(permit, now).is_err() {
            return Err(Error::PinForeign);
        }
        let _in_flight = self.inner().payments.in_flight().enter(&new.key)?;
        self.start(Wanted {
            id: self.inner().env.id(),
            purpose: Purpose::Payment,
            party: Party::User(user),
            link: Some(new.link),
            channel: None,
            account_number: None,
            amount: new.amount,
            description: None,
            key: Some(RequestKey::of(&new.key)),
        })
        .await
    }

    /// Takes money out of the caller's balance to their bank: held when it is
    /// asked for, gone when the bank is done, back when it rejects. Scope `account`.
    ///
    /// # Errors
    /// As [`Banks::top_up`], the PIN is not the caller's, or the balance is too small.
    pub async fn withdraw(
        &self,
        permit: &Permit,
        new: NewWithdrawal,
    ) -> Result<BankTransfer, Error> {
        let user = access::own_account(permit)?;
        let now = self.inner().env.now();
        if new.pin.is_of(permit, now).is_err() {
            return Err(Error::PinForeign);
        }
        let _in_flight = self.inner().payments.in_flight().enter(&new.key)?;
        self.start(Wanted {
            id: self.inner().env.id(),
            purpose: Purpose::Withdrawal,
            party: Party::User(user),
            link: new.link,
            channel: None,
            account_number: None,
            amount: new.amount,
            description: None,
            key: Some(RequestKey::of(&new.key)),
        })
        .await
    }

    /// Pays an institution out, by the cheapest channel that works. A job of the
    /// host alone, scope `payments:write`. Called again with the same id it gives
    /// the transfer as it is now.
    ///
    /// # Errors
    /// The permit is not the host's, the id has other content, no channel can
    /// carry it, the account on the books has too little, or the database failed.
    pub async fn pay_out(&self, permit: &Permit, new: NewPayout) -> Result<BankTransfer, Error> {
        access::may_pay_out(permit, new.from)?;
        self.start(Wanted {
            id: new.id,
            purpose: Purpose::Payout,
            party: new.from,
            link: None,
            channel: None,
            account_number: Some(new.account_number),
            amount: new.amount,
            description: Some(new.description),
            key: None,
        })
        .await
    }

    /// Has an institution's bank lend it money for instant redemptions: its account
    /// is debited, and what arrives is on the advance line. Scope `operate`.
    ///
    /// # Errors
    /// The permit is no operator's, the account number is none, the channel cannot
    /// debit the amount, or the key is in flight or was used for something else.
    pub async fn fund_advance(
        &self,
        permit: &Permit,
        new: NewAdvance,
    ) -> Result<BankTransfer, Error> {
        self.move_advance(permit, Purpose::Advance, new).await
    }

    /// Gives an institution's bank back what its line does not need: held when it is
    /// asked for, gone when the bank is done, back when it rejects. Scope `operate`.
    ///
    /// # Errors
    /// As [`Banks::fund_advance`], or the line has less free: the rest is lent out.
    pub async fn return_advance(
        &self,
        permit: &Permit,
        new: NewAdvance,
    ) -> Result<BankTransfer, Error> {
        self.move_advance(permit, Purpose::AdvanceReturn, new).await
    }

    async fn move_advance(
        &self,
        permit: &Permit,
        purpose: Purpose,
        new: NewAdvance,
    ) -> Result<BankTransfer, Error> {
        access::may_operate(permit)?;
        check_account_number(&new.account_number)?;
        self.channel(new.channel).await?;
        let _in_flight = self.inner().payments.in_flight().enter(&new.key)?;
        let transfer = self.start(Wanted {
            id: self.inner().env.id(),
            purpose,
            party: Party::Advance(new.institution),
            link: None,
            channel: Some(new.channel),
            account_number: Some(new.account_number),
            amount: new.amount,
            description: Some(format!("{} {}", purpose.name(), new.institution)),
            key: Some(RequestKey::of(&new.key)),
        });
        let transfer = transfer.await?;
        let action = match purpose {
            Purpose::AdvanceReturn => "advance.return",
            _ => "advance.fund",
        };
        // A host that ends before this is asked again under the key, and audits it then.
        let entry = AuditEntry::allowed(permit.actor(), action, transfer.id);
        let detail = format!("{} at {} for {}", new.amount, new.channel, new.institution);
        self.inner().auth.audit(entry.detail(detail)).await?;
        Ok(transfer)
    }

    /// Into which transfers a payout is to be cut, so that the channels can carry it:
    /// at most [`crate::PAYOUT_PARTS_MAX`], none when no channel could.
    ///
    /// # Errors
    /// The database failed.
    pub async fn payout_parts(&self, whole: Money) -> Result<Vec<Money>, Error> {
        Ok(parts(whole, &self.channels().await?))
    }

    /// Stores the transfer, then asks the bank.
    async fn start(&self, wanted: Wanted) -> Result<BankTransfer, Error> {
        if let Some(existing) = self.existing(&wanted).await? {
            return Ok(existing);
        }
        if wanted.amount.minor < 1 {
            let invalid = Invalid::Amount(wanted.amount.into());
            return Err(Refusal::Invalid(invalid).into());
        }
        let mut candidates = self.candidates(wanted.party, wanted.link).await?;
        let is_named = |code| wanted.channel.is_none_or(|named| named == code);
        candidates.retain(|candidate| is_named(candidate.channel.code));
        let ask = Ask {
            purpose: wanted.purpose,
            wanted: wanted.amount,
            fee_max: None,
            tried: &[],
        };
        let choice = choose(&ask, &candidates).ok_or(Error::NoRoute)?;
        let transfer = self.new_transfer(&wanted, choice, &candidates);
        match self.store(&transfer, wanted.key).await? {
            Some(existing) => Ok(existing),
            None => {
                self.inner().crash.at(CrashPoint::BeforeSend)?;
                self.drive(transfer).await
            }
        }
    }

    /// What the key or the id made before.
    async fn existing(&self, wanted: &Wanted) -> Result<Option<BankTransfer>, Error> {
        let db = &self.inner().db;
        let Some(key) = &wanted.key else {
            let found = store::transfer::find(db, wanted.id).await?;
            return match found {
                Some(found) if !is_same(&found, wanted) => Err(Error::Conflict(wanted.id)),
                found => Ok(found),
            };
        };
        match store::transfer::find_by_key(db, &key.digest).await? {
            Some(record) if record.key.as_ref() == Some(key) => Ok(Some(record.transfer)),
            Some(_) => Err(Refusal::KeyReused.into()),
            None => Ok(None),
        }
    }

    /// The channels that may carry a party's transfer: those of its links, or of
    /// the one that was named; for an institution every one.
    pub(crate) async fn candidates(
        &self,
        party: Party,
        link: Option<BankLinkId>,
    ) -> Result<Vec<Candidate>, Error> {
        let inner = self.inner();
        let since = inner
            .env
            .now()
            .plus_secs(0_i64.saturating_sub(CIRCUIT_SECS));
        let failures = store::answer::failures(&inner.db, since).await?;
        let channels = self.channels().await?.into_iter().map(|channel| {
            let failed = failures.iter().find(|(code, _)| *code == channel.code);
            Candidate {
                failures: failed.map_or(0, |(_, count)| *count),
                link: None,
                channel,
            }
        });
        let Party::User(user) = party else {
            return Ok(channels.collect());
        };
        let links = store::link::list_for_user(&inner.db, user).await?;
        if let Some(named) = link {
            let found = links.iter().find(|link| link.id == named);
            let found = found.ok_or(Error::UnknownLink(named))?;
            if found.state != LinkState::Active {
                return Err(Error::LinkOver(named));
            }
        }
        let usable = |of: &BankLink| {
            of.state == LinkState::Active && link.is_none_or(|named| named == of.id)
        };
        let of_links = channels.flat_map(|candidate| {
            let is_here = |of: &&BankLink| of.channel == candidate.channel.code && usable(of);
            let here = links.iter().filter(is_here).map(|of| Candidate {
                link: Some(of.id),
                ..candidate.clone()
            });
            here.collect::<Vec<_>>()
        });
        Ok(of_links.collect())
    }

    fn new_transfer(
        &self,
        wanted: &Wanted,
        choice: Choice,
        candidates: &[Candidate],
    ) -> BankTransfer {
        let inner = self.inner();
        let now = inner.env.now();
        let bank = candidates
            .iter()
            .find(|candidate| candidate.channel.code == choice.channel)
            .map_or("", |candidate| candidate.channel.name.as_str());
        BankTransfer {
            id: wanted.id,
            purpose: wanted.purpose,
            party: wanted.party,
            account_number: wanted.account_number.clone(),
            description: (wanted.description.clone()).unwrap_or_else(|| bank.to_owned()),
            route: choice.route(wanted.id, 1),
            routing: match (wanted.link, wanted.channel) {
                (None, None) => Routing::Free,
                (Some(_), _) | (_, Some(_)) => Routing::Fixed,
            },
            tried: Vec::new(),
            requested_at: now,
            standing: Standing {
                state: TransferState::Requested,
                reason: None,
                bank_reference: None,
                attempt: 1,
                failures: 0,
                next_at: Some(now),
                lease: Some(self.lease(now)),
                booked_at: None,
                answers: 0,
                changed_at: now,
            },
        }
    }

    pub(crate) fn lease(&self, now: Timestamp) -> Lease {
        Lease {
            node: self.inner().node.clone(),
            until: now.plus_secs(LEASE_SECS),
        }
    }

    /// Stores a request; gives the transfer that was there before, if one was.
    async fn store(
        &self,
        transfer: &BankTransfer,
        key: Option<RequestKey>,
    ) -> Result<Option<BankTransfer>, Error> {
        let mut tries = 1;
        loop {
            let command = Command::Request {
                transfer: Box::new(transfer.clone()),
                key: key.clone(),
            };
            match self.inner().batcher.submit(command).await {
                Ok(Ok(Outcome::Requested)) => return Ok(None),
                Ok(Ok(Outcome::Existing(found) | Outcome::Changed(found, _))) => {
                    return Ok(Some(*found));
                }
                Ok(Err(Refused::Payment(refusal))) => return Err(refusal.into()),
                Ok(Err(Refused::Transfer(refusal))) => return Err(refusal.into()),
                Ok(Err(Refused::Conflict(id))) => return Err(Error::Conflict(id)),
                // Two nodes stored the same request at once: the second look finds it.
                Err(error) if error.is_unique_violation() && tries < REQUEST_TRIES_MAX => {
                    tries = tries.saturating_add(1);
                }
                Err(error) => return Err(error.into()),
            }
        }
    }
}

fn check_account_number(number: &str) -> Result<(), Error> {
    let is_number = (1..=ACCOUNT_NUMBER_CHARS_MAX).contains(&number.len())
        && number.bytes().all(|byte| byte.is_ascii_alphanumeric());
    is_number.then_some(()).ok_or(Error::AccountNumber)
}

/// Whether a payout is the one that is asked for again. Another channel may have
/// taken another fee out of the same whole.
fn is_same(found: &BankTransfer, wanted: &Wanted) -> bool {
    let whole = found.route.amount.plus(found.route.fee);
    found.purpose == wanted.purpose
        && found.party == wanted.party
        && found.account_number == wanted.account_number
        && whole == Ok(wanted.amount)
}
