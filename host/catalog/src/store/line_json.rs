//! The lines of a schedule as they are stored: JSON of its own shape, so that
//! the domain's types can change while the rows cannot.

use qiao_db::Error;
use qiao_model::{Rate, Rounding};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use crate::fee::{
    AccruedFee, AgeTier, Band, ChannelCharge, Charge, FeeForm, FeeLine, Payer, Receiver, Share,
    Tier,
};
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
    band: Option<BandJson>,
    monotone: bool,
    rounding: RoundingJson,
    shares: Vec<ShareJson>,
}

#[derive(Serialize, Deserialize)]
struct AccruedJson {
    code: String,
    name: String,
    rate_ppm: i64,
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
    BackLoad(Vec<AgeTierJson>),
    ByChannel(Vec<ChannelJson>),
}

#[derive(Serialize, Deserialize)]
struct AgeTierJson {
    from_days: u32,
    below_days: Option<u32>,
    rate_ppm: i64,
}

#[derive(Serialize, Deserialize)]
struct ChannelJson {
    channel: String,
    charge: ChargeJson,
}

#[derive(Serialize, Deserialize)]
struct BandJson {
    least: ChargeJson,
    most: ChargeJson,
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
    receiver: String,
    ppm: i64,
}

pub(super) fn write(lines: &[FeeLine]) -> Result<String, Error> {
    text_of(&lines.iter().map(line_to).collect::<Vec<_>>())
}

pub(super) fn read(text: &str) -> Result<Vec<FeeLine>, Error> {
    rows_of(text, line_from)
}

pub(super) fn write_accrued(fees: &[AccruedFee]) -> Result<String, Error> {
    text_of(&fees.iter().map(accrued_to).collect::<Vec<_>>())
}

pub(super) fn read_accrued(text: &str) -> Result<Vec<AccruedFee>, Error> {
    rows_of(text, accrued_from)
}

fn text_of<J: Serialize>(rows: &[J]) -> Result<String, Error> {
    serde_json::to_string(rows).map_err(|_| Error::corrupt("fees", ""))
}

fn rows_of<J: DeserializeOwned, T>(
    text: &str,
    from: impl Fn(J) -> Option<T>,
) -> Result<Vec<T>, Error> {
    let corrupt = || Error::corrupt("fees", text);
    let rows: Vec<J> = serde_json::from_str(text).map_err(|_| corrupt())?;
    let read = |row| from(row).ok_or_else(corrupt);
    rows.into_iter().map(read).collect()
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
            FeeForm::BackLoad(tiers) => FormJson::BackLoad(tiers.iter().map(age_to).collect()),
            FeeForm::ByChannel(charges) => {
                FormJson::ByChannel(charges.iter().map(channel_to).collect())
            }
        },
        minimum: line.minimum,
        maximum: line.maximum,
        band: line.band.map(|band| BandJson {
            least: charge_to(band.least),
            most: charge_to(band.most),
        }),
        monotone: line.monotone,
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
            FormJson::BackLoad(tiers) => {
                FeeForm::BackLoad(tiers.into_iter().map(age_from).collect())
            }
            FormJson::ByChannel(charges) => {
                let charges = charges.into_iter().map(channel_from);
                FeeForm::ByChannel(charges.collect::<Option<_>>()?)
            }
        },
        minimum: line.minimum,
        maximum: line.maximum,
        band: line.band.map(|band| Band {
            least: charge_from(band.least),
            most: charge_from(band.most),
        }),
        monotone: line.monotone,
        rounding: match line.rounding {
            RoundingJson::HalfUp => Rounding::HalfUp,
            RoundingJson::HalfEven => Rounding::HalfEven,
            RoundingJson::Down => Rounding::Down,
            RoundingJson::Up => Rounding::Up,
        },
        shares: shares_from(line.shares)?,
    })
}

fn accrued_to(fee: &AccruedFee) -> AccruedJson {
    AccruedJson {
        code: fee.code.clone(),
        name: fee.name.clone(),
        rate_ppm: fee.rate.ppm(),
        shares: fee.shares.iter().map(share_to).collect(),
    }
}

