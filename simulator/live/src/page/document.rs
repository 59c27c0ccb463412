//! The document: the page's places, which the scripts fill.

use maud::{DOCTYPE, Markup, html};

/// The panes that share a place, each with its tab: id, name, shortcut.
const TABS: [(&str, &str, &str); 6] = [
    ("stream", "Stream", "1"),
    ("multipath", "multipath -ll", "2"),
    ("guest", "Terminal", "3"),
    ("faults", "Fault rules", "4"),
    ("work", "Workload", "5"),
    ("history", "History", "6"),
];

/// The document of the page.
pub(crate) fn document() -> Markup {
    html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width, initial-scale=1";
                meta name="color-scheme" content="light dark";
                title { "sansim: live lab" }
                link rel="icon" type="image/svg+xml" href="/assets/icon.svg";
                link rel="stylesheet" href="/assets/page.css";
                link rel="stylesheet" href="/assets/panes.css";
                link rel="stylesheet" href="/assets/topology.css";
                script type="module" src="/assets/main.js" {}
            }
            body {
                (bar())
                div #notices {}
                main {
                    (pane("san", "The SAN", html! { div #topology {} }))
                    (side())
                    (pane("charts", "Traffic and states", html! { div #chart {} }))
                    (dock())
                }
                section #tour aria-label="Guided tour" hidden {}
                footer #last aria-label="The last act" {}
                div #live .unseen role="status" aria-live="polite" {}
                noscript { p { "This page needs its scripts. Without them: sansim ctl status" } }
            }
        }
    }
}

/// The bar at the top: what runs, the clock, and what is done to the whole lab.
fn bar() -> Markup {
    html! {
        header #bar {
            h1 { "sansim" }
            p #lab {}
            div #clock {}
            div #time role="group" aria-label="Time" {}
            div #whole role="group" aria-label="The whole lab" {}
            div #view role="group" aria-label="View" {}
        }
    }
}

/// What is broken now, and what is held.
fn side() -> Markup {
    html! {
        aside #side aria-label="Broken now, and held" {
            section #broken-now aria-labelledby="broken-title" {
                h2 #broken-title { "Broken now" }
                ul #broken {}
            }
            section #held aria-labelledby="held-title" hidden {
                h2 #held-title { "Held" }
                ol #held-acts {}
            }
        }
    }
}

/// The panes that share a place.
fn dock() -> Markup {
    html! {
        section #dock .pane aria-label="Stream, terminal, rules" {
            div .tabs role="tablist" {
                @for (id, name, key) in TABS {
                    button role="tab" id={ "tab-" (id) } aria-controls=(id) aria-keyshortcuts=(key)
                        title={ (name) " (" (key) ")" } { (name) }
                }
            }
            @for (id, _, _) in TABS {
                div id=(id) role="tabpanel" aria-labelledby={ "tab-" (id) } tabindex="-1" hidden {}
            }
        }
    }
}

/// A pane with a heading.
fn pane(id: &str, title: &str, inside: Markup) -> Markup {
    html! {
        section id=(id) .pane aria-labelledby={ (id) "-title" } {
            div .head { h2 id={ (id) "-title" } { (title) } div .tools {} }
            (inside)
        }
    }
}
