//! The state of a lab, for people.

use std::fmt::Write;

use console::{StyledObject, style};
use sansim_live::api::{
    ArrayStatus, Broken, ControllerStatus, FaultStatus, GroupStatus, LinkStatus, LunStatus,
    PortStatus, RunState, Status, TourStatus, WorkloadStatus,
};

use super::tree::Node;

/// The state: the array as a tree, the LUNs with their maps, and what is broken.
pub(super) fn text(status: &Status) -> String {
    let mut text = head(status);
    array(status).draw(&mut text);
    for lun in &status.luns {
        let workload = status.workloads.iter().find(|workload| workload.lun == lun.lun);
        node_of_lun(lun, workload).draw(&mut text);
    }
    if !status.faults.is_empty() {
        section(&mut text, "faults", &faults(&status.faults));
    }
    section(&mut text, "broken", &broken(&status.broken));
    if status.held.on {
        let held: Vec<_> = status.held.acts.iter().map(|act| act.ctl.as_str()).collect();
        let held = if held.is_empty() { "nothing yet".to_owned() } else { held.join("\n") };
        section(&mut text, "held until `sansim ctl go`", &held);
    }
    if let Some(tour) = &status.tour {
        section(&mut text, &format!("tour, {} of {}", tour.number, tour.of), &caption(tour));
    }
    if let Some(capture) = &status.capture {
        let full = if capture.full { ", full" } else { "" };
        section(&mut text, "capture", &format!("{}, {}{full}", capture.file, size(capture.bytes)));
    }
    text
}

fn head(status: &Status) -> String {
    let (lab, clock) = (&status.lab, &status.clock);
    let state = match clock.state {
        RunState::Starting => style("starting").cyan(),
        RunState::Running => style("running").green(),
        RunState::Paused => style("paused").yellow(),
        RunState::Skipping => style("skipping").cyan(),
    };
    // INQUIRY data is padded, and the handler is not known at first.
    let identity = lab.identity.split_whitespace().collect::<Vec<_>>().join(" ");
    let handler = if lab.handler.is_empty() { "unknown" } else { &lab.handler };
    let details = format!(
        "{identity}, kernel {} ({}), handler {handler}, {}, {}, seed {}",
        lab.kernel, lab.image, lab.manager, lab.accelerator, lab.seed
    );
    let doing = match &status.starting {
        Some(doing) => format!(": {doing}"),
        None => String::new(),
    };
    format!(
        "{}  {}\n{}\n{:.3}s  {state}{doing}  {} time\n",
        style(&lab.name).bold(),
        lab.title,
        style(details).dim(),
        clock.t,
        clock.mode
    )
}

fn array(status: &Status) -> Node {
    let node = |controller| node_of_controller(controller, &status.links);
    if status.arrays.is_empty() {
        let controllers = status.controllers.iter().map(node).collect();
        return Node::new(format!("array, {}", status.lab.family), controllers);
    }
    let mut below: Vec<_> = status.arrays.iter().map(|one| node_of_array(one, status)).collect();
    if let Some(there) = status.witness {
        let state = good(there, if there { "there" } else { "lost" });
        below.push(Node::leaf(format!("witness  {state}")));
    }
    Node::new("arrays".to_owned(), below)
}

fn node_of_array(array: &ArrayStatus, status: &Status) -> Node {
    let own = status.controllers.iter().filter(|it| array.controllers.contains(&it.controller));
    let controllers = own.map(|controller| node_of_controller(controller, &status.links)).collect();
    let isolated =
        if array.isolated { good(false, "  isolated").to_string() } else { String::new() };
    Node::new(format!("array {}, {}{isolated}", array.array, array.family), controllers)
}

fn node_of_controller(controller: &ControllerStatus, links: &[LinkStatus]) -> Node {
    let online = controller.state == "online";
    let since = match online {
        true => String::new(),
        false => format!(" since {:.3}s", controller.since),
    };
    let state = good(online, &controller.state);
    let ports = controller.ports.iter().map(|port| node_of_port(port, links)).collect();
    Node::new(format!("controller {}  {state}{since}", controller.controller), ports)
}

fn node_of_port(port: &PortStatus, links: &[LinkStatus]) -> Node {
    let state = match (port.present, port.up) {
        (false, _) => "unplugged",
        (true, false) => "down",
        (true, true) => "up",
    };
    let own = links.iter().filter(|link| link.port == port.port);
    let links: Vec<_> = own
        .map(|link| {
            let state = good(link.up, if link.up { "up" } else { "down" });
            format!("hba{} {state}", link.hba)
        })
        .collect();
    let state = good(port.present && port.up, state);
    Node::leaf(format!("port {}  {state}  links: {}", port.port, links.join(", ")))
}

