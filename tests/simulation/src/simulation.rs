//! One run: the world outside, a network, one host after the other, an auditor.

use std::collections::VecDeque;
use std::{fmt, panic};

use anyhow::Context;
use qiao_db::Fault;
use qiao_model::{InstitutionId, ManualClock};

use crate::ask::{Ask, Heard, PAYDAYS, Place, Sent, Told};
use crate::auditor::{AtBanksStep, Auditor, Batch};
use crate::chance::Chance;
use crate::citizens::Citizens;
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
const DAY_MS: i64 = 24 * HOUR_MS;
/// How often a healed host asks its banks, a day apart: more often than it asks
/// about one transfer.
const LAST_REPAIRS_MAX: usize = 20;
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

/// Plays seeds, with the same people in each.
#[derive(Debug)]
pub struct Simulator {
    citizens: Citizens,
}

impl Simulator {
    /// A simulator for one thread.
    ///
    /// # Errors
    /// This machine has no room for it.
    pub fn new() -> anyhow::Result<Self> {
        Ok(Self {
            citizens: Citizens::new()?,
        })
    }

    /// Plays one seed to its end.
    ///
    /// # Errors
    /// The auditor found something, or the simulator itself broke.
    pub fn run(&self, options: Options) -> Result<Summary, Failure> {
        let failure = |step, finding: String, log: &VecDeque<String>| Failure {
            seed: options.seed,
            step,
            finding,
            log: log.iter().cloned().collect(),
        };
        let mut world = World::new(options.seed, &self.citizens)
            .map_err(|error| failure(0, format!("{error:#}"), &VecDeque::new()))?;
        for step in 0..options.steps {
            let done = world.step(step);
            done.map_err(|error| failure(step, format!("{error:#}"), &world.log))?;
        }
        let healed = world.heal(options.steps);
        healed.map_err(|error| failure(options.steps, format!("{error:#}"), &world.log))?;
        Ok(world.summary)
    }
}

struct World<'a> {
    citizens: &'a Citizens,
    chance: Chance,
    storage: Storage,
    life: Option<Life>,
    network: Network,
    people: People,
    auditor: Auditor,
    summary: Summary,
    log: VecDeque<String>,
}

