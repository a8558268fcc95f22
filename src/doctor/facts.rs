//! What was found, as plain data: the report is made from it, and `--json` gives it as it is.

use serde::Serialize;

use crate::policy::schema::{ExecGate, Terminals};

/// Everything that was found.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Facts {
    /// The kernel.
    pub kernel: Kernel,
    /// The gates.
    pub gates: Gates,
    /// Who asks: the user that an agent would be.
    pub user: User,
    /// This program.
    pub program: Program,
    /// The ways to a shell.
    pub shells: Vec<Shell>,
    /// The policy.
    pub policy: Policy,
    /// Where decisions are written down.
    pub record: Record,
    /// The agents that PATH finds.
    pub agents: Vec<Agent>,
}

/// What the kernel offers.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Kernel {
    /// Its release.
    pub release: String,
    /// It sends calls to a supervisor (seccomp_unotify(2)).
    pub notifications: bool,
    /// Such a call is not disturbed by signals (`WAIT_KILLABLE_RECV`).
    pub wait_killable: bool,
    /// A descriptor of another process can be taken (pidfd_getfd(2)).
    pub descriptors: bool,
    /// The memory of another process can be read (process_vm_readv(2)).
    pub memory: bool,
    /// The start of another process can be looked at (ptrace(2)).
    pub tracing: bool,
    /// Yama's `ptrace_scope`; none without Yama.
    pub ptrace_scope: Option<u32>,
    /// This process may trace all others whatever Yama says.
    pub may_trace_all: bool,
    /// The version of Landlock; 0 without it.
    pub landlock: u32,
    /// Landlock can keep a tree from the processes outside of it.
    pub scopes_signals: bool,
    /// A program can push keys into its terminal (`dev.tty.legacy_tiocsti`).
    pub pushes_keys: bool,
    /// What users may do with namespaces.
    pub namespaces: Namespaces,
    /// This process cannot gain rights.
    pub no_new_privileges: bool,
}

/// The settings of the kernel about user namespaces; none where it has no such setting.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Namespaces {
    /// `user.max_user_namespaces`.
    pub most: Option<u64>,
    /// `kernel.unprivileged_userns_clone` (Debian).
    pub unprivileged: Option<u64>,
    /// `kernel.apparmor_restrict_unprivileged_userns` (Ubuntu).
    pub restricted: Option<u64>,
}

/// The gates.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Gates {
    /// What the policy wants of the exec gate.
    pub wanted: ExecGate,
    /// The exec gate of a shell, beside it.
    pub beside: Standing,
    /// That of an agent, above it.
    pub above: Standing,
}

/// Whether there is an exec gate.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case", tag = "standing", content = "reason")]
pub enum Standing {
    /// It judges this very process.
    Active,
    /// It can be put up.
    Available,
    /// The policy has switched it off.
    Off,
    /// It cannot, and why.
    Missing(String),
}

/// The user.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct User {
    /// The number.
    pub uid: u32,
    /// The name in `/etc/passwd`.
    pub name: Option<String>,
    /// The login shell in `/etc/passwd`.
    pub shell: Option<String>,
    /// Whether `/etc/passwd` names the home directory.
    pub home_proven: bool,
}

/// This program.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Program {
    /// The file.
    pub path: String,
    /// How the user can change it.
    pub reach: Reach,
    /// The folder in which it is installed as `bash` and `sh`; none where it is not.
    pub names: Option<String>,
}

/// How a user can change a file, or what stands at its path.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case", tag = "by", content = "path")]
pub enum Reach {
    /// Not at all.
    No,
    /// By writing it.
    Itself,
    /// By putting another in its place, in this folder.
    Folder(String),
}

/// A way to a shell.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Shell {
    /// Which way.
    pub way: Way,
    /// The path that it gives.
    pub path: Option<String>,
    /// The file behind links, where that is another path.
    pub file: Option<String>,
    /// Whether that is this program.
    pub is_kibosh: bool,
}

/// The ways to a shell.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Way {
    /// The variable `SHELL`.
    Variable,
    /// The login shell.
    Login,
    /// `bash` where PATH finds it.
    PathBash,
    /// `sh` where PATH finds it.
    PathSh,
    /// `/bin/bash`.
    Bash,
    /// `/bin/sh`.
    Sh,
}

/// The policy.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Policy {
    /// The files of the layers.
    pub files: Vec<PolicyFile>,
    /// The folders of the layers.
    pub folders: Vec<Folder>,
    /// What is wrong with them.
    pub mistakes: Vec<Mistake>,
    /// The settings in force; none where the policy cannot be read.
    pub settings: Option<Settings>,
}

