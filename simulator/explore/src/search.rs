//! The search: tells stories in batches, keeps what is new, and makes short what breaks a law.
//!
//! A batch is decided before it is told, and judged in order when all of it is told. While it is told, what the last
//! one has shown is made short, to the end. So what a seed finds does not depend on how many stories are told at a
//! time, nor on how long one takes.

mod short;

use std::{
    collections::BTreeSet,
    path::PathBuf,
    sync::Arc,
    time::{Duration, Instant},
};

use sansim_language::Law;
use sansim_report::verdict::Verdict;

use crate::{
    Stop,
    bench::{Bench, Outcome, Task},
    dead::Dead,
    finding::{run_seed, story_text},
    growth::Point,
    guide::Guidance,
    judge::Breach,
    memory::{Finding, Kept, Memory, Pending},
    mutate::mutated,
    page::write_index,
    plan::Plan,
    progress::Progress,
    render::{Base, Told},
    schedule::{Schedule, Stream},
};

/// How many stories are decided at a time.
const BATCH: u64 = 16;

/// How long to explore.
#[derive(Debug, Clone)]
pub struct Options {
    /// What all schedules come from.
    pub seed: u64,
    /// The most stories, apart from those that make a finding short.
    pub runs: Option<u64>,
    /// The most time. What was begun is finished.
    pub time: Option<Duration>,
    /// What is done with the kernel's blocks, where it is seen which are executed.
    pub guidance: Guidance,
    /// A directory to which each story is written as a scenario file.
    pub stories: Option<PathBuf>,
}

/// Follows an exploration.
pub trait Listener {
    /// It is further.
    fn progress(&self, progress: &Progress);
    /// A law was broken, and the story is being made short.
    fn shortening(&self, breach: &Breach, trials: usize);
    /// Something new was found. Its files are in this directory.
    fn finding(&self, finding: &Finding, dir: &std::path::Path);
    /// Something that the user should know.
    fn note(&self, text: &str);
}

/// The result of an exploration.
#[derive(Debug)]
pub struct Result {
    /// How far it got.
    pub progress: Progress,
    /// What it has found that was not known.
    pub new: Vec<Finding>,
    /// Why it ended before its time.
    pub stopped: Option<Stop>,
}

/// Explores these scenarios until its time is over, or it is stopped. Whatever was found is in the memory.
pub async fn explore(
    bases: &[Base],
    bench: &Arc<Bench>,
    options: Options,
    memory: &mut Memory,
    listener: &dyn Listener,
) -> Result {
    let began = Instant::now();
    let of_images = bench.on.iter().filter_map(|on| Some(on.blocks.as_ref()?.numbers()));
    let mut search = Search {
        all_blocks: of_images.flatten().collect(),
        own_blocks: Vec::new(),
        bases,
        bench,
        options,
        memory,
        listener,
        began,
        progress: Progress::default(),
        new: Vec::new(),
    };
    let stopped = search.run().await.err();
    search.look();
    search.listener.progress(&search.progress);
    Result { progress: search.progress, new: search.new, stopped }
}

struct Search<'s> {
    bases: &'s [Base],
    /// The blocks of all images.
    all_blocks: BTreeSet<u64>,
    /// The blocks that each scenario executes without anything that happens to it.
    own_blocks: Vec<BTreeSet<u64>>,
    bench: &'s Arc<Bench>,
    options: Options,
    memory: &'s mut Memory,
    listener: &'s dyn Listener,
    began: Instant,
    progress: Progress,
    new: Vec<Finding>,
}

/// A schedule to be told, with what it says.
struct Idea {
    base: usize,
    schedule: Schedule,
    told: Told,
}

