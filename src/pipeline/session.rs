//! The shell that kibosh becomes, while it is judged: its policy and place, what was cleared, and what is
//! written down of it.

use std::ffi::CString;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

use nix::unistd::getppid;

use super::preview::Previews;
use crate::approve::{
    self, Approver, Cleared, Counts, Elsewhere, Previewer, Request, USUAL_SECONDS,
};
use crate::audit::{self, Entry, Outcome};
use crate::broker::{Root, call, environment};
use crate::decide::Decision;
use crate::decide::gates::Gates;
use crate::invocation::{Invocation, Preamble, Source, Text};
use crate::judge::Shell;
use crate::policy::Policy;
use crate::policy::schema::{Effect, Settings};
use crate::report::refusal::Refusal;
use crate::report::source::with_words;
use crate::surroundings::Surroundings;
use crate::syntax::{self, Completeness, Dialect};

/// One shell.
pub struct Session<'a> {
    invocation: &'a Invocation,
    policy: &'a Policy,
    shell: Shell<'a>,
    folder: PathBuf,
    cwd: String,
    record: Option<PathBuf>,
    /// Whether another process judges and asks for this one.
    is_supervised: bool,
}

impl<'a> Session<'a> {
    /// The session of an invocation.
    pub fn new(
        invocation: &'a Invocation,
        surroundings: &Surroundings<'a>,
        policy: &'a Policy,
        preamble: Preamble,
        gates: Gates,
        home: Option<&Path>,
    ) -> Self {
        let folder = surroundings.cwd().unwrap_or(Path::new("")).to_owned();
        Self {
            invocation,
            policy,
            shell: Shell::new(invocation, surroundings, preamble, Vec::new(), gates),
            cwd: folder.to_string_lossy().into_owned(),
            folder,
            record: audit::place(policy.settings().record.as_deref(), home),
            is_supervised: gates == Gates::BesideExec,
        }
    }

    /// The settings in force.
    pub fn settings(&self) -> &'a Settings {
        self.policy.settings()
    }

    /// The language of the text.
    pub fn dialect(&self) -> Dialect {
        self.shell.dialect()
    }

    /// Where decisions are written down.
    pub fn place_of_record(&self) -> Option<PathBuf> {
        self.record.clone()
    }

    /// Whether nothing is to run.
    pub fn is_dry(&self) -> bool {
        self.invocation.dry_run || self.settings().dry_run == Some(true)
    }

    /// What the policy says of the text that the shell will run.
    pub fn judge(&mut self, text: &Text) -> Decision {
        self.shell.judge(self.policy, text)
    }

    /// What the policy says of a text that follows what was kept.
    pub fn judge_next(&mut self, text: &[u8]) -> Decision {
        self.shell.judge_next(self.policy, text)
    }

    /// Clears what was judged last, or says why not, and writes it down.
    ///
    /// # Errors
    ///
    /// The refusal.
    pub fn review(&self, decision: &Decision) -> Result<Cleared, Refusal> {
        let (text, source) = (self.shell.judged().to_owned(), self.source());
        let elsewhere = self.elsewhere(decision);
        let request = request(self.policy, text, source, &self.cwd, elsewhere);
        let previews = Previews {
            policy: self.policy,
            base: None,
            environment: None,
            record: self.record.clone(),
            protects: Vec::new(),
        };
        review(decision, &request, Some(&previews), |outcome| {
            if !self.shell.judged().is_empty() || matches!(outcome, Outcome::Refused(_)) {
                self.record(decision, outcome);
            }
        })
    }

    /// What is needed to ask on another terminal. Below a supervisor nobody asks there: what is guarded does
    /// not speak to a broker.
    fn elsewhere(&self, decision: &Decision) -> Option<Elsewhere> {
        if self.is_supervised {
            return None;
        }
        let words = &self.invocation.argv;
        elsewhere_of_this_process(self.policy, decision, words, &self.folder)
    }

    /// Writes down what came of the last decision. A record that cannot be written changes nothing.
    pub fn record(&self, decision: &Decision, outcome: Outcome<'_>) {
        let entry = Entry {
            text: self
                .shell
                .judged()
                .get(self.shell.start()..)
                .unwrap_or_default(),
            source: &self.source(),
            cwd: &self.cwd,
            decision,
            outcome,
        };
        audit::note(self.record.as_deref(), &entry);
    }

    /// Takes what was judged last as done, with what was found in it.
    pub fn keep(&mut self, decision: Decision) {
        self.shell.keep(decision);
    }

    /// Where the text comes from, for a person.
    fn source(&self) -> String {
        let source = match self.invocation.source {
            Source::Command(_) => "-c".to_owned(),
            Source::File(place) => {
                format!(
                    "script {}",
                    self.invocation
                        .word(place)
                        .unwrap_or_default()
                        .to_string_lossy()
                )
            }
            Source::Input => "standard input".to_owned(),
            Source::Typed => "the terminal".to_owned(),
            Source::Nothing(_) => String::new(),
        };
        with_words(&source, self.invocation.given())
    }
}

