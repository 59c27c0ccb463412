//! The daemons of the image's userland that a guest may have: udevd and multipathd, as they are in the
//! distribution.

use std::time::Duration;

use sansim_protocol::{Answer, Call, USERLAND};

use crate::{AgentLink, Keeper, LabError, Result};

/// What multipathd and the device-mapper need to know of disks and maps: the distribution's own files,
/// without those that a SAN has no use for (their programs are most of what udev costs).
const LEAN_RULES: &[&str] = &[
    "50-udev-default.rules",
    "55-dm.rules",
    "55-scsi-sg3_id.rules",
    "56-dm-mpath.rules",
    "56-multipath.rules",
    "60-block.rules",
    "60-multipath.rules",
    "60-persistent-storage.rules",
    "60-persistent-storage-dm.rules",
    "95-dm-notify.rules",
    "99-systemd.rules",
];

/// Where systemd has its udevd.
const UDEVD: &str = "/lib/systemd/systemd-udevd";

/// How long one of the tools may take.
const TOOL: Duration = Duration::from_secs(60);
/// How long a daemon may take until it answers, of the guest's time, and how often it is asked.
const START: Duration = Duration::from_secs(30);
const ASK_EVERY: Duration = Duration::from_millis(100);

/// Which udev rules a guest has.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, serde::Serialize)]
pub enum UdevRules {
    /// All that its distribution gives it.
    Stock,
    /// Those of them that concern disks and multipath maps.
    Lean,
}

/// The daemons that go on in a guest. They are started before a template is made.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, serde::Serialize)]
pub enum Services {
    /// No daemon: the agent is the only process besides the kernel's.
    None,
    /// systemd-udevd, which has seen all devices, and multipathd, which has no paths yet.
    Multipathd(UdevRules),
}

impl Services {
    /// The programs of the userland that they take.
    pub fn programs(self) -> &'static [&'static str] {
        match self {
            Services::None => &[],
            Services::Multipathd(_) => &[UDEVD, "udevadm", "multipathd", "multipath"],
        }
    }
}

/// Starts the daemons and waits until they are ready.
pub(super) async fn start(
    services: Services,
    agent: &AgentLink,
    keeper: &mut Keeper,
) -> Result<()> {
    let Services::Multipathd(rules) = services else { return Ok(()) };
    let mut guest = Starting { agent, keeper };
    if rules == UdevRules::Lean {
        guest.leave_out_rules().await?;
    }
    guest.daemon("udevd", &[UDEVD]).await?;
    guest.until("udevd", &["udevadm", "control", "--ping"], |_| true).await?;
    for kind in ["--type=subsystems", "--type=devices"] {
        guest.run(&["udevadm", "trigger", kind, "--action=add"]).await?;
    }
    guest.run(&["udevadm", "settle"]).await?;
    guest.daemon("multipathd", &["/sbin/multipathd", "-d", "-s"]).await?;
    guest.until("multipathd", &["multipathd", "show", "daemon"], |out| out.contains("idle")).await
}

struct Starting<'a> {
    agent: &'a AgentLink,
    keeper: &'a mut Keeper,
}

impl Starting<'_> {
    async fn call(&mut self, call: Call) -> Result<Answer> {
        self.keeper.drive(self.agent.call(call)).await?
    }

    async fn daemon(&mut self, name: &str, argv: &[&str]) -> Result<()> {
        let argv = argv.iter().map(|&word| word.to_owned()).collect();
        self.call(Call::StartDaemon { name: name.to_owned(), argv }).await.map(drop)
    }

    /// Runs a program. Answers its exit code and what it said.
    async fn ran(&mut self, argv: &[&str]) -> Result<(Option<i32>, String)> {
        let argv = argv.iter().map(|&word| word.to_owned()).collect();
        match self.call(Call::Run { argv, timeout_ms: TOOL.as_millis() as u64 }).await? {
            Answer::Ran { code, stdout, stderr } => Ok((code, stdout + &stderr)),
            other => Err(LabError::AgentGarbled { why: format!("Run: {other:?}") }),
        }
    }

    async fn run(&mut self, argv: &[&str]) -> Result<()> {
        match self.ran(argv).await? {
            (Some(0), _) => Ok(()),
            (_, said) => Err(LabError::Service { name: argv.join(" "), why: said }),
        }
    }

    /// Asks until the program succeeds and says what is wanted.
    async fn until(
        &mut self,
        daemon: &str,
        argv: &[&str],
        ready: impl Fn(&str) -> bool,
    ) -> Result<()> {
        let mut said = String::new();
        for _ in 0..START.as_millis() / ASK_EVERY.as_millis() {
            let (code, answer) = self.ran(argv).await?;
            if code == Some(0) && ready(&answer) {
                return Ok(());
            }
            said = answer;
            self.keeper.sleep(ASK_EVERY).await?;
        }
        Err(LabError::Service { name: daemon.to_owned(), why: format!("not ready: {said}") })
    }

    /// An empty file of the same name in /etc takes the place of a rule file (udev(7)).
    async fn leave_out_rules(&mut self) -> Result<()> {
        let path = format!("{USERLAND}/usr/lib/udev/rules.d");
        let Answer::Names { names } = self.call(Call::ListDirectory { path }).await? else {
            return Ok(());
        };
        for name in names.iter().filter(|name| !LEAN_RULES.contains(&name.as_str())) {
            let path = format!("{USERLAND}/etc/udev/rules.d/{name}");
            self.call(Call::WriteFile { path, text: String::new() }).await?;
        }
        Ok(())
    }
}
