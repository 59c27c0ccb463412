//! The form for fault rules.

use crate::browser::Browser;

pub(crate) async fn a_rule_is_added_and_removed(page: &Browser) {
    page.click("#tab-faults").await;
    page.fill("#rule-name", "twice").await;
    let said =
        "document.querySelector('#rule-ctl').innerText.includes('fault add name=twice when')";
    page.until("the command of the form", said).await;
    page.click("#rule-add").await;
    page.sees("[data-rule=twice][data-state=armed]").await;
    page.sees("#broken li[data-of='fault twice']").await;
    page.click("[data-act='remove twice']").await;
    page.loses("[data-rule=twice][data-state=armed]").await;
    page.loses("#broken li").await;
}
