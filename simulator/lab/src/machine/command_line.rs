//! QEMU's command line: only what a run needs. No network, no default devices, no slow firmware.

use std::ffi::OsString;

use sansim_protocol::hypercall::{Mailbox, slot};

use super::{MachineConfig, TimeMode, marking};
use crate::{
    Accel,
    exact::{DISK_SOCKET, REGISTER_SOCKET},
    host::tsc,
};

/// Sockets in the work directory that QEMU connects to. QEMU runs in that directory, so these names need no
/// quoting.
pub(crate) const QMP_SOCKET: &str = "qmp.sock";
pub(crate) const AGENT_SOCKET: &str = "agent.sock";

/// The kernel's command line in real time.
///
/// `panic=-1` with `-no-reboot` makes QEMU exit on a panic. `scsi_mod.scan=manual`: targets are scanned
/// individually on request, because a virtio HBA claims 256 of them, and scanning all takes 0.6 s per HBA.
/// The rest only saves time: cipher self-tests (0.3 s under TCG), probing for serial ports and a mouse that
/// do not exist.
const KERNEL_COMMAND_LINE: &str = "console=ttyS0 quiet panic=-1 scsi_mod.scan=manual cryptomgr.notests \
                      random.trust_cpu=on 8250.nr_uarts=1 i8042.noaux tsc=reliable no_timer_check mitigations=off psi=0 norandmaps";

/// The kernel's command line. In exact time it also tells the agent so, reserves the mailbox, and lets the
/// agent access registers of devices that a driver is bound to (`iomem=relaxed`): the agent raises their
/// interrupts.
///
/// In real time under TCG it has the rate of the time-stamp counter, which is the host's.
pub fn kernel_command_line(accel: Accel, time: TimeMode) -> String {
    match (time, accel) {
        (TimeMode::Real, Accel::Kvm) => KERNEL_COMMAND_LINE.to_owned(),
        (TimeMode::Real, Accel::Tcg) => {
            let rate = tsc::kernel_parameter().map(|rate| format!(" {rate}"));
            format!("{KERNEL_COMMAND_LINE}{}", rate.unwrap_or_default())
        }
        (TimeMode::Skip, _) => format!(
            "{KERNEL_COMMAND_LINE} {} iomem=relaxed {}",
            sansim_protocol::SKIPPED_TIME,
            Mailbox::kernel_parameter()
        ),
    }
}

/// The guest's clock in exact time. An instruction takes one nanosecond (2^0), and an idle guest jumps to
/// its next timer instead of sleeping. Recording keeps QEMU's threads from counting instructions at the
/// same time ([`exact`](crate::exact)); the record itself is discarded.
const ICOUNT: &str = "shift=0,sleep=off,rr=record,rrfile=/dev/null";

/// Seed of QEMU's random numbers for the guest, in exact time.
const SEED: &str = "1";

/// The RTC follows the guest's clock, from the same date in every run.
const CALENDAR: &str = "base=2026-01-01T00:00:00,clock=vm";

/// What QEMU is started for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Start {
    /// Boots with only warnings on the console.
    Boot,
    /// Boots with early console messages, which show progress.
    Probe,
    /// Restores a saved state, which is named later.
    Restore,
}

/// The guest's memory is QEMU's standard input, the file for its console standard output
/// ([`confine`](super::confine)).
const RAM: &str = "/proc/self/fd/0";
const CONSOLE: &str = "/proc/self/fd/1";

