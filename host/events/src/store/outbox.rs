use qiao_db::attest::{Attested, Fact, Form, IdForm, Keeping};
use qiao_db::{Db, Error, Tx, WriteRows};
use qiao_model::{EndpointId, EventId, InstitutionId, PluginId, Timestamp, id::noun};
use serde::Serialize;
use serde_json::json;
use sqlx::Row;

use crate::dispatch::EVENTS_KEPT_DAYS;
use crate::event::NewEvent;
use crate::store::{id_of, optional_id_of};

// An event that nobody waits for is fanned out as it is written.
const APPEND: WriteRows = WriteRows {
    sqlite: [
        "insert into event (id, kind, institution, plugin, subject, payload, created_at, fanned_out_at)
select column1, column2, column3, column4, column5, column6, column7,
    case when column4 is null and not exists (
        select 1 from endpoint where endpoint.institution = column3) then column7 end
from (",
        ")",
    ],
    postgres: "insert into event (id, kind, institution, plugin, subject, payload, created_at, fanned_out_at)
select x.id, x.kind, x.institution, x.plugin, x.subject, x.payload, x.created_at,
    case when x.plugin is null and not exists (
        select 1 from endpoint where endpoint.institution = x.institution) then x.created_at end
from json_to_recordset($1::json) as x(id text, kind text, institution text, plugin text,
    subject text, payload text, created_at bigint)",
};

#[derive(Serialize)]
struct EventRow<'a> {
    id: String,
    kind: &'static str,
    institution: Option<String>,
    plugin: Option<String>,
    subject: &'a str,
    payload: String,
    created_at: i64,
}

impl<'a> EventRow<'a> {
    fn of(event: &'a NewEvent, now: Timestamp) -> Self {
        Self {
            id: event.id.to_string(),
            kind: event.kind,
            institution: event.institution.map(|id| id.to_string()),
            plugin: event.plugin.map(|id| id.to_string()),
            subject: &event.subject,
            payload: event.stored_payload(),
            created_at: now.as_millis(),
        }
    }
}

/// The outbox as the journal attests it: the events of the money path.
pub const ATTESTED: &[Attested] = &[EVENTS];

/// In the order in which [`EventRow`] writes them.
const EVENTS: Attested = Attested {
    name: "event",
    table: "event",
    id: IdForm::of::<noun::Event>(),
    fields: &[
        ("id", "id", Form::Text),
        ("kind", "kind", Form::Text),
        ("institution", "institution", Form::Text),
        ("plugin", "plugin", Form::Text),
        ("subject", "subject", Form::Text),
        ("payload", "payload", Form::Text),
        ("created_at", "created_at", Form::Integer),
    ],
    keeping: Keeping::Shared {
        kept_secs: EVENTS_KEPT_DAYS * 24 * 3600,
        field: "kind",
        attested: &[
            "payment.",
            "order.",
            "income.",
            "receivable.",
            "mandate.",
            "payout.",
        ],
    },
};

/// Writes events in the transaction of the facts that they tell, all with one
/// statement. No events, no statement.
///
/// # Errors
/// The database failed, or an event of that id exists.
pub async fn append(tx: &mut Tx, now: Timestamp, events: &[NewEvent]) -> Result<(), Error> {
    append_attested(tx, now, events).await.map(drop)
}

/// As [`append`], for the money path: gives what the journal attests of each.
///
/// # Errors
/// As [`append`].
pub async fn append_attested(
    tx: &mut Tx,
    now: Timestamp,
    events: &[NewEvent],
) -> Result<Vec<Fact>, Error> {
    let rows: Vec<_> = (events.iter())
        .map(|event| EventRow::of(event, now))
        .collect();
    tx.write_rows(&APPEND, &rows).await?;
    let ids = events.iter().map(|event| event.id.as_u128());
    Ok(ids
        .zip(&rows)
        .map(|(id, row)| EVENTS.fact(id, row))
        .collect())
}

/// An event that has not reached its receivers' queues.
pub(crate) struct Pending {
    pub(crate) id: EventId,
    pub(crate) kind: String,
    pub(crate) institution: Option<InstitutionId>,
    pub(crate) plugin: Option<PluginId>,
}

/// A delivery to be made.
pub(crate) struct NewDelivery {
    pub(crate) id: qiao_model::DeliveryId,
    pub(crate) event: EventId,
    pub(crate) institution: Option<InstitutionId>,
    pub(crate) receiver: Receiver,
}

pub(crate) enum Receiver {
    Endpoint(EndpointId),
    Plugin(PluginId),
}

