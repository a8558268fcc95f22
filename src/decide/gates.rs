//! Which findings of a line are left to the exec gate (docs/decisions/0008-exec-gate.md).
//!
//! Takes a rule that matched an action, and which gates there are; says whether this gate asks. What is
//! left is only what the other gate surely sees with everything that is not known yet filled in; in doubt
//! this gate asks. It never asks for more than it would alone.

use std::collections::BTreeMap;

use super::around::{self, Around};
use super::builtins::{acts_outside, is_of_the_shell};
use crate::action::{Action, FileUse, HOLE, Opacity, Redirection, Shown, Value};
use crate::policy::Policy;
use crate::policy::matcher::{self, Facts};
use crate::policy::paths::Place;
use crate::policy::schema::{Match, Rule};

/// What stands for what is not known: a word that means nothing, and a path that is nobody's loss, where
/// a word begins with it.
const HARMLESS: [Filling; 2] = [
    Filling {
        part: "x",
        start: "x",
        directory: None,
    },
    Filling {
        part: "x",
        start: "/tmp/x/x",
        directory: Some("/tmp/x"),
    },
];

/// One way of filling in what is not known.
#[derive(Clone, Copy)]
struct Filling {
    /// For a part of a word.
    part: &'static str,
    /// For the beginning of a word.
    start: &'static str,
    /// For the working directory; none is where the line runs.
    directory: Option<&'static str>,
}

/// Which gates a text has to pass.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Gates {
    /// Only this one: what is not known is asked about.
    #[default]
    Line,
    /// This one, then the exec gate: what is not known yet is left to it, where it will know.
    LineThenExec,
    /// The text belongs to a program that the exec gate has let start: only what no further start of a
    /// program shows, and only what is known.
    BesideExec,
}

/// A rule that matched an action.
pub(super) struct Question<'a, 'f> {
    pub(super) rule: &'a Rule,
    pub(super) matches: &'a [&'a Match],
    pub(super) facts: &'a Facts<'f>,
    /// All actions of the line.
    pub(super) actions: &'a [Action],
    pub(super) policy: &'a Policy,
    pub(super) place: &'a Place,
}

impl Question<'_, '_> {
    /// Whether this gate asks it: some match of the rule holds and is not left to the other gate.
    pub(super) fn is_asked(&self, gates: Gates) -> bool {
        let mut matches = self.matches.iter().copied();
        let holds = |one: &Match| matcher::is_match(one, self.facts, self.policy);
        match gates {
            Gates::Line => true,
            Gates::LineThenExec => matches.any(|one| holds(one) && !self.is_left(one)),
            Gates::BesideExec => {
                matches.any(|one| holds(one) && !self.is_left(one) && self.is_beside(one))
            }
        }
    }

    /// What an approval of the action is bound to beside its words.
    pub(super) fn around(&self, second: Option<&Action>) -> Around {
        let action = self.facts.action;
        let named = self.matches.iter().flat_map(|one| &one.environment);
        let environment = if named.clone().next().is_some() && self.needs_variables() {
            around::variables(action, named)
        } else {
            BTreeMap::new()
        };
        let fed = self.matches.iter().any(|one| !one.fed_by.is_empty());
        let beside = around::beside(action, self.actions, fed, second);
        Around::of(action, environment, beside)
    }

