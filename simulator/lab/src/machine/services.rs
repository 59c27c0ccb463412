//! The userland's daemons that a guest may run: udevd and multipathd, as the distribution ships them.

use std::time::Duration;

use sansim_protocol::{Answer, Call, USERLAND};

use crate::{AgentLink, Keeper, LabError, Result};

/// The distribution's udev rules that multipathd and the device-mapper need for disks and maps. The other
/// rules are of no use in a SAN, and the programs that they run cause most of udev's load.
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

/// systemd's udevd, which is not in `$PATH`.
const UDEVD: &str = "/lib/systemd/systemd-udevd";

/// Time limit for a program such as udevadm.
const TOOL: Duration = Duration::from_secs(60);
/// How long a daemon may take to become ready, in guest time, and the polling interval.
const START: Duration = Duration::from_secs(30);
const ASK_EVERY: Duration = Duration::from_millis(100);

/// The udev rules of a guest.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, serde::Serialize)]
pub enum UdevRules {
    /// All rules of the distribution.
    Stock,
    /// Only the rules for disks and multipath maps.
    Lean,
}

/// The daemons in a guest. They are started before a template is made.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, serde::Serialize)]
pub enum Services {
    /// None: the agent is the only process apart from kernel threads.
    None,
    /// systemd-udevd, which has processed all devices.
    Udev(UdevRules),
    /// systemd-udevd, which has processed all devices, and multipathd, which has no paths yet.
    Multipathd(UdevRules),
}

impl Services {
    /// The programs that the userland must have.
    pub fn programs(self) -> &'static [&'static str] {
        match self {
            Services::None => &[],
            Services::Udev(_) => &[UDEVD, "udevadm"],
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
    let rules = match services {
        Services::None => return Ok(()),
        Services::Udev(rules) | Services::Multipathd(rules) => rules,
    };
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
    if let Services::Udev(_) = services {
        return Ok(());
    }
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

    /// Runs a program. Returns its exit code and its output.
    async fn ran(&mut self, argv: &[&str]) -> Result<(Option<i32>, String)> {
        let argv = argv.iter().map(|&word| word.to_owned()).collect();
        match self.call(Call::Run { argv, timeout_ms: TOOL.as_millis() as u64 }).await? {
            Answer::Ran(end) => Ok((end.ended.code(), end.stdout + &end.stderr)),
            other => Err(LabError::AgentGarbled { why: format!("Run: {other:?}") }),
        }
    }

    async fn run(&mut self, argv: &[&str]) -> Result<()> {
        match self.ran(argv).await? {
            (Some(0), _) => Ok(()),
            (_, said) => Err(LabError::Service { name: argv.join(" "), why: said }),
        }
    }

    /// Runs a program repeatedly until it succeeds and `ready` accepts its output.
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

    /// Masks the other rules: an empty file of the same name in /etc/udev/rules.d replaces a rule file
    /// (udev(7)).
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
