//! A lab for the browser.

use std::{
    fs::{self, File},
    io::{BufRead, BufReader, Lines},
    path::PathBuf,
    process::{Child, ChildStdout, Output, Stdio},
};

use serde_json::Value;

use crate::{
    memory::own_memory,
    place::{Place, text, wait_for},
};

/// A lab that runs; it ends with the test.
pub(crate) struct Lab<'p> {
    place: &'p Place,
    name: &'static str,
    child: Child,
    /// What the lab prints; it may go on printing.
    _said: Lines<BufReader<ChildStdout>>,
    /// The page's address, as it was printed.
    pub(crate) address: String,
}

impl<'p> Lab<'p> {
    /// Starts a lab. Its guest is not ready yet: the page shows that, too.
    pub(crate) fn up(place: &'p Place, name: &'static str) -> Lab<'p> {
        let mut up = place.sansim();
        up.args(["up", "rdac", "--name", name, "--seed", "7", "--out"]).arg(place.out());
        // Beside the runtime directory, where nothing may be left.
        let errors = place.file("errors", b"");
        let to = File::options().append(true).open(&errors).expect("a file");
        let mut child = up.stdout(Stdio::piped()).stderr(to).spawn().expect("sansim");
        let mut said = BufReader::new(child.stdout.take().expect("standard output")).lines();
        let address = said.by_ref().map_while(Result::ok).find_map(|line| {
            line.trim_start().strip_prefix("page").map(|address| address.trim().to_owned())
        });
        let Some(address) = address else {
            panic!("no lab: {}", fs::read_to_string(errors).unwrap_or_default());
        };
        Lab { place, name, child, _said: said, address }
    }

    /// A command that must succeed; what it has printed.
    pub(crate) fn ctl(&self, words: &[&str]) -> String {
        let mut ctl = self.place.sansim();
        let output = ctl.args(["ctl", "--lab", self.name]).args(words).output().expect("sansim");
        printed(&output)
    }

    pub(crate) fn status(&self) -> Value {
        serde_json::from_str(&self.ctl(&["--json", "status"])).expect("JSON")
    }

    /// The number of files and sockets that the lab has open.
    pub(crate) fn open_files(&self) -> usize {
        let directory = format!("/proc/{}/fd", self.child.id());
        fs::read_dir(directory).expect("the open files").count()
    }

    /// The memory of the lab's own, in bytes: without that of the guest.
    pub(crate) fn memory(&self) -> u64 {
        own_memory(self.child.id()).expect("RssAnon")
    }

    /// Ends the lab, and checks that nothing is left of it.
    pub(crate) fn down(mut self) {
        let mut down = self.place.sansim();
        printed(&down.args(["down", self.name]).output().expect("sansim"));
        assert!(self.child.wait().expect("its end").success());
        wait_for("the end of QEMU", || self.place.qemus().is_empty());
        assert_eq!(self.place.left_over(), Vec::<PathBuf>::new());
    }
}

/// What a command has printed, if it has succeeded.
fn printed(output: &Output) -> String {
    assert!(output.status.success(), "{}", text(output));
    String::from_utf8_lossy(&output.stdout).into_owned()
}

impl Drop for Lab<'_> {
    fn drop(&mut self) {
        // An error means that it has ended already.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
