//! `biller`: the traffic authority of the examples.

use std::net::SocketAddr;
use std::time::Duration;

use anyhow::Context;
use clap::Parser;
use tokio::net::TcpListener;

const EXAMPLES: &str = "\
Try it:
  curl 'http://127.0.0.1:9601/fines?plate=%E4%BA%ACA12345'        fines of 京A12345
  curl http://127.0.0.1:9601/fines/BJA12345-1                     one of them
  curl http://127.0.0.1:9601/payments -H 'content-type: application/json' \\
       -d '{\"fine\":\"BJA12345-1\",\"amount_minor\":20000,\"currency\":\"CNY\",\"order\":\"ord_1\"}'
  curl http://127.0.0.1:9601/payments                             what was paid
  curl http://127.0.0.1:9601/mode -H 'content-type: application/json' -d '{\"mode\":\"fail\"}'

Modes of POST /payments:
  ok       paid at once (200 with a receipt)
  fail     refused (422)
  slow     paid, but the answer takes --slow-ms
  drop     paid, but the connection is dropped without an answer
  pending  accepted (202); paid when it is asked again in the mode ok

The same order pays once: asked again, it answers with the same receipt.
Plates with fines: 京A12345 has two, 沪B67890 three, 粤C00000 none; other plates of
京 沪 津 粤 浙 苏 川 鄂 have none to three, always the same. Nothing is kept on disk.";

/// A traffic authority's billing server, to try the plugin traffic-fines against.
#[derive(Parser)]
#[command(name = "biller", after_help = EXAMPLES)]
struct Arguments {
    /// The address to listen on; port 0 takes a free one.
    #[arg(long, default_value = "127.0.0.1:9601", env = "BILLER_LISTEN")]
    listen: SocketAddr,
    /// How long an answer takes in the mode slow, in milliseconds.
    #[arg(long, default_value_t = 30_000)]
    slow_ms: u64,
}

#[tokio::main]
#[expect(
    clippy::print_stdout,
    reason = "the address is what the command line asked for"
)]
async fn main() -> anyhow::Result<()> {
    let arguments = Arguments::parse();
    let listener = TcpListener::bind(arguments.listen)
        .await
        .with_context(|| format!("cannot listen on {}", arguments.listen))?;
    println!("biller listens on http://{}", listener.local_addr()?);
    let router = biller::router_with(Duration::from_millis(arguments.slow_ms));
    axum::serve(listener, router)
        .await
        .context("the listener failed")
}
