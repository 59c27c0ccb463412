//! A lab that runs: a person drives its stage.

mod acts;
mod broken;
mod capturing;
mod chores;
mod front;
mod io;
mod picture;
mod play;
mod pump;
mod running;
mod save;
mod since;
mod teller;
mod time;
mod traffic;
mod waits;
mod words;

use std::{
    path::{Path, PathBuf},
    time::Duration,
};

use sansim_lab::{Progress, Templates};
use sansim_language::{Scenario, resolved_toml};
use sansim_run::{
    Left, Opened, Part, RunError, RunSpec,
    directory::{DirectoryError, RunDirectory},
    on_stage,
};
use sansim_stage::{Array, Setup};
use tokio_util::sync::CancellationToken as Cancel;

pub use self::play::Play;
use self::{
    front::Front,
    running::{Papers, Running},
};
use crate::{
    Handle,
    api::{Ended, LabStatus, Message},
    handle::{Desk, handle},
    news::News,
};

/// How a lab is started.
#[derive(Debug, Clone)]
pub struct Options {
    /// The name of the lab.
    pub name: String,
    /// What becomes of the scenario's steps.
    pub play: Play,
}

/// How often the lab tells its traffic, in host time.
const TICK: Duration = Duration::from_millis(100);

/// A lab that is about to start.
pub struct Live {
    options: Options,
    directory: RunDirectory,
    path: PathBuf,
    handle: Handle,
    desk: Desk,
}

impl Live {
    /// Creates the directory of a lab in `out`, named by `stamp` and the lab's name. From now on the
    /// lab can be asked, through its handle.
    ///
    /// # Errors
    /// When the directory cannot be written.
    pub fn create(
        out: &Path,
        stamp: &str,
        scenario: &Scenario,
        options: &Options,
    ) -> Result<Live, DirectoryError> {
        let directory = RunDirectory::create(out, stamp, &options.name)?;
        directory.file("scenario.toml", &resolved_toml(scenario))?;
        let path = std::path::absolute(directory.path());
        let path = path.unwrap_or_else(|_| directory.path().to_owned());
        let (handle, desk) = handle();
        Ok(Live { options: options.clone(), directory, path, handle, desk })
    }

    /// Takes a stage over that a run of this spec has left, and drives it until it is told to end, or
    /// until `cancel`. Time stands still at first.
    ///
    /// # Errors
    /// When the guest ends.
    pub async fn take_over(
        self,
        spec: &RunSpec,
        left: Left<'_>,
        cancel: &Cancel,
    ) -> Result<(), RunError> {
        let Live { options, directory, path, desk, .. } = self;
        let news = desk.news.clone();
        let handler = left.handler.clone();
        let lab = LabStatus { handler, ..lab_status(spec, &options, &path) };
        let running = Running::take_over(left, lab, Papers { directory, desk }).await;
        let ended = running.drive(cancel).await;
        tell_end(&news, &ended);
        ended
    }

    /// The way to ask the lab.
    pub fn handle(&self) -> Handle {
        self.handle.clone()
    }

    /// The lab's directory, as an absolute path.
    pub fn directory(&self) -> &Path {
        &self.path
    }

    /// Runs the lab until it is told to end, or until `cancel`. The scenario's expectations are not
    /// decided.
    ///
    /// # Errors
    /// When the lab fails, or the guest ends. `Interrupted` only while it starts.
    pub async fn run(
        self,
        spec: &RunSpec,
        templates: &Templates,
        cancel: &Cancel,
        progress: &dyn Progress,
    ) -> Result<(), RunError> {
        let Live { options, directory, path, desk, .. } = self;
        let console = directory.console();
        let lab = lab_status(spec, &options, &path);
        let news = desk.news.clone();
        let front = Front::new(desk, lab.clone(), spec);
        let directory = Some(directory);
        let mut person =
            Person { options: &options, progress, front: &front, lab, directory, cancel };
        let ended = tokio::select! {
            biased;
            ended = on_stage(spec, console, templates, cancel, &mut person) => ended,
            () = front.receive(cancel) => Err(RunError::Interrupted),
        };
        tell_end(&news, &ended);
        ended
    }
}

/// A person as the driver.
struct Person<'w> {
    options: &'w Options,
    progress: &'w dyn Progress,
    front: &'w Front,
    lab: LabStatus,
    /// Taken when the story begins.
    directory: Option<RunDirectory>,
    cancel: &'w Cancel,
}

impl Progress for Person<'_> {
    fn stage(&self, text: &str) {
        self.front.stage(text);
        self.progress.stage(text);
    }
}

impl sansim_run::Driver for Person<'_> {
    type Told = ();

    fn enter(&mut self, part: Part) {
        part.in_words().into_iter().for_each(|text| self.stage(text));
    }

    /// A person may look at the guest while its maps are being built.
    fn awaits_multipathd(&self) -> bool {
        self.options.play != Play::Nothing
    }

    async fn play(&mut self, opened: Opened<'_>) -> Result<(), RunError> {
        let Some(directory) = self.directory.take() else {
            return Err(RunError::Story("the lab can start only once".to_owned()));
        };
        let desk = self.front.hand_over().await;
        self.lab.handler.clone_from(&opened.handler);
        self.progress.stage("ready");
        let papers = Papers { directory, desk };
        Running::begin(opened, self.lab.clone(), papers, self.options.play)?
            .drive(self.cancel)
            .await
    }
}

/// Says that the lab has ended.
fn tell_end(news: &News, ended: &Result<(), RunError>) {
    let error = ended.as_ref().err().map(ToString::to_string);
    news.tell(Message::Ended(Ended { error }));
}

/// What is so of the arrays, each thing once.
fn of_arrays(setup: &Setup, of: impl Fn(&Array) -> String) -> String {
    let mut all: Vec<String> = Vec::new();
    for one in setup.arrays.iter().map(of) {
        if !all.contains(&one) {
            all.push(one);
        }
    }
    all.join(" + ")
}

fn lab_status(spec: &RunSpec, options: &Options, directory: &Path) -> LabStatus {
    let setup = &spec.scenario.setup;
    LabStatus {
        name: options.name.clone(),
        title: spec.scenario.title.clone(),
        family: of_arrays(setup, |array| array.personality.handler().to_owned()),
        identity: of_arrays(setup, |array| array.identity.vendor_and_product()),
        image: spec.id.image.clone(),
        kernel: spec.image.release.clone(),
        handler: String::new(),
        manager: setup.guest.manager.to_string(),
        seed: spec.seed,
        accelerator: spec.accel.accel.to_string(),
        version: env!("CARGO_PKG_VERSION").to_owned(),
        directory: directory.display().to_string(),
    }
}
