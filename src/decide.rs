//! Actions and a policy to a decision: the strictest effect that applies wins, in any order.

pub mod approved;
pub mod around;
mod builtins;
mod environment;
pub mod gates;
pub mod past;
mod pattern;
pub mod preview;
mod session;
mod stake;

use std::cell::OnceCell;
use std::collections::BTreeSet;
use std::rc::Rc;

use serde::{Deserialize, Serialize};

use self::around::Around;
use self::environment::{Mark, Marks};
use self::gates::{Gates, Question};
use self::past::{Before, Deed, Past};
use self::preview::Preview;
use self::session::{Deeds, counts};
use self::stake::Stakes;
use crate::action::{Action, FileUse, HOLE, OnDisk, Value};
use crate::policy::glob;
use crate::policy::matcher::{self, Facts};
use crate::policy::paths::Place;
use crate::policy::schema::{Acknowledge, Effect, Match, Program, Rule, Session};
use crate::policy::{Candidate, Policy};
use crate::probe::{Found, Probe};
use crate::syntax::Span;

/// What one rule says about one action of the line.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Finding {
    /// The rule's id.
    pub rule: String,
    /// The layer it came from: `pack`, `system`, `user` or `project`.
    pub layer: String,
    /// What it says.
    pub effect: Effect,
    /// Why, for the person and the agent.
    pub reason: String,
    /// What to do instead.
    pub instead: Option<String>,
    /// What a person must do to approve.
    pub acknowledge: Acknowledge,
    /// How many people must approve.
    pub reviewers: u8,
    /// The action as a command line, as far as it is known.
    pub subject: String,
    /// The resource that a person types for `acknowledge = "name"`.
    pub resource: Option<String>,
    /// Where it stands in the line.
    pub origin: Span,
    /// The program and the arguments of the action.
    pub words: Vec<Value>,
    /// What else the action is, as far as an approval of it must not be taken for one of another.
    pub around: Around,
    /// The command that shows what it would do, where the rule has one and all of it is known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub preview: Option<Preview>,
}

/// What the evaluation of a whole line says.
#[must_use]
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Decision {
    /// The strictest effect of the findings; allow where there is none.
    pub effect: Effect,
    /// What was found, strictest first, then in the order of the line; what is about two actions before
    /// what is about the first of them.
    pub findings: Vec<Finding>,
    /// What was left out because of how things are now. At another time it may be found.
    #[serde(skip)]
    pub left_out: Vec<LeftOut>,
    /// What counts for the session when it is done.
    #[serde(skip)]
    pub deeds: Vec<Deed>,
    /// What would be found if they were beyond a budget of the session.
    #[serde(skip)]
    pub steps: Vec<Finding>,
    /// What goes beyond a budget, and is not told because something else is asked about anyway.
    #[serde(skip)]
    pub beyond: Vec<Finding>,
}

/// What a rule would have found at another time or place.
#[derive(Clone, Debug, PartialEq)]
pub struct LeftOut {
    /// What.
    pub finding: Finding,
    /// Why it was not.
    pub why: Unfound,
}

/// Why something was not found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unfound {
    /// Nothing would be lost by it now.
    NothingLost,
    /// It does not happen in an environment that the rule names.
    Elsewhere,
}

impl Finding {
    /// Whether this is found again, whatever would be lost by it now.
    #[must_use]
    pub fn is_again(&self, other: &Self) -> bool {
        fn whatever(finding: &Finding) -> impl PartialEq + '_ {
            let Finding {
                rule,
                layer,
                effect,
                reason,
                instead,
                acknowledge,
                reviewers,
                subject,
                resource,
                origin,
                words,
                around: _,
                preview: _,
            } = finding;
            let said = (rule, layer, effect, reason, instead, acknowledge, reviewers);
            (said, subject, resource, origin, words)
        }
        whatever(self) == whatever(other) && self.around.is_again(&other.around)
    }
}

