//! What happens when a replay stops: sansim prints the state of the story, serves gdb or saves the guest if
//! requested, and then continues.

use std::{
    collections::BTreeMap,
    path::PathBuf,
    sync::{
        Arc, Mutex, MutexGuard, OnceLock, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
};

use sansim_lab::{Checkpoint, Hold, LabError, Visit};
use sansim_report::repeat::Repeat;
use sansim_run::{Finished, RunId, Sink, Standing, Terminal};
use sansim_stage::event::Event;
use tokio::sync::oneshot;
use tokio_util::sync::CancellationToken as Cancel;

use super::{gdb::Symbols, shell::Seat};
use crate::show;

/// What to do when the story is stopped.
pub(super) enum Purpose {
    /// Print the state and wait for Enter.
    Look,
    /// Open a port for gdb and wait until it detaches.
    Debug(Arc<Symbols>),
    /// Save the guest in this empty directory, then continue at once.
    Save(PathBuf),
    /// Leave the story for a shell.
    Sit(Seat),
}

/// Handles the stop, and passes all other events on to `inner`.
pub(super) struct Visitor {
    inner: Arc<dyn Sink>,
    purpose: Purpose,
    cancel: Cancel,
    there: AtomicBool,
    trapped: Arc<AtomicBool>,
    /// The directories of finished runs, by their index in the suite.
    directories: Mutex<BTreeMap<usize, PathBuf>>,
    saved: Arc<OnceLock<Result<Saved, LabError>>>,
}

pub(super) struct Saved {
    pub(super) checkpoint: Arc<Checkpoint>,
    /// Events up to the save: lines of `events.ndjson`.
    pub(super) events: u64,
}

impl Visitor {
    /// `inner` gets everything that does not concern the stop.
    pub(super) fn new(inner: Arc<dyn Sink>, purpose: Purpose, cancel: Cancel) -> Self {
        let (there, trapped) = (AtomicBool::new(false), Arc::default());
        let (directories, saved) = (Mutex::default(), Arc::default());
        Visitor { inner, purpose, cancel, there, trapped, directories, saved }
    }

    /// After the run: restores the terminal if a shell used it.
    pub(super) fn leave(&self) {
        if let Purpose::Sit(seat) = &self.purpose {
            seat.leave();
        }
    }

    /// The saved guest; `None` if none was requested, or the story never stopped.
    ///
    /// # Errors
    /// Why it could not be saved.
    pub(super) fn saved(&self) -> Option<Result<&Saved, &LabError>> {
        self.saved.get().map(Result::as_ref)
    }

    /// Whether the story reached the moment of `--until`.
    pub(super) fn was_there(&self) -> bool {
        self.there.load(Ordering::Relaxed)
    }

    /// Whether gdb has changed the guest's timing: a breakpoint or a single step.
    pub(super) fn was_trapped(&self) -> bool {
        self.trapped.load(Ordering::Relaxed)
    }

    /// The directory of a run, once it has its verdict.
    pub(super) fn directory(&self, index: usize) -> Option<PathBuf> {
        self.directories().get(&index).cloned()
    }

    fn directories(&self) -> MutexGuard<'_, BTreeMap<usize, PathBuf>> {
        self.directories.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Sink for Visitor {
    fn stage(&self, run: &RunId, stage: &str) {
        self.inner.stage(run, stage);
    }

    fn event(&self, run: &RunId, event: &Event) {
        self.inner.event(run, event);
    }

    fn terminal(&self, _run: &RunId, standing: &Standing) -> Option<Terminal> {
        let Purpose::Sit(seat) = &self.purpose else { return None };
        print(&describe(standing));
        print("a shell in the guest; leave it with `exit` or Ctrl-]");
        Some(seat.take())
    }

    fn held(&self, _run: &RunId, standing: Standing, hold: Hold) {
        self.there.store(true, Ordering::Relaxed);
        let (cancel, trapped) = (self.cancel.clone(), Arc::clone(&self.trapped));
        let symbols = match &self.purpose {
            Purpose::Save(place) => {
                let (place, saved) = (place.clone(), Arc::clone(&self.saved));
                let events = standing.events;
                tokio::spawn(async move {
                    print(&describe(&standing));
                    let checkpoint = save(hold, place).await.map(Arc::new);
                    let _ = saved.set(checkpoint.map(|checkpoint| Saved { checkpoint, events }));
                });
                return;
            }
            Purpose::Debug(symbols) => Some(Arc::clone(symbols)),
            Purpose::Look | Purpose::Sit(_) => None,
        };
        tokio::spawn(async move {
            match visit(&standing, hold, symbols, cancel).await {
                Ok(visit) => trapped.store(visit.trapped, Ordering::Relaxed),
                Err(error) => show::error(&format!("cannot inspect the guest: {error}")),
            }
        });
    }

    fn finished(&self, run: &RunId, finished: &Finished) {
        self.directories().insert(run.index, finished.recorded.directory.clone());
        self.inner.finished(run, finished);
    }

    fn repeated(&self, run: &RunId, repeat: &Repeat) {
        self.inner.repeated(run, repeat);
    }
}

/// Saves the guest, which then continues.
async fn save(mut hold: Hold, place: PathBuf) -> Result<Checkpoint, LabError> {
    let began = std::time::Instant::now();
    let checkpoint = hold.save(place).await?;
    let (ms, questions) = (began.elapsed().as_millis(), checkpoint.questions());
    print(&format!("saved in {ms} ms, with a recording of {questions} questions"));
    Ok(checkpoint)
}

/// From the stop until the guest may continue.
async fn visit(
    standing: &Standing,
    mut hold: Hold,
    symbols: Option<Arc<Symbols>>,
    cancel: Cancel,
) -> Result<Visit, LabError> {
    hold.stopped().await?;
    print(&describe(standing));
    let lines = stdin_line();
    let Some(symbols) = symbols else {
        print("press Enter to continue the story");
        tokio::select! {
            _ = lines => {}
            () = cancel.cancelled() => {}
            _ = hold.ended() => {}
        }
        return Ok(Visit::default());
    };
    let port = hold.open_gdb().await?;
    print(&symbols.invite(port.path(), hold.dir()));
    let enough = async {
        tokio::select! {
            () = line(lines) => {}
            () = cancel.cancelled() => {}
            _ = hold.ended() => {}
        }
    };
    let visit = port.serve(enough).await.unwrap_or_else(|error| {
        show::error(&format!("the connection to gdb failed: {error}"));
        Visit::default()
    });
    print("the story continues");
    Ok(visit)
}

/// Prints whole lines and flushes, so that a program that reads them gets them at once.
pub(super) fn print(text: &str) {
    use std::io::Write;
    let mut stdout = std::io::stdout().lock();
    // If the reader has closed the pipe, the guest must still continue.
    let _ = writeln!(stdout, "{text}").and_then(|()| stdout.flush());
}

/// The state of the story, in words.
fn describe(standing: &Standing) -> String {
    let Standing { t, events, last, maps } = standing;
    let mut lines =
        vec![format!("\nheld at {t:.6} s, after event {events}; the last lines of the story:")];
    lines.extend(last.iter().map(|line| format!("  {line}")));
    for map in maps {
        lines.push(format!(
            "map {}: pg_init round {}, group {} is current",
            map.map, map.rounds, map.current_group
        ));
        for (number, group) in (1..).zip(&map.groups) {
            let paths: Vec<String> =
                group.paths.iter().map(|path| format!("{} {}", path.dev, path.state)).collect();
            lines.push(format!("  group {number} {}: {}", group.state, paths.join(", ")));
        }
    }
    lines.join("\n")
}

/// Receives true for a line, false at the end of standard input. The thread that reads ends with the
/// program.
fn stdin_line() -> oneshot::Receiver<bool> {
    let (told, line) = oneshot::channel();
    std::thread::spawn(move || {
        let read = std::io::stdin().read_line(&mut String::new());
        let _ = told.send(matches!(read, Ok(1..)));
    });
    line
}

/// Waits for a line; waits forever if standard input has ended.
async fn line(lines: oneshot::Receiver<bool>) {
    if lines.await != Ok(true) {
        std::future::pending::<()>().await;
    }
}
