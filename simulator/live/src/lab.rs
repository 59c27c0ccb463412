//! A lab that runs: a person drives its stage.

mod acts;
mod broken;
mod chores;
mod driver;
mod front;
mod io;
mod picture;
mod play;
mod pump;
mod save;
mod since;
mod teller;
mod time;
mod traffic;
mod waits;
mod words;

use std::{
    cell::Cell,
    path::{Path, PathBuf},
    time::Duration,
};

use sansim_lab::{Boot, Machine, Progress, Templates};
use sansim_language::resolved_toml;
use sansim_run::{Part, Opened, RunError, RunSpec, Watch, directory::{DirectoryError, RunDirectory}, on_stage};
use tokio_util::sync::CancellationToken as Cancel;

use self::{driver::Driver, front::Front};
pub use self::play::Play;
use crate::{
    Handle,
    api::LabStatus,
    handle::{Desk, handle},
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
    /// Creates the directory of a lab. From now on it can be asked, through its handle.
    ///
    /// # Errors
    /// When the directory cannot be written.
    pub fn create(spec: &RunSpec, options: &Options) -> Result<Live, DirectoryError> {
        let directory = RunDirectory::create(&spec.out, &spec.stamp, &options.name)?;
        directory.file("scenario.toml", &resolved_toml(&spec.scenario))?;
        let path = std::path::absolute(directory.path());
        let path = path.unwrap_or_else(|_| directory.path().to_owned());
        let (handle, desk) = handle();
        Ok(Live { options: options.clone(), directory, path, handle, desk })
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
        let front = Front::new(desk, lab.clone(), spec);
        let mut watch = Watching { progress, front: &front };
        let directory = Cell::new(Some(directory));
        let play = async |opened: Opened<'_>, _: &mut Watching<'_>| {
            let Some(directory) = directory.take() else {
                return Err(RunError::Story("the lab can start only once".to_owned()));
            };
            let desk = front.hand_over().await;
            let lab = LabStatus { handler: opened.handler.clone(), ..lab.clone() };
            let mode = spec.time.to_string();
            progress.stage("ready");
            Driver::begin(opened, lab, directory, desk, &options, mode)?.drive(cancel).await
        };
        let stage = on_stage(spec, console, templates, cancel, &mut watch, play);
        tokio::select! {
            biased;
            ended = stage => ended,
            () = front.receive(cancel) => Err(RunError::Interrupted),
        }
    }
}

fn lab_status(spec: &RunSpec, options: &Options, directory: &Path) -> LabStatus {
    let setup = &spec.scenario.setup;
    LabStatus {
        name: options.name.clone(),
        title: spec.scenario.title.clone(),
        family: setup.array.personality.handler().to_owned(),
        identity: format!("{} {}", setup.array.identity.vendor, setup.array.identity.product),
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

/// Tells how the lab gets on while it starts.
struct Watching<'w> {
    progress: &'w dyn Progress,
    front: &'w Front,
}

impl Progress for Watching<'_> {
    fn stage(&self, text: &str) {
        self.front.stage(text);
        self.progress.stage(text);
    }
}

impl Watch for Watching<'_> {
    fn enter(&mut self, part: Part) {
        if let Some(text) = part.in_words() {
            self.stage(text);
        }
    }

    fn up(&mut self, _: &Machine, _: Boot) {}

    fn down(&mut self, _: &Machine) {}
}