fn node_of_lun(lun: &LunStatus, workload: Option<&WorkloadStatus>) -> Node {
    let mut text = format!("lun {}  {}  owner {}", lun.lun, size(lun.bytes), lun.owner);
    if lun.owner != lun.preferred {
        let _ = write!(text, " {}", style(format!("(preferred {})", lun.preferred)).yellow());
    }
    if let (Some(replication), Some(serving)) = (&lun.replication, &lun.served_by) {
        let serving = if serving.is_empty() { "nobody".to_owned() } else { serving.join(", ") };
        let words = format!("replication {replication}, served by {serving}");
        let _ = write!(text, "  {}", good(replication == "up", &words));
    }
    let split = lun.split.as_ref().map(|what| format!("split brain: {what}"));
    let read_only = lun.read_only.then(|| "read-only".to_owned());
    for odd in split.into_iter().chain(lun.condition.clone()).chain(read_only) {
        let _ = write!(text, "  {}", style(odd).red());
    }
    let mut below = Vec::new();
    match &lun.map {
        None => below.push(Node::leaf("no map")),
        Some(map) => {
            let groups = map.groups.iter().map(node_of_group).collect();
            let rounds = match map.rounds {
                0 => String::new(),
                rounds => format!("  pg_init rounds: {rounds}"),
            };
            below.push(Node::new(format!("map {}{rounds}", map.name), groups));
        }
    }
    below.extend(workload.map(|workload| Node::leaf(io(workload))));
    Node::new(text, below)
}

fn node_of_group(group: &GroupStatus) -> Node {
    let state = match group.state.as_str() {
        "A" => style("current").green(),
        "E" => style("enabled"),
        "D" => style("bypassed").yellow(),
        other => style(other),
    };
    let paths = group.paths.iter().map(|path| {
        let state = good(path.state == "A", if path.state == "A" { "active" } else { "failed" });
        let fails = match path.fails {
            0 => String::new(),
            fails => format!("  fails: {fails}"),
        };
        let disk = path.disk.as_deref().unwrap_or("no disk");
        Node::leaf(format!("{}  {disk} {}  {state}{fails}", path.path, path.dev))
    });
    Node::new(format!("group {}  {state}", group.group), paths.collect())
}

fn io(workload: &WorkloadStatus) -> String {
    let WorkloadStatus { reads, writes, errors, corrupt, .. } = workload;
    let state = match (workload.running, workload.stalled_since) {
        (_, Some(since)) => style(format!("stalled since {since:.3}s")).red(),
        (true, None) => style("running".to_owned()).green(),
        (false, None) => style("stopped".to_owned()).dim(),
    };
    let bad = format!("{errors} errors, {corrupt} corrupt");
    let bad = good(errors + corrupt == 0, &bad);
    format!("I/O {state}: {reads} reads, {writes} writes, {bad}")
}

/// The fault rules, one a line.
pub(super) fn faults(faults: &[FaultStatus]) -> String {
    let line = |fault: &FaultStatus| {
        let armed = if fault.armed { style("armed").yellow() } else { style("disarmed").dim() };
        let added = if fault.added { ", added" } else { "" };
        let name = style(&fault.name).bold();
        format!("{name}  {armed}, fired {}{added}  {}\n", fault.fired, style(&fault.toml).dim())
    };
    faults.iter().map(line).collect()
}

fn broken(broken: &[Broken]) -> String {
    let line = |broken: &Broken| {
        let undo = match &broken.undo {
            Some(undo) => style(format!("  undo: {}", undo.ctl)).dim().to_string(),
            None => String::new(),
        };
        format!("{}  since {:.3}s{undo}\n", style(&broken.what).red(), broken.since)
    };
    match broken {
        [] => format!("{}\n", style("nothing").green()),
        all => all.iter().map(line).collect(),
    }
}

fn caption(tour: &TourStatus) -> String {
    let next = match (&tour.next, tour.waits) {
        (Some(next), true) => format!("\nnext (`sansim ctl tour next`): {next}"),
        (Some(next), false) => format!("\nnext: {next}"),
        (None, _) => String::new(),
    };
    format!("{}{}", tour.caption, style(next).dim())
}

fn section(text: &mut String, title: &str, contents: &str) {
    let _ = writeln!(text, "{}", style(title).bold());
    for line in contents.lines() {
        let _ = writeln!(text, "  {line}");
    }
}

fn good(is: bool, text: &str) -> StyledObject<&str> {
    if is { style(text).green() } else { style(text).red() }
}

fn size(bytes: u64) -> String {
    let units = [(1u64 << 40, "TiB"), (1 << 30, "GiB"), (1 << 20, "MiB"), (1 << 10, "KiB")];
    match units.iter().find(|(unit, _)| bytes >= *unit) {
        Some((unit, name)) if bytes.is_multiple_of(*unit) => format!("{} {name}", bytes / unit),
        Some((unit, name)) => format!("{:.1} {name}", bytes as f64 / *unit as f64),
        None => format!("{bytes} B"),
    }
}

#[cfg(test)]
mod tests;
