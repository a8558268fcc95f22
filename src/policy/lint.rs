//! What is doubtful in policies that load: words that mislead, rules that never decide, exceptions
//! that lift nothing, alternatives that are not allowed themselves.

use std::collections::BTreeSet;

use super::error::PolicyError;
use super::examples::{Judge, Line};
use super::load::{self, Step, Text};
use super::reach::Reach;
use super::schema::{Effect, Exception, Match, PolicyFile, Rule};
use super::store::Policy;
use super::{Layer, compiled, glob};

/// Words that agents take for a refusal by their own sandbox, and then try to get around.
const SANDBOX_WORDS: &[&str] = &[
    "permission denied",
    "operation not permitted",
    "read-only file system",
    "seccomp",
    "sandbox",
    "landlock",
    "failed to write file",
    "not a tty",
];

/// Everything that is wrong with the shipped packs, or doubtful. The judge judges by them alone.
pub fn packs(judge: &mut Judge<'_>) -> Vec<PolicyError> {
    let texts: Vec<Text> = compiled::packs()
        .iter()
        .map(|pack| Text {
            layer: Layer::Pack,
            file: pack.path.to_owned(),
            text: pack.text.to_owned(),
        })
        .collect();
    match load::packs(&texts) {
        Ok(contents) => {
            let pairs: Vec<(&Text, &PolicyFile)> = texts.iter().zip(&contents).collect();
            doubts(&pairs, &[], judge)
        }
        Err(errors) => errors.0,
    }
}

/// What is doubtful in the layers of a policy. The judge judges by it.
pub fn layers(policy: &Policy, judge: &mut Judge<'_>) -> Vec<PolicyError> {
    let texts: Vec<Text> = policy
        .files()
        .iter()
        .map(|file| Text {
            layer: file.layer,
            file: file.path.clone(),
            text: file.text.clone(),
        })
        .collect();
    // As it is written: what is not in force of it is looked at too.
    let contents: Vec<PolicyFile> = policy
        .files()
        .iter()
        .map(|file| toml::from_str(&file.text).unwrap_or_else(|_| file.content.clone()))
        .collect();
    let pairs: Vec<(&Text, &PolicyFile)> = texts.iter().zip(&contents).collect();
    doubts(&pairs, compiled::rules(), judge)
}

fn doubts(
    files: &[(&Text, &PolicyFile)],
    shipped: &[Rule],
    judge: &mut Judge<'_>,
) -> Vec<PolicyError> {
    let mut rules: Vec<(Layer, &Rule)> = shipped.iter().map(|rule| (Layer::Pack, rule)).collect();
    for (text, content) in files {
        rules.extend(content.rules.iter().map(|rule| (text.layer, rule)));
    }
    let reaches: Vec<Reach> = rules.iter().map(|(_, rule)| Reach::of(rule)).collect();
    let mut doubts = Vec::new();
    for (text, content) in files {
        let places = load::Places::of(text);
        let mut doubt = |steps: &[Step<'_>], message: String, hint: &str| {
            let error = PolicyError::at(&text.file, &text.text, places.place(steps), message);
            doubts.push(error.hinted(hint));
        };
        for (number, rule) in content.rules.iter().enumerate() {
            let at = |key: &'static str| [Step::Key("rule"), Step::Number(number), Step::Key(key)];
            for (key, words) in [
                ("reason", Some(&rule.reason)),
                ("instead", rule.instead.as_ref()),
            ] {
                let Some(words) = words else { continue };
                if words.trim_end().ends_with('.') {
                    doubt(
                        &at(key),
                        format!("`{key}` ends in a full stop"),
                        "leave it out",
                    );
                }
                if let Some(taken) = sandbox_word(words) {
                    let message = format!("`{key}` says \"{taken}\"");
                    let hint =
                        "agents take these words for their own sandbox's refusal; say it otherwise";
                    doubt(&at(key), message, hint);
                }
            }
            for (list, index, glob) in odd_globs(&rule.matches) {
                let steps = [
                    Step::Key("rule"),
                    Step::Number(number),
                    Step::Key("match"),
                    Step::Number(list),
                ];
                let message = format!("`{glob}` in `{index}` is taken as it stands");
                let hint = "a glob knows `*`, `?` and `a|b`; sets and braces are not read";
                doubt(&steps, message, hint);
            }
            for command in rule.instead.iter().flat_map(|instead| commands(instead)) {
                if judge(&Line::example(command)).effect != Effect::Allow {
                    let message = format!("the alternative `{command}` is not allowed itself");
                    doubt(
                        &at("instead"),
                        message,
                        "propose what runs, or describe it in words",
                    );
                }
            }
            let own = Reach::of(rule);
            if let Some(other) = reaches.iter().find(|other| other.outranks(&own)) {
                let message = format!(
                    "the rule never decides: `{}` is stricter and as wide",
                    other.id()
                );
                doubt(&at("id"), message, "take one of them out");
            }
        }
        for (number, exception) in content.exceptions.iter().enumerate() {
            let steps = [
                Step::Key("exception"),
                Step::Number(number),
                Step::Key("rule"),
            ];
            let rule = rules.iter().find(|(_, rule)| rule.id == exception.rule);
            let Some((layer, rule)) = rule else { continue };
            if *layer != Layer::Pack && *layer != text.layer {
                let message = format!(
                    "the exception lifts nothing: `{}` is the {}'s",
                    rule.id,
                    layer.name()
                );
                doubt(
                    &steps,
                    message,
                    "an exception is for rules of packs and of its own layer",
                );
            } else if is_beside(exception, rule) {
                let message = format!(
                    "the exception lifts nothing: `{}` is about other programs",
                    rule.id
                );
                doubt(&steps, message, "name a program of the rule");
            }
        }
    }
    doubts.extend(unused_classes(files, shipped));
    doubts
}

