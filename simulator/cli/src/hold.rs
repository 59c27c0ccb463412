//! `--hold-on-fail` and `--hold-at`: at that moment the run becomes a live lab, which stands still.

use std::sync::Arc;

use sansim_live::{Live, Options, Play, place::Place};
use sansim_report::repeat::Repeat;
use sansim_run::{
    Finished, Left, RunError, RunId, RunSpec, Sink, Standing, Successor, Taken, Until,
};
use sansim_stage::event::Event;
use tokio_util::sync::CancellationToken as Cancel;

use crate::{
    open::{Open, name_of},
    show,
};

/// Passes what happens on to `inner`, and takes the stage over at the moment.
pub(crate) struct Holding {
    inner: Arc<dyn Sink>,
    spec: RunSpec,
    cancel: Cancel,
}

impl Holding {
    /// `spec` is that of the only run.
    pub(crate) fn new(inner: Arc<dyn Sink>, spec: RunSpec, cancel: Cancel) -> Self {
        Holding { inner, spec, cancel }
    }

    async fn open(&self, left: Left<'_>) -> Result<(), RunError> {
        let refuse = |why: String| RunError::Story(why);
        let name = name_of(&left.scenario.name);
        let place = Place::claim(&name).map_err(|error| refuse(error.to_string()))?;
        let options = Options { name: format!("{name}-live"), play: Play::Nothing };
        let RunSpec { out, stamp, .. } = &self.spec;
        let lab = Live::create(out, stamp, &left.scenario, &options)?;
        let open = Open::new(place, &lab, &left.scenario.title, None).map_err(refuse)?;
        show::print_lines(&lines(&left.standing, self.spec.until.as_ref(), &open));
        lab.take_over(&self.spec, left, &self.cancel).await
    }
}

/// What to tell when the story has come to the moment.
fn lines(standing: &Standing, until: Option<&Until>, open: &Open) -> Vec<String> {
    let at = until.map(|until| format!(" ({until})")).unwrap_or_default();
    let head = format!(
        "the story stands still at {:.3}s{at}; let time go on with: sansim ctl time resume",
        standing.t
    );
    [vec![head, String::new()], open.welcome().lines().map(str::to_owned).collect()].concat()
}

impl Successor for Holding {
    fn take<'a>(&'a self, left: Left<'a>) -> Taken<'a> {
        Box::pin(self.open(left))
    }
}

impl Sink for Holding {
    fn stage(&self, run: &RunId, stage: &str) {
        self.inner.stage(run, stage);
    }

    fn event(&self, run: &RunId, event: &Event) {
        self.inner.event(run, event);
    }

    fn successor(&self, _: &RunId) -> Option<&dyn Successor> {
        Some(self)
    }

    fn finished(&self, run: &RunId, finished: &Finished) {
        self.inner.finished(run, finished);
    }

    fn repeated(&self, run: &RunId, repeat: &Repeat) {
        self.inner.repeated(run, repeat);
    }
}
