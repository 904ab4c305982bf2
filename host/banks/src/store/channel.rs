//! Registered channels.

use qiao_db::{Db, Error, Tx};
use qiao_model::{Channel, Rate, Timestamp};
use sqlx::Row;
use sqlx::any::AnyRow;

use super::parse;
use crate::channel::{Abilities, BankChannel, ChannelState, Cost, NewChannel};

const REGISTER: &str =
    "insert into bank_channel (code, name, abilities, cost_flat_minor, cost_ppm, priority,
    amount_max_minor, state, changed_at)
values ($1, $2, $3, $4, $5, $6, $7, 'active', $8)
on conflict (code) do update set name = excluded.name, abilities = excluded.abilities,
    cost_flat_minor = excluded.cost_flat_minor, cost_ppm = excluded.cost_ppm,
    priority = excluded.priority, amount_max_minor = excluded.amount_max_minor";

const LIST: &str = "select code, name, abilities, cost_flat_minor, cost_ppm, priority,
    amount_max_minor, state, paused_because, changed_at
from bank_channel order by priority, code";

const PAUSE: &str = "update bank_channel set state = 'paused', paused_because = $2, changed_at = $3
where code = $1 and state = 'active'";

const RESUME: &str =
    "update bank_channel set state = 'active', paused_because = null, changed_at = $2
where code = $1 and state = 'paused'";

/// Registers a channel, or what the configuration changed about it. A pause stays.
pub(crate) async fn register(
    tx: &mut Tx,
    channel: &NewChannel,
    now: Timestamp,
) -> Result<(), Error> {
    sqlx::query(REGISTER)
        .bind(channel.code.to_string())
        .bind(&channel.name)
        .bind(channel.abilities.name())
        .bind(channel.cost.flat_minor)
        .bind(channel.cost.rate.ppm())
        .bind(channel.priority)
        .bind(channel.amount_max_minor)
        .bind(now.as_millis())
        .execute(tx.conn())
        .await?;
    Ok(())
}

/// Every channel that was ever registered, by priority.
pub(crate) async fn list(db: &Db) -> Result<Vec<BankChannel>, Error> {
    let rows = sqlx::query(LIST).fetch_all(db.reads()).await?;
    rows.iter().map(channel).collect()
}

/// Pauses an active channel; tells whether it was one.
pub(crate) async fn pause(
    tx: &mut Tx,
    code: Channel,
    because: &str,
    now: Timestamp,
) -> Result<bool, Error> {
    let done = sqlx::query(PAUSE)
        .bind(code.to_string())
        .bind(because)
        .bind(now.as_millis())
        .execute(tx.conn())
        .await?;
    Ok(done.rows_affected() == 1)
}

/// Resumes a paused channel; tells whether it was one.
pub(crate) async fn resume(tx: &mut Tx, code: Channel, now: Timestamp) -> Result<bool, Error> {
    let done = sqlx::query(RESUME)
        .bind(code.to_string())
        .bind(now.as_millis())
        .execute(tx.conn())
        .await?;
    Ok(done.rows_affected() == 1)
}

fn channel(row: &AnyRow) -> Result<BankChannel, Error> {
    let abilities: String = row.try_get("abilities")?;
    let state: String = row.try_get("state")?;
    Ok(BankChannel {
        code: parse("channel", row.try_get("code")?)?,
        name: row.try_get("name")?,
        abilities: Abilities::of_name(&abilities)
            .ok_or_else(|| Error::corrupt("abilities of a channel", abilities))?,
        cost: Cost {
            flat_minor: row.try_get("cost_flat_minor")?,
            rate: Rate::from_ppm(row.try_get("cost_ppm")?),
        },
        priority: row.try_get("priority")?,
        amount_max_minor: row.try_get("amount_max_minor")?,
        state: ChannelState::of_name(&state)
            .ok_or_else(|| Error::corrupt("state of a channel", state))?,
        paused_because: row.try_get("paused_because")?,
        changed_at: Timestamp::from_millis(row.try_get("changed_at")?),
    })
}
