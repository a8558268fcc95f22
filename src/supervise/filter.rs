//! The seccomp filter of a guarded tree: which calls the supervisor is asked about, and which never reach
//! it.
//!
//! Takes the processes that must be left alone, gives instructions of classic BPF (seccomp(2)). A call that
//! is neither an exec nor about one of these processes is not looked at twice: the kernel remembers calls
//! that pass whatever their arguments are.

#[cfg(target_arch = "x86_64")]
use crate::sys::bpf::X32;
use crate::sys::bpf::{
    Builder, Label, MACHINE, NATIVE_MACHINE, NUMBER, Step, low as argument, number,
};
use crate::sys::filter::Instruction;

/// The prctl(2) option by which a process asks whether it is supervised; the kernel knows no such option.
pub const ARE_YOU_THERE: u32 = 0x6b69_6273;
/// What a supervisor beside a shell answers to it.
pub const HERE: i32 = 0x6b69;
/// What one above a whole agent answers to it.
pub const ABOVE: i32 = 0x6b6a;

/// The numbers of one machine's calls.
struct Calls {
    machine: u32,
    execve: u32,
    execveat: u32,
    prctl: u32,
    ioctl: u32,
    ptrace: u32,
    /// Calls whose first argument is a process, a thread or, negative, a group.
    first: &'static [u32],
    /// Calls whose first two are.
    both: &'static [u32],
}

/// `TIOCSTI` and `TIOCLINUX` put keys into a terminal, which could answer a question there.
const KEYS: [u32; 2] = [0x5412, 0x541c];

/// The calls of the machine that this program is built for.
fn native() -> Calls {
    Calls {
        machine: NATIVE_MACHINE,
        execve: number(libc::SYS_execve),
        execveat: number(libc::SYS_execveat),
        prctl: number(libc::SYS_prctl),
        ioctl: number(libc::SYS_ioctl),
        ptrace: number(libc::SYS_ptrace),
        first: &NATIVE_FIRST,
        both: &NATIVE_BOTH,
    }
}

const NATIVE_FIRST: [u32; 6] = [
    libc::SYS_kill as u32,
    libc::SYS_tkill as u32,
    libc::SYS_rt_sigqueueinfo as u32,
    libc::SYS_pidfd_open as u32,
    libc::SYS_process_vm_readv as u32,
    libc::SYS_process_vm_writev as u32,
];
const NATIVE_BOTH: [u32; 2] = [libc::SYS_tgkill as u32, libc::SYS_rt_tgsigqueueinfo as u32];

/// The 32-bit calls that the same kernel may take: those of i386 (arch/x86/entry/syscalls/syscall_32.tbl).
#[cfg(target_arch = "x86_64")]
const OTHER: Calls = Calls {
    machine: OTHER_MACHINE,
    execve: 11,
    execveat: 358,
    prctl: 172,
    ioctl: 54,
    ptrace: 26,
    first: &[37, 238, 178, 434, 347, 348],
    both: &[270, 335],
};
/// Those of arm (arch/arm/tools/syscall.tbl).
#[cfg(target_arch = "aarch64")]
const OTHER: Calls = Calls {
    machine: OTHER_MACHINE,
    execve: 11,
    execveat: 387,
    prctl: 172,
    ioctl: 54,
    ptrace: 26,
    first: &[37, 238, 178, 434, 376, 377],
    both: &[268, 363],
};

/// The machine of 32-bit programs, whose pointers are 32 bits wide.
#[cfg(target_arch = "x86_64")]
pub const OTHER_MACHINE: u32 = 0x4000_0003;
/// The machine of 32-bit programs, whose pointers are 32 bits wide.
#[cfg(target_arch = "aarch64")]
pub const OTHER_MACHINE: u32 = 0x4000_0028;

/// Whether a call of a machine is `execveat`; none where it is no exec.
#[must_use]
pub fn is_execveat(machine: u32, call: i32) -> Option<bool> {
    let calls = if machine == OTHER_MACHINE {
        OTHER
    } else {
        native()
    };
    let call = u32::try_from(call).ok()?;
    if call == calls.execve {
        Some(false)
    } else if call == calls.execveat {
        Some(true)
    } else {
        None
    }
}

const ALLOW: u32 = libc::SECCOMP_RET_ALLOW;
const NOTIFY: u32 = libc::SECCOMP_RET_USER_NOTIF;

const fn fail(errno: i32) -> u32 {
    libc::SECCOMP_RET_ERRNO | errno as u32
}

