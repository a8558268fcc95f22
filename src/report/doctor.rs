//! What `kibosh doctor` says: a line for each thing that protects or does not, with the next step.

use std::fmt::Write as _;

use serde::Serialize;

use super::escape::escape;
use crate::doctor::{
    Agent, Cover, Facts, Folder, Gates, Kernel, Mark, Mistake, Policy, PolicyFile, Reach,
    RealShell, Record, Settings, Shell, Standing, Way,
};
use crate::policy::schema::ExecGate;

/// Why there is no exec gate where the policy lets programs gain rights and this user has none to give.
pub const NEW_PRIVILEGES: &str = "the policy lets programs gain rights (`new-privileges`), and only root can \
     have the exec gate with that";

/// Where kibosh is installed as `bash`, where it is not known.
const USUAL_NAMES: &str = "~/.local/lib/kibosh";

/// One line of the report.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Line {
    /// What it belongs to.
    pub section: &'static str,
    /// What it is about.
    pub name: String,
    /// How well that protects.
    pub mark: Mark,
    /// What was found.
    pub text: String,
    /// The next step.
    pub hint: Option<String>,
}

/// Lines of one section.
struct Section<'a> {
    lines: &'a mut Vec<Line>,
    section: &'static str,
}

impl Section<'_> {
    /// Adds a line; its hint is for what is weak or missing.
    fn add(&mut self, mark: Mark, name: &str, text: impl Into<String>, hint: &str) {
        self.lines.push(Line {
            section: self.section,
            name: name.to_owned(),
            mark,
            text: text.into(),
            hint: (mark >= Mark::Weak && !hint.is_empty()).then(|| hint.to_owned()),
        });
    }
}

/// The report, line by line.
#[must_use]
pub fn lines(facts: &Facts) -> Vec<Line> {
    let mut lines = Vec::new();
    let mut section = |section, tell: fn(&Facts, &mut Section<'_>)| {
        let lines = &mut lines;
        tell(facts, &mut Section { lines, section });
    };
    section("gates", gates);
    section("kernel", |facts, to| {
        kernel(&facts.kernel, &facts.gates, to)
    });
    section("kibosh", program);
    section("policy", policy);
    section("record", |facts, to| record(&facts.record, to));
    section("shells", shells);
    section("agents", agents);
    lines
}

fn gates(facts: &Facts, to: &mut Section<'_>) {
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
}

fn exec_gate(gates: &Gates) -> (String, &'static str) {
    const ALONE: &str =
        "the line gate alone asks about what it cannot know, and what programs start is not judged";
    match (&gates.beside, &gates.above) {
        (Standing::Active, _) => (
            "on: a supervisor judges each program that starts from here".to_owned(),
            "",
        ),
        (Standing::Available, _) => (
            "at hand: beside each shell, and above an agent by `kibosh run`".to_owned(),
            "",
        ),
        (Standing::Off, _) => (format!("switched off by the policy: {ALONE}"), ""),
        (Standing::Missing(why), _) if gates.wanted == ExecGate::Required => (
            format!(
                "{}; the policy requires it, so that nothing runs",
                escape(why)
            ),
            "mend that, or let the administrator set `exec-gate = \"on\"`",
        ),
        (Standing::Missing(why), Standing::Active | Standing::Available) => (
            format!("not beside a shell: {}", escape(why)),
            "start the agent by `kibosh run -- AGENT`",
        ),
        (Standing::Missing(why), Standing::Off | Standing::Missing(_)) => (
            format!("{}; {ALONE}", escape(why)),
            "the lines under `kernel` tell what is missing",
        ),
    }
}

