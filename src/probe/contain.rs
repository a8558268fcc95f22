//! A filter under which a program can start no other: what a repository's configuration names to be run
//! does not run. One that has to ask a server can make sockets under it, and change no file.
//!
//! Takes the address of the path that may be executed once, gives instructions of classic BPF (seccomp(2)).

use crate::sys::bpf::{
    Builder, MACHINE, NATIVE_MACHINE, NUMBER, Step, X32, high, low as low_of, number,
};
use crate::sys::filter::Instruction;

/// A thread, not a process (clone(2)).
const THREAD: u32 = libc::CLONE_THREAD as u32;

const ALLOW: u32 = libc::SECCOMP_RET_ALLOW;
const REFUSE: u32 = libc::SECCOMP_RET_ERRNO | libc::EPERM as u32;
/// The C library tries clone(2) then, whose flags can be looked at.
const UNKNOWN: u32 = libc::SECCOMP_RET_ERRNO | libc::ENOSYS as u32;

/// What a program may do besides reading.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Allowed {
    /// Nothing more is kept from it than starting programs and speaking to others.
    Nothing,
    /// It may speak to servers, and not write.
    Sockets,
}

/// The calls that make processes, replace the program or do such things by way of a queue.
const REFUSED: &[libc::c_long] = &[
    #[cfg(target_arch = "x86_64")]
    libc::SYS_fork,
    #[cfg(target_arch = "x86_64")]
    libc::SYS_vfork,
    libc::SYS_execveat,
    libc::SYS_io_uring_setup,
    libc::SYS_ptrace,
];

/// The calls that change files or other processes, or wait for callers.
const CHANGING: &[libc::c_long] = &[
    #[cfg(target_arch = "x86_64")]
    libc::SYS_creat,
    #[cfg(target_arch = "x86_64")]
    libc::SYS_rename,
    #[cfg(target_arch = "x86_64")]
    libc::SYS_link,
    #[cfg(target_arch = "x86_64")]
    libc::SYS_symlink,
    #[cfg(target_arch = "x86_64")]
    libc::SYS_unlink,
    #[cfg(target_arch = "x86_64")]
    libc::SYS_mkdir,
    #[cfg(target_arch = "x86_64")]
    libc::SYS_rmdir,
    #[cfg(target_arch = "x86_64")]
    libc::SYS_mknod,
    #[cfg(target_arch = "x86_64")]
    libc::SYS_chmod,
    #[cfg(target_arch = "x86_64")]
    libc::SYS_chown,
    libc::SYS_renameat,
    libc::SYS_renameat2,
    libc::SYS_linkat,
    libc::SYS_symlinkat,
    libc::SYS_unlinkat,
    libc::SYS_mkdirat,
    libc::SYS_mknodat,
    libc::SYS_truncate,
    libc::SYS_fchmodat,
    libc::SYS_fchownat,
    libc::SYS_open_by_handle_at,
    libc::SYS_kill,
    libc::SYS_pidfd_send_signal,
    libc::SYS_process_vm_writev,
    libc::SYS_listen,
    libc::SYS_bpf,
];

/// The families of sockets by which servers are found and reached.
const FAMILIES: &[libc::c_int] = &[
    libc::AF_UNIX,
    libc::AF_INET,
    libc::AF_INET6,
    libc::AF_NETLINK,
];

/// The flags of open(2) with which a file is made or can be written.
const WRITES: u32 =
    (libc::O_WRONLY | libc::O_RDWR | libc::O_CREAT | libc::O_TRUNC | libc::O_APPEND) as u32;

