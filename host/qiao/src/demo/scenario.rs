use std::path::PathBuf;

use anyhow::{Context, ensure};

use super::person::Person;
use super::stage::{self, Institution, PASSWORD, PIN, Stage};
use super::{bank_steps, steps};
use crate::host::Host;
use crate::terminal::{Step, say};

/// What the scenario is played with.
#[derive(Clone, Debug)]
pub struct ScenarioOptions {
    /// Where the traffic authority's biller answers.
    pub biller_url: String,
    /// The component of the money fund, unsigned.
    pub fund: Vec<u8>,
    /// The component of the traffic authority, unsigned.
    pub fines: Vec<u8>,
    /// Where the institutions' keys are made.
    pub keys: PathBuf,
}

/// The main job, end to end, through the public doors of a sandbox host.
pub struct Scenario<'a> {
    pub(super) host: &'a Host,
    stage: Stage,
    pub(super) options: ScenarioOptions,
}

/// Everybody who takes part, logged in.
pub(super) struct Cast {
    pub(super) operator: Person,
    pub(super) fund: Institution,
    pub(super) authority: Institution,
    pub(super) person: Person,
}

impl<'a> Scenario<'a> {
    /// A scenario against a host that serves.
    #[must_use]
    pub fn new(host: &'a Host, options: ScenarioOptions) -> Self {
        Self {
            stage: Stage {
                url: host.config.public_url(),
                keys: options.keys.clone(),
            },
            host,
            options,
        }
    }

    /// Plays every step.
    ///
    /// # Errors
    /// What broke, and in which step.
    pub async fn play(&self) -> anyhow::Result<()> {
        let cast = self.open().await?;
        self.step(
            "the person links their bank account",
            bank_steps::link(&cast),
        )
        .await?;
        self.step("they top up from it", bank_steps::top_up(&cast))
            .await?;
        self.step(
            "they follow the fund and buy 1,000.00 CNY",
            steps::buy(&cast),
        )
        .await?;
        self.step(
            "a day passes and the income is credited",
            steps::a_day_passes(self, &cast),
        )
        .await?;
        self.step("they redeem 200.00 units", steps::redeem(&cast))
            .await?;
        self.step(
            "they pay a fine straight from the bank and get the authority's receipt",
            steps::pay_fine(&cast),
        )
        .await?;
        self.step(
            "the authority fails after payment: they are refunded",
            steps::fail_fine(self, &cast),
        )
        .await?;
        self.step("they withdraw to the bank", bank_steps::withdraw(&cast))
            .await?;
        self.step(
            "the institutions see orders, splits and invocations",
            steps::institutions_look(&cast),
        )
        .await?;
        self.step(
            "the operator sees books that balance",
            steps::operator_looks(&cast),
        )
        .await?;
        self.print_books().await
    }

    /// The first two acts: operator, institutions with their plugins, and a
    /// person with a PIN. A browser test goes on from here by clicks.
    ///
    /// # Errors
    /// What broke, and in which step.
    pub async fn set_up(&self) -> anyhow::Result<()> {
        self.open().await.map(drop)
    }

    async fn open(&self) -> anyhow::Result<Cast> {
        let operator = self
            .step("the operator bootstraps", stage::bootstrap(self.host))
            .await?;
        let fund = self
            .step(
                "a fund company registers",
                stage::register(&self.stage, &operator, &steps::FUND),
            )
            .await?;
        let authority = self
            .step(
                "a traffic authority registers",
                stage::register(&self.stage, &operator, &steps::AUTHORITY),
            )
            .await?;
        let publish = stage::publish(&self.stage, &operator, &fund, &self.options.fund);
        self.step(
            "the fund's plugin is published, reviewed and activated",
            publish,
        )
        .await?;
        self.step(
            "the fund's bank advances money for instant redemptions",
            stage::advance(self.host, &operator, &fund),
        )
        .await?;
        let publish = stage::publish(&self.stage, &operator, &authority, &self.options.fines);
        self.step(
            "the authority's plugin is published, reviewed and activated",
            publish,
        )
        .await?;
        let person = self
            .step(
                "a person signs up and sets a PIN",
                stage::sign_up(&self.stage, "lin", "Lin Daiyu"),
            )
            .await?;
        Ok(Cast {
            operator,
            fund,
            authority,
            person,
        })
    }

    /// Plays one step with a progress line.
    pub(super) async fn step<T>(
        &self,
        what: &str,
        doing: impl Future<Output = anyhow::Result<(T, String)>>,
    ) -> anyhow::Result<T> {
        let step = Step::begin(what);
        let (value, result) = doing.await.with_context(|| what.to_owned())?;
        step.done(&result);
        Ok(value)
    }

    async fn print_books(&self) -> anyhow::Result<()> {
        say("\nthe books, per asset:");
        let totals = self.host.app.ledger.totals().await?;
        ensure!(!totals.is_empty(), "the books are empty");
        for total in totals {
            say(&format!("  {}", crate::admin::books_line(&total)));
            ensure!(
                total.is_balanced(),
                "the books of {} do not balance",
                total.asset
            );
        }
        Ok(())
    }

    /// Who can log in after the scenario.
    #[must_use]
    pub fn logins(&self, url: &str) -> String {
        format!(
            "log in at {url}/login, password `{PASSWORD}`:\n  \
             lin         a person (payment PIN {PIN})      {url}/\n  \
             fund        staff of the fund company        {url}/console\n  \
             authority   staff of the traffic authority   {url}/console\n  \
             operator    the operator                     {url}/operator"
        )
    }
}
