//! One run: the world outside, a network, one host after the other, an auditor.

use std::collections::VecDeque;
use std::{fmt, panic};

use anyhow::Context;
use qiao_db::Fault;
use qiao_model::ManualClock;

use crate::ask::{Heard, Sent, Told};
use crate::auditor::{Auditor, Batch};
use crate::chance::Chance;
use crate::host::{Life, Storage};
use crate::network::{Network, Parcel};
use crate::people::People;

/// Lines of the log that a failure shows.
const LOG_LINES: usize = 40;
/// Characters of one line.
const LINE_CHARS_MAX: usize = 240;
/// Milliseconds after which a caller asks again.
const PATIENCE_MS: i64 = 4_000;
/// Errands that begin in one step at most.
const NEW_MAX: i64 = 6;
/// Steps in which a healed world answers everybody.
const LAST_STEPS_MAX: usize = 50;
/// Every so many steps the accounts are counted again from all transfers.
const RECOUNT_EVERY: u64 = 10;
const HOUR_MS: i64 = 3_600_000;
/// What a batch says that panics because it was told to.
const PLANNED: &str = "on purpose";

/// How a run goes.
#[derive(Clone, Copy, Debug)]
pub struct Options {
    /// What everything random follows from.
    pub seed: u64,
    /// How long the world is broken, before it heals and is audited for good.
    pub steps: u64,
}

/// What a run did.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Summary {
    /// Requests that reached a host.
    pub requests: usize,
    /// Of these, accepted ones.
    pub accepted: usize,
    /// Batches that met a fault of storage.
    pub faults: usize,
    /// Hosts that ended.
    pub restarts: usize,
}

impl Summary {
    /// Both together.
    #[must_use]
    pub const fn plus(self, other: Self) -> Self {
        Self {
            requests: self.requests + other.requests,
            accepted: self.accepted + other.accepted,
            faults: self.faults + other.faults,
            restarts: self.restarts + other.restarts,
        }
    }
}

impl fmt::Display for Summary {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{} requests, {} accepted, {} faults of storage, {} hosts ended",
            self.requests, self.accepted, self.faults, self.restarts
        )
    }
}

/// A run that found something.
#[derive(Debug)]
pub struct Failure {
    /// The seed to run again.
    pub seed: u64,
    /// The step in which it was found.
    pub step: u64,
    /// What is wrong.
    pub finding: String,
    log: Vec<String>,
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(
            f,
            "seed {}, step {}: {}",
            self.seed, self.step, self.finding
        )?;
        writeln!(f, "the last steps:")?;
        for line in &self.log {
            writeln!(f, "  {line}")?;
        }
        let steps = self.step + 1;
        write!(
            f,
            "again: cargo run -p qiao-simulation -- --from {} --seeds 1 --steps {steps}",
            self.seed
        )
    }
}

impl std::error::Error for Failure {}

/// Keeps quiet about the batches that panic because a run planned it.
pub fn silence_planned_panics() {
    let others = panic::take_hook();
    panic::set_hook(Box::new(move |info| {
        let message = info.payload_as_str().unwrap_or_default();
        if !message.contains(PLANNED) {
            others(info);
        }
    }));
}

/// Plays one seed to its end.
///
/// # Errors
/// The auditor found something, or the simulator itself broke.
pub fn run(options: Options) -> Result<Summary, Failure> {
    let failure = |step, finding: String, log: &VecDeque<String>| Failure {
        seed: options.seed,
        step,
        finding,
        log: log.iter().cloned().collect(),
    };
    let mut world = World::new(options.seed)
        .map_err(|error| failure(0, format!("{error:#}"), &VecDeque::new()))?;
    for step in 0..options.steps {
        let done = world.step(step);
        done.map_err(|error| failure(step, format!("{error:#}"), &world.log))?;
    }
    let healed = world.heal(options.steps);
    healed.map_err(|error| failure(options.steps, format!("{error:#}"), &world.log))?;
    Ok(world.summary)
}

