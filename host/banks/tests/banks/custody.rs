//! What the bank says of the platform's account, beside what the books say.

use qiao_banks::Direction;
use qiao_model::{Money, Scope};
use qiao_tests::each_database;

use crate::world::{World, river};

#[tokio::test]
async fn custody_and_statement_agree_with_the_transfers_of_the_day() {
    each_database(|database| async move {
        let world = World::new(database).await;
        let link = world.link().await;
        let into = world.top_up(link.id, 30_000).await;
        world.clock.advance_millis(1);
        let out = world.withdraw(link.id, 10_000).await;
        let system = world.system(Scope::PaymentsRead);
        let custody = world.banks.custody(&system, river()).await.unwrap();
        assert_eq!(custody.balance, Money::cny(20_000));
        let day = world.env.today();
        let statement = world.banks.statement(&system, river(), day).await.unwrap();
        assert_eq!(
            (statement.opening_minor, statement.closing_minor),
            (0, 20_000)
        );
        let lines: Vec<_> = statement
            .lines
            .iter()
            .map(|line| (line.id.clone(), line.direction, line.amount))
            .collect();
        let expected = [
            (Some(into.id.to_string()), Direction::In, Money::cny(30_000)),
            (Some(out.id.to_string()), Direction::Out, Money::cny(10_000)),
        ];
        assert_eq!(lines, expected);
        let booked = world
            .banks
            .booked(&system, river(), day, None)
            .await
            .unwrap();
        let ids: Vec<_> = booked.iter().map(|transfer| transfer.id).collect();
        assert_eq!(ids, [into.id, out.id]);
        for (transfer, line) in booked.iter().zip(&statement.lines) {
            let reference = transfer.standing.bank_reference.as_ref();
            assert_eq!(reference, Some(&line.bank_reference));
        }
        let after = world
            .banks
            .booked(&system, river(), day, Some(into.id))
            .await;
        assert_eq!(after.unwrap().len(), 1);
        let yesterday = day.plus_days(-1);
        let none = world.banks.booked(&system, river(), yesterday, None).await;
        assert_eq!(none.unwrap().len(), 0);
    })
    .await;
}
