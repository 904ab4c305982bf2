//! The rules of the contract for products and fee schedules.

use std::collections::BTreeSet;

use crate::catalog::{CatalogError, Problem};
use crate::{Charge, FeeForm, FeeLine, Product, Rate, Tier};

const CODE_CHARS_MAX: usize = 32;
const NAME_CHARS_MAX: usize = 64;
const SUMMARY_CHARS_MAX: usize = 200;
const FEE_LINES_MAX: usize = 16;

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
    check_lines(&product.fees.lines)
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
        let sum: u64 = line.shares.iter().map(|share| u64::from(share.share)).sum();
        if sum != u64::from(Rate::WHOLE.as_ppm()) {
            return Err(invalid_fees(
                format!("{at}.shares"),
                "the shares do not sum to 100 %",
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
