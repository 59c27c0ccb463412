//! The images that the scenarios of a command run on.

use std::collections::{BTreeMap, btree_map::Entry};

use sansim_lab::{AccelDecision, Image, LabError};
use sansim_language::Scenario;
use sansim_suite::Lab;

use crate::{
    args::RunArgs,
    own::{Own, label},
    show::Announce,
};

/// Those that are needed, built.
pub(crate) struct Images {
    /// Those named on the command line; none means that each scenario has its own.
    named: Vec<String>,
    own: Option<Own>,
    /// By what reports call them.
    ready: BTreeMap<String, (Image, AccelDecision)>,
}

/// An image that a scenario runs on.
pub(crate) struct Chosen<'a> {
    /// What reports call it.
    pub(crate) label: String,
    /// What `--image` has to say.
    pub(crate) name: String,
    pub(crate) image: &'a Image,
    pub(crate) accel: &'a AccelDecision,
}

impl Images {
    /// Has every image built that is needed.
    ///
    /// # Errors
    /// When one cannot be.
    pub(crate) async fn prepare<'s>(
        args: &RunArgs,
        scenarios: impl Iterator<Item = &'s Scenario>,
        lab: &Lab,
    ) -> Result<Images, LabError> {
        let (named, own) = (args.image.clone(), args.own.resolve(lab.store())?);
        let mut images = Images { named, own, ready: BTreeMap::new() };
        let progress = Announce::new();
        for (label, name) in
            scenarios.flat_map(|scenario| images.names(scenario)).collect::<Vec<_>>()
        {
            if let Entry::Vacant(place) = images.ready.entry(label) {
                place.insert(match &images.own {
                    Some(own) => lab.assemble(&own.over(&name), &progress).await?,
                    None => lab.prepare(&name, &progress).await?,
                });
            }
        }
        Ok(images)
    }

    /// Labels and names of those that a scenario runs on, each label once.
    fn names(&self, scenario: &Scenario) -> Vec<(String, String)> {
        let names = match &self.named[..] {
            [] => vec![scenario.setup.guest.image.clone()],
            named => named.to_owned(),
        };
        let label = |name: &str| self.own.as_ref().map(|own| label(&own.over(name)));
        let labelled = names.into_iter().map(|name| (label(&name).unwrap_or(name.clone()), name));
        let mut labelled: Vec<_> = labelled.collect();
        // Where nothing of the image is left, it does not matter which it would be.
        labelled.dedup_by(|a, b| a.0 == b.0);
        labelled
    }

    /// Those that a scenario runs on.
    pub(crate) fn of(&self, scenario: &Scenario) -> Vec<Chosen<'_>> {
        let names = self.names(scenario).into_iter();
        let chosen = names.filter_map(|(label, name)| {
            let (image, accel) = self.ready.get(&label)?;
            Some(Chosen { label, name, image, accel })
        });
        chosen.collect()
    }

    /// Whether there are several.
    pub(crate) fn are_several(&self) -> bool {
        self.ready.len() > 1
    }
}
