//! `sansim down`: ends labs.

use std::time::Duration;

use sansim_live::{client::Client, place::Place};
use tokio::time::{Instant, sleep};

use super::{args::DownArgs, failed::Failed};
use crate::{LAB, PASS, show};

/// How long a lab may take to end.
const AT_MOST: Duration = Duration::from_secs(30);

pub(crate) async fn down(args: DownArgs) -> u8 {
    let names = match args.all {
        true => Place::labs().map(|labs| labs.into_iter().map(|lab| lab.name).collect()),
        false => Place::find(args.name.as_deref()).map(|lab| vec![lab.name]),
    };
    let names: Vec<String> = match names {
        Ok(names) => names,
        Err(error) => return Failed::from(error).print(),
    };
    let mut code = PASS;
    for name in names {
        match end(&name).await {
            Ok(()) => outln!("the lab {name} has ended"),
            Err(Failed(failed, why)) => {
                show::error(&format!("{name}: {why}"));
                code = code.max(failed);
            }
        }
    }
    code
}

/// Ends a lab, and waits until it is gone.
async fn end(name: &str) -> Result<(), Failed> {
    let lab = Place::find(Some(name))?;
    Client::new(lab.socket).down().await?;
    let late = Instant::now() + AT_MOST;
    while Place::labs()?.iter().any(|there| there.name == name) {
        if Instant::now() > late {
            let pid = lab.about.map_or(String::new(), |about| format!(" (process {})", about.pid));
            return Err(Failed(LAB, format!("it is still there after {AT_MOST:?}{pid}")));
        }
        sleep(Duration::from_millis(50)).await;
    }
    Ok(())
}
