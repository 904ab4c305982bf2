use qiao_db::{Db, Error, Tx};
use qiao_model::{Money, OfferId, Timestamp, UserId};
use serde::{Deserialize, Serialize};
use sqlx::Row;

use super::{forget, parse, text_of};
use crate::offer::Offer;

#[derive(Serialize, Deserialize)]
struct Terms {
    product: String,
    kind: String,
    title: String,
    amount: Option<(i64, String)>,
    units_minor: Option<i64>,
    reference: String,
    facts: Vec<(String, String)>,
}

const INSERT: &str = "insert into offer (id, user_id, plugin_id, institution_id, product_id, scene_id, terms, made_at, expires_at)
values ($1, $2, $3, $4, $5, $6, $7, $8, $9)";

const FIND: &str =
    "select id, user_id, plugin_id, institution_id, product_id, scene_id, terms, made_at, expires_at
from offer where id = $1 and user_id = $2";

// Offers that became an order stay with it.
const PRUNE: &str = "delete from offer where id in (
    select o.id from offer o where o.expires_at < $1
        and not exists (select 1 from orders where orders.offer_id = o.id)
    order by o.expires_at limit $2
)";

pub(crate) async fn insert(db: &Db, offer: &Offer) -> Result<(), Error> {
    let mut tx = db.begin().await?;
    insert_in(&mut tx, offer).await?;
    tx.commit().await
}

/// Adds an offer; the caller commits.
pub(crate) async fn insert_in(tx: &mut Tx, offer: &Offer) -> Result<(), Error> {
    let terms = Terms {
        product: offer.terms.product.clone(),
        kind: offer.terms.kind.name().to_owned(),
        title: offer.terms.title.clone(),
        amount: offer
            .terms
            .amount
            .map(|m| (m.minor, m.currency.to_string())),
        units_minor: offer.terms.units_minor,
        reference: offer.terms.reference.clone(),
        facts: super::pairs(&offer.terms.facts),
    };
    sqlx::query(INSERT)
        .bind(offer.id.to_string())
        .bind(offer.user.to_string())
        .bind(offer.plugin.to_string())
        .bind(offer.institution.to_string())
        .bind(offer.product.to_string())
        .bind(offer.scene.map(|id| id.to_string()))
        .bind(text_of(&terms))
        .bind(offer.made_at.as_millis())
        .bind(offer.expires_at.as_millis())
        .execute(tx.conn())
        .await?;
    Ok(())
}

/// The offer, if it was made to this user.
pub(crate) async fn find_for_user(
    db: &Db,
    id: OfferId,
    user: UserId,
) -> Result<Option<Offer>, Error> {
    let row = sqlx::query(FIND)
        .bind(id.to_string())
        .bind(user.to_string())
        .fetch_optional(db.reads())
        .await?;
    let Some(row) = row else { return Ok(None) };
    let text: &str = row.try_get("terms")?;
    let terms: Terms =
        serde_json::from_str(text).map_err(|_| Error::corrupt("offer terms", text))?;
    let amount = match terms.amount {
        Some((minor, currency)) => Some(Money::new(minor, parse("currency", &currency)?)),
        None => None,
    };
    let scene: Option<&str> = row.try_get("scene_id")?;
    Ok(Some(Offer {
        id: parse("offer id", row.try_get("id")?)?,
        user: parse("user id", row.try_get("user_id")?)?,
        plugin: parse("plugin id", row.try_get("plugin_id")?)?,
        institution: parse("institution id", row.try_get("institution_id")?)?,
        product: parse("product id", row.try_get("product_id")?)?,
        scene: scene.map(|id| parse("institution id", id)).transpose()?,
        terms: qiao_runtime::Offer {
            product: terms.product,
            kind: parse("order kind", &terms.kind)?,
            title: terms.title,
            amount,
            units_minor: terms.units_minor,
            reference: terms.reference,
            facts: super::entries(terms.facts),
        },
        made_at: Timestamp::from_millis(row.try_get("made_at")?),
        expires_at: Timestamp::from_millis(row.try_get("expires_at")?),
    }))
}

/// Deletes at most `limit` offers that expired before `before` and led nowhere.
pub(crate) async fn prune(db: &Db, before: Timestamp, limit: i64) -> Result<u64, Error> {
    forget(db, PRUNE, (before, limit)).await
}
