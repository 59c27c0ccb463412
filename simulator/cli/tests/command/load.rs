//! Work for every core of the host, to see whether the guest notices.

use std::{
    process::{Child, Command, Stdio},
    thread::available_parallelism,
};

/// Two spinning processes a core, until it is dropped.
pub(crate) struct Load(Vec<Child>);

impl Load {
    pub(crate) fn start() -> Load {
        let cores = available_parallelism().map_or(1, usize::from);
        Load((0..2 * cores).map(|_| spin()).collect())
    }
}

/// A process that does nothing else. It ends with this one, should that be killed.
fn spin() -> Child {
    let mut shell = Command::new("sh");
    shell.args(["-c", "while kill -0 $PPID; do :; done"]);
    shell.stdin(Stdio::null()).stderr(Stdio::null()).spawn().expect("sh")
}

impl Drop for Load {
    fn drop(&mut self) {
        for child in &mut self.0 {
            // One that has ended already is what is wanted.
            let _ = child.kill();
            let _ = child.wait();
        }
    }
}