struct World {
    chance: Chance,
    storage: Storage,
    life: Option<Life>,
    network: Network,
    people: People,
    auditor: Auditor,
    summary: Summary,
    log: VecDeque<String>,
}

impl World {
    fn new(seed: u64) -> anyhow::Result<Self> {
        let storage = Storage::new(seed)?;
        Ok(Self {
            chance: Chance::of(seed),
            life: Some(Life::begin(&storage)?),
            network: Network::default(),
            people: People::new(storage.env.clone()),
            auditor: Auditor::default(),
            summary: Summary::default(),
            log: VecDeque::new(),
            storage,
        })
    }

    fn step(&mut self, step: u64) -> anyhow::Result<()> {
        for _ in 0..self.chance.between(0, NEW_MAX) {
            let now = self.storage.env.now();
            let errand = self.people.think(&mut self.chance, now);
            self.ask(errand);
        }
        self.pass_time();
        self.ask_again();
        let faults = self.faults();
        self.serve(&faults, step.is_multiple_of(RECOUNT_EVERY))?;
        if self.chance.one_in(25) {
            self.restart("in peace")?;
        }
        if self.chance.one_in(60) {
            self.sweep()?;
        }
        Ok(())
    }

    /// The network does its work, storage holds, and everybody is answered.
    fn heal(&mut self, step: u64) -> anyhow::Result<()> {
        self.network.is_healed = true;
        for _ in 0..LAST_STEPS_MAX {
            self.pass_time();
            if self.ask_again() == 0 {
                break;
            }
            self.serve(&[], false)?;
        }
        self.note(format!("healed at step {step}"));
        let silent = self
            .people
            .errands
            .iter()
            .filter(|errand| errand.told.is_none());
        anyhow::ensure!(silent.count() == 0, "somebody is never answered");
        self.restart("for the last time")?;
        let tables = self.life()?.tables(true)?;
        self.auditor.compare(&tables).map_err(anyhow::Error::msg)
    }

    fn ask(&mut self, errand: usize) {
        let now = self.storage.env.now();
        let sent = self.people.request(errand, now);
        let parcel = Parcel::Request(errand, sent);
        self.network
            .send(&mut self.chance, now.as_millis(), &parcel);
    }

    /// Who has no answer yet and lost patience asks again; gives how many wait.
    fn ask_again(&mut self) -> usize {
        let now = self.storage.env.now().as_millis();
        let is_healed = self.network.is_healed;
        let unanswered = self.people.errands.iter().enumerate();
        let unanswered: Vec<usize> = unanswered
            .filter(|(_, errand)| errand.told.is_none())
            .filter(|(_, errand)| is_healed || errand.asked_at.saturating_add(PATIENCE_MS) < now)
            .map(|(number, _)| number)
            .collect();
        for errand in &unanswered {
            self.ask(*errand);
        }
        // Some ask again although they know.
        if !self.people.errands.is_empty() && !is_healed && self.chance.one_in(4) {
            let errand = self.chance.index(self.people.errands.len());
            self.ask(errand);
        }
        unanswered.len()
    }

    /// Serves what has arrived as one batch and carries the answers back.
    fn serve(&mut self, faults: &[Fault], recount: bool) -> anyhow::Result<()> {
        let now = self.storage.env.now();
        let (mut errands, mut batch) = (Vec::new(), Vec::new());
        for parcel in self.network.arrived(now.as_millis()) {
            match parcel {
                Parcel::Request(errand, sent) => {
                    errands.push(errand);
                    batch.push(sent);
                }
                Parcel::Answer(errand, told) => {
                    self.people
                        .hear(errand, &told)
                        .map_err(anyhow::Error::msg)?;
                }
            }
        }
        if batch.is_empty() {
            return Ok(());
        }
        self.note_batch(&batch, faults);
        let heard = self.life()?.run(&batch, faults)?;
        self.summary.requests += batch.len();
        self.summary.faults += usize::from(!faults.is_empty());
        if heard.is_none() {
            self.restart("in the middle")?;
        }
        let answers = heard.as_deref().unwrap_or_default();
        self.note(format!("{answers:?}"));
        let tables = self.life()?.tables(recount)?;
        let judged = Batch {
            sent: &batch,
            heard: heard.as_deref(),
            runs: runs(faults),
            may_fail: may_fail(faults, batch.len()),
            now,
        };
        self.auditor
            .judge(&judged, &tables)
            .map_err(anyhow::Error::msg)?;
        for (errand, heard) in errands.into_iter().zip(answers) {
            if let Heard::Told(told) = heard {
                self.summary.accepted += usize::from(!matches!(told, Told::Refused(_)));
                let parcel = Parcel::Answer(errand, told.clone());
                self.network
                    .send(&mut self.chance, now.as_millis(), &parcel);
            }
        }
        Ok(())
    }

