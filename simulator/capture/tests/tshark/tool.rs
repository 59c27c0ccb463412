//! Runs tshark.

use std::{
    io::{self, Write},
    process::Command,
    thread,
};

use crate::san::Captured;

/// An installed tshark.
pub(crate) struct Tshark {
    script: Option<&'static str>,
}

impl Tshark {
    /// Returns `None` if tshark is not installed, and then prints that the test is skipped, even
    /// where the output of tests is captured.
    pub(crate) fn find() -> Option<Tshark> {
        if Command::new("tshark").arg("--version").output().is_ok() {
            return Some(Tshark { script: None });
        }
        let thread = thread::current();
        let test = thread.name().unwrap_or("a test");
        let _ = writeln!(
            io::stderr(),
            "\nSKIPPED: {test}: tshark is not installed. On Debian: apt-get install tshark"
        );
        None
    }

    /// Loads a Lua script.
    pub(crate) fn with_script(self, path: &'static str) -> Tshark {
        Tshark { script: Some(path) }
    }

    /// What tshark prints of a capture.
    pub(crate) fn read(&self, capture: &Captured, args: &[&str]) -> String {
        let mut command = Command::new("tshark");
        // Without the user's preferences. Two passes, so that a request knows its response.
        command.env("HOME", capture.file.parent().unwrap()).env_remove("XDG_CONFIG_HOME");
        command.arg("-2").arg("-r").arg(&capture.file);
        if let Some(script) = &self.script {
            command.arg("-X").arg(format!("lua_script:{script}"));
        }
        let output = command.args(args).output().expect("tshark");
        let text = String::from_utf8(output.stdout).expect("UTF-8");
        let errors = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "tshark {args:?}: {errors}{text}");
        assert!(!errors.contains("Lua"), "{errors}");
        text
    }

    /// The fields of each packet that `filter` selects, as tshark prints them; empty where a packet
    /// does not have the field.
    pub(crate) fn fields(
        &self,
        capture: &Captured,
        filter: &str,
        fields: &[&str],
    ) -> Vec<Vec<String>> {
        let mut args = vec!["-Y", filter, "-T", "fields"];
        args.extend(fields.iter().flat_map(|field| ["-e", *field]));
        let text = self.read(capture, &args);
        text.lines().map(|line| line.split('\t').map(str::to_owned).collect()).collect()
    }
}
