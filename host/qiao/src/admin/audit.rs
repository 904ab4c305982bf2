use anyhow::{Context, ensure};
use clap::Args;
use qiao_banks::audit::check_banks;
use qiao_db::Db;
use qiao_db::attest::Attested;
use qiao_ledger::audit::{Report, check_books, check_journal};
use qiao_ledger::{Head, Ledger};
use qiao_orders::audit::check_orders;
use qiao_payments::audit::check_payments;
use qiao_settlement::audit::check_settlement;
use serde_json::json;

use crate::config::{Config, DataArgs, ServeArgs};
use crate::host::open_existing;
use crate::terminal::{Step, say};

/// Every row of every room that the journal attests.
const ATTESTED: [&[Attested]; 6] = [
    qiao_ledger::ATTESTED,
    qiao_events::ATTESTED,
    qiao_payments::ATTESTED,
    qiao_orders::ATTESTED,
    qiao_banks::ATTESTED,
    qiao_settlement::ATTESTED,
];

/// Flags of `qiao admin audit`.
#[derive(Args, Debug)]
pub(crate) struct AuditArgs {
    /// A head that was noted earlier, as this command prints it: fails unless the
    /// journal still has that entry. Once for each chain.
    #[arg(long, value_name = "CHAIN:ENTRY:HASH")]
    expect: Vec<Head>,
    /// Print one JSON object instead of lines.
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    data: DataArgs,
}

/// Checks the journal and the books, and fails with one line for each finding.
pub(super) async fn run(args: AuditArgs) -> anyhow::Result<()> {
    let config = Config::read(&ServeArgs {
        data: args.data,
        ..ServeArgs::default()
    })?;
    let db = open_existing(&config).await?;
    let step = (!args.json).then(|| Step::begin("audit"));
    let audited = audit(&db, &args.expect).await;
    let heads = Ledger::new(db.clone()).heads().await;
    db.close().await;
    let (report, heads) = (audited?, heads?);
    let summary = format!(
        "{} entries of the journal, {} rows looked at",
        report.entries, report.rows
    );
    if report.is_clean()
        && let Some(step) = step
    {
        step.done(&summary);
    }
    if args.json {
        say(&as_json(&report, &heads).to_string());
    } else {
        print(&report, &heads);
    }
    ensure!(
        report.is_clean(),
        "the books are not as the journal says: {} findings",
        report.findings_count()
    );
    Ok(())
}

/// Checks everything, of one state of the database.
///
/// # Errors
/// The database cannot be read, or there is no room for temporary files.
pub async fn audit(db: &Db, expected: &[Head]) -> anyhow::Result<Report> {
    let mut report = Report::of(crate::host_env().now());
    let attested: Vec<Attested> = ATTESTED.concat();
    let mut tx = db.begin_snapshot().await?;
    check_journal(&mut tx, &attested, expected, &mut report)
        .await
        .context("checking the journal")?;
    check_books(&mut tx, &mut report)
        .await
        .context("checking the books")?;
    check_payments(&mut tx, &mut report)
        .await
        .context("checking the payments")?;
    check_orders(&mut tx, &mut report)
        .await
        .context("checking the orders")?;
    check_banks(&mut tx, &mut report)
        .await
        .context("checking the bank transfers")?;
    check_settlement(&mut tx, &mut report)
        .await
        .context("checking the settlement")?;
    tx.commit().await?;
    Ok(report)
}

fn print(report: &Report, heads: &[Head]) {
    for finding in report.findings() {
        say(&finding.to_string());
    }
    if report.unlisted() > 0 {
        say(&format!("and {} more", report.unlisted()));
    }
    for head in heads {
        say(&format!("head {head}"));
    }
}

fn as_json(report: &Report, heads: &[Head]) -> serde_json::Value {
    let findings = report.findings().iter().map(
        |finding| json!({ "table": finding.table, "row": finding.row, "problem": finding.problem }),
    );
    json!({
        "clean": report.is_clean(),
        "entries": report.entries,
        "rows": report.rows,
        "findings": findings.collect::<Vec<_>>(),
        "unlisted": report.unlisted(),
        "heads": heads.iter().map(ToString::to_string).collect::<Vec<_>>(),
    })
}