impl Decision {
    /// Finds what goes beyond a budget where nothing else is found (any more).
    pub fn settle(&mut self) {
        if self.findings.is_empty() {
            self.findings = std::mem::take(&mut self.beyond);
        }
        self.set_effect();
    }

    /// Takes the effect of the strictest finding that is left.
    pub fn set_effect(&mut self) {
        let effects = self.findings.iter().map(|finding| finding.effect);
        self.effect = effects.max().unwrap_or_default();
    }

    /// How many people must approve: as many as the strictest finding wants.
    #[must_use]
    pub fn reviewers(&self) -> u8 {
        let asked = self.findings.iter().map(|finding| finding.reviewers);
        asked.max().unwrap_or(1).max(1)
    }
}

/// How often one rule is told of in one line. Its effect is the same each time.
const MOST_OF_ONE_RULE: usize = 16;
/// How many actions behind the first are looked at for the second half of a rule.
const MOST_LATER: usize = 512;

/// Weighs the actions of one line against a policy.
///
/// `place` is where the line runs; `gates` says what another gate will judge, so that it is left out
/// here; `probe` tells what would be lost, where a rule asks. Nothing here depends on the order of rules.
pub fn evaluate(
    policy: &Policy,
    actions: &[Action],
    place: &Place,
    gates: Gates,
    probe: &dyn Probe,
) -> Decision {
    weigh(policy, actions, place, gates, probe, None)
}

/// As [`evaluate`], for a program that starts in a session which has done something before.
pub fn evaluate_start(
    policy: &Policy,
    actions: &[Action],
    place: &Place,
    gates: Gates,
    probe: &dyn Probe,
    past: &Past,
) -> Decision {
    weigh(policy, actions, place, gates, probe, Some(past))
}

