//! Offers of mandates, and the keys of charges.

use qiao_db::{Db, Error};
use qiao_model::{MandateId, Money, OfferId, PluginId, Timestamp, UserId};
use qiao_runtime::MandateTerms;
use serde::{Deserialize, Serialize};
use sqlx::Row;
use sqlx::any::AnyRow;

use super::{forget, offers, parse, text_of};
use crate::mandate::{MandateOffer, Proposer};
use crate::offer::Offer;

#[derive(Serialize, Deserialize)]
struct Terms {
    title: String,
    purpose: String,
    per_payment: (i64, String),
    per_day: Option<i64>,
    per_month: Option<i64>,
    count: Option<u32>,
    until: String,
    reference: String,
    facts: Vec<(String, String)>,
}

const INSERT: &str = "insert into mandate_offer
    (id, user_id, plugin_id, institution_id, product_id, terms, made_at, expires_at)
values ($1, $2, $3, $4, $5, $6, $7, $8)";

const COUNT_OPEN: &str = "select count(*) as open from mandate_offer
where user_id = $1 and institution_id = $2 and expires_at > $3 and plugin_id is null";

const FIND: &str =
    "select id, user_id, plugin_id, institution_id, product_id, terms, made_at, expires_at
from mandate_offer where id = $1 and user_id = $2";

const OPEN: &str =
    "select id, user_id, plugin_id, institution_id, product_id, terms, made_at, expires_at
from mandate_offer where user_id = $1 and expires_at > $2 and plugin_id is null
order by id desc limit $3";

const PRUNE: &str = "delete from mandate_offer where id in (
    select id from mandate_offer where expires_at < $1 order by expires_at limit $2
)";

const INSERT_CHARGE: &str = "insert into charge (plugin_id, key, mandate_id, offer_id)
values ($1, $2, $3, $4)
on conflict (plugin_id, key) do nothing";

const FIND_CHARGE: &str =
    "select mandate_id, offer_id from charge where plugin_id = $1 and key = $2";

/// Keeps an offer; where a number is given, unless the institution's servers have made so
/// many to its user that are open.
pub(crate) async fn insert(
    db: &Db,
    offer: &MandateOffer,
    open_max: Option<i64>,
) -> Result<bool, Error> {
    let terms = &offer.terms;
    let per_payment = terms.per_payment;
    let terms = Terms {
        title: terms.title.clone(),
        purpose: terms.purpose.clone(),
        per_payment: (per_payment.minor, per_payment.currency.to_string()),
        per_day: terms.per_day,
        per_month: terms.per_month,
        count: terms.count,
        until: terms.until.to_string(),
        reference: terms.reference.clone(),
        facts: super::pairs(&terms.facts),
    };
    let mut tx = db.begin().await?;
    if let Some(open_max) = open_max {
        let row = sqlx::query(COUNT_OPEN)
            .bind(offer.user.to_string())
            .bind(offer.institution.to_string())
            .bind(offer.made_at.as_millis())
            .fetch_one(tx.conn())
            .await?;
        let open: i64 = row.try_get("open")?;
        if open >= open_max {
            tx.rollback().await?;
            return Ok(false);
        }
    }
    sqlx::query(INSERT)
        .bind(offer.id.to_string())
        .bind(offer.user.to_string())
        .bind(offer.plugin().map(|id| id.to_string()))
        .bind(offer.institution.to_string())
        .bind(offer.product().map(|id| id.to_string()))
        .bind(text_of(&terms))
        .bind(offer.made_at.as_millis())
        .bind(offer.expires_at.as_millis())
        .execute(tx.conn())
        .await?;
    tx.commit().await?;
    Ok(true)
}

/// The offer of a mandate, if it was made to this user.
pub(crate) async fn find_for_user(
    db: &Db,
    id: OfferId,
    user: UserId,
) -> Result<Option<MandateOffer>, Error> {
    let row = sqlx::query(FIND)
        .bind(id.to_string())
        .bind(user.to_string())
        .fetch_optional(db.reads())
        .await?;
    row.as_ref().map(offer_of).transpose()
}

/// What servers propose to this user and is open, newest first.
pub(crate) async fn open_for_user(
    db: &Db,
    user: UserId,
    now: Timestamp,
    limit: i64,
) -> Result<Vec<MandateOffer>, Error> {
    let rows = sqlx::query(OPEN)
        .bind(user.to_string())
        .bind(now.as_millis())
        .bind(limit)
        .fetch_all(db.reads())
        .await?;
    rows.iter().map(offer_of).collect()
}

fn offer_of(row: &AnyRow) -> Result<MandateOffer, Error> {
    let text: &str = row.try_get("terms")?;
    let terms: Terms =
        serde_json::from_str(text).map_err(|_| Error::corrupt("terms of a mandate", text))?;
    let (minor, currency) = terms.per_payment;
    let plugin: Option<&str> = row.try_get("plugin_id")?;
    let product: Option<&str> = row.try_get("product_id")?;
    let proposer = match (plugin, product) {
        (Some(plugin), Some(product)) => Proposer::Plugin {
            plugin: parse("plugin id", plugin)?,
            product: parse("product id", product)?,
        },
        _ => Proposer::Servers,
    };
    Ok(MandateOffer {
        id: parse("offer id", row.try_get("id")?)?,
        user: parse("user id", row.try_get("user_id")?)?,
        proposer,
        institution: parse("institution id", row.try_get("institution_id")?)?,
        terms: MandateTerms {
            title: terms.title,
            purpose: terms.purpose,
            per_payment: Money::new(minor, parse("currency", &currency)?),
            per_day: terms.per_day,
            per_month: terms.per_month,
            count: terms.count,
            until: parse("day", &terms.until)?,
            reference: terms.reference,
            facts: super::entries(terms.facts),
        },
        made_at: Timestamp::from_millis(row.try_get("made_at")?),
        expires_at: Timestamp::from_millis(row.try_get("expires_at")?),
    })
}

/// Deletes at most `limit` offers of mandates that expired before `before`.
pub(crate) async fn prune(db: &Db, before: Timestamp, limit: i64) -> Result<u64, Error> {
    forget(db, PRUNE, (before, limit)).await
}

/// The first charge of a plugin's key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct ChargeKey {
    pub(crate) mandate: MandateId,
    pub(crate) offer: OfferId,
}

pub(crate) async fn find_charge(
    db: &Db,
    plugin: PluginId,
    key: &str,
) -> Result<Option<ChargeKey>, Error> {
    let row = sqlx::query(FIND_CHARGE)
        .bind(plugin.to_string())
        .bind(key)
        .fetch_optional(db.reads())
        .await?;
    let Some(row) = row else { return Ok(None) };
    Ok(Some(ChargeKey {
        mandate: parse("mandate id", row.try_get("mandate_id")?)?,
        offer: parse("offer id", row.try_get("offer_id")?)?,
    }))
}

/// Stores the offer of a charge under its key, unless the key has one; gives
/// whether it had none.
pub(crate) async fn insert_charge(
    db: &Db,
    offer: &Offer,
    key: &str,
    mandate: MandateId,
) -> Result<bool, Error> {
    let mut tx = db.begin().await?;
    offers::insert_in(&mut tx, offer).await?;
    let done = sqlx::query(INSERT_CHARGE)
        .bind(offer.plugin.to_string())
        .bind(key)
        .bind(mandate.to_string())
        .bind(offer.id.to_string())
        .execute(tx.conn())
        .await?;
    // Without its key the offer leads nowhere: it is not kept.
    let is_new = done.rows_affected() == 1;
    if is_new {
        tx.commit().await?;
    }
    Ok(is_new)
}
