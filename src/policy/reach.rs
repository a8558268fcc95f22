//! Which rules can never decide, because a stricter one matches wherever they do.

use serde_json::{Map, Value};

use super::schema::{Match, Rule};

/// How far a rule reaches: its matches, each as the conditions that are given, by key.
pub(super) struct Reach<'r> {
    rule: &'r Rule,
    matches: Vec<Map<String, Value>>,
}

impl<'r> Reach<'r> {
    /// That of a rule.
    pub(super) fn of(rule: &'r Rule) -> Self {
        let matches = rule.matches.iter().map(given).collect();
        Self { rule, matches }
    }

    /// The rule's id.
    pub(super) fn id(&self) -> &'r str {
        &self.rule.id
    }

    /// Whether this rule is stricter than `other` and matches wherever it does, as far as their
    /// conditions tell.
    pub(super) fn outranks(&self, other: &Self) -> bool {
        self.rule.effect > other.rule.effect
            && self.rule.followed_by.is_empty()
            && other
                .matches
                .iter()
                .all(|narrow| self.matches.iter().any(|wide| implies(narrow, wide)))
    }
}

/// Whether each condition of `wide` stands in `narrow` too.
fn implies(narrow: &Map<String, Value>, wide: &Map<String, Value>) -> bool {
    wide.iter()
        .all(|(key, value)| match (narrow.get(key), value) {
            (Some(Value::Array(few)), Value::Array(many)) if any_is_enough(key) => {
                few.iter().all(|one| many.contains(one))
            }
            (Some(same), value) => same == value,
            (None, _) => false,
        })
}

/// Whether a list under this key holds where one of its entries does.
fn any_is_enough(key: &str) -> bool {
    !matches!(key, "flags" | "all-regex" | "unless-targets")
        && !key.starts_with("no-")
        && !key.starts_with("not-")
}

/// The conditions that are given, by key.
fn given(conditions: &Match) -> Map<String, Value> {
    let is_given =
        |value: &Value| !value.is_null() && value.as_array().is_none_or(|list| !list.is_empty());
    match serde_json::to_value(conditions) {
        Ok(Value::Object(all)) => all
            .into_iter()
            .filter(|(_, value)| is_given(value))
            .collect(),
        _ => Map::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::super::schema::Effect;
    use super::*;

    fn rule(effect: Effect, conditions: Match) -> Rule {
        Rule {
            id: "a.b".to_owned(),
            effect,
            matches: vec![conditions],
            ..Rule::default()
        }
    }

    fn list(words: &[&str]) -> Vec<String> {
        words.iter().map(|word| (*word).to_owned()).collect()
    }

    #[test]
    fn a_rule_is_outranked_by_a_stricter_one_that_is_as_wide() {
        let narrow = Match {
            program: list(&["rm"]),
            flags: list(&["-r", "-f"]),
            ..Match::default()
        };
        let same_flags = Match {
            program: list(&["rm", "unlink"]),
            ..narrow.clone()
        };
        let fewer_flags = Match {
            flags: list(&["-r"]),
            ..narrow.clone()
        };
        let program_alone = Match {
            flags: Vec::new(),
            ..narrow.clone()
        };
        let exempting = Match {
            no_flags: list(&["-i"]),
            ..program_alone.clone()
        };
        let confirm = rule(Effect::Confirm, narrow);
        for (wide, effect, expected) in [
            (&same_flags, Effect::Deny, true),
            (&same_flags, Effect::Confirm, false),
            (&program_alone, Effect::Deny, true),
            (&fewer_flags, Effect::Deny, false),
            (&exempting, Effect::Deny, false),
        ] {
            let other = rule(effect, wide.clone());
            assert_eq!(
                Reach::of(&other).outranks(&Reach::of(&confirm)),
                expected,
                "{wide:?} {effect:?}"
            );
        }
    }
}
