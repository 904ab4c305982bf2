use qiao_model::{Day, Scope, UserId};
use qiao_payments::{Command, Credit, CreditLine, Credited, Outcome};
use qiao_tests::each_database;

use crate::world::{PRODUCT, World};

fn credit(lines: &[(u128, i64)]) -> Credit {
    let lines = lines.iter().map(|(user, minor)| CreditLine {
        user: UserId::from_u128(*user),
        minor: *minor,
    });
    Credit {
        product: PRODUCT,
        day: Day::new(2026, 11, 22).unwrap(),
        lines: lines.collect(),
    }
}

#[tokio::test]
async fn a_holder_is_credited_once_for_a_day_whatever_the_chunks() {
    each_database(|database| async move {
        let world = World::new(database.db).await;
        let first = world
            .run(Command::Credit(credit(&[(1, 10), (2, 20), (3, 0)])))
            .await;
        assert_eq!(
            first,
            Ok(Outcome::Credited(Credited {
                holders: 2,
                minor: 30,
                existing: 0,
            }))
        );
        // After a restart the chunks begin elsewhere.
        let second = world
            .run(Command::Credit(credit(&[(2, 20), (3, 5), (4, 7)])))
            .await;
        assert_eq!(
            second,
            Ok(Outcome::Credited(Credited {
                holders: 2,
                minor: 12,
                existing: 1,
            }))
        );
        let next = Credit {
            day: Day::new(2026, 11, 23).unwrap(),
            ..credit(&[(2, 1)])
        };
        world.run(Command::Credit(next)).await.unwrap();
        for (user, minor) in [(1, 10), (2, 21), (3, 5), (4, 7)] {
            let user = UserId::from_u128(user);
            assert_eq!(world.units(user).await.posted, minor);
        }
        assert_eq!(world.events(&PRODUCT.to_string()).await.len(), 3);
        world.assert_books_hold().await;
    })
    .await;
}

#[tokio::test]
async fn a_credit_of_many_holders_is_stored_whole() {
    each_database(|database| async move {
        let world = World::new(database.db).await;
        let lines: Vec<_> = (1..=2_000).map(|user| (user, 3)).collect();
        world.run(Command::Credit(credit(&lines))).await.unwrap();
        let system = world.system(Scope::HoldingsRead);
        let mut after = None;
        let mut units = 0;
        loop {
            let page = world
                .payments
                .holders(&system, PRODUCT, after, 700)
                .await
                .unwrap();
            let Some(last) = page.last() else { break };
            after = Some(last.account);
            units += page.iter().map(|holder| holder.balance.posted).sum::<i64>();
        }
        assert_eq!(units, 6_000);
    })
    .await;
}
