//! The verbs and their options, as clap reads them. Man pages and completions are made from this.

use std::ffi::OsString;
use std::path::PathBuf;

use clap::{Args, Parser, Subcommand};
use clap_complete::Shell;

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
    /// Show what was decided, and which rules ask most
    ///
    /// Exit status: 0, or 125 where there is no record to read.
    Log(Log),
    /// Look at the policy in force
    #[command(subcommand)]
    Policy(PolicyVerb),
    /// Run a program, an agent for example, on a terminal of its own
    ///
    /// kibosh keeps the terminal that it was started on, and is the program's SHELL. Exit status: that of
    /// the program; 127 there is no such program, 126 it cannot be started, 125 error.
    Run(Run),
    /// Write man pages or completions
    #[command(long_flag = "generate", hide = true, subcommand)]
    Generate(Generate),
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
