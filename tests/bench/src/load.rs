use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use anyhow::{Context, bail};
use hdrhistogram::Histogram;
use http::{Request, Response};
use http_body_util::{BodyExt, Full};
use hyper::body::Bytes;
use hyper::client::conn::http1::{SendRequest, handshake};
use hyper_util::rt::TokioIo;
use tokio::net::TcpStream;
use tokio::task::JoinSet;

/// The slowest call that is told apart: a minute.
const SLOWEST_NANOS: u64 = 60_000_000_000;
/// Before the clock starts.
const WARM_UP: Duration = Duration::from_millis(800);

/// One kept-alive connection.
pub(crate) struct Connection {
    sender: SendRequest<Full<Bytes>>,
    authority: String,
}

impl Connection {
    /// Connects to `host:port`.
    #[expect(
        clippy::disallowed_methods,
        reason = "the task ends with its connection"
    )]
    pub(crate) async fn open(authority: &str) -> anyhow::Result<Self> {
        let stream = TcpStream::connect(authority)
            .await
            .with_context(|| format!("connecting to {authority}"))?;
        stream.set_nodelay(true)?;
        let (sender, connection) = handshake(TokioIo::new(stream)).await?;
        tokio::spawn(connection);
        Ok(Self {
            sender,
            authority: authority.to_owned(),
        })
    }

    /// Posts JSON and gives the successful answer.
    pub(crate) async fn post(
        &mut self,
        path: &str,
        headers: &[(&str, &str)],
        body: Bytes,
    ) -> anyhow::Result<Response<Bytes>> {
        let request = Request::post(path).header("content-type", "application/json");
        self.ask(path, request, headers, body).await
    }

    /// Gets what is at a path.
    pub(crate) async fn get(
        &mut self,
        path: &str,
        headers: &[(&str, &str)],
    ) -> anyhow::Result<Response<Bytes>> {
        self.ask(path, Request::get(path), headers, Bytes::new())
            .await
    }

    async fn ask(
        &mut self,
        path: &str,
        request: http::request::Builder,
        headers: &[(&str, &str)],
        body: Bytes,
    ) -> anyhow::Result<Response<Bytes>> {
        let mut request = request.header("host", &self.authority);
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        self.sender.ready().await?;
        let response = self
            .sender
            .send_request(request.body(Full::new(body))?)
            .await?;
        let (head, body) = response.into_parts();
        let body = body.collect().await?.to_bytes();
        if !head.status.is_success() {
            bail!(
                "{path} answered {}: {}",
                head.status,
                String::from_utf8_lossy(&body)
            );
        }
        Ok(Response::from_parts(head, body))
    }
}

/// What a load did.
#[derive(Debug)]
pub(crate) struct Measured {
    /// Calls that ended in the measured time.
    pub(crate) calls: u64,
    /// How long was measured.
    pub(crate) elapsed: Duration,
    /// Nanoseconds of each call.
    pub(crate) nanos: Histogram<u64>,
}

impl Measured {
    /// Adds what another round did.
    pub(crate) fn add(&mut self, round: &Self) -> anyhow::Result<()> {
        self.calls += round.calls;
        self.elapsed += round.elapsed;
        self.nanos.add(&round.nanos)?;
        Ok(())
    }

    /// Calls per second.
    #[expect(clippy::cast_precision_loss, reason = "a figure for people")]
    pub(crate) fn per_second(&self) -> f64 {
        self.calls as f64 / self.elapsed.as_secs_f64()
    }
}

/// Lets every client call as fast as it is answered, and counts. A failing call
/// fails the bench: a rate of refusals is no rate.
#[expect(
    clippy::disallowed_methods,
    reason = "a bench measures time and starts clients"
)]
pub(crate) async fn closed_loop<C>(clients: Vec<C>, measure: Duration) -> anyhow::Result<Measured>
where
    C: AsyncCall + Send + 'static,
{
    let (counting, stop) = (
        Arc::new(AtomicBool::new(false)),
        Arc::new(AtomicBool::new(false)),
    );
    let mut tasks = JoinSet::new();
    for mut client in clients {
        let (counting, stop) = (counting.clone(), stop.clone());
        tasks.spawn(async move {
            let mut nanos = Histogram::<u64>::new_with_bounds(1, SLOWEST_NANOS, 3)?;
            while !stop.load(Ordering::Relaxed) {
                let begun = Instant::now();
                client.call().await?;
                if counting.load(Ordering::Relaxed) {
                    nanos.saturating_record(
                        u64::try_from(begun.elapsed().as_nanos()).unwrap_or(u64::MAX),
                    );
                }
            }
            anyhow::Ok(nanos)
        });
    }
    tokio::time::sleep(WARM_UP).await;
    let begun = Instant::now();
    counting.store(true, Ordering::Relaxed);
    tokio::time::sleep(measure).await;
    counting.store(false, Ordering::Relaxed);
    let elapsed = begun.elapsed();
    stop.store(true, Ordering::Relaxed);
    let mut nanos = Histogram::<u64>::new_with_bounds(1, SLOWEST_NANOS, 3)?;
    while let Some(done) = tasks.join_next().await {
        nanos.add(done??)?;
    }
    Ok(Measured {
        calls: nanos.len(),
        elapsed,
        nanos,
    })
}

/// A client of a closed loop.
pub(crate) trait AsyncCall {
    /// Calls once and waits for the answer.
    fn call(&mut self) -> impl Future<Output = anyhow::Result<()>> + Send;
}
