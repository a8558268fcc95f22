//! The record for people: the last decisions, and which rules ask most.

use std::collections::{BTreeMap, VecDeque};

use serde::Deserialize;

use super::escape::{cut, escape};

/// How much of a text is shown.
const MOST_TEXT: usize = 120;

/// One line of the record, as far as it is shown.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
pub struct Event {
    /// When, in UTC (RFC 3339).
    pub time: String,
    /// What was judged.
    pub text: String,
    /// `allow`, `confirm` or `deny`.
    pub decision: String,
    /// `ran`, `approved`, `refused` or `dry-run`.
    pub outcome: String,
    /// Why it was refused.
    pub why: Option<String>,
    /// What was found.
    #[serde(default)]
    pub findings: Vec<Found>,
}

/// One finding of a line.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
pub struct Found {
    /// The rule.
    pub rule: String,
    /// What it says.
    pub effect: String,
}

/// What the record holds.
#[derive(Clone, Debug, Default)]
pub struct History {
    /// Its last lines, the oldest first.
    pub last: VecDeque<Event>,
    /// How many lines there are.
    pub lines: usize,
    /// How many lines could not be read.
    pub damaged: usize,
    rules: BTreeMap<String, Noise>,
}

/// How often one rule stopped something.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Noise {
    /// The rule.
    pub rule: String,
    /// How often a person had to decide because of it.
    pub asked: usize,
    /// How often that was a yes.
    pub approved: usize,
    /// How often nobody could be asked, or nobody answered.
    pub unanswered: usize,
    /// How often it was denied outright.
    pub denied: usize,
}

impl History {
    /// Adds a line; only the last `most` are kept.
    pub fn add(&mut self, event: Event, most: usize) {
        self.lines += 1;
        for found in &event.findings {
            let counts = self.rules.entry(found.rule.clone()).or_default();
            match (found.effect.as_str(), event.outcome.as_str()) {
                (_, "dry-run") => {}
                ("deny", _) => counts.denied += 1,
                ("confirm", outcome) if event.decision == "confirm" => {
                    counts.asked += 1;
                    counts.approved += usize::from(outcome == "approved");
                    let by_person = matches!(event.why.as_deref(), Some("person" | "reviewer"));
                    counts.unanswered += usize::from(outcome == "refused" && !by_person);
                }
                _ => {}
            }
        }
        self.last.push_back(event);
        if self.last.len() > most {
            self.last.pop_front();
        }
    }

    /// How often each rule stopped something, the one that had most asked first.
    #[must_use]
    pub fn noise(&self) -> Vec<Noise> {
        let rules = self.rules.iter().map(|(rule, counts)| Noise {
            rule: rule.clone(),
            ..counts.clone()
        });
        let mut noise: Vec<Noise> = rules.filter(|one| one.asked + one.denied > 0).collect();
        noise.sort_by_key(|one| std::cmp::Reverse((one.asked, one.denied)));
        noise
    }
}

/// What is said where nothing is recorded.
#[must_use]
pub fn off() -> String {
    "kibosh: the policy says `record = \"off\"`, so there is nothing to show".to_owned()
}

/// The last decisions, a row each, the oldest first: when, what came of it, by which rule, and the text.
#[must_use]
pub fn last(history: &History) -> String {
    let mut text: String = history.last.iter().map(row).collect();
    if history.lines == 0 {
        text.push_str("nothing was decided yet\n");
    }
    push_damaged(&mut text, history);
    text
}

fn row(event: &Event) -> String {
    let outcome = match (&event.why, event.outcome.as_str()) {
        (Some(why), outcome) => format!("{outcome} ({why})"),
        (None, outcome) => outcome.to_owned(),
    };
    let rule = event.findings.first().map_or("-", |found| &found.rule);
    format!(
        "{}  {:<22}  {:<28}  {}\n",
        escape(event.time.get(..19).unwrap_or(&event.time)),
        escape(&outcome),
        escape(rule),
        cut(&event.text, MOST_TEXT)
    )
}

