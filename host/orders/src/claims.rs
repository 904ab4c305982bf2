//! The wire form of a quote: compact JSON whose fields keep this order, so that
//! the same quote is the same bytes.

use std::str::FromStr;

use qiao_catalog::fee::{Aged, ChargedLine, Proposal};
use qiao_catalog::{Capture, Payer, Price, Receiver};
use qiao_model::{Currency, Money, Timestamp};
use qiao_runtime::Entry;
use serde::{Deserialize, Serialize};

use crate::lots::LotEffect;
use crate::plan::Parties;
use crate::quote::Quote;

/// The claims do not read as a quote.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the quote's {0} is not readable")]
pub struct ClaimsError(&'static str);

#[derive(Serialize, Deserialize)]
struct Claims {
    id: String,
    offer: String,
    offer_digest: String,
    title: String,
    reference: String,
    user: String,
    plugin: String,
    institution: String,
    product: String,
    product_code: String,
    kind: String,
    method: String,
    capture: String,
    release: String,
    release_digest: String,
    schedule_version: u32,
    day: String,
    price: Option<PriceClaims>,
    currency: String,
    principal_minor: i64,
    lines: Vec<LineClaims>,
    channel: Option<String>,
    developer: Option<String>,
    scene: Option<String>,
    proposals: Vec<(String, i64)>,
    ages: Vec<(u32, i64)>,
    lots: String,
    lots_digest: Option<String>,
    unit_price_e4: Option<i64>,
    amount_minor: i64,
    units_minor: Option<i64>,
    notes: Vec<(String, String)>,
    input_hash: String,
    output_hash: String,
    fuel: u64,
    made_at: i64,
    expires_at: i64,
}

#[derive(Serialize, Deserialize)]
struct PriceClaims {
    day: String,
    nav_e4: i64,
    income_per_10k_e4: Option<i64>,
    yield_7d_ppm: Option<i64>,
}

#[derive(Serialize, Deserialize)]
struct LineClaims {
    code: String,
    name: String,
    payer: String,
    minor: i64,
    shares: Vec<(String, i64)>,
}

/// The claims of a quote.
#[expect(
    clippy::expect_used,
    reason = "a struct of texts and numbers always serializes"
)]
pub(crate) fn write(quote: &Quote) -> Vec<u8> {
    let claims = Claims {
        id: quote.id.to_string(),
        offer: quote.offer.to_string(),
        offer_digest: hex::encode(quote.offer_digest),
        title: quote.title.clone(),
        reference: quote.reference.clone(),
        user: quote.user.to_string(),
        plugin: quote.plugin.to_string(),
        institution: quote.institution.to_string(),
        product: quote.product.to_string(),
        product_code: quote.product_code.clone(),
        kind: quote.kind.name().to_owned(),
        method: quote.method.to_string(),
        capture: quote.capture.name().to_owned(),
        release: quote.release.to_string(),
        release_digest: quote.release_digest.clone(),
        schedule_version: quote.schedule_version,
        day: quote.day.to_string(),
        price: quote.price.as_ref().map(|price| PriceClaims {
            day: price.day.to_string(),
            nav_e4: price.nav_e4,
            income_per_10k_e4: price.income_per_10k_e4,
            yield_7d_ppm: price.yield_7d_ppm,
        }),
        currency: quote.principal.currency.to_string(),
        principal_minor: quote.principal.minor,
        lines: quote.lines.iter().map(line_claims).collect(),
        channel: quote.parties.channel.map(|channel| channel.to_string()),
        developer: quote.parties.developer.map(|id| id.to_string()),
        scene: quote.parties.scene.map(|id| id.to_string()),
        proposals: quote.proposals.iter().map(proposal_claims).collect(),
        ages: quote.ages.iter().map(|a| (a.days, a.units_minor)).collect(),
        lots: quote.lots.name().to_owned(),
        lots_digest: quote.lots_digest.as_ref().map(hex::encode),
        unit_price_e4: quote.unit_price_e4,
        amount_minor: quote.amount.minor,
        units_minor: quote.units_minor,
        notes: pairs(&quote.notes),
        input_hash: hex::encode(quote.input_hash),
        output_hash: hex::encode(quote.output_hash),
        fuel: quote.fuel,
        made_at: quote.made_at.as_millis(),
        expires_at: quote.expires_at.as_millis(),
    };
    serde_json::to_vec(&claims).expect("claims are plain JSON")
}

