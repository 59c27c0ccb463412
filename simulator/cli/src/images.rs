//! The guest images that a `sansim run` needs.

use std::collections::{BTreeMap, BTreeSet, btree_map::Entry};

use sansim_lab::{AccelDecision, Image, ImageStore, LabError, variant};
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
    /// From `--with`.
    packages: Vec<String>,
    store: ImageStore,
    /// The images that are meant, without what scenarios want to be added.
    plain: BTreeSet<String>,
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
        let (packages, store) = (args.own.with.clone(), lab.store().clone());
        let plain = BTreeSet::new();
        let mut images = Images { named, own, packages, store, plain, ready: BTreeMap::new() };
        let progress = Announce::new();
        let scenarios: Vec<&Scenario> = scenarios.collect();
        images.plain = scenarios.iter().flat_map(|scenario| images.plain_names(scenario)).collect();
        // Which modules an image has is known when it is built.
        for scenario in scenarios.iter().filter(|it| it.setup.guest.has_unusual_modules()) {
            for name in images.plain_names(scenario) {
                lab.prepare(&name, &progress).await?;
            }
        }
        for (label, name) in
            scenarios.iter().flat_map(|scenario| images.names(scenario)).collect::<Vec<_>>()
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
        let guest = &scenario.setup.guest;
        let packages = [&guest.packages[..], &self.packages].concat();
        let names = self.plain_names(scenario).into_iter().map(|name| {
            let modules = self.store.modules_left_out(&name, &guest.modules);
            variant(&name, &packages, &modules)
        });
        let label = |name: &str| self.own.as_ref().map(|own| label(&own.over(name)));
        let labelled = names.map(|name| (label(&name).unwrap_or(name.clone()), name));
        let mut labelled: Vec<_> = labelled.collect();
        // If the user's parts replace the whole image, all named images give the same one.
        labelled.dedup_by(|a, b| a.0 == b.0);
        labelled
    }

    /// The names of the images for a scenario, without what it wants to be added.
    fn plain_names(&self, scenario: &Scenario) -> Vec<String> {
        meant(&self.named, scenario).to_owned()
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

    /// Whether the same scenarios run on several images.
    pub(crate) fn are_several(&self) -> bool {
        self.plain.len() > 1 && self.ready.len() > 1
    }
}

/// The images that are meant for a scenario: those that the user has named, or else its own.
pub(crate) fn meant<'a>(named: &'a [String], scenario: &'a Scenario) -> &'a [String] {
    match named {
        [] => std::slice::from_ref(&scenario.setup.guest.image),
        named => named,
    }
}
