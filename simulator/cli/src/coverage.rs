//! The coverage of the kernel's modules: collected by `sansim run --coverage`, shown by `sansim coverage`.

use std::{
    collections::{BTreeMap, btree_map::Entry},
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
    table::table,
};
use sansim_lab::{Image, plain_image};
use sansim_report::{repeat::Repeat, verdict::Verdict};
use sansim_run::{Finished, RunId, RunSpec, Sink};
use sansim_stage::event::Event;

use crate::{
    FAILED, LAB, PASS, USAGE,
    args::CoverageArgs,
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
        let coverage = Mutex::default();
        Ok(Covering { inner: show::sink(style), dir: dir.to_owned(), atlases, coverage })
    }

    /// Writes what was collected, and prints it.
    ///
    /// # Errors
    /// Which file cannot be written.
    pub(crate) fn write(&self, json: bool) -> Result<(), String> {
        let coverage = self.coverage.lock().unwrap_or_else(PoisonError::into_inner);
        let reasons = Reasons::own()?;
        write(&self.dir, &coverage, &reasons)?;
        if !json {
            outln!("\n{}\n{}", table(&coverage, &reasons), self.dir.join(PAGE).display());
        }
        Ok(())
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
    let (coverage, reasons) = match read(args) {
        Ok(read) => read,
        Err(problem) => {
            show::error(&problem);
            return USAGE;
        }
    };
    out!("{}", table(&coverage, &reasons));
    if args.open {
        print_open(&coverage, &reasons);
    }
    if let Some(dir) = &args.out {
        let made = fs::create_dir_all(dir).map_err(|error| cannot_write(dir, &error));
        if let Err(problem) = made.and_then(|()| write(dir, &coverage, &reasons)) {
            show::error(&problem);
            return LAB;
        }
    }
    let complaints = if args.check { reasons.complaints(&coverage) } else { Vec::new() };
    complaints.iter().for_each(|complaint| show::error(complaint));
    if complaints.is_empty() { PASS } else { FAILED }
}

fn read(args: &CoverageArgs) -> Result<(Coverage, Reasons), String> {
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
    Ok((coverage, reasons))
}

/// Prints the blocks that nothing has executed and nothing explains, with their code.
fn print_open(coverage: &Coverage, reasons: &Reasons) {
    for (name, image) in &coverage.images {
        for (module, of_module) in &image.modules {
            for block in &of_module.blocks {
                if block.shortest.is_none() && reasons.of(&image.kernel, module, block).is_none() {
                    outln!("\n{name} {module} {}+{:#x}", block.function, block.at);
                    block.code.iter().for_each(|line| outln!("    {line}"));
                }
            }
        }
    }
}

fn write(dir: &Path, coverage: &Coverage, reasons: &Reasons) -> Result<(), String> {
    for (name, text) in [(LINES, lines::write(coverage)), (PAGE, page(coverage, reasons))] {
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
