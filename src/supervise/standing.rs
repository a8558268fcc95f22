//! Whether there can be an exec gate here, and whether there is one already.

use std::fmt;
use std::fs;

use super::filter::{ABOVE, ARE_YOU_THERE, HERE};
use crate::sys::{filter, kernel, limits, peek, trace};

/// Where a process stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Standing {
    /// A supervisor of kibosh judges its execs already.
    Supervised,
    /// It can be put under a supervisor.
    Free,
    /// It cannot.
    Without(Missing),
}

/// What stands in the way of an exec gate.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Missing {
    /// The policy has switched it off.
    Off,
    /// The kernel has no notifications, or none that survive signals (Linux 5.19).
    Kernel,
    /// A call that a supervisor cannot do without is refused, as the filter of a container may.
    Call(&'static str),
    /// Only ancestors may look at a process (Yama, `kernel.yama.ptrace_scope`).
    Yama(u8),
    /// Programs may gain rights by the policy, which this process cannot promise with a filter (seccomp(2)).
    Privileges,
    /// Another program listens to a filter in force here already, or the kernel refused the filter.
    Filter(String),
}

impl fmt::Display for Missing {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Off => write!(out, "the policy has switched it off"),
            Self::Kernel => write!(
                out,
                "the kernel has no notifications of calls that survive signals (seccomp_unotify, Linux 5.19)"
            ),
            Self::Call(name) => write!(
                out,
                "the call `{name}`, which a supervisor needs, is refused here (by the filter of a container, say)"
            ),
            Self::Yama(scope) => write!(
                out,
                "the kernel lets only ancestors look at a process (kernel.yama.ptrace_scope is {scope}); \
                 `kibosh run` can where it is 1"
            ),
            Self::Privileges => write!(
                out,
                "the policy lets programs gain rights (`new-privileges`), and only root can have the exec gate with that"
            ),
            Self::Filter(why) => write!(out, "the kernel refused the filter: {why}"),
        }
    }
}

/// Who will supervise.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Supervisor {
    /// A process beside the tree.
    Beside,
    /// A process above the tree.
    Above,
}

/// Where this process stands.
///
/// A notification asks nothing of the file system, so that this costs five calls at each start.
#[must_use]
pub fn here(supervisor: Supervisor) -> Standing {
    if is_supervised() {
        return Standing::Supervised;
    }
    if !filter::knows_notifications() || !filter::knows_flags() {
        return Standing::Without(Missing::Kernel);
    }
    if !peek::is_there() {
        return Standing::Without(Missing::Call("process_vm_readv"));
    }
    if !trace::is_there() {
        return Standing::Without(Missing::Call("ptrace"));
    }
    match (yama(), supervisor) {
        (0, _) | (1, Supervisor::Above) => Standing::Free,
        (1 | 2, _) if limits::may_trace_all() => Standing::Free,
        (scope, _) => Standing::Without(Missing::Yama(scope)),
    }
}

/// As [`here`], where programs may still gain rights: a filter that leaves them that is for those only who
/// have rights themselves, or where there is nothing to gain any more.
#[must_use]
pub fn here_gaining(supervisor: Supervisor) -> Standing {
    match here(supervisor) {
        Standing::Free if !limits::may_filter_freely() && !kernel::has_no_new_privileges() => {
            Standing::Without(Missing::Privileges)
        }
        standing => standing,
    }
}

/// Whether a supervisor of kibosh judges the execs of this process.
#[must_use]
pub fn is_supervised() -> bool {
    matches!(filter::ask_supervisor(ARE_YOU_THERE), Some(HERE | ABOVE))
}

/// Whether that supervisor is above the whole agent (`kibosh run`), and not beside one of its shells only.
#[must_use]
pub fn is_supervised_from_above() -> bool {
    filter::ask_supervisor(ARE_YOU_THERE) == Some(ABOVE)
}

/// The scope in which processes may be traced (Documentation/admin-guide/LSM/Yama.rst); 0 without Yama.
#[must_use]
pub fn yama() -> u8 {
    fs::read_to_string("/proc/sys/kernel/yama/ptrace_scope")
        .ok()
        .map_or(0, |scope| scope.trim().parse().unwrap_or(3))
}
