//! The rules of the contract for products and fee schedules.

use std::collections::BTreeSet;

use crate::catalog::{CatalogError, Problem};
use crate::{
    AccruedFee, AgeTier, Band, Charge, FeeForm, FeeLine, OrderKind, Product, Rate, Share, Tier,
};

const CODE_CHARS_MAX: usize = 32;
const NAME_CHARS_MAX: usize = 64;
const SUMMARY_CHARS_MAX: usize = 200;
const FEE_LINES_MAX: usize = 16;
const ACCRUED_FEES_MAX: usize = 8;

pub(super) fn check(product: &Product) -> Result<(), CatalogError> {
    let is_code = !product.code.is_empty()
        && product.code.len() <= CODE_CHARS_MAX
        && product
            .code
            .bytes()
            .all(|byte| matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'-'));
    if !is_code {
        return Err(invalid("code", "1 to 32 characters a-z, 0-9 and -"));
    }
    if product.name.is_empty() || product.name.chars().count() > NAME_CHARS_MAX {
        return Err(invalid("name", "1 to 64 characters"));
    }
    if product.summary.chars().count() > SUMMARY_CHARS_MAX {
        return Err(invalid("summary", "at most 200 characters"));
    }
    if product.currency.len() != 3 || !product.currency.bytes().all(|b| b.is_ascii_uppercase()) {
        return Err(invalid("currency", "an ISO 4217 code in upper case"));
    }
    if !product.in_units && !product.fees.accrued.is_empty() {
        return Err(invalid("fees.accrued", "of what is held in units alone"));
    }
    check_lines(&product.fees.lines)?;
    check_accrued(&product.fees.accrued)
}

fn invalid(at: &str, cause: &str) -> CatalogError {
    CatalogError::InvalidProduct(Problem {
        at: at.to_owned(),
        cause: cause.to_owned(),
    })
}

fn invalid_fees(at: String, cause: &str) -> CatalogError {
    CatalogError::InvalidFeeSchedule(Problem {
        at,
        cause: cause.to_owned(),
    })
}

fn check_lines(lines: &[FeeLine]) -> Result<(), CatalogError> {
    if lines.len() > FEE_LINES_MAX {
        return Err(invalid_fees("fees.lines".to_owned(), "at most 16 lines"));
    }
    let mut codes = BTreeSet::new();
    for (index, line) in lines.iter().enumerate() {
        let at = format!("fees.lines[{index}]");
        if !codes.insert(&line.code) {
            return Err(invalid_fees(
                format!("{at}.code"),
                "another line has this code",
            ));
        }
        check_shares(&line.shares, &at)?;
        if line.band.as_ref().is_some_and(is_empty_band) {
            return Err(invalid_fees(
                format!("{at}.band"),
                "two rates or two amounts, the least not above the most",
            ));
        }
        if let (Some(minimum), Some(maximum)) = (line.minimum_minor, line.maximum_minor)
            && minimum > maximum
        {
            return Err(invalid_fees(
                format!("{at}.minimum-minor"),
                "above the maximum",
            ));
        }
        match &line.form {
            FeeForm::Percent(ppm) if *ppm > Rate::WHOLE.as_ppm() => {
                return Err(invalid_fees(format!("{at}.form"), "a rate above 100 %"));
            }
            FeeForm::Flat(_) | FeeForm::Percent(_) => {}
            FeeForm::BackLoad(_) if line.applies_to != OrderKind::Redeem => {
                return Err(invalid_fees(
                    format!("{at}.form"),
                    "a back load is of redemptions",
                ));
            }
            FeeForm::BackLoad(tiers) => check_age_tiers(tiers, &at)?,
            FeeForm::ByChannel(charges) if charges.is_empty() => {
                return Err(invalid_fees(format!("{at}.form.channels"), "no channel"));
            }
            FeeForm::ByChannel(_) => {}
            FeeForm::Graduated(tiers) => {
                check_tiers(tiers, &at)?;
                if tiers
                    .iter()
                    .any(|tier| matches!(tier.charge, Charge::Flat(_)))
                {
                    return Err(invalid_fees(
                        format!("{at}.form"),
                        "graduated tiers take rates",
                    ));
                }
            }
            FeeForm::Slab(tiers) => check_tiers(tiers, &at)?,
        }
    }
    Ok(())
}

fn check_accrued(fees: &[AccruedFee]) -> Result<(), CatalogError> {
    if fees.len() > ACCRUED_FEES_MAX {
        return Err(invalid_fees("fees.accrued".to_owned(), "at most 8 fees"));
    }
    for (index, fee) in fees.iter().enumerate() {
        check_shares(&fee.shares, &format!("fees.accrued[{index}]"))?;
    }
    Ok(())
}

fn check_shares(shares: &[Share], at: &str) -> Result<(), CatalogError> {
    let sum: u64 = shares.iter().map(|share| u64::from(share.share)).sum();
    if sum == u64::from(Rate::WHOLE.as_ppm()) {
        return Ok(());
    }
    let at = format!("{at}.shares");
    Err(invalid_fees(at, "the shares do not sum to 100 %"))
}

fn is_empty_band(band: &Band) -> bool {
    match (&band.least, &band.most) {
        (Charge::Rate(least), Charge::Rate(most)) => least > most,
        (Charge::Flat(least), Charge::Flat(most)) => least > most,
        (Charge::Rate(_), Charge::Flat(_)) | (Charge::Flat(_), Charge::Rate(_)) => true,
    }
}

fn check_age_tiers(tiers: &[AgeTier], at: &str) -> Result<(), CatalogError> {
    let mut from = Some(0);
    for (index, tier) in tiers.iter().enumerate() {
        let at = format!("{at}.form.tiers[{index}]");
        if from != Some(tier.from_days) {
            return Err(invalid_fees(at, "a gap or an overlap with the tier before"));
        }
        if tier.below_days.is_some_and(|below| below <= tier.from_days) {
            return Err(invalid_fees(at, "the tier is empty"));
        }
        from = tier.below_days;
    }
    if tiers.is_empty() || from.is_some() {
        return Err(invalid_fees(
            format!("{at}.form.tiers"),
            "the last tier has no upper bound",
        ));
    }
    Ok(())
}

fn check_tiers(tiers: &[Tier], at: &str) -> Result<(), CatalogError> {
    let mut from = Some(0);
    for (index, tier) in tiers.iter().enumerate() {
        let at = format!("{at}.form.tiers[{index}]");
        if from != Some(tier.from_minor) {
            return Err(invalid_fees(at, "a gap or an overlap with the tier before"));
        }
        if tier
            .below_minor
            .is_some_and(|below| below <= tier.from_minor)
        {
            return Err(invalid_fees(at, "the tier is empty"));
        }
        from = tier.below_minor;
    }
    if tiers.is_empty() || from.is_some() {
        return Err(invalid_fees(
            format!("{at}.form.tiers"),
            "the last tier has no upper bound",
        ));
    }
    Ok(())
}
