//! The kernel: asked by calls that change nothing, and by its settings.

use std::fs;
use std::io;

use super::facts::{Kernel, Namespaces};
use crate::sys::{filter, kernel, landlock, limits, peek, process, trace};

/// Looks at the kernel.
///
/// # Errors
///
/// Where `/proc` is not there, without which nothing can be told.
pub fn look() -> io::Result<Kernel> {
    let release = fs::read_to_string("/proc/sys/kernel/osrelease")?;
    Ok(Kernel {
        release: release.trim().to_owned(),
        notifications: filter::knows_notifications(),
        wait_killable: filter::knows_flags(),
        descriptors: takes_descriptors(),
        memory: peek::is_there(),
        tracing: trace::is_there(),
        ptrace_scope: setting("kernel/yama/ptrace_scope"),
        may_trace_all: limits::may_trace_all(),
        landlock: kernel::landlock_version(),
        scopes_signals: landlock::can_scope_signals(),
        // Before Linux 6.2 there is no setting, and every program can.
        pushes_keys: setting::<u32>("dev/tty/legacy_tiocsti") != Some(0),
        namespaces: Namespaces {
            most: setting("user/max_user_namespaces"),
            unprivileged: setting("kernel/unprivileged_userns_clone"),
            restricted: setting("kernel/apparmor_restrict_unprivileged_userns"),
        },
        no_new_privileges: kernel::has_no_new_privileges(),
    })
}

/// A number below `/proc/sys`; none where there is none.
fn setting<T: std::str::FromStr>(name: &str) -> Option<T> {
    let text = fs::read_to_string(format!("/proc/sys/{name}")).ok()?;
    text.trim().parse().ok()
}

/// Whether this process can take a descriptor of its own, as a supervisor takes those of others. The
/// standard ones are always open here.
fn takes_descriptors() -> bool {
    process::descriptor_of(std::process::id().cast_signed(), 0).is_ok()
}
