//! libFuzzer, as long as `ci/fuzz` wants it.
//!
//! libFuzzer usually has the process to itself; here its driver is called by a test, so that a harness can be
//! private to its crate.

use std::{
    env,
    ffi::{CString, c_char, c_int},
    fs,
    path::PathBuf,
    sync::{Mutex, OnceLock},
    time::{Duration, Instant},
};

use crate::Harness;

/// What separates the arguments of the test from those of libFuzzer. The test takes them for names of further tests, of
/// which there are none.
const SEPARATOR: &str = "--";
/// The environment variable that names the file for the [`Figures`].
const FIGURES: &str = "SANSIM_FUZZ_FIGURES";
/// How often the figures are written. libFuzzer ends the process itself, so they may lack the last moment.
const OFTEN: Duration = Duration::from_millis(200);

static HARNESS: OnceLock<Harness> = OnceLock::new();
static SO_FAR: Mutex<Option<Figures>> = Mutex::new(None);

/// What went through the harness.
struct Figures {
    file: PathBuf,
    inputs: u64,
    bytes: u64,
    began: Instant,
    written: Instant,
}

impl Figures {
    fn count(&mut self, bytes: usize) {
        self.inputs += 1;
        self.bytes += bytes as u64;
        let now = Instant::now();
        if now - self.written > OFTEN {
            self.written = now;
            let millis = (now - self.began).as_millis();
            // Without the figures the run goes on.
            let _ = fs::write(&self.file, format!("{} {} {millis}\n", self.inputs, self.bytes));
        }
    }
}

// libFuzzer's entry points, which call the harness, and abort the process when it panics.
libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    if let Some(figures) = SO_FAR.lock().expect("nothing panics with it").as_mut() {
        figures.count(bytes.len());
    }
    let harness = HARNESS.get().expect("it was set before libFuzzer began");
    harness(bytes);
});

type OneInput = unsafe extern "C" fn(*const u8, usize) -> c_int;

unsafe extern "C" {
    /// libFuzzer's `main` (FuzzerDriver.cpp). Ends the process when the time is over.
    fn LLVMFuzzerRunDriver(
        count: *mut c_int,
        arguments: *mut *mut *mut c_char,
        one_input: OneInput,
    ) -> c_int;
    /// Defined by `libfuzzer_sys`.
    fn LLVMFuzzerTestOneInput(bytes: *const u8, len: usize) -> c_int;
}

/// libFuzzer's arguments, if there are any: its program first, which is this process with the arguments of the test.
/// libFuzzer starts it again to merge corpora, by a shell.
pub(crate) fn arguments() -> Option<Vec<String>> {
    let all: Vec<String> = env::args().collect();
    let (own, given) = all.split_at(all.iter().position(|it| it == SEPARATOR)? + 1);
    Some([&[own.join(" ")], given].concat())
}

/// Feeds the harness with inputs until libFuzzer ends the process.
pub(crate) fn run(harness: Harness, arguments: Vec<String>) {
    HARNESS.set(harness).expect("a process has one target");
    if let Some(file) = env::var_os(FIGURES) {
        let now = Instant::now();
        let figures = Figures { file: file.into(), inputs: 0, bytes: 0, began: now, written: now };
        *SO_FAR.lock().expect("nothing panics with it") = Some(figures);
    }
    let mut pointers: Vec<*mut c_char> = arguments
        .into_iter()
        .map(|argument| CString::new(argument).expect("it has no zero byte").into_raw())
        .chain([std::ptr::null_mut()])
        .collect();
    let mut count = pointers.len() as c_int - 1;
    let mut list = pointers.as_mut_ptr();
    // SAFETY: `list` has `count` strings that end with zero, and a null pointer after them. They live as long as
    // the process, as does the list while this function does not return. The callback is libfuzzer_sys's own.
    let code = unsafe { LLVMFuzzerRunDriver(&mut count, &mut list, LLVMFuzzerTestOneInput) };
    std::process::exit(code);
}
