//! What stays the same while one shell is judged: policy, place, what is executed before its text, and,
//! where commands come in while it runs, what was cleared before.

use std::borrow::Cow;
use std::path::{Path, PathBuf};

use crate::action::Value;
use crate::approve::{self, Approver, Cleared, Request, USUAL_SECONDS};
use crate::audit::{self, Entry, Outcome};
use crate::decide::{Decision, Finding};
use crate::invocation::{Flavour, Invocation, Preamble, Source, Text};
use crate::judge;
use crate::normalise::Context;
use crate::policy::Policy;
use crate::policy::schema::{Effect, Settings};
use crate::report::refusal::Refusal;
use crate::surroundings::Surroundings;
use crate::syntax::{self, Completeness, Dialect};

/// How much of what came in before is followed. Beyond it variables, functions and the directory are
/// not known any more.
const FOLLOWED: usize = 1 << 18;

/// One shell.
pub struct Session<'a> {
    invocation: &'a Invocation,
    policy: &'a Policy,
    context: Context<'a>,
    cwd: String,
    unclear: Vec<String>,
    /// What is executed before the next text: start-up code, then what was cleared.
    before: String,
    /// What was found in that, and has been answered.
    answered: Vec<Finding>,
    /// The text that the last decision is about.
    judged: String,
    /// Where in that the new part begins.
    start: usize,
    record: Option<PathBuf>,
}

impl<'a> Session<'a> {
    /// The session of an invocation.
    pub fn new(
        invocation: &'a Invocation,
        surroundings: &Surroundings<'a>,
        policy: &'a Policy,
        preamble: Preamble,
        home: Option<&Path>,
    ) -> Self {
        let dialect = if preamble.posix {
            Dialect::Posix
        } else {
            Dialect::Bash
        };
        let positional = invocation.positional().map(|word| match word.to_str() {
            Some(word) => Value::known(word),
            None => Value::unknown(),
        });
        let mut context = surroundings.context(dialect, Some(positional.collect()));
        context.whole_environment = !preamble.starts_up;
        let cwd = surroundings
            .cwd()
            .map(|path| path.to_string_lossy().into_owned())
            .unwrap_or_default();
        let mut session = Self {
            invocation,
            policy,
            context,
            cwd,
            unclear: preamble.unclear,
            before: String::new(),
            answered: Vec::new(),
            judged: String::new(),
            start: 0,
            record: audit::place(policy.settings().record.as_deref(), home),
        };
        for code in preamble.before {
            let code = session.decoded(&code).into_owned();
            session.before.push_str(&code);
            session.before.push('\n');
        }
        session
    }

    /// The settings in force.
    pub fn settings(&self) -> &'a Settings {
        self.policy.settings()
    }

    /// The language of the text.
    pub fn dialect(&self) -> Dialect {
        self.context.dialect
    }

    /// Whether nothing is to run.
    pub fn is_dry(&self) -> bool {
        self.invocation.dry_run || self.settings().dry_run == Some(true)
    }

    /// What the policy says of the text that the shell will run.
    pub fn judge(&mut self, text: &Text) -> Decision {
        if self.runs_nothing() {
            return Decision::default();
        }
        match text {
            Text::Whole(text) => self.judge_next(text),
            Text::Nothing | Text::Stream | Text::Typed => self.judge_next(b""),
            Text::Hidden(why) => {
                self.unclear.push((*why).to_owned());
                self.judge_next(b"")
            }
        }
    }

    /// What the policy says of a text that follows what was kept.
    pub fn judge_next(&mut self, text: &[u8]) -> Decision {
        let unclear = self.unclear.len();
        let text = self.decoded(text).into_owned();
        if self.before.len() > FOLLOWED {
            self.unclear
                .push("more came in before than is followed".to_owned());
        }
        self.start = self.before.len();
        self.judged = [self.before.as_str(), &text].concat();
        let judgement =
            judge::judge_unclear(self.policy, &self.judged, &self.unclear, &self.context);
        self.unclear.truncate(unclear);
        unanswered(judgement.decision, &self.answered)
    }

    /// Clears what was judged last, or says why not, and writes it down.
    ///
    /// # Errors
    ///
    /// The refusal.
    pub fn review(&self, decision: &Decision) -> Result<Cleared, Refusal> {
        let reviewed = approve::review(
            decision,
            &Request {
                text: self.judged.clone(),
                source: self.source(),
                cwd: self.cwd.clone(),
                seconds: self.settings().prompt_seconds.unwrap_or(USUAL_SECONDS),
            },
        );
        let outcome = match &reviewed {
            Ok(cleared) => match cleared.approver() {
                Approver::Policy => Outcome::Ran,
                Approver::Person => Outcome::Approved,
            },
            Err(refusal) => Outcome::Refused(refusal),
        };
        if !self.judged.is_empty() || reviewed.is_err() {
            self.record(decision, outcome);
        }
        reviewed
    }

    /// Writes down what came of the last decision. A record that cannot be written changes nothing.
    pub fn record(&self, decision: &Decision, outcome: Outcome<'_>) {
        let Some(file) = &self.record else { return };
        let entry = Entry {
            text: self.judged.get(self.start..).unwrap_or_default(),
            source: &self.source(),
            cwd: &self.cwd,
            decision,
            outcome,
        };
        let _ = audit::record(file, &entry);
    }

    /// Takes what was judged last as done, with what was found in it.
    pub fn keep(&mut self, decision: Decision) {
        self.answered.extend(decision.findings);
        self.before = std::mem::take(&mut self.judged);
        if !self.before.ends_with('\n') {
            self.before.push('\n');
        }
    }

    /// Whether the shell will only print something, or only read.
    fn runs_nothing(&self) -> bool {
        let options = &self.invocation.options;
        matches!(self.invocation.source, Source::Nothing(_))
            || (options.no_execution
                && !options.interactive
                && self.invocation.flavour == Flavour::Bash)
    }

    /// The text; where it is not UTF-8, it was not understood.
    fn decoded<'t>(&mut self, text: &'t [u8]) -> Cow<'t, str> {
        let text = String::from_utf8_lossy(text);
        if let Cow::Owned(_) = text {
            self.unclear.push("it is not UTF-8".to_owned());
        }
        text
    }

    /// Where the text comes from, for a person.
    fn source(&self) -> String {
        match self.invocation.source {
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
        }
    }
}

/// The decision without the findings that were answered before.
fn unanswered(decision: Decision, answered: &[Finding]) -> Decision {
    if answered.is_empty() {
        return decision;
    }
    let mut answered: Vec<&Finding> = answered.iter().collect();
    let mut findings = decision.findings;
    findings.retain(
        |finding| match answered.iter().position(|known| *known == finding) {
            Some(position) => {
                answered.swap_remove(position);
                false
            }
            None => true,
        },
    );
    let effect = findings
        .iter()
        .map(|finding| finding.effect)
        .fold(Effect::Allow, Effect::max);
    Decision { effect, findings }
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
