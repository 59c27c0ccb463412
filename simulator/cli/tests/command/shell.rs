//! `sansim replay --shell`.

use std::{
    fs::File,
    io::{Read, Write},
    path::PathBuf,
    process::Stdio,
    sync::{Arc, Mutex},
};

use rustix::{
    pty::{OpenptFlags, ioctl_tiocgptpeer, openpt, unlockpt},
    termios::{LocalModes, Winsize, tcgetattr, tcsetwinsize},
};

use crate::{
    place::{Place, signal, text, wait_for},
    replay::run,
};

#[test]
fn what_is_piped_into_it_is_done_in_the_guest_where_the_story_stands() {
    let place = Place::new();
    let run = run(&place);
    let mut replay = place.sansim();
    replay.arg("replay").arg(&run).args(["--until", "step:step-1", "--shell", "--out"]);
    let child = replay.arg(place.out()).stdin(Stdio::piped()).stdout(Stdio::piped()).spawn();
    let mut child = child.unwrap();
    // The controller has just failed, and no I/O has hit it yet; a second later some has.
    let script = b"dmsetup status lun0\nsleep 1\ndmsetup status lun0\necho $((6 * 7)) $(tty)\n";
    child.stdin.take().unwrap().write_all(script).unwrap();
    let output = child.wait_with_output().unwrap();
    let said = text(&output);
    assert_eq!(output.status.code(), Some(0), "{said}");
    for part in ["held at 0.3", "8:0 A", "8:0 F", "42 /dev/pts/0", "the shell has ended"] {
        assert!(said.contains(part), "{part:?} is missing:\n{said}");
    }
    let late = place
        .sansim()
        .arg("replay")
        .arg(&run)
        .args(["--until", "900s", "--shell", "--out"])
        .arg(place.out())
        .output()
        .unwrap();
    assert_eq!(late.status.code(), Some(2), "{}", text(&late));
    assert!(text(&late).contains("the story did not reach 900 s"), "{}", text(&late));
    assert!(place.qemus().is_empty());
    assert_eq!(place.left_over(), Vec::<PathBuf>::new());
}

#[test]
fn at_a_terminal_it_is_one_and_can_be_left_whatever_goes_on_in_it() {
    let place = Place::new();
    let run = run(&place);
    let flags = OpenptFlags::RDWR | OpenptFlags::NOCTTY | OpenptFlags::CLOEXEC;
    let end = File::from(openpt(flags).unwrap());
    unlockpt(&end).unwrap();
    let size = Winsize { ws_row: 33, ws_col: 101, ws_xpixel: 0, ws_ypixel: 0 };
    tcsetwinsize(&end, size).unwrap();
    let far = File::from(ioctl_tiocgptpeer(&end, flags).unwrap());
    let cooked = |far: &File| tcgetattr(far).unwrap().local_modes.contains(LocalModes::ICANON);
    let mut replay = place.sansim();
    replay.arg("replay").arg(&run).args(["--until", "step:step-1", "--shell", "--out"]);
    replay.arg(place.out()).env("TERM", "xterm");
    let ends = [far.try_clone().unwrap(), far.try_clone().unwrap(), far.try_clone().unwrap()];
    let [stdin, stdout, stderr] = ends;
    let mut child = replay.stdin(stdin).stdout(stdout).stderr(stderr).spawn().unwrap();
    let shown = Arc::new(Mutex::new(String::new()));
    let (mut reader, showing) = (end.try_clone().unwrap(), Arc::clone(&shown));
    std::thread::spawn(move || {
        let mut buffer = [0; 4096];
        while let Ok(len @ 1..) = reader.read(&mut buffer) {
            showing.lock().unwrap().push_str(&String::from_utf8_lossy(&buffer[..len]));
        }
    });
    let sees = |part: &str| wait_for(part, || shown.lock().unwrap().contains(part));
    let types = |text: &str| (&end).write_all(text.as_bytes()).unwrap();
    sees("guest:/# ");
    assert!(!cooked(&far), "what is typed is the guest's");
    types("stty size; echo $TERM\r");
    sees("33 101");
    sees("xterm\r\n");
    let size = Winsize { ws_row: 40, ws_col: 99, ws_xpixel: 0, ws_ypixel: 0 };
    tcsetwinsize(&end, size).unwrap();
    // On a real terminal, the kernel sends this signal to the foreground process.
    signal(child.id(), "WINCH");
    types("sleep 0.2; stty size\r");
    sees("40 99");
    // Ctrl-C goes to the guest, too.
    types("echo now; sleep 1000\r");
    sees("\rnow");
    types("\x03");
    types("echo again\r");
    sees("\ragain");
    types("echo asleep; sleep 1000\r");
    sees("\rasleep");
    types("\x1d");
    assert_eq!(child.wait().unwrap().code(), Some(0), "{}", shown.lock().unwrap());
    sees("the shell has ended");
    assert!(cooked(&far), "the terminal is as it was");
    assert!(place.qemus().is_empty());
    assert_eq!(place.left_over(), Vec::<PathBuf>::new());
}
