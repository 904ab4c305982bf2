//! The short run of every build.

use std::thread;

use qiao_simulation::{Options, Simulator, Summary, silence_planned_panics};

const SEEDS: u64 = 200;
const STEPS: u64 = 20;
const THREADS: u64 = 2;

#[test]
fn two_hundred_seeds_find_nothing() {
    silence_planned_panics();
    let workers: Vec<_> = (0..THREADS)
        .map(|worker| {
            thread::spawn(move || {
                let simulator = Simulator::new().unwrap();
                let mut all = Summary::default();
                for seed in (worker..SEEDS).step_by(THREADS as usize) {
                    match simulator.run(Options { seed, steps: STEPS }) {
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
    let play = || {
        let simulator = Simulator::new().unwrap();
        let played = simulator.run(options);
        played.map_err(|failure| failure.to_string()).unwrap()
    };
    assert_eq!(play(), play());
}