/// A filter under which only the path at this address can be executed, which no later program has there,
/// and nothing else can be started.
#[must_use]
pub fn alone(path: u64, allowed: Allowed) -> Vec<Instruction> {
    let (lower, upper) = (path & u64::from(u32::MAX), path >> 32);
    let half = |half: u64| u32::try_from(half).unwrap_or_default();
    let mut builder = Builder::default();
    let [native, refused, clone, clone3, exec, same_low, passes] =
        std::array::from_fn(|_| builder.label());
    let [socket, opens, opens_at, unknown] = std::array::from_fn(|_| builder.label());
    let mut calls: Vec<_> = REFUSED
        .iter()
        .map(|call| (number(*call), refused))
        .collect();
    calls.extend([
        (number(libc::SYS_clone), clone),
        (number(libc::SYS_clone3), clone3),
        (number(libc::SYS_execve), exec),
    ]);
    match allowed {
        Allowed::Nothing => calls.push((number(libc::SYS_socket), refused)),
        Allowed::Sockets => {
            calls.extend(CHANGING.iter().map(|call| (number(*call), refused)));
            calls.extend([
                (number(libc::SYS_socket), socket),
                (number(libc::SYS_openat), opens_at),
                (number(libc::SYS_openat2), unknown),
            ]);
            #[cfg(target_arch = "x86_64")]
            calls.push((number(libc::SYS_open), opens));
        }
    }
    calls.sort_unstable_by_key(|(number, _)| *number);
    for step in [
        Step::Load(MACHINE),
        Step::Equal(NATIVE_MACHINE, native),
        Step::Give(REFUSE),
        Step::Here(native),
        Step::Load(NUMBER),
        Step::AtLeast(X32, refused),
    ] {
        builder.add(step);
    }
    builder.branch(&calls, ALLOW);
    for step in [
        Step::Here(clone3),
        Step::Here(unknown),
        Step::Give(UNKNOWN),
        Step::Here(opens),
        Step::Load(low_of(1)),
        Step::AnyBit(WRITES, refused),
        Step::Give(ALLOW),
        Step::Here(opens_at),
        Step::Load(low_of(2)),
        Step::AnyBit(WRITES, refused),
        Step::Give(ALLOW),
        Step::Here(socket),
        Step::Load(low_of(0)),
    ] {
        builder.add(step);
    }
    for family in FAMILIES {
        builder.add(Step::Equal(u32::try_from(*family).unwrap_or(0), passes));
    }
    for step in [
        Step::Give(REFUSE),
        Step::Here(clone),
        Step::Load(low_of(0)),
        Step::AnyBit(THREAD, passes),
        Step::Give(REFUSE),
        Step::Here(exec),
        Step::Load(low_of(0)),
        Step::Equal(half(lower), same_low),
        Step::Give(REFUSE),
        Step::Here(same_low),
        Step::Load(high(0)),
        Step::Equal(half(upper), passes),
        Step::Here(refused),
        Step::Give(REFUSE),
        Step::Here(passes),
        Step::Give(ALLOW),
    ] {
        builder.add(step);
    }
    builder.assemble()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sys::bpf::tests::outcome;

    const PATH: u64 = 0x7fff_1234_5678;

    #[test]
    fn only_the_one_path_is_executed_and_nothing_else_is_started() {
        let filter = alone(PATH, Allowed::Nothing);
        let thread = u64::from(THREAD);
        for (call, argument, expected) in [
            (libc::SYS_execve, PATH, ALLOW),
            (libc::SYS_execve, PATH + 1, REFUSE),
            (libc::SYS_execve, PATH + (1 << 32), REFUSE),
            (libc::SYS_execve, PATH & u64::from(u32::MAX), REFUSE),
            (libc::SYS_execveat, PATH, REFUSE),
            (libc::SYS_socket, 1, REFUSE),
            (libc::SYS_ptrace, 16, REFUSE),
            (libc::SYS_clone, thread, ALLOW),
            (libc::SYS_clone, thread | 0x100, ALLOW),
            (libc::SYS_clone, 17, REFUSE),
            (libc::SYS_clone, thread << 32, REFUSE),
            (libc::SYS_clone3, PATH, UNKNOWN),
            (libc::SYS_openat, 0, ALLOW),
            (libc::SYS_read, 0, ALLOW),
            (libc::SYS_exit_group, 0, ALLOW),
        ] {
            let found = outcome(&filter, NATIVE_MACHINE, number(call), [argument, 0]);
            assert_eq!(found, expected, "{call} {argument:x}");
        }
        for call in REFUSED {
            let found = outcome(&filter, NATIVE_MACHINE, number(*call), [PATH, 0]);
            assert_eq!(found, REFUSE, "{call}");
        }
    }

    #[test]
    fn who_asks_a_server_makes_sockets_and_changes_nothing() {
        let filter = alone(PATH, Allowed::Sockets);
        let family = |family: libc::c_int| u64::try_from(family).unwrap();
        let flags = |flags: libc::c_int| u64::try_from(flags).unwrap();
        let cloexec = flags(libc::O_CLOEXEC | libc::O_NONBLOCK);
        for (call, arguments, expected) in [
            (libc::SYS_execve, [PATH, 0, 0], ALLOW),
            (libc::SYS_execve, [PATH + 1, 0, 0], REFUSE),
            (libc::SYS_clone, [17, 0, 0], REFUSE),
            (libc::SYS_clone3, [0, 0, 0], UNKNOWN),
            (libc::SYS_socket, [family(libc::AF_UNIX), 1, 0], ALLOW),
            (libc::SYS_socket, [family(libc::AF_INET), 2, 0], ALLOW),
            (libc::SYS_socket, [family(libc::AF_INET6), 1, 0], ALLOW),
            (libc::SYS_socket, [family(libc::AF_NETLINK), 3, 0], ALLOW),
            (libc::SYS_socket, [family(libc::AF_PACKET), 3, 0], REFUSE),
            (libc::SYS_socket, [family(libc::AF_VSOCK), 1, 0], REFUSE),
            (libc::SYS_socket, [family(libc::AF_ALG), 5, 0], REFUSE),
            (libc::SYS_connect, [3, 0, 0], ALLOW),
            (libc::SYS_openat, [0, 0, cloexec], ALLOW),
            (libc::SYS_openat, [0, 0, flags(libc::O_WRONLY)], REFUSE),
            (libc::SYS_openat, [0, 0, flags(libc::O_RDWR)], REFUSE),
            (libc::SYS_openat, [0, 0, flags(libc::O_CREAT)], REFUSE),
            (libc::SYS_openat, [0, 0, flags(libc::O_TRUNC)], REFUSE),
            (libc::SYS_openat, [0, 0, flags(libc::O_TMPFILE)], ALLOW),
            (
                libc::SYS_openat,
                [0, 0, flags(libc::O_TMPFILE | libc::O_RDWR)],
                REFUSE,
            ),
            #[cfg(target_arch = "x86_64")]
            (libc::SYS_open, [0, cloexec, 0], ALLOW),
            #[cfg(target_arch = "x86_64")]
            (libc::SYS_open, [0, flags(libc::O_WRONLY), 0], REFUSE),
            (libc::SYS_openat2, [0, 0, 0], UNKNOWN),
            (libc::SYS_read, [0, 0, 0], ALLOW),
        ] {
            let found = outcome(&filter, NATIVE_MACHINE, number(call), arguments);
            assert_eq!(found, expected, "{call} {arguments:x?}");
        }
        for call in REFUSED.iter().chain(CHANGING) {
            let found = outcome(&filter, NATIVE_MACHINE, number(*call), [PATH, 0, 0]);
            assert_eq!(found, REFUSE, "{call}");
        }
        for (machine, call) in [(0x4000_0003, 11), (NATIVE_MACHINE, X32 | 41)] {
            let found = outcome(&filter, machine, call, [PATH, 0, 0]);
            assert_eq!(found, REFUSE, "{machine:x} {call}");
        }
    }

    #[test]
    fn calls_of_other_machines_do_not_pass() {
        let filter = alone(PATH, Allowed::Nothing);
        for (machine, call) in [
            (0x4000_0003, 11),
            (0x1234, number(libc::SYS_read)),
            (NATIVE_MACHINE, X32),
            (NATIVE_MACHINE, X32 | 520),
        ] {
            let found = outcome(&filter, machine, call, [PATH, 0]);
            assert_eq!(found, REFUSE, "{machine:x} {call}");
        }
    }
}
