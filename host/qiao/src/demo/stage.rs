//! The set-up that the demo and `qiao plugin run` share: an operator,
//! institutions with their plugins, and people, all through the public doors.

use std::path::PathBuf;
use std::time::Duration;

use anyhow::{Context, ensure};
use qiao_auth::NewUser;
use qiao_model::{Currency, Money, Scope, Secret};
use qiao_payments::Advance;

use super::bank::{FUND_ACCOUNT, SANDBOX_BANK};
use super::person::Person;
use crate::host::Host;
use crate::key::{self, Kind, NewKeyArgs};
use crate::plugin::publish::{Client, PublishArgs};

/// The passwords of a sandbox are no secret.
pub const PASSWORD: &str = "bridge-over-the-river";
/// What the fund's bank advances for instant redemptions.
const ADVANCE_YUAN: &str = "50000.00";
/// The person's payment PIN.
pub const PIN: &str = "135790";

/// What a step made, and a line about it.
pub(crate) type Played<T> = anyhow::Result<(T, String)>;

/// A sandbox host that serves, and where the institutions' keys are made.
#[derive(Clone, Debug)]
pub(crate) struct Stage {
    pub(crate) url: String,
    pub(crate) keys: PathBuf,
}

/// What an institution says of itself.
pub(crate) struct Profile {
    pub(crate) login: &'static str,
    pub(crate) name: &'static str,
    pub(crate) kind: &'static str,
    pub(crate) handle: &'static str,
    pub(crate) summary: &'static str,
}

/// An institution's member of staff.
#[derive(Debug)]
pub(crate) struct Institution {
    pub(crate) staff: Person,
    pub(crate) id: String,
    pub(crate) handle: &'static str,
}

impl Stage {
    /// Where an institution's private key is.
    pub(crate) fn key_file(&self, handle: &str) -> PathBuf {
        self.keys.join(format!("{handle}.pem"))
    }
}

impl Institution {
    /// The institution's OAuth client, as its console shows it.
    pub(crate) async fn client_id(&self) -> anyhow::Result<String> {
        self.staff
            .open(&format!("/console/{}", self.id))
            .await?
            .id("cli_")
    }
}

/// Makes the operator as `qiao admin operator add` does, and logs them in.
pub(crate) async fn bootstrap(host: &Host) -> Played<Person> {
    let operator = NewUser {
        login: "operator".to_owned(),
        name: "Operator".to_owned(),
        password: Secret::new(PASSWORD.to_owned()),
    };
    host.app
        .auth
        .bootstrap_operator(operator)
        .await
        .context("making the operator")?;
    let person = Person::new(&host.config.public_url())?;
    let fields = [("login", "operator"), ("password", PASSWORD)];
    let page = person.fill("/login", "log-in", &fields).await?;
    ensure!(
        !page.path.starts_with("/login"),
        "the operator could not log in: {}",
        page.text()
    );
    Ok((person, "logged in".to_owned()))
}

/// Somebody signs up; they are logged in.
async fn sign_up_only(url: &str, login: &str, name: &str) -> anyhow::Result<Person> {
    let person = Person::new(url)?;
    let fields = [("name", name), ("login", login), ("password", PASSWORD)];
    person.fill("/signup", "sign-up", &fields).await?;
    Ok(person)
}

pub(crate) async fn sign_up(stage: &Stage, login: &str, name: &str) -> Played<Person> {
    let person = sign_up_only(&stage.url, login, name).await?;
    person
        .fill("/pin", "pin", &[("pin", PIN), ("repeat", PIN)])
        .await?;
    Ok((person, format!("{name}, login {login}")))
}

/// The operator has the fund's bank put money into custody, so that redemptions are
/// paid at once. On a host without a bank it is play money.
pub(crate) async fn advance(host: &Host, operator: &Person, fund: &Institution) -> Played<()> {
    if host.app.banks.is_any_configured() {
        let path = format!("/operator/advances/{}/fund", fund.id);
        let fields = [
            ("channel", SANDBOX_BANK),
            ("account_number", FUND_ACCOUNT),
            ("amount", ADVANCE_YUAN),
        ];
        let transfer = operator.fill(&path, "advance", &fields).await?;
        let id = transfer.id("btr_")?;
        let lines = operator.open("/operator/advances").await?;
        lines.says(&["50,000.00 CNY"])?;
        return Ok(((), format!("{id}, {ADVANCE_YUAN} CNY from the fund's bank")));
    }
    let permit = host.app.auth.permit_system("the demo", Scope::Operate);
    let advance = Advance {
        institution: fund.id.parse()?,
        amount: Money::parse(ADVANCE_YUAN, Currency::CNY)?,
    };
    let payment = host
        .app
        .payments
        .fund_advance(&permit, advance, None)
        .await?;
    Ok(((), format!("{}, play money", payment.amount)))
}

pub(crate) async fn register(
    stage: &Stage,
    operator: &Person,
    profile: &Profile,
) -> Played<Institution> {
    let staff = sign_up_only(&stage.url, profile.login, profile.name).await?;
    std::fs::create_dir_all(&stage.keys)?;
    let public = key::new(&NewKeyArgs {
        file: stage.key_file(profile.handle),
        kind: Kind::Ed25519,
    })?;
    let jwks = std::fs::read_to_string(public)?;
    let fields = [
        ("name", profile.name),
        ("kind", profile.kind),
        ("handle", profile.handle),
        ("summary", profile.summary),
        ("key", jwks.as_str()),
    ];
    let page = staff.fill("/console/register", "register", &fields).await?;
    let id = page.id("ins_")?;
    let path = format!("/operator/institutions/{id}/approve");
    operator.fill(&path, "confirm", &[]).await?;
    let institution = Institution {
        staff,
        id,
        handle: profile.handle,
    };
    let line = format!("{} approved as {}", profile.name, institution.id);
    Ok((institution, line))
}

pub(crate) async fn publish(
    stage: &Stage,
    operator: &Person,
    institution: &Institution,
    component: &[u8],
) -> Played<()> {
    let client = Client::open(&PublishArgs {
        plugin: ".".into(),
        host: stage.url.clone(),
        client_id: institution.client_id().await?,
        key: stage.key_file(institution.handle),
        activate: true,
        review_timeout: 60,
    })?;
    let token = client.token("releases:write").await?;
    let release = client.upload(&token, client.sign(component)?).await?;
    let id = release["id"]
        .as_str()
        .context("the host named no release")?;
    let report = operator.open(&format!("/operator/releases/{id}")).await?;
    report.says(&["Scopes", "Imports"])?;
    operator
        .fill(&format!("/operator/releases/{id}/approve"), "confirm", &[])
        .await?;
    client.reviewed(&token, id, Duration::from_secs(5)).await?;
    client.activate(&token, id).await?;
    Ok(((), format!("{id}, {} bytes", component.len())))
}