/// Which rules had a person asked, the most often first.
#[must_use]
pub fn noise(history: &History) -> String {
    let rules = history.noise();
    let lines = history.lines;
    let mut text = format!("{lines} decisions in the record\n");
    if rules.is_empty() {
        text.push_str("no rule has stopped anything\n");
    } else {
        text.push_str("asked  approved  unanswered  denied  rule\n");
    }
    for one in &rules {
        text.push_str(&format!(
            "{:>5}  {:>8}  {:>10}  {:>6}  {}\n",
            one.asked,
            one.approved,
            one.unanswered,
            one.denied,
            escape(&one.rule)
        ));
    }
    let nags = |one: &&Noise| one.asked >= 5 && one.approved == one.asked;
    if let Some(one) = rules.iter().find(nags) {
        text.push_str(&format!(
            "`{}` was approved each time: an [[exception]] for what is harmless spares the question\n",
            escape(&one.rule)
        ));
    }
    push_damaged(&mut text, history);
    text
}

fn push_damaged(text: &mut String, history: &History) {
    if history.damaged > 0 {
        text.push_str(&format!("{} lines cannot be read\n", history.damaged));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn history() -> History {
        let event = Event {
            time: "2026-01-31T09:05:00.123Z".into(),
            text: "rm\x1b[2J x".into(),
            decision: "confirm".into(),
            outcome: "approved".into(),
            findings: vec![Found {
                rule: "fs.rm".into(),
                effect: "confirm".into(),
            }],
            ..Event::default()
        };
        let mut history = of(vec![event; 5], 2);
        history.damaged = 1;
        history
    }

    /// What a record of these lines holds, of which so many are kept.
    fn of(events: Vec<Event>, most: usize) -> History {
        let mut history = History::default();
        events
            .into_iter()
            .for_each(|event| history.add(event, most));
        history
    }

    #[test]
    fn a_row_is_a_row_whatever_the_text_is() {
        let text = last(&history());
        assert_eq!(text.lines().count(), 3, "{text}");
        assert!(text.contains("2026-01-31T09:05:00  approved"), "{text}");
        assert!(text.contains(r"rm\x1b[2J x"), "{text}");
        assert!(last(&History::default()).contains("nothing"));
    }

    #[test]
    fn a_rule_that_is_always_approved_is_told() {
        let text = noise(&history());
        assert!(
            text.contains("    5         5           0       0  fs.rm"),
            "{text}"
        );
        assert!(text.contains("[[exception]]"), "{text}");
    }

    fn event(decision: &str, outcome: &str, why: Option<&str>, rules: &[(&str, &str)]) -> Event {
        Event {
            decision: decision.into(),
            outcome: outcome.into(),
            why: why.map(Into::into),
            findings: rules
                .iter()
                .map(|(rule, effect)| Found {
                    rule: (*rule).into(),
                    effect: (*effect).into(),
                })
                .collect(),
            ..Event::default()
        }
    }

    #[test]
    fn rules_are_counted_by_what_came_of_them() {
        let history = of(
            vec![
                event("allow", "ran", None, &[]),
                event(
                    "confirm",
                    "approved",
                    None,
                    &[("b", "confirm"), ("a", "confirm")],
                ),
                event("confirm", "refused", Some("person"), &[("b", "confirm")]),
                event("confirm", "refused", Some("timeout"), &[("b", "confirm")]),
                event("confirm", "dry-run", None, &[("b", "confirm")]),
                event(
                    "deny",
                    "refused",
                    Some("policy"),
                    &[("c", "deny"), ("a", "confirm")],
                ),
            ],
            1,
        );
        assert_eq!((history.lines, history.last.len()), (6, 1));
        let noise = |rule: &str, asked, approved, unanswered, denied| Noise {
            rule: rule.into(),
            asked,
            approved,
            unanswered,
            denied,
        };
        assert_eq!(
            history.noise(),
            [
                noise("b", 3, 1, 1, 0),
                noise("a", 1, 1, 0, 0),
                noise("c", 0, 0, 0, 1)
            ]
        );
    }
}
