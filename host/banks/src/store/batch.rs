//! The money path: what a batch loads and stores.

use qiao_db::attest::Fact;
use qiao_db::{Error, Tx};
use qiao_model::{BankTransferId, Channel, Timestamp};
use serde::Serialize;

use super::json;
use super::row::{record, transfer_columns};
use crate::answer::Evidence;
use crate::attested::{ANSWERS, ASKED, MOVED};
use crate::machine::Record;
use crate::transfer::{BankTransfer, Standing};

const LOCK_SQLITE: &str = concat!(
    "select ",
    transfer_columns!(),
    " from bank_transfer
where id in (select value from json_each($1))
    or key_digest in (select value from json_each($2))"
);

const LOCK_POSTGRES: &str = concat!(
    "select ",
    transfer_columns!(),
    " from bank_transfer
where id = any(array(select json_array_elements_text($1::json)))
    or key_digest = any(array(select json_array_elements_text($2::json)))
order by id for update"
);

const INSERT_SQLITE: &str =
    "insert into bank_transfer (id, key_digest, request_hash, purpose, party, account_number, route,
    channel, link_id, currency, amount_minor, fee_minor, payment_id, routing, tried, description,
    requested_at, state, reason, bank_reference, attempt, failures, next_at, lease_node, lease_until,
    booked_at, answers, changed_at)
select value ->> 'id', value ->> 'key_digest', value ->> 'request_hash', value ->> 'purpose',
    value ->> 'party', value ->> 'account_number', value ->> 'route', value ->> 'channel',
    value ->> 'link_id', value ->> 'currency', value ->> 'amount_minor', value ->> 'fee_minor',
    value ->> 'payment_id', value ->> 'routing', value ->> 'tried', value ->> 'description', value ->> 'requested_at',
    value ->> 'state', value ->> 'reason', value ->> 'bank_reference', value ->> 'attempt',
    value ->> 'failures', value ->> 'next_at', value ->> 'lease_node', value ->> 'lease_until',
    value ->> 'booked_at', value ->> 'answers', value ->> 'changed_at'
from json_each($1)";

const INSERT_POSTGRES: &str =
    "insert into bank_transfer (id, key_digest, request_hash, purpose, party, account_number, route,
    channel, link_id, currency, amount_minor, fee_minor, payment_id, routing, tried, description,
    requested_at, state, reason, bank_reference, attempt, failures, next_at, lease_node, lease_until,
    booked_at, answers, changed_at)
select id, key_digest, request_hash, purpose, party, account_number, route, channel, link_id,
    currency, amount_minor, fee_minor, payment_id, routing, tried, description, requested_at, state, reason,
    bank_reference, attempt, failures, next_at, lease_node, lease_until, booked_at, answers,
    changed_at
from json_to_recordset($1::json) as x(id text, key_digest text, request_hash text, purpose text,
    party text, account_number text, route bigint, channel text, link_id text, currency text,
    amount_minor bigint, fee_minor bigint, payment_id text, routing text, tried text, description text,
    requested_at bigint, state text, reason text, bank_reference text, attempt bigint,
    failures bigint, next_at bigint, lease_node text, lease_until bigint, booked_at bigint,
    answers bigint, changed_at bigint)";

const UPDATE_SQLITE: &str = "update bank_transfer
set route = x.route, channel = x.channel, link_id = x.link_id, amount_minor = x.amount_minor,
    fee_minor = x.fee_minor, payment_id = x.payment_id, tried = x.tried, state = x.state,
    reason = x.reason, bank_reference = x.bank_reference, attempt = x.attempt,
    failures = x.failures, next_at = x.next_at, lease_node = x.lease_node,
    lease_until = x.lease_until, booked_at = x.booked_at, answers = x.answers,
    changed_at = x.changed_at
from (
    select value ->> 'id' as id, value ->> 'route' as route, value ->> 'channel' as channel,
        value ->> 'link_id' as link_id, value ->> 'amount_minor' as amount_minor,
        value ->> 'fee_minor' as fee_minor, value ->> 'payment_id' as payment_id,
        value ->> 'tried' as tried, value ->> 'state' as state, value ->> 'reason' as reason,
        value ->> 'bank_reference' as bank_reference, value ->> 'attempt' as attempt,
        value ->> 'failures' as failures, value ->> 'next_at' as next_at,
        value ->> 'lease_node' as lease_node, value ->> 'lease_until' as lease_until,
        value ->> 'booked_at' as booked_at, value ->> 'answers' as answers,
        value ->> 'changed_at' as changed_at
    from json_each($1)
) as x
where bank_transfer.id = x.id";

