use std::collections::HashSet;

use qiao_db::{Error, Machine, Tx};
use qiao_model::{Env, TransferId};

use crate::account::NewAccount;
use crate::refusal::{Refusal, Verdict};
use crate::state::State;
use crate::transfer::NewTransfer;

/// The ledger alone behind a batcher: a command is a group of transfers. The
/// host moves money through payments; this is for tests and the bench.
#[derive(Clone, Debug)]
pub struct LedgerMachine {
    env: Env,
}

impl LedgerMachine {
    /// A machine that takes the time from `env`.
    #[must_use]
    pub const fn new(env: Env) -> Self {
        Self { env }
    }
}

impl Machine for LedgerMachine {
    type Command = Vec<NewTransfer>;
    type Outcome = Result<Verdict, Refusal>;

    async fn run(
        &self,
        tx: &mut Tx,
        groups: &[Vec<NewTransfer>],
    ) -> Result<Vec<Self::Outcome>, Error> {
        let (accounts, transfers) = touched(groups);
        let mut state = State::load(tx, &accounts, &transfers).await?;
        let outcomes = groups.iter().map(|group| state.decide(group)).collect();
        state.store(tx, self.env.now()).await?;
        Ok(outcomes)
    }
}

fn touched(groups: &[Vec<NewTransfer>]) -> (Vec<NewAccount>, Vec<TransferId>) {
    let mut seen = HashSet::new();
    let mut accounts = Vec::new();
    let mut transfers = Vec::new();
    for transfer in groups.iter().flatten() {
        for account in [transfer.debit, transfer.credit] {
            if seen.insert(account.id()) {
                accounts.push(account);
            }
        }
        transfers.push(transfer.id);
        transfers.extend(transfer.kind.resolves());
    }
    (accounts, transfers)
}