fn weigh(
    policy: &Policy,
    actions: &[Action],
    place: &Place,
    gates: Gates,
    probe: &dyn Probe,
    past: Option<&Past>,
) -> Decision {
    // Of a file that the shell carries out, and of a program that has started, most is seen as it starts. Who starts it
    // reads then what stands in a file.
    let is_looked_at = |one: &&Action| match (one.on_disk, gates) {
        (OnDisk::Sourced, _) => gates::may_be_sourced(one),
        (OnDisk::Stands, Gates::BesideExec) => false,
        (_, Gates::BesideExec) => gates::may_be_beside(one),
        _ => true,
    };
    let looked_at: Vec<&Action> = actions.iter().filter(is_looked_at).collect();
    let programs: Vec<Option<Rc<Program>>> = looked_at
        .iter()
        .map(|action| policy.program(&action.program))
        .collect();
    let facts: Vec<Facts<'_>> = looked_at
        .iter()
        .zip(&programs)
        .map(|(&action, program)| {
            let facts = Facts::new(action, program.as_deref(), policy, place);
            facts.on_machine(&|path| probe.is_folder(path))
        })
        .collect();
    let mut findings: Vec<Finding> = Vec::new();
    let mut pairs: BTreeSet<String> = BTreeSet::new();
    let in_text = actions.iter();
    let in_text = in_text.filter(|action| action.on_disk != OnDisk::Stands);
    let mut stakes = Stakes::new(probe, gates, in_text.count());
    let mut left_out: Vec<LeftOut> = Vec::new();
    let mut deeds = past.map(|past| Deeds {
        policy,
        probe,
        past,
        place,
        actions,
        done: Vec::new(),
    });
    let (mut beyond, mut steps) = (Vec::<Finding>::new(), Vec::new());
    let marks = Marks {
        policy,
        probe,
        gates,
        home: &place.home,
    };
    for one in &facts {
        // Of a file that the shell carries out the exec gate sees each program as it starts.
        let gates = match one.action.on_disk {
            OnDisk::Sourced => Gates::BesideExec,
            _ => gates,
        };
        // Looked for once, where a rule asks or something is found.
        let found_marks = OnceCell::new();
        let marks = || found_marks.get_or_init(|| marks.of(one));
        let mut of_session = Vec::new();
        let before = left_out.len();
        for mut candidate in policy.candidates(one.action, one.program.is_some()) {
            if findings.len() >= MOST_OF_ONE_RULE
                && is_known_enough(&findings, &candidate.rule().id)
            {
                continue;
            }
            if !candidate
                .matches
                .iter()
                .any(|m| matcher::is_match(m, one, policy))
            {
                continue;
            }
            if let Some(kind) = candidate.rule().session {
                if counts(kind, one.action) {
                    of_session.push((kind, candidate));
                }
                continue;
            }
            let mut is_elsewhere = false;
            if candidate.matches.iter().any(|m| !m.within.is_empty()) {
                candidate
                    .matches
                    .retain(|m| matcher::is_match(m, one, policy));
                let is_there = |m: &Match| {
                    let mut wanted = m.within.iter();
                    m.within.is_empty()
                        || wanted.any(|name| marks().iter().any(|mark| mark.name == *name))
                };
                is_elsewhere = !candidate.matches.iter().any(|m| is_there(m));
                if !is_elsewhere {
                    candidate.matches.retain(|m| is_there(m));
                }
            }
            let rule = candidate.rule();
            let second = followed_by(rule, &candidate.matches, one, &facts, policy);
            if !rule.followed_by.is_empty() && second.is_none() {
                continue;
            }
            if !rule.followed_by.is_empty() {
                pairs.insert(rule.id.clone());
            }
            if is_excepted(policy, &candidate, one) {
                continue;
            }
            let question = Question {
                rule,
                matches: &candidate.matches,
                facts: one,
                actions,
                policy,
                place,
            };
            if !question.is_asked(gates) {
                continue;
            }
            let (loss, why) = if is_elsewhere {
                (None, Some(Unfound::Elsewhere))
            } else {
                match stakes.of(rule, &candidate.matches, one, policy) {
                    Found::Nothing => (None, Some(Unfound::NothingLost)),
                    Found::Lost(loss) => (Some(*loss), None),
                    Found::Unknown => (None, None),
                }
            };
            let mut finding = finding(&candidate, &question, second, marks());
            finding.around.loss = loss;
            finding.preview = preview::of(rule, &candidate.matches, one, policy);
            let is_known = |f: &Finding| {
                f.rule == finding.rule && f.origin == finding.origin && f.subject == finding.subject
            };
            match why {
                None if !findings.iter().any(is_known) => findings.push(finding),
                Some(why) if !left_out.iter().any(|one| is_known(&one.finding)) => {
                    left_out.push(LeftOut { finding, why });
                }
                None | Some(_) => {}
            }
        }
        // Last, when it is known what is lost.
        let Some(deeds) = &mut deeds else { continue };
        let mut found = left_out.iter().skip(before);
        let loses_nothing = found.any(|one| one.why == Unfound::NothingLost);
        for (kind, candidate) in of_session {
            // A table without rows is not destroyed when it is dropped.
            let is_idle = kind == Session::Destroyed && loses_nothing;
            if is_idle || is_excepted(policy, &candidate, one) {
                continue;
            }
            let held = deeds.add(kind, &candidate.matches, one, &mut stakes);
            let Some(held) = held else { continue };
            let question = Question {
                rule: candidate.rule(),
                matches: &candidate.matches,
                facts: one,
                actions,
                policy,
                place,
            };
            let marks = if held.is_beyond {
                marks().as_slice()
            } else {
                &[]
            };
            let mut finding = finding(&candidate, &question, None, marks);
            finding.around.loss = held.loss;
            let is_again = matches!(held.before, Before::Again { .. });
            finding.around.before = Some(held.before);
            if is_again {
                findings.push(finding);
                continue;
            }
            if held.is_beyond {
                beyond.push(finding.clone());
            }
            steps.push(finding);
        }
    }
    // What is asked about anyway uses up no budget, as long as it is.
    beyond.dedup_by(|one, other| one.rule == other.rule);
    if findings.is_empty() {
        findings = std::mem::take(&mut beyond);
    }
    findings.sort_by(|one, other| {
        let name = |f: &Finding| f.acknowledge == Acknowledge::Name;
        other
            .effect
            .cmp(&one.effect)
            .then(name(other).cmp(&name(one)))
            .then(one.origin.start.cmp(&other.origin.start))
            .then(pairs.contains(&other.rule).cmp(&pairs.contains(&one.rule)))
            .then_with(|| one.rule.cmp(&other.rule))
    });
    let effect = findings.iter().map(|f| f.effect).max().unwrap_or_default();
    Decision {
        effect,
        findings,
        left_out,
        deeds: deeds.map(|deeds| deeds.done).unwrap_or_default(),
        steps,
        beyond,
    }
}

