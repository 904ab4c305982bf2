//! The lines of a schedule as they are stored: JSON of its own shape, so that
//! the domain's types can change while the rows cannot.

use qiao_db::Error;
use qiao_model::{Rate, Rounding};
use serde::{Deserialize, Serialize};

use crate::fee::{Charge, FeeForm, FeeLine, Payer, Receiver, Share, Tier};
use crate::order_kind::OrderKind;

#[derive(Serialize, Deserialize)]
struct LineJson {
    code: String,
    name: String,
    applies_to: String,
    payer: PayerJson,
    form: FormJson,
    minimum: Option<i64>,
    maximum: Option<i64>,
    rounding: RoundingJson,
    shares: Vec<ShareJson>,
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum PayerJson {
    User,
    UserInside,
    Institution,
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum FormJson {
    Flat(i64),
    PercentPpm(i64),
    Graduated(Vec<TierJson>),
    Slab(Vec<TierJson>),
}

#[derive(Serialize, Deserialize)]
struct TierJson {
    from: i64,
    below: Option<i64>,
    charge: ChargeJson,
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum ChargeJson {
    RatePpm(i64),
    Flat(i64),
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum RoundingJson {
    HalfUp,
    HalfEven,
    Down,
    Up,
}

#[derive(Serialize, Deserialize)]
struct ShareJson {
    receiver: ReceiverJson,
    ppm: i64,
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum ReceiverJson {
    Institution,
    Platform,
}

pub(super) fn write(lines: &[FeeLine]) -> Result<String, Error> {
    let lines: Vec<LineJson> = lines.iter().map(line_to).collect();
    serde_json::to_string(&lines).map_err(|_| Error::corrupt("fee lines", ""))
}

pub(super) fn read(text: &str) -> Result<Vec<FeeLine>, Error> {
    let corrupt = || Error::corrupt("fee lines", text);
    let lines: Vec<LineJson> = serde_json::from_str(text).map_err(|_| corrupt())?;
    lines
        .into_iter()
        .map(|line| line_from(line).ok_or_else(corrupt))
        .collect()
}

fn line_to(line: &FeeLine) -> LineJson {
    LineJson {
        code: line.code.clone(),
        name: line.name.clone(),
        applies_to: line.applies_to.name().to_owned(),
        payer: match line.payer {
            Payer::User => PayerJson::User,
            Payer::UserInside => PayerJson::UserInside,
            Payer::Institution => PayerJson::Institution,
        },
        form: match &line.form {
            FeeForm::Flat(minor) => FormJson::Flat(*minor),
            FeeForm::Percent(rate) => FormJson::PercentPpm(rate.ppm()),
            FeeForm::Graduated(tiers) => FormJson::Graduated(tiers.iter().map(tier_to).collect()),
            FeeForm::Slab(tiers) => FormJson::Slab(tiers.iter().map(tier_to).collect()),
        },
        minimum: line.minimum,
        maximum: line.maximum,
        rounding: match line.rounding {
            Rounding::HalfUp => RoundingJson::HalfUp,
            Rounding::HalfEven => RoundingJson::HalfEven,
            Rounding::Down => RoundingJson::Down,
            Rounding::Up => RoundingJson::Up,
        },
        shares: line.shares.iter().map(share_to).collect(),
    }
}

fn line_from(line: LineJson) -> Option<FeeLine> {
    let applies_to: OrderKind = line.applies_to.parse().ok()?;
    Some(FeeLine {
        code: line.code,
        name: line.name,
        applies_to,
        payer: match line.payer {
            PayerJson::User => Payer::User,
            PayerJson::UserInside => Payer::UserInside,
            PayerJson::Institution => Payer::Institution,
        },
        form: match line.form {
            FormJson::Flat(minor) => FeeForm::Flat(minor),
            FormJson::PercentPpm(ppm) => FeeForm::Percent(Rate::from_ppm(ppm)),
            FormJson::Graduated(tiers) => {
                FeeForm::Graduated(tiers.into_iter().map(tier_from).collect())
            }
            FormJson::Slab(tiers) => FeeForm::Slab(tiers.into_iter().map(tier_from).collect()),
        },
        minimum: line.minimum,
        maximum: line.maximum,
        rounding: match line.rounding {
            RoundingJson::HalfUp => Rounding::HalfUp,
            RoundingJson::HalfEven => Rounding::HalfEven,
            RoundingJson::Down => Rounding::Down,
            RoundingJson::Up => Rounding::Up,
        },
        shares: line.shares.into_iter().map(share_from).collect(),
    })
}

fn tier_to(tier: &Tier) -> TierJson {
    TierJson {
        from: tier.from,
        below: tier.below,
        charge: match tier.charge {
            Charge::Rate(rate) => ChargeJson::RatePpm(rate.ppm()),
            Charge::Flat(minor) => ChargeJson::Flat(minor),
        },
    }
}

fn tier_from(tier: TierJson) -> Tier {
    Tier {
        from: tier.from,
        below: tier.below,
        charge: match tier.charge {
            ChargeJson::RatePpm(ppm) => Charge::Rate(Rate::from_ppm(ppm)),
            ChargeJson::Flat(minor) => Charge::Flat(minor),
        },
    }
}

fn share_to(share: &Share) -> ShareJson {
    ShareJson {
        receiver: match share.receiver {
            Receiver::Institution => ReceiverJson::Institution,
            Receiver::Platform => ReceiverJson::Platform,
        },
        ppm: share.rate.ppm(),
    }
}

fn share_from(share: ShareJson) -> Share {
    Share {
        receiver: match share.receiver {
            ReceiverJson::Institution => Receiver::Institution,
            ReceiverJson::Platform => Receiver::Platform,
        },
        rate: Rate::from_ppm(share.ppm),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn line(form: FeeForm, payer: Payer, rounding: Rounding, applies_to: OrderKind) -> FeeLine {
        FeeLine {
            code: "fee".to_owned(),
            name: "手续费".to_owned(),
            applies_to,
            payer,
            form,
            minimum: Some(1),
            maximum: None,
            rounding,
            shares: [Receiver::Institution, Receiver::Platform]
                .map(|receiver| Share {
                    receiver,
                    rate: Rate::from_ppm(500_000),
                })
                .to_vec(),
        }
    }

    #[test]
    fn every_form_payer_rounding_and_kind_survives_its_text() {
        let tiers = vec![
            Tier {
                from: 0,
                below: Some(100),
                charge: Charge::Rate(Rate::from_ppm(13_000)),
            },
            Tier {
                from: 100,
                below: None,
                charge: Charge::Flat(1),
            },
        ];
        let lines = vec![
            line(
                FeeForm::Flat(7),
                Payer::User,
                Rounding::HalfUp,
                OrderKind::Pay,
            ),
            line(
                FeeForm::Percent(Rate::from_ppm(9)),
                Payer::UserInside,
                Rounding::HalfEven,
                OrderKind::Purchase,
            ),
            line(
                FeeForm::Graduated(tiers.clone()),
                Payer::Institution,
                Rounding::Down,
                OrderKind::Redeem,
            ),
            line(
                FeeForm::Slab(tiers),
                Payer::User,
                Rounding::Up,
                OrderKind::Pay,
            ),
        ];
        assert_eq!(read(&write(&lines).unwrap()).unwrap(), lines);
    }

    #[test]
    fn a_text_that_is_no_schedule_is_corrupt() {
        for text in ["", "{}", r#"[{"code":"fee"}]"#] {
            assert!(matches!(read(text), Err(Error::Corrupt { .. })), "{text}");
        }
    }
}
