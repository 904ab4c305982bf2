//! The long run: `cargo run -p qiao-simulation -- --seeds 10000`.

use clap::Parser;
use qiao_simulation::{Options, Simulator, Summary, silence_planned_panics};

/// Plays seeds one after the other and stops at the first that finds something.
#[derive(Parser, Debug)]
struct Args {
    /// How many seeds.
    #[arg(long, default_value_t = 200)]
    seeds: u64,
    /// The first seed.
    #[arg(long, default_value_t = 0)]
    from: u64,
    /// Steps of each, before its world heals.
    #[arg(long, default_value_t = 60)]
    steps: u64,
}

#[expect(clippy::print_stdout, reason = "a command line tells how it went")]
fn main() -> anyhow::Result<()> {
    let args = Args::parse();
    silence_planned_panics();
    let simulator = Simulator::new()?;
    let mut all = Summary::default();
    for seed in args.from..args.from.saturating_add(args.seeds) {
        let summary = simulator.run(Options {
            seed,
            steps: args.steps,
        })?;
        all = all.plus(summary);
        if (seed + 1).is_multiple_of(100) {
            println!("up to seed {seed}: {all}");
        }
    }
    println!("{} seeds: {all}", args.seeds);
    Ok(())
}
