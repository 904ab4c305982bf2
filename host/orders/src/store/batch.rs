//! The money path: what a batch loads and stores.

use qiao_db::attest::Fact;
use qiao_db::{Error, Tx};
use qiao_model::{OrderId, Timestamp, UserId};
use serde::Serialize;

use super::row::{head, receipt_text, standing_columns};
use super::{AsText, json};
use crate::attested::{CONFIRMED, MOVED};
use crate::head::Head;
use crate::machine::Placement;
use crate::order::{Captured, Standing, state_name};

const LOCK_SQLITE: &str = concat!(
    "select id, user_id, subject, plugin_id, institution_id, product_id, kind, reference, payment_id,
    currency, principal_minor, amount_minor, paid_minor, units_minor, lots, ",
    standing_columns!(),
    " from orders where id in (select value from json_each($1))"
);

const LOCK_POSTGRES: &str = concat!(
    "select id, user_id, subject, plugin_id, institution_id, product_id, kind, reference, payment_id,
    currency, principal_minor, amount_minor, paid_minor, units_minor, lots, ",
    standing_columns!(),
    " from orders where id = any(array(select json_array_elements_text($1::json)))
    order by id for update"
);

const INSERT_SQLITE: &str =
    "insert into orders (id, token, offer_id, user_id, subject, plugin_id, institution_id,
    product_id, kind, reference, payment_id, currency, principal_minor, amount_minor,
    paid_minor, units_minor, lots, confirmed_at, state, captured, attempt, failures, next_at, lease_node,
    lease_until, problem, receipt, posted_at, returned_at, changed_at)
select value ->> 'id', value ->> 'token', value ->> 'offer', value ->> 'user', value ->> 'subject',
    value ->> 'plugin', value ->> 'institution', value ->> 'product', value ->> 'kind',
    value ->> 'reference', value ->> 'payment', value ->> 'currency',
    value ->> 'principal_minor', value ->> 'amount_minor', value ->> 'paid_minor',
    value ->> 'units_minor', value ->> 'lots', value ->> 'confirmed_at', value ->> 'state', value ->> 'captured',
    value ->> 'attempt', value ->> 'failures', value ->> 'next_at', value ->> 'lease_node',
    value ->> 'lease_until', value ->> 'problem', value ->> 'receipt', value ->> 'posted_at',
    value ->> 'returned_at', value ->> 'changed_at'
from json_each($1)";

const INSERT_POSTGRES: &str = "insert into orders (id, token, offer_id, user_id, subject, plugin_id, institution_id,
    product_id, kind, reference, payment_id, currency, principal_minor, amount_minor,
    paid_minor, units_minor, lots, confirmed_at, state, captured, attempt, failures, next_at, lease_node,
    lease_until, problem, receipt, posted_at, returned_at, changed_at)
select id, token, offer, \"user\", subject, plugin, institution, product, kind, reference, payment,
    currency, principal_minor, amount_minor, paid_minor, units_minor, lots, confirmed_at, state, captured,
    attempt, failures, next_at, lease_node, lease_until, problem, receipt, posted_at, returned_at,
    changed_at
from json_to_recordset($1::json) as x(id text, token text, offer text, \"user\" text, subject text,
    plugin text, institution text, product text, kind text, reference text, payment text,
    currency text, principal_minor bigint, amount_minor bigint, paid_minor bigint, units_minor bigint, lots text,
    confirmed_at bigint, state text, captured bigint, attempt bigint, failures bigint, next_at bigint,
    lease_node text, lease_until bigint, problem text, receipt text, posted_at bigint,
    returned_at bigint, changed_at bigint)";

const UPDATE_SQLITE: &str = "update orders
set state = x.state, captured = x.captured, attempt = x.attempt, failures = x.failures,
    next_at = x.next_at, lease_node = x.lease_node, lease_until = x.lease_until, problem = x.problem,
    receipt = x.receipt, posted_at = x.posted_at, returned_at = x.returned_at, changed_at = x.changed_at
