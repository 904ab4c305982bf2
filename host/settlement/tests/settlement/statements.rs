//! Statements sum to the books to the fen.

use qiao_auth::Permit;
use qiao_model::{Channel, Currency, Env, PaymentId};
use qiao_payments::Party;
use qiao_settlement::{LineKind, Period, Statement};
use qiao_tests::each_database;

use crate::world::{FUND, World, day, river};

const CNY: Currency = Currency::CNY;

fn period(from: &str, to: &str) -> Period {
    Period::new(day(from), day(to)).unwrap()
}

async fn whole(world: &World, party: Party, period: Period) -> Statement {
    let operator: &Permit = &world.operator;
    let statement = world
        .settlement
        .whole_statement(operator, (party, CNY), period);
    statement.await.unwrap()
}

/// Days of payments and refunds that nobody arranged.
async fn live(world: &World, seed: u64) {
    let (chance, _) = Env::fixed(world.env.now(), seed);
    let pick = |most: u64| {
        let bytes = chance.secret::<8>();
        i64::try_from(u64::from_le_bytes(*bytes.expose()) % most).unwrap()
    };
    let mut paid: Vec<(PaymentId, i64)> = Vec::new();
    for (days, today) in ["2026-11-25", "2026-11-26", "2026-11-27", "2026-11-28"]
        .into_iter()
        .enumerate()
    {
        for step in 0..8 {
            world.set_time(today, 610 + step * 60);
            if days > 0 && pick(3) == 0 && !paid.is_empty() {
                let at = usize::try_from(pick(paid.len() as u64)).unwrap();
                let (payment, left) = paid[at];
                let fen = 1 + pick(u64::try_from(left).unwrap());
                world.refund(payment, fen).await;
                paid[at].1 -= fen;
                paid.retain(|(_, left)| *left > 0);
                continue;
            }
            let (principal, fee, platform) = (1 + pick(20_000), 1 + pick(300), 1 + pick(50));
            let payment = world
                .pay(&[
                    (Party::Institution(FUND), principal, "principal"),
                    (Party::Revenue(FUND), fee, "purchase-fee"),
                    (Party::Platform, platform, "platform-fee"),
                ])
                .await;
            paid.push((payment, principal + fee + platform));
        }
    }
}

#[tokio::test]
async fn a_random_month_sums_to_the_books_for_every_receiver() {
    for seed in [1, 2, 3] {
        each_database(|database| async move {
            let world = World::new(database).await;
            live(&world, seed).await;
            world.set_time("2026-11-30", 600);
            for party in [
                Party::Institution(FUND),
                Party::Revenue(FUND),
                Party::Platform,
                Party::Bank(river()),
            ] {
                let all = whole(&world, party, period("2026-11-20", "2026-11-30")).await;
                let books = world.balance(party).await.posted;
                let sum: i64 = all.lines.iter().map(|line| line.change_minor).sum();
                assert_eq!(
                    (all.opening_minor, all.closing_minor, sum),
                    (0, books, books)
                );
                let mut carried = 0;
                let mut lines = Vec::new();
                for date in 24..=30 {
                    let date = format!("2026-11-{date}");
                    let day = whole(&world, party, period(&date, &date)).await;
                    assert_eq!(day.opening_minor, carried, "seed {seed}, {party}, {date}");
                    carried = day.closing_minor;
                    lines.extend(day.lines);
                }
                assert_eq!(carried, books, "seed {seed}, {party}");
                assert_eq!(lines, all.lines, "seed {seed}, {party}");
            }
        })
        .await;
    }
}