/// The quote of these claims, without its token.
pub(crate) fn read(json: &[u8]) -> Result<Quote, ClaimsError> {
    let claims: Claims = serde_json::from_slice(json).map_err(|_| ClaimsError("JSON"))?;
    let currency: Currency = parse("currency", &claims.currency)?;
    let lines: Result<_, _> = claims
        .lines
        .into_iter()
        .map(|line| charged_line(line, currency))
        .collect();
    Ok(Quote {
        id: parse("id", &claims.id)?,
        token: String::new(),
        offer: parse("offer", &claims.offer)?,
        offer_digest: unhex("offer digest", &claims.offer_digest)?,
        title: claims.title,
        reference: claims.reference,
        user: parse("user", &claims.user)?,
        plugin: parse("plugin", &claims.plugin)?,
        institution: parse("institution", &claims.institution)?,
        product: parse("product", &claims.product)?,
        product_code: claims.product_code,
        kind: parse("kind", &claims.kind)?,
        method: parse("method", &claims.method)?,
        capture: capture_from_name(&claims.capture)?,
        release: parse("release", &claims.release)?,
        release_digest: claims.release_digest,
        schedule_version: claims.schedule_version,
        day: parse("day", &claims.day)?,
        price: claims.price.map(price).transpose()?,
        principal: Money::new(claims.principal_minor, currency),
        lines: lines?,
        parties: Parties {
            channel: maybe("channel", claims.channel.as_deref())?,
            developer: maybe("developer", claims.developer.as_deref())?,
            scene: maybe("scene", claims.scene.as_deref())?,
        },
        proposals: claims.proposals.into_iter().map(proposal).collect(),
        ages: claims.ages.into_iter().map(aged).collect(),
        lots: LotEffect::of_name(&claims.lots).ok_or(ClaimsError("lots"))?,
        lots_digest: (claims.lots_digest.as_deref())
            .map(|text| unhex("lots digest", text))
            .transpose()?,
        unit_price_e4: claims.unit_price_e4,
        amount: Money::new(claims.amount_minor, currency),
        units_minor: claims.units_minor,
        notes: entries(claims.notes),
        input_hash: unhex("input hash", &claims.input_hash)?,
        output_hash: unhex("output hash", &claims.output_hash)?,
        fuel: claims.fuel,
        made_at: Timestamp::from_millis(claims.made_at),
        expires_at: Timestamp::from_millis(claims.expires_at),
    })
}

/// Labels and values as pairs, the form that tokens and rows keep.
pub(crate) fn pairs(entries: &[Entry]) -> Vec<(String, String)> {
    let pair = |e: &Entry| (e.label.clone(), e.value.clone());
    entries.iter().map(pair).collect()
}

/// The labels and values of such pairs.
pub(crate) fn entries(pairs: Vec<(String, String)>) -> Vec<Entry> {
    let entry = |(label, value)| Entry { label, value };
    pairs.into_iter().map(entry).collect()
}

fn proposal_claims(proposal: &Proposal) -> (String, i64) {
    (proposal.code.clone(), proposal.minor)
}

fn proposal((code, minor): (String, i64)) -> Proposal {
    Proposal { code, minor }
}

fn aged((days, units_minor): (u32, i64)) -> Aged {
    Aged { days, units_minor }
}

fn line_claims(line: &ChargedLine) -> LineClaims {
    let share = |(receiver, money): &(Receiver, Money)| (receiver.name().to_owned(), money.minor);
    LineClaims {
        code: line.code.clone(),
        name: line.name.clone(),
        payer: payer_name(line.payer).to_owned(),
        minor: line.amount.minor,
        shares: line.shares.iter().map(share).collect(),
    }
}

fn charged_line(claims: LineClaims, currency: Currency) -> Result<ChargedLine, ClaimsError> {
    let share = |(receiver, minor): (String, i64)| {
        let receiver = Receiver::of_name(&receiver).ok_or(ClaimsError("receiver"))?;
        Ok((receiver, Money::new(minor, currency)))
    };
    Ok(ChargedLine {
        code: claims.code,
        name: claims.name,
        payer: payer_from_name(&claims.payer)?,
        amount: Money::new(claims.minor, currency),
        shares: claims
            .shares
            .into_iter()
            .map(share)
            .collect::<Result<_, _>>()?,
    })
}

fn price(claims: PriceClaims) -> Result<Price, ClaimsError> {
    Ok(Price {
        day: parse("price", &claims.day)?,
        nav_e4: claims.nav_e4,
        income_per_10k_e4: claims.income_per_10k_e4,
        yield_7d_ppm: claims.yield_7d_ppm,
    })
}

fn capture_from_name(name: &str) -> Result<Capture, ClaimsError> {
    let captures = [Capture::OnFulfilment, Capture::BeforeFulfilment];
    let named = captures.into_iter().find(|c| c.name() == name);
    named.ok_or(ClaimsError("capture"))
}

