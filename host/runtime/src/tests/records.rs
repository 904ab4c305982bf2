use super::fixture::{Host, fund_offer, quote_request, visit};
use crate::{FaultKind, Function, Invocations, Outcome};

#[tokio::test(flavor = "multi_thread")]
async fn invocations_are_written_in_batches_and_read_by_plugin() {
    let host = Host::start().await;
    let flooder = host.load("guest-flooder").await;
    let fund = host.load("money-fund").await;
    let runtime = &host.runtime;
    runtime.open(&fund, &visit("about")).await.unwrap();
    host.clock.advance_millis(1);
    runtime.open(&flooder, &visit("log")).await.unwrap_err();
    host.clock.advance_millis(1);
    runtime.open(&flooder, &visit("nothing")).await.unwrap_err();
    // A pure quote leaves a count and nothing else.
    let request = quote_request(fund_offer());
    runtime.quote(&fund, &request).await.unwrap();
    runtime.quote(&fund, &request).await.unwrap();
    assert_eq!(fund.quotes_answered(), 2);
    let taken = runtime.take_invocations();
    assert_eq!(taken.len(), 3);

    qiao_tests::each_database(|database| {
        let (runtime, taken) = (runtime.clone(), taken.clone());
        let (flooder, fund) = (flooder.release().plugin, fund.release().plugin);
        async move {
            database.db.migrate(&[crate::MIGRATIONS]).await.unwrap();
            for record in taken {
                runtime.0.recorder.record(record);
            }
            let invocations = Invocations::new(database.db.clone());
            assert_eq!(invocations.write_waiting(&runtime).await.unwrap(), 3);
            assert_eq!(invocations.write_waiting(&runtime).await.unwrap(), 0);

            let of_fund = invocations.of_plugin(fund, None).await.unwrap();
            assert_eq!(of_fund.len(), 1);
            assert_eq!(of_fund[0].function, Function::Open);
            assert_eq!(of_fund[0].outcome, Outcome::Answered);
            assert!(of_fund[0].fuel > 0 && of_fund[0].memory_bytes > 0);

            let of_flooder = invocations.of_plugin(flooder, None).await.unwrap();
            assert!(matches!(&of_flooder[0].outcome, Outcome::Refused(cause)
                if cause.contains("nothing")));
            assert!(matches!(&of_flooder[1].outcome, Outcome::Faulted(fault)
                if fault.kind == FaultKind::LogFlood));
            assert!(of_flooder[1].log.len() > 10);
            let older = invocations.of_plugin(flooder, Some(of_flooder[0].id)).await;
            assert_eq!(older.unwrap(), of_flooder[1..]);

            let end = of_flooder[0].at.plus_millis(1);
            assert_eq!(invocations.forget_before(end).await.unwrap(), 3);
            assert!(invocations.of_plugin(fund, None).await.unwrap().is_empty());
        }
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn records_wait_while_the_database_fails() {
    let host = Host::start().await;
    let fund = host.load("money-fund").await;
    host.runtime.open(&fund, &visit("about")).await.unwrap();
    let database = qiao_tests::sqlite().await;
    let invocations = Invocations::new(database.db.clone());
    // The table is not there yet.
    assert!(invocations.write_waiting(&host.runtime).await.is_err());
    database.db.migrate(&[crate::MIGRATIONS]).await.unwrap();
    assert_eq!(invocations.write_waiting(&host.runtime).await.unwrap(), 1);
}
