//! QEMU's command line: only what a run needs. No network, no default devices, no firmware worth
//! waiting for.

use std::ffi::OsString;

use super::MachineConfig;
use crate::{Accel, TimeMode};

/// The sockets in the work directory that QEMU connects to. QEMU runs there, so that these names
/// need no quoting.
pub(crate) const QMP_SOCKET: &str = "qmp.sock";
pub(crate) const AGENT_SOCKET: &str = "agent.sock";

/// The kernel's command line.
///
/// `panic=-1` with `-no-reboot` turns a panic into the end of QEMU. Targets are scanned one by one
/// when they are asked for: a virtio HBA claims 256 of them, and a scan of all takes 0.6 s each
/// (`scsi_mod.scan=manual`). The rest only saves time: self-tests of ciphers (0.3 s under TCG),
/// probing for serial ports and a mouse that are not there.
const KERNEL_COMMAND_LINE: &str = "console=ttyS0 quiet panic=-1 scsi_mod.scan=manual cryptomgr.notests \
                      random.trust_cpu=on 8250.nr_uarts=1 i8042.noaux tsc=reliable no_timer_check mitigations=off psi=0";

/// The kernel's command line: in skipped time the agent is told so.
pub fn kernel_command_line(time: TimeMode) -> String {
    match time {
        TimeMode::Real => KERNEL_COMMAND_LINE.to_owned(),
        TimeMode::Skip => format!("{KERNEL_COMMAND_LINE} {}", sansim_protocol::SKIPPED_TIME),
    }
}

/// The guest's clock in skipped time: an instruction takes a nanosecond (2^0), and a guest that idles
/// jumps to its next timer instead of sleeping.
const ICOUNT: &str = "shift=0,sleep=off";

/// Its calendar goes with that clock, from the same moment in every run.
const CALENDAR: &str = "base=2026-01-01T00:00:00,clock=vm";

/// Why QEMU is started.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Start {
    /// To boot.
    Boot,
    /// To boot, with early messages on the console so that progress can be seen.
    Probe,
    /// To go on from a state that it is told later.
    Restore,
}

/// All arguments but the program's name. `ram` is the file with the guest's memory.
pub(crate) fn arguments(config: &MachineConfig, start: Start, ram: &str) -> Vec<OsString> {
    let mut line = Line(Vec::new());
    let memory = config.memory_mib;
    line.add("-nodefaults").add("-no-user-config").add("-no-reboot");
    line.add("-display").add("none");
    line.add("-name").add(format!("sansim-{}", config.image.name));
    // vhost-user backends map the guest's memory, too: it must be shared.
    line.add("-object")
        .add(format!("memory-backend-file,id=ram,share=on,size={memory}M,mem-path={ram}"));
    line.add("-machine")
        .add("q35,memory-backend=ram,hpet=off,usb=off,sata=off,smbus=off,vmport=off");
    match config.accel {
        Accel::Kvm => line.add("-accel").add("kvm").add("-cpu").add("host"),
        // The plainest processor is the quickest to translate: string functions stay with SSE2.
        Accel::Tcg => line.add("-accel").add("tcg").add("-cpu").add("qemu64"),
    };
    if config.time == TimeMode::Skip {
        line.add("-icount").add(ICOUNT);
        line.add("-rtc").add(CALENDAR);
    }
    line.add("-m").add(format!("{memory}M"));
    line.add("-smp").add(config.cpus.to_string());
    // SeaBIOS would look for disks on 256 targets of every HBA; qboot starts the kernel and nothing
    // else.
    line.add("-bios").add("qboot.rom");
    line.add("-kernel").add(&config.image.kernel);
    line.add("-initrd").add(&config.image.initramfs);
    let kernel_line = kernel_command_line(config.time);
    line.add("-append").add(match start {
        Start::Probe => format!("{kernel_line} earlyprintk=ttyS0 ignore_loglevel"),
        Start::Boot | Start::Restore => kernel_line,
    });
    line.add("-chardev").option("file,id=console,path=", &config.console);
    line.add("-serial").add("chardev:console");
    line.add("-chardev").add(format!("socket,id=qmp,path={QMP_SOCKET}"));
    line.add("-mon").add("chardev=qmp,mode=control");
    // In skipped time the guest waits for the lab with every message: QEMU passes it on itself,
    // rather than waking another of its threads to do so.
    let kick = if config.time == TimeMode::Skip { ",ioeventfd=off" } else { "" };
    line.add("-device").add(format!("virtio-serial-pci,id=serial,addr=0x2,max_ports=2{kick}"));
    line.add("-chardev").add(format!("socket,id=agent,path={AGENT_SOCKET}"));
    let port = sansim_protocol::PORT;
    line.add("-device").add(format!("virtserialport,bus=serial.0,nr=1,chardev=agent,name={port}"));
    line.add("-blockdev")
        .option("driver=file,node-name=userland,read-only=on,filename=", &config.image.userland);
    let serial = sansim_protocol::USERLAND_SERIAL;
    line.add("-device").add(format!("virtio-blk-pci,drive=userland,serial={serial},addr=0x3"));
    for (index, hba) in config.hbas.iter().enumerate() {
        line.add("-chardev").option(&format!("socket,id=hba{index},path="), &hba.path);
        line.add("-device").add(format!(
            "vhost-user-scsi-pci,id=hba{index},chardev=hba{index},num_queues={},addr={:#x}",
            hba.request_queues,
            super::config::device_number(index)
        ));
    }
    if start == Start::Restore {
        line.add("-incoming").add("defer");
    }
    line.0
}

