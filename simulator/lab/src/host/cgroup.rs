//! The control groups that this process is in, of version 1 and 2 (cgroups(7)): the limits of a container
//! or of a CI runner. A limit of a group holds for all groups below it.

use std::{
    fs,
    path::{Path, PathBuf},
};

/// A controller, with the names of its files in version 1 and in version 2.
pub(super) struct Controller {
    name: &'static str,
    limit: [&'static str; 2],
    usage: [&'static str; 2],
    /// Names the line of `memory.stat` with what the kernel would give back under pressure.
    reclaimable: Option<[&'static str; 2]>,
}

pub(super) const MEMORY: Controller = Controller {
    name: "memory",
    limit: ["memory.limit_in_bytes", "memory.max"],
    usage: ["memory.usage_in_bytes", "memory.current"],
    reclaimable: Some(["total_inactive_file", "inactive_file"]),
};

pub(super) const PIDS: Controller = Controller {
    name: "pids",
    limit: ["pids.max"; 2],
    usage: ["pids.current"; 2],
    reclaimable: None,
};

/// What is left of a limit, and the limit.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Left {
    pub(super) left: u64,
    pub(super) limit: u64,
}

/// What the groups of this process leave it; `None` if they set no limit, or cannot be read.
pub(super) fn left(controller: &Controller) -> Option<Left> {
    let read = |path: &str| fs::read_to_string(path).unwrap_or_default();
    left_in(controller, &read("/proc/self/cgroup"), &read("/proc/self/mountinfo"))
}

fn left_in(controller: &Controller, groups: &str, mounts: &str) -> Option<Left> {
    let of = |version: usize| {
        let (mount, root) = mounted(controller, mounts, version)?;
        let group = group(controller, groups, version)?;
        // A container may see the path from outside, while the mount begins with its own group.
        let below = Path::new(group).strip_prefix(root).unwrap_or(Path::new(""));
        let dirs = below.ancestors().map(|part| mount.join(part));
        dirs.filter_map(|dir| left_of(controller, &dir, version)).min()
    };
    [0, 1].into_iter().filter_map(of).min()
}

/// The mount point, and which group is mounted there.
fn mounted<'a>(
    controller: &Controller,
    mounts: &'a str,
    version: usize,
) -> Option<(PathBuf, &'a str)> {
    mounts.lines().find_map(|line| {
        let (place, kind) = line.split_once(" - ")?;
        let mut kind = kind.split(' ');
        let (fstype, options) = (kind.next()?, kind.nth(1)?);
        let fits = match version {
            0 => fstype == "cgroup" && options.split(',').any(|option| option == controller.name),
            _ => fstype == "cgroup2",
        };
        let mut place = place.split(' ').skip(3);
        let (root, point) = (place.next()?, place.next()?);
        fits.then(|| (PathBuf::from(point), root))
    })
}

/// The path of this process's group.
fn group<'a>(controller: &Controller, groups: &'a str, version: usize) -> Option<&'a str> {
    groups.lines().find_map(|line| {
        let mut parts = line.splitn(3, ':').skip(1);
        let (controllers, path) = (parts.next()?, parts.next()?);
        let fits = match version {
            0 => controllers.split(',').any(|name| name == controller.name),
            _ => controllers.is_empty(),
        };
        fits.then_some(path)
    })
}

fn left_of(controller: &Controller, dir: &Path, version: usize) -> Option<Left> {
    let read = |name: &str| fs::read_to_string(dir.join(name)).ok();
    let number = |name: &str| read(name)?.trim().parse::<u64>().ok();
    // `max`, or in version 1 a number beyond all memory, is no limit.
    let limit = number(controller.limit[version]).filter(|limit| *limit < 1 << 60)?;
    let usage = number(controller.usage[version]).unwrap_or(0);
    let reclaimable = controller.reclaimable.and_then(|names| {
        let stat = read("memory.stat")?;
        let line = stat.lines().find_map(|line| line.strip_prefix(names[version]))?;
        line.trim().parse::<u64>().ok()
    });
    let used = usage.saturating_sub(reclaimable.unwrap_or(0));
    Some(Left { left: limit.saturating_sub(used), limit })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn write(dir: &Path, files: &[(&str, &str)]) {
        fs::create_dir_all(dir).unwrap();
        files.iter().for_each(|(name, text)| fs::write(dir.join(name), text).unwrap());
    }

    #[test]
    fn the_tightest_group_above_counts_in_version_2() {
        let root = tempfile::tempdir().unwrap();
        let mounts = format!("30 23 0:26 / {} rw - cgroup2 cgroup2 rw\n", root.path().display());
        let (runner, job) = (root.path().join("runner"), root.path().join("runner/job"));
        write(&runner, &[("memory.max", "1000\n"), ("memory.current", "700\n")]);
        write(&runner, &[("memory.stat", "anon 5\ninactive_file 200\n")]);
        write(&job, &[("memory.max", "max\n"), ("memory.current", "5\n")]);
        let groups = "0::/runner/job\n";
        assert_eq!(left_in(&MEMORY, groups, &mounts), Some(Left { left: 500, limit: 1000 }));
        write(&job, &[("memory.max", "400\n")]);
        assert_eq!(left_in(&MEMORY, groups, &mounts), Some(Left { left: 395, limit: 400 }));
        write(&job, &[("pids.max", "16\n"), ("pids.current", "20\n")]);
        assert_eq!(left_in(&PIDS, groups, &mounts), Some(Left { left: 0, limit: 16 }));
    }

    #[test]
    fn version_1_is_read_too_and_a_container_sees_its_own_group_as_the_root() {
        let root = tempfile::tempdir().unwrap();
        let at = root.path().display();
        let mounts = format!("35 31 0:32 /docker/ab {at} rw - cgroup cgroup rw,memory\n");
        let limit = [("memory.limit_in_bytes", "300\n"), ("memory.usage_in_bytes", "100\n")];
        write(root.path(), &limit);
        let expected = Some(Left { left: 200, limit: 300 });
        assert_eq!(left_in(&MEMORY, "4:memory:/docker/ab\n", &mounts), expected);
        assert_eq!(left_in(&MEMORY, "4:memory:/elsewhere\n", &mounts), expected);
        write(root.path(), &[("memory.limit_in_bytes", "9223372036854771712\n")]);
        assert_eq!(left_in(&MEMORY, "4:memory:/docker/ab\n", &mounts), None);
        assert_eq!(left_in(&MEMORY, "", ""), None);
    }
}