/// The class names that no rule or exception uses, at their places.
fn unused_classes(files: &[(&Text, &PolicyFile)], shipped: &[Rule]) -> Vec<PolicyError> {
    let mut used = BTreeSet::new();
    let in_files = files.iter().flat_map(|(_, content)| {
        let rules = content
            .rules
            .iter()
            .flat_map(|rule| rule.matches.iter().chain(&rule.followed_by));
        rules.chain(
            content
                .exceptions
                .iter()
                .flat_map(|exception| &exception.matches),
        )
    });
    let in_packs = shipped
        .iter()
        .flat_map(|rule| rule.matches.iter().chain(&rule.followed_by));
    for conditions in in_files.chain(in_packs) {
        for names in [
            &conditions.paths,
            &conditions.targets,
            &conditions.sources,
            &conditions.unless_targets,
            &conditions.writes,
            &conditions.appends,
            &conditions.reads,
        ] {
            used.extend(names.iter().map(String::as_str));
        }
    }
    let mut unused = Vec::new();
    for (text, content) in files {
        // The classes of `default.toml` are words for all layers.
        let common = text.layer == Layer::Pack && content.pack.is_none();
        for (number, class) in content.classes.iter().enumerate().filter(|_| !common) {
            if !used.contains(class.name.as_str()) {
                let steps = [Step::Key("class"), Step::Number(number), Step::Key("name")];
                let place = load::Places::of(text).place(&steps);
                let message = format!("no rule uses the class `{}`", class.name);
                unused.push(
                    PolicyError::at(&text.file, &text.text, place, message)
                        .hinted("use it, or take it out"),
                );
            }
        }
    }
    unused
}

fn sandbox_word(words: &str) -> Option<&'static str> {
    let words = words.to_lowercase();
    SANDBOX_WORDS
        .iter()
        .find(|taken| words.contains(**taken))
        .copied()
}

/// The texts in backticks that look like a command line: a word and more, without placeholders.
fn commands(words: &str) -> impl Iterator<Item = &str> {
    let quoted = words.split('`').skip(1).step_by(2);
    quoted.filter(|text| text.contains(' ') && !text.contains(['…', '<']))
}

/// Globs with what looks like a set or like braces: the number of the match, the key, the glob.
fn odd_globs(matches: &[Match]) -> Vec<(usize, &'static str, &str)> {
    let looks_odd = |glob: &&String| {
        let has = |open: char, close: char| {
            glob.split_once(open)
                .is_some_and(|(_, rest)| rest.find(close).is_some_and(|at| at > 1))
        };
        has('[', ']') || (has('{', '}') && glob.contains(','))
    };
    let mut odd = Vec::new();
    for (number, conditions) in matches.iter().enumerate() {
        for (key, globs) in [
            ("program", &conditions.program),
            ("subcommand", &conditions.subcommand),
            ("verb", &conditions.verb),
            ("flags", &conditions.flags),
            ("operands", &conditions.operands),
        ] {
            odd.extend(
                globs
                    .iter()
                    .filter(looks_odd)
                    .map(|glob| (number, key, glob.as_str())),
            );
        }
    }
    odd
}

