use qiao_db::{Error, Machine, Tx};
use qiao_model::Env;

use crate::batch;
use crate::command::{Keyed, Outcome};
use crate::refusal::Refusal;

/// Payments behind a batcher: each command is accepted or refused by itself, in
/// order, and a batch is one transaction.
#[derive(Clone, Debug)]
pub struct PaymentMachine {
    env: Env,
}

impl PaymentMachine {
    /// A machine that takes the time from `env`.
    #[must_use]
    pub const fn new(env: Env) -> Self {
        Self { env }
    }
}

impl Machine for PaymentMachine {
    type Command = Keyed;
    type Outcome = Result<Outcome, Refusal>;

    async fn run(&self, tx: &mut Tx, commands: &[Keyed]) -> Result<Vec<Self::Outcome>, Error> {
        let now = self.env.now();
        let commands: Vec<&Keyed> = commands.iter().collect();
        let mut loaded = batch::load(tx, &commands).await?;
        let outcomes = commands
            .iter()
            .map(|command| batch::decide(&mut loaded, command, now))
            .collect();
        batch::store(loaded, tx, now).await?;
        Ok(outcomes)
    }
}