fn kernel(kernel: &Kernel, gates: &Gates, to: &mut Section<'_>) {
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
    let (text, hint) = ptrace_scope(kernel);
    to.add(kernel.ptrace_scope_mark(), "yama", text, hint);
    let text = match kernel.landlock {
        0 => "none; no gate needs it".to_owned(),
        version if version >= Kernel::SCOPES_SIGNALS => {
            format!("version {version}, keeps signals within bounds")
        }
        version => format!("version {version}, does not bound signals; no gate needs it"),
    };
    to.add(kernel.landlock_mark(), "landlock", text, "");
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

fn program(facts: &Facts, to: &mut Section<'_>) {
    if facts.user.is_root() {
        let text = "root: an agent running as root can change all that is named here";
        to.add(
            facts.user.mark(),
            "user",
            text,
            "run the agent as a user of its own",
        );
    } else {
        let name = facts.user.name.clone();
        let name = name.unwrap_or_else(|| facts.user.uid.to_string());
        to.add(facts.user.mark(), "user", escape(&name), "");
    }
    let program = &facts.program;
    let path = escape(&program.path);
    let mark = facts.user.mark_of(&program.reach);
    let text = match yours(&program.reach) {
        None => format!("{path}: not yours to change"),
        Some(how) => format!("{path}: an agent running as you can replace it{how}"),
    };
    let hint = "let root install it: `sudo ./install.sh --prefix /usr/local`";
    to.add(mark, "program", text, hint);
    let text = match &program.names {
        Some(folder) => format!("{}/bash and sh are this program", escape(folder)),
        None => "there is no lib/kibosh with `bash` and `sh` beside its bin".to_owned(),
    };
    to.add(
        program.names_mark(),
        "names",
        text,
        "`./install.sh` lays them out",
    );
}

/// How something can be changed; none where it cannot.
fn yours(reach: &Reach) -> Option<String> {
    match reach {
        Reach::No => None,
        Reach::Itself => Some(String::new()),
        Reach::Folder(folder) => Some(format!(", by way of {}", escape(folder))),
    }
}

fn policy(facts: &Facts, to: &mut Section<'_>) {
    let Policy {
        files,
        folders,
        mistakes,
        settings,
    } = &facts.policy;
    for one in mistakes {
        let hint = one
            .hint
            .as_deref()
            .unwrap_or("a person mends it; until then nothing runs");
        to.add(Mark::Missing, "mistake", mistake(one), &escape(hint));
    }
    to.add(Mark::Ok, "packs", "compiled in", "");
    for one in files {
        file(facts, one, to);
    }
    for one in folders {
        folder(facts, one, to);
    }
    if !facts.user.home_proven {
        let text = "your home directory is not in /etc/passwd: files in it only tighten";
        to.add(Mark::Note, "home", text, "");
    }
    if let Some(settings) = settings {
        self::settings(settings, to);
    }
}

fn mistake(mistake: &Mistake) -> String {
    let Mistake {
        file,
        line,
        column,
        message,
        ..
    } = mistake;
    let (file, message) = (escape(file), escape(message));
    if *line == 0 {
        format!("{file}: {message}")
    } else {
        format!("{file}:{line}:{column}: {message}")
    }
}

const TO_SYSTEM: &str =
    "put the rules that matter into /etc/kibosh, owned by root; nothing of yours lifts them";

fn file(facts: &Facts, file: &PolicyFile, to: &mut Section<'_>) {
    let mut text = format!(
        "{} {} {} {}",
        escape(&file.path),
        file.sha256,
        escape(&file.owner),
        file.mode
    );
    let added = match (file.layer, &file.reach, file.ignored) {
        ("project", _, 0) => "all of it is in force".to_owned(),
        ("project", _, _) => "not trusted: only what is stricter is in force".to_owned(),
        (_, _, 1..) => "only what is stricter is in force".to_owned(),
        (_, reach, 0) => match yours(reach) {
            None => "not yours to change".to_owned(),
            Some(how) => format!("an agent running as you can change it{how}"),
        },
    };
    let _infallible = write!(text, ": {added}");
    to.add(file.mark(facts), file.layer, text, hint_of(file.layer));
}

fn folder(facts: &Facts, folder: &Folder, to: &mut Section<'_>) {
    let path = escape(&folder.path);
    let text = match yours(&folder.reach) {
        None => format!("{path}: nothing of yours can be put there"),
        Some(how) if facts.has_fixed_rules() && folder.layer == "user" => {
            format!(
                "{path}: an agent running as you can loosen the packs there, and no rule of /etc/kibosh{how}"
            )
        }
        Some(how) => format!("{path}: an agent running as you can put policies there{how}"),
    };
    to.add(
        folder.mark(facts),
        &format!("{} folder", folder.layer),
        text,
        hint_of(folder.layer),
    );
}

fn hint_of(layer: &str) -> &'static str {
    if layer == "system" {
        "let root own it, and all folders above it"
    } else {
        TO_SYSTEM
    }
}

