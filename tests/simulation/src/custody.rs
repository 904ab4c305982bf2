//! The room of banks as one host has it, over the simulated banks.

use std::collections::BTreeMap;
use std::sync::Arc;

use anyhow::Context;
use qiao_auth::Auth;
use qiao_banks::{
    Abilities, BankTransfer, Banks, BanksConfig, CallbackHeaders, Cost, Crash, NewChannel,
    NewPayIn, NewPayout, NewTopUp, NewWithdrawal, Redirected, Rooms,
};
use qiao_db::{Db, Error as DbError};
use qiao_events::{Egress, Policy, Sealer, sign_webhook};
use qiao_model::{BankLinkId, Channel, Env, Money, Rate, Scope, Secret, UserId};
use qiao_payments::{IdempotencyKey, Payments};
use url::Url;

use crate::ask::{BANKS, BankAsk, BankPurpose, Heard, Sent, Told};
use crate::banks::{Call, SimulatedBanks, channels, issuer_of};
use crate::citizens::Citizens;
use crate::drive;

/// What the banks sign their calls with.
const CALLBACK_KEY: [u8; 32] = [5; 32];

/// Everybody's account at each bank.
pub(crate) type Links = BTreeMap<(UserId, Channel), BankLinkId>;

/// Opens the room.
pub(crate) async fn open(
    (db, env): (&Db, &Env),
    auth: &Auth,
    payments: &Payments,
    banks: &Arc<SimulatedBanks>,
) -> anyhow::Result<Banks> {
    let rooms = Rooms {
        db: db.clone(),
        env: env.clone(),
        auth: auth.clone(),
        payments: payments.clone(),
        sealer: Sealer::new(&Secret::new([9; 32]), env.clone())?,
        egress: Egress::over(banks.clone()),
        policy: Policy::public_only(),
    };
    let config = BanksConfig {
        node: "simulated".to_owned(),
        public_url: "https://qiao.test".to_owned(),
        channels: BANKS.iter().map(new_channel).collect::<Result<_, _>>()?,
        timeout: BanksConfig::TIMEOUT_DEFAULT,
        // One after the other, so that a seed plays the same each time.
        repair_at_once: 1,
        crash: Crash::Never,
    };
    Ok(Banks::open(rooms, config).await?)
}

fn new_channel(bank: &crate::ask::BankTerms) -> anyhow::Result<NewChannel> {
    Ok(NewChannel {
        code: bank.code.parse()?,
        name: bank.code.to_owned(),
        issuer: Url::parse(&issuer_of(bank.code))?,
        client_id: "qiao".to_owned(),
        client_secret: Secret::new("simulated".to_owned()),
        callback_key: Secret::new(CALLBACK_KEY.to_vec()),
        abilities: Abilities::Both,
        cost: Cost {
            flat_minor: bank.flat_minor,
            rate: Rate::from_ppm(bank.ppm),
        },
        priority: 100,
        amount_max_minor: bank.minor_max,
    })
}

/// Links everybody's account at each bank.
pub(crate) async fn link_all(banks: &Banks, citizens: &Citizens) -> anyhow::Result<Links> {
    let mut links = Links::new();
    for citizen in citizens.all() {
        for bank in channels() {
            let (permit, session) = (&citizen.permit, citizen.session());
            let begun = banks.begin_link(permit, session, bank, "/").await?;
            let state = begun.url.query_pairs().find(|(name, _)| name == "state");
            let redirected = Redirected {
                code: Some("simulated".to_owned()),
                state: state.map(|(_, state)| state.into_owned()),
                iss: Some(issuer_of(bank.code())),
                error: None,
            };
            let linked = banks.finish_link(permit, session, bank, redirected).await?;
            links.insert((citizen.user, bank), linked.0.id);
        }
    }
    Ok(links)
}

/// What the door of banks is asked for, ready to be asked.
pub(crate) enum Request {
    TopUp(UserId, NewTopUp),
    PayIn(UserId, NewPayIn),
    Withdraw(UserId, NewWithdrawal),
    PayOut(NewPayout),
}

/// Reads the request as one of the room.
pub(crate) fn request(
    ask: &BankAsk,
    sent: &Sent,
    (citizens, links): (&Citizens, &Links),
) -> anyhow::Result<Request> {
    let amount = Money::cny(ask.minor);
    if ask.purpose == BankPurpose::PayOut {
        return Ok(Request::PayOut(NewPayout {
            id: ask.transfer,
            from: drive::party(ask.who)?,
            account_number: "6222".to_owned(),
            amount,
            description: "simulated".to_owned(),
        }));
    }
    let crate::ask::Place::User(user) = ask.who else {
        anyhow::bail!("{ask:?} is no person's");
    };
    let key = sent.key.as_ref().context("a person sends a key")?;
    let key = IdempotencyKey::new(&key.owner, &key.key, key.request.as_bytes())?;
    let link_at = |bank| links.get(&(user, bank)).copied().context("a link there");
    let link = ask.bank.map(link_at).transpose()?;
    let pin = || citizens.pin(citizens.citizen(user)?);
    Ok(match ask.purpose {
        BankPurpose::TopUp => Request::TopUp(user, NewTopUp { link, amount, key }),
        BankPurpose::PayIn => Request::PayIn(
            user,
            NewPayIn {
                link: link.context("a payment names its account")?,
                amount,
                pin: pin()?,
                key,
            },
        ),
        BankPurpose::Withdraw | BankPurpose::PayOut => Request::Withdraw(
            user,
            NewWithdrawal {
                link,
                amount,
                pin: pin()?,
                key,
            },
        ),
    })
}

/// Asks the room.
pub(crate) async fn ask(
    banks: &Banks,
    request: Request,
    citizens: &Citizens,
) -> anyhow::Result<Heard> {
    let permit = |user| anyhow::Ok(&citizens.citizen(user)?.permit);
    let done = match request {
        Request::TopUp(user, new) => banks.top_up(permit(user)?, new).await,
        Request::PayIn(user, new) => banks.pay_in(permit(user)?, new).await,
        Request::Withdraw(user, new) => banks.withdraw(permit(user)?, new).await,
        Request::PayOut(new) => {
            let host = citizens.host(Scope::PaymentsWrite);
            banks.pay_out(&host, new).await
        }
    };
    Ok(heard(done))
}

fn heard(done: Result<BankTransfer, qiao_banks::Error>) -> Heard {
    match done {
        Ok(transfer) => Heard::Told(Told::Transfer(transfer.id.to_string())),
        Err(qiao_banks::Error::Payment(refusal)) => {
            Heard::Told(Told::Refused(drive::name_of(&refusal)))
        }
        Err(qiao_banks::Error::Storage(DbError::Unreachable(cause))) => {
            Heard::Unknown(cause.to_string())
        }
        // A transfer that is stored may be told of by an error: ask again.
        Err(error) => Heard::Unknown(error.to_string()),
    }
}

/// A bank calls; gives what the host answers it.
pub(crate) async fn call(banks: &Banks, env: &Env, call: &Call) -> Result<(), qiao_banks::Error> {
    let (id, now) = (format!("call-{}", call.number), env.now());
    let key = Secret::new(CALLBACK_KEY.to_vec());
    let signature = sign_webhook(&key, &id, now, &call.body);
    let headers = CallbackHeaders {
        id: &id,
        timestamp: &now.as_secs().to_string(),
        signature: &signature,
    };
    banks.callback(call.bank, headers, &call.body).await
}
