//! A text to what would happen and what the policy says about it: reading, normalising, deciding, and
//! nothing else. Pure but for the lookups of its context; the pipeline, `check`, `explain` and the
//! policy tests all judge through here.

mod base;
mod exec;
mod shell;

use std::path::Path;

use crate::action::Action;
use crate::decide::gates::Gates;
use crate::decide::{self, Decision};
use crate::normalise::{self, Context};
use crate::policy::Policy;
use crate::policy::discover::Folders;
use crate::policy::error::PolicyErrors;
use crate::policy::examples::{self, Judged, Line};
use crate::policy::matcher::Facts;
use crate::policy::paths::Place;
use crate::policy::schema::Loses;
use crate::probe::{Content, Found, Probe};
use crate::syntax::{self, Reading, Span, Unread};

pub use base::Base;
pub use exec::{Caller, Exec, ExecJudgement, Interpreter, Nobody, Running, Told, exec};
pub use shell::{FOLLOWED, Shell};

/// A line, judged.
#[derive(Clone, Debug)]
pub struct Judgement {
    /// How it was read.
    pub reading: Reading,
    /// What would happen.
    pub actions: Vec<Action>,
    /// What the policy says.
    pub decision: Decision,
}

/// Judges a text.
///
/// `context` says where and by which shell it would run. Nothing is executed, and nothing is read but
/// what the context's lookups give.
#[must_use]
pub fn judge(policy: &Policy, text: &str, context: &Context<'_>) -> Judgement {
    judge_unclear(policy, text, &[], context, Gates::Line)
}

/// As [`judge`], where there are also reasons why the shell could read the text differently, and where
/// another gate may judge a part.
#[must_use]
pub fn judge_unclear(
    policy: &Policy,
    text: &str,
    unclear: &[String],
    context: &Context<'_>,
    gates: Gates,
) -> Judgement {
    let mut reading = syntax::read(text, context.dialect);
    let span = Span {
        start: 0,
        end: text.len(),
    };
    reading.unread.extend(unclear.iter().map(|why| Unread {
        span,
        why: why.clone(),
    }));
    let actions = normalise::actions(&reading, context, policy);
    let probe = Later {
        probe: context.probe,
        done: context.done,
    };
    let decision = decide::evaluate(policy, &actions, &context.place, gates, &probe);
    Judgement {
        reading,
        actions,
        decision,
    }
}

/// A look at what has not happened yet.
struct Later<'a> {
    probe: &'a dyn Probe,
    done: usize,
}

impl Probe for Later<'_> {
    fn look(&self, at: Loses, facts: &Facts<'_>, skip: usize) -> Found {
        if facts.action.origin.end <= self.done && self.done > 0 {
            return Found::Unknown;
        }
        self.probe.look(at, facts, skip)
    }

    fn variable(&self, name: &str) -> Option<String> {
        self.probe.variable(name)
    }

    fn is_folder(&self, path: &Path) -> bool {
        self.probe.is_folder(path)
    }

    fn content(&self, path: &Path) -> Content {
        self.probe.content(path)
    }
}

/// The machine of an example: it has the variables that the example names, and nothing else is known.
struct Written<'a>(&'a Line);

impl Probe for Written<'_> {
    fn look(&self, _at: Loses, _facts: &Facts<'_>, _skip: usize) -> Found {
        Found::Unknown
    }

    fn variable(&self, name: &str) -> Option<String> {
        self.0.environment.get(name).cloned()
    }

    fn content(&self, _path: &Path) -> Content {
        Content::None
    }
}

/// The policy in force at a place, its examples proven.
///
/// # Errors
///
/// Everything that is wrong with it. Nothing may run then.
pub fn policy_in_force(folders: &Folders) -> Result<Policy, PolicyErrors> {
    let policy = Policy::load(folders)?;
    examples::prove(&policy, folders, &mut |line| example(&policy, line))?;
    Ok(policy)
}

/// The lines that show what would be done, each with the rule that has it. What cannot be written as a line is shown
/// to nobody.
#[must_use]
pub fn previews(decision: &Decision) -> Vec<(String, String)> {
    let with_preview = decision.findings.iter().filter_map(|finding| {
        let line = finding.preview.as_ref()?.line()?;
        Some((finding.rule.clone(), line))
    });
    with_preview.collect()
}

/// Judges a line of an example or a case, at the place that it names. Variables that it does not set
/// are not known.
#[must_use]
pub fn example(policy: &Policy, line: &Line) -> Judged {
    let environment = |name: &str| line.environment.get(name).cloned();
    let context = Context {
        place: Place {
            cwd: line.cwd.clone(),
            home: line.home.clone(),
            workspace: line.cwd.clone(),
        },
        environment: &environment,
        probe: &Written(line),
        ..Context::text_only()
    };
    let decision = judge(policy, &line.text, &context).decision;
    let findings = decision.findings.iter();
    Judged {
        effect: decision.effect,
        previews: previews(&decision),
        rules: findings.map(|finding| finding.rule.clone()).collect(),
    }
}