/// What is done about calls of either machine.
struct Outcomes {
    exec: Label,
    prctl: Label,
    ioctl: Label,
    ptrace: Label,
    first: Label,
    both: Label,
}

/// The filter for a tree whose supervisor, and launcher if it has one, are `protected`.
#[must_use]
pub fn program(protected: &[i32]) -> Vec<Instruction> {
    let mut builder = Builder::default();
    let native = native();
    let [of_native, of_other, refused] = std::array::from_fn(|_| builder.label());
    let outcomes = Outcomes {
        exec: builder.label(),
        prctl: builder.label(),
        ioctl: builder.label(),
        ptrace: builder.label(),
        first: builder.label(),
        both: builder.label(),
    };
    builder.add(Step::Load(MACHINE));
    builder.add(Step::Equal(native.machine, of_native));
    builder.add(Step::Equal(OTHER_MACHINE, of_other));
    // A machine that is neither has calls that nobody here knows.
    builder.add(Step::Give(fail(libc::ENOSYS)));

    builder.add(Step::Here(of_native));
    builder.add(Step::Load(NUMBER));
    #[cfg(target_arch = "x86_64")]
    let x32 = builder.label();
    #[cfg(target_arch = "x86_64")]
    builder.add(Step::AtLeast(X32, x32));
    tell_apart(&mut builder, &native, &outcomes);
    #[cfg(target_arch = "x86_64")]
    {
        builder.add(Step::Here(x32));
        builder.add(Step::Give(fail(libc::ENOSYS)));
    }
    builder.add(Step::Here(of_other));
    // Which calls of a program of 32 bits always pass the kernel does not find out then: there are few, and each start
    // would wait for it.
    builder.add(Step::Load(argument(0)));
    builder.add(Step::Load(NUMBER));
    tell_apart(&mut builder, &OTHER, &outcomes);

    builder.add(Step::Here(outcomes.prctl));
    builder.add(Step::Load(argument(0)));
    builder.add(Step::Equal(ARE_YOU_THERE, outcomes.exec));
    builder.add(Step::Give(ALLOW));
    builder.add(Step::Here(outcomes.exec));
    builder.add(Step::Give(NOTIFY));
    builder.add(Step::Here(outcomes.ioctl));
    builder.add(Step::Load(argument(1)));
    for keys in KEYS {
        builder.add(Step::Equal(keys, refused));
    }
    builder.add(Step::Give(ALLOW));
    let targets = |builder: &mut Builder, place| {
        builder.add(Step::Load(argument(place)));
        for process in protected {
            builder.add(Step::Equal(process.cast_unsigned(), refused));
            builder.add(Step::Equal(process.wrapping_neg().cast_unsigned(), refused));
        }
        // Everybody is meant: the supervisor, too.
        builder.add(Step::Equal(u32::MAX, refused));
    };
    builder.add(Step::Here(outcomes.ptrace));
    targets(&mut builder, 1);
    builder.add(Step::Give(ALLOW));
    builder.add(Step::Here(outcomes.both));
    targets(&mut builder, 1);
    builder.add(Step::Here(outcomes.first));
    targets(&mut builder, 0);
    builder.add(Step::Give(ALLOW));
    builder.add(Step::Here(refused));
    builder.add(Step::Give(fail(libc::EPERM)));
    builder.assemble()
}

