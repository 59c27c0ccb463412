//! Measures how long it takes until a story begins, from its checkpoint and from a cold boot, and how long
//! plain QEMU takes to boot the same kernel. All runs alternate on the same host. Prints medians and ratios,
//! asserts nothing.
//!
//! `SANSIM_VMLINUZ` names the compressed kernel for the plain boot (`ci/bench` fetches the package that
//! contains it). Without it that part is left out, with a message.

use std::{
    fs,
    io::{BufRead, BufReader},
    path::{Path, PathBuf},
    process::{Command, ExitCode, Stdio},
    time::Instant,
};

use sansim_lab::{ImageStore, Quiet};

const ROUNDS: usize = 5;

const STORY: &str = r#"
title = "boot benchmark"
run_for = "500ms"
[array]
personality = "rdac"
luns = [{ size = "64MiB", owner = "A" }]
"#;

/// Measurements of several runs, in seconds and bytes.
#[derive(Debug, Default)]
struct Figures {
    started: Vec<f64>,
    first_io: Vec<f64>,
    sansim_bytes: u64,
    qemu_bytes: u64,
}

impl Figures {
    fn take(&mut self, scenario: &Path, out: &Path, options: &[&str]) {
        let run = Command::new(env!("CARGO_BIN_EXE_sansim"))
            .arg("run")
            .arg(scenario)
            .arg("--out")
            .arg(out)
            .args(options)
            .output()
            .expect("sansim");
        assert!(run.status.success(), "{}", String::from_utf8_lossy(&run.stderr));
        let text = fs::read_to_string(out.join("latest/summary.json")).expect("summary.json");
        let summary: serde_json::Value = serde_json::from_str(&text).expect("JSON");
        self.started.push(summary["started_s"].as_f64().expect("started_s"));
        self.first_io.push(summary["first_io_s"].as_f64().expect("first_io_s"));
        let bytes = |who: &str| summary["memory"][who].as_u64().unwrap_or_default();
        self.sansim_bytes = self.sansim_bytes.max(bytes("sansim"));
        self.qemu_bytes = self.qemu_bytes.max(bytes("qemu"));
    }
}

fn median(seconds: &[f64]) -> f64 {
    let mut sorted = seconds.to_vec();
    sorted.sort_by(f64::total_cmp);
    sorted.get(sorted.len() / 2).copied().unwrap_or(f64::NAN)
}

/// Seconds from starting QEMU by hand until its kernel starts /init.
fn plain_boot(vmlinuz: &Path, initramfs: &Path) -> f64 {
    let began = Instant::now();
    let mut qemu = Command::new("qemu-system-x86_64")
        .args(["-accel", "tcg", "-m", "256", "-nographic", "-no-reboot", "-net", "none"])
        .args(["-append", "console=ttyS0 panic=-1", "-kernel"])
        .arg(vmlinuz)
        .arg("-initrd")
        .arg(initramfs)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .spawn()
        .expect("qemu-system-x86_64");
    let console = BufReader::new(qemu.stdout.take().expect("a pipe"));
    let init = |line: &std::io::Result<Vec<u8>>| {
        line.as_ref()
            .is_ok_and(|l| String::from_utf8_lossy(l).contains("Run /init as init process"))
    };
    let reached = console.split(b'\n').any(|line| init(&line));
    let seconds = began.elapsed().as_secs_f64();
    let _ = qemu.kill();
    let _ = qemu.wait();
    assert!(reached, "the plain guest did not reach its init");
    seconds
}

#[tokio::main]
async fn main() -> ExitCode {
    let store = ImageStore::open().expect("a cache directory");
    let image = store.build("bookworm", &Quiet).await.expect("the image");
    let place = tempfile::tempdir().expect("a temporary directory");
    let (scenario, out) = (place.path().join("boot.toml"), place.path().join("out"));
    fs::write(&scenario, STORY).expect("a scenario file");
    let vmlinuz = std::env::var_os("SANSIM_VMLINUZ").map(PathBuf::from);

    let managed = place.path().join("managed.toml");
    fs::write(&managed, format!("{STORY}[guest]\nmanager = \"multipathd\"\n")).expect("a file");
    println!(
        "kernel {}, 2 HBAs, medians of {ROUNDS}, seconds from the command's start",
        image.release
    );
    let (mut warm, mut cold) = (Figures::default(), Figures::default());
    for (name, scenario) in [("dmsetup", &scenario), ("multipathd", &managed)] {
        (warm, cold) = (Figures::default(), Figures::default());
        // Creates template and checkpoint, so that this is not measured.
        Figures::default().take(scenario, &out, &["--time", "skip"]);
        for _ in 0..ROUNDS {
            warm.take(scenario, &out, &["--time", "skip"]);
            cold.take(scenario, &out, &["--time", "skip", "--cold"]);
        }
        for (what, of) in [
            ("guest there", (|f| &f.started) as fn(&Figures) -> &Vec<f64>),
            ("first I/O on the map", |f| &f.first_io),
        ] {
            let (warm, cold) = (median(of(&warm)), median(of(&cold)));
            println!(
                "{name:<11}{what:<22}{warm:>6.2} from a checkpoint {cold:>6.2} cold {:>6.1} x",
                cold / warm
            );
        }
    }
    match vmlinuz {
        Some(vmlinuz) => {
            let plain: Vec<f64> =
                (0..ROUNDS).map(|_| plain_boot(&vmlinuz, &image.initramfs)).collect();
            println!("plain QEMU -kernel vmlinuz to init {:>5.2}", median(&plain));
        }
        None => println!("plain QEMU: left out, SANSIM_VMLINUZ is not set"),
    }
    let mib = |bytes: u64| bytes as f64 / (1 << 20) as f64;
    println!(
        "{:<44}{:>8.1} MiB",
        "peak memory of sansim",
        mib(warm.sansim_bytes.max(cold.sansim_bytes))
    );
    println!("{:<44}{:>8.1} MiB", "peak memory of QEMU", mib(warm.qemu_bytes.max(cold.qemu_bytes)));
    ExitCode::SUCCESS
}
