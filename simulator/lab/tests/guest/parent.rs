//! QEMU does not outlive the program that started it, even if that program is killed.

use std::{
    fs,
    io::{BufRead, BufReader},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    time::Duration,
};

use sansim_lab::{Machine, WorkDir};

use crate::lab::Lab;

/// Set in the process that will be killed.
const VICTIM: &str = "SANSIM_TEST_VICTIM";

#[tokio::test]
async fn qemu_dies_with_its_parent_and_the_work_directory_is_swept() {
    let Some(lab) = Lab::open().await else { return };
    if std::env::var_os(VICTIM).is_some() {
        let machine = Machine::cold(lab.config(Vec::new())).await.unwrap();
        println!("\nvictim: {}", lab.work.path().display());
        machine.exited().await;
        return;
    }
    let (mut victim, work_dir) = start_victim();
    let qemu = running_in(&work_dir).expect("QEMU runs in the work directory");
    victim.kill().unwrap();
    victim.wait().unwrap();
    // Neither a zombie nor an ended process has a working directory.
    while running_in(&work_dir) == Some(qemu) {
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    assert!(work_dir.exists());
    assert!(WorkDir::sweep() >= 1);
    assert!(!work_dir.exists());
    assert!(lab.work.path().exists());
}

/// Runs this test in a separate process. Returns when its guest is up.
fn start_victim() -> (Child, PathBuf) {
    let mut victim = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "--nocapture"])
        .arg("parent::qemu_dies_with_its_parent_and_the_work_directory_is_swept")
        .env(VICTIM, "1")
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let lines = BufReader::new(victim.stdout.take().unwrap()).lines().map_while(Result::ok);
    let work_dir = lines
        .filter_map(|line| line.strip_prefix("victim: ").map(PathBuf::from))
        .next()
        .expect("the victim says where it works");
    (victim, work_dir)
}

/// The process with this working directory.
fn running_in(dir: &Path) -> Option<u32> {
    let processes = fs::read_dir("/proc").unwrap().flatten();
    let mut found = processes
        .filter(|entry| fs::read_link(entry.path().join("cwd")).is_ok_and(|cwd| cwd == dir));
    found.next()?.file_name().to_str()?.parse().ok()
}
