//! A browser that goes away without a word.

use crate::{broken::nothing_is_broken, lab::Lab, place::wait_for, tools::Tools};

/// Connections that come and go at any time: of the other browsers, and of `ctl`.
const OTHERS: usize = 4;

pub(crate) async fn a_killed_browser_leaves_nothing(tools: &Tools, lab: &Lab<'_>) {
    let before = lab.open_files();
    let page = tools.open(&lab.address).await;
    nothing_is_broken(&page).await;
    page.click("#tab-guest").await;
    page.until("a prompt", "document.querySelector('#screen').innerText.includes('guest:/#')")
        .await;
    let with = lab.open_files();
    page.kill();
    let t = lab.status()["clock"]["t"].as_f64().expect("a time");
    wait_for("time to pass", || lab.status()["clock"]["t"].as_f64() > Some(t));
    wait_for("the end of its connections", || {
        let now = lab.open_files();
        now < with && now <= before + OTHERS
    });
}