fn settings(settings: &Settings, to: &mut Section<'_>) {
    let wanted = match settings.exec_gate {
        ExecGate::Off => "off",
        ExecGate::On => "on",
        ExecGate::Required => "required",
    };
    let text = format!(
        "exec-gate {wanted}, new-privileges {}, prompt-seconds {}, dry-run {}",
        settings.new_privileges, settings.prompt_seconds, settings.dry_run
    );
    to.add(Mark::Note, "settings", text, "");
    for (name, shell) in [("bash", &settings.bash), ("sh", &settings.sh)] {
        to.add(
            shell.mark(),
            name,
            real_shell(shell),
            "name the real shell in the settings of a policy, by its absolute path",
        );
    }
}

fn real_shell(shell: &RealShell) -> String {
    let path = escape(&shell.path);
    match (shell.is_program, shell.is_kibosh) {
        (_, true) => format!("{path} is kibosh, which cannot be its own real shell"),
        (false, false) => format!("{path} is no program: nothing can run"),
        (true, false) => format!("{path} runs what is cleared"),
    }
}

fn record(record: &Record, to: &mut Section<'_>) {
    let text = match &record.path {
        None => "switched off by the policy".to_owned(),
        Some(path) if record.writable => {
            format!(
                "{}: yours, so an agent running as you can change it",
                escape(path)
            )
        }
        Some(path) => format!(
            "{} cannot be written: decisions go unrecorded",
            escape(path)
        ),
    };
    let hint = "make its folder yours, or name a file in `record`";
    to.add(record.mark(), "record", text, hint);
    if let Some(state) = &record.state {
        let text = match record.state_writable {
            true => format!(
                "{}: yours; forging what it holds gains nothing",
                escape(state)
            ),
            false => format!(
                "{} cannot be written: examples are run at each start",
                escape(state)
            ),
        };
        to.add(Mark::Note, "state", text, "");
    }
}

fn shells(facts: &Facts, to: &mut Section<'_>) {
    for shell in &facts.shells {
        to.add(
            Mark::Note.ok_or(shell.is_kibosh),
            way(shell.way),
            leads(shell),
            "",
        );
    }
    if facts.gates.beside == Standing::Active {
        let text = "whichever is started from here, the supervisor judges what it runs";
        to.add(Mark::Ok, "any", text, "");
    } else if !facts.is_used() {
        let hint = format!(
            "`SHELL={}/bash AGENT`, or `kibosh run -- AGENT`",
            names(facts)
        );
        to.add(
            Mark::Weak,
            "any",
            "no way to a shell leads to this kibosh",
            &hint,
        );
    }
}

fn way(way: Way) -> &'static str {
    match way {
        Way::Variable => "SHELL",
        Way::Login => "login shell",
        Way::PathBash => "bash in PATH",
        Way::PathSh => "sh in PATH",
        Way::Bash => "/bin/bash",
        Way::Sh => "/bin/sh",
    }
}

fn leads(shell: &Shell) -> String {
    let Some(path) = &shell.path else {
        return "not set".to_owned();
    };
    let what = if shell.is_kibosh {
        "kibosh"
    } else {
        "not kibosh"
    };
    match &shell.file {
        None => format!("{}: {what}", escape(path)),
        Some(file) => format!("{} -> {}: {what}", escape(path), escape(file)),
    }
}

fn names(facts: &Facts) -> String {
    escape(facts.program.names.as_deref().unwrap_or(USUAL_NAMES)).into_owned()
}

fn agents(facts: &Facts, to: &mut Section<'_>) {
    if facts.agents.is_empty() {
        to.add(
            Mark::Note,
            "none",
            "no agent that kibosh knows is in PATH",
            "",
        );
    }
    for agent in &facts.agents {
        let mark = agent.mark(&facts.gates);
        let (text, hint) = covered(agent, &names(facts), mark);
        let text = match &agent.but {
            Some(but) if agent.cover != Cover::Supervised => format!("{text}; {but}"),
            _ => text,
        };
        to.add(
            mark,
            &escape(&agent.program),
            format!("{}: {text}", agent.name),
            &hint,
        );
    }
}