/// Goes on where the call whose number was loaded is dealt with; all others pass.
fn tell_apart(builder: &mut Builder, calls: &Calls, outcomes: &Outcomes) {
    let mut numbers = vec![
        (calls.execve, outcomes.exec),
        (calls.execveat, outcomes.exec),
        (calls.prctl, outcomes.prctl),
        (calls.ioctl, outcomes.ioctl),
        (calls.ptrace, outcomes.ptrace),
    ];
    numbers.extend(calls.first.iter().map(|number| (*number, outcomes.first)));
    numbers.extend(calls.both.iter().map(|number| (*number, outcomes.both)));
    numbers.sort_unstable_by_key(|(number, _)| *number);
    builder.branch(&numbers, ALLOW);
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sys::bpf::tests::{outcome, walk};

    const S: u64 = 4321;
    const L: u64 = 99;
    const EPERM: u32 = fail(libc::EPERM);

    fn native_outcome(call: libc::c_long, arguments: [u64; 2]) -> u32 {
        let filter = program(&[S as i32, L as i32]);
        outcome(&filter, NATIVE_MACHINE, number(call), arguments)
    }

    #[test]
    fn a_usual_call_is_through_after_a_few_steps() {
        let filter = program(&[S as i32, L as i32]);
        for (machine, calls) in [(NATIVE_MACHINE, 0..480), (OTHER_MACHINE, 0..480)] {
            let usual = |call: &u32| {
                let both = [native(), OTHER];
                let calls = &both[usize::from(machine == OTHER_MACHINE)];
                let known = [
                    calls.execve,
                    calls.execveat,
                    calls.prctl,
                    calls.ioctl,
                    calls.ptrace,
                ];
                !known.contains(call) && !calls.first.contains(call) && !calls.both.contains(call)
            };
            for call in calls.filter(usual) {
                let mut steps = 0;
                let given = walk(&filter, machine, call, [0, 0], &mut steps);
                assert_eq!(given, ALLOW, "{machine:x} {call}");
                assert!(steps <= 12, "{machine:x} {call}: {steps} steps");
            }
        }
    }

    #[test]
    fn execs_are_asked_about_on_every_machine() {
        let filter = program(&[S as i32]);
        for (machine, call, expected) in [
            (NATIVE_MACHINE, number(libc::SYS_execve), NOTIFY),
            (NATIVE_MACHINE, number(libc::SYS_execveat), NOTIFY),
            (OTHER_MACHINE, OTHER.execve, NOTIFY),
            (OTHER_MACHINE, OTHER.execveat, NOTIFY),
            (NATIVE_MACHINE, number(libc::SYS_openat), ALLOW),
            (OTHER_MACHINE, 5, ALLOW),
            (0x1234, number(libc::SYS_execve), fail(libc::ENOSYS)),
        ] {
            assert_eq!(
                outcome(&filter, machine, call, [0, 0]),
                expected,
                "{machine:x} {call}"
            );
        }
    }

    #[cfg(target_arch = "x86_64")]
    #[test]
    fn calls_of_x32_do_not_exist() {
        let filter = program(&[]);
        for call in [59, 520, 545, 0] {
            assert_eq!(
                outcome(&filter, NATIVE_MACHINE, X32 | call, [0, 0]),
                fail(libc::ENOSYS)
            );
        }
    }

    #[test]
    fn nothing_reaches_the_supervisor_by_its_number() {
        let group = (-(S as i64)) as u64;
        let all = (-1i64) as u64;
        for (call, arguments, expected) in [
            (libc::SYS_kill, [S, 9], EPERM),
            (libc::SYS_kill, [L, 9], EPERM),
            (libc::SYS_kill, [group, 9], EPERM),
            (libc::SYS_kill, [all, 9], EPERM),
            // The kernel looks at the low half only.
            (libc::SYS_kill, [S | 0xffff_ffff_0000_0000, 9], EPERM),
            (libc::SYS_kill, [S + 1, 9], ALLOW),
            (libc::SYS_kill, [0, 9], ALLOW),
            (libc::SYS_tkill, [S, 9], EPERM),
            (libc::SYS_tgkill, [7, S], EPERM),
            (libc::SYS_tgkill, [S, 7], EPERM),
            (libc::SYS_tgkill, [7, 8], ALLOW),
            (libc::SYS_rt_sigqueueinfo, [S, 9], EPERM),
            (libc::SYS_rt_tgsigqueueinfo, [S, S], EPERM),
            (libc::SYS_pidfd_open, [S, 0], EPERM),
            (libc::SYS_ptrace, [16, S], EPERM),
            (libc::SYS_ptrace, [16, 5], ALLOW),
            (libc::SYS_process_vm_writev, [S, 0], EPERM),
            (libc::SYS_process_vm_readv, [S, 0], EPERM),
        ] {
            assert_eq!(
                native_outcome(call, arguments),
                expected,
                "{call} {arguments:?}"
            );
        }
    }

    #[test]
    fn no_keys_are_put_into_a_terminal() {
        for (request, expected) in [
            (0x5412, EPERM),
            (0x541c, EPERM),
            (0xffff_ffff_0000_5412, EPERM),
            (0x5413, ALLOW),
        ] {
            assert_eq!(native_outcome(libc::SYS_ioctl, [0, request]), expected);
        }
    }

    #[test]
    fn the_supervisor_is_found_by_a_question_of_its_own() {
        assert_eq!(
            native_outcome(libc::SYS_prctl, [u64::from(ARE_YOU_THERE), 0]),
            NOTIFY
        );
        assert_eq!(native_outcome(libc::SYS_prctl, [38, 1]), ALLOW);
    }
}
