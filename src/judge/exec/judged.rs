//! What came of judging one exec: the strictest of all that was found by any of its names, each thing
//! once, and the text that a person is shown with it.

use std::ffi::CString;

use crate::decide::{Decision, Finding};
use crate::policy::schema::Effect;
use crate::syntax::Span;

/// An exec, judged.
#[derive(Debug)]
pub struct ExecJudgement {
    /// What the policy says. The origins of its findings are byte ranges in `text`.
    pub decision: Decision,
    /// What was judged: the text of a shell, else the words as a line.
    pub text: String,
    /// Where in `text` the exec's own part begins; before it stands what its shell executes first.
    pub start: usize,
    /// Where the text comes from.
    pub told: Told,
    /// The words that a text of a shell is given.
    pub given: Vec<CString>,
    /// Whether something was left out because of who calls: another caller would be told of it.
    pub is_for_caller: bool,
    /// Whether it depends on files that may be others the next time: code was read, or it was looked for a directory.
    pub depends_on_files: bool,
}

/// Where a judged text comes from, for `report` to word.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Told {
    /// `-c` of the shell of this name.
    Command(String),
    /// The script of this name.
    Script(String),
    /// A file on standard input of the shell of this name.
    Input(String),
    /// A command that is typed into a shell which asks before each.
    Typed,
    /// The words of the program of this name.
    Program(String),
}

impl ExecJudgement {
    /// Puts assignments before the words, where they are not there yet.
    pub(super) fn show(&mut self, assignments: &str) {
        if !self.text.starts_with(assignments) {
            self.text.insert_str(0, assignments);
            self.cover();
        }
    }

    /// Lets every finding be about the whole text.
    pub(super) fn cover(&mut self) {
        let whole = self.whole();
        for finding in &mut self.decision.findings {
            finding.origin = whole;
        }
    }

    /// Takes away what rules of these names have found.
    pub(super) fn leave_out(&mut self, rules: &[String]) {
        let findings = &mut self.decision.findings;
        let found = findings.len();
        findings.retain(|finding| !rules.contains(&finding.rule));
        self.is_for_caller |= findings.len() < found;
        self.decision.set_effect();
    }

    /// Takes away what a person would be asked about.
    pub(super) fn leave_out_questions(&mut self) {
        let findings = &mut self.decision.findings;
        let found = findings.len();
        findings.retain(|finding| finding.effect == Effect::Deny);
        // What nobody is asked about in the name of a program of the system is not the session's.
        self.decision.deeds.clear();
        self.decision.steps.clear();
        self.decision.beyond.clear();
        self.is_for_caller |= findings.len() < found;
        self.decision.set_effect();
    }

    /// Finds what goes beyond a budget where nothing else is left that is asked about.
    pub(super) fn settle(&mut self) {
        if self.decision.findings.is_empty() && !self.decision.beyond.is_empty() {
            self.decision.settle();
            self.cover();
        }
    }

    /// Adds another program that starts with this one. The text is that of the stricter one.
    pub fn also(&mut self, mut more: Self) {
        if more.decision.effect > self.decision.effect {
            std::mem::swap(self, &mut more);
        }
        self.is_for_caller |= more.is_for_caller;
        self.depends_on_files |= more.depends_on_files;
        self.add(more.decision, true);
    }

    fn whole(&self) -> Span {
        Span {
            start: 0,
            end: self.text.len(),
        }
    }

    /// Adds what else was found. What is `about_words` has no place in the text, and is about all of it.
    pub(super) fn add(&mut self, more: Decision, about_words: bool) {
        let whole = self.whole();
        let before = self.decision.findings.len();
        for mut finding in more.findings {
            if about_words {
                finding.origin = whole;
            }
            let known =
                self.decision.findings.iter().take(before).any(|known| {
                    known.rule == finding.rule && operands(known) == operands(&finding)
                });
            if !known {
                self.decision.findings.push(finding);
            }
        }
        let strictest = |finding: &Finding| std::cmp::Reverse(finding.effect);
        self.decision.findings.sort_by_key(strictest);
        self.decision.effect = self.decision.effect.max(more.effect);
        self.leave(Decision {
            findings: Vec::new(),
            ..more
        });
    }

    /// Takes of a decision what is not found now: what was left out, and what counts for the session. One program by
    /// two names does it once.
    pub(super) fn leave(&mut self, more: Decision) {
        self.decision.left_out.extend(more.left_out);
        self.decision.steps.extend(more.steps);
        self.decision.beyond.extend(more.beyond);
        for deed in more.deeds {
            if !self.decision.deeds.contains(&deed) {
                self.decision.deeds.push(deed);
            }
        }
    }
}

/// What a finding is about, without the name of the program: one program by two names is found once.
fn operands(finding: &Finding) -> &str {
    finding
        .subject
        .split_once(' ')
        .map_or(finding.subject.as_str(), |(_, operands)| operands)
}
