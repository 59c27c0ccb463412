//! Load on every core of the host, to check that it does not affect the guest.

use std::{
    process::{Child, Command, Stdio},
    thread::available_parallelism,
};

/// Two busy processes per core, until this is dropped.
pub(crate) struct Load(Vec<Child>);

impl Load {
    pub(crate) fn start() -> Load {
        let cores = available_parallelism().map_or(1, usize::from);
        Load((0..2 * cores).map(|_| spin()).collect())
    }
}

/// A busy process. It ends with the test, even if that is killed.
fn spin() -> Child {
    let mut shell = Command::new("sh");
    shell.args(["-c", "while kill -0 $PPID; do :; done"]);
    shell.stdin(Stdio::null()).stderr(Stdio::null()).spawn().expect("sh")
}

impl Drop for Load {
    fn drop(&mut self) {
        for child in &mut self.0 {
            // An error means that it has ended already.
            let _ = child.kill();
            let _ = child.wait();
        }
    }
}
