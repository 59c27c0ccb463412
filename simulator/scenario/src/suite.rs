//! Many runs: finding the files, and running several at once.

use std::{
    io,
    path::{Path, PathBuf},
    sync::Arc,
};

use sansim_lab::{
    AccelChoice, AccelDecision, Image, ImageStore, LabError, Progress, Templates, probe_accel,
};
use tokio::{sync::Semaphore, task::JoinSet};
use tokio_util::sync::CancellationToken as Cancel;

use crate::{
    run::{Finished, RunError, RunSpec, Sink, run},
    verdict::Verdict,
};

/// The scenario files that paths stand for: files as they are, directories searched for `*.toml`,
/// in alphabetical order.
///
/// # Errors
/// When a path cannot be read; the error names it.
pub fn find_scenarios(paths: &[PathBuf]) -> Result<Vec<PathBuf>, (PathBuf, io::Error)> {
    let mut found = Vec::new();
    for path in paths {
        let fail = |error| (path.clone(), error);
        if path.metadata().map_err(fail)?.is_dir() {
            let before = found.len();
            search(path, &mut found).map_err(fail)?;
            if found.len() == before {
                return Err(fail(io::Error::other("there is no scenario (*.toml) in it")));
            }
        } else {
            found.push(path.clone());
        }
    }
    Ok(found)
}

fn search(directory: &Path, found: &mut Vec<PathBuf>) -> io::Result<()> {
    let mut entries: Vec<PathBuf> =
        directory.read_dir()?.map(|e| e.map(|e| e.path())).collect::<io::Result<_>>()?;
    entries.sort();
    for entry in entries {
        // Links to directories are not followed: they may lead in circles.
        if entry.symlink_metadata()?.is_dir() {
            search(&entry, found)?;
        } else if entry.extension().is_some_and(|extension| extension == "toml") {
            found.push(entry);
        }
    }
    Ok(())
}

/// Where runs take place: the images and templates of this machine, and its accelerator.
#[derive(Debug)]
pub struct Lab {
    store: ImageStore,
    templates: Templates,
    choice: AccelChoice,
}

impl Lab {
    /// The lab of this machine.
    ///
    /// # Errors
    /// When there is no cache directory.
    pub fn open(choice: AccelChoice) -> Result<Self, LabError> {
        let store = ImageStore::open()?;
        let templates = Templates::new(&store);
        Ok(Lab { store, templates, choice })
    }

    /// The images of this machine.
    pub fn store(&self) -> &ImageStore {
        &self.store
    }

    /// An image, built if need be, and the accelerator to run it with.
    ///
    /// # Errors
    /// When it is unknown or cannot be built, or when the accelerator asked for does not work.
    pub async fn prepare(
        &self,
        image: &str,
        progress: &dyn Progress,
    ) -> Result<(Image, AccelDecision), LabError> {
        let image = self.store.build(image, progress).await?;
        let accel = probe_accel(self.choice, &self.store, &image, progress).await?;
        Ok((image, accel))
    }
}

/// How a suite is run.
#[derive(Debug, Clone, Copy)]
pub struct SuiteOptions {
    /// How many runs go on at once, at least 1.
    pub jobs: usize,
    /// Start no further run once one has not passed.
    pub fail_fast: bool,
}

/// Runs everything, `jobs` at a time. The results are in the order of `specs`; a run that was not
/// started (after an interrupt, or by `fail_fast`) has none.
pub async fn run_suite(
    specs: Vec<RunSpec>,
    options: SuiteOptions,
    lab: &Lab,
    sink: Arc<dyn Sink>,
    cancel: &Cancel,
) -> Vec<Option<Result<Finished, RunError>>> {
    let places = Arc::new(Semaphore::new(options.jobs.max(1)));
    let enough = cancel.child_token();
    let mut results: Vec<Option<_>> = specs.iter().map(|_| None).collect();
    let mut runs = JoinSet::new();
    for (index, spec) in specs.into_iter().enumerate() {
        // Taken here rather than in the run, so that runs start in order.
        let Ok(place) = Arc::clone(&places).acquire_owned().await else { break };
        if enough.is_cancelled() {
            break;
        }
        let (templates, sink) = (lab.templates.clone(), Arc::clone(&sink));
        let (cancel, enough) = (cancel.clone(), enough.clone());
        runs.spawn(async move {
            let _place = place;
            let result = run(&spec, &templates, sink.as_ref(), &cancel).await;
            if let Ok(finished) = &result {
                sink.finished(&spec.id, finished);
            }
            let passed =
                |f: &Finished| !matches!(f.summary.verdict, Verdict::Fail | Verdict::Error);
            if options.fail_fast && !result.as_ref().is_ok_and(passed) {
                enough.cancel();
            }
            (index, result)
        });
    }
    while let Some(joined) = runs.join_next().await {
        if let Ok((index, result)) = joined {
            results[index] = Some(result);
        }
    }
    results
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn directories_are_searched_in_order_and_files_taken_as_they_are() {
        let dir = tempfile::tempdir().unwrap();
        let sub = dir.path().join("sub");
        std::fs::create_dir(&sub).unwrap();
        for name in ["b.toml", "a.toml", "notes.md", "sub/c.toml"] {
            std::fs::write(dir.path().join(name), "").unwrap();
        }
        let found = find_scenarios(&[dir.path().to_owned(), dir.path().join("notes.md")]).unwrap();
        let names: Vec<_> =
            found.iter().map(|p| p.file_name().unwrap().to_str().unwrap()).collect();
        assert_eq!(names, ["a.toml", "b.toml", "c.toml", "notes.md"]);
    }

    #[test]
    fn what_is_not_there_is_named() {
        let missing = PathBuf::from("/nowhere/at/all.toml");
        assert_eq!(find_scenarios(std::slice::from_ref(&missing)).unwrap_err().0, missing);
        let empty = tempfile::tempdir().unwrap();
        assert!(find_scenarios(&[empty.path().to_owned()]).is_err());
    }
}
