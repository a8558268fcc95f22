//! `kibosh explain`: how a line was read, what would happen, and which rule of which layer applies.

use std::fmt::Write as _;

use super::check::word;
use super::escape::escape;
use crate::action::{Action, HOLE, Opacity};
use crate::decide::{Decision, subject};

/// The explanation of a judged line, several lines of text.
#[must_use]
pub fn explain(actions: &[Action], decision: &Decision) -> String {
    let mut text = format!("decision: {}\n", word(decision.effect));
    for (place, finding) in decision.findings.iter().enumerate() {
        // Writing to a string does not fail.
        let _infallible = write!(
            text,
            "\n{} {} ({})\n  about:   {}\n  because: {}\n",
            word(finding.effect),
            escape(&finding.rule),
            escape(&finding.layer),
            escape(&finding.subject),
            escape(&finding.reason)
        );
        if let Some(instead) = &finding.instead {
            let _infallible = writeln!(text, "  instead: {}", escape(instead));
        }
        if place == 0 && decision.findings.len() > 1 {
            text.push_str("  this is the strictest; the others apply too\n");
        }
    }
    text.push_str("\nread as:\n");
    if actions.is_empty() {
        text.push_str("  nothing that runs\n");
    }
    for action in actions {
        let _infallible = writeln!(text, "  {}", escape(&line(action)));
    }
    text
}

/// One action: the command line, then what else is known about it.
fn line(action: &Action) -> String {
    let mut line = subject(action);
    let mut notes = Vec::new();
    if !action.via.is_empty() {
        notes.push(format!("through {}", action.via.join(" > ")));
    }
    if action.elsewhere {
        notes.push("on another host or in a container".to_owned());
    }
    if !action.fed_by.is_empty() {
        notes.push(format!("fed by {}", action.fed_by.join(", ")));
    }
    match &action.cwd {
        Some(cwd) if cwd == "." => {}
        Some(cwd) => notes.push(format!("in {}", cwd.replace(HOLE, "…"))),
        None => notes.push("in an unknown directory".to_owned()),
    }
    for payload in &action.payloads {
        notes.push(format!("executes {:?} code", payload.language).to_lowercase());
    }
    if let (Some(why), true) = (&action.unknown, action.opacity > Opacity::Operand) {
        notes.push(why.clone());
    }
    if !notes.is_empty() {
        line.push_str("   # ");
        line.push_str(&notes.join("; "));
    }
    line
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::judge::judge;
    use crate::normalise::Context;
    use crate::policy::Policy;

    #[test]
    fn an_explanation_names_the_action_the_way_to_it_and_the_rule() {
        let judged = judge(&Policy::shipped(), "sudo ls -l", &Context::text_only());
        assert_eq!(
            explain(&judged.actions, &judged.decision),
            "decision: allow\n\nread as:\n  sudo ls -l\n  ls -l   # through sudo\n"
        );
    }
}
