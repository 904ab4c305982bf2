//! A bond fund with the sheets of fund 002338.

use qiao_catalog::fee::{AccruedFee, AgeTier, FeeForm, FeeLine, Payer, Receiver, Share};
use qiao_catalog::{Capture, NewProduct, Price, Product};
use qiao_model::{Day, Money, Rate, Scope};
use qiao_orders::OrderKind;
use qiao_runtime::Offer as Terms;

use crate::plugin::offer;
use crate::world::{World, fee, plugin_permit, product};

/// 1.2 % and 0.2 % a year.
pub(crate) const YEARLY_PPM: [i64; 2] = [12_000, 2_000];

/// The fund: 1.3 % to buy, by holding days to redeem, and yearly fees.
pub(crate) async fn register(world: &World, capture: Capture, yearly_ppm: [i64; 2]) -> Product {
    let purchase = fee(
        "purchase-fee",
        OrderKind::Purchase,
        Payer::UserInside,
        13_000,
        200_000,
    );
    let redemption = FeeLine {
        form: FeeForm::BackLoad(sheet()),
        monotone: true,
        ..fee(
            "redemption-fee",
            OrderKind::Redeem,
            Payer::UserInside,
            0,
            250_000,
        )
    };
    let [management, custody] = yearly_ppm;
    let new = NewProduct {
        accrued: vec![
            accrued("management", management, Receiver::Institution),
            accrued("custody", custody, Receiver::Platform),
        ],
        ..product("bond", true, capture, vec![purchase, redemption])
    };
    world.register(new).await
}

fn sheet() -> Vec<AgeTier> {
    let tier = |(from_days, below_days, ppm)| AgeTier {
        from_days,
        below_days,
        rate: Rate::from_ppm(ppm),
    };
    let tiers = [
        (0, Some(7), 15_000),
        (7, Some(30), 7_500),
        (30, Some(180), 5_000),
        (180, None, 0),
    ];
    tiers.map(tier).to_vec()
}

fn accrued(code: &str, ppm: i64, receiver: Receiver) -> AccruedFee {
    AccruedFee {
        code: code.to_owned(),
        name: code.to_owned(),
        rate: Rate::from_ppm(ppm),
        shares: vec![Share {
            receiver,
            rate: Rate::ONE,
        }],
    }
}

pub(crate) fn buy(fen: i64) -> Terms {
    Terms {
        amount: Some(Money::cny(fen)),
        ..offer("bond", OrderKind::Purchase)
    }
}

pub(crate) fn redeem(units_minor: i64) -> Terms {
    Terms {
        units_minor: Some(units_minor),
        ..offer("bond", OrderKind::Redeem)
    }
}

/// The plugin publishes the fund's net asset value of a day.
pub(crate) async fn publish(world: &World, bond: &Product, day: Day, nav_e4: i64) {
    let price = Price {
        day,
        nav_e4,
        income_per_10k_e4: None,
        yield_7d_ppm: None,
    };
    let permit = plugin_permit(&world.auth, Scope::CatalogWrite, None);
    let published = world.catalog.publish_price(&permit, bond.id, price);
    published.await.unwrap();
}
