//! What `kibosh doctor` says of kibosh as it is installed, of the policy and of the record: who could change
//! them.

use std::fmt::Write as _;

use super::super::escape::escape;
use super::super::loss::grouped;
use super::Section;
use crate::doctor::{
    Facts, Folder, Mark, Mistake, Policy, PolicyFile, Reach, RealShell, Record, Settings,
};
use crate::policy::schema::{ExecGate, Terminals};

pub fn program(facts: &Facts, to: &mut Section<'_>) {
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

pub fn policy(facts: &Facts, to: &mut Section<'_>) {
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
        "exec-gate {wanted}, new-privileges {}, prompt-seconds {}, unwatched-seconds {}, dry-run {}",
        settings.new_privileges,
        settings.prompt_seconds,
        settings.unwatched_seconds,
        settings.dry_run
    );
    to.add(Mark::Note, "settings", text, "");
    let broker = match (
        &settings.reviewer_command,
        settings.broker,
        &settings.no_broker,
    ) {
        (Some(command), ..) => format!(
            "it is not asked: what finds no terminal is put to `{}`",
            escape(command)
        ),
        (None, false, _) => {
            "the policy has switched it off: only the terminal at hand is asked".to_owned()
        }
        (None, true, None) => {
            "what finds no terminal waits for `kibosh watch` and `kibosh approve`".to_owned()
        }
        (None, true, Some(why)) => {
            let why = escape(why);
            format!("from here only the terminal at hand is asked: {why}")
        }
    };
    to.add(Mark::Note, "broker", broker, "");
    terminals(settings, to);
    reviewers(settings, to);
    credentials(settings, to);
    budgets(settings, to);
    for (name, shell) in [("bash", &settings.bash), ("sh", &settings.sh)] {
        to.add(
            shell.mark(),
            name,
            real_shell(shell),
            "name the real shell in the settings of a policy, by its absolute path",
        );
    }
}

/// Which terminals count as a person's.
fn terminals(settings: &Settings, to: &mut Section<'_>) {
    let registered = match &settings.registered {
        Ok(registered) => registered,
        Err(_) if settings.no_broker.is_some() => {
            let text = "from here it cannot be told which are registered".to_owned();
            to.add(Mark::Note, "terminals", text, "");
            return;
        }
        Err(why) => {
            let text = format!(
                "the broker that runs does not tell which are registered, and only `kibosh run` asks on one: {}",
                escape(why)
            );
            let hint = "`kibosh register` in a terminal starts one that does; what the other one keeps is gone then";
            to.add(Mark::Weak, "terminals", text, hint);
            return;
        }
    };
    let names: Vec<String> = registered
        .iter()
        .map(|one| {
            let here = if one.is_here { ", this one" } else { "" };
            let (name, program) = (escape(&one.name), escape(&one.program));
            format!("{name} ({program}, process {}{here})", one.leader)
        })
        .collect();
    let text = match (names.is_empty(), settings.terminals) {
        (false, _) => format!("registered, and no others count: {}", names.join(", ")),
        (true, Terminals::Any) => {
            "none is registered: each counts that was not opened by a program, as far as can be told"
                .to_owned()
        }
        (true, Terminals::Registered) => {
            "none is registered, and no others count: only `kibosh run` asks on one".to_owned()
        }
    };
    to.add(Mark::Note, "terminals", text, "");
}

/// Which credentials what is started gets.
fn credentials(settings: &Settings, to: &mut Section<'_>) {
    let (unset, set) = &settings.credentials;
    let names = |verb: &str, names: &[String]| {
        let names: Vec<_> = names.iter().map(|name| escape(name)).collect();
        (!names.is_empty()).then(|| format!("{verb} {}", names.join(", ")))
    };
    let parts = [names("taken out:", unset), names("set:", set)];
    let parts: Vec<String> = parts.into_iter().flatten().collect();
    if !parts.is_empty() {
        to.add(Mark::Note, "credentials", parts.join("; "), "");
    }
}

/// How much a session may do with nobody asked, and who says so.
fn budgets(settings: &Settings, to: &mut Section<'_>) {
    for budget in &settings.budgets {
        let what = match budget.key {
            "deleted-files" => "files deleted",
            "deleted-bytes" => "of files deleted",
            "overwritten-files" => "files written over",
            _ => "resources destroyed",
        };
        let most = match (budget.key, budget.most) {
            (_, u64::MAX) => "no limit to".to_owned(),
            ("deleted-bytes", most) => exact_size(most),
            (_, most) => grouped(most),
        };
        let from = match &budget.file {
            None => "usual".to_owned(),
            Some(file) => format!("{}: {}", budget.layer, escape(file)),
        };
        let text = format!("{most} {what} with nobody asked ({from})");
        to.add(Mark::Note, "budget", text, "");
    }
}

/// A size as a policy has it, in the largest unit of which it is a whole number.
fn exact_size(bytes: u64) -> String {
    let mut value = bytes;
    let mut unit = "B";
    for larger in ["kB", "MB", "GB", "TB"] {
        if value == 0 || !value.is_multiple_of(1000) {
            break;
        }
        value /= 1000;
        unit = larger;
    }
    format!("{} {unit}", grouped(value))
}

/// Where two people are wanted.
fn reviewers(settings: &Settings, to: &mut Section<'_>) {
    let who = if settings.operator_counts {
        "whose command it is counts as one"
    } else {
        "whose command it is does not count"
    };
    let Some(directory) = &settings.reviewers_directory else {
        if !settings.operator_counts {
            let text = format!("no `reviewers-directory`: of two people {who}");
            to.add(Mark::Note, "two people", text, "");
        }
        return;
    };
    let path = escape(&directory.path);
    let (mark, text) = match &directory.wrong {
        None => (Mark::Note, format!("they meet in {path}; {who}")),
        Some(why) => {
            let why = escape(why);
            (Mark::Weak, format!("{path} is not used: {why}"))
        }
    };
    let hint = "let root make it: `install -d -m 3770 -g GROUP DIRECTORY`";
    to.add(mark, "two people", text, hint);
}

fn real_shell(shell: &RealShell) -> String {
    let path = escape(&shell.path);
    match (shell.is_program, shell.is_kibosh) {
        (_, true) => format!("{path} is kibosh, which cannot be its own real shell"),
        (false, false) => format!("{path} is no program: nothing can run"),
        (true, false) => format!("{path} runs what is cleared"),
    }
}

pub fn record(record: &Record, to: &mut Section<'_>) {
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
