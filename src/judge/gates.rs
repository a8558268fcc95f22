//! PLACEHOLDER until `decide::gates` is there: which gate judges what. The one place where the judging
//! side weighs actions.

use crate::action::{Action, Value};
use crate::decide::{self, Decision};
use crate::policy::Policy;
use crate::policy::paths::Place;

/// Which gates stand between a text and what it does.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Gates {
    /// Only this one.
    #[default]
    Line,
    /// This one, then one that judges every program that starts.
    LineThenExec,
    /// Every program that starts was or will be judged; only what is none is judged here.
    BesideExec,
}

/// Weighs actions against a policy.
pub(super) fn weigh(policy: &Policy, actions: &[Action], place: &Place, gates: Gates) -> Decision {
    if gates != Gates::BesideExec {
        return decide::evaluate(policy, actions, place);
    }
    let mut left = Vec::new();
    for action in actions {
        let mut action = action.clone();
        if !action.program.is_empty() {
            action.program.clear();
            action.path = Value::default();
            action.arguments.clear();
        }
        action.index = left.len();
        left.push(action);
    }
    decide::evaluate(policy, &left, place)
}
