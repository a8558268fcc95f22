//! One shell: what is executed before its text, and what the policy says of the text.
//!
//! Takes how the shell was called, where it runs and what goes with its text; gives decisions. It is the
//! same for a shell that kibosh becomes and for one that another program starts. It asks nobody and
//! writes nothing down.

use std::borrow::Cow;

use crate::action::Value;
use crate::decide::gates::Gates;
use crate::decide::{Decision, Finding};
use crate::invocation::{Flavour, Invocation, Preamble, Source, Text};
use crate::normalise::Context;
use crate::policy::Policy;
use crate::surroundings::Surroundings;
use crate::syntax::Dialect;

/// How much of what came in before is followed. Beyond it variables, functions and the directory are
/// not known any more.
pub const FOLLOWED: usize = 1 << 18;

/// One shell.
pub struct Shell<'a> {
    context: Context<'a>,
    gates: Gates,
    runs_nothing: bool,
    unclear: Vec<String>,
    /// What is executed before the next text: start-up code, then what was cleared.
    before: String,
    /// What was found in that, and has been answered.
    answered: Vec<Finding>,
    /// The text that the last decision is about.
    judged: String,
    /// Where in that the new part begins.
    start: usize,
    /// Whether it was also about files that nobody reads again when a program starts.
    reads_once: bool,
}

impl<'a> Shell<'a> {
    /// The shell of an invocation. `set` are variables that were set for it, and are exported.
    #[must_use]
    pub fn new(
        invocation: &Invocation,
        surroundings: &Surroundings<'a>,
        preamble: Preamble,
        set: Vec<(String, Value)>,
        gates: Gates,
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
        context.set = set;
        let mut shell = Self {
            context,
            gates,
            runs_nothing: runs_nothing(invocation),
            unclear: preamble.unclear,
            before: String::new(),
            answered: Vec::new(),
            judged: String::new(),
            start: 0,
            reads_once: false,
        };
        for code in preamble.before {
            let code = shell.decoded(&code).into_owned();
            shell.before.push_str(&code);
            shell.before.push('\n');
        }
        shell
    }

    /// The language of the text.
    #[must_use]
    pub fn dialect(&self) -> Dialect {
        self.context.dialect
    }

    /// The text that the last decision is about, with all that is executed before it.
    #[must_use]
    pub fn judged(&self) -> &str {
        &self.judged
    }

    /// Where in [`Self::judged`] the new part begins.
    #[must_use]
    pub fn start(&self) -> usize {
        self.start
    }

    /// Whether the last decision depends on files as they were then, so that it holds for no later text of the same words.
    #[must_use]
    pub fn reads_once(&self) -> bool {
        self.reads_once
    }

    /// What the policy says of the text that the shell will run.
    pub fn judge(&mut self, policy: &Policy, text: &Text) -> Decision {
        if self.runs_nothing {
            return Decision::default();
        }
        match text {
            Text::Whole(text) => self.judge_next(policy, text),
            Text::Nothing | Text::Stream | Text::Typed => self.judge_next(policy, b""),
            Text::Hidden(why) => {
                self.unclear.push((*why).to_owned());
                self.judge_next(policy, b"")
            }
        }
    }

    /// What the policy says of a text that follows what was kept.
    pub fn judge_next(&mut self, policy: &Policy, text: &[u8]) -> Decision {
        let unclear = self.unclear.len();
        let text = self.decoded(text).into_owned();
        if self.before.len() > FOLLOWED {
            self.unclear
                .push("more came in before than is followed".to_owned());
        }
        self.start = self.before.len();
        self.context.done = self.start;
        self.judged = [self.before.as_str(), &text].concat();
        let judgement = super::judge_unclear(
            policy,
            &self.judged,
            &self.unclear,
            &self.context,
            self.gates,
        );
        self.unclear.truncate(unclear);
        let mut actions = judgement.actions.iter();
        self.reads_once = actions.any(|action| action.on_disk.is_read_once());
        unanswered(judgement.decision, &self.answered)
    }

    /// Takes what was judged last as done, with what was found in it.
    pub fn keep(&mut self, decision: Decision) {
        self.answered.extend(decision.findings);
        let left_out = decision.left_out.into_iter();
        self.answered.extend(left_out.map(|one| one.finding));
        self.before = std::mem::take(&mut self.judged);
        if !self.before.ends_with('\n') {
            self.before.push('\n');
        }
    }

    /// The text; where it is not UTF-8, it was not understood.
    fn decoded<'t>(&mut self, text: &'t [u8]) -> Cow<'t, str> {
        let text = String::from_utf8_lossy(text);
        if let Cow::Owned(_) = text {
            self.unclear.push("it is not UTF-8".to_owned());
        }
        text
    }
}

/// Whether the shell will only print something, or only read.
fn runs_nothing(invocation: &Invocation) -> bool {
    let options = &invocation.options;
    matches!(invocation.source, Source::Nothing(_))
        || (options.no_execution && !options.interactive && invocation.flavour == Flavour::Bash)
}

/// The decision without the findings that were answered before.
fn unanswered(mut decision: Decision, answered: &[Finding]) -> Decision {
    if answered.is_empty() {
        return decision;
    }
    let mut answered: Vec<&Finding> = answered.iter().collect();
    decision.findings.retain(|finding| {
        match answered.iter().position(|known| known.is_again(finding)) {
            Some(position) => {
                answered.swap_remove(position);
                false
            }
            None => true,
        }
    });
    decision.set_effect();
    decision
}
