//! The bank on its own: `sandbox-bank --help` says what it takes and shows requests.

use std::net::SocketAddr;
use std::time::Duration;

use anyhow::Context as _;
use clap::Parser;
use sandbox_bank::{
    Bank, CLIENT_ID_DEFAULT, CLIENT_SECRET_DEFAULT, Customer, Options, WEBHOOK_SECRET_DEFAULT,
};

const EXAMPLES: &str = "\
Examples:
  sandbox-bank --control                                     on http://127.0.0.1:9602
  curl http://127.0.0.1:9602/.well-known/oauth-authorization-server
  curl -u qiao:sandbox-client-secret http://127.0.0.1:9602/token -d grant_type=client_credentials
  curl -H \"authorization: Bearer $TOKEN\" 'http://127.0.0.1:9602/custody/statement?day=2026-11-27'
  curl http://127.0.0.1:9602/control/faults -H 'content-type: application/json' \\
       -d '{\"kind\":\"lose_response\",\"count\":1}'              with --control alone
  curl http://127.0.0.1:9602/control/payments                everything that reached the bank

Faults: time_out_before, time_out_after, reject, unavailable, lose_response,
duplicate_callback, late, accept_only; each with count, delay_ms and reason.

The same payment id moves money once, whatever becomes of the answer. Nothing is kept on disk.";

/// A small custody bank: OAuth, payment initiation, statements, failures on purpose.
#[derive(Parser)]
#[command(name = "sandbox-bank", after_help = EXAMPLES)]
struct Arguments {
    /// The address to listen on; port 0 takes a free one.
    #[arg(long, default_value = "127.0.0.1:9602", env = "SANDBOX_BANK_LISTEN")]
    listen: SocketAddr,
    /// The bank's name on its pages.
    #[arg(long, default_value = "Sandbox Bank")]
    name: String,
    /// The platform's client id.
    #[arg(long, default_value = CLIENT_ID_DEFAULT)]
    client_id: String,
    /// The platform's client secret.
    #[arg(long, default_value = CLIENT_SECRET_DEFAULT, env = "SANDBOX_BANK_CLIENT_SECRET")]
    client_secret: String,
    /// Where codes may be sent, again for each; without one, anywhere on this machine.
    #[arg(long = "redirect-uri")]
    redirect_uris: Vec<String>,
    /// Where callbacks go; without it none are sent.
    #[arg(long)]
    callback_url: Option<String>,
    /// What callbacks are signed with.
    #[arg(long, default_value = WEBHOOK_SECRET_DEFAULT, env = "SANDBOX_BANK_WEBHOOK_SECRET")]
    webhook_secret: String,
    /// NAME:PASSWORD:NUMBER:FEN, again for each account, of people and of institutions;
    /// with `:debit` behind it the platform may debit the account by its own token.
    #[arg(
        long = "customer",
        value_parser = parse_customer,
        default_values = ["wang:wang:6222020200018801:10000000", "fund:fund:1001880200000001:10000000:debit"],
    )]
    customers: Vec<Customer>,
    /// What the custody account holds at first, in fen.
    #[arg(long, default_value_t = 0)]
    custody_minor: i64,
    /// How long an access token lives, in seconds.
    #[arg(long, default_value_t = 600)]
    token_lifetime_s: u64,
    /// Answers /control: faults, misprinted statements, new customers.
    #[arg(long)]
    control: bool,
}

fn parse_customer(text: &str) -> Result<Customer, String> {
    let refuse =
        || format!("`{text}` is not NAME:PASSWORD:NUMBER:FEN or NAME:PASSWORD:NUMBER:FEN:debit");
    let parts: Vec<&str> = text.split(':').collect();
    let (name, password, number, fen, is_debitable) = match parts[..] {
        [name, password, number, fen] => (name, password, number, fen, false),
        [name, password, number, fen, "debit"] => (name, password, number, fen, true),
        _ => return Err(refuse()),
    };
    let balance_minor = fen.parse().map_err(|_| refuse())?;
    let customer = Customer::new(name, password, number, balance_minor);
    Ok(if is_debitable {
        customer.debitable()
    } else {
        customer
    })
}

#[tokio::main]
#[expect(
    clippy::print_stdout,
    reason = "the address is what the command line asked for"
)]
async fn main() -> anyhow::Result<()> {
    let arguments = Arguments::parse();
    let listen = arguments.listen;
    let bank = Bank::start(Options {
        listen,
        name: arguments.name,
        client_id: arguments.client_id,
        client_secret: arguments.client_secret,
        redirect_uris: arguments.redirect_uris,
        callback_url: arguments.callback_url,
        webhook_secret: arguments.webhook_secret,
        customers: arguments.customers,
        custody_opening_minor: arguments.custody_minor,
        token_lifetime: Duration::from_secs(arguments.token_lifetime_s),
        control: arguments.control,
        ..Options::default()
    })
    .await
    .with_context(|| format!("cannot open the bank on {listen}"))?;
    println!("sandbox-bank listens on {}", bank.url);
    bank.serve().await.context("the listener failed")
}
