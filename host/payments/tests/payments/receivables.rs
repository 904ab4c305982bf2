use std::collections::HashMap;

use qiao_model::{Currency, InstitutionId, Money, PaymentId, Scope};
use qiao_payments::{
    Command, NewPayment, NewRefund, Outcome, Party, Payment, Purse, Recovery, Refund, Refusal,
};
use qiao_tests::each_database;

use crate::world::{FUND, USER, World, issue};

const OWED: Party = Party::Receivable(FUND);

impl World {
    /// The fund's fees, all but one fen, leave it.
    async fn spend_fees(&self) {
        let out = NewPayment {
            payer: Party::Revenue(FUND),
            ..self.new_payment(&[(Party::Platform, 1_199, "fee")])
        };
        self.payment(Command::Pay(out)).await;
    }

    async fn give_back(&self, payment: PaymentId, fen: i64) -> Result<(Payment, Refund), Refusal> {
        match self.run(Command::Refund(self.refund(payment, fen))).await? {
            Outcome::Refunded { payment, refund } => Ok((payment, refund)),
            other => panic!("{other:?}"),
        }
    }

    fn recovery(&self, purse: Purse) -> Recovery {
        Recovery {
            payment: self.env.id(),
            institution: FUND,
            purse,
            currency: Currency::CNY,
        }
    }
}

#[tokio::test]
async fn a_payer_gets_the_whole_refund_and_what_a_receiver_lacks_is_owed() {
    each_database(|database| async move {
        let world = World::new(database.db).await;
        let new = world.purchase();
        let id = new.id;
        world.payment(Command::Pay(new)).await;
        world.spend_fees().await;
        let (payment, refund) = world.give_back(id, 100_000).await.unwrap();
        assert_eq!(payment.refunded, Money::cny(100_000));
        assert_eq!(refund.parts, [98_500, 1_200, 300]);
        assert_eq!(refund.owed, [0, 1_199, 0]);
        assert_eq!(refund.receivable(), Money::cny(1_199));
        // The platform keeps what it was paid meanwhile.
        assert_eq!(world.fen().await, [100_000, 0, 0, 1_199]);
        assert_eq!(world.balance(OWED).await.posted, -1_199);
        assert_eq!(
            world.events(&id.to_string()).await,
            ["payment.posted", "payment.refunded", "receivable.opened"]
        );
        // The same refund again opens no second debt.
        let stored = world.system(Scope::PaymentsRead);
        let refunds = world.payments.refunds_of(&stored, id).await.unwrap();
        assert_eq!(refunds, std::slice::from_ref(&refund));
        let again = NewRefund {
            id: refund.id,
            payment: id,
            amount: refund.amount,
            reason: refund.reason,
        };
        world.run(Command::Refund(again)).await.unwrap();
        assert_eq!(world.balance(OWED).await.posted, -1_199);
        world.assert_books_hold().await;
    })
    .await;
}

#[tokio::test]
async fn the_institution_of_a_payment_owes_what_the_platform_lacks() {
    each_database(|database| async move {
        let world = World::new(database.db).await;
        let new = world.purchase();
        let id = new.id;
        world.payment(Command::Pay(new)).await;
        let spend = NewPayment {
            payer: Party::Platform,
            ..world.new_payment(&[(Party::User(USER), 250, "bonus")])
        };
        world.payment(Command::Pay(spend)).await;
        let (_, refund) = world.give_back(id, 100_000).await.unwrap();
        assert_eq!(refund.owed, [0, 0, 250]);
        assert_eq!(world.fen().await, [100_250, 0, 0, 0]);
        assert_eq!(world.balance(OWED).await.posted, -250);
    })
    .await;
}

#[tokio::test]
async fn two_splits_of_one_receiver_give_what_it_has_once() {
    each_database(|database| async move {
        let world = World::new(database.db).await;
        let new = world.new_payment(&[
            (Party::Revenue(FUND), 700, "fee"),
            (Party::Revenue(FUND), 500, "service"),
        ]);
        let id = new.id;
        world.payment(Command::Pay(new)).await;
        let out = NewPayment {
            payer: Party::Revenue(FUND),
            ..world.new_payment(&[(Party::Platform, 400, "fee")])
        };
        world.payment(Command::Pay(out)).await;
        let (_, refund) = world.give_back(id, 1_200).await.unwrap();
        assert_eq!((refund.parts, refund.owed), (vec![700, 500], vec![0, 400]));
        assert_eq!(world.balance(OWED).await.posted, -400);
        world.assert_books_hold().await;
    })
    .await;
}

#[tokio::test]
async fn an_institution_cannot_make_money_by_owing_it_to_itself() {
    each_database(|database| async move {
        let world = World::new(database.db).await;
        world.payment(Command::Pay(world.purchase())).await;
        let out = NewPayment {
            payer: Party::Institution(FUND),
            ..world.new_payment(&[(Party::User(USER), 1_000, "dividend")])
        };
        let id = out.id;
        world.payment(Command::Pay(out)).await;
        let spend = world.new_payment(&[(Party::Platform, 999, "fee")]);
        world.payment(Command::Pay(spend)).await;
        let user = Party::User(USER).account(Currency::CNY);
        assert_eq!(
            world.give_back(id, 1_000).await,
            Err(Refusal::ReceiverShort {
                account: user.id(),
                requested: Money::cny(1_000).into(),
                available_minor: 1,
            })
        );
        assert_eq!(world.balance(OWED).await.posted, 0);
        world.give_back(id, 1).await.unwrap();
    })
    .await;
}

