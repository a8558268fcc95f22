//! Whether a task of the tree may do what this process may, and finds the same world: the same user and rights, the
//! same namespaces, and no filter but the gate's. Where it was confined by somebody else, what is started here for it
//! would get out of that.

use std::fs;
use std::path::Path;

use crate::sys::stat::Status;

/// Lines of proc_pid_status(5) that must be the same.
const SAME: [&str; 8] = [
    "Uid:", "Gid:", "Groups:", "CapInh:", "CapPrm:", "CapEff:", "CapBnd:", "CapAmb:",
];
/// How many filters a task of the tree has.
const FILTERS: &str = "Seccomp_filters:";
/// What is compared of namespaces(7), and the root.
const WORLDS: [&str; 8] = [
    "root",
    "ns/cgroup",
    "ns/ipc",
    "ns/mnt",
    "ns/net",
    "ns/pid",
    "ns/user",
    "ns/uts",
];

/// Whether it is so of a task, which stands behind the filter of the gate that this process has put up.
#[must_use]
pub fn is_alike(task: i32) -> bool {
    let task = task.to_string();
    let statuses = (Status::of("self"), Status::of(&task));
    matches!(&statuses, (Ok(own), Ok(its)) if has_same_rights(own, its)) && shares_worlds(&task)
}

/// Whether both have the same rights, and the task one filter more.
fn has_same_rights(own: &Status, its: &Status) -> bool {
    let filters = |status: &Status| status.number::<u32>(FILTERS);
    let as_many = match (filters(own), filters(its)) {
        (Some(own), Some(its)) => its == own + 1,
        // Older kernels do not say how many there are.
        (None, None) => true,
        _ => false,
    };
    as_many && SAME.iter().all(|name| own.field(name) == its.field(name))
}

fn shares_worlds(task: &str) -> bool {
    WORLDS.iter().all(|name| {
        let link = |process: &str| fs::read_link(Path::new("/proc").join(process).join(name));
        match (link("self"), link(task)) {
            (Ok(own), Ok(its)) => own == its,
            // A kernel without such a namespace.
            (Err(_), Err(_)) => true,
            _ => false,
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const OWN: &str = "Name:\tkibosh\nUid:\t1000\t1000\t1000\t1000\nGid:\t1000\t1000\t1000\t1000\n\
        Groups:\t27 1000 \nCapInh:\t0\nCapPrm:\t0\nCapEff:\t0\nCapBnd:\t1ff\nCapAmb:\t0\n\
        NoNewPrivs:\t0\nSeccomp:\t0\nSeccomp_filters:\t0\n";

    #[test]
    fn only_the_filter_of_the_gate_may_be_more() {
        let gate = OWN
            .replace("kibosh", "git")
            .replace("NoNewPrivs:\t0", "NoNewPrivs:\t1")
            .replace("filters:\t0", "filters:\t1");
        let have_same_rights =
            |own: &str, its: &str| has_same_rights(&Status::reads(own), &Status::reads(its));
        assert!(have_same_rights(OWN, &gate));
        for (what, to) in [
            ("filters:\t1", "filters:\t2"),
            ("filters:\t1", "filters:\t0"),
            ("Seccomp_filters:\t1\n", ""),
            ("Uid:\t1000\t1000", "Uid:\t1000\t0"),
            ("Gid:\t1000\t1000", "Gid:\t1000\t7"),
            ("Groups:\t27 1000", "Groups:\t1000"),
            ("CapBnd:\t1ff", "CapBnd:\t0"),
            ("CapEff:\t0", "CapEff:\t1"),
        ] {
            assert!(gate.contains(what), "{what}");
            assert!(!have_same_rights(OWN, &gate.replace(what, to)), "{what}");
        }
        let older = |status: &str| status.lines().take(9).collect::<Vec<_>>().join("\n");
        assert!(have_same_rights(&older(OWN), &older(&gate)));
    }

    #[test]
    fn this_process_shares_its_own_world() {
        assert!(shares_worlds("self"));
        // It has as many filters as itself, not one more.
        assert!(!is_alike(std::process::id().cast_signed()));
    }
}
