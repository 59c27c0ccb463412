//! The programs that the tests need.

use std::{
    env,
    io::{self, Write},
    path::PathBuf,
    thread,
};

use crate::browser::Browser;

/// An installed chromium, and the program that steers it.
pub(crate) struct Tools {
    pub(crate) chromium: PathBuf,
    pub(crate) chromedriver: PathBuf,
}

impl Tools {
    /// Returns `None` if one of them is not installed, and then prints that the test is skipped,
    /// even where the output of tests is captured.
    pub(crate) fn find() -> Option<Tools> {
        match (program("chromium"), program("chromedriver")) {
            (Some(chromium), Some(chromedriver)) => Some(Tools { chromium, chromedriver }),
            (chromium, _) => {
                let missing = if chromium.is_none() { "chromium" } else { "chromedriver" };
                let thread = thread::current();
                let test = thread.name().unwrap_or("a test");
                let _ = writeln!(
                    io::stderr(),
                    "\nSKIPPED: {test}: {missing} is not installed. On Debian: apt-get install \
                     chromium chromium-driver"
                );
                None
            }
        }
    }

    /// A browser of its own, with the page at this address.
    pub(crate) async fn open(&self, address: &str) -> Browser {
        Browser::open(self, address).await
    }
}

/// The program of this name in `PATH`.
fn program(name: &str) -> Option<PathBuf> {
    let path = env::var_os("PATH")?;
    env::split_paths(&path).map(|directory| directory.join(name)).find(|file| file.is_file())
}
