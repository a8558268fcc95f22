//! The verbs and their options, as clap reads them. Man pages and completions are made from this.

use std::ffi::OsString;
use std::path::PathBuf;

use clap::{Args, Parser, Subcommand};
use clap_complete::Shell;

use crate::broker::Scope;

/// The shell you give to an AI agent: it runs, blocks, or asks a person first.
///
/// Without a verb, kibosh is a shell and takes the options of bash: `kibosh -c 'ls'`,
/// `kibosh script.sh`, `kibosh -l`. Set it as the agent's `SHELL`.
#[derive(Debug, Parser)]
#[command(name = "kibosh", version, disable_help_subcommand = true)]
pub struct Definition {
    /// What to do.
    #[command(subcommand)]
    pub verb: Verb,
}

/// What kibosh does besides being a shell.
#[derive(Debug, Subcommand)]
pub enum Verb {
    /// Look at a request that waits for a person, and let it run
    ///
    /// Shows all of it and asks here, as on the terminal of whoever asked. Only the very same request passes:
    /// the same text in the same directory, under the same policy. There is no option that answers for you.
    ///
    /// Exit status: 0 it was approved, 1 it was not, 125 error.
    Approve(Approve),
    /// Say what would happen to a command line; nothing is run
    ///
    /// Exit status: 0 it would run, 10 a person would be asked, 20 it would not run, 125 error.
    Check(Check),
    /// Say what protects here and what does not, and the next step where something is missing
    ///
    /// Looks at the gates and the kernel, at who could change the policy and kibosh itself, and at which
    /// shell the installed agents would start. Nothing is changed or run.
    ///
    /// Exit status: 0 all that is asked for protects, 1 something is weak or missing, 125 error.
    Doctor(Doctor),
    /// Say how a command line was read, which rule applies and where it comes from
    ///
    /// Exit status as for `check`.
    Explain(Explain),
    /// List what was approved at other terminals and still counts, or take it back
    ///
    /// Exit status: 0, 1 there is no such approval, 125 error.
    Grants(Grants),
    /// Answer an agent's hook: its JSON on standard input, its decision on standard output
    ///
    /// What the policy allows gets no answer, so that the agent's own permissions count. What needs a person's
    /// yes is given to the agent to ask; where it could not be relied on for that, a person is asked as by the
    /// shell, and it is refused until they said yes. Whatever cannot be read or judged is refused.
    ///
    /// Exit status: 0 the answer is given, 2 refused; nothing else, as agents go on at other ones.
    Hook(Hook),
    /// Set up the installed agents, or one: their shell and their hook in their own settings
    ///
    /// Shows what would change and asks before it writes. What else stands in a file stays as it is; a file that
    /// is not plain JSON is not touched. Agents without such settings are named with the way to start them.
    ///
    /// Exit status: 0 done, or nothing to do; 1 something was not done; 125 error; 126 a person said no.
    Init(Init),
    /// Show what was decided, and which rules ask most
    ///
    /// Exit status: 0, or 125 where there is no record to read.
    Log(Log),
    /// List the requests that wait for a person
    Pending,
    /// Look at the policy in force
    #[command(subcommand)]
    Policy(PolicyVerb),
    /// Say no to a request that waits for a person
    ///
    /// The same request is then refused by itself for some minutes.
    ///
    /// Exit status: 0 it was refused, 1 there is no such request, 125 error.
    Refuse(Refuse),
    /// Register the terminal of this shell as a person's, for as long as the shell lives
    ///
    /// A line for the start-up file of your own shell: `kibosh register --quiet`. Where a terminal is registered, only
    /// registered ones are asked on and answered from, and a command of an agent that was started in one is asked about
    /// there, even if it has no terminal itself. Nothing that runs below kibosh can register one, nor one of tmux's,
    /// screen's or a program's.
    ///
    /// Exit status: 0 it is registered, 1 it is not, 125 error.
    Register(Register),
    /// Run a program, an agent for example, on a terminal of its own
    ///
    /// kibosh keeps the terminal that it was started on, and is the program's SHELL. Exit status: that of
    /// the program; 127 there is no such program, 126 it cannot be started, 125 error.
    Run(Run),
    /// Stay here and answer requests as they come
    ///
    /// While somebody watches, commands wait for the answer. On a terminal of at least 40 columns and 10 rows it shows what
    /// waits, with what other users need two people for, and the chosen one. Up and down choose; `y` and Enter is yes
    /// once, `s` for the session, `t` for 10 minutes; `n` is no, with a reason or none; `d` shows all that is known; `q`
    /// quits. On another terminal each request is asked about by itself, and Ctrl-C ends it.
    ///
    /// A request that comes while nobody presses a key is told to the desktop (`notify-send`, where DISPLAY or
    /// WAYLAND_DISPLAY is set), else by the terminal's bell: its rules only, and nothing of what it says.
    Watch,
    /// Keep what waits for a person; started by whoever asks
    #[command(long_flag = "broker", hide = true)]
    Broker,
    /// Write man pages or completions
    #[command(long_flag = "generate", hide = true, subcommand)]
    Generate(Generate),
}