/// A policy file.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct PolicyFile {
    /// Its layer.
    pub layer: &'static str,
    /// The file.
    pub path: String,
    /// The first 16 digits of the hash of its content.
    pub sha256: String,
    /// Its owner.
    pub owner: String,
    /// Its mode, in octal digits.
    pub mode: String,
    /// How the user can change it.
    pub reach: Reach,
    /// How many parts of it are not in force because nobody trusts it.
    pub ignored: usize,
}

/// A folder of a layer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Folder {
    /// The layer.
    pub layer: &'static str,
    /// The folder.
    pub path: String,
    /// How the user can put a file into it.
    pub reach: Reach,
}

/// A mistake in a policy.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Mistake {
    /// The file.
    pub file: String,
    /// The line, from 1; 0 where the whole file is meant.
    pub line: usize,
    /// The column, from 1.
    pub column: usize,
    /// What is wrong.
    pub message: String,
    /// How to mend it.
    pub hint: Option<String>,
}

/// The settings in force.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Settings {
    /// `exec-gate`.
    pub exec_gate: ExecGate,
    /// `new-privileges`.
    pub new_privileges: bool,
    /// `prompt-seconds`.
    pub prompt_seconds: u8,
    /// `broker`.
    pub broker: bool,
    /// Why this process could ask on no other terminal.
    pub no_broker: Option<String>,
    /// `terminals`.
    pub terminals: Terminals,
    /// The terminals that are registered; why where it is not told here.
    pub registered: Result<Vec<RegisteredTerminal>, String>,
    /// The file of `reviewer-command`, where it is set.
    pub reviewer_command: Option<String>,
    /// `unwatched-seconds`.
    pub unwatched_seconds: u8,
    /// `operator-counts`.
    pub operator_counts: bool,
    /// `reviewers-directory`, where it is set.
    pub reviewers_directory: Option<ReviewersDirectory>,
    /// Variables that are taken out of the environment, and those that are set, by name.
    pub credentials: (Vec<String>, Vec<String>),
    /// The budgets of a session.
    pub budgets: Vec<Budget>,
    /// `dry-run`.
    pub dry_run: bool,
    /// `record`, where it is set.
    pub record: Option<String>,
    /// `bash`.
    pub bash: RealShell,
    /// `sh`.
    pub sh: RealShell,
}

/// How much of something a session may do with nobody asked.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Budget {
    /// Its key in `[budget]`.
    pub key: &'static str,
    /// How much.
    pub most: u64,
    /// The layer that sets it.
    pub layer: &'static str,
    /// The file that does; none of the packs.
    pub file: Option<String>,
}

/// A terminal that is registered as a person's.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct RegisteredTerminal {
    /// Its name.
    pub name: String,
    /// The process that leads its session, by number.
    pub leader: i32,
    /// That process by its name.
    pub program: String,
    /// Whether it is the one of this process.
    pub is_here: bool,
}

/// The directory in which reviewers of several users meet.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct ReviewersDirectory {
    /// Its path.
    pub path: String,
    /// Why it is not used.
    pub wrong: Option<String>,
}

/// A real shell.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct RealShell {
    /// Its path.
    pub path: String,
    /// Whether it is a program.
    pub is_program: bool,
    /// Whether it is kibosh, which cannot be its own real shell.
    pub is_kibosh: bool,
}

/// Where decisions are written down.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Record {
    /// The file; none where the policy has switched it off.
    pub path: Option<String>,
    /// Whether it can be written.
    pub writable: bool,
    /// The folder of what was found sound, and whether it can be written.
    pub state: Option<String>,
    /// As above.
    pub state_writable: bool,
}

/// An agent that is installed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Agent {
    /// What people call it.
    pub name: String,
    /// The word that starts it.
    pub program: String,
    /// Where PATH finds it.
    pub path: String,
    /// Whether its shell is kibosh, and by which way.
    pub cover: Cover,
    /// What it starts another way.
    pub but: Option<String>,
}

/// Whether an agent's shell is kibosh.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case", tag = "is", content = "by")]
pub enum Cover {
    /// It is, whatever the agent starts: a supervisor judges this process and all that come from it.
    Supervised,
    /// It is, as this names it: a variable, `PATH`, the login shell or a file.
    Covered(String),
    /// It would be if this variable named it.
    ByVariable(String),
    /// It would be if PATH found it first.
    ByPath,
    /// It would be if it were the login shell.
    ByLogin,
    /// It would be if this setting of the agent named it; this file is started without that.
    BySetting(String, String),
    /// Nothing that is set changes which shell this is.
    OnlyRun(String),
    /// It starts programs without a shell.
    NoShell,
    /// Nobody has looked how it starts its shell.
    Unknown,
}
