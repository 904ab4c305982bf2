//! Who gets a fee, what a channel adds, and what a plugin may propose.

use qiao_catalog::Capture;
use qiao_catalog::fee::{
    Band, ChannelCharge, Charge, FeeError, FeeForm, FeeLine, Payer, Receiver, Share,
};
use qiao_model::{BankLinkId, Channel, InstitutionId, Money, Rate};
use qiao_orders::plan::PlanError;
use qiao_orders::{Error, Offer, OrderKind, QuoteContext, Submission, check_fees};
use qiao_payments::{Method, Party};
use qiao_runtime::Offer as Terms;
use qiao_tests::each_database;

use crate::books::assert_agree;
use crate::plugin::{INSTITUTION, offer};
use crate::world::{World, fee, product, submission};

const DEVELOPER: InstitutionId = InstitutionId::from_u128(0x21);
const SCENE: InstitutionId = InstitutionId::from_u128(0x22);

/// A toll: 2 % on top, shared by five, between 1 % and 3 % where the plugin
/// proposes it; and 0.6 % more through the sandbox's bank.
async fn register(world: &World) {
    let shares = Receiver::ALL.map(|receiver| Share {
        receiver,
        rate: Rate::from_ppm(200_000),
    });
    let [least, most] = [10_000, 30_000].map(|ppm| Charge::Rate(Rate::from_ppm(ppm)));
    let toll = FeeLine {
        shares: shares.to_vec(),
        band: Some(Band { least, most }),
        ..fee("toll-fee", OrderKind::Pay, Payer::User, 20_000, 0)
    };
    let surcharge = FeeLine {
        form: FeeForm::ByChannel(vec![ChannelCharge {
            channel: Channel::SANDBOX,
            charge: Charge::Rate(Rate::from_ppm(6_000)),
        }]),
        shares: vec![Share {
            receiver: Receiver::Channel,
            rate: Rate::ONE,
        }],
        ..fee("surcharge", OrderKind::Pay, Payer::User, 0, 0)
    };
    let fees = vec![toll, surcharge];
    world
        .register(product("toll", false, Capture::OnFulfilment, fees))
        .await;
}

fn toll(fen: i64) -> Terms {
    Terms {
        amount: Some(Money::cny(fen)),
        ..offer("toll", OrderKind::Pay)
    }
}

/// An offer to the user, who came through the door of a scene or of nobody.
async fn offered(world: &World, scene: Option<InstitutionId>) -> Offer {
    world.plugin.offers(toll(10_000));
    let mut submission: Submission = submission();
    submission.visit.scene = scene;
    let answered = world.orders.submit(&world.user.permit, submission).await;
    match answered.unwrap() {
        qiao_orders::Answer::Offer(offer) => *offer,
        other => panic!("no offer: {other:?}"),
    }
}

#[tokio::test]
async fn every_receiver_of_an_order_gets_its_share() {
    each_database(|database| async move {
        let world = World::new(database).await;
        register(&world).await;
        world.plugin.is_developed_by(DEVELOPER);
        let offer = offered(&world, Some(SCENE)).await;
        let context = QuoteContext {
            method: Method::Bank {
                link: BankLinkId::from_u128(0x23),
                channel: Channel::SANDBOX,
            },
        };
        let quote = world.quote_by(&world.user, offer.id, context).await;
        // 100.00, 2.00 for five and 0.60 for the channel.
        assert_eq!(quote.amount, Money::cny(10_260));
        let order = world.confirm(&world.user, &quote).await.unwrap();
        for (party, minor) in [
            (Party::Institution(INSTITUTION), 10_000),
            (Party::Revenue(INSTITUTION), 40),
            (Party::Platform, 40),
            (Party::Channel(Channel::SANDBOX), 40 + 60),
            (Party::Revenue(DEVELOPER), 40),
            (Party::Revenue(SCENE), 40),
        ] {
            assert_eq!(world.has(party).await, minor, "{party}");
        }
        let schedule = world.catalog.schedule_version(quote.product, 1).await;
        assert_eq!(
            check_fees(&order.quote, &schedule.unwrap().unwrap()),
            Ok(())
        );
        assert_agree(&world, &order).await;
    })
    .await;
}

#[tokio::test]
async fn where_an_order_has_no_such_party_others_stand_in() {
    each_database(|database| async move {
        let world = World::new(database).await;
        register(&world).await;
        let offer = offered(&world, None).await;
        let context = QuoteContext::default();
        let quote = world.quote_by(&world.user, offer.id, context).await;
        assert_eq!(quote.amount, Money::cny(10_200), "no channel, no surcharge");
        world.confirm(&world.user, &quote).await.unwrap();
        assert_eq!(world.has(Party::Revenue(INSTITUTION)).await, 80);
        assert_eq!(world.has(Party::Platform).await, 120);
    })
    .await;
}

#[tokio::test]
async fn a_proposed_fee_counts_inside_its_band_and_outside_it_there_is_no_quote() {
    each_database(|database| async move {
        let world = World::new(database).await;
        register(&world).await;
        for (proposed, amount) in [(100, Some(10_100)), (300, Some(10_300)), (99, None), (301, None)] {
            world.plugin.proposes(&[("toll-fee", proposed)]);
            let offer = offered(&world, None).await;
            let context = QuoteContext::default();
            let quoted = world.orders.quote(&world.user.permit, offer.id, context).await;
            match (quoted, amount) {
                (Ok(quote), Some(amount)) => {
                    assert_eq!(quote.amount, Money::cny(amount));
                    let order = world.confirm(&world.user, &quote).await.unwrap();
                    let schedule = world.catalog.schedule_version(quote.product, 1).await;
                    let schedule = schedule.unwrap().unwrap();
                    assert_eq!(check_fees(&order.quote, &schedule), Ok(()));
                }
                (Err(Error::Unpriceable(PlanError::Fees(refusal))), None) => {
                    let outside = FeeError::OutsideBand {
                        code: "toll-fee".to_owned(),
                        proposed: Money::cny(proposed),
                        least: Money::cny(100),
                        most: Money::cny(300),
                    };
                    assert_eq!(refusal, outside);
                }
                (quoted, _) => panic!("{proposed}: {quoted:?}"),
            }
        }
        world.plugin.proposes(&[("surcharge", 1)]);
        let offer = offered(&world, None).await;
        let context = QuoteContext::default();
        let quoted = world.orders.quote(&world.user.permit, offer.id, context).await;
        assert!(matches!(
            quoted,
            Err(Error::Unpriceable(PlanError::Fees(FeeError::NotProposable(code)))) if code == "surcharge"
        ));
    })
    .await;
}
