//! A filter under which a program can start no other: what a repository's configuration names to be run
//! does not run.
//!
//! Takes the address of the path that may be executed once, gives instructions of classic BPF (seccomp(2)).

use crate::sys::filter::Instruction;

const LOAD: u16 = (libc::BPF_LD | libc::BPF_W | libc::BPF_ABS) as u16;
const EQUAL: u16 = (libc::BPF_JMP | libc::BPF_JEQ | libc::BPF_K) as u16;
const AT_LEAST: u16 = (libc::BPF_JMP | libc::BPF_JGE | libc::BPF_K) as u16;
const ANY_BIT: u16 = (libc::BPF_JMP | libc::BPF_JSET | libc::BPF_K) as u16;
const RETURN: u16 = (libc::BPF_RET | libc::BPF_K) as u16;

/// Where the number of a call, its machine and the halves of its first argument stand (`struct seccomp_data`).
const NUMBER: u32 = 0;
const MACHINE: u32 = 4;
const LOW: u32 = if cfg!(target_endian = "big") { 20 } else { 16 };
const HIGH: u32 = if cfg!(target_endian = "big") { 16 } else { 20 };

/// `AUDIT_ARCH_*` of linux/audit.h.
#[cfg(target_arch = "x86_64")]
const NATIVE: u32 = 0xc000_003e;
#[cfg(target_arch = "aarch64")]
const NATIVE: u32 = 0xc000_00b7;

/// Calls from here on are those of another machine (x32).
const FOREIGN: u32 = 0x4000_0000;

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
    let step = |code: u16, jt: u8, jf: u8, k: u32| Instruction { code, jt, jf, k };
    let number = |call: libc::c_long| u32::try_from(call).unwrap_or(u32::MAX);
    let low = u32::try_from(path & u64::from(u32::MAX)).unwrap_or_default();
    let high = u32::try_from(path >> 32).unwrap_or_default();
    let mut program = vec![
        step(LOAD, 0, 0, MACHINE),
        step(EQUAL, 1, 0, NATIVE),
        step(RETURN, 0, 0, REFUSE),
        step(LOAD, 0, 0, NUMBER),
        step(AT_LEAST, 0, 1, FOREIGN),
        step(RETURN, 0, 0, REFUSE),
    ];
    for call in REFUSED {
        program.push(step(EQUAL, 0, 1, number(*call)));
        program.push(step(RETURN, 0, 0, REFUSE));
    }
    program.extend([
        step(EQUAL, 0, 1, number(libc::SYS_clone3)),
        step(RETURN, 0, 0, UNKNOWN),
        step(EQUAL, 0, 4, number(libc::SYS_clone)),
        step(LOAD, 0, 0, LOW),
        step(ANY_BIT, 0, 1, THREAD),
        step(RETURN, 0, 0, ALLOW),
        step(RETURN, 0, 0, REFUSE),
        step(EQUAL, 0, 6, number(libc::SYS_execve)),
        step(LOAD, 0, 0, LOW),
        step(EQUAL, 0, 3, low),
        step(LOAD, 0, 0, HIGH),
        step(EQUAL, 0, 1, high),
        step(RETURN, 0, 0, ALLOW),
        step(RETURN, 0, 0, REFUSE),
        step(RETURN, 0, 0, ALLOW),
    ]);
    program
}