/// The options of `approve`.
#[derive(Debug, Args)]
pub struct Approve {
    /// The number of the request, as `kibosh pending` shows it
    pub number: u64,
    /// How far the yes reaches: `once`, `session`, or a time such as `10m`
    #[arg(long = "for", value_name = "SCOPE", default_value = "once", value_parser = scope)]
    pub scope: Scope,
    /// The user, by number, whose request it is, where that is another one
    #[arg(long, value_name = "UID")]
    pub of: Option<u32>,
}

/// Reads `once`, `session`, `90s`, `10m`, `2h`.
fn scope(text: &str) -> Result<Scope, String> {
    match text {
        "once" => return Ok(Scope::Once),
        "session" => return Ok(Scope::Session),
        _ => {}
    }
    let unit = match text.chars().last() {
        Some('s') => 1,
        Some('m') => 60,
        Some('h') => 3600,
        _ => 0,
    };
    let count: Option<u32> = text
        .get(..text.len().saturating_sub(1))
        .and_then(|n| n.parse().ok());
    match count.and_then(|count| count.checked_mul(unit)) {
        Some(seconds @ 1..=MOST_SECONDS) => Ok(Scope::Seconds(seconds)),
        _ => {
            Err("`once`, `session`, or a time up to 12 hours such as `90s`, `10m`, `2h`".to_owned())
        }
    }
}

/// The longest time for which a yes counts.
const MOST_SECONDS: u32 = 12 * 3600;

/// The options of `refuse`.
#[derive(Debug, Args)]
pub struct Refuse {
    /// The number of the request, as `kibosh pending` shows it
    pub number: u64,
    /// Why; whoever asked is told
    #[arg(long, value_name = "TEXT")]
    pub why: Option<String>,
    /// The user, by number, whose request it is, where that is another one
    #[arg(long, value_name = "UID")]
    pub of: Option<u32>,
}

/// The options of `grants`.
#[derive(Debug, Args)]
pub struct Grants {
    /// What to do with them; they are listed without it
    #[command(subcommand)]
    pub verb: Option<GrantsVerb>,
}

/// What can be done with an approval.
#[derive(Debug, Subcommand)]
pub enum GrantsVerb {
    /// Take one back
    Revoke {
        /// Its number
        number: u64,
    },
}

/// The options of `check`.
#[derive(Debug, Args)]
pub struct Check {
    /// The command line; standard input without it
    pub command: Option<String>,
    /// Print the answer as JSON
    #[arg(long)]
    pub json: bool,
    /// Read one JSON object `{"id", "command", "cwd"?}` per line and write one answer per line;
    /// only text and shipped policy are judged
    #[arg(long, conflicts_with = "command")]
    pub batch: bool,
}

/// The options of `explain`.
#[derive(Debug, Args)]
pub struct Explain {
    /// The command line; standard input without it
    pub command: Option<String>,
}

/// The options of `hook`.
#[derive(Debug, Args)]
pub struct Hook {
    /// The agent whose hook it is: `claude`, `codex`, `gemini`…
    pub agent: String,
}

/// The options of `init`.
#[derive(Debug, Args)]
pub struct Init {
    /// The agent; every one that PATH finds without it
    pub agent: Option<String>,
    /// Take back what was put in
    #[arg(long)]
    pub undo: bool,
    /// Write without asking
    #[arg(long)]
    pub yes: bool,
}

/// The options of `log`.
#[derive(Debug, Args)]
pub struct Log {
    /// How many decisions are shown
    #[arg(long, short = 'n', value_name = "COUNT", default_value_t = 20)]
    pub last: usize,
    /// Count instead, rule by rule: how often a person was asked and what they said
    #[arg(long, conflicts_with = "last")]
    pub noise: bool,
}

/// The options of `doctor`.
#[derive(Debug, Args)]
pub struct Doctor {
    /// Print what was found as JSON
    #[arg(long)]
    pub json: bool,
}

/// What can be done with the policy.
#[derive(Debug, Subcommand)]
pub enum PolicyVerb {
    /// List every rule in force with its layer and effect
    List,
    /// Look for mistakes in the layers of this place and in the shipped packs
    Lint,
    /// Judge every example and case of the shipped packs and of the layers
    Test,
    /// Let the project's `.kibosh.toml`, as it is now, loosen the policy too
    Trust(Trust),
}

/// The options of `register`.
#[derive(Debug, Args)]
pub struct Register {
    /// For a start-up file: go on beside the shell, say nothing, and end with 0; `kibosh doctor` tells what is registered
    #[arg(long, conflicts_with = "undo")]
    pub quiet: bool,
    /// Let the terminal count as registered no more
    #[arg(long)]
    pub undo: bool,
}

/// The options of `run`.
#[derive(Debug, Args)]
#[command(override_usage = "kibosh run [--] PROGRAM [ARG]...")]
pub struct Run {
    /// The program and its arguments
    #[arg(required = true, trailing_var_arg = true, value_name = "PROGRAM")]
    pub command: Vec<OsString>,
}

/// The options of `policy trust`.
#[derive(Debug, Args)]
pub struct Trust {
    /// Take the trust back
    #[arg(long)]
    pub forget: bool,
}

/// What is made from this definition.
#[derive(Debug, Subcommand)]
pub enum Generate {
    /// Write one man page for kibosh and one for each verb
    Man {
        /// The folder to write them to
        folder: PathBuf,
    },
    /// Print completions
    Completions {
        /// The shell that they are for
        shell: Shell,
    },
}
