//! The assets of the page: its scripts and style, in the program.

/// A file that the document refers to.
pub(super) struct Asset {
    /// Its name below `/assets/`.
    pub(super) name: &'static str,
    /// What is in it.
    pub(super) text: &'static str,
}

macro_rules! assets {
    ($($name:literal)*) => {
        /// All assets.
        pub(super) const ASSETS: &[Asset] = &[$(Asset {
            name: $name,
            text: include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/page/", $name)),
        },)*];
    };
}

assets! {
    "acts.js"
    "api.js"
    "charts.js"
    "dom.js"
    "faults.js"
    "form.js"
    "format.js"
    "health.js"
    "history.js"
    "icon.svg"
    "keys.js"
    "keysequence.js"
    "layout.js"
    "lines.js"
    "log.js"
    "lunbox.js"
    "main.js"
    "menu.js"
    "multipath.js"
    "notices.js"
    "page.css"
    "paint.js"
    "panes.css"
    "rates.js"
    "save.js"
    "schema.js"
    "series.js"
    "shapes.js"
    "state.js"
    "stream.js"
    "tabs.js"
    "terminal.js"
    "theme.js"
    "time.js"
    "toml.js"
    "topology.css"
    "topology.js"
    "tour.js"
    "whole.js"
    "words.js"
    "work.js"
}

impl Asset {
    /// Its content type.
    pub(super) fn content_type(&self) -> &'static str {
        match self.name.rsplit_once('.').map(|(_, ending)| ending) {
            Some("js") => "text/javascript; charset=utf-8",
            Some("css") => "text/css; charset=utf-8",
            Some("svg") => "image/svg+xml",
            _ => "application/octet-stream",
        }
    }
}

/// The asset with this name.
pub(super) fn find(name: &str) -> Option<&'static Asset> {
    ASSETS.iter().find(|asset| asset.name == name)
}
