use qiao_db::{Db, Error, Tx};
use qiao_model::{DeliveryId, EndpointId, InstitutionId, PluginId, Timestamp};
use serde_json::json;
use sqlx::Row;
use sqlx::any::AnyRow;

use crate::delivery::{
    Attempt, AttemptOutcome, AttemptRow, DETAIL_CHARS_MAX, DeliveryRow, DeliveryState, Ticket,
};
use crate::event::Event;
use crate::retry::TRIES_MAX;
use crate::store::{id_of, optional_id_of};

/// A claimed delivery with what its attempt needs.
pub(crate) struct Claimed {
    pub(crate) ticket: Ticket,
    pub(crate) event: Event,
    pub(crate) receiver: ClaimedReceiver,
}

pub(crate) enum ClaimedReceiver {
    Plugin(PluginId),
    Endpoint {
        id: EndpointId,
        url: String,
        sealed_secret: Vec<u8>,
    },
}

/// Deliveries whose every try was claimed and never finished: whatever makes
/// the host stop in the middle of them must not do so for ever.
const EXHAUSTED: &str = "
update event_delivery set state = 'failed', finished_at = $1
where state = 'waiting' and due_at <= $1 and tries >= $2";

const CLAIM_SQLITE: &str = "
update event_delivery set attempts = attempts + 1, tries = tries + 1, due_at = $2
where id in (
    select id from event_delivery
    where state = 'waiting' and due_at <= $1
        and (endpoint is null
            or endpoint not in (select id from endpoint where paused_until > $1))
    order by due_at, id limit $3)
returning id";

const CLAIM_POSTGRES: &str = "
update event_delivery set attempts = attempts + 1, tries = tries + 1, due_at = $2
where id in (
    select id from event_delivery
    where state = 'waiting' and due_at <= $1
        and (endpoint is null
            or endpoint not in (select id from endpoint where paused_until > $1))
    order by due_at, id limit $3 for update skip locked)
returning id";

const CLAIMED_SQLITE: &str = "
select d.id as delivery, d.attempts, d.endpoint, d.plugin as receiver, p.url, p.sealed_secret,
    e.id, e.kind, e.institution, e.plugin, e.subject, e.payload, e.created_at
from event_delivery d join event e on e.id = d.event left join endpoint p on p.id = d.endpoint
where d.id in (select value from json_each($1)) order by d.id";

const CLAIMED_POSTGRES: &str = "
select d.id as delivery, d.attempts, d.endpoint, d.plugin as receiver, p.url, p.sealed_secret,
    e.id, e.kind, e.institution, e.plugin, e.subject, e.payload, e.created_at
from event_delivery d join event e on e.id = d.event left join endpoint p on p.id = d.endpoint
where d.id in (select json_array_elements_text($1::json)) order by d.id";

/// Whether a delivery is due: asked before the writer is taken.
pub(crate) async fn any_due(db: &Db, now: Timestamp) -> Result<bool, Error> {
    let found: Option<String> = sqlx::query_scalar(
        "select id from event_delivery where state = 'waiting' and due_at <= $1 limit 1",
    )
    .bind(now.as_millis())
    .fetch_optional(db.reads())
    .await?;
    Ok(found.is_some())
}

/// Takes due deliveries that nobody else has, until `lease_until`.
pub(crate) async fn claim(
    tx: &mut Tx,
    now: Timestamp,
    lease_until: Timestamp,
    limit: i64,
) -> Result<Vec<Claimed>, Error> {
    sqlx::query(EXHAUSTED)
        .bind(now.as_millis())
        .bind(i64::from(TRIES_MAX))
        .execute(tx.conn())
        .await?;
    let ids: Vec<String> = sqlx::query_scalar(tx.pick(CLAIM_SQLITE, CLAIM_POSTGRES))
        .bind(now.as_millis())
        .bind(lease_until.as_millis())
        .bind(limit)
        .fetch_all(tx.conn())
        .await?;
    if ids.is_empty() {
        return Ok(Vec::new());
    }
    let rows = sqlx::query(tx.pick(CLAIMED_SQLITE, CLAIMED_POSTGRES))
        .bind(json!(ids).to_string())
        .fetch_all(tx.conn())
        .await?;
    rows.iter().map(claimed_from).collect()
}

/// Where a finished delivery went, and how often it was tried since it began.
pub(crate) struct Finished {
    pub(crate) endpoint: Option<EndpointId>,
    pub(crate) tries: u32,
}