/// The command line without what differs between machines that a guest cannot tell apart: where
/// their files and sockets are.
pub(crate) fn shape(config: &MachineConfig) -> Vec<String> {
    let mut plain = config.clone();
    let image = &mut plain.image;
    let files = [&mut image.kernel, &mut image.initramfs, &mut image.userland, &mut plain.console];
    for path in files.into_iter().chain(plain.hbas.iter_mut().map(|hba| &mut hba.path)) {
        path.clear();
    }
    let line = arguments(&plain, Start::Boot, "");
    line.iter().map(|argument| argument.to_string_lossy().into_owned()).collect()
}

struct Line(Vec<OsString>);

impl Line {
    fn add(&mut self, argument: impl Into<OsString>) -> &mut Line {
        self.0.push(argument.into());
        self
    }

    /// An option that ends with a path. QEMU ends values at a comma; two stand for one.
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
        let arguments = arguments(config, start, "/proc/1/fd/9");
        let lines: Vec<_> = arguments.iter().map(|a| a.to_str().unwrap()).collect();
        lines.join("\n")
    }

    #[test]
    fn the_whole_line() {
        insta::assert_snapshot!("command_line", text(&config(), Start::Boot));
    }

    #[test]
    fn skipped_time_is_made_by_qemu_and_told_to_the_agent() {
        let skip = text(&MachineConfig { time: TimeMode::Skip, ..config() }, Start::Boot);
        for part in ["-icount\nshift=0,sleep=off", "clock=vm", "sansim.time=skip", "ioeventfd=off"]
        {
            assert!(skip.contains(part), "{part} in {skip}");
        }
    }

    #[test]
    fn restoring_adds_the_incoming_state_and_changes_nothing_else() {
        let boot = text(&config(), Start::Boot);
        let restore = text(&config(), Start::Restore);
        assert_eq!(restore, format!("{boot}\n-incoming\ndefer"));
    }

    #[test]
    fn kvm_gives_the_guest_the_hosts_processor() {
        let line = text(&MachineConfig { accel: Accel::Kvm, ..config() }, Start::Boot);
        assert!(line.contains("-accel\nkvm\n-cpu\nhost\n"), "{line}");
    }
}