#[tokio::test]
async fn units_that_their_holder_no_longer_has_stop_a_refund() {
    each_database(|database| async move {
        let world = World::new(database.db).await;
        let new = NewPayment {
            deliveries: vec![issue(5)],
            ..world.purchase()
        };
        let id = new.id;
        world.payment(Command::Pay(new)).await;
        let redeem = NewPayment {
            payer: Party::Institution(FUND),
            deliveries: vec![qiao_payments::Delivery {
                from: issue(1).to,
                to: issue(1).from,
                ..issue(1)
            }],
            ..world.new_payment(&[(Party::User(USER), 100, "principal")])
        };
        world.payment(Command::Pay(redeem)).await;
        let before = world.fen().await;
        let refused = world.give_back(id, 100_000).await;
        assert!(
            matches!(refused, Err(Refusal::ReceiverShort { requested, available_minor: 4, .. }) if requested.minor == 5),
            "{refused:?}"
        );
        assert_eq!(world.fen().await, before);
        assert_eq!(world.balance(OWED).await.posted, 0);
    })
    .await;
}

#[tokio::test]
async fn money_that_comes_later_pays_the_debt_off_and_no_more() {
    each_database(|database| async move {
        let world = World::new(database.db).await;
        let new = world.purchase();
        let id = new.id;
        world.payment(Command::Pay(new)).await;
        world.spend_fees().await;
        world.give_back(id, 100_000).await.unwrap();
        let nothing = Command::Recover(world.recovery(Purse::Revenue));
        let refused = Err(Refusal::NothingToRecover(FUND));
        assert_eq!(world.run(nothing).await, refused);

        // 10.00 of fees and 50.00 of orders arrive; 11.99 are owed.
        let later = world.new_payment(&[
            (Party::Revenue(FUND), 1_000, "fee"),
            (Party::Institution(FUND), 5_000, "principal"),
        ]);
        world.payment(Command::Pay(later)).await;
        assert_eq!(world.payments.recover_receivables().await.unwrap(), 1);
        assert_eq!(world.fen().await, [94_000, 4_801, 0, 1_199]);
        assert_eq!(world.balance(OWED).await.posted, 0);
        assert_eq!(world.payments.recover_receivables().await.unwrap(), 0);
        world.assert_books_hold().await;
    })
    .await;
}

#[tokio::test]
async fn a_recovery_has_one_effect_and_is_not_refunded() {
    each_database(|database| async move {
        let world = World::new(database.db).await;
        let new = world.purchase();
        let id = new.id;
        world.payment(Command::Pay(new)).await;
        world.spend_fees().await;
        world.give_back(id, 100_000).await.unwrap();
        let later = world.new_payment(&[(Party::Institution(FUND), 5_000, "principal")]);
        world.payment(Command::Pay(later)).await;
        let recovery = world.recovery(Purse::Settlement);
        let first = world.payment(Command::Recover(recovery)).await;
        assert_eq!(world.payment(Command::Recover(recovery)).await, first);
        assert_eq!(first.amount, Money::cny(1_199));
        assert_eq!(world.balance(OWED).await.posted, 0);
        assert_eq!(
            world.give_back(first.id, 1).await,
            Err(Refusal::NotRefundable(first.id))
        );
        let other = Recovery {
            purse: Purse::Revenue,
            ..recovery
        };
        assert_eq!(
            world.run(Command::Recover(other)).await,
            Err(Refusal::PaymentConflict(first.id))
        );
    })
    .await;
}

#[tokio::test]
async fn a_refund_in_the_batch_of_its_payment_can_open_a_debt() {
    each_database(|database| async move {
        let world = World::new(database.db).await;
        let new = world.new_payment(&[(Party::Revenue(FUND), 1_000, "fee")]);
        let id = new.id;
        let out = NewPayment {
            payer: Party::Revenue(FUND),
            ..world.new_payment(&[(Party::Platform, 1_000, "fee")])
        };
        let commands = vec![
            Command::Pay(new).into(),
            Command::Pay(out).into(),
            Command::Refund(world.refund(id, 1_000)).into(),
        ];
        for outcome in world.other_host().submit_all(commands).await {
            outcome.unwrap().unwrap();
        }
        assert_eq!(world.fen().await, [100_000, 0, 0, 1_000]);
        assert_eq!(world.balance(OWED).await.posted, -1_000);
    })
    .await;
}

const SEQUENCES: usize = 1_000;
const ROUNDS: usize = 5;

/// A payment as a book-keeper of the old school follows it.
struct Follow {
    institution: InstitutionId,
    id: PaymentId,
    got: Vec<i64>,
    returned: Vec<i64>,
    left: i64,
}