impl Search<'_> {
    async fn run(&mut self) -> std::result::Result<(), Stop> {
        for index in 0..self.bases.len() {
            self.try_base(index).await?;
        }
        self.tell_how_far()?;
        loop {
            let over = self.is_over();
            if over && self.pending().is_none() {
                return Ok(());
            }
            let ideas = if over { Vec::new() } else { self.ideas()? };
            let telling = self.bench.tell_all(self.tasks(&ideas), false);
            let (outcomes, ()) = tokio::try_join!(telling, self.finish_pending())?;
            let outcomes = self.by_idea(outcomes);
            for (idea, outcomes) in ideas.into_iter().zip(outcomes) {
                self.judge(&idea, &outcomes)?;
            }
            self.look();
            let Progress { behaviours, blocks, .. } = self.progress;
            self.memory.update(|state| {
                state.growth.note(Point { stories: state.stories, behaviours, blocks });
            })?;
            self.tell_how_far()?;
        }
    }

    fn is_over(&self) -> bool {
        self.options.runs.is_some_and(|runs| self.progress.stories >= runs)
            || self.options.time.is_some_and(|time| self.began.elapsed() >= time)
    }

    /// Tells a scenario without anything that happens: it must break no law, or every story would.
    async fn try_base(&mut self, index: usize) -> std::result::Result<(), Stop> {
        let base = &self.bases[index];
        let file = base.file.display().to_string();
        if base.scenario.setup.arrays.len() > 1 {
            let why =
                "what may happen, and the laws, are those of one array; it has several".into();
            return Err(Stop::Unfit { file, why });
        }
        let told = base.tell(&Plan::default());
        let told = told.map_err(|why| Stop::Unfit { file: file.clone(), why: why.to_string() })?;
        let laws = self.laws(index);
        let mut blocks = BTreeSet::new();
        for on in 0..self.bench.on.len() {
            let (told, file) = (told.clone(), base.file.clone());
            let task = Task { told, file, seed: 1, on, laws: Arc::clone(&laws) };
            let outcomes = self.bench.tell_all(vec![task], false).await?;
            let Some(outcome) = outcomes.first() else { continue };
            let file = base.file.display().to_string();
            if matches!(outcome.summary.verdict, Verdict::Error | Verdict::Skipped) {
                let why = outcome.summary.reason.clone().unwrap_or_default();
                return Err(Stop::Unfit { file, why });
            }
            if let Some(breach) = outcome.judgement.breaches.first() {
                let (law, seen) = (breach.law.clone(), breach.seen.clone());
                return Err(Stop::BreaksByItself { file, law, seen });
            }
            blocks.extend(outcome.blocks.iter().copied());
        }
        self.memory.update(|state| state.blocks.extend(blocks.iter().copied()))?;
        self.own_blocks.push(blocks);
        Ok(())
    }

    fn laws(&self, base: usize) -> Arc<BTreeSet<Law>> {
        Arc::new(self.bases[base].scenario.explore.laws.clone())
    }

    /// The schedules of the next batch. Half of them are new, the others are such that showed something new, and
    /// are changed a little.
    fn ideas(&mut self) -> std::result::Result<Vec<Idea>, Stop> {
        let (seed, left) = (self.options.seed, self.options.runs);
        let left = left.map_or(BATCH, |runs| (runs - self.progress.stories).min(BATCH));
        let first = self.memory.update(|state| state.take_numbers(seed, left))?;
        let mut ideas = Vec::new();
        for number in first..first + left {
            let index = (number % self.bases.len() as u64) as usize;
            let base = &self.bases[index];
            let mut stream = Schedule::of(seed).stream(&format!("story {number}"));
            let own = stream.next();
            let file = name_of(base);
            let kept: Vec<&Kept> =
                self.memory.state().kept.iter().filter(|it| it.file == file).collect();
            let parent = parent(&kept, &mut stream);
            let schedule = match parent {
                Some(kept) => {
                    let choices = Plan::of(&kept.schedule, &base.scenario).choices;
                    mutated(&kept.schedule, &choices, &kept.times, own)
                }
                None => Schedule::of(own),
            };
            // What does not fit, such as two settings that exclude each other, is another story's.
            if let Ok(told) = base.tell(&Plan::of(&schedule, &base.scenario)) {
                self.write_down(number, &schedule, &told, base)?;
                ideas.push(Idea { base: index, schedule, told });
            } else {
                self.progress.stories += 1;
            }
        }
        Ok(ideas)
    }

    /// Writes a story as a scenario file, if the user wants them.
    fn write_down(
        &self,
        number: u64,
        schedule: &Schedule,
        told: &Told,
        base: &Base,
    ) -> std::result::Result<(), Stop> {
        let Some(dir) = &self.options.stories else { return Ok(()) };
        let path = dir.join(format!("{number:06}.toml"));
        let text = story_text(schedule, told, base);
        let written = std::fs::create_dir_all(dir).and_then(|()| std::fs::write(&path, text));
        written.map_err(|error| Stop::Disk(format!("cannot write {}: {error}", path.display())))
    }

    /// What each story came to, on each image.
    async fn tell(&mut self, ideas: &[Idea]) -> std::result::Result<Vec<Vec<Outcome>>, Stop> {
        let outcomes = self.bench.tell_all(self.tasks(ideas), false).await?;
        Ok(self.by_idea(outcomes))
    }

    /// Each story on each image.
    fn tasks(&self, ideas: &[Idea]) -> Vec<Task> {
        let images = 0..self.bench.on.len();
        ideas.iter().flat_map(|idea| images.clone().map(|on| self.task(idea, on))).collect()
    }

    /// What these [tasks](Self::tasks) came to, by story.
    fn by_idea(&mut self, outcomes: Vec<Outcome>) -> Vec<Vec<Outcome>> {
        self.progress.simulated_s += outcomes.iter().map(|it| it.summary.simulated_s).sum::<f64>();
        let (images, mut left) = (self.bench.on.len(), outcomes.into_iter());
        let of_next =
            || Some(left.by_ref().take(images).collect()).filter(|it: &Vec<_>| !it.is_empty());
        std::iter::from_fn(of_next).collect()
    }

    fn task(&self, idea: &Idea, on: usize) -> Task {
        let file = self.bases[idea.base].file.clone();
        let laws = self.laws(idea.base);
        Task { told: idea.told.clone(), file, seed: run_seed(&idea.schedule), on, laws }
    }

    /// Notes what a story came to.
    fn judge(&mut self, idea: &Idea, outcomes: &[Outcome]) -> std::result::Result<(), Stop> {
        self.progress.stories += 1;
        let file = name_of(&self.bases[idea.base]);
        let schedule = &idea.schedule;
        let died = outcomes.iter().find_map(Outcome::died);
        if let Some(why) = died {
            self.progress.died += 1;
            self.keep_dead(idea, why)?;
        }
        let laws = &self.bases[idea.base].scenario.explore.laws;
        let mut breaches: Vec<Breach> =
            outcomes.iter().flat_map(|outcome| outcome.judgement.breaches.clone()).collect();
        if laws.contains(&Law::Alike) && died.is_none() {
            breaches.extend(unlike(outcomes));
        }
        let times = outcomes.first().map(|it| it.judgement.times.clone()).unwrap_or_default();
        let behaviours: BTreeSet<u64> =
            outcomes.iter().flat_map(|it| it.judgement.behaviours.iter().copied()).collect();
        let blocks: BTreeSet<u64> =
            outcomes.iter().flat_map(|it| it.blocks.iter().copied()).collect();
        let guidance = self.options.guidance;
        let mut known = 0;
        self.memory.update(|state| {
            state.stories += 1;
            let kept = || {
                let (file, schedule) = (file.clone(), schedule.clone());
                Kept { file, schedule, times, reached: false }
            };
            state.learn(&behaviours, &blocks, guidance, kept);
            for breach in breaches {
                let (file, schedule) = (file.clone(), schedule.clone());
                let pending = Pending { file, schedule, breach };
                let signature = pending.signature();
                if state.finding(&signature).is_some() {
                    known += 1;
                    state.met_again(&signature);
                } else if !state.pending.iter().any(|it| it.signature() == signature) {
                    state.pending.push(pending);
                }
            }
        })?;
        self.progress.known += known;
        Ok(())
    }

    /// Keeps a schedule on which QEMU, the guest or sansim failed, with its story as a file.
    fn keep_dead(&self, idea: &Idea, why: &str) -> std::result::Result<(), Stop> {
        let base = &self.bases[idea.base];
        let dead = Dead::of(&idea.schedule, &idea.told, base, why);
        let path = dead.keep(self.memory.dir());
        let path = path.map_err(|error| {
            Stop::Disk(format!("cannot write to {}: {error}", self.memory.dir().display()))
        })?;
        self.listener.note(&format!("a story came to no end ({why}): {}", path.display()));
        Ok(())
    }

    /// Tells how far it is: the listener, and whoever reads the page.
    fn tell_how_far(&mut self) -> std::result::Result<(), Stop> {
        self.look();
        self.listener.progress(&self.progress);
        let (dir, state) = (self.memory.dir(), self.memory.state());
        let written = write_index(dir, state, Some(&self.progress));
        written
            .map(drop)
            .map_err(|error| Stop::Disk(format!("cannot write to {}: {error}", dir.display())))
    }

    /// Looks how far it is.
    fn look(&mut self) {
        let state = self.memory.state();
        self.progress.seconds = self.began.elapsed().as_secs_f64();
        self.progress.behaviours = state.behaviours.len();
        self.progress.blocks = state.blocks.intersection(&self.all_blocks).count();
        self.progress.of_blocks = self.all_blocks.len();
        self.progress.kept = state.kept.len();
    }
}