#[tokio::test]
async fn a_line_says_what_was_paid_what_went_to_fees_and_what_came_back() {
    each_database(|database| async move {
        let world = World::new(database).await;
        let payment = world
            .pay(&[
                (Party::Institution(FUND), 9_850, "principal"),
                (Party::Revenue(FUND), 120, "purchase-fee"),
                (Party::Platform, 30, "platform-fee"),
            ])
            .await;
        world.refund(payment, 5_000).await;
        world.terms(1, 0).await;
        world.work("2026-11-26", 540).await;
        let all = period("2026-11-25", "2026-11-26");
        let settlement = whole(&world, Party::Institution(FUND), all).await;
        let told: Vec<(LineKind, i64, i64)> = settlement
            .lines
            .iter()
            .map(|line| (line.kind, line.change_minor, line.balance_minor))
            .collect();
        let expected = [
            (LineKind::Payment, 9_850, 9_850),
            (LineKind::Refund, -4_925, 4_925),
            (LineKind::Payout, -4_925, 0),
        ];
        assert_eq!(told, expected);
        let first = &settlement.lines[0];
        assert_eq!(
            (first.gross_minor, first.fees_minor),
            (Some(10_000), Some(150))
        );
        assert_eq!(first.payment, Some(payment));
        assert_eq!(
            (settlement.credited_minor, settlement.debited_minor),
            (9_850, 9_850)
        );
    })
    .await;
}

#[tokio::test]
async fn pages_give_the_lines_of_the_whole_backwards() {
    each_database(|database| async move {
        let world = World::new(database).await;
        for fen in 1..=120 {
            world.pay_fund(fen).await;
        }
        world.set_time("2026-11-26", 600);
        world.pay_fund(7).await;
        let of = (Party::Institution(FUND), CNY);
        let first_day = period("2026-11-25", "2026-11-25");
        let mut all = whole(&world, of.0, first_day).await.lines;
        let mut paged = Vec::new();
        let mut from = None;
        loop {
            let page = world
                .settlement
                .statement(&world.operator, of, first_day, from);
            let page = page.await.unwrap();
            assert_eq!((page.opening_minor, page.closing_minor), (0, 7_260));
            paged.extend(page.lines);
            from = page.next;
            if from.is_none() {
                break;
            }
        }
        all.reverse();
        assert_eq!(paged.len(), 120);
        assert_eq!(paged, all);
    })
    .await;
}

#[tokio::test]
async fn a_day_stays_closed_whatever_comes_after() {
    each_database(|database| async move {
        let world = World::new(database).await;
        world.pay_fund(100).await;
        world.set_time("2026-11-27", 600);
        let first_day = period("2026-11-25", "2026-11-25");
        let before = whole(&world, Party::Institution(FUND), first_day).await;
        world.pay_fund(50).await;
        world.set_time("2026-12-20", 600);
        world.pay_fund(25).await;
        let after = whole(&world, Party::Institution(FUND), first_day).await;
        assert_eq!(before, after);
        let later = period("2026-11-26", "2026-12-20");
        let rest = whole(&world, Party::Institution(FUND), later).await;
        assert_eq!((rest.opening_minor, rest.closing_minor), (100, 175));
    })
    .await;
}

#[tokio::test]
async fn the_csv_carries_the_balances_and_no_formula() {
    each_database(|database| async move {
        let world = World::new(database).await;
        let payment = world.pay_fund(12_345).await;
        let today = period("2026-11-25", "2026-11-25");
        let statement = whole(&world, Party::Institution(FUND), today).await;
        let csv = String::from_utf8(statement.csv().unwrap()).unwrap();
        let expected = format!(
            "at,kind,purpose,payment,order,gross,fees,change,balance,currency,description\n\
             2026-11-25,opening,,,,,,,0.00,CNY,\n\
             2026-11-25 10:00:00,payment,principal,{payment},,123.45,0.00,123.45,123.45,CNY,\
             \"'=cmd, a test\"\n\
             2026-11-25,closing,,,,,,,123.45,CNY,\n"
        );
        assert_eq!(csv, expected.replace('\n', "\r\n"));
    })
    .await;
}

#[tokio::test]
async fn an_account_that_never_was_has_an_empty_statement() {
    each_database(|database| async move {
        let world = World::new(database).await;
        let nobody: Channel = "nobody".parse().unwrap();
        let all = period("2026-11-01", "2026-11-25");
        let statement = whole(&world, Party::Channel(nobody), all).await;
        assert_eq!((statement.opening_minor, statement.closing_minor), (0, 0));
        assert_eq!(statement.lines, []);
    })
    .await;
}
