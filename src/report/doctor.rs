//! What `kibosh doctor` says: a line for each thing that protects or does not, with the next step.

mod agents;
mod kernel;
mod setup;

use std::fmt::Write as _;

use serde::Serialize;

use crate::doctor::{Facts, Mark};

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
    section("gates", kernel::gates);
    section("kernel", |facts, to| {
        kernel::kernel(&facts.kernel, &facts.gates, to)
    });
    section("kibosh", setup::program);
    section("policy", setup::policy);
    section("record", |facts, to| setup::record(&facts.record, to));
    section("shells", agents::shells);
    section("agents", agents::agents);
    lines
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::doctor::{
        Agent, Budget, Cover, Folder, Gates, Kernel, Mistake, Namespaces, Policy, PolicyFile,
        Program, Reach, RealShell, Record, RegisteredTerminal, ReviewersDirectory, Settings, Shell,
        Standing, User, Way,
    };
    use crate::policy::schema::{ExecGate, Terminals};

    fn shell(way: Way, path: &str, is_kibosh: bool) -> Shell {
        Shell {
            way,
            path: Some(path.to_owned()),
            file: None,
            is_kibosh,
        }
    }

    fn agent(name: &str, program: &str, cover: Cover) -> Agent {
        Agent {
            name: name.to_owned(),
            program: program.to_owned(),
            path: format!("/usr/bin/{program}"),
            cover,
            but: None,
        }
    }

    fn real(path: &str) -> RealShell {
        RealShell {
            path: path.to_owned(),
            is_program: true,
            is_kibosh: false,
        }
    }

    fn budget(key: &'static str, most: u64, file: Option<&str>) -> Budget {
        Budget {
            key,
            most,
            layer: if file.is_some() { "system" } else { "pack" },
            file: file.map(str::to_owned),
        }
    }

    /// A machine on which an administrator has set everything up.
    fn well() -> Facts {
        Facts {
            kernel: Kernel {
                release: "6.12.0".to_owned(),
                notifications: true,
                wait_killable: true,
                descriptors: true,
                memory: true,
                tracing: true,
                ptrace_scope: Some(0),
                may_trace_all: false,
                landlock: 6,
                scopes_signals: true,
                pushes_keys: false,
                namespaces: Namespaces {
                    most: Some(1000),
                    unprivileged: None,
                    restricted: Some(0),
                },
                no_new_privileges: false,
            },
            gates: Gates {
                wanted: ExecGate::Required,
                beside: Standing::Available,
                above: Standing::Available,
            },
            user: User {
                uid: 1000,
                name: Some("ann".to_owned()),
                shell: Some("/usr/local/lib/kibosh/bash".to_owned()),
                home_proven: true,
            },
            program: Program {
                path: "/usr/local/bin/kibosh".to_owned(),
                reach: Reach::No,
                names: Some("/usr/local/lib/kibosh".to_owned()),
            },
            shells: vec![
                shell(Way::Variable, "/usr/local/lib/kibosh/bash", true),
                shell(Way::Bash, "/bin/bash", false),
            ],
            policy: Policy {
                files: vec![PolicyFile {
                    layer: "system",
                    path: "/etc/kibosh/team.toml".to_owned(),
                    sha256: "0123456789abcdef".to_owned(),
                    owner: "root".to_owned(),
                    mode: "644".to_owned(),
                    reach: Reach::No,
                    ignored: 0,
                }],
                folders: vec![
                    Folder {
                        layer: "system",
                        path: "/etc/kibosh".to_owned(),
                        reach: Reach::No,
                    },
                    Folder {
                        layer: "user",
                        path: "/home/ann/.config/kibosh".to_owned(),
                        reach: Reach::Itself,
                    },
                ],
                mistakes: Vec::new(),
                settings: Some(Settings {
                    exec_gate: ExecGate::Required,
                    new_privileges: false,
                    prompt_seconds: 20,
                    broker: true,
                    no_broker: None,
                    terminals: Terminals::Any,
                    registered: Ok(Vec::new()),
                    reviewer_command: None,
                    unwatched_seconds: 0,
                    operator_counts: true,
                    credentials: (Vec::new(), Vec::new()),
                    reviewers_directory: None,
                    budgets: vec![
                        budget("deleted-files", 200, None),
                        budget(
                            "deleted-bytes",
                            1_500_000_000,
                            Some("/etc/kibosh/team.toml"),
                        ),
                        budget("overwritten-files", 1000, None),
                        budget("destroyed-resources", u64::MAX, None),
                    ],
                    dry_run: false,
                    record: None,
                    bash: real("/bin/bash"),
                    sh: real("/bin/sh"),
                }),
            },
            record: Record {
                path: Some("/home/ann/.local/state/kibosh/audit.jsonl".to_owned()),
                writable: true,
                state: Some("/home/ann/.local/state/kibosh".to_owned()),
                state_writable: true,
            },
            agents: vec![agent(
                "Claude Code",
                "claude",
                Cover::Covered("SHELL".to_owned()),
            )],
        }
    }

    /// The whole report, as it is printed.
    fn told(facts: &Facts) -> String {
        text(&lines(facts)) + "\n"
    }

    #[test]
    fn a_machine_that_an_administrator_has_set_up_is_well() {
        assert_eq!(told(&well()), include_str!("doctor/well.txt"));
    }

    #[test]
    fn registered_terminals_are_told_and_whether_others_count() {
        let line = |terminals, registered: Result<&[bool], &str>| {
            let mut facts = well();
            let settings = facts.policy.settings.as_mut().unwrap();
            settings.terminals = terminals;
            settings.registered = registered.map_err(str::to_owned).map(|all| {
                let one = |is_here: &bool| RegisteredTerminal {
                    name: "/dev/pts/3".to_owned(),
                    leader: 70,
                    program: "ba\nsh".to_owned(),
                    is_here: *is_here,
                };
                all.iter().map(one).collect()
            });
            let mut lines = lines(&facts).into_iter();
            lines.find(|line| line.name == "terminals").unwrap().text
        };
        assert_eq!(
            line(Terminals::Any, Ok(&[false, true])),
            "registered, and no others count: /dev/pts/3 (ba\\nsh, process 70), \
             /dev/pts/3 (ba\\nsh, process 70, this one)"
        );
        assert!(line(Terminals::Any, Ok(&[])).contains("each counts"));
        assert!(line(Terminals::Registered, Ok(&[])).contains("no others count"));
        assert!(
            line(Terminals::Any, Err("it\nis")).ends_with("only `kibosh run` asks on one: it\\nis")
        );
    }

    #[test]
    fn credentials_are_told_by_name() {
        let mut facts = well();
        let settings = facts.policy.settings.as_mut().unwrap();
        settings.credentials = (vec!["*_TOKEN".to_owned()], vec!["AWS_PROFILE".to_owned()]);
        let mut lines = lines(&facts).into_iter();
        let line = lines.find(|line| line.name == "credentials").unwrap();
        assert_eq!(line.text, "taken out: *_TOKEN; set: AWS_PROFILE");
    }

    #[test]
    fn where_two_people_meet_is_told_and_what_is_wrong_with_it() {
        let line = |operator_counts, directory: Option<Option<&str>>| {
            let mut facts = well();
            let settings = facts.policy.settings.as_mut().unwrap();
            settings.operator_counts = operator_counts;
            settings.reviewers_directory = directory.map(|wrong| ReviewersDirectory {
                path: "/run/kibosh".to_owned(),
                wrong: wrong.map(str::to_owned),
            });
            let mut lines = lines(&facts).into_iter();
            let line = lines.find(|line| line.name == "two people")?;
            Some((line.mark, line.text, line.hint.is_some()))
        };
        let told = |mark, text: &str, hint| Some((mark, text.to_owned(), hint));
        assert_eq!(line(true, None), None);
        assert_eq!(
            line(false, None),
            told(
                Mark::Note,
                "no `reviewers-directory`: of two people whose command it is does not count",
                false
            )
        );
        assert_eq!(
            line(true, Some(None)),
            told(
                Mark::Note,
                "they meet in /run/kibosh; whose command it is counts as one",
                false
            )
        );
        assert_eq!(
            line(false, Some(Some("no sticky bit"))),
            told(Mark::Weak, "/run/kibosh is not used: no sticky bit", true)
        );
    }

    #[test]
    fn an_old_kernel_and_a_home_installation_are_told_with_the_next_steps() {
        let mut facts = well();
        facts.kernel = Kernel {
            release: "5.4.0".to_owned(),
            notifications: true,
            wait_killable: false,
            descriptors: false,
            memory: true,
            tracing: true,
            ptrace_scope: Some(1),
            may_trace_all: false,
            landlock: 0,
            scopes_signals: false,
            pushes_keys: true,
            namespaces: Namespaces {
                most: Some(0),
                unprivileged: None,
                restricted: None,
            },
            no_new_privileges: true,
        };
        let missing = Standing::Missing("the kernel has none".to_owned());
        facts.gates = Gates {
            wanted: ExecGate::On,
            beside: missing.clone(),
            above: missing,
        };
        facts.program = Program {
            path: "/home/ann/.local/bin/kibosh".to_owned(),
            reach: Reach::Folder("/home/ann/.local/bin".to_owned()),
            names: None,
        };
        facts.shells = vec![
            Shell {
                file: Some("/usr/bin/bash".to_owned()),
                ..shell(Way::Variable, "/bin/bash", false)
            },
            Shell {
                way: Way::PathBash,
                path: None,
                file: None,
                is_kibosh: false,
            },
        ];
        facts.policy.files = vec![
            PolicyFile {
                layer: "user",
                path: "/home/ann/.config/kibosh/me.toml".to_owned(),
                owner: "ann".to_owned(),
                mode: "600".to_owned(),
                reach: Reach::Itself,
                ..facts.policy.files[0].clone()
            },
            PolicyFile {
                layer: "project",
                path: "/home/ann/shop/.kibosh.toml".to_owned(),
                owner: "ann".to_owned(),
                reach: Reach::Itself,
                ignored: 2,
                ..facts.policy.files[0].clone()
            },
        ];
        facts.record.writable = false;
        facts.record.state_writable = false;
        facts.agents = vec![
            agent(
                "Claude Code",
                "claude",
                Cover::ByVariable("SHELL".to_owned()),
            ),
            agent("Gemini CLI", "gemini", Cover::ByPath),
            agent("Codex", "codex", Cover::ByLogin),
            Agent {
                but: Some("without a terminal it takes /bin/sh".to_owned()),
                ..agent("aider", "aider", Cover::ByVariable("SHELL".to_owned()))
            },
            agent(
                "Copilot CLI",
                "copilot",
                Cover::OnlyRun("/bin/bash".to_owned()),
            ),
        ];
        assert_eq!(told(&facts), include_str!("doctor/old.txt"));
    }

    #[test]
    fn within_a_supervised_shell_everything_that_starts_is_covered_and_a_broken_policy_is_shown() {
        let mut facts = well();
        facts.gates = Gates {
            wanted: ExecGate::On,
            beside: Standing::Active,
            above: Standing::Active,
        };
        facts.user = User {
            uid: 0,
            name: Some("root".to_owned()),
            ..facts.user
        };
        facts.program.reach = Reach::Itself;
        facts.shells = vec![shell(Way::Bash, "/bin/\u{202e}bash", false)];
        facts.policy.files.clear();
        facts.policy.settings = None;
        facts.policy.mistakes = vec![Mistake {
            file: "/etc/kibosh/team.toml".to_owned(),
            line: 3,
            column: 10,
            message: "unknown variant `dney`".to_owned(),
            hint: Some("did you mean `deny`?".to_owned()),
        }];
        facts.record.path = None;
        facts.agents = vec![agent("Copilot CLI", "copilot", Cover::Supervised)];
        assert_eq!(told(&facts), include_str!("doctor/broken.txt"));
    }
}
