//! A live lab that stays up beside the rounds: it is broken and mended, and must not grow.

use std::{
    process::{Child, Output, Stdio},
    thread::sleep,
    time::{Duration, Instant},
};

use crate::{memory::own_memory, room::Room};

/// How much more memory the lab may have at the end than after its first minute, in bytes.
const GROWS: u64 = 32 << 20;
const WARM: Duration = Duration::from_secs(60);
const PATIENCE: Duration = Duration::from_secs(300);

/// A lab with the usual I/O.
pub(crate) struct Lab<'r> {
    room: &'r Room,
    child: Child,
    began: Instant,
    looks: usize,
    /// Its own memory after the first minute, in bytes.
    first: Option<u64>,
    wrong: Vec<String>,
}

impl<'r> Lab<'r> {
    pub(crate) fn up(room: &'r Room) -> Lab<'r> {
        let mut up = room.sansim();
        up.args(["up", "rdac", "--name", "soak", "--out"]).arg(room.place.path().join("lab"));
        let child = up.stdout(Stdio::null()).stderr(Stdio::null()).spawn().expect("sansim up");
        let began = Instant::now();
        let lab = Lab { room, child, began, looks: 0, first: None, wrong: Vec::new() };
        while !lab.ctl(&["exec", "--", "true"]).status.success() {
            assert!(began.elapsed() < PATIENCE, "the lab does not start");
            sleep(Duration::from_millis(200));
        }
        lab
    }

    fn ctl(&self, words: &[&str]) -> Output {
        let mut ctl = self.room.sansim();
        ctl.args(["ctl", "--lab", "soak"]).args(words).output().expect("sansim ctl")
    }

    fn does(&mut self, words: &[&str]) {
        let output = self.ctl(words);
        if !output.status.success() {
            let said = String::from_utf8_lossy(&output.stderr).into_owned();
            self.wrong.push(format!("the lab: ctl {}: {said}", words.join(" ")));
        }
    }

    /// Breaks a controller at one look, and mends it at the next.
    pub(crate) fn look(&mut self) {
        let broken = self.looks % 2 == 1;
        self.does(if broken { &["reset"] } else { &["fail", "controller", "A"] });
        self.looks += 1;
        if self.began.elapsed() > WARM && self.first.is_none() {
            self.first = own_memory(self.child.id());
        }
    }

    /// Mends everything and ends it. Returns what is wrong.
    pub(crate) fn down(mut self) -> Vec<String> {
        self.does(&["reset"]);
        self.does(&["wait", "paths active=4 and owner lun=0 controller=A", "--for", "300s"]);
        let (first, last) = (self.first, own_memory(self.child.id()));
        match (first, last) {
            (Some(first), Some(last)) => {
                println!("the lab's memory: {} MiB, then {} MiB", first >> 20, last >> 20);
                if last > first + GROWS {
                    self.wrong.push("the lab has grown".to_owned());
                }
            }
            (_, None) => self.wrong.push("the lab is not there".to_owned()),
            (None, _) => println!("the lab's memory: too short a time to tell"),
        }
        let down = self.room.sansim().args(["down", "soak"]).output().expect("sansim down");
        if !down.status.success() || !self.child.wait().expect("its end").success() {
            self.wrong.push("the lab has not ended well".to_owned());
        }
        std::mem::take(&mut self.wrong)
    }
}

impl Drop for Lab<'_> {
    fn drop(&mut self) {
        // An error means that it has ended already.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