/// QEMU's arguments without the program name and what [confines](super::confine) it.
pub(crate) fn arguments(config: &MachineConfig, start: Start) -> Vec<OsString> {
    let mut line = Line(Vec::new());
    let memory = config.memory_mib;
    line.add("-nodefaults").add("-no-user-config").add("-no-reboot");
    line.add("-display").add("none");
    line.add("-name").add(format!("sansim-{}", config.image.name));
    // Shared, because the vhost-user backends also map the guest's memory.
    line.add("-object")
        .add(format!("memory-backend-file,id=ram,share=on,size={memory}M,mem-path={RAM}"));
    line.add("-machine")
        .add("q35,memory-backend=ram,hpet=off,usb=off,sata=off,smbus=off,vmport=off");
    line.add_processor(config);
    line.add("-m").add(format!("{memory}M"));
    line.add("-smp").add(config.cpus.to_string());
    // SeaBIOS would probe 256 targets of every HBA for disks. qboot only starts the kernel.
    line.add("-bios").add("qboot.rom");
    line.add("-kernel").add(&config.image.kernel);
    line.add("-initrd").add(&config.image.initramfs);
    let kernel_line = kernel_command_line(config.accel, config.time);
    line.add("-append").add(match start {
        Start::Probe => format!("{kernel_line} earlyprintk=ttyS0 ignore_loglevel"),
        Start::Boot | Start::Restore => kernel_line,
    });
    line.add("-chardev").add(format!("file,id=console,path={CONSOLE}"));
    line.add("-serial").add("chardev:console");
    line.add("-chardev").add(format!("socket,id=qmp,path={QMP_SOCKET}"));
    line.add("-mon").add("chardev=qmp,mode=control");
    match config.time {
        TimeMode::Real => line.add_port_and_disk(config),
        TimeMode::Skip => line.add_register_and_disk(),
    }
    line.add_hbas(config);
    if config.marks {
        line.add("-plugin").add(marking::PLUGIN);
    }
    if start == Start::Restore {
        // The guest stays stopped until `cont`. The configuration section of the state is omitted.
        line.add("-S").add("-incoming").add("defer");
        line.add("-global").add("migration.send-configuration=off");
    }
    line.0
}

/// The command line without the paths of files and sockets, which make no difference to the guest.
pub(crate) fn shape(config: &MachineConfig) -> Vec<String> {
    let mut plain = config.clone();
    let image = &mut plain.image;
    let files = [&mut image.kernel, &mut image.initramfs, &mut image.userland];
    for path in files.into_iter().chain(plain.hbas.iter_mut().map(|hba| &mut hba.path)) {
        path.clear();
    }
    let line = arguments(&plain, Start::Boot);
    line.iter().map(|argument| argument.to_string_lossy().into_owned()).collect()
}

struct Line(Vec<OsString>);

impl Line {
    fn add(&mut self, argument: impl Into<OsString>) -> &mut Line {
        self.0.push(argument.into());
        self
    }

    /// Accelerator, CPU model and clock.
    fn add_processor(&mut self, config: &MachineConfig) {
        match config.accel {
            Accel::Kvm => self.add("-accel").add("kvm").add("-cpu").add("host"),
            // The simplest CPU model is the fastest to emulate: string functions use nothing beyond SSE2.
            Accel::Tcg => self.add("-accel").add("tcg").add("-cpu").add("qemu64"),
        };
        if config.time == TimeMode::Skip {
            self.add("-icount").add(ICOUNT);
            self.add("-seed").add(SEED);
            self.add("-rtc").add(CALENDAR);
        }
    }

    /// The HBAs, whose backends must be running.
    fn add_hbas(&mut self, config: &MachineConfig) {
        for (index, hba) in config.hbas.iter().enumerate() {
            self.add("-chardev").option(&format!("socket,id=hba{index},path="), &hba.path);
            self.add("-device").add(format!(
                "vhost-user-scsi-pci,id=hba{index},chardev=hba{index},num_queues={},addr={:#x}",
                hba.request_queues,
                super::config::hba_slot(index)
            ));
        }
    }

    /// Real time: the agent's port and the userland's disk, both emulated by QEMU.
    fn add_port_and_disk(&mut self, config: &MachineConfig) {
        self.add("-device").add("virtio-serial-pci,id=serial,addr=0x2,max_ports=2");
        self.add("-chardev").add(format!("socket,id=agent,path={AGENT_SOCKET}"));
        let port = sansim_protocol::PORT;
        self.add("-device")
            .add(format!("virtserialport,bus=serial.0,nr=1,chardev=agent,name={port}"));
        self.add("-blockdev").option(
            "driver=file,node-name=userland,read-only=on,filename=",
            &config.image.userland,
        );
        let (serial, slot) = (sansim_protocol::USERLAND_SERIAL, slot::USERLAND);
        self.add("-device")
            .add(format!("virtio-blk-pci,drive=userland,serial={serial},addr={slot:#x}"));
    }