/// Half of all stories have a parent: one that showed something new, and half of those, one that reached new blocks
/// of the kernel, which are fewer.
fn parent<'k>(kept: &[&'k Kept], stream: &mut Stream) -> Option<&'k Kept> {
    if stream.below(2) != 0 {
        return None;
    }
    let reached: Vec<&Kept> = kept.iter().copied().filter(|it| it.reached).collect();
    let among = if !reached.is_empty() && stream.below(2) == 0 { &reached } else { kept };
    stream.one(among).copied()
}

/// The name under which a scenario is remembered.
fn name_of(base: &Base) -> String {
    base.file.file_name().unwrap_or_default().to_string_lossy().into_owned()
}

/// The breach of the law that a story ends alike on all images.
fn unlike(outcomes: &[Outcome]) -> Option<Breach> {
    let first = outcomes.first()?;
    let other = outcomes.iter().find(|other| other.judgement.end != first.judgement.end)?;
    let (one, two) = (&first.judgement.end, &other.judgement.end);
    let (a, b) = (&first.summary.image, &other.summary.image);
    let io = &first.summary.io;
    let errors = if io.errors > 0 { "\"> 0\"" } else { "0" };
    let failed = one.split(", ").last().and_then(|paths| {
        let (active, rest) = paths.split_once(" of ")?;
        let all = rest.split(' ').next()?;
        Some(all.parse::<u64>().ok()?.saturating_sub(active.parse().ok()?))
    });
    Some(Breach {
        law: Law::Alike.word().to_owned(),
        t: first.summary.simulated_s,
        seen: format!("on {a}: {one}; on {b}: {two}"),
        signature: format!("alike: {one}; {two}"),
        expect: format!(
            "io = {{ errors = {errors} }}\npaths = {{ failed = {} }}",
            failed.unwrap_or(0)
        ),
        step: None,
    })
}