    fn restart(&mut self, how: &str) -> anyhow::Result<()> {
        self.note(format!("the host ends {how}"));
        self.summary.restarts += 1;
        self.life = None;
        self.life = Some(Life::begin(&self.storage)?);
        Ok(())
    }

    fn life(&self) -> anyhow::Result<&Life> {
        self.life.as_ref().context("a host lives")
    }

    /// Hours or days pass, and the oldest answers are forgotten.
    fn sweep(&mut self) -> anyhow::Result<()> {
        let hours = self.chance.between(1, 100);
        self.note(format!("{hours} hours pass"));
        self.storage.clock.advance_millis(hours * HOUR_MS);
        self.life()?.sweep()?;
        let now = self.storage.env.now();
        let tables = self.life()?.tables(true)?;
        self.auditor
            .sweep(now, &tables)
            .map_err(anyhow::Error::msg)?;
        // Whoever asks again now asks anew.
        for errand in &mut self.people.errands {
            errand.forget();
        }
        Ok(())
    }

    fn pass_time(&mut self) {
        let clock: &ManualClock = &self.storage.clock;
        clock.advance_millis(self.chance.between(1, 2_000));
        if self.chance.one_in(12) {
            clock.advance_millis(self.chance.between(1, HOUR_MS));
        }
    }

    /// What the next batch meets: mostly nothing.
    fn faults(&mut self) -> Vec<Fault> {
        match self.chance.below(100) {
            0..=7 => {
                let statements = u32::try_from(self.chance.below(14)).unwrap_or(0);
                vec![Fault::PanicAfter(statements)]
            }
            8..=10 => vec![Fault::CommitBusy],
            11..=13 => vec![Fault::CommitFull],
            14..=16 => vec![Fault::CommitLost],
            17..=18 => vec![Fault::CommitLost; 2],
            19..=22 => vec![Fault::AnswerLost],
            23..=25 => vec![Fault::AnswerLost; 2],
            26..=29 => vec![Fault::DieBeforeCommit],
            30..=33 => vec![Fault::DieAfterCommit],
            _ => Vec::new(),
        }
    }

    fn note_batch(&mut self, batch: &[Sent], faults: &[Fault]) {
        let now = self.storage.env.now();
        self.note(format!("{now:?}: {} requests, {faults:?}", batch.len()));
        for sent in batch {
            self.note(format!("{sent:?}"));
        }
    }

    fn note(&mut self, line: String) {
        if self.log.len() == LOG_LINES {
            self.log.pop_front();
        }
        self.log
            .push_back(line.chars().take(LINE_CHARS_MAX).collect());
    }
}

/// How often a batch takes effect that meets these.
fn runs(faults: &[Fault]) -> usize {
    if faults.contains(&Fault::AnswerLost) {
        2
    } else {
        1
    }
}

/// Whether a caller may hear of these: the batcher hides what a second try mends.
fn may_fail(faults: &[Fault], requests: usize) -> bool {
    match faults {
        [] | [Fault::CommitBusy | Fault::CommitLost | Fault::AnswerLost] => false,
        [Fault::PanicAfter(_)] => requests == 1,
        _ => true,
    }
}