impl<'a> World<'a> {
    fn new(seed: u64, citizens: &'a Citizens) -> anyhow::Result<Self> {
        let storage = Storage::new(seed, citizens)?;
        Ok(Self {
            citizens,
            chance: Chance::of(seed),
            life: Some(Life::begin(&storage)?),
            network: Network::default(),
            people: People::new(storage.env.clone(), citizens.users()),
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
        self.serve(step.is_multiple_of(RECOUNT_EVERY))?;
        self.at_banks()?;
        if self.chance.one_in(25) {
            self.restart("in peace")?;
        }
        if self.chance.one_in(30) {
            self.sweep()?;
        }
        Ok(())
    }

    /// The network does its work, storage holds, and everybody is answered.
    fn heal(&mut self, step: u64) -> anyhow::Result<()> {
        self.network.is_healed = true;
        self.storage.banks.heal();
        for _ in 0..LAST_STEPS_MAX {
            self.pass_time();
            if self.ask_again() == 0 {
                break;
            }
            self.serve(false)?;
        }
        self.note(format!("healed at step {step}"));
        let silent = self
            .people
            .errands
            .iter()
            .filter(|errand| errand.told.is_none());
        anyhow::ensure!(silent.count() == 0, "somebody is never answered");
        self.settle()?;
        self.restart("for the last time")?;
        let tables = self.life()?.tables(true)?;
        self.auditor.compare(&tables).map_err(anyhow::Error::msg)?;
        let step = AtBanksStep {
            asked: None,
            at_banks: &self.storage.banks.payments(),
            is_payday: false,
            now: self.storage.env.now(),
        };
        let settled = self.auditor.settle_at_banks(&step, &tables);
        settled.map_err(anyhow::Error::msg)?;
        self.read_statements()
    }

    /// The banks end what they accepted and call about everything, and the host
    /// asks about the rest until nothing is due any more.
    fn settle(&mut self) -> anyhow::Result<()> {
        self.at_banks()?;
        self.storage.banks.call_about_all(&mut self.chance);
        for _ in 0..LAST_REPAIRS_MAX {
            self.storage.clock.advance_millis(DAY_MS);
            if self.at_banks()? == 0 {
                return Ok(());
            }
        }
        anyhow::bail!("the host asks its banks for ever")
    }

    /// The host looks who is to be paid, the banks work and call, and the host asks
    /// them about what is due; gives how much was said.
    fn at_banks(&mut self) -> anyhow::Result<usize> {
        let payday = self.pay_institutions()?;
        let mut said = usize::from(payday.is_some());
        self.banks_work();
        for call in self.storage.banks.calls() {
            said += 1;
            let faults = self.one_fault();
            let body = String::from_utf8_lossy(&call.body).into_owned();
            self.note(format!("{} calls: {body}, {faults:?}", call.bank));
            if !self.life()?.call(&call, &faults)? {
                self.restart("while a bank calls")?;
            }
        }
        let is_healed = self.network.is_healed;
        if is_healed || self.chance.one_in(3) {
            let asked = self.alone("asks its banks", Life::repair)?;
            said += asked.unwrap_or(1);
        }
        if is_healed || self.chance.one_in(3) {
            let driven = self.alone("drives its payouts", Life::drive_payouts)?;
            // A payout is looked at for as long as its bank says nothing.
            let is_seen = driven != Some(0);
            if is_seen && said == 0 {
                self.judge_at_banks(None, false)?;
            }
        }
        if said > 0 {
            self.judge_at_banks(None, payday == Some(true))?;
        }
        Ok(said)
    }

    fn banks_work(&mut self) {
        let banks = &self.storage.banks;
        banks.work(&mut self.chance);
        if !self.network.is_healed && self.chance.one_in(20) {
            let number = self.chance.index(usize::MAX);
            let ended = self.auditor.ended_at_bank(number);
            ended.into_iter().for_each(|id| banks.contradict(id));
        }
    }

    /// The host looks who is to be paid today, as long as the world is broken: gives
    /// whether it must know now, and none when it was not asked.
    fn pay_institutions(&mut self) -> anyhow::Result<Option<bool>> {
        if self.network.is_healed || !self.chance.one_in(3) {
            return Ok(None);
        }
        let before = self.summary.faults;
        let planned = self.alone("looks who is to be paid", Life::plan_payouts)?;
        let is_whole = before == self.summary.faults;
        Ok(Some(planned == Some(true) && is_whole))
    }

    /// The host does what no batch is, and meets one fault at most; gives none when
    /// it ended meanwhile.
    fn alone<T>(
        &mut self,
        what: &str,
        does: impl FnOnce(&Life, &[Fault]) -> anyhow::Result<Option<T>>,
    ) -> anyhow::Result<Option<T>> {
        let faults = self.one_fault();
        let faults = without_panics(&faults);
        self.note(format!("the host {what}, {faults:?}"));
        self.summary.faults += usize::from(!faults.is_empty());
        let done = does(self.life()?, faults)?;
        if done.is_none() {
            self.restart(&format!("while it {what}"))?;
        }
        Ok(done)
    }

    /// Statements over days of chance are what the books moved on these days.
    fn read_statements(&mut self) -> anyhow::Result<()> {
        let now = self.storage.env.now();
        let before = |days: i64| now.plus_millis(-days * DAY_MS);
        for payday in PAYDAYS {
            let id = InstitutionId::from_u128(payday.institution);
            for of in [Place::Settlement(id), Place::Revenue(id)] {
                let last = self.chance.between(0, 30);
                let days = (before(last + self.chance.between(0, 60)), before(last));
                let asked = (of, (days.0.day(), days.1.day()));
                let (sums, change) = self.life()?.statement(self.citizens, asked)?;
                let checked = self.auditor.check_statement((of, days), sums, change);
                checked.map_err(anyhow::Error::msg)?;
            }
        }
        Ok(())
    }

    fn judge_at_banks(
        &mut self,
        asked: Option<(&Sent, Option<&Heard>)>,
        is_payday: bool,
    ) -> anyhow::Result<()> {
        let tables = self.life()?.tables(false)?;
        let step = AtBanksStep {
            asked,
            at_banks: &self.storage.banks.payments(),
            is_payday,
            now: self.storage.env.now(),
        };
        let judged = self.auditor.judge_at_banks(&step, &tables);
        judged.map_err(anyhow::Error::msg)
    }

    /// Mostly none, and never two.
    fn one_fault(&mut self) -> Vec<Fault> {
        let mut faults = self.faults();
        faults.truncate(1);
        faults
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

    /// Serves what has arrived and carries the answers back: payments as one
    /// batch, whatever else by itself.
    fn serve(&mut self, recount: bool) -> anyhow::Result<()> {
        let now = self.storage.env.now();
        let (mut together, mut alone) = (Vec::new(), Vec::new());
        for parcel in self.network.arrived(now.as_millis()) {
            match parcel {
                Parcel::Request(errand, sent) if sent.ask.is_alone() => alone.push((errand, sent)),
                Parcel::Request(errand, sent) => together.push((errand, sent)),
                Parcel::Answer(errand, told) => {
                    self.people
                        .hear(errand, &told)
                        .map_err(anyhow::Error::msg)?;
                }
            }
        }
        if !together.is_empty() {
            let faults = self.faults();
            self.serve_batch(together, &faults, recount)?;
        }
        for (errand, sent) in alone {
            let faults = self.one_fault();
            match sent.ask {
                Ask::Bank(_) => self.serve_at_bank(errand, &sent, &faults)?,
                _ => self.serve_alone(errand, sent, &faults)?,
            }
        }
        Ok(())
    }

    fn serve_batch(
        &mut self,
        requests: Vec<(usize, Sent)>,
        faults: &[Fault],
        recount: bool,
    ) -> anyhow::Result<()> {
        let (errands, batch): (Vec<_>, Vec<_>) = requests.into_iter().unzip();
        self.note_batch(&batch, faults);
        let heard = self.life()?.run(&batch, faults)?;
        let judged = Batch {
            sent: &batch,
            heard: heard.as_deref(),
            runs: runs(faults),
            may_fail: may_fail(faults, batch.len()),
            now: self.storage.env.now(),
        };
        self.judge(&judged, !faults.is_empty(), recount)?;
        self.answer(errands, heard.unwrap_or_default());
        Ok(())
    }

    /// One transaction at most, which its caller tries again only when it was in
    /// somebody's way.
    fn serve_alone(&mut self, errand: usize, sent: Sent, faults: &[Fault]) -> anyhow::Result<()> {
        let faults = without_panics(faults);
        let batch = [sent];
        self.note_batch(&batch, faults);
        let heard = self.life()?.run_alone(&batch[0], faults, self.citizens)?;
        let heard = heard.map(|heard| vec![heard]);
        let judged = Batch {
            sent: &batch,
            heard: heard.as_deref(),
            runs: 1,
            may_fail: !matches!(faults, [] | [Fault::CommitBusy]),
            now: self.storage.env.now(),
        };
        self.judge(&judged, !faults.is_empty(), false)?;
        self.answer(vec![errand], heard.unwrap_or_default());
        Ok(())
    }

    /// A request for a bank: what it did is read from the tables.
    fn serve_at_bank(
        &mut self,
        errand: usize,
        sent: &Sent,
        faults: &[Fault],
    ) -> anyhow::Result<()> {
        self.note_batch(std::slice::from_ref(sent), faults);
        let heard = self.life()?.run_alone(sent, faults, self.citizens)?;
        self.summary.requests += 1;
        self.summary.faults += usize::from(!faults.is_empty());
        self.note(format!("{heard:?}"));
        if heard.is_none() {
            self.restart("in the middle")?;
        }
        self.judge_at_banks(Some((sent, heard.as_ref())), false)?;
        self.answer(vec![errand], heard.into_iter().collect());
        Ok(())
    }

    fn judge(&mut self, batch: &Batch<'_>, is_broken: bool, recount: bool) -> anyhow::Result<()> {
        self.summary.requests += batch.sent.len();
        self.summary.faults += usize::from(is_broken);
        if batch.heard.is_none() {
            self.restart("in the middle")?;
        }
        self.note(format!("{:?}", batch.heard.unwrap_or_default()));
        let tables = self.life()?.tables(recount)?;
        self.auditor
            .judge(batch, &tables)
            .map_err(anyhow::Error::msg)
    }

    fn answer(&mut self, errands: Vec<usize>, heard: Vec<Heard>) {
        let now = self.storage.env.now().as_millis();
        for (errand, heard) in errands.into_iter().zip(heard) {
            if let Heard::Told(told) = heard {
                self.summary.accepted += usize::from(!matches!(told, Told::Refused(_)));
                let parcel = Parcel::Answer(errand, told);
                self.network.send(&mut self.chance, now, &parcel);
            }
        }
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

    /// Hours, days or weeks pass, and the oldest answers are forgotten.
    fn sweep(&mut self) -> anyhow::Result<()> {
        let most = self.chance.pick(&[100, 100, 1_000]);
        let hours = self.chance.between(1, most);
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
        if self.chance.one_in(12) {
            clock.advance_millis(self.chance.between(1, 12 * HOUR_MS));
        }
    }

    /// What the next batch meets: mostly nothing.
    fn faults(&mut self) -> Vec<Fault> {
        if self.network.is_healed {
            return Vec::new();
        }
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

/// What is no batch would end its caller with its panic.
fn without_panics(faults: &[Fault]) -> &[Fault] {
    let is_panic = |fault: &Fault| matches!(fault, Fault::PanicAfter(_));
    if faults.iter().any(is_panic) {
        &[]
    } else {
        faults
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
