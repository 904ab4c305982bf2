//! The wire form of a quote: its fields in this order, in postcard's encoding, so that
//! the same quote is the same bytes. Whoever changes a field changes the token's version.

use std::borrow::Cow;
use std::str::FromStr;

use qiao_catalog::fee::{Aged, ChargedLine, Proposal};
use qiao_catalog::{Capture, Payer, Price, Receiver};
use qiao_model::{Currency, Id, InstitutionId, Money, Timestamp};
use qiao_runtime::Entry;
use serde::{Deserialize, Serialize};

use crate::lots::LotEffect;
use crate::plan::Parties;
use crate::quote::Quote;

/// What the claims of most quotes need; longer ones grow.
const USUAL_BYTES: usize = 1_024;

/// The claims do not read as a quote.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the quote's {0} is not readable")]
pub struct ClaimsError(&'static str);

#[derive(Serialize, Deserialize)]
struct Claims<'a> {
    id: u128,
    offer: u128,
    offer_digest: [u8; 32],
    title: &'a str,
    reference: &'a str,
    user: u128,
    plugin: u128,
    institution: u128,
    product: u128,
    product_code: &'a str,
    kind: &'a str,
    method: Cow<'a, str>,
    capture: &'a str,
    release: u128,
    release_digest: &'a str,
    schedule_version: u32,
    day: String,
    price: Option<PriceClaims>,
    currency: &'a str,
    principal_minor: i64,
    #[serde(borrow)]
    lines: Vec<LineClaims<'a>>,
    channel: Option<Cow<'a, str>>,
    developer: Option<u128>,
    scene: Option<u128>,
    #[serde(borrow)]
    proposals: Vec<(&'a str, i64)>,
    ages: Vec<(u32, i64)>,
    lots: &'a str,
    lots_digest: Option<[u8; 32]>,
    unit_price_e4: Option<i64>,
    amount_minor: i64,
    units_minor: Option<i64>,
    #[serde(borrow)]
    notes: Vec<(&'a str, &'a str)>,
    input_hash: [u8; 32],
    output_hash: [u8; 32],
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
struct LineClaims<'a> {
    code: &'a str,
    name: &'a str,
    payer: &'a str,
    minor: i64,
    #[serde(borrow)]
    shares: Vec<(&'a str, i64)>,
}

/// The claims of a quote.
#[expect(
    clippy::expect_used,
    reason = "a struct of texts and numbers always serializes"
)]
pub(crate) fn write(quote: &Quote) -> Vec<u8> {
    let channel = quote.parties.channel.as_ref();
    let claims = Claims {
        id: quote.id.as_u128(),
        offer: quote.offer.as_u128(),
        offer_digest: quote.offer_digest,
        title: &quote.title,
        reference: &quote.reference,
        user: quote.user.as_u128(),
        plugin: quote.plugin.as_u128(),
        institution: quote.institution.as_u128(),
        product: quote.product.as_u128(),
        product_code: &quote.product_code,
        kind: quote.kind.name(),
        method: quote.method.to_string().into(),
        capture: quote.capture.name(),
        release: quote.release.as_u128(),
        release_digest: &quote.release_digest,
        schedule_version: quote.schedule_version,
        day: quote.day.to_string(),
        price: quote.price.as_ref().map(|price| PriceClaims {
            day: price.day.to_string(),
            nav_e4: price.nav_e4,
            income_per_10k_e4: price.income_per_10k_e4,
            yield_7d_ppm: price.yield_7d_ppm,
        }),
        currency: quote.principal.currency.code(),
        principal_minor: quote.principal.minor,
        lines: quote.lines.iter().map(line_claims).collect(),
        channel: channel.map(|channel| channel.code().into()),
        developer: quote.parties.developer.map(InstitutionId::as_u128),
        scene: quote.parties.scene.map(InstitutionId::as_u128),
        proposals: quote.proposals.iter().map(proposal_claims).collect(),
        ages: quote.ages.iter().map(|a| (a.days, a.units_minor)).collect(),
        lots: quote.lots.name(),
        lots_digest: quote.lots_digest,
        unit_price_e4: quote.unit_price_e4,
        amount_minor: quote.amount.minor,
        units_minor: quote.units_minor,
        notes: quote.notes.iter().map(note_claims).collect(),
        input_hash: quote.input_hash,
        output_hash: quote.output_hash,
        fuel: quote.fuel,
        made_at: quote.made_at.as_millis(),
        expires_at: quote.expires_at.as_millis(),
    };
    let claims_bytes = Vec::with_capacity(USUAL_BYTES);
    postcard::to_extend(&claims, claims_bytes).expect("claims are plain data")
}

