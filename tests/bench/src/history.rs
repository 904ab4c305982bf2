use std::borrow::Cow;

use anyhow::ensure;
use qiao_db::Db;
use qiao_model::{Env, InstitutionId, Money, UserId};
use qiao_payments::{Command, Keyed, Method, NewPayment, Party, Split, batch};

/// Payments of one transaction.
const BATCH_PAYMENTS: u64 = 2_000;
/// Whom they pay, in turn.
const RECEIVERS: u128 = 10_000;
const SPLITS: u64 = 3;

/// Makes payments of an institution until there are so many transfers more, by the money
/// path itself in batches as large as it takes them: with their outbox rows, and books that an
/// audit accepts.
pub(crate) async fn make(
    db: &Db,
    env: &Env,
    institution: InstitutionId,
    transfers: u64,
) -> anyhow::Result<()> {
    let mut left = transfers.div_ceil(SPLITS);
    while left > 0 {
        let payments = left.min(BATCH_PAYMENTS);
        let commands: Vec<Keyed> = (0..payments)
            .map(|number| command(env, institution, left - number))
            .collect::<anyhow::Result<_>>()?;
        store(db, env, &commands).await?;
        left -= payments;
    }
    Ok(())
}

async fn store(db: &Db, env: &Env, commands: &[Keyed]) -> anyhow::Result<()> {
    let now = env.now();
    let mut tx = db.begin().await?;
    let references: Vec<&Keyed> = commands.iter().collect();
    let mut loaded = batch::load(&mut tx, &references).await?;
    for command in commands {
        batch::decide(&mut loaded, command, now)?;
    }
    batch::store(loaded, &mut tx, now).await?;
    tx.commit().await?;
    Ok(())
}

fn command(env: &Env, institution: InstitutionId, number: u64) -> anyhow::Result<Keyed> {
    let split = |receiver, minor, purpose| Split {
        receiver,
        amount: Money::cny(minor),
        purpose: Cow::Borrowed(purpose),
    };
    let receiver = UserId::from_u128(u128::from(number) % RECEIVERS + 1);
    let splits = vec![
        split(Party::User(receiver), 3, "principal"),
        split(Party::Revenue(institution), 2, "commission"),
        split(Party::Platform, 1, "platform-fee"),
    ];
    ensure!(
        splits.len() as u64 == SPLITS,
        "a payment has {SPLITS} splits"
    );
    let payment = NewPayment {
        id: env.id(),
        order: None,
        institution: Some(institution),
        payer: Party::Institution(institution),
        method: Method::Balance,
        amount: Money::cny(6),
        splits,
        deliveries: Vec::new(),
        description: "a rebate".to_owned(),
        expires_at: None,
    };
    // A host forgets the keys after days.
    Ok(Keyed::new(Command::Pay(payment), None))
}
