//! The fund as the catalog knows it.

use qiao_sdk::{FeeLine, OrderKind, Payer, Price, Product, Rate, Receiver};

/// The product's code.
pub(crate) const CODE: &str = "steady-money";
/// A money fund keeps its net asset value at 1.0000.
pub(crate) const NAV_E4: u64 = 10_000;
/// The smallest purchase: 1.00 CNY.
pub(crate) const PURCHASE_MINOR_MIN: i64 = 100;
/// The largest purchase: 1,000,000.00 CNY.
pub(crate) const PURCHASE_MINOR_MAX: i64 = 100_000_000;
/// The largest purchase by a mandate: 50,000.00 CNY.
pub(crate) const AUTO_MINOR_MAX: i64 = 5_000_000;
/// The smallest redemption: 0.01 units.
pub(crate) const REDEEM_UNITS_MINOR_MIN: i64 = 1;
/// The largest redemption: 1,000,000.00 units. What is above the platform's daily limit
/// for instant redemptions arrives on the next business day.
pub(crate) const REDEEM_UNITS_MINOR_MAX: i64 = 100_000_000;
/// What the user pays to buy: 0.10 % of the net amount.
pub(crate) const SUBSCRIPTION_RATE: Rate = Rate::ppm(1_000);
/// The subscription fee ends at 100.00 CNY.
pub(crate) const SUBSCRIPTION_MINOR_MAX: u64 = 10_000;
/// What the institution pays the platform for a purchase: 0.05 %.
const CHANNEL_RATE: Rate = Rate::ppm(500);

/// The fund with its fees.
pub(crate) fn product() -> Product {
    Product::new(CODE, "Steady Money Fund")
        .summary("A money-market fund, bought and redeemed at any time.")
        .currency("CNY")
        .in_units()
        .redeemed_instantly()
        .fee(
            FeeLine::percent("subscription", "Subscription fee", SUBSCRIPTION_RATE)
                .applies_to(OrderKind::Purchase)
                .payer(Payer::UserInside)
                .maximum(SUBSCRIPTION_MINOR_MAX)
                .share(Receiver::Institution, Rate::percent(70))
                .share(Receiver::Platform, Rate::percent(30)),
        )
        .fee(
            FeeLine::percent("channel-service", "Channel service fee", CHANNEL_RATE)
                .applies_to(OrderKind::Purchase)
                .payer(Payer::Institution)
                .all_to(Receiver::Platform),
        )
}

/// The net asset value of a price, or that of a fund whose first price is not out yet.
pub(crate) fn nav_e4(price: Option<&Price>) -> u64 {
    price.map_or(NAV_E4, |price| price.nav_e4)
}