from (
    select value ->> 'id' as id, value ->> 'state' as state, value ->> 'captured' as captured,
        value ->> 'attempt' as attempt, value ->> 'failures' as failures,
        value ->> 'next_at' as next_at, value ->> 'lease_node' as lease_node,
        value ->> 'lease_until' as lease_until, value ->> 'problem' as problem,
        value ->> 'receipt' as receipt, value ->> 'posted_at' as posted_at,
        value ->> 'returned_at' as returned_at, value ->> 'changed_at' as changed_at
    from json_each($1)
) as x
where orders.id = x.id";

// The second condition makes the planner use the primary key whatever it knows
// about the size of the table.
const UPDATE_POSTGRES: &str = "update orders as o
set state = x.state, captured = x.captured, attempt = x.attempt, failures = x.failures,
    next_at = x.next_at, lease_node = x.lease_node, lease_until = x.lease_until, problem = x.problem,
    receipt = x.receipt, posted_at = x.posted_at, returned_at = x.returned_at, changed_at = x.changed_at
from json_to_recordset($1::json) as x(id text, state text, captured bigint, attempt bigint,
    failures bigint, next_at bigint, lease_node text, lease_until bigint, problem text, receipt text,
    posted_at bigint, returned_at bigint, changed_at bigint)
where o.id = x.id
    and o.id = any(array(select y.id from json_to_recordset($1::json) as y(id text)))";

#[derive(Serialize)]
struct StandingRow<'a> {
    state: &'static str,
    captured: i64,
    attempt: u32,
    failures: u32,
    next_at: Option<i64>,
    lease_node: Option<&'a str>,
    lease_until: Option<i64>,
    problem: Option<&'a str>,
    receipt: Option<String>,
    posted_at: Option<i64>,
    returned_at: Option<i64>,
    changed_at: i64,
}

impl<'a> StandingRow<'a> {
    fn of(standing: &'a Standing) -> Self {
        let lease = standing.lease.as_ref();
        Self {
            state: state_name(standing.state),
            captured: match standing.capture {
                Captured::No => 0,
                Captured::Yes => 1,
            },
            attempt: standing.attempt,
            failures: standing.failures,
            next_at: standing.next_at.map(Timestamp::as_millis),
            lease_node: lease.map(|lease| lease.node.as_str()),
            lease_until: lease.map(|lease| lease.until.as_millis()),
            problem: standing.problem.as_deref(),
            receipt: standing.receipt.as_ref().map(receipt_text),
            posted_at: standing.posted_at.map(Timestamp::as_millis),
            returned_at: standing.returned_at.map(Timestamp::as_millis),
            changed_at: standing.changed_at.as_millis(),
        }
    }
}

/// What of an order never changes.
#[derive(Serialize)]
struct ConfirmedRow<'a> {
    id: AsText<OrderId>,
    token: &'a str,
    offer: String,
    user: AsText<UserId>,
    subject: &'a str,
    plugin: String,
    institution: String,
    product: String,
    kind: &'static str,
    reference: &'a str,
    payment: String,
    currency: String,
    principal_minor: i64,
    amount_minor: i64,
    paid_minor: i64,
    units_minor: Option<i64>,
    lots: &'static str,
    confirmed_at: i64,
}

#[derive(Serialize)]
struct OrderRow<'a> {
    #[serde(flatten)]
    confirmed: ConfirmedRow<'a>,
    #[serde(flatten)]
    standing: StandingRow<'a>,
}

/// What of an order's standing says where its money is, and is attested.
#[derive(Serialize)]
struct MovedRow<'a> {
    id: AsText<OrderId>,
    state: &'a str,
    captured: i64,
    receipt: Option<&'a str>,
    posted_at: Option<i64>,
    returned_at: Option<i64>,
}

