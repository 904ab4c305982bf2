//! Standing permissions through the pages: given, charged by a plugin's job, revoked.

use std::time::Duration;

use qiao::{PIN, Page, Person};
use qiao_tests::{TestDatabase, postgres, sqlite};

use crate::sandbox::Sandbox;

const LOOK: Duration = Duration::from_millis(100);
const LOOK_TIMES: u32 = 200;

/// Looks at a page until it says the words.
async fn says(person: &Person, path: &str, words: &str) -> Page {
    for _ in 0..LOOK_TIMES {
        let page = person.open(path).await.unwrap();
        if page.says(&[words]).is_ok() {
            return page;
        }
        tokio::time::sleep(LOOK).await;
    }
    let page = person.open(path).await.unwrap();
    panic!("{path} does not say `{words}`: {}", page.text());
}

/// How often the words are on a page.
async fn count(person: &Person, path: &str, words: &str) -> usize {
    let page = person.open(path).await.unwrap();
    page.text().matches(words).count()
}

impl Sandbox {
    /// Sends a service's form that asks for a mandate, and gives it with the PIN.
    async fn enroll(
        &self,
        person: &Person,
        service: &str,
        form: &str,
        fields: &[(&str, &str)],
    ) -> Page {
        let page = person.open(service).await.unwrap();
        let form = page.form_with("form", form).unwrap();
        let consent = person.send(&page, &form, fields).await.unwrap();
        assert!(consent.path.starts_with("/consent/"), "{}", consent.path);
        consent.says(&["at most", "PIN"]).unwrap();
        let mandate = person
            .send(&consent, "consent", &[("pin", PIN)])
            .await
            .unwrap();
        assert!(mandate.path.starts_with("/mandates/"), "{}", mandate.path);
        mandate
            .says(&["Active", "Nothing has been charged"])
            .unwrap();
        mandate
    }

    /// Waits until a plugin of the institution has taken an event.
    async fn told(&self, staff: &str) {
        let staff = self.log_in(staff).await;
        let institution = staff.open("/console").await.unwrap().id("ins_").unwrap();
        says(
            &staff,
            &format!("/console/{institution}/invocations"),
            "event",
        )
        .await;
    }

    /// Moves the host's clock to noon, whenever the test runs: jobs are due in the morning,
    /// and a plan buys nothing on the day on which it was made.
    async fn begin_at_noon(&self, operator: &Person) {
        let hour = qiao::host_env().now().minute_of_day() / 60;
        let hours = (36 - hour) % 24;
        if hours > 0 {
            self.pass_hours(operator, &hours.to_string()).await;
        }
    }

    async fn pass_hours(&self, operator: &Person, hours: &str) {
        let fields = [("hours", hours)];
        operator
            .fill("/operator/clock", "clock", &fields)
            .await
            .unwrap();
    }
}

async fn play(database: TestDatabase) {
    let sandbox = Sandbox::open(database).await;
    sandbox.scenario().set_up().await.unwrap();
    let operator = sandbox.operator().await;
    sandbox.begin_at_noon(&operator).await;
    let lin = sandbox.log_in("lin").await;
    sandbox.top_up("lin", 300_000).await;
    let plan = [("f_amount", "200.00")];
    let fund = sandbox
        .enroll(&lin, "/a/steady-fund/auto-invest", "auto-daily", &plan)
        .await;
    let plate = [("f_plate", "京A12345"), ("f_most", "200.00")];
    let fines = sandbox
        .enroll(&lin, "/a/traffic/autopay", "autopay", &plate)
        .await;
    sandbox.told("fund").await;
    sandbox.told("authority").await;
    assert_eq!(count(&lin, "/orders", "Auto-invest").await, 0);

    sandbox.pass_hours(&operator, "24").await;
    says(&lin, &fund.path, "200.00 CNY").await;
    says(&lin, "/orders", "Completed").await;
    says(&lin, &fines.path, "Traffic fine").await;
    assert_eq!(count(&lin, "/orders", "Auto-invest").await, 1);
    says(&lin, "/holdings", "199.80").await;

    let asked = lin.open(&format!("{}/revoke", fund.path)).await.unwrap();
    let revoked = lin.send(&asked, "confirm", &[]).await.unwrap();
    revoked.says(&["Revoked"]).unwrap();
    sandbox.pass_hours(&operator, "24").await;
    // Long enough for the day's jobs, which are looked for twice a second.
    tokio::time::sleep(LOOK * 40).await;
    assert_eq!(count(&lin, "/orders", "Auto-invest").await, 1);
    lin.open("/mandates")
        .await
        .unwrap()
        .says(&["Active", "Revoked"])
        .unwrap();
    sandbox.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_mandate_is_charged_until_it_is_revoked_on_sqlite() {
    play(sqlite().await).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_mandate_is_charged_until_it_is_revoked_on_postgres() {
    play(postgres().await).await;
}