const fn payer_name(payer: Payer) -> &'static str {
    match payer {
        Payer::User => "user",
        Payer::UserInside => "user-inside",
        Payer::Institution => "institution",
    }
}

fn payer_from_name(name: &str) -> Result<Payer, ClaimsError> {
    let payers = [Payer::User, Payer::UserInside, Payer::Institution];
    let named = payers.into_iter().find(|p| payer_name(*p) == name);
    named.ok_or(ClaimsError("payer"))
}

fn parse<T: FromStr>(what: &'static str, text: &str) -> Result<T, ClaimsError> {
    text.parse().map_err(|_| ClaimsError(what))
}

fn maybe<T: FromStr>(what: &'static str, text: Option<&str>) -> Result<Option<T>, ClaimsError> {
    text.map(|text| parse(what, text)).transpose()
}

fn unhex(what: &'static str, text: &str) -> Result<[u8; 32], ClaimsError> {
    let mut bytes = [0_u8; 32];
    hex::decode_to_slice(text, &mut bytes).map_err(|_| ClaimsError(what))?;
    Ok(bytes)
}

#[cfg(test)]
pub(crate) mod tests {
    use qiao_catalog::OrderKind;
    use qiao_model::{Channel, Id};
    use qiao_payments::Method;

    use super::*;

    pub(crate) fn quote() -> Quote {
        let made_at = Timestamp::from_millis(1_790_000_000_000);
        Quote {
            id: Id::from_u128(1),
            token: String::new(),
            offer: Id::from_u128(2),
            offer_digest: [3; 32],
            title: "Purchase of 余额宝".to_owned(),
            reference: "ref-1".to_owned(),
            user: Id::from_u128(4),
            plugin: Id::from_u128(5),
            institution: Id::from_u128(6),
            product: Id::from_u128(7),
            product_code: "money-fund".to_owned(),
            kind: OrderKind::Purchase,
            method: Method::Bank {
                link: Id::from_u128(14),
                channel: Channel::SANDBOX,
            },
            capture: Capture::OnFulfilment,
            release: Id::from_u128(8),
            release_digest: "ab".repeat(32),
            schedule_version: 3,
            day: made_at.day(),
            price: Some(Price {
                day: made_at.day().plus_days(-1),
                nav_e4: 10_000,
                income_per_10k_e4: Some(5_432),
                yield_7d_ppm: Some(19_800),
            }),
            principal: Money::cny(100_000),
            lines: vec![ChargedLine {
                code: "purchase-fee".to_owned(),
                name: "Purchase fee".to_owned(),
                payer: Payer::User,
                amount: Money::cny(100),
                shares: vec![
                    (Receiver::Institution, Money::cny(60)),
                    (Receiver::Platform, Money::cny(40)),
                ],
            }],
            parties: Parties {
                channel: Some(Channel::SANDBOX),
                developer: Some(Id::from_u128(11)),
                scene: Some(Id::from_u128(12)),
            },
            proposals: vec![Proposal {
                code: "purchase-fee".to_owned(),
                minor: 100,
            }],
            ages: vec![Aged {
                days: 7,
                units_minor: 100_000,
            }],
            lots: LotEffect::Taken,
            lots_digest: Some([13; 32]),
            unit_price_e4: Some(10_000),
            amount: Money::cny(100_100),
            units_minor: Some(100_000),
            notes: vec![Entry {
                label: "Confirmed on".to_owned(),
                value: "2026-09-23".to_owned(),
            }],
            input_hash: [9; 32],
            output_hash: [10; 32],
            fuel: 12_345,
            made_at,
            expires_at: made_at.plus_secs(300),
        }
    }

    #[test]
    fn a_quote_survives_its_claims_byte_for_byte() {
        let json = write(&quote());
        let again = read(&json).unwrap();
        assert_eq!(again, quote());
        assert_eq!(write(&again), json);
    }

    #[test]
    fn a_quote_whose_figures_contradict_each_other_has_no_plan() {
        assert!(quote().plan().is_ok());
        let off = Quote {
            amount: Money::cny(100_101),
            ..quote()
        };
        assert!(off.plan().is_err());
    }

    #[test]
    fn claims_that_are_not_a_quote_are_refused() {
        assert!(read(b"{}").is_err());
        let json = String::from_utf8(write(&quote())).unwrap();
        for (from, to) in [
            ("purchase\"", "steal\""),
            ("\"CNY\"", "\"XXX\""),
            ("usr_", "usx_"),
            ("0909", "09g9"),
        ] {
            assert!(json.contains(from), "{from}");
            assert!(
                read(json.replacen(from, to, 1).as_bytes()).is_err(),
                "{from}"
            );
        }
    }
}
