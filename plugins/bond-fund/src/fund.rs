//! The fund as the catalog knows it.

use qiao_sdk::{AccruedFee, AgeTier, FeeLine, Price, Product, Rate, Receiver, Tier};

/// The product's code.
pub(crate) const CODE: &str = "steady-bond";
/// The net asset value before the first one is published.
pub(crate) const FIRST_NAV_E4: u64 = 10_000;
/// The smallest purchase: 10.00 CNY.
pub(crate) const PURCHASE_MINOR_MIN: i64 = 1_000;
/// The largest purchase: 10,000,000.00 CNY.
pub(crate) const PURCHASE_MINOR_MAX: i64 = 1_000_000_000;
/// The largest redemption: 100,000,000.00 units.
pub(crate) const REDEEM_UNITS_MINOR_MAX: i64 = 10_000_000_000;

const MILLION_MINOR: u64 = 100_000_000;

/// What a purchase costs, by its amount.
fn purchase_tiers() -> Vec<Tier> {
    let million = |millions: u64| millions * MILLION_MINOR;
    vec![
        Tier::rate(0, Some(million(1)), Rate::ppm(13_000)),
        Tier::rate(million(1), Some(million(3)), Rate::ppm(8_000)),
        Tier::rate(million(3), Some(million(5)), Rate::ppm(4_000)),
        Tier::flat(million(5), None, 100_000),
    ]
}

/// What a redemption costs, by the days that the units were held.
fn redemption_tiers() -> Vec<AgeTier> {
    vec![
        AgeTier::new(0, Some(7), Rate::ppm(15_000)),
        AgeTier::new(7, Some(30), Rate::ppm(7_500)),
        AgeTier::new(30, Some(180), Rate::ppm(5_000)),
        AgeTier::new(180, None, Rate::ppm(0)),
    ]
}

/// The fund with its fees.
pub(crate) fn product() -> Product {
    let purchase = FeeLine::front_load("purchase-fee", "Purchase fee 申购费", purchase_tiers())
        .share(Receiver::Institution, Rate::percent(60))
        .share(Receiver::Scene, Rate::percent(20))
        .share(Receiver::Platform, Rate::percent(20));
    let redemption = FeeLine::back_load(
        "redemption-fee",
        "Redemption fee 赎回费",
        redemption_tiers(),
    )
    .monotone()
    .share(Receiver::Institution, Rate::percent(75))
    .share(Receiver::Platform, Rate::percent(25));
    let management = AccruedFee::new("management", "Management fee 管理费", Rate::ppm(12_000))
        .share(Receiver::Institution, Rate::percent(90))
        .share(Receiver::Developer, Rate::percent(10));
    let custody = AccruedFee::new("custody", "Custody fee 托管费", Rate::ppm(2_000))
        .all_to(Receiver::Platform);
    Product::new(CODE, "Steady Bond Fund")
        .summary("A bond fund: the longer it is held, the less a redemption costs.")
        .currency("CNY")
        .in_units()
        .fee(purchase)
        .fee(redemption)
        .accrues(management)
        .accrues(custody)
}

/// The net asset value of a price, or that of a fund whose first price is not out yet.
pub(crate) fn nav_e4(price: Option<&Price>) -> u64 {
    price.map_or(FIRST_NAV_E4, |price| price.nav_e4)
}
