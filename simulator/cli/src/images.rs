//! The guest images that a `sansim run` needs.

use std::collections::{BTreeMap, btree_map::Entry};

use sansim_lab::{AccelDecision, Image, LabError};
use sansim_language::Scenario;
use sansim_suite::Lab;

use crate::{
    args::RunArgs,
    own::{Own, label},
    show::Announce,
};

pub(crate) struct Images {
    /// From `--image`; empty means the image that each scenario names.
    named: Vec<String>,
    own: Option<Own>,
    /// By the label used in reports.
    ready: BTreeMap<String, (Image, AccelDecision)>,
}

pub(crate) struct Chosen<'a> {
    /// Its name in reports, for instance `own-kernel+bookworm`.
    pub(crate) label: String,
    /// The value for `--image` that selects it.
    pub(crate) name: String,
    pub(crate) image: &'a Image,
    pub(crate) accel: &'a AccelDecision,
}

impl Images {
    /// Builds every image that the scenarios need.
    ///
    /// # Errors
    /// When an image cannot be built.
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

    /// Label and name of each image for a scenario; each label once.
    fn names(&self, scenario: &Scenario) -> Vec<(String, String)> {
        let names = match &self.named[..] {
            [] => vec![scenario.setup.guest.image.clone()],
            named => named.to_owned(),
        };
        let label = |name: &str| self.own.as_ref().map(|own| label(&own.over(name)));
        let labelled = names.into_iter().map(|name| (label(&name).unwrap_or(name.clone()), name));
        let mut labelled: Vec<_> = labelled.collect();
        // If the user's parts replace the whole image, all named images give the same one.
        labelled.dedup_by(|a, b| a.0 == b.0);
        labelled
    }

    /// The images for one scenario.
    pub(crate) fn of(&self, scenario: &Scenario) -> Vec<Chosen<'_>> {
        let names = self.names(scenario).into_iter();
        let chosen = names.filter_map(|(label, name)| {
            let (image, accel) = self.ready.get(&label)?;
            Some(Chosen { label, name, image, accel })
        });
        chosen.collect()
    }

    pub(crate) fn are_several(&self) -> bool {
        self.ready.len() > 1
    }
}