/// A request about a text that came to this process.
pub fn request(
    policy: &Policy,
    text: String,
    source: String,
    cwd: &str,
    elsewhere: Option<Elsewhere>,
) -> Request {
    Request {
        text,
        source,
        cwd: cwd.to_owned(),
        seconds: policy.settings().prompt_seconds.unwrap_or(USUAL_SECONDS),
        times: 1,
        counts: Counts::By(policy.settings().terminals.unwrap_or_default()),
        elsewhere,
    }
}

/// Clears a text, or says why not; `record` is given what came of it.
///
/// # Errors
///
/// The refusal.
pub fn review(
    decision: &Decision,
    request: &Request,
    previewer: Option<&dyn Previewer>,
    record: impl FnOnce(Outcome<'_>),
) -> Result<Cleared, Refusal> {
    let reviewed = approve::review(decision, request, previewer);
    record(match &reviewed {
        Ok(cleared) => match cleared.approver() {
            Approver::Policy => Outcome::Ran,
            by @ (Approver::Person | Approver::Reviewer(_) | Approver::External(_)) => {
                Outcome::Approved(by)
            }
        },
        Err(refusal) => Outcome::Refused(refusal),
    });
    reviewed
}

/// What is needed to ask on another terminal about a text that came to this process, called by these words in
/// this directory.
pub fn elsewhere_of_this_process(
    policy: &Policy,
    decision: &Decision,
    words: &[CString],
    cwd: &Path,
) -> Option<Elsewhere> {
    if decision.effect != Effect::Confirm {
        return None;
    }
    let entries: Vec<Vec<u8>> = std::env::vars_os()
        .map(|(name, value)| [name.as_bytes(), b"=", value.as_bytes()].concat())
        .collect();
    let entries = || entries.iter().map(Vec::as_slice);
    let words = words.iter().map(|word| word.to_bytes());
    let call = call(words, cwd.as_os_str().as_bytes(), entries());
    let session = Root::of(getppid().as_raw());
    elsewhere(policy, None, environment(entries()), call, session)
}

/// What is needed to ask on another terminal, where the policy lets that be.
pub fn elsewhere(
    policy: &Policy,
    program: Option<String>,
    environment: String,
    call: String,
    session: Option<Root>,
) -> Option<Elsewhere> {
    let settings = policy.settings();
    let command = settings.reviewer_command.clone().unwrap_or_default();
    (settings.broker != Some(false) || !command.is_empty()).then(|| Elsewhere {
        policy: policy.fingerprint(),
        program,
        environment,
        call,
        session,
        unwatched_seconds: settings.unwatched_seconds.unwrap_or_default(),
        command,
        has_broker: settings.broker != Some(false),
        operator_counts: settings.operator_counts != Some(false),
    })
}

/// Whether the shell would run a text without waiting for more.
pub fn is_whole(text: &[u8], dialect: Dialect) -> bool {
    match std::str::from_utf8(text) {
        Ok(text) => syntax::completeness(text, dialect) != Completeness::Incomplete,
        Err(_) => {
            syntax::completeness(&String::from_utf8_lossy(text), dialect)
                != Completeness::Incomplete
        }
    }
}
