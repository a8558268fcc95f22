//! What `kibosh check` says: one word for people, one JSON object a line for programs.

use serde::Serialize;
use serde_json::Value;

use crate::decide::Decision;
use crate::policy::schema::Effect;

use super::escape::escape;
use super::{loss, whereabouts};

/// The word for an effect.
#[must_use]
pub fn word(effect: Effect) -> &'static str {
    match effect {
        Effect::Allow => "allow",
        Effect::Confirm => "confirm",
        Effect::Deny => "deny",
    }
}

/// The answer as text: the word and, where something was found, the rule and why.
#[must_use]
pub fn text(decision: &Decision) -> String {
    match decision.findings.first() {
        None => word(decision.effect).to_owned(),
        Some(first) => {
            let lost = loss::of(first).map(|lost| format!("; it {lost}"));
            let environment = whereabouts::of(first).map(|environment| format!(", {environment}"));
            format!(
                "{} {}: {}{}{}",
                word(decision.effect),
                escape(&first.rule),
                escape(&first.reason),
                environment.unwrap_or_default(),
                lost.unwrap_or_default()
            )
        }
    }
}

#[derive(Serialize)]
struct Answer<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    id: Option<&'a Value>,
    decision: &'static str,
    rule: Option<&'a str>,
    reason: Option<&'a str>,
    instead: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    loss: Option<String>,
    #[serde(skip_serializing_if = "<[String]>::is_empty")]
    environments: &'a [String],
    findings: Vec<Found<'a>>,
}

#[derive(Serialize)]
struct Found<'a> {
    rule: &'a str,
    layer: &'a str,
    effect: &'static str,
    reason: &'a str,
    instead: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    loss: Option<String>,
    #[serde(skip_serializing_if = "<[String]>::is_empty")]
    environments: &'a [String],
    subject: &'a str,
    start: usize,
    end: usize,
}

/// The answer as one line of JSON, with the `id` of the question where it had one.
#[must_use]
pub fn json(id: Option<&Value>, decision: &Decision) -> String {
    let first = decision.findings.first();
    let answer = Answer {
        id,
        decision: word(decision.effect),
        rule: first.map(|found| found.rule.as_str()),
        reason: first.map(|found| found.reason.as_str()),
        instead: first.and_then(|found| found.instead.as_deref()),
        loss: first.and_then(loss::of),
        environments: first.map_or(&[], |found| &found.around.environments),
        findings: decision
            .findings
            .iter()
            .map(|found| Found {
                rule: &found.rule,
                layer: &found.layer,
                effect: word(found.effect),
                reason: &found.reason,
                instead: found.instead.as_deref(),
                loss: loss::of(found),
                environments: &found.around.environments,
                subject: &found.subject,
                start: found.origin.start,
                end: found.origin.end,
            })
            .collect(),
    };
    // Strings and numbers always serialise; were it otherwise, a reader must not see an allow.
    serde_json::to_string(&answer).unwrap_or_else(|_| r#"{"decision":"deny"}"#.to_owned())
}

/// The answer to a question that could not be read or judged, which is never an allow.
#[must_use]
pub fn json_error(id: Option<&Value>, error: &str) -> String {
    serde_json::json!({ "id": id, "decision": "deny", "error": error }).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::decide::Finding;
    use crate::policy::schema::Acknowledge;
    use crate::syntax::Span;

    fn denied() -> Decision {
        Decision {
            effect: Effect::Deny,
            left_out: Vec::new(),
            deeds: Vec::new(),
            steps: Vec::new(),
            beyond: Vec::new(),
            findings: vec![Finding {
                rule: "fs.root".into(),
                layer: "pack".into(),
                effect: Effect::Deny,
                reason: "removes the system".into(),
                instead: None,
                acknowledge: Acknowledge::Key,
                reviewers: 1,
                subject: "rm -rf /".into(),
                resource: None,
                words: Vec::new(),
                around: crate::decide::around::Around::default(),
                preview: None,
                origin: Span { start: 0, end: 8 },
            }],
        }
    }

    #[test]
    fn the_json_names_decision_rule_and_findings() {
        let id = Value::from(7);
        assert_eq!(
            json(Some(&id), &denied()),
            r#"{"id":7,"decision":"deny","rule":"fs.root","reason":"removes the system","instead":null,"findings":[{"rule":"fs.root","layer":"pack","effect":"deny","reason":"removes the system","instead":null,"subject":"rm -rf /","start":0,"end":8}]}"#
        );
        assert_eq!(
            json(None, &Decision::default()),
            r#"{"decision":"allow","rule":null,"reason":null,"instead":null,"findings":[]}"#
        );
    }

    #[test]
    fn the_text_is_the_word_and_the_rule() {
        assert_eq!(text(&Decision::default()), "allow");
        assert_eq!(text(&denied()), "deny fs.root: removes the system");
    }

    #[test]
    fn a_question_that_cannot_be_judged_is_a_deny() {
        let answer: Value =
            serde_json::from_str(&json_error(Some(&Value::from("a")), "no `command`")).unwrap();
        assert_eq!(
            answer,
            serde_json::json!({"id": "a", "decision": "deny", "error": "no `command`"})
        );
    }
}
