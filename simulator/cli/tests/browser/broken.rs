//! Breaking something in the picture, and mending it.

use crate::browser::Browser;

const ALL_WELL: &str = "document.documentElement.dataset.time === 'running' && \
    document.querySelector(\"[data-thing='hba0:A0'] .flow\") && \
    ['hba0:A0', 'hba0:B0', 'hba1:A1', 'hba1:B1'].every((path) => \
    document.querySelector(`[data-thing='${path}'][data-state=active]`)) && \
    document.querySelector(\"[data-thing='lun 0'][data-owner=A]\") && \
    document.querySelector(\"[data-thing='lun 1'][data-owner=B]\") && \
    !document.querySelector('#broken li')";

/// Waits until there is traffic, and everything is as at the start.
pub(crate) async fn nothing_is_broken(page: &Browser) {
    page.until("a SAN that is well", ALL_WELL).await;
}

pub(crate) async fn a_controller_fails_and_is_restored(page: &Browser) {
    nothing_is_broken(page).await;
    page.sees("[data-thing='controller A'][data-state=online]").await;
    page.choose("[data-thing='controller A']", "fail controller A").await;
    page.sees("[data-thing='controller A'][data-state=failed]").await;
    for path in ["hba0:A0", "hba1:A1"] {
        page.sees(&format!("[data-thing='{path}'][data-state=down]")).await;
    }
    page.sees("[data-thing='lun 0'][data-owner=B]").await;
    page.sees("[data-thing='controller A'] .badge").await;
    page.until(
        "the command",
        "document.querySelector('#last').innerText.includes('fail controller A')",
    )
    .await;
    page.click("#broken li[data-of='controller A'] button").await;
    page.sees("[data-thing='controller A'][data-state=online]").await;
    nothing_is_broken(page).await;
}
