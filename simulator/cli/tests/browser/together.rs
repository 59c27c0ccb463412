//! Two browsers and a command line at one lab.

use crate::{broken::nothing_is_broken, browser::Browser, lab::Lab, tools::Tools};

pub(crate) async fn all_see_the_same_acts(tools: &Tools, lab: &Lab<'_>, page: &Browser) {
    let other = tools.open(&lab.address).await;
    nothing_is_broken(page).await;
    nothing_is_broken(&other).await;
    page.choose("[data-thing='port B0']", "unplug B0").await;
    for one in [page, &other] {
        one.sees("[data-thing='port B0'][data-state=unplugged]").await;
        said(one, "unplug B0").await;
    }
    assert_eq!(lab.status()["broken"][0]["thing"], "port B0");
    lab.ctl(&["plug", "B0"]);
    for one in [page, &other] {
        one.sees("[data-thing='port B0'][data-state=up]").await;
        said(one, "plug B0").await;
        nothing_is_broken(one).await;
    }
}

/// Waits until the last act is this command.
async fn said(page: &Browser, command: &str) {
    let shown = "document.querySelector('#last .command').textContent";
    page.until(command, &format!("{shown}.endsWith(' {command}')")).await;
}