// The second condition makes the planner use the primary key whatever it knows
// about the size of the table.
const UPDATE_POSTGRES: &str = "update bank_transfer as t
set route = x.route, channel = x.channel, link_id = x.link_id, amount_minor = x.amount_minor,
    fee_minor = x.fee_minor, payment_id = x.payment_id, tried = x.tried, state = x.state,
    reason = x.reason, bank_reference = x.bank_reference, attempt = x.attempt,
    failures = x.failures, next_at = x.next_at, lease_node = x.lease_node,
    lease_until = x.lease_until, booked_at = x.booked_at, answers = x.answers,
    changed_at = x.changed_at
from json_to_recordset($1::json) as x(id text, route bigint, channel text, link_id text,
    amount_minor bigint, fee_minor bigint, payment_id text, tried text, state text, reason text,
    bank_reference text, attempt bigint, failures bigint, next_at bigint, lease_node text,
    lease_until bigint, booked_at bigint, answers bigint, changed_at bigint)
where t.id = x.id
    and t.id = any(array(select y.id from json_to_recordset($1::json) as y(id text)))";

const ANSWERS_SQLITE: &str =
    "insert into bank_answer (transfer_id, number, at, channel, via, outcome, detail)
select value ->> 'transfer_id', value ->> 'number', value ->> 'at', value ->> 'channel',
    value ->> 'via', value ->> 'outcome', value ->> 'detail'
from json_each($1)";

const ANSWERS_POSTGRES: &str =
    "insert into bank_answer (transfer_id, number, at, channel, via, outcome, detail)
select transfer_id, number, at, channel, via, outcome, detail
from json_to_recordset($1::json) as x(transfer_id text, number bigint, at bigint, channel text,
    via text, outcome text, detail text)";

/// What was asked of a bank, which never changes.
#[derive(Serialize)]
struct AskedRow<'a> {
    id: String,
    key_digest: Option<&'a str>,
    request_hash: Option<&'a str>,
    purpose: &'static str,
    party: String,
    account_number: Option<&'a str>,
    currency: String,
    routing: &'static str,
    description: &'a str,
    requested_at: i64,
}

impl<'a> AskedRow<'a> {
    fn of(record: &'a Record) -> Self {
        let transfer = &record.transfer;
        Self {
            id: transfer.id.to_string(),
            key_digest: record.key.as_ref().map(|key| key.digest.as_str()),
            request_hash: record.key.as_ref().map(|key| key.request_hash.as_str()),
            purpose: transfer.purpose.name(),
            party: transfer.party.to_string(),
            account_number: transfer.account_number.as_deref(),
            currency: transfer.route.amount.currency.to_string(),
            routing: transfer.routing.name(),
            description: &transfer.description,
            requested_at: transfer.requested_at.as_millis(),
        }
    }
}

/// How a transfer goes and where its money is.
#[derive(Serialize)]
struct MovedRow<'a> {
    id: String,
    route: u32,
    channel: String,
    link_id: Option<String>,
    amount_minor: i64,
    fee_minor: i64,
    payment_id: String,
    tried: String,
    state: &'static str,
    reason: Option<&'a str>,
    bank_reference: Option<&'a str>,
    booked_at: Option<i64>,
    answers: u32,
    changed_at: i64,
}

impl<'a> MovedRow<'a> {
    fn of(transfer: &'a BankTransfer) -> Self {
        let (route, standing) = (&transfer.route, &transfer.standing);
        let tried: Vec<&str> = transfer.tried.iter().map(Channel::code).collect();
        Self {
            id: transfer.id.to_string(),
            route: route.number,
            channel: route.channel.to_string(),
            link_id: route.link.map(|link| link.to_string()),
            amount_minor: route.amount.minor,
            fee_minor: route.fee.minor,
            payment_id: route.payment.to_string(),
            tried: tried.join(" "),
            state: standing.state.name(),
            reason: standing.reason.as_deref(),
            bank_reference: standing.bank_reference.as_deref(),
            booked_at: standing.booked_at.map(Timestamp::as_millis),
            answers: standing.answers,
            changed_at: standing.changed_at.as_millis(),
        }
    }
}

/// Who asks the bank, and when.
#[derive(Serialize)]
struct DrivenRow<'a> {
    attempt: u32,
    failures: u32,
    next_at: Option<i64>,
    lease_node: Option<&'a str>,
    lease_until: Option<i64>,
}

impl<'a> DrivenRow<'a> {
    fn of(standing: &'a Standing) -> Self {
        let lease = standing.lease.as_ref();
        Self {
            attempt: standing.attempt,
            failures: standing.failures,
            next_at: standing.next_at.map(Timestamp::as_millis),
            lease_node: lease.map(|lease| lease.node.as_str()),
            lease_until: lease.map(|lease| lease.until.as_millis()),
        }
    }
}