/// The delivery of this ticket, if nobody has claimed it since.
pub(crate) async fn leased(tx: &mut Tx, ticket: Ticket) -> Result<Option<Finished>, Error> {
    let statement = tx.pick(
        "select endpoint, tries from event_delivery
         where id = $1 and attempts = $2 and state = 'waiting'",
        "select endpoint, tries from event_delivery
         where id = $1 and attempts = $2 and state = 'waiting' for update",
    );
    let row = sqlx::query(statement)
        .bind(ticket.delivery.to_string())
        .bind(i64::from(ticket.attempt))
        .fetch_optional(tx.conn())
        .await?;
    row.map(|row| {
        Ok(Finished {
            endpoint: optional_id_of(&row, "endpoint")?,
            tries: number(&row, "tries")?,
        })
    })
    .transpose()
}

/// Records an attempt.
pub(crate) async fn record(
    tx: &mut Tx,
    ticket: Ticket,
    now: Timestamp,
    attempt: &Attempt,
) -> Result<(), Error> {
    let detail: String = attempt.detail.chars().take(DETAIL_CHARS_MAX).collect();
    sqlx::query(
        "insert into event_delivery_attempt
             (delivery, number, finished_at, outcome, status, duration_ms, detail)
         values ($1, $2, $3, $4, $5, $6, $7)",
    )
    .bind(ticket.delivery.to_string())
    .bind(i64::from(ticket.attempt))
    .bind(now.as_millis())
    .bind(attempt.outcome.name())
    .bind(attempt.status.map(i64::from))
    .bind(attempt.duration_ms)
    .bind(detail)
    .execute(tx.conn())
    .await?;
    Ok(())
}

/// The delivery has ended.
pub(crate) async fn end(
    tx: &mut Tx,
    id: DeliveryId,
    state: DeliveryState,
    now: Timestamp,
) -> Result<(), Error> {
    sqlx::query("update event_delivery set state = $2, finished_at = $3 where id = $1")
        .bind(id.to_string())
        .bind(state.name())
        .bind(now.as_millis())
        .execute(tx.conn())
        .await?;
    Ok(())
}

/// The delivery is tried again at a time.
pub(crate) async fn wait(tx: &mut Tx, id: DeliveryId, due_at: Timestamp) -> Result<(), Error> {
    sqlx::query("update event_delivery set due_at = $2 where id = $1")
        .bind(id.to_string())
        .bind(due_at.as_millis())
        .execute(tx.conn())
        .await?;
    Ok(())
}

/// Gives up what waits for an endpoint that gets no more events.
pub(crate) async fn give_up_for(
    tx: &mut Tx,
    endpoint: EndpointId,
    now: Timestamp,
) -> Result<u64, Error> {
    let changed = sqlx::query(
        "update event_delivery set state = 'failed', finished_at = $2
         where endpoint = $1 and state = 'waiting'",
    )
    .bind(endpoint.to_string())
    .bind(now.as_millis())
    .execute(tx.conn())
    .await?;
    Ok(changed.rows_affected())
}

/// Begins an ended delivery of this institution again; tells whether it could.
pub(crate) async fn restart_of(
    tx: &mut Tx,
    institution: InstitutionId,
    id: DeliveryId,
    now: Timestamp,
) -> Result<bool, Error> {
    let changed = sqlx::query(
        "update event_delivery set state = 'waiting', finished_at = null, tries = 0, due_at = $3
         where id = $1 and institution = $2 and state <> 'waiting'
             and (endpoint is null
                 or endpoint in (select id from endpoint where state = 'enabled'))",
    )
    .bind(id.to_string())
    .bind(institution.to_string())
    .bind(now.as_millis())
    .execute(tx.conn())
    .await?;
    Ok(changed.rows_affected() == 1)
}

/// Whether this institution has such a delivery.
pub(crate) async fn exists_of(
    tx: &mut Tx,
    institution: InstitutionId,
    id: DeliveryId,
) -> Result<bool, Error> {
    let found: i64 = sqlx::query_scalar(
        "select count(*) from event_delivery where id = $1 and institution = $2",
    )
    .bind(id.to_string())
    .bind(institution.to_string())
    .fetch_one(tx.conn())
    .await?;
    Ok(found == 1)
}

