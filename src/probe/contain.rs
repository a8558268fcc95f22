//! A filter under which a program can start no other: what a repository's configuration names to be run
//! does not run.
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

/// The calls that make processes, replace the program or speak to others.
#[cfg(target_arch = "x86_64")]
const REFUSED: &[libc::c_long] = &[
    libc::SYS_fork,
    libc::SYS_vfork,
    libc::SYS_execveat,
    libc::SYS_socket,
    libc::SYS_ptrace,
];
#[cfg(not(target_arch = "x86_64"))]
const REFUSED: &[libc::c_long] = &[libc::SYS_execveat, libc::SYS_socket, libc::SYS_ptrace];

/// A filter under which only the path at this address can be executed, which no later program has there,
/// and nothing else can be started.
#[must_use]
pub fn alone(path: u64) -> Vec<Instruction> {
    let (lower, upper) = (path & u64::from(u32::MAX), path >> 32);
    let half = |half: u64| u32::try_from(half).unwrap_or_default();
    let mut builder = Builder::default();
    let [native, refused, clone, clone3, exec, same_low, allowed] =
        std::array::from_fn(|_| builder.label());
    let mut calls: Vec<_> = REFUSED
        .iter()
        .map(|call| (number(*call), refused))
        .collect();
    calls.extend([
        (number(libc::SYS_clone), clone),
        (number(libc::SYS_clone3), clone3),
        (number(libc::SYS_execve), exec),
    ]);
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
        Step::Give(UNKNOWN),
        Step::Here(clone),
        Step::Load(low_of(0)),
        Step::AnyBit(THREAD, allowed),
        Step::Give(REFUSE),
        Step::Here(exec),
        Step::Load(low_of(0)),
        Step::Equal(half(lower), same_low),
        Step::Give(REFUSE),
        Step::Here(same_low),
        Step::Load(high(0)),
        Step::Equal(half(upper), allowed),
        Step::Here(refused),
        Step::Give(REFUSE),
        Step::Here(allowed),
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
        let filter = alone(PATH);
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
    fn calls_of_other_machines_do_not_pass() {
        let filter = alone(PATH);
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