    /// Whether a match depends on what is not known yet, and the exec gate will know it.
    fn is_left(&self, one: &Match) -> bool {
        let action = self.facts.action;
        if action.opacity == Opacity::Text || !self.rule.followed_by.is_empty() {
            return false;
        }
        if one.only_starts == Some(true) && action.shown == Shown::Start {
            return true;
        }
        let mut fillings = HARMLESS.iter();
        if fillings.all(|with| self.holds(one, &self.filled_in(*with))) {
            return false;
        }
        // What is about a redirection, a pipe or a variable as well is not found by the start alone.
        let mut started = as_started(action);
        started.environment.clear();
        if !self.holds(one, &started) {
            return false;
        }
        let about_code = action.opacity == Opacity::Code
            && !self.holds(
                one,
                &Action {
                    opacity: Opacity::Known,
                    ..action.clone()
                },
            );
        if about_code {
            return match (action.shown, action.code) {
                // Each program that the code starts is seen.
                (Shown::Start, Shown::Start) => true,
                (Shown::Start, Shown::Words) => action.arguments.iter().any(has_hole),
                // `docker exec c sh -c "$X"`: the code is one of the words that this shell fills in.
                (Shown::Words, Shown::Start) => {
                    action.input.is_none()
                        && action.arguments.iter().any(has_hole)
                        && self.is_filled_in_here()
                }
                (Shown::Start, Shown::Never)
                | (Shown::Words, Shown::Words | Shown::Never)
                | (Shown::Never, _) => false,
            };
        }
        if is_of_the_shell(action) {
            return false;
        }
        match action.shown {
            Shown::Start => true,
            Shown::Words => self.is_filled_in_here(),
            Shown::Never => false,
        }
    }

    /// Whether a match is about what no start of a program shows, and all that decides it is known.
    fn is_beside(&self, one: &Match) -> bool {
        let action = self.facts.action;
        if action.opacity == Opacity::Text
            || action.shown == Shown::Words
            || !self.rule.followed_by.is_empty()
        {
            return false;
        }
        HARMLESS.iter().all(|with| {
            let known = self.wholly_filled_in(*with);
            let mut started = as_started(&known);
            if self.takes_words_from_a_pipe() {
                started.fed_by.clone_from(&known.fed_by);
            }
            self.holds(one, &known)
                && (action.shown == Shown::Never
                    || acts_outside(action)
                    || !self.holds(one, &started))
        })
    }

    /// Whether it was reached through a program such as `xargs`, which makes words of what it is fed: those
    /// are shown.
    fn takes_words_from_a_pipe(&self) -> bool {
        self.facts.action.via.last().is_some_and(|name| {
            let program = self.policy.program(name);
            program.is_some_and(|program| program.runs.iter().any(|r| r.appends.is_some()))
        })
    }

    /// The action with a harmless word for each part that the start of its program will show. What is
    /// redirected, what is read from standard input and variables stay as they are.
    fn filled_in(&self, with: Filling) -> Action {
        let mut known = self.facts.action.clone();
        let of_the_shell = is_of_the_shell(&known);
        let open = has_hole(&known.path);
        with.fill(&mut known.path);
        for argument in &mut known.arguments {
            // The start shows the file that a pattern has found. Of a redirection nothing shows more than the pattern.
            if argument.found {
                *argument = Value::known(with.start);
            }
            with.fill(argument);
        }
        if !of_the_shell && known.shown == Shown::Start && known.cwd.is_none() {
            known.cwd = Some(self.directory(with));
        }
        if known.program.is_empty() && !known.path.text.is_empty() {
            // A pattern as a program (`/bin/r?`) is as unknown as a variable.
            known.path.glob = false;
            let name = known.path.text.rsplit('/').next().unwrap_or_default();
            known.program = if open { with.part } else { name }.to_owned();
        }
        if known.opacity < Opacity::Text {
            known.opacity = Opacity::Known;
        }
        known
    }

    /// The action with a harmless word for everything in it that is not known.
    fn wholly_filled_in(&self, with: Filling) -> Action {
        let mut known = self.filled_in(with);
        for value in known.environment.values_mut() {
            with.fill(value);
        }
        for redirection in &mut known.redirections {
            with.fill(&mut redirection.file);
        }
        if let Some(input) = &mut known.input {
            with.fill(input);
        }
        for payload in &mut known.payloads {
            payload.text = payload.text.replace(HOLE, with.part);
        }
        if known.cwd.is_none() && !known.elsewhere {
            known.cwd = Some(self.directory(with));
        }
        known
    }