/// What a rule says of an action, but for what would be lost by it.
fn finding(
    candidate: &Candidate<'_>,
    question: &Question<'_, '_>,
    second: Option<&Action>,
    marks: &[Mark],
) -> Finding {
    let (rule, facts) = (question.rule, question.facts);
    Finding {
        rule: rule.id.clone(),
        layer: candidate.layer.name().to_owned(),
        effect: rule.effect,
        reason: rule.reason.clone(),
        instead: rule.instead.clone(),
        acknowledge: rule.acknowledge,
        reviewers: reviewers(rule, marks),
        subject: subject_in(facts.action, question.actions),
        resource: resource(&candidate.matches, facts),
        origin: facts.action.origin,
        words: around::words(facts.action),
        around: Around {
            environments: marks.iter().map(|mark| mark.told.clone()).collect(),
            ..question.around(second)
        },
        preview: None,
    }
}

/// Whether a rule does not apply to an action.
fn is_excepted(policy: &Policy, candidate: &Candidate<'_>, facts: &Facts<'_>) -> bool {
    let exceptions = policy.exceptions(candidate.layer, &candidate.rule().id);
    exceptions.iter().any(|exception| {
        let mut matches = exception.matches.iter();
        exception.matches.is_empty() || matches.any(|m| matcher::is_surely_match(m, facts, policy))
    })
}

/// How many people must say yes to what a rule is about: as many as it wants, and as where it happens.
fn reviewers(rule: &Rule, marks: &[Mark]) -> u8 {
    let there = marks.iter().map(|mark| mark.reviewers).max();
    there.unwrap_or(1).max(rule.reviewers.unwrap_or(1))
}

/// Whether a rule has been found so often that one more time changes nothing.
fn is_known_enough(findings: &[Finding], rule: &str) -> bool {
    findings.iter().filter(|f| f.rule == rule).count() >= MOST_OF_ONE_RULE
}

/// The later action of the line that is what the rule wants next, about the same thing if it says so.
fn followed_by<'a>(
    rule: &Rule,
    matches: &[&Match],
    first: &Facts<'_>,
    facts: &[Facts<'a>],
    policy: &Policy,
) -> Option<&'a Action> {
    if rule.followed_by.is_empty() {
        return None;
    }
    let later = facts.iter().skip(first.action.index + 1);
    let second = later.take(MOST_LATER).find(|second| {
        rule.followed_by
            .iter()
            .any(|m| matcher::is_match(m, second, policy))
            && (!rule.same || shares_a_name(matches, first, &rule.followed_by, second))
    });
    second.map(|second| second.action)
}

/// Whether two actions name the same thing: an operand or an option's value.
fn shares_a_name(
    matches: &[&Match],
    first: &Facts<'_>,
    followed_by: &[Match],
    second: &Facts<'_>,
) -> bool {
    let followed_by: Vec<&Match> = followed_by.iter().collect();
    let others = names(&followed_by, second);
    names(matches, first)
        .iter()
        .any(|name| others.contains(name))
}

