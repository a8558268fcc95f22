//! Actions and a policy to a decision: the strictest effect that applies wins, in any order.

use crate::policy::schema::{Acknowledge, Effect};
use crate::syntax::Span;

/// What one rule says about one action of the line.
#[derive(Clone, Debug, PartialEq)]
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
    /// The action as a command line, as far as it is known.
    pub subject: String,
    /// The resource that a person types for `acknowledge = "name"`.
    pub resource: Option<String>,
    /// Where it stands in the line.
    pub origin: Span,
}

/// What the evaluation of a whole line says.
#[must_use]
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Decision {
    /// The strictest effect of the findings; allow where there is none.
    pub effect: Effect,
    /// What was found, strictest first, then in the order of the line.
    pub findings: Vec<Finding>,
}