    /// Whether all that is not known of an action in the words of another program is in those words
    /// before that program starts.
    ///
    /// A remote shell expands what is left to it, so there must be nothing to expand, and the words with
    /// holes must be words that this shell fills in. In doubt they are not.
    fn is_filled_in_here(&self) -> bool {
        let action = self.facts.action;
        let Some(starter) = around::starter(action, self.actions) else {
            return false;
        };
        let direct = starter.payloads.is_empty()
            && action.via.len() == starter.via.len() + 1
            && action.via.last() == Some(&starter.program);
        let given = &starter.arguments;
        let words = std::iter::once(&action.path)
            .chain(&action.arguments)
            .chain(action.environment.values());
        direct
            && !given.iter().any(|word| word.text.contains(['$', '`']))
            && words
                .filter(|word| has_hole(word) || word.found)
                .all(|word| given.iter().any(|one| one.text.contains(&word.text)))
    }

    /// Whether the rule would not match without the variables that are set for the action.
    fn needs_variables(&self) -> bool {
        let mut bare = self.facts.action.clone();
        bare.environment.clear();
        !self.matches.iter().any(|one| self.holds(one, &bare))
    }

    fn directory(&self, with: Filling) -> String {
        with.directory.unwrap_or(&self.place.cwd).to_owned()
    }

    /// Whether a match holds for another form of the action.
    fn holds(&self, one: &Match, action: &Action) -> bool {
        if action.program == self.facts.action.program {
            return matcher::is_match(one, &self.facts.of_form(action), self.policy);
        }
        let program = self.policy.program(&action.program);
        let facts = Facts::new(action, program.as_deref(), self.policy, self.place);
        matcher::is_match(one, &facts, self.policy)
    }
}

/// Whether anything of an action may be asked about by [`Gates::BesideExec`]: what the start of its program
/// shows is judged then. It saves the work of matching, and leaves out nothing that
/// [`Question::is_beside`] would not.
pub(super) fn may_be_beside(action: &Action) -> bool {
    let has_more = !action.redirections.is_empty()
        || action.input.is_some()
        || !action.fed_by.is_empty()
        || action
            .payloads
            .iter()
            .any(|payload| payload.shown == Shown::Never);
    debug_assert!(has_more || *action == as_started(action));
    action.shown == Shown::Never || acts_outside(action) || has_more
}

/// Whether anything of an action may be asked about that stands in a file which the shell of a line carries out: such files
/// are long and read before each line of some agents, so what says nothing by itself is passed over.
pub(super) fn may_be_sourced(action: &Action) -> bool {
    const NOWHERE: &[&str] = &["/dev/null", "/dev/stdout", "/dev/stderr"];
    const SAYING: &[&str] = &["echo", "printf"];
    let writes = |one: &Redirection| {
        one.usage != FileUse::Read && !NOWHERE.contains(&one.file.text.as_str())
    };
    may_be_beside(action)
        && (action.shown == Shown::Never
            || acts_outside(action)
            || action.redirections.iter().any(writes)
            || action
                .fed_by
                .iter()
                .any(|name| !SAYING.contains(&name.as_str()))
            || !action.payloads.is_empty())
}

impl Filling {
    fn fill(self, value: &mut Value) {
        if let Some(rest) = value.text.strip_prefix(HOLE) {
            value.text = format!("{}{rest}", self.start);
        }
        if has_hole(value) {
            value.text = value.text.replace(HOLE, self.part);
        }
        value.splits = false;
    }
}

/// The action as the start of its program shows it: without redirections, without what it reads from its
/// standard input or a file, and without who feeds it.
pub(super) fn as_started(action: &Action) -> Action {
    let mut started = action.clone();
    started.redirections.clear();
    started.input = None;
    started.fed_by.clear();
    started
        .payloads
        .retain(|payload| payload.shown != Shown::Never);
    started
}

fn has_hole(value: &Value) -> bool {
    value.text.contains(HOLE)
}
