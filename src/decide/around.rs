//! What a finding is bound to beside the words of its action, so that a yes to it is not taken for a yes
//! to another: the same words mean something else in another directory, with another redirection, on
//! another host. Takes actions, gives values; compares nothing.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::past::Before;
use crate::action::{Action, HOLE, Redirection, Shown, Value};
use crate::policy::glob;
use crate::probe::Loss;

/// How many other actions one finding is bound to.
const MOST_BESIDE: usize = 16;

/// What surrounds the action of a finding.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Around {
    /// The variables on which the rule depends.
    pub environment: BTreeMap<String, Value>,
    /// Its redirections.
    pub redirections: Vec<Redirection>,
    /// What it reads and its words do not show: its standard input, code in a file.
    pub texts: Vec<String>,
    /// Its working directory; none where it is not known.
    pub cwd: Option<String>,
    /// Whether it runs on another host or in a container.
    pub elsewhere: bool,
    /// The programs through which it is reached, outermost first.
    pub via: Vec<String>,
    /// The words of the other actions that the finding is about: what feeds it, what comes after it, the
    /// program that stands here for what happens elsewhere. One without words is not known.
    pub beside: Vec<Vec<Value>>,
    /// What would be lost, where that is known.
    #[serde(default)]
    pub loss: Option<Loss>,
    /// The environments in which it happens, each with what tells it.
    #[serde(default)]
    pub environments: Vec<String>,
    /// What the session has done before, where that is why it was found.
    #[serde(default)]
    pub before: Option<Before>,
}

impl Around {
    /// Whether this is the same, whatever would be lost.
    pub(super) fn is_again(&self, other: &Self) -> bool {
        fn whatever(around: &Around) -> impl PartialEq + '_ {
            let Around {
                environment,
                redirections,
                texts,
                cwd,
                elsewhere,
                via,
                beside,
                environments,
                loss: _,
                before: _,
            } = around;
            let of_words = (environment, redirections, texts, cwd, elsewhere, via);
            (of_words, beside, environments)
        }
        whatever(self) == whatever(other)
    }

    /// What surrounds an action, beside what its rule says of variables and other actions.
    pub(super) fn of(
        action: &Action,
        environment: BTreeMap<String, Value>,
        beside: Vec<Vec<Value>>,
    ) -> Self {
        let input = action.input.iter().map(|input| &input.text);
        let code = action.payloads.iter();
        let code = code.filter(|payload| payload.shown == Shown::Never);
        let code = code.map(|payload| &payload.text);
        let says = |text: &str| !text.trim_matches([HOLE, ' ', '\n']).is_empty();
        Self {
            environment,
            redirections: action.redirections.clone(),
            texts: input
                .chain(code)
                .filter(|text| says(text))
                .cloned()
                .collect(),
            cwd: action.cwd.clone(),
            elsewhere: action.elsewhere,
            via: action.via.clone(),
            beside,
            loss: None,
            environments: Vec::new(),
            before: None,
        }
    }
}

/// The program and the arguments of an action.
pub(super) fn words(action: &Action) -> Vec<Value> {
    let program = Some(&action.path).filter(|path| !path.text.is_empty());
    program
        .into_iter()
        .chain(&action.arguments)
        .cloned()
        .collect()
}

/// The program of the line in whose words another action stands: the last one before it that starts.
pub(super) fn starter<'a>(action: &Action, actions: &'a [Action]) -> Option<&'a Action> {
    let mut before = actions.iter().take(action.index).rev();
    before.find(|one| one.shown == Shown::Start)
}

/// The variables of an action that a rule's `environment` names.
pub(super) fn variables<'m>(
    action: &Action,
    named: impl Iterator<Item = &'m String>,
) -> BTreeMap<String, Value> {
    let mut out = BTreeMap::new();
    for one in named {
        let name = one.split_once('=').map_or(one.as_str(), |(name, _)| name);
        let set = action.environment.iter();
        let set = set.filter(|(key, _)| glob::matches(name, key));
        out.extend(set.map(|(key, value)| (key.clone(), value.clone())));
    }
    out
}

/// The words of the other actions that a finding is about. `fed` where its rule asks what feeds it,
/// `second` what comes after it where its rule is about two actions.
pub(super) fn beside(
    action: &Action,
    actions: &[Action],
    fed: bool,
    second: Option<&Action>,
) -> Vec<Vec<Value>> {
    let mut out: Vec<Vec<Value>> = second.map(words).into_iter().collect();
    if action.shown != Shown::Start || action.elsewhere {
        out.push(starter(action, actions).map(words).unwrap_or_default());
    }
    if fed {
        let before = actions.iter().take(action.index).rev();
        let feeding = before.filter(|one| action.fed_by.contains(&one.program));
        let feeding: Vec<_> = feeding.map(words).take(MOST_BESIDE).collect();
        if feeding.is_empty() && !action.fed_by.is_empty() {
            out.push(Vec::new());
        }
        out.extend(feeding);
    }
    out
}