#[derive(Serialize)]
struct RequestedRow<'a> {
    #[serde(flatten)]
    asked: AskedRow<'a>,
    #[serde(flatten)]
    changing: ChangingRow<'a>,
}

#[derive(Serialize)]
struct ChangingRow<'a> {
    #[serde(flatten)]
    moved: MovedRow<'a>,
    #[serde(flatten)]
    driven: DrivenRow<'a>,
}

impl<'a> ChangingRow<'a> {
    fn of(transfer: &'a BankTransfer) -> Self {
        Self {
            moved: MovedRow::of(transfer),
            driven: DrivenRow::of(&transfer.standing),
        }
    }
}

/// What the journal attests of where a transfer stands.
fn moved_fact(transfer: &BankTransfer) -> Fact {
    MOVED.fact(transfer.id.as_u128(), &MovedRow::of(transfer))
}

/// What the journal attests of a transfer that changed; nothing when only who
/// drives it did.
pub(crate) fn moved_since(transfer: &BankTransfer, before: &BankTransfer) -> Option<Fact> {
    let (before, now) = (moved_fact(before), moved_fact(transfer));
    (before.digest != now.digest).then(|| now.after(before.digest))
}

#[derive(Serialize)]
struct AnswerRow<'a> {
    transfer_id: String,
    number: u32,
    at: i64,
    channel: String,
    via: &'static str,
    outcome: &'a str,
    detail: &'a str,
}

/// The transfers of these ids or keys, locked in the order of their ids until
/// the transaction ends.
pub(crate) async fn lock_transfers(
    tx: &mut Tx,
    ids: &[BankTransferId],
    key_digests: &[String],
) -> Result<Vec<Record>, Error> {
    let sql = tx.pick(LOCK_SQLITE, LOCK_POSTGRES);
    let rows = sqlx::query(sql)
        .bind(json(ids.iter().map(ToString::to_string)))
        .bind(json(key_digests))
        .fetch_all(tx.conn())
        .await?;
    rows.iter().map(record).collect()
}

/// Writes new transfers, and adds what the journal attests of them.
pub(crate) async fn insert_transfers(
    tx: &mut Tx,
    requested: &[&Record],
    facts: &mut Vec<Fact>,
) -> Result<(), Error> {
    if requested.is_empty() {
        return Ok(());
    }
    for record in requested {
        let id = record.transfer.id.as_u128();
        facts.push(ASKED.fact(id, &AskedRow::of(record)));
        facts.push(moved_fact(&record.transfer));
    }
    // The id stands in both parts, the same whichever is read.
    let rows = requested.iter().map(|record| RequestedRow {
        asked: AskedRow::of(record),
        changing: ChangingRow::of(&record.transfer),
    });
    let sql = tx.pick(INSERT_SQLITE, INSERT_POSTGRES);
    sqlx::query(sql).bind(json(rows)).execute(tx.conn()).await?;
    Ok(())
}

/// Writes how changed transfers are now.
pub(crate) async fn update_transfers(tx: &mut Tx, changed: &[&BankTransfer]) -> Result<(), Error> {
    if changed.is_empty() {
        return Ok(());
    }
    let rows = changed.iter().map(|transfer| ChangingRow::of(transfer));
    let sql = tx.pick(UPDATE_SQLITE, UPDATE_POSTGRES);
    let done = sqlx::query(sql).bind(json(rows)).execute(tx.conn()).await?;
    assert_eq!(
        usize::try_from(done.rows_affected()),
        Ok(changed.len()),
        "every changed bank transfer has one row"
    );
    Ok(())
}

/// Writes what was learned, and adds what the journal attests of it.
pub(crate) async fn insert_answers(
    tx: &mut Tx,
    learned: &[(BankTransferId, u32, Evidence)],
    facts: &mut Vec<Fact>,
) -> Result<(), Error> {
    if learned.is_empty() {
        return Ok(());
    }
    let rows = learned
        .iter()
        .map(|(transfer, number, evidence)| AnswerRow {
            transfer_id: transfer.to_string(),
            number: *number,
            at: evidence.at.as_millis(),
            channel: evidence.channel.to_string(),
            via: evidence.via.name(),
            outcome: &evidence.outcome,
            detail: &evidence.detail,
        });
    let rows: Vec<AnswerRow<'_>> = rows.collect();
    for row in &rows {
        let id = ANSWERS.id_of(&[&row.transfer_id, &row.number.to_string()]);
        facts.push(ANSWERS.fact(id, row));
    }
    let sql = tx.pick(ANSWERS_SQLITE, ANSWERS_POSTGRES);
    sqlx::query(sql).bind(json(rows)).execute(tx.conn()).await?;
    Ok(())
}
