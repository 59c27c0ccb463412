//! The coverage of the kernel's modules: collected by `sansim run --coverage`, shown by `sansim coverage`.

mod debug;
mod sources;

use std::{
    collections::{BTreeMap, BTreeSet, btree_map::Entry},
    fs,
    path::{Path, PathBuf},
    sync::{Arc, Mutex, PoisonError},
};

use sansim_coverage::{
    MODULES,
    atlas::Atlas,
    coverage::{Coverage, Reached, Run},
    lines,
    page::page,
    reasons::Reasons,
    source::{Texts, places},
    table::tables,
};
use sansim_lab::{Image, plain_image};
use sansim_report::{repeat::Repeat, verdict::Verdict};
use sansim_run::{Finished, RunId, RunSpec, Sink};
use sansim_stage::event::Event;

use crate::{
    FAILED, LAB, PASS, USAGE,
    args::{CoverageArgs, SourceArgs},
    coverage::{
        debug::{Found, Wanted},
        sources::Sources,
    },
    show::{self, Style},
};

/// The files in a directory of coverage.
const LINES: &str = "coverage.ndjson";
const PAGE: &str = "index.html";

/// Passes what happens on to `inner`, and collects the coverage of runs.
pub(crate) struct Covering {
    inner: Arc<dyn Sink>,
    dir: PathBuf,
    /// The modules of each image, with the kernel's release.
    atlases: BTreeMap<String, (String, Atlas)>,
    coverage: Mutex<Coverage>,
    /// The debug information of the modules, as far as it was given, and where their sources are.
    debug: Found,
    sources: Vec<PathBuf>,
}

impl Covering {
    /// For these runs. The directory is made.
    ///
    /// # Errors
    /// Why the directory cannot be made, or a module not be read.
    pub(crate) fn new(dir: &Path, style: Style, specs: &[RunSpec]) -> Result<Covering, String> {
        fs::create_dir_all(dir).map_err(|error| cannot_write(dir, &error))?;
        let mut atlases = BTreeMap::new();
        for RunSpec { id, image, .. } in specs {
            if let Entry::Vacant(place) = atlases.entry(plain_image(&id.image).to_owned()) {
                place.insert((image.release.clone(), atlas(image)?));
            }
        }
        Ok(Covering {
            inner: show::sink(style),
            dir: dir.to_owned(),
            atlases,
            coverage: Mutex::default(),
            debug: Found::default(),
            sources: Vec::new(),
        })
    }

    /// Looks for the modules' debug information, before the runs take their time: what is not there is said now.
    ///
    /// # Errors
    /// As [`Found::search`]; if a source tree is not there.
    pub(crate) fn with_lines(self, args: &SourceArgs) -> Result<Covering, String> {
        if args.is_empty() {
            return Ok(self);
        }
        if args.debug.is_empty() {
            return Err("--source needs --debug, which names the lines".to_owned());
        }
        for path in &args.source {
            fs::metadata(path).map_err(|error| cannot_read(path, &error))?;
        }
        let mut wanted = BTreeSet::new();
        for (kernel, atlas) in self.atlases.values() {
            wanted.extend(atlas.builds().map(|(module, build_id)| Wanted {
                kernel: kernel.clone(),
                module: module.to_owned(),
                build_id: build_id.cloned(),
            }));
        }
        let debug = Found::search(&args.debug, &wanted)?;
        debug.missing.iter().for_each(|it| show::note(it));
        Ok(Covering { debug, sources: args.source.clone(), ..self })
    }

    /// Writes what was collected, and prints it.
    ///
    /// # Errors
    /// Which file cannot be written, or which sources cannot be read.
    pub(crate) fn write(&self, json: bool) -> Result<(), String> {
        let mut coverage = self.coverage.lock().unwrap_or_else(PoisonError::into_inner);
        let reasons = Reasons::own()?;
        self.debug.tell(&mut coverage);
        let texts = texts(&self.sources, &coverage);
        // What runs have taken their time for is not lost with a text.
        let nothing = Texts::default();
        write(&self.dir, &coverage, &reasons, texts.as_ref().unwrap_or(&nothing))?;
        if !json {
            outln!("\n{}\n{}", tables(&coverage, &reasons), self.dir.join(PAGE).display());
        }
        texts.map(|_| ())
    }
}

/// The modules that are looked at of an image.
///
/// # Errors
/// Which of them cannot be read, and why.
pub(crate) fn atlas(image: &Image) -> Result<Atlas, String> {
    let mut files = Vec::new();
    for name in MODULES {
        let Some(path) = image.module_file(name) else { continue };
        let elf = fs::read(&path).map_err(|error| cannot_read(&path, &error))?;
        files.push((name.to_owned(), elf));
    }
    Atlas::read(files).map_err(|(name, why)| format!("the module {name} cannot be read: {why}"))
}

