//! Runs harnesses: functions that feed bytes from outside to whatever reads them.
//!
//! A harness takes any bytes and returns. It panics if the reader does, if a bound is exceeded, or if an answer
//! is not what it must be. It lies beside the reader, in the tests of its crate, so that it can use what is
//! private there; no crate has public items for it. [`fuzz`] runs it in three ways:
//!
//! | | |
//! |---|---|
//! | `cargo test` | the corpus (`corpus/TARGET`), and a thousand inputs that proptest makes of it, within seconds |
//! | `ci/fuzz TARGET --minutes N` | [libFuzzer](https://llvm.org/docs/LibFuzzer.html), guided by coverage, in a build with `--cfg fuzzing` |
//! | `ci/fuzz TARGET --repeat FILE` | one input |
//!
//! Inputs on which a harness fails are written to `target/fuzz/TARGET`. What was mended stays in the corpus.

mod corpus;
mod mutations;
#[cfg(fuzzing)]
mod volume;

use std::{env, fs, path::Path};

use corpus::Input;

/// What a target reads and checks: any bytes in, a panic if something is wrong.
pub type Harness = fn(&[u8]);

/// The environment variable that names the one input to run.
const REPEAT: &str = "SANSIM_FUZZ_REPEAT";

/// Runs a harness; see the crate's documentation for the ways. `target` is its name in `ci/fuzz --list` and the
/// name of its corpus.
///
/// # Panics
/// If the harness panics, with the command that repeats it; or if the target has no corpus.
pub fn fuzz(target: &str, harness: Harness) {
    if let Some(file) = env::var_os(REPEAT) {
        let file = Path::new(&file);
        let bytes = fs::read(file).unwrap_or_else(|why| panic!("{}: {why}", file.display()));
        return harness(&bytes);
    }
    #[cfg(fuzzing)]
    if let Some(arguments) = volume::arguments() {
        return volume::run(harness, arguments);
    }
    let corpus = corpus::read(target);
    for Input { path, bytes } in &corpus {
        let _told = corpus::Told { target, path };
        harness(bytes);
    }
    mutations::run(target, harness, corpus);
}
