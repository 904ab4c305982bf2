use super::*;

fn run(day: Date) -> Result<(), JobError> {
    MoneyFund::run_job(JobRun {
        name: "daily-yield".to_owned(),
        day,
        due_at: 0,
    })
}

#[test]
fn the_price_of_a_day_is_published_once_however_often_the_job_runs() {
    with_host(|host| {
        MoneyFund::activate().unwrap();
        run(today()).unwrap();
        run(today()).unwrap();
        run(today().plus_days(1).unwrap()).unwrap();
        let prices = host.prices(fund::CODE);
        assert_eq!(prices.len(), 2);
        assert_eq!(prices[0].day, today());
    });
}

#[test]
fn the_yield_of_a_week_follows_from_its_incomes() {
    let mut week = 0;
    let mut day = Date::parse("2026-01-01").unwrap();
    let mut incomes = std::collections::VecDeque::new();
    for _ in 0..400 {
        let price = crate::daily_yield::price_of(day);
        let income = price.income_per_10k_e4.unwrap();
        assert!((4_500..=5_600).contains(&income), "{day}: {income}");
        week += income;
        incomes.push_back(income);
        if incomes.len() > 7 {
            week -= incomes.pop_front().unwrap();
        }
        if incomes.len() == 7 {
            // 0.01 yuan a day per 10,000 units is 365 ppm a year.
            let expected = (week * 365 + 350) / 700;
            assert_eq!(u64::from(price.yield_7d_ppm.unwrap()), expected);
        }
        day = day.plus_days(1).unwrap();
    }
}

#[test]
fn a_job_that_cannot_publish_fails_so_that_it_comes_again() {
    with_host(|host| {
        assert!(
            matches!(run(today()), Err(JobError::Failed(cause)) if cause.contains("steady-money"))
        );
        MoneyFund::activate().unwrap();
        host.set_price(fund::CODE, price(9_000));
        assert!(matches!(run(today()), Err(JobError::Failed(_))));
    });
}