/// 1,000 payments of random splits are refunded in random parts while the
/// receivers spend what they got. Whoever lacks what, each payer gets exactly
/// what was asked, no receiver gives more than it got, and all sums to zero.
#[tokio::test]
async fn a_thousand_random_splits_and_refunds_sum_to_zero() {
    each_database(|database| async move {
        let world = World::new(database.db).await;
        world.top_up(USER, 100_000_000).await;
        let mut chance = Chance(11);
        let (news, mut followed) = random_payments(&world, &mut chance);
        let before = world.fen().await[0];
        let paid: i64 = news.iter().map(|new| new.amount.minor).sum();
        all(&world, news.into_iter().map(Command::Pay)).await;
        assert_eq!(world.fen().await[0], before - paid);
        let mut back = 0;
        let mut owed: HashMap<InstitutionId, i64> = HashMap::new();
        for round in 0..ROUNDS {
            drain(&world, &mut chance).await;
            let is_last = round + 1 == ROUNDS;
            let mut asked = Vec::new();
            for follow in followed.iter().filter(|follow| follow.left > 0) {
                let part = chance.below(follow.left) + 1;
                asked.push(world.refund(follow.id, if is_last { follow.left } else { part }));
            }
            back += asked.iter().map(|new| new.amount.minor).sum::<i64>();
            let refunds = all(&world, asked.into_iter().map(Command::Refund)).await;
            for refund in refunds.iter().map(refund_of) {
                let follow = followed
                    .iter_mut()
                    .find(|f| f.id == refund.payment)
                    .unwrap();
                follow.check(refund);
                *owed.entry(follow.institution).or_default() += refund.receivable().minor;
            }
            assert_eq!(world.fen().await[0], before - paid + back);
        }
        assert!(followed.iter().all(|follow| follow.returned == follow.got));
        assert_eq!(world.fen().await[0], before);
        assert!(owed.values().sum::<i64>() > 0, "nobody was ever short");
        for (institution, owed) in owed {
            let debt = world.balance(Party::Receivable(institution)).await;
            assert_eq!(debt.posted, -owed);
        }
        world.assert_books_hold().await;
    })
    .await;
}

impl Follow {
    fn check(&mut self, refund: &Refund) {
        assert_eq!(refund.parts.iter().sum::<i64>(), refund.amount.minor);
        for (index, (part, owed)) in refund.parts.iter().zip(&refund.owed).enumerate() {
            assert!(0 <= *owed && owed <= part, "{refund:?}");
            self.returned[index] += part;
            assert!(self.returned[index] <= self.got[index], "{refund:?}");
        }
        self.left -= refund.amount.minor;
    }
}

fn refund_of(outcome: &Outcome) -> &Refund {
    match outcome {
        Outcome::Refunded { refund, .. } => refund,
        other => panic!("{other:?}"),
    }
}

async fn all(world: &World, commands: impl Iterator<Item = Command>) -> Vec<Outcome> {
    let commands = commands.map(Into::into).collect();
    let outcomes = world.other_host().submit_all(commands).await;
    outcomes.into_iter().map(|o| o.unwrap().unwrap()).collect()
}

fn institution(chance: &mut Chance) -> InstitutionId {
    InstitutionId::from_u128(100 + u128::try_from(chance.below(10)).unwrap())
}

fn random_payments(world: &World, chance: &mut Chance) -> (Vec<NewPayment>, Vec<Follow>) {
    let payments = (0..SEQUENCES).map(|_| {
        let institution = institution(chance);
        let parties = [
            Party::Institution(institution),
            Party::Revenue(institution),
            Party::Platform,
            Party::Channel(qiao_model::Channel::SANDBOX),
        ];
        let splits: Vec<_> = (0..=chance.below(8))
            .map(|index| {
                let receiver = parties[usize::try_from(index % 4).unwrap()];
                (receiver, chance.below(1_000) + 1, "part")
            })
            .collect();
        let new = NewPayment {
            institution: Some(institution),
            ..world.new_payment(&splits)
        };
        let follow = Follow {
            institution,
            id: new.id,
            got: splits.iter().map(|(_, fen, _)| *fen).collect(),
            returned: vec![0; splits.len()],
            left: new.amount.minor,
        };
        (new, follow)
    });
    payments.unzip()
}

/// Some receivers spend a random part of what they have.
async fn drain(world: &World, chance: &mut Chance) {
    let sink = Party::Revenue(FUND);
    let channel = Party::Channel(qiao_model::Channel::SANDBOX);
    let mut spenders = vec![Party::Platform, channel];
    for _ in 0..5 {
        let institution = institution(chance);
        spenders.extend([Party::Institution(institution), Party::Revenue(institution)]);
    }
    for payer in spenders {
        let has = world.balance(payer).await.available();
        if has > 0 {
            let fen = chance.below(has) + 1;
            let spend = NewPayment {
                payer,
                ..world.new_payment(&[(sink, fen, "spent")])
            };
            world.payment(Command::Pay(spend)).await;
        }
    }
}

struct Chance(u64);

impl Chance {
    fn below(&mut self, end: i64) -> i64 {
        self.0 = self
            .0
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1);
        i64::try_from(self.0 >> 33).unwrap() % end
    }
}
