//! The terminal.

use crate::browser::Browser;

pub(crate) async fn a_command_is_typed(page: &Browser) {
    page.click("#tab-guest").await;
    page.until("a prompt", "document.querySelector('#screen').innerText.includes('guest:/#')")
        .await;
    page.types("echo hello-$((40+2))\u{e007}").await;
    page.until("the answer", "document.querySelector('#screen').innerText.includes('hello-42')")
        .await;
    // The pane's focus takes every key; this one leaves it.
    page.types("\u{e036}").await;
    page.until("another focus", "document.activeElement.id !== 'typed'").await;
}