/// How an agent's shell is covered, or would be.
fn covered(agent: &Agent, names: &str, mark: Mark) -> (String, String) {
    let program = escape(&agent.program);
    let (only, run) = if mark == Mark::Missing {
        (
            "not covered",
            "an exec gate would cover it: see `gates`".to_owned(),
        )
    } else {
        (
            "only `kibosh run` covers it",
            format!("`kibosh run -- {program}`"),
        )
    };
    match &agent.cover {
        Cover::Supervised => (
            "covered by the supervisor of this shell".to_owned(),
            String::new(),
        ),
        Cover::Covered(by) => (format!("covered by {}", escape(by)), String::new()),
        Cover::ByVariable(name) => (
            format!("takes {name}, which is not kibosh"),
            format!("`{name}={names}/bash {program}`"),
        ),
        Cover::ByPath => (
            "takes `bash` from PATH, which is not kibosh".to_owned(),
            format!("`PATH={names}:$PATH {program}`"),
        ),
        Cover::ByLogin => (
            "takes the login shell, which is not kibosh".to_owned(),
            format!(
                "`chsh -s {names}/bash`, with that in /etc/shells; or `kibosh run -- {program}`"
            ),
        ),
        Cover::BySetting(setting, file) => (
            format!("takes {file} unless {setting} names another, which is not looked at"),
            format!("set {setting} to {names}/bash"),
        ),
        Cover::OnlyRun(file) => (format!("takes {file} whatever is set: {only}"), run),
        Cover::NoShell => (format!("starts programs without a shell: {only}"), run),
        Cover::Unknown => (format!("how it starts a shell is not known: {only}"), run),
    }
}

/// The report for people.
#[must_use]
pub fn text(lines: &[Line]) -> String {
    let width = lines.iter().map(|line| line.name.chars().count()).max();
    let width = width.unwrap_or(0);
    let mut text = String::new();
    let mut section = "";
    for line in lines {
        if line.section != section {
            section = line.section;
            let _infallible = writeln!(text, "{section}");
        }
        let mark = word(line.mark);
        let _infallible = writeln!(text, "  {mark:<7}  {:<width$}  {}", line.name, line.text);
        if let Some(hint) = &line.hint {
            let _infallible = writeln!(text, "  {:7}  {:width$}  hint: {hint}", "", "");
        }
    }
    text.push('\n');
    text.push_str(&summary(lines));
    text
}

/// The word for a mark.
fn word(mark: Mark) -> &'static str {
    match mark {
        Mark::Ok => "ok",
        Mark::Note => "-",
        Mark::Weak => "weak",
        Mark::Missing => "missing",
    }
}

fn summary(lines: &[Line]) -> String {
    let count = |mark: Mark| lines.iter().filter(|line| line.mark == mark).count();
    match (count(Mark::Weak), count(Mark::Missing)) {
        (0, 0) => "all that is asked for protects".to_owned(),
        (weak, 0) => format!("{weak} weak"),
        (0, missing) => format!("{missing} missing"),
        (weak, missing) => format!("{weak} weak, {missing} missing"),
    }
}

#[derive(Serialize)]
struct Answer<'a> {
    version: &'static str,
    result: Mark,
    checks: &'a [Line],
    facts: &'a Facts,
}

/// The report as one line of JSON: every line of it, and the facts behind them.
#[must_use]
pub fn json(facts: &Facts, lines: &[Line]) -> String {
    let answer = Answer {
        version: env!("CARGO_PKG_VERSION"),
        result: lines
            .iter()
            .map(|line| line.mark)
            .max()
            .unwrap_or(Mark::Missing),
        checks: lines,
        facts,
    };
    // Strings and numbers always serialise; were it otherwise, a reader must not see that all is well.
    serde_json::to_string(&answer).unwrap_or_else(|_| r#"{"result":"missing"}"#.to_owned())
}