/// The newest deliveries of an institution, before an id when there is one.
pub(crate) async fn list_of(
    db: &Db,
    institution: InstitutionId,
    before: Option<DeliveryId>,
    limit: i64,
) -> Result<Vec<DeliveryRow>, Error> {
    // Every id sorts before `dlv_~`.
    let before = before.map_or_else(|| "dlv_~".to_owned(), |id| id.to_string());
    let rows = sqlx::query(
        "select d.id, d.event, e.kind, e.subject, d.institution, d.endpoint, d.plugin, d.state,
             d.attempts, d.due_at, d.created_at, d.finished_at
         from event_delivery d join event e on e.id = d.event
         where d.institution = $1 and d.id < $2 order by d.id desc limit $3",
    )
    .bind(institution.to_string())
    .bind(before)
    .bind(limit)
    .fetch_all(db.reads())
    .await?;
    rows.iter().map(delivery_from).collect()
}

/// The finished attempts of a delivery of this institution.
pub(crate) async fn attempts_of(
    db: &Db,
    institution: InstitutionId,
    id: DeliveryId,
) -> Result<Vec<AttemptRow>, Error> {
    let rows = sqlx::query(
        "select a.number, a.finished_at, a.outcome, a.status, a.duration_ms, a.detail
         from event_delivery_attempt a join event_delivery d on d.id = a.delivery
         where d.id = $1 and d.institution = $2 order by a.number",
    )
    .bind(id.to_string())
    .bind(institution.to_string())
    .fetch_all(db.reads())
    .await?;
    rows.iter().map(attempt_from).collect()
}

fn claimed_from(row: &AnyRow) -> Result<Claimed, Error> {
    let receiver = match optional_id_of(row, "endpoint")? {
        Some(id) => ClaimedReceiver::Endpoint {
            id,
            url: row.try_get("url")?,
            sealed_secret: row.try_get("sealed_secret")?,
        },
        None => ClaimedReceiver::Plugin(id_of(row, "receiver")?),
    };
    Ok(Claimed {
        ticket: Ticket {
            delivery: id_of(row, "delivery")?,
            attempt: number(row, "attempts")?,
        },
        event: Event {
            id: id_of(row, "id")?,
            kind: row.try_get("kind")?,
            institution: optional_id_of(row, "institution")?,
            plugin: optional_id_of(row, "plugin")?,
            subject: row.try_get("subject")?,
            payload: row.try_get("payload")?,
            created_at: Timestamp::from_millis(row.try_get("created_at")?),
        },
        receiver,
    })
}

fn delivery_from(row: &AnyRow) -> Result<DeliveryRow, Error> {
    let state: String = row.try_get("state")?;
    let finished_at: Option<i64> = row.try_get("finished_at")?;
    Ok(DeliveryRow {
        id: id_of(row, "id")?,
        event: id_of(row, "event")?,
        kind: row.try_get("kind")?,
        subject: row.try_get("subject")?,
        institution: id_of(row, "institution")?,
        endpoint: optional_id_of(row, "endpoint")?,
        plugin: optional_id_of(row, "plugin")?,
        state: DeliveryState::parse(&state)
            .ok_or_else(|| Error::corrupt("state of a delivery", state))?,
        attempts: number(row, "attempts")?,
        due_at: Timestamp::from_millis(row.try_get("due_at")?),
        created_at: Timestamp::from_millis(row.try_get("created_at")?),
        finished_at: finished_at.map(Timestamp::from_millis),
    })
}

fn attempt_from(row: &AnyRow) -> Result<AttemptRow, Error> {
    let outcome: String = row.try_get("outcome")?;
    let status: Option<i64> = row.try_get("status")?;
    Ok(AttemptRow {
        number: number(row, "number")?,
        finished_at: Timestamp::from_millis(row.try_get("finished_at")?),
        attempt: Attempt {
            outcome: AttemptOutcome::parse(&outcome)
                .ok_or_else(|| Error::corrupt("outcome of an attempt", outcome))?,
            status: status.and_then(|status| u16::try_from(status).ok()),
            duration_ms: row.try_get("duration_ms")?,
            detail: row.try_get("detail")?,
        },
    })
}

fn number(row: &AnyRow, column: &'static str) -> Result<u32, Error> {
    let value: i64 = row.try_get(column)?;
    u32::try_from(value).map_err(|_| Error::corrupt("count", value.to_string()))
}