fn accrued_from(fee: AccruedJson) -> Option<AccruedFee> {
    Some(AccruedFee {
        code: fee.code,
        name: fee.name,
        rate: Rate::from_ppm(fee.rate_ppm),
        shares: shares_from(fee.shares)?,
    })
}

fn tier_to(tier: &Tier) -> TierJson {
    TierJson {
        from: tier.from,
        below: tier.below,
        charge: charge_to(tier.charge),
    }
}

fn tier_from(tier: TierJson) -> Tier {
    Tier {
        from: tier.from,
        below: tier.below,
        charge: charge_from(tier.charge),
    }
}

fn age_to(tier: &AgeTier) -> AgeTierJson {
    AgeTierJson {
        from_days: tier.from_days,
        below_days: tier.below_days,
        rate_ppm: tier.rate.ppm(),
    }
}

fn age_from(tier: AgeTierJson) -> AgeTier {
    AgeTier {
        from_days: tier.from_days,
        below_days: tier.below_days,
        rate: Rate::from_ppm(tier.rate_ppm),
    }
}

fn channel_to(of: &ChannelCharge) -> ChannelJson {
    ChannelJson {
        channel: of.channel.to_string(),
        charge: charge_to(of.charge),
    }
}

fn channel_from(of: ChannelJson) -> Option<ChannelCharge> {
    Some(ChannelCharge {
        channel: of.channel.parse().ok()?,
        charge: charge_from(of.charge),
    })
}

fn charge_to(charge: Charge) -> ChargeJson {
    match charge {
        Charge::Rate(rate) => ChargeJson::RatePpm(rate.ppm()),
        Charge::Flat(minor) => ChargeJson::Flat(minor),
    }
}

fn charge_from(charge: ChargeJson) -> Charge {
    match charge {
        ChargeJson::RatePpm(ppm) => Charge::Rate(Rate::from_ppm(ppm)),
        ChargeJson::Flat(minor) => Charge::Flat(minor),
    }
}

fn share_to(share: &Share) -> ShareJson {
    ShareJson {
        receiver: share.receiver.name().to_owned(),
        ppm: share.rate.ppm(),
    }
}

fn shares_from(shares: Vec<ShareJson>) -> Option<Vec<Share>> {
    let share = |share: ShareJson| {
        Some(Share {
            receiver: Receiver::of_name(&share.receiver)?,
            rate: Rate::from_ppm(share.ppm),
        })
    };
    shares.into_iter().map(share).collect()
}

#[cfg(test)]
mod tests {
    use qiao_model::Channel;

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
            band: Some(Band {
                least: Charge::Flat(1),
                most: Charge::Flat(2),
            }),
            monotone: true,
            rounding,
            shares: Receiver::ALL
                .map(|receiver| Share {
                    receiver,
                    rate: Rate::from_ppm(200_000),
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
            line(
                FeeForm::BackLoad(vec![AgeTier {
                    from_days: 0,
                    below_days: None,
                    rate: Rate::from_ppm(5_000),
                }]),
                Payer::UserInside,
                Rounding::HalfUp,
                OrderKind::Redeem,
            ),
            line(
                FeeForm::ByChannel(vec![ChannelCharge {
                    channel: Channel::SANDBOX,
                    charge: Charge::Rate(Rate::from_ppm(6_000)),
                }]),
                Payer::User,
                Rounding::HalfUp,
                OrderKind::Pay,
            ),
        ];
        assert_eq!(read(&write(&lines).unwrap()).unwrap(), lines);
    }

    #[test]
    fn an_accrued_fee_survives_its_text() {
        let fees = vec![AccruedFee {
            code: "management".to_owned(),
            name: "管理费".to_owned(),
            rate: Rate::from_ppm(12_000),
            shares: vec![Share {
                receiver: Receiver::Institution,
                rate: Rate::ONE,
            }],
        }];
        let text = write_accrued(&fees).unwrap();
        assert_eq!(read_accrued(&text).unwrap(), fees);
        assert!(read_accrued(&text.replace("institution", "nobody")).is_err());
    }

    #[test]
    fn a_text_that_is_no_schedule_is_corrupt() {
        for text in ["", "{}", r#"[{"code":"fee"}]"#] {
            assert!(matches!(read(text), Err(Error::Corrupt { .. })), "{text}");
        }
    }
}
