//! Holding acts back, and doing them at one time.

use crate::{broken::nothing_is_broken, browser::Browser};

/// The story times of the last two acts.
const TIMES: &str = "return [...document.querySelectorAll('#acts li')].slice(0, 2)\
    .map((act) => act.querySelector('.time').textContent)";

pub(crate) async fn two_acts_happen_at_one_time(page: &Browser) {
    page.click("#hold").await;
    page.choose("[data-thing='port A0']", "link port=A0 up=false").await;
    page.choose("[data-thing='hba1:B1'] .chip", "link port=B1 hba=1 up=false").await;
    page.until("two held acts", "document.querySelectorAll('#held-acts li').length === 2").await;
    page.sees("[data-thing='port A0'][data-state=up]").await;
    page.loses("#broken li").await;
    page.click("#go").await;
    page.sees("[data-thing='port A0'][data-state=down]").await;
    page.sees("[data-thing='hba1:B1'][data-state=down]").await;
    page.until("two broken things", "document.querySelectorAll('#broken li').length === 2").await;
    page.click("#tab-history").await;
    page.sees("#acts li:nth-child(2)[data-act*='link']").await;
    let times = page.script(TIMES).await;
    assert_eq!(times[0], times[1], "{times}");
    page.click("#reset").await;
    page.click("#reset-do").await;
    nothing_is_broken(page).await;
}
