//! `sansim tour`: the guided tours.

use sansim_live::{Play, captions, tour, tours};

use crate::{PASS, USAGE, args::TourArgs, show, up};

pub(crate) async fn guide(args: TourArgs) -> u8 {
    let Some(what) = &args.what else { return list() };
    let known = up::scenario(what, &args.lab.set, tour, "a tour; `sansim tour` lists them");
    let Some((file, scenario)) = known else { return USAGE };
    if captions(&scenario).next().is_none() {
        show::error(&format!(
            "no step of {what} has a `caption`, so there is no tour; `sansim up --play {what}` does the steps"
        ));
        return USAGE;
    }
    up::start(&args.lab, file, scenario, Play::Tour { by_itself: args.auto }).await
}

/// Prints each tour with the number of its captions and its title.
fn list() -> u8 {
    for name in tours() {
        if let Some(Ok(scenario)) = tour(name, &[]) {
            let title = scenario.title.trim_start_matches("tour: ");
            outln!("{name:<20} {} captions  {title}", captions(&scenario).count());
        }
    }
    PASS
}
