//! The room of settlement as one host has it.

use qiao_auth::Auth;
use qiao_banks::Banks;
use qiao_db::Db;
use qiao_model::{Calendar, Currency, Day, Env, InstitutionId};
use qiao_payments::Payments;
use qiao_settlement::{NewTerms, Period, Rooms, Settlement};

use crate::ask::{PAYDAYS, Place, StatementSums};
use crate::citizens::Citizens;
use crate::drive;

/// Opens the room.
pub(crate) async fn open(
    (db, env): (&Db, &Env),
    auth: &Auth,
    payments: &Payments,
    banks: &Banks,
) -> anyhow::Result<Settlement> {
    let rooms = Rooms {
        db: db.clone(),
        env: env.clone(),
        auth: auth.clone(),
        payments: payments.clone(),
        banks: banks.clone(),
        calendar: Calendar::mainland(),
    };
    Ok(Settlement::open(rooms, "simulated").await?)
}

/// Lets every institution be paid by the terms of the runs.
pub(crate) async fn set_terms(room: &Settlement, citizens: &Citizens) -> anyhow::Result<()> {
    for payday in PAYDAYS {
        let institution = InstitutionId::from_u128(payday.institution);
        let terms = NewTerms {
            days: u32::try_from(payday.days)?,
            account_number: "6222".to_owned(),
            minimum_minor: payday.minor_min,
        };
        room.set_terms(citizens.operator(), institution, terms)
            .await?;
    }
    Ok(())
}

/// A statement over some days, and what its lines sum to.
pub(crate) async fn statement(
    room: &Settlement,
    citizens: &Citizens,
    (of, days): (Place, (Day, Day)),
) -> anyhow::Result<(StatementSums, i64)> {
    let of = (drive::party(of)?, Currency::CNY);
    let period = Period::new(days.0, days.1)?;
    let statement = room
        .whole_statement(citizens.operator(), of, period)
        .await?;
    let lines = statement.lines.iter().map(|line| line.change_minor);
    let sums = StatementSums {
        opening: statement.opening_minor,
        credited: statement.credited_minor,
        debited: statement.debited_minor,
        closing: statement.closing_minor,
    };
    Ok((sums, lines.sum()))
}