/// Whether an exception is only about programs that the rule is not about.
fn is_beside(exception: &Exception, rule: &Rule) -> bool {
    let names = |conditions: &[Match]| -> Option<Vec<String>> {
        let mut names = Vec::new();
        for one in conditions {
            if one.program.is_empty() || !one.program.iter().all(|name| glob::is_literal(name)) {
                return None;
            }
            names.extend(one.program.iter().cloned());
        }
        Some(names)
    };
    match (names(&exception.matches), names(&rule.matches)) {
        (Some(excepted), Some(stopped)) => {
            !excepted.is_empty() && !excepted.iter().any(|name| stopped.contains(name))
        }
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::super::discover::Folders;
    use super::super::examples::Judged;
    use super::*;

    const RULE: &str = "[[rule]]\nid = \"a.b\"\neffect = \"confirm\"\nreason = \"it is gone\"\n\
        match = [{ program = [\"demolish\"] }]\n\
        examples = { matches = [\"demolish x\"], passes = [\"renovate\"] }\n";

    /// What lint says of files of these layers; `demolish` is asked about.
    fn told(files: &[(Layer, String)]) -> Vec<String> {
        let texts: Vec<Text> = files
            .iter()
            .map(|(layer, text)| Text {
                layer: *layer,
                file: layer.name().to_owned(),
                text: text.clone(),
            })
            .collect();
        let policy = Policy::of(&texts, &Folders::default()).unwrap();
        let mut judge = |line: &Line| Judged {
            effect: if line.text.starts_with("demolish") {
                Effect::Confirm
            } else {
                Effect::Allow
            },
            ..Judged::default()
        };
        layers(&policy, &mut judge)
            .iter()
            .map(ToString::to_string)
            .collect()
    }

    fn told_of_rule(changed: &str, to: &str) -> Vec<String> {
        told(&[(Layer::System, RULE.replace(changed, to))])
    }

    #[test]
    fn a_sound_file_has_no_doubts() {
        assert_eq!(
            told(&[(Layer::System, RULE.to_owned())]),
            Vec::<String>::new()
        );
    }

    #[test]
    fn words_that_mislead_are_told() {
        assert_eq!(
            told_of_rule("it is gone", "it is gone."),
            ["system:4:10: `reason` ends in a full stop"]
        );
        assert_eq!(
            told_of_rule("it is gone", "Permission denied by us"),
            ["system:4:10: `reason` says \"permission denied\""]
        );
    }

    #[test]
    fn an_alternative_must_be_allowed_itself() {
        let with =
            |instead: &str| told_of_rule("match =", &format!("instead = \"{instead}\"\nmatch ="));
        assert_eq!(
            with("use `renovate it`, or `demolish <name>`"),
            Vec::<String>::new()
        );
        assert_eq!(
            with("use `demolish it`"),
            ["system:5:11: the alternative `demolish it` is not allowed itself"]
        );
    }

    #[test]
    fn globs_that_look_like_sets_are_told() {
        assert_eq!(
            told_of_rule("\"demolish\"", "\"demolish-[ab]\", \"[\", \"{a,b}\""),
            [
                "system:5:10: `demolish-[ab]` in `program` is taken as it stands",
                "system:5:10: `{a,b}` in `program` is taken as it stands",
            ]
        );
    }

    #[test]
    fn a_rule_that_a_stricter_one_covers_never_decides() {
        let stricter = RULE.replace("a.b", "a.c").replace("confirm", "deny");
        assert_eq!(
            told(&[(Layer::System, format!("{RULE}{stricter}"))]),
            ["system:2:6: the rule never decides: `a.c` is stricter and as wide"]
        );
    }

    #[test]
    fn exceptions_that_lift_nothing_are_told() {
        let exception = |program: &str| {
            format!(
                "[[exception]]\nrule = \"a.b\"\nreason = \"a model\"\n\
                 match = [{{ program = [\"{program}\"] }}]\n"
            )
        };
        assert_eq!(
            told(&[(Layer::System, format!("{}{RULE}", exception("demolish")))]),
            Vec::<String>::new()
        );
        assert_eq!(
            told(&[(Layer::System, format!("{}{RULE}", exception("unlink")))]),
            ["system:2:8: the exception lifts nothing: `a.b` is about other programs"]
        );
    }

    #[test]
    fn an_exception_from_what_another_layer_says_lifts_nothing() {
        let home = super::super::discover::Home {
            path: "/none".into(),
            proven: true,
        };
        let folders = Folders {
            home: Some(home),
            ..Folders::default()
        };
        let exception = "[[exception]]\nrule = \"a.b\"\nreason = \"a model\"\n";
        let text = |layer: Layer, text: &str| Text {
            layer,
            file: layer.name().to_owned(),
            text: text.to_owned(),
        };
        let texts = [text(Layer::System, RULE), text(Layer::User, exception)];
        let policy = Policy::of(&texts, &folders).unwrap();
        let told = layers(&policy, &mut |_line| Judged::default());
        assert_eq!(
            told.iter().map(ToString::to_string).collect::<Vec<_>>(),
            ["user:2:8: the exception lifts nothing: `a.b` is the system's"]
        );
    }

    #[test]
    fn a_class_that_no_rule_uses_is_told() {
        let class = "[[class]]\nname = \"unused\"\nat = [\"/x\"]\n";
        assert_eq!(
            told(&[(Layer::System, format!("{class}{RULE}"))]),
            ["system:2:8: no rule uses the class `unused`"]
        );
    }
}
