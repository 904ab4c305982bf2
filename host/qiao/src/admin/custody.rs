use anyhow::ensure;
use qiao_model::{Clock, Money};
use qiao_settlement::CustodyCheck;

use crate::chance::HostClock;
use crate::config::{Config, DataArgs, ServeArgs};
use crate::host::open_existing;
use crate::terminal::say;

/// Prints whose money there is and where, and fails with the reasons when it is not
/// proved that every yuan is at a bank.
pub(super) async fn run(data: DataArgs) -> anyhow::Result<()> {
    let config = Config::read(&ServeArgs {
        data,
        ..ServeArgs::default()
    })?;
    let db = open_existing(&config).await?;
    let check = CustodyCheck::read(&db, HostClock::default().now()).await?;
    db.close().await;
    for line in lines(&check) {
        say(&line);
    }
    ensure!(
        check.holds(),
        "custody does not add up: see /operator/custody and /operator/reconciliation"
    );
    Ok(())
}

fn lines(check: &CustodyCheck) -> Vec<String> {
    let line = |what: &str, minor: i64| {
        let money = Money::new(minor, check.currency);
        format!("{what:<44} {:>16} {}", money.decimal(), money.currency)
    };
    let mut lines = vec![
        line("people's balances", check.people_minor),
        line("institutions, for orders", check.institutions_minor),
        line("fees", check.fees_minor),
        line("advanced by banks", check.advances_minor),
        line("between two accounts", check.clearing_minor),
        line("owed by institutions", check.receivables_minor),
        line("play money", check.play_minor),
        line("owed to anybody", check.owed_minor()),
        line("at custody banks", check.custody_minor()),
    ];
    for channel in &check.channels {
        let code = channel.channel;
        lines.push(line(&format!("  {code}"), channel.books_minor));
        if let Some(day) = &channel.last_day {
            let said = format!("  {code} said of {}", day.run.day);
            lines.push(line(&said, day.run.bank_closing));
            let difference = format!("  {code} differs by");
            lines.push(line(&difference, day.difference_minor()));
            let explained = format!("  {code} is explained by cases");
            lines.push(line(&explained, day.cases_minor));
        }
    }
    let doubts = check.doubts();
    lines.extend(doubts.iter().map(|doubt| format!("not proved: {doubt}")));
    lines
}
