//! `cases.toml` of a pack: command lines and what must be decided about them.

use std::collections::BTreeMap;

use serde::Deserialize;
use toml::Spanned;

use super::compiled;
use super::error::PolicyError;
use super::examples::{Judge, Judged, Line, Outcome, told};
use super::schema::Effect;
use super::shape::nearest;

/// The file: plain lists for lines that run in the usual place, `[[case]]` for the others.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct Cases {
    /// Lines that run.
    allow: Vec<Spanned<String>>,
    /// Lines about which a person is asked, by the rule that asks.
    confirm: BTreeMap<Spanned<String>, Vec<Spanned<String>>>,
    /// Lines that do not run, by the rule that stops them.
    deny: BTreeMap<Spanned<String>, Vec<Spanned<String>>>,
    /// Lines with particulars.
    case: Vec<Case>,
}

/// One line with particulars.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Case {
    /// The line.
    line: Spanned<String>,
    /// What must be decided.
    decision: Effect,
    /// A rule that must apply.
    rule: Option<Spanned<String>>,
    /// The working directory.
    cwd: Option<String>,
    /// The home directory.
    home: Option<String>,
    /// The environment.
    #[serde(default)]
    env: BTreeMap<String, String>,
    /// Why it is known not to hold yet. It fails once it does, so that the note goes.
    gap: Option<String>,
}

/// Runs the cases of one file; a file that cannot be read is one failure.
pub(super) fn run(path: &str, text: &str, judge: &mut Judge<'_>, outcome: &mut Outcome) {
    let cases: Cases = match toml::from_str(text) {
        Ok(cases) => cases,
        Err(error) => {
            let message = error
                .message()
                .lines()
                .next()
                .unwrap_or("not TOML")
                .to_owned();
            let place = error.span().unwrap_or(0..0);
            outcome.add(Some(PolicyError::at(path, text, place, message)));
            return;
        }
    };
    let mut expect = |line: &Spanned<String>, judged: &Judged, expected: &Expected<'_>| {
        let failure = expected
            .mistake(judged)
            .map(|message| PolicyError::at(path, text, line.span(), message).hinted(told(judged)));
        outcome.add(failure);
    };
    for line in &cases.allow {
        let judged = judge(&Line::example(line.get_ref()));
        expect(
            line,
            &judged,
            &Expected {
                effect: Effect::Allow,
                rule: None,
                gap: false,
            },
        );
    }
    for (effect, rules) in [
        (Effect::Confirm, &cases.confirm),
        (Effect::Deny, &cases.deny),
    ] {
        for (rule, lines) in rules {
            let rule = Some(rule.get_ref().as_str());
            for line in lines {
                let judged = judge(&Line::example(line.get_ref()));
                expect(
                    line,
                    &judged,
                    &Expected {
                        effect,
                        rule,
                        gap: false,
                    },
                );
            }
        }
    }
    for case in &cases.case {
        let mut line = Line::example(case.line.get_ref());
        line.cwd = case.cwd.clone().unwrap_or(line.cwd);
        line.home = case.home.clone().unwrap_or(line.home);
        line.environment.clone_from(&case.env);
        let rule = case.rule.as_ref().map(|rule| rule.get_ref().as_str());
        let expected = Expected {
            effect: case.decision,
            rule,
            gap: case.gap.is_some(),
        };
        expect(&case.line, &judge(&line), &expected);
    }
    let named = cases.confirm.keys().chain(cases.deny.keys());
    for rule in named.chain(cases.case.iter().filter_map(|case| case.rule.as_ref())) {
        let name = rule.get_ref();
        if !compiled::has_rule(name) {
            let message = format!("there is no rule `{name}`");
            let mut error = PolicyError::at(path, text, rule.span(), message);
            if let Some(meant) = nearest(name, compiled::rule_ids()) {
                error = error.hinted(format!("did you mean `{meant}`?"));
            }
            outcome.add(Some(error));
        }
    }
}

/// What a case asks for.
struct Expected<'a> {
    effect: Effect,
    rule: Option<&'a str>,
    gap: bool,
}

impl Expected<'_> {
    fn mistake(&self, judged: &Judged) -> Option<String> {
        let rule = self
            .rule
            .filter(|rule| !judged.rules.iter().any(|found| found == rule));
        let holds = judged.effect == self.effect && rule.is_none();
        match (holds, self.gap) {
            (true, false) | (false, true) => None,
            (true, true) => Some("the gap is closed; take `gap` out".to_owned()),
            (false, false) => Some(match rule {
                Some(rule) => format!("`{rule}` does not apply"),
                None => "another decision is expected".to_owned(),
            }),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn outcome(text: &str, judged: &Judged) -> Vec<String> {
        let mut outcome = Outcome::default();
        run(
            "cases.toml",
            text,
            &mut |_line| judged.clone(),
            &mut outcome,
        );
        outcome.failed.iter().map(ToString::to_string).collect()
    }

    #[test]
    fn a_case_holds_if_decision_and_rule_do() {
        let judged = Judged {
            effect: Effect::Allow,
            rules: Vec::new(),
            ..Judged::default()
        };
        assert_eq!(
            outcome("allow = [\n  \"ls\",\n]", &judged),
            Vec::<String>::new()
        );
        let denied = Judged {
            effect: Effect::Deny,
            rules: vec!["a.b".to_owned()],
            ..Judged::default()
        };
        assert_eq!(
            outcome("allow = [\n  \"ls\",\n]", &denied),
            ["cases.toml:2:3: another decision is expected"]
        );
        assert_eq!(
            outcome("[[case]]\nline = \"x\"\ndecision = \"deny\"\n", &denied),
            Vec::<String>::new()
        );
    }

    #[test]
    fn a_closed_gap_is_a_failure() {
        let text = "[[case]]\nline = \"x\"\ndecision = \"deny\"\ngap = \"not yet\"\n";
        let allowed = Judged::default();
        assert_eq!(outcome(text, &allowed), Vec::<String>::new());
        let denied = Judged {
            effect: Effect::Deny,
            rules: Vec::new(),
            ..Judged::default()
        };
        assert_eq!(
            outcome(text, &denied),
            ["cases.toml:2:8: the gap is closed; take `gap` out"]
        );
    }

    #[test]
    fn a_rule_that_no_pack_has_is_told_at_its_place() {
        let text = "[deny]\n\"no.such-rule\" = [\"x\"]\n";
        let denied = Judged {
            effect: Effect::Deny,
            rules: vec!["no.such-rule".to_owned()],
            ..Judged::default()
        };
        assert_eq!(
            outcome(text, &denied),
            ["cases.toml:2:1: there is no rule `no.such-rule`"]
        );
    }

    #[test]
    fn a_file_that_is_no_toml_is_a_failure() {
        assert_eq!(outcome("allow = [", &Judged::default()).len(), 1);
        assert_eq!(outcome("alow = []", &Judged::default()).len(), 1);
    }
}
