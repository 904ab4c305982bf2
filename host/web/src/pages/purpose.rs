//! What a transfer of the ledger is for, in a person's words. The ledger keeps
//! codes (`principal`, a fee's code, `refund/principal`); people read sentences.

use qiao_catalog::fee::ChargedLine;

use super::text::{Text, fill};

/// A refund moves money back; what its receiver lacked comes from the
/// institution's debt, and is of the same refund.
const BACK: [&str; 2] = ["refund/", "receivable/"];

/// What a transfer is for, without the mark of a refund.
pub(crate) fn plain(purpose: &str) -> &str {
    let back = BACK.iter().find_map(|mark| purpose.strip_prefix(mark));
    back.unwrap_or(purpose)
}

/// Whether a transfer gives something back.
pub(crate) fn is_refund(purpose: &str) -> bool {
    BACK.iter().any(|mark| purpose.starts_with(mark))
}

/// A purpose as a person reads it; a fee by the name that the schedule gave it.
pub(crate) fn told(purpose: &str, fees: &[ChargedLine], t: &Text) -> String {
    let code = plain(purpose);
    let name = match code {
        "principal" => t.purpose_principal,
        "proceeds" => t.purpose_proceeds,
        "units" => t.units_held,
        "advance-repaid" | "advance" => t.purpose_advance,
        _ => fees
            .iter()
            .find(|fee| fee.code == code)
            .map_or(code, |fee| fee.name.as_str()),
    };
    if is_refund(purpose) {
        fill(t.purpose_given_back, &[&name])
    } else {
        name.to_owned()
    }
}

#[cfg(test)]
mod tests {
    use qiao_catalog::Payer;
    use qiao_model::Money;

    use super::*;
    use crate::pages::view::Locale;

    #[test]
    fn a_purpose_is_told_in_words_and_a_fee_by_its_name() {
        let fees = [ChargedLine {
            code: "subscription".to_owned(),
            name: "申购费".to_owned(),
            payer: Payer::User,
            amount: Money::cny(100),
            shares: Vec::new(),
        }];
        let told = |purpose, locale| told(purpose, &fees, Text::of(locale));
        assert_eq!(told("principal", Locale::ZhCn), "本金");
        assert_eq!(told("subscription", Locale::ZhCn), "申购费");
        assert_eq!(told("refund/principal", Locale::ZhCn), "退回：本金");
        assert_eq!(told("units", Locale::En), "Units");
        assert_eq!(
            told("receivable/subscription", Locale::En),
            "Given back: 申购费"
        );
        assert_eq!(told("something-new", Locale::En), "something-new");
    }

    #[test]
    fn what_an_institution_owes_of_a_refund_is_of_the_refund() {
        assert!(is_refund("refund/principal") && is_refund("receivable/principal"));
        assert!(!is_refund("principal") && !is_refund("refunded"));
        assert_eq!(plain("receivable/units"), "units");
    }
}