impl<'a> MovedRow<'a> {
    fn of(id: OrderId, standing: &'a StandingRow<'_>) -> Self {
        Self {
            id: AsText(id),
            state: standing.state,
            captured: standing.captured,
            receipt: standing.receipt.as_deref(),
            posted_at: standing.posted_at,
            returned_at: standing.returned_at,
        }
    }
}

fn moved_fact(id: OrderId, standing: &Standing) -> Fact {
    let standing = StandingRow::of(standing);
    MOVED.fact(id.as_u128(), &MovedRow::of(id, &standing))
}

#[derive(Serialize)]
struct ChangedRow<'a> {
    id: AsText<OrderId>,
    #[serde(flatten)]
    standing: StandingRow<'a>,
}

/// The orders, locked in the order of their ids until the transaction ends.
pub(crate) async fn lock_orders(tx: &mut Tx, ids: &[OrderId]) -> Result<Vec<Head>, Error> {
    let sql = tx.pick(LOCK_SQLITE, LOCK_POSTGRES);
    let rows = sqlx::query(sql)
        .bind(json(ids.iter().map(AsText)))
        .fetch_all(tx.conn())
        .await?;
    rows.iter().map(head).collect()
}

/// Writes new orders, and gives what the journal attests of them.
pub(crate) async fn insert_orders(
    tx: &mut Tx,
    placed: &[(&Placement, &Standing)],
) -> Result<Vec<Fact>, Error> {
    if placed.is_empty() {
        return Ok(Vec::new());
    }
    let mut facts = Vec::with_capacity(placed.len().saturating_mul(2));
    let mut rows = Vec::with_capacity(placed.len());
    for (placement, standing) in placed {
        let id = placement.head.id;
        let confirmed = confirmed_row(placement);
        facts.push(CONFIRMED.fact(id.as_u128(), &confirmed));
        facts.push(moved_fact(id, standing));
        rows.push(OrderRow {
            confirmed,
            standing: StandingRow::of(standing),
        });
    }
    let sql = tx.pick(INSERT_SQLITE, INSERT_POSTGRES);
    sqlx::query(sql).bind(json(rows)).execute(tx.conn()).await?;
    Ok(facts)
}

fn confirmed_row(placement: &Placement) -> ConfirmedRow<'_> {
    let head = &placement.head;
    ConfirmedRow {
        id: AsText(head.id),
        token: &placement.order.quote.token,
        offer: placement.order.quote.offer.to_string(),
        user: AsText(head.user),
        subject: &head.subject,
        plugin: head.plugin.to_string(),
        institution: head.institution.to_string(),
        product: head.product.to_string(),
        kind: head.kind.name(),
        reference: &head.reference,
        payment: head.payment.to_string(),
        currency: head.paid.currency.to_string(),
        principal_minor: head.principal.minor,
        amount_minor: head.amount.minor,
        paid_minor: head.paid.minor,
        units_minor: head.units_minor,
        lots: head.lots.name(),
        confirmed_at: placement.order.confirmed_at.as_millis(),
    }
}

/// What the journal attests of an order that changed: nothing unless its state,
/// its money or its receipt did.
pub(crate) fn moved_since(head: &Head, before: &Standing) -> Option<Fact> {
    let before = moved_fact(head.id, before);
    let after = moved_fact(head.id, &head.standing);
    (before.digest != after.digest).then(|| after.after(before.digest))
}

/// Writes where changed orders stand.
pub(crate) async fn update_orders(tx: &mut Tx, changed: &[&Head]) -> Result<(), Error> {
    if changed.is_empty() {
        return Ok(());
    }
    let rows = changed.iter().map(|head| ChangedRow {
        id: AsText(head.id),
        standing: StandingRow::of(&head.standing),
    });
    let sql = tx.pick(UPDATE_SQLITE, UPDATE_POSTGRES);
    let done = sqlx::query(sql).bind(json(rows)).execute(tx.conn()).await?;
    assert_eq!(
        usize::try_from(done.rows_affected()),
        Ok(changed.len()),
        "every changed order has one row"
    );
    Ok(())
}
