//! `summary.json` of a run, from the facts about its machine and what its story came to.

use sansim_lab::{TimeMode, is_bundled_module, kernel_command_line};
use sansim_report::{
    timings::Timings,
    verdict::{IoSummary, MemorySummary, PartsSummary, Summary, Verdict},
};

use crate::{Facts, RunError, RunSpec, explain, recorder::Recorder, story::Told};

/// The summary. The caller fills in what is only known later: timings, CPU time of this process, wall-clock time.
pub(super) fn summarize(
    spec: &RunSpec,
    recorder: &Recorder<'_>,
    facts: &Facts,
    told: Result<Told, RunError>,
) -> Summary {
    let (verdict, reason) = match &told {
        Ok(told) => explain::verdict(told, &spec.scenario),
        Err(
            error @ (RunError::LacksModule { .. }
            | RunError::LacksProgram { .. }
            | RunError::NewerTools(_)
            | RunError::NoModule(_)),
        ) => (Verdict::Skipped, Some(error.to_string())),
        Err(error) => (Verdict::Error, Some(error.to_string())),
    };
    let told = told.unwrap_or_default();
    let io = &told.workload;
    let seconds = |nanos: u64| nanos as f64 / 1e9;
    Summary {
        scenario: spec.id.file.display().to_string(),
        title: spec.scenario.title.clone(),
        covers: spec.scenario.covers.clone(),
        run: spec.id.repetition.map(|repetition| repetition.number),
        verdict,
        reason,
        seed: spec.seed,
        image: spec.id.image.clone(),
        kernel: facts.kernel.clone(),
        handler: facts.handler.clone(),
        manager: spec.scenario.setup.guest.manager.to_string(),
        qemu: facts.qemu.clone(),
        accelerator: spec.accel.accel.to_string(),
        time: spec.time.to_string(),
        exactness: spec.exactness(),
        boot: facts.boot.clone(),
        wall_s: 0.0,
        simulated_s: told.simulated.as_secs_f64(),
        started_s: facts.started.map(|started| started.as_secs_f64()),
        first_io_s: facts.first_io.map(|first| first.as_secs_f64()),
        timings: Timings::default(),
        cpu_s: facts.cpu,
        io: IoSummary {
            reads: io.reads,
            writes: io.writes,
            errors: io.errors,
            corrupt: io.corrupt.total(),
            stuck: io.stuck,
            longest_stall_s: seconds(io.longest_stall_ns),
            latency_p50_s: seconds(io.latency.p50_ns),
            latency_p99_s: seconds(io.latency.p99_ns),
        },
        pause: recorder.pause(),
        commands: recorder.commands().clone(),
        faults: told.faults,
        witness: told.witness,
        rounds: told.rounds,
        outcomes: recorder.outcomes().clone(),
        expectations: told.expectations,
        idle: told.idle,
        incomplete: told.incomplete.iter().map(ToString::to_string).collect(),
        added_to_guest: added_to_guest(spec),
        capture: None,
        memory: MemorySummary { sansim: own_memory(), qemu: facts.qemu_memory },
        repeat: spec.repeat.clone(),
        parts: PartsSummary::now(&spec.image),
    }
}

/// Everything in the guest that is not from its distribution, for `added_to_guest` in the summary.
fn added_to_guest(spec: &RunSpec) -> Vec<String> {
    let time = spec.time;
    let mut added = vec![
        "sansim-agent as PID 1 and /sbin/modprobe".to_owned(),
        format!("kernel command line {}", kernel_command_line(spec.accel.accel, time)),
        "counters on scsi:scsi_dispatch_cmd_start, scsi:scsi_dispatch_cmd_error and scsi_send_eh_cmnd"
            .to_owned(),
    ];
    let wanted = spec.scenario.setup.wanted_modules();
    added.extend(
        wanted.filter(|name| is_bundled_module(name)).map(|name| format!("our module {name}")),
    );
    if time == TimeMode::Skip {
        added.push(
            "a vhost-user-blk device without a driver at 0000:00:04.0, and a thread of the agent, woken \
             by virtqueue_add_sgs, that asks the lab through it and raises the virtio interrupts"
                .to_owned(),
        );
    }
    if spec.image.has_initrd {
        added.push("an initrd of the user's own".to_owned());
    }
    if spec.scenario.has_multipathd() {
        added.push(
            "/etc/multipath/conf.d/sansim.conf, which calls the maps lun0, lun1, …; the LUNs in \
             /etc/multipath/wwids"
                .to_owned(),
        );
    }
    added
}

/// Peak resident memory of this process, in bytes (`VmHWM` of proc(5)).
fn own_memory() -> Option<u64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
    let kib: u64 = line.trim().strip_suffix("kB")?.trim().parse().ok()?;
    Some(kib * 1024)
}