/// The quote of these claims, without its token.
pub(crate) fn read(bytes: &[u8]) -> Result<Quote, ClaimsError> {
    let claims: Claims<'_> = match postcard::take_from_bytes(bytes) {
        Ok((claims, [])) => claims,
        Ok(_) | Err(_) => return Err(ClaimsError("encoding")),
    };
    let currency: Currency = parse("currency", claims.currency)?;
    let lines: Result<_, _> = claims
        .lines
        .into_iter()
        .map(|line| charged_line(line, currency))
        .collect();
    Ok(Quote {
        id: Id::from_u128(claims.id),
        token: String::new(),
        offer: Id::from_u128(claims.offer),
        offer_digest: claims.offer_digest,
        title: claims.title.to_owned(),
        reference: claims.reference.to_owned(),
        user: Id::from_u128(claims.user),
        plugin: Id::from_u128(claims.plugin),
        institution: Id::from_u128(claims.institution),
        product: Id::from_u128(claims.product),
        product_code: claims.product_code.to_owned(),
        kind: parse("kind", claims.kind)?,
        method: parse("method", &claims.method)?,
        capture: capture_from_name(claims.capture)?,
        release: Id::from_u128(claims.release),
        release_digest: claims.release_digest.to_owned(),
        schedule_version: claims.schedule_version,
        day: parse("day", &claims.day)?,
        price: claims.price.map(price).transpose()?,
        principal: Money::new(claims.principal_minor, currency),
        lines: lines?,
        parties: Parties {
            channel: (claims.channel.as_deref())
                .map(|code| parse("channel", code))
                .transpose()?,
            developer: claims.developer.map(Id::from_u128),
            scene: claims.scene.map(Id::from_u128),
        },
        proposals: claims.proposals.into_iter().map(proposal).collect(),
        ages: claims.ages.into_iter().map(aged).collect(),
        lots: LotEffect::of_name(claims.lots).ok_or(ClaimsError("lots"))?,
        lots_digest: claims.lots_digest,
        unit_price_e4: claims.unit_price_e4,
        amount: Money::new(claims.amount_minor, currency),
        units_minor: claims.units_minor,
        notes: claims.notes.into_iter().map(note).collect(),
        input_hash: claims.input_hash,
        output_hash: claims.output_hash,
        fuel: claims.fuel,
        made_at: Timestamp::from_millis(claims.made_at),
        expires_at: Timestamp::from_millis(claims.expires_at),
    })
}

fn note_claims(note: &Entry) -> (&str, &str) {
    (&note.label, &note.value)
}

fn note((label, value): (&str, &str)) -> Entry {
    Entry {
        label: label.to_owned(),
        value: value.to_owned(),
    }
}

fn proposal_claims(proposal: &Proposal) -> (&str, i64) {
    (&proposal.code, proposal.minor)
}

fn proposal((code, minor): (&str, i64)) -> Proposal {
    Proposal {
        code: code.to_owned(),
        minor,
    }
}

fn aged((days, units_minor): (u32, i64)) -> Aged {
    Aged { days, units_minor }
}

fn line_claims(line: &ChargedLine) -> LineClaims<'_> {
    let share = |(receiver, money): &(Receiver, Money)| (receiver.name(), money.minor);
    LineClaims {
        code: &line.code,
        name: &line.name,
        payer: payer_name(line.payer),
        minor: line.amount.minor,
        shares: line.shares.iter().map(share).collect(),
    }
}

fn charged_line(claims: LineClaims<'_>, currency: Currency) -> Result<ChargedLine, ClaimsError> {
    let share = |(receiver, minor): (&str, i64)| {
        let receiver = Receiver::of_name(receiver).ok_or(ClaimsError("receiver"))?;
        Ok((receiver, Money::new(minor, currency)))
    };
    Ok(ChargedLine {
        code: claims.code.to_owned(),
        name: claims.name.to_owned(),
        payer: payer_from_name(claims.payer)?,
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
        let bytes = write(&quote());
        let again = read(&bytes).unwrap();
        assert_eq!(again, quote());
        assert_eq!(write(&again), bytes);
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
        let bytes = write(&quote());
        for end in 0..bytes.len() {
            assert!(read(&bytes[..end]).is_err(), "cut at {end}");
        }
        assert!(read(&[&bytes[..], b"x"].concat()).is_err());
        for (from, to) in [
            ("purchase", "stealing"),
            ("CNY", "XX-"),
            ("bnk_", "bnx_"),
            ("user", "usex"),
            ("taken", "token"),
        ] {
            let at = bytes.windows(from.len()).position(|w| w == from.as_bytes());
            let mut altered = bytes.clone();
            altered[at.expect(from)..][..to.len()].copy_from_slice(to.as_bytes());
            assert!(read(&altered).is_err(), "{from}");
        }
    }
}
