//! `kibosh explain`: how a line was read, what would happen, and which rule of which layer applies.

use std::fmt::Write as _;

use super::check::word;
use super::escape::escape;
use super::excerpt::excerpt;
use super::style::Style;
use super::{loss, whereabouts};
use crate::action::{Action, HOLE, Opacity};
use crate::decide::{Decision, LeftOut, Unfound, subject};
use crate::syntax::Span;

/// How wide the rows are that show the line.
const COLUMNS: usize = 100;

/// The explanation of a judged line: the decision, the line with the parts marked that rules apply to,
/// each rule, and every action that was read out of it.
#[must_use]
pub fn explain(line: &str, actions: &[Action], decision: &Decision) -> String {
    let mut text = format!("decision: {}\n", word(decision.effect));
    text.push_str(&marked(line, decision));
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
        if let Some(environment) = whereabouts::of(finding) {
            let _infallible = writeln!(text, "  where:   {environment}");
        }
        if let Some(lost) = loss::of(finding) {
            let _infallible = writeln!(text, "  loses:   it {lost}");
        }
        if let Some(instead) = &finding.instead {
            let _infallible = writeln!(text, "  instead: {}", escape(instead));
        }
        if place == 0 && decision.findings.len() > 1 {
            text.push_str("  this is the strictest; the others apply too\n");
        }
    }
    for LeftOut { finding, why } in &decision.left_out {
        let why = match why {
            Unfound::NothingLost => "nothing would be lost by it now",
            Unfound::Elsewhere => "it does not happen where the rule is about",
        };
        let _infallible = write!(
            text,
            "\nnot {} {} ({})\n  about:   {}\n  because: {why}\n",
            word(finding.effect),
            escape(&finding.rule),
            escape(&finding.layer),
            escape(&finding.subject)
        );
    }
    text.push_str("\nread as:\n");
    if actions.is_empty() {
        text.push_str("  nothing that runs\n");
    }
    for action in actions {
        let _infallible = writeln!(text, "  {}", escape(&described(action)));
    }
    text
}

/// The line with what rules apply to; nothing where that is nothing or too much to show.
fn marked(line: &str, decision: &Decision) -> String {
    let spans: Vec<Span> = decision
        .findings
        .iter()
        .map(|finding| finding.origin)
        .collect();
    let shown = if spans.is_empty() {
        None
    } else {
        excerpt(line, &spans, COLUMNS, Style::Plain)
    };
    match shown {
        Some(rows) => format!("\n{}\n", rows.join("\n")),
        None => String::new(),
    }
}

/// One action: the command line, then what else is known about it.
fn described(action: &Action) -> String {
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

    fn explained(line: &str) -> String {
        let judged = judge(&Policy::shipped(), line, &Context::text_only());
        explain(line, &judged.actions, &judged.decision)
    }

    #[test]
    fn an_explanation_names_the_action_and_the_way_to_it() {
        assert_eq!(
            explained("sudo ls -l"),
            "decision: allow\n\nread as:\n  sudo ls -l\n  ls -l   # through sudo\n"
        );
    }

    #[test]
    fn the_line_is_shown_with_what_rules_apply_to() {
        let text = explained("cd /srv; sudo rm -rf /; ls");
        let (head, rest) = text.split_once("\n\ndeny ").unwrap();
        assert_eq!(
            head,
            "decision: deny\n\n  | cd /srv; sudo rm -rf /; ls\n  |          ^~~~~~~~~~~~~"
        );
        assert!(
            rest.contains("  rm -rf /   # through sudo; in /srv\n"),
            "{text}"
        );
    }

    #[test]
    fn text_that_was_not_understood_is_said_to_be() {
        let text = explained("echo hi; )");
        assert!(text.starts_with("decision: confirm\n"), "{text}");
        assert!(text.contains("opaque.text"), "{text}");
    }

    #[test]
    fn no_line_acts_on_the_terminal_through_its_explanation() {
        let text = explained("rm -rf / '\x1b[2J\u{202e}'");
        assert!(
            text.lines().all(|line| !line.contains(char::is_control)),
            "{text:?}"
        );
        assert!(!text.contains('\u{202e}'));
    }
}
