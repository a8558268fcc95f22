//! What `kibosh doctor` says of the gates and of the kernel, on which they depend.

use super::super::escape::escape;
use super::Section;
use crate::doctor::{Facts, Gates, Kernel, Mark, Standing};
use crate::policy::schema::ExecGate;

pub fn gates(facts: &Facts, to: &mut Section<'_>) {
    let gates = &facts.gates;
    if facts.policy.settings.is_some() {
        to.add(
            Mark::Ok,
            "line",
            "each line is judged before any of it runs",
            "",
        );
    } else {
        let text = "the policy cannot be read, so that nothing runs";
        to.add(
            Mark::Missing,
            "line",
            text,
            "mend what stands below under `policy`",
        );
    }
    let (text, hint) = exec_gate(gates);
    to.add(gates.exec_mark(), "exec", text, hint);
    if !gates.has_exec() {
        let text = "the line gate asks where it cannot know; what programs start is not judged";
        to.add(Mark::Note, "without it", text, "");
    }
}

fn exec_gate(gates: &Gates) -> (String, &'static str) {
    match (&gates.beside, &gates.above) {
        (Standing::Active, _) => (
            "on: a supervisor judges each program that starts from here".to_owned(),
            "",
        ),
        (Standing::Available, _) => (
            "at hand: beside each shell, and above an agent by `kibosh run`".to_owned(),
            "",
        ),
        (Standing::Off, _) => ("switched off by the policy".to_owned(), ""),
        (Standing::Missing(why), _) if gates.wanted == ExecGate::Required => (
            format!("required, so that nothing runs: {}", escape(why)),
            "mend that, or let the administrator set `exec-gate = \"on\"`",
        ),
        (Standing::Missing(why), Standing::Active | Standing::Available) => (
            format!("not beside a shell: {}", escape(why)),
            "start the agent by `kibosh run -- AGENT`",
        ),
        (Standing::Missing(why), Standing::Off | Standing::Missing(_)) => (
            format!("none: {}", escape(why)),
            "the lines under `kernel` tell what is missing",
        ),
    }
}

pub fn kernel(kernel: &Kernel, gates: &Gates, to: &mut Section<'_>) {
    const NEWER: &str = "take Linux 5.19 or newer; let a container's profile pass seccomp(2)";
    let has = |holds: bool, there: &str, missing: &str| {
        let text = if holds { there } else { missing };
        (Mark::Missing.ok_or(holds), text.to_owned())
    };
    to.add(
        Mark::Ok,
        "release",
        format!("Linux {}", escape(&kernel.release)),
        "",
    );
    let (mark, text) = has(
        kernel.notifications,
        "can ask a supervisor before a program starts",
        "cannot ask a supervisor before a program starts (seccomp_unotify)",
    );
    to.add(mark, "notifications", text, NEWER);
    let (mark, text) = has(
        kernel.wait_killable,
        "such a question survives signals",
        "such a question would not survive signals (WAIT_KILLABLE_RECV)",
    );
    to.add(mark, "signals", text, NEWER);
    let (mark, text) = has(
        kernel.descriptors,
        "descriptors of a process can be taken",
        "descriptors of a process cannot be taken (pidfd_getfd)",
    );
    let hint = "take Linux 5.6 or newer; let a container's profile pass pidfd_getfd(2)";
    to.add(mark, "descriptors", text, hint);
    let (mark, text) = has(
        kernel.memory,
        "the arguments of a program can be read",
        "the arguments of a program cannot be read (process_vm_readv)",
    );
    to.add(
        mark,
        "memory",
        text,
        "let a container's profile pass process_vm_readv(2)",
    );
    let (_, text) = has(
        gates.tracing_mark(kernel) == Mark::Ok,
        "what starts can be compared with what was judged",
        "what starts cannot be compared with what was judged (ptrace)",
    );
    to.add(
        gates.tracing_mark(kernel),
        "tracing",
        text,
        "let a container's profile pass ptrace(2)",
    );
    let (text, hint) = ptrace_scope(kernel);
    to.add(kernel.ptrace_scope_mark(), "yama", text, hint);
    let version = match kernel.landlock {
        0 => "none".to_owned(),
        version => format!("version {version}"),
    };
    let text = match kernel.scopes_signals {
        true => format!("{version}: `kibosh run` keeps an agent from your other processes"),
        false => format!("{version}: an agent can signal and trace your other processes"),
    };
    let hint = "take Linux 6.12 or newer, with `landlock` among its `lsm=`";
    to.add(kernel.landlock_mark(), "landlock", text, hint);
    keys(kernel, gates, to);
    let text = match kernel.namespaces.are_allowed() {
        true => "a user may make them",
        false => "a user may not make them; no gate needs it",
    };
    let mark = Mark::Note.ok_or(kernel.namespaces.are_allowed());
    to.add(mark, "namespaces", text, "");
    let text = match kernel.no_new_privileges {
        true => "given up here (no_new_privs): `sudo` gains nothing",
        false => {
            "not given up here (no_new_privs); the exec gate does that for those without rights"
        }
    };
    to.add(Mark::Ok, "privileges", text, "");
}

fn ptrace_scope(kernel: &Kernel) -> (String, &'static str) {
    match kernel.ptrace_scope {
        None => ("none: a supervisor may examine what you run".to_owned(), ""),
        Some(0) => (
            "ptrace_scope 0: a supervisor may examine what you run".to_owned(),
            "",
        ),
        Some(scope @ (1 | 2)) if kernel.may_trace_all => (
            format!("ptrace_scope {scope}, but this user may examine all"),
            "",
        ),
        Some(1) => (
            "ptrace_scope 1: a supervisor may examine only what it has started".to_owned(),
            "start the agent by `kibosh run -- AGENT`, or as root: `sysctl kernel.yama.ptrace_scope=0`",
        ),
        Some(scope) => (
            format!("ptrace_scope {scope}: no supervisor may examine what you run"),
            "as root: `sysctl kernel.yama.ptrace_scope=1`; 3 stays until the machine starts anew",
        ),
    }
}

/// Keys that a program pushes into its own terminal.
fn keys(kernel: &Kernel, gates: &Gates, to: &mut Section<'_>) {
    let mark = Mark::Weak.ok_or(!kernel.pushes_keys || gates.has_exec());
    let text = match (kernel.pushes_keys, gates.has_exec()) {
        (false, _) => "no program can type on your terminal (legacy_tiocsti 0)",
        (true, true) => "what the exec gate guards cannot type on your terminal",
        (true, false) => "a program can type on your terminal, where you are asked",
    };
    let hint = "as root: `sysctl dev.tty.legacy_tiocsti=0` (Linux 6.2)";
    to.add(mark, "keys", text, hint);
}