    /// Exact time: the userland's disk and the register, both served by the lab.
    fn add_register_and_disk(&mut self) {
        let devices = [
            ("userland", DISK_SOCKET, slot::USERLAND),
            ("register", REGISTER_SOCKET, slot::REGISTER),
        ];
        for (id, socket, slot) in devices {
            self.add("-chardev").add(format!("socket,id={id},path={socket}"));
            self.add("-device").add(format!(
                "vhost-user-blk-pci,id={id},chardev={id},num-queues=1,addr={slot:#x}"
            ));
        }
    }

    /// Adds an option that ends with a path. Commas in the path are doubled, as QEMU requires.
    fn option(&mut self, head: &str, path: &std::path::Path) -> &mut Line {
        use std::os::unix::ffi::{OsStrExt, OsStringExt};
        let mut bytes = head.as_bytes().to_vec();
        for byte in path.as_os_str().as_bytes() {
            bytes.push(*byte);
            if *byte == b',' {
                bytes.push(b',');
            }
        }
        self.add(OsString::from_vec(bytes))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::machine::sample;

    /// Two processors, a path that needs quoting, and an HBA with several queues.
    fn config() -> MachineConfig {
        let mut config = MachineConfig { cpus: 2, ..sample(2) };
        config.image.userland = "/c/a,b/userland".into();
        config.hbas[1].request_queues = 4;
        config
    }

    fn text(config: &MachineConfig, start: Start) -> String {
        let arguments = arguments(config, start);
        let lines: Vec<_> = arguments.iter().map(|a| a.to_str().unwrap()).collect();
        lines.join("\n")
    }

    #[test]
    fn the_whole_line() {
        let rate = tsc::kernel_parameter().map(|rate| format!(" {rate}")).unwrap_or_default();
        insta::assert_snapshot!(
            "command_line",
            text(&config(), Start::Boot).replacen(&rate, "", 1)
        );
    }

    #[test]
    fn exact_time_is_made_by_qemu_and_told_to_the_agent() {
        let skip = text(&MachineConfig { time: TimeMode::Skip, ..config() }, Start::Boot);
        for part in ["shift=0,sleep=off,rr=record", "clock=vm", "sansim.time=skip", "memmap="] {
            assert!(skip.contains(part), "{part} in {skip}");
        }
        assert!(!skip.contains("virtio-serial") && !skip.contains("-blockdev"), "{skip}");
    }

    #[test]
    fn restoring_adds_the_incoming_state_and_changes_nothing_else() {
        let boot = text(&config(), Start::Boot);
        let restore = text(&config(), Start::Restore);
        assert_eq!(
            restore,
            format!("{boot}\n-S\n-incoming\ndefer\n-global\nmigration.send-configuration=off")
        );
    }

    #[test]
    fn marking_adds_the_plugin_and_changes_nothing_else() {
        let marked = text(&MachineConfig { marks: true, ..config() }, Start::Boot);
        assert_eq!(marked, format!("{}\n-plugin\n./marks.so", text(&config(), Start::Boot)));
    }

    #[test]
    fn the_rate_of_the_counter_is_told_where_a_busy_host_would_spoil_it() {
        let told = |config: MachineConfig| text(&config, Start::Boot).contains("tsc_early_khz=");
        assert_eq!(told(config()), tsc::kernel_parameter().is_some());
        assert!(!told(MachineConfig { time: TimeMode::Skip, ..config() }));
        assert!(!told(MachineConfig { accel: Accel::Kvm, ..config() }));
    }

    #[test]
    fn kvm_gives_the_guest_the_hosts_processor() {
        let line = text(&MachineConfig { accel: Accel::Kvm, ..config() }, Start::Boot);
        assert!(line.contains("-accel\nkvm\n-cpu\nhost\n"), "{line}");
    }
}
