//! Makes stories that break a law short, and files them.

use std::{collections::BTreeSet, fs, path::PathBuf, sync::Arc};

use sansim_language::{Law, load_text, value::TimeSpan};
use sansim_report::verdict::Verdict;

use super::{Idea, Search, name_of, unlike};
use crate::{
    Stop,
    bench::{Outcome, as_written, move_run},
    cause::{cause, signature},
    finding::{self, lines_of_story, run_seed},
    judge::Breach,
    memory::{Finding, Pending},
    minimise::Minimiser,
    plan::Plan,
    progress::PROOFS,
    render::Base,
    schedule::Schedule,
};

impl Search<'_> {
    /// Looks at what broke a law and was not looked at to the end, oldest first.
    pub(super) async fn finish_pending(&mut self) -> Result<(), Stop> {
        while let Some((base, pending)) = self.pending() {
            let known = self.memory.state().finding(&pending.signature()).is_some();
            if !known {
                self.shorten(base, &pending).await?;
            }
            self.memory.update(|state| state.pending.retain(|it| *it != pending))?;
        }
        Ok(())
    }

    /// The oldest that broke a law and was not looked at to the end, with the number of its scenario.
    pub(super) fn pending(&self) -> Option<(usize, Pending)> {
        let names: Vec<String> = self.bases.iter().map(name_of).collect();
        self.memory.state().pending.iter().find_map(|pending| {
            let base = names.iter().position(|name| *name == pending.file)?;
            Some((base, pending.clone()))
        })
    }

    /// Makes a story short, and files it unless its cause is known.
    async fn shorten(&mut self, base: usize, pending: &Pending) -> Result<(), Stop> {
        let before = self.progress.trials;
        let Some(breach) =
            self.breaks(base, std::slice::from_ref(&pending.schedule), &pending.breach).await?.1
        else {
            let schedule = &pending.schedule;
            self.listener.note(&format!("schedule {schedule} does not break the law again"));
            return Ok(());
        };
        let (schedule, breach) = self.shortest(base, pending, breach).await?;
        let [short, cause] = self.signatures(base, &schedule, &breach);
        let signatures = [pending.signature(), short.clone(), cause.clone()];
        let known = self.memory.update(|state| {
            let known = state.findings.iter_mut().find(|it| it.is_of(&[&short, &cause]));
            known.map(|finding| {
                finding.again += 1;
                finding.signatures.extend(signatures.iter().cloned());
            })
        })?;
        if known.is_some() {
            self.progress.known += 1;
            return Ok(());
        }
        let trials = self.progress.trials - before;
        self.file(base, &schedule, &breach, signatures.into(), trials).await
    }

    /// By which a breach is known again: by what was last on the wire, and by its cause in words. Two causes in
    /// words, of which one is longer, can come to the same on the wire.
    fn signatures(&self, base: usize, schedule: &Schedule, breach: &Breach) -> [String; 2] {
        let Base { scenario, .. } = &self.bases[base];
        let file = name_of(&self.bases[base]);
        let plan = Plan::of(schedule, scenario);
        [signature(breach, &file), cause(breach, &file, &plan.choices)]
    }

    /// The shortest schedule that breaks the law like this one, and how it does.
    async fn shortest(
        &mut self,
        base: usize,
        pending: &Pending,
        breach: Breach,
    ) -> Result<(Schedule, Breach), Stop> {
        let scenario = &self.bases[base].scenario;
        let mut ends = Vec::new();
        // A law that is broken before all is healed needs no healing.
        let end = end_after(&breach);
        let whole = scenario.explore.during + scenario.explore.quiet;
        if !is_of_the_end(&breach) {
            ends.extend((end < whole).then(|| TimeSpan(end).to_string()));
            // What is only seen by the last read-back is seen then.
            ends.push(TimeSpan(whole).to_string());
        }
        let choices = |schedule: &Schedule| Plan::of(schedule, scenario).choices;
        let mut minimiser = Minimiser::new(pending.schedule.clone(), ends, choices);
        let mut latest = breach;
        let jobs = self.bench.jobs.count();
        loop {
            let proposals = minimiser.propose(jobs);
            if proposals.is_empty() {
                break;
            }
            self.listener.shortening(&latest, minimiser.proposals());
            let (first, breach) = self.breaks(base, &proposals, &latest).await?;
            minimiser.accept(first);
            latest = breach.unwrap_or(latest);
            // Where and when no longer matters if it is known what it is.
            let is_known = |it: &String| self.memory.state().finding(it).is_some();
            if minimiser.is_bare()
                && self.signatures(base, minimiser.best(), &latest).iter().any(is_known)
            {
                return Ok((minimiser.best().clone(), latest));
            }
        }
        // By now the law may be broken earlier.
        let end = end_after(&latest);
        let earlier = TimeSpan(end).to_string();
        let is_new = minimiser.best().overrides.get("end").is_some_and(|it| *it != earlier);
        if end < whole && is_new {
            let shorter = minimiser.best().with("end", &earlier);
            if let (Some(_), Some(breach)) =
                self.breaks(base, std::slice::from_ref(&shorter), &latest).await?
            {
                latest = breach;
                minimiser.end_earlier(shorter);
            }
        }
        let told = |schedule: &Schedule| {
            let plan = Plan::of(schedule, scenario);
            (plan.sets, plan.one_lun, plan.happenings, plan.end)
        };
        let best = told(minimiser.best());
        let schedule = minimiser.tidy(|other| told(other) == best);
        Ok((schedule, latest))
    }

    /// The first of these schedules that breaks the law that `breach` is of, and how.
    async fn breaks(
        &mut self,
        base: usize,
        schedules: &[Schedule],
        breach: &Breach,
    ) -> Result<(Option<usize>, Option<Breach>), Stop> {
        let (mut ideas, mut places) = (Vec::new(), Vec::new());
        for (place, schedule) in schedules.iter().enumerate() {
            let plan = Plan::of(schedule, &self.bases[base].scenario);
            if let Ok(told) = self.bases[base].tell(&plan) {
                ideas.push(Idea { base, schedule: schedule.clone(), told });
                places.push(place);
            }
        }
        // All have the seed of the first: it is what they were drawn from.
        let outcomes = self.tell(&ideas).await?;
        self.progress.trials += outcomes.len() as u64;
        let law = &breach.law;
        for (place, outcomes) in places.into_iter().zip(&outcomes) {
            let breaches = outcomes.iter().flat_map(|it| it.judgement.breaches.iter().cloned());
            let alike = unlike(outcomes).filter(|_| outcomes.len() > 1);
            if let Some(found) = breaches.chain(alike).find(|it| it.law == *law) {
                return Ok((Some(place), Some(found)));
            }
        }
        Ok((None, None))
    }

    /// Writes a finding's files, and proves that the scenario fails by the law.
    async fn file(
        &mut self,
        base: usize,
        schedule: &Schedule,
        breach: &Breach,
        signatures: BTreeSet<String>,
        trials: u64,
    ) -> Result<(), Stop> {
        let plan = Plan::of(schedule, &self.bases[base].scenario);
        let number = self.memory.state().findings.len() + 1;
        let name = finding::name(number, breach, &plan);
        let dir = self.memory.dir().join("findings").join(&name);
        let cannot = |error: std::io::Error| {
            Stop::Disk(format!("cannot write to {}: {error}", dir.display()))
        };
        fs::create_dir_all(&dir).map_err(cannot)?;
        let mut proof = self.prove(base, schedule, breach, true, &dir).await?;
        // Something of it has no effect in this story, and yet the law holds without it.
        if proof.idle {
            proof = self.prove(base, schedule, breach, false, &dir).await?;
        }
        let finding = Finding {
            name,
            law: breach.law.clone(),
            title: proof.title,
            seen: breach.seen.clone(),
            signatures,
            schedule: schedule.clone(),
            file: name_of(&self.bases[base]),
            image: self.bench.on.last().map(|on| on.label.clone()).unwrap_or_default(),
            after: self.progress.stories,
            trials,
            fails: proof.fails,
            same_bytes: proof.same_bytes,
            lines: proof.lines,
            again: 0,
            blocks: proof.blocks,
        };
        let text = serde_json::to_string_pretty(&finding).unwrap_or_default();
        fs::write(dir.join("finding.json"), text).map_err(cannot)?;
        self.memory.update(|state| state.findings.push(finding.clone()))?;
        *self.progress.findings.entry(finding.law.clone()).or_default() += 1;
        self.listener.finding(&finding, &dir);
        self.new.push(finding);
        self.tell_how_far()
    }

    /// Writes the scenario of a finding, and runs it ten times as it stands in the file.
    async fn prove(
        &mut self,
        index: usize,
        schedule: &Schedule,
        breach: &Breach,
        strict: bool,
        dir: &std::path::Path,
    ) -> Result<Proof, Stop> {
        let base = &self.bases[index];
        let unfit = |why: sansim_language::Diagnostics| Stop::Unfit {
            file: base.file.display().to_string(),
            why: why.render(100, false),
        };
        let told = base.tell(&Plan::of(schedule, &base.scenario)).map_err(unfit)?;
        let scenario = finding::scenario(base, schedule, &told, breach, strict).map_err(unfit)?;
        let text = finding::text(&scenario, schedule, &base.file);
        let path = dir.join("scenario.toml");
        let cannot =
            |error: std::io::Error| Stop::Disk(format!("cannot write {}: {error}", path.display()));
        fs::write(&path, &text).map_err(cannot)?;
        let loaded = load_text(&path.display().to_string(), &text, &[]).map_err(unfit)?;
        // A difference between images is one of the last.
        let on = self.bench.on.len() - 1;
        let task = |_| crate::bench::Task {
            told: as_written(loaded.clone()),
            file: path.clone(),
            seed: run_seed(schedule),
            on,
            laws: Arc::default(),
        };
        let first = self.bench.tell_one(task(0)).await?;
        keep_run(&first, dir);
        let others = (1..PROOFS).map(task).collect();
        let mut outcomes = self.bench.tell_all(others, false).await?;
        outcomes.insert(0, first);
        self.progress.trials += outcomes.len() as u64;
        let blocks = outcomes[0].blocks.difference(&self.own_blocks[index]).copied().collect();
        let of_image = &self.bench.on[on].blocks;
        let failed = |outcome: &&Outcome| {
            let summary = &outcome.summary;
            summary.verdict == Verdict::Fail && summary.expectations.iter().any(|it| !it.ok)
        };
        Ok(Proof {
            title: scenario.title,
            fails: outcomes.iter().filter(failed).count() as u32,
            same_bytes: outcomes.iter().all(|it| it.hash == outcomes[0].hash),
            idle: strict && outcomes.iter().any(|it| !it.summary.idle.is_empty()),
            lines: lines_of_story(&text),
            blocks: of_image.as_ref().map(|it| it.words(&blocks)).unwrap_or_default(),
        })
    }
}

/// When a story may end in which a law was broken: at a whole second, a second later at least.
fn end_after(breach: &Breach) -> std::time::Duration {
    std::time::Duration::from_secs_f64((breach.t + 1.0).ceil().max(1.0))
}

/// What the runs of a file came to.
struct Proof {
    title: String,
    fails: u32,
    same_bytes: bool,
    idle: bool,
    lines: usize,
    blocks: Vec<String>,
}

/// Keeps the files of a run with the finding. It can be run again: without them, only the page has no timeline.
fn keep_run(outcome: &Outcome, dir: &std::path::Path) {
    let to: PathBuf = dir.join("run");
    let _ = fs::remove_dir_all(&to);
    let _ = move_run(&outcome.directory, &to);
}

/// Whether a law is about how a story ends.
fn is_of_the_end(breach: &Breach) -> bool {
    match Law::of(&breach.law) {
        Some(Law::Flow | Law::Agreement | Law::Alike | Law::Expectations) => true,
        // All paths, not the one that was failed.
        Some(Law::Paths) => breach.expect.starts_with("paths"),
        _ => false,
    }
}
