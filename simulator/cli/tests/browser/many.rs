//! More events than anybody can read.

use std::time::Duration;

use crate::{browser::Browser, lab::Lab};

const MIB: u64 = 1 << 20;

/// Commands that a rule has caught are events of the page, reads, too.
const RULE: [&str; 7] = ["fault", "add", "name=caught", "when", "op=READ", "then", "delay=1ms"];
/// I/O without an end.
const IO: [&str; 6] = ["io", "start", "lun=1", "rate=1500", "read_percent=100", "queue_depth=16"];

/// How long the events come, and how many there are at least, on however slow a host.
const LASTS: Duration = Duration::from_secs(60);
const LEAST: u64 = 6000;

pub(crate) async fn a_thousand_events_a_second(lab: &Lab<'_>, page: &Browser) {
    lab.ctl(&IO);
    lab.ctl(&RULE);
    page.until(
        "a long stream",
        "parseInt(document.querySelector('#log-count').textContent) > 1000",
    )
    .await;
    let (memory, heap) = (lab.memory(), heap(page).await);
    tokio::time::sleep(LASTS).await;
    let events = caught(lab);
    assert!(events > LEAST, "only {events} events");
    println!("{} events a second for {} s", events / LASTS.as_secs(), LASTS.as_secs());
    page.choose("[data-thing='hba1:B1'] .chip", "link port=B1 hba=1 up=false").await;
    page.sees("[data-thing='hba1:B1'][data-state=down]").await;
    page.script(
        "window.frames_seen = 0; const count = () => { window.frames_seen += 1; \
        requestAnimationFrame(count); }; count();",
    )
    .await;
    page.until("frames", "window.frames_seen > 20").await;
    let (memory_now, heap_now) = (lab.memory(), self::heap(page).await);
    assert!(heap_now < heap + 32 * MIB, "the page has grown from {heap} to {heap_now} bytes");
    assert!(
        memory_now < memory + 128 * MIB,
        "the lab has grown from {memory} to {memory_now} bytes"
    );
}

/// The bytes of the page's objects that are still in use.
async fn heap(page: &Browser) -> u64 {
    let used = page.script("gc(); return performance.memory.usedJSHeapSize").await;
    used.as_u64().expect("a number")
}

/// How many commands the rule has caught.
fn caught(lab: &Lab<'_>) -> u64 {
    let status = lab.status();
    let rules = status["faults"].as_array().expect("a list");
    let rule = rules.iter().find(|rule| rule["name"] == "caught").expect("the rule");
    rule["fired"].as_u64().expect("a number")
}