impl Sink for Covering {
    fn stage(&self, run: &RunId, stage: &str) {
        self.inner.stage(run, stage);
    }

    fn event(&self, run: &RunId, event: &Event) {
        self.inner.event(run, event);
    }

    fn finished(&self, run: &RunId, finished: &Finished) {
        let Finished { summary, marks, .. } = finished;
        // What a scenario adds to an image changes neither its kernel nor the modules that are looked at.
        let image = plain_image(&run.image);
        if let (Some(marks), Some((kernel, atlas))) = (marks, self.atlases.get(image))
            && !matches!(summary.verdict, Verdict::Error | Verdict::Skipped)
        {
            let reached =
                Reached { scenario: summary.scenario.clone(), seconds: summary.simulated_s };
            let run = Run { image, kernel, reached, marks };
            self.coverage.lock().unwrap_or_else(PoisonError::into_inner).add(atlas, &run);
        }
        self.inner.finished(run, finished);
    }

    fn repeated(&self, run: &RunId, repeat: &Repeat) {
        self.inner.repeated(run, repeat);
    }
}

/// `sansim coverage`.
pub(crate) fn show(args: &CoverageArgs) -> u8 {
    let (coverage, reasons, texts) = match read(args) {
        Ok(read) => read,
        Err(problem) => {
            show::error(&problem);
            return USAGE;
        }
    };
    out!("{}", tables(&coverage, &reasons));
    if args.open {
        print_open(&coverage, &reasons);
    }
    if let Some(dir) = &args.out {
        let made = fs::create_dir_all(dir).map_err(|error| cannot_write(dir, &error));
        if let Err(problem) = made.and_then(|()| write(dir, &coverage, &reasons, &texts)) {
            show::error(&problem);
            return LAB;
        }
    }
    let complaints = if args.check { reasons.complaints(&coverage) } else { Vec::new() };
    complaints.iter().for_each(|complaint| show::error(complaint));
    if complaints.is_empty() { PASS } else { FAILED }
}

fn read(args: &CoverageArgs) -> Result<(Coverage, Reasons, Texts), String> {
    let reasons = match &args.reasons {
        None => Reasons::own()?,
        Some(path) => {
            let text = fs::read_to_string(path).map_err(|error| cannot_read(path, &error))?;
            Reasons::read(&text).map_err(|why| format!("{}: {why}", path.display()))?
        }
    };
    let mut coverage = Coverage::default();
    for dir in &args.dirs {
        let path = dir.join(LINES);
        let text = fs::read_to_string(&path).map_err(|error| cannot_read(&path, &error))?;
        let more = lines::read(&text).map_err(|why| format!("{}: {why}", path.display()))?;
        coverage.join(more).map_err(|why| format!("{}: {why}", path.display()))?;
    }
    let SourceArgs { debug, source } = &args.source;
    if !debug.is_empty() {
        let found = Found::search(debug, &debug::modules(&coverage))?;
        found.missing.iter().for_each(|it| show::note(it));
        found.tell(&mut coverage);
    }
    let texts = texts(source, &coverage)?;
    Ok((coverage, reasons, texts))
}

/// The texts of the modules' source files, as far as they are there.
fn texts(sources: &[PathBuf], coverage: &Coverage) -> Result<Texts, String> {
    let Sources { texts, missing } = Sources::read(sources, coverage)?;
    missing.iter().for_each(|it| show::note(it));
    Ok(texts)
}

/// Prints the blocks that nothing has executed and nothing explains, with their code.
fn print_open(coverage: &Coverage, reasons: &Reasons) {
    for (name, image) in &coverage.images {
        for (module, of_module) in &image.modules {
            for block in &of_module.blocks {
                if block.shortest.is_none() && reasons.of(&image.kernel, module, block).is_none() {
                    outln!("\n{name} {module} {}+{:#x}", block.function, block.at);
                    if !block.lines.is_empty() {
                        outln!("  {}", places(&block.lines));
                    }
                    block.code.iter().for_each(|line| outln!("    {line}"));
                }
            }
        }
    }
}

fn write(dir: &Path, coverage: &Coverage, reasons: &Reasons, texts: &Texts) -> Result<(), String> {
    for (name, text) in [(LINES, lines::write(coverage)), (PAGE, page(coverage, reasons, texts))] {
        let path = dir.join(name);
        fs::write(&path, text).map_err(|error| cannot_write(&path, &error))?;
    }
    Ok(())
}

fn cannot_read(path: &Path, error: &std::io::Error) -> String {
    format!("cannot read {}: {error}", path.display())
}

fn cannot_write(path: &Path, error: &std::io::Error) -> String {
    format!("cannot write {}: {error}", path.display())
}