/// Whether there is an event to fan out: asked before the writer is taken.
pub(crate) async fn any_pending(db: &Db) -> Result<bool, Error> {
    let found: Option<String> =
        sqlx::query_scalar("select id from event where fanned_out_at is null limit 1")
            .fetch_optional(db.reads())
            .await?;
    Ok(found.is_some())
}

/// Takes the oldest events that nobody else is taking.
pub(crate) async fn pending(tx: &mut Tx, limit: i64) -> Result<Vec<Pending>, Error> {
    let statement = tx.pick(
        "select id, kind, institution, plugin from event where fanned_out_at is null
         order by created_at, id limit $1",
        "select id, kind, institution, plugin from event where fanned_out_at is null
         order by created_at, id limit $1 for update skip locked",
    );
    let rows = sqlx::query(statement)
        .bind(limit)
        .fetch_all(tx.conn())
        .await?;
    rows.iter()
        .map(|row| {
            Ok(Pending {
                id: id_of(row, "id")?,
                kind: row.try_get("kind")?,
                institution: optional_id_of(row, "institution")?,
                plugin: optional_id_of(row, "plugin")?,
            })
        })
        .collect()
}

const FANNED_OUT_SQLITE: &str = "
update event set fanned_out_at = $2 where id in (select value from json_each($1))";

const FANNED_OUT_POSTGRES: &str = "
update event set fanned_out_at = $2 where id in (select json_array_elements_text($1::json))";

const DELIVER_SQLITE: &str = "
insert into event_delivery (id, event, endpoint, plugin, institution, state, due_at, created_at)
select value ->> 'id', value ->> 'event', value ->> 'endpoint', value ->> 'plugin',
    value ->> 'institution', 'waiting', $2, $2
from json_each($1)";

const DELIVER_POSTGRES: &str = "
insert into event_delivery (id, event, endpoint, plugin, institution, state, due_at, created_at)
select x.id, x.event, x.endpoint, x.plugin, x.institution, 'waiting', $2, $2
from json_to_recordset($1::json)
    as x(id text, event text, endpoint text, plugin text, institution text)";

/// Queues the deliveries and marks their events as fanned out.
pub(crate) async fn fan_out(
    tx: &mut Tx,
    now: Timestamp,
    events: &[Pending],
    deliveries: &[NewDelivery],
) -> Result<(), Error> {
    if !deliveries.is_empty() {
        let rows: Vec<_> = deliveries.iter().map(delivery_row).collect();
        sqlx::query(tx.pick(DELIVER_SQLITE, DELIVER_POSTGRES))
            .bind(serde_json::Value::from(rows).to_string())
            .bind(now.as_millis())
            .execute(tx.conn())
            .await?;
    }
    let ids: Vec<String> = events.iter().map(|event| event.id.to_string()).collect();
    sqlx::query(tx.pick(FANNED_OUT_SQLITE, FANNED_OUT_POSTGRES))
        .bind(json!(ids).to_string())
        .bind(now.as_millis())
        .execute(tx.conn())
        .await?;
    Ok(())
}

fn delivery_row(delivery: &NewDelivery) -> serde_json::Value {
    let (endpoint, plugin) = match delivery.receiver {
        Receiver::Endpoint(id) => (Some(id.to_string()), None),
        Receiver::Plugin(id) => (None, Some(id.to_string())),
    };
    json!({
        "id": delivery.id.to_string(),
        "event": delivery.event.to_string(),
        "endpoint": endpoint,
        "plugin": plugin,
        "institution": delivery.institution.map(|id| id.to_string()),
    })
}

const PRUNE: [&str; 3] = [
    "delete from event_delivery_attempt where delivery in (
        select id from event_delivery where event in (
            select id from event where fanned_out_at is not null and created_at < $1
            and not exists (
                select 1 from event_delivery d where d.event = event.id and d.state = 'waiting')
            order by created_at, id limit $2))",
    "delete from event_delivery where event in (
        select id from event where fanned_out_at is not null and created_at < $1
        and not exists (
            select 1 from event_delivery d where d.event = event.id and d.state = 'waiting')
        order by created_at, id limit $2)",
    "delete from event where id in (
        select id from event where fanned_out_at is not null and created_at < $1
        and not exists (select 1 from event_delivery d where d.event = event.id)
        order by created_at, id limit $2)",
];

/// Forgets the oldest events before a time that wait for nobody; tells how many.
pub(crate) async fn prune(tx: &mut Tx, before: Timestamp, limit: i64) -> Result<u64, Error> {
    let mut events = 0;
    for statement in PRUNE {
        events = sqlx::query(statement)
            .bind(before.as_millis())
            .bind(limit)
            .execute(tx.conn())
            .await?
            .rows_affected();
    }
    Ok(events)
}