/// What an action names: its options' values, and its operands after the subcommand of `matches`.
fn names(matches: &[&Match], facts: &Facts<'_>) -> Vec<String> {
    let skip = matcher::subcommand_length(matches, facts);
    let options = facts
        .arguments
        .flags
        .iter()
        .filter_map(|f| f.value.as_ref());
    facts
        .operands(skip)
        .chain(options)
        .map(|v| v.text.trim_end_matches('/').to_owned())
        .filter(|text| !text.is_empty() && !text.contains(HOLE))
        .collect()
}

/// The action as one line, with `…` for what is not known.
#[must_use]
pub fn subject(action: &Action) -> String {
    let mut line = String::new();
    for (name, value) in &action.environment {
        if action.program.is_empty() {
            line.push_str(&format!("{name}={} ", value.text));
        }
    }
    let words = std::iter::once(&action.path).chain(&action.arguments);
    for word in words.filter(|w| !w.text.is_empty() || !action.program.is_empty()) {
        let shown = word.text.replace(HOLE, "…");
        let quoted = if word.glob || word.text.contains(HOLE) {
            shown
        } else {
            shlex::try_quote(&shown).map_or_else(|_| shown.clone(), std::borrow::Cow::into_owned)
        };
        line.push_str(&quoted);
        line.push(' ');
    }
    for redirection in &action.redirections {
        let operator = match redirection.usage {
            FileUse::Read => "<",
            FileUse::Write => ">",
            FileUse::Append => ">>",
        };
        line.push_str(&format!(
            "{operator}{} ",
            redirection.file.text.replace(HOLE, "…")
        ));
    }
    if let Some(unknown) = &action.unknown
        && line.is_empty()
    {
        line.push_str(unknown);
    }
    line.trim_end().to_owned()
}

/// The same, with the program that does it where code in a file says so.
fn subject_in(action: &Action, actions: &[Action]) -> String {
    let mut line = subject(action);
    let mut before = actions.iter().take(action.index).rev();
    if !matches!(action.on_disk, OnDisk::Nothing | OnDisk::Runs)
        && let Some(program) = before.find(|one| one.on_disk == OnDisk::Runs)
    {
        line.push_str(&format!(" (by {})", subject(program)));
    }
    line
}

/// Options that name what a command is about, in the order in which they are asked.
const NAMING: &[&str] = &[
    "--name|--*-name|--*-identifier|--*-id|--id|--*-arn",
    "-n|-g|--resource-group|-a|--app|--bucket|--stack|-s|-C|--project",
];

/// What a person types to approve: the last operand, else what an option names, else the program.
fn resource(matches: &[&Match], facts: &Facts<'_>) -> Option<String> {
    let known = |value: &Value| {
        let text = value.text.as_str();
        (!text.contains(HOLE) && !text.is_empty()).then(|| text.to_owned())
    };
    let arguments = &facts.action.arguments;
    // A word after an option whose grammar is not known may be its value.
    let option_before = |at: usize| {
        let before = at.checked_sub(1).and_then(|before| arguments.get(before))?;
        let text = before.text.as_str();
        (text.starts_with("--") && text.len() > 2 && !text.contains('=')).then_some(text)
    };
    let operands = facts
        .arguments
        .operands(matcher::subcommand_length(matches, facts));
    let plain = operands.iter().rev();
    let plain = plain.filter(|operand| option_before(operand.at).is_none());
    let named = NAMING.iter().flat_map(|names| {
        let flags = facts.arguments.flags_named(names);
        let loose = facts.arguments.positionals.iter().filter(|word| {
            option_before(word.at)
                .is_some_and(|option| names.split('|').any(|name| glob::matches(name, option)))
        });
        flags
            .filter_map(|flag| flag.value.as_ref())
            .chain(loose.map(|word| &word.value))
    });
    let any = operands.iter().rev().map(|operand| &operand.value);
    let mut candidates = plain.map(|operand| &operand.value).chain(named).chain(any);
    candidates.find_map(known).or_else(|| {
        let program = facts.action.program.clone();
        (!program.is_empty()).then_some(program)
    })
}
