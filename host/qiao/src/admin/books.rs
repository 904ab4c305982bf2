use anyhow::ensure;
use qiao_ledger::{AssetTotal, Ledger};
use qiao_model::Amount;

use crate::config::{Config, DataArgs, ServeArgs};
use crate::host::open_existing;
use crate::terminal::say;

/// Prints the books and fails when they do not balance.
pub(super) async fn run(data: DataArgs) -> anyhow::Result<()> {
    let config = Config::read(&ServeArgs {
        data,
        ..ServeArgs::default()
    })?;
    let db = open_existing(&config).await?;
    let totals = Ledger::new(db.clone()).totals().await?;
    if totals.is_empty() {
        say("the books are empty: nothing was ever posted");
    }
    for total in &totals {
        say(&books_line(total));
    }
    db.close().await;
    let broken: Vec<String> = totals
        .iter()
        .filter(|t| !t.is_balanced())
        .map(|t| t.asset.to_string())
        .collect();
    ensure!(
        broken.is_empty(),
        "the books of {} do not balance",
        broken.join(", ")
    );
    Ok(())
}

/// One asset in one line.
pub(crate) fn books_line(total: &AssetTotal) -> String {
    let amount = |minor| Amount {
        minor,
        asset: total.asset,
    };
    let figure = |minor| {
        amount(minor)
            .to_string()
            .split(' ')
            .next()
            .unwrap_or_default()
            .to_owned()
    };
    format!(
        "{:<32} debits {:>14}  credits {:>14}  held {:>12}  accounts {:>5}  transfers {:>6}  sum {}",
        total.asset.to_string(),
        figure(total.debits),
        figure(total.credits),
        figure(total.pending),
        total.accounts,
        total.transfers,
        figure(total.sum_of_balances),
    )
}
