//! The short run of every build.

use std::thread;

use qiao_simulation::{Options, Summary, run, silence_planned_panics};

const SEEDS: u64 = 200;
const STEPS: u64 = 30;
const THREADS: u64 = 2;

#[test]
fn two_hundred_seeds_find_nothing() {
    silence_planned_panics();
    let workers: Vec<_> = (0..THREADS)
        .map(|worker| {
            thread::spawn(move || {
                let mut all = Summary::default();
                for seed in (worker..SEEDS).step_by(THREADS as usize) {
                    match run(Options { seed, steps: STEPS }) {
                        Ok(summary) => all = all.plus(summary),
                        Err(failure) => panic!("{failure}"),
                    }
                }
                all
            })
        })
        .collect();
    let mut all = Summary::default();
    for worker in workers {
        all = all.plus(worker.join().unwrap());
    }
    assert!(
        all.accepted > 1_000,
        "the workload reaches the books: {all}"
    );
    assert!(
        all.faults > 300 && all.restarts > 200,
        "the world breaks: {all}"
    );
}

#[test]
fn a_seed_plays_the_same_each_time() {
    let options = Options { seed: 7, steps: 60 };
    let first = run(options).map_err(|failure| failure.to_string()).unwrap();
    let again = run(options).map_err(|failure| failure.to_string()).unwrap();
    assert_eq!(first, again);
}
