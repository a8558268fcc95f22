//! The command that shows what another would do, without doing it, made of the words of that.
//!
//! Takes a rule and an action that it matched; gives words, or nothing where a part is not known or the same words
//! would mean something else. It runs nothing, and whether it may be run is for the policy to say like of any other.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::action::{Action, FileUse, OnDisk, Opacity, Shown, Value};
use crate::policy::Policy;
use crate::policy::matcher::{self, Facts};
use crate::policy::preview::{ARGUMENTS, COMMAND, PROGRAM};
use crate::policy::schema::{Effect, Match, Rule};

/// The command, and what it is started with.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Preview {
    /// The program and its arguments.
    pub words: Vec<String>,
    /// The directory.
    pub cwd: String,
    /// The variables that the line sets for it.
    pub environment: BTreeMap<String, String>,
}

impl Preview {
    /// The words as a line for a shell; none where a word cannot stand in one.
    #[must_use]
    pub fn command(&self) -> Option<String> {
        shlex::try_join(self.words.iter().map(String::as_str)).ok()
    }

    /// The same with the variables before it.
    #[must_use]
    pub fn line(&self) -> Option<String> {
        let mut line = String::new();
        for (name, value) in &self.environment {
            line.push_str(&format!("{name}={} ", shlex::try_quote(value).ok()?));
        }
        Some(line + &self.command()?)
    }
}

/// The preview of an action that a rule has matched.
pub(super) fn of(
    rule: &Rule,
    matches: &[&Match],
    facts: &Facts<'_>,
    policy: &Policy,
) -> Option<Preview> {
    let action = facts.action;
    let mut matches = matches.iter().copied();
    let has_one = |one: &&Match| !one.preview.is_empty() && matcher::is_match(one, facts, policy);
    let one = matches.find(has_one)?;
    if rule.effect != Effect::Confirm || !is_plain(action) {
        return None;
    }
    let length = matcher::subcommand_length(&[one], facts);
    let subcommand: Vec<usize> = facts
        .arguments
        .positionals
        .iter()
        .take(length)
        .map(|word| word.at)
        .collect();
    let end = subcommand.last().map_or(0, |at| at + 1);
    let (before, after) = action.arguments.split_at_checked(end)?;
    let known = |words: &mut dyn Iterator<Item = &Value>| -> Option<Vec<String>> {
        words.map(|word| text(word).map(str::to_owned)).collect()
    };
    let program = || std::iter::once(&action.path);
    let options = before.iter().enumerate();
    let mut options = options.filter(|(at, _)| !subcommand.contains(at));
    let mut words = Vec::new();
    for word in &one.preview {
        match word.as_str() {
            COMMAND => words.extend(known(&mut program().chain(before))?),
            PROGRAM => {
                let options = options.by_ref().map(|(_, word)| word);
                words.extend(known(&mut program().chain(options))?);
            }
            ARGUMENTS => words.extend(known(&mut after.iter())?),
            _ => words.push(word.clone()),
        }
    }
    let set = action.environment.iter();
    let set = set.map(|(name, value)| Some((name.clone(), text(value)?.to_owned())));
    Some(Preview {
        words,
        cwd: action
            .started_in
            .clone()
            .filter(|cwd| cwd.starts_with('/'))?,
        environment: set.collect::<Option<_>>()?,
    })
}

/// The text of a word of which all is known.
fn text(word: &Value) -> Option<&str> {
    let is_exact = word.is_known() && !word.glob && !word.text.contains('\0');
    is_exact.then_some(word.text.as_str())
}

/// Whether its words, where it is started, and its variables are all that decides what it does: it runs here, by
/// itself, and takes nothing from its standard input.
fn is_plain(action: &Action) -> bool {
    let mut redirections = action.redirections.iter();
    let reads = redirections.any(|one| one.usage == FileUse::Read);
    !action.elsewhere
        && action.via.is_empty()
        && action.shown == Shown::Start
        && action.opacity == Opacity::Known
        && action.on_disk == OnDisk::Nothing
        && !action.path.text.is_empty()
        && action.fed_by.is_empty()
        && action.input.is_none()
        && !reads
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::decide;
    use crate::decide::gates::Gates;
    use crate::normalise::{self, Context};
    use crate::policy::Layer;
    use crate::policy::discover::Folders;
    use crate::policy::load::Text;
    use crate::policy::paths::Place;
    use crate::probe::Blind;
    use crate::syntax::{self, Dialect};

    const POLICY: &str = r#"
[[rule]]
id = "a.b"
effect = "confirm"
reason = "a model"
examples = { matches = ["stackctl delete x"], passes = ["stackctl list"] }
match = [
  { program = ["stackctl"], subcommand = ["delete"], preview = ["{command}", "--plan", "{arguments}"] },
  { program = ["stackctl"], subcommand = ["set down"], preview = ["{program}", "show", "-v", "{arguments}"] },
  { program = ["stackctl"], verb = ["drop"], preview = ["{program}", "list", "{arguments}"] },
  { program = ["raze"], preview = ["{command}", "-n", "{arguments}"] },
]
[[program]]
names = ["stackctl"]
values = ["--zone", "-C"]
directory-options = ["-C"]
synonyms = { del = "delete" }
subcommands = 2
"#;

    /// The previews of a line that runs in `/srv`.
    fn previews(line: &str) -> Vec<Preview> {
        let text = Text {
            layer: Layer::System,
            file: "a".into(),
            text: POLICY.into(),
        };
        let policy = Policy::of(&[text], &Folders::default()).unwrap();
        let context = Context {
            place: Place {
                cwd: "/srv".into(),
                home: "/home/u".into(),
                workspace: "/srv".into(),
            },
            ..Context::text_only()
        };
        let reading = syntax::read(line, Dialect::Bash);
        let actions = normalise::actions(&reading, &context, &policy);
        let decision = decide::evaluate(&policy, &actions, &context.place, Gates::Line, &Blind);
        let findings = decision
            .findings
            .into_iter()
            .filter(|one| one.rule == "a.b");
        findings.filter_map(|one| one.preview).collect()
    }

    #[test]
    fn every_word_of_the_command_stands_in_it_in_its_order() {
        for (line, expected) in [
            ("stackctl delete shop", "/srv: stackctl delete --plan shop"),
            (
                "stackctl --zone a -v delete -f -- shop 'b c'",
                "/srv: stackctl --zone a -v delete --plan -f -- shop 'b c'",
            ),
            ("stackctl del shop", "/srv: stackctl del --plan shop"),
            (
                "/opt/bin/stackctl -C x delete y",
                "/srv: /opt/bin/stackctl -C x delete --plan y",
            ),
            (
                "stackctl --zone a set -v down x",
                "/srv: stackctl --zone a -v show -v x",
            ),
            ("stackctl -q db drop x", "/srv: stackctl -q list x"),
            ("raze all", "/srv: raze -n all"),
            ("raze", "/srv: raze -n"),
            ("cd sub && raze all", "/srv/sub: raze -n all"),
            ("A='1 2' raze all", "/srv: A='1 2' raze -n all"),
            ("export A=1; raze all", "/srv: A=1 raze -n all"),
            ("(cd sub; X=3; raze \"$X\") >log", "/srv/sub: raze -n 3"),
        ] {
            let shown: Vec<String> = previews(line)
                .iter()
                .map(|one| format!("{}: {}", one.cwd, one.line().unwrap()))
                .collect();
            assert_eq!(shown, [expected], "{line}");
        }
    }

    #[test]
    fn there_is_none_where_something_else_decides_what_it_does() {
        for line in [
            "raze $X",
            "raze \"$X\"",
            "raze *.txt",
            "raze $(date)",
            "A=$X raze all",
            "cd $X && raze all",
            "echo a | raze all",
            "raze all <list",
            "raze all <<< a",
            "echo a | xargs raze",
            "sudo raze all",
            "ssh host raze all",
            "find . -exec raze {} ;",
            "$X all",
            "stackctl list",
        ] {
            assert_eq!(previews(line), [], "{line}");
        }
    }

    #[test]
    fn a_line_of_it_is_read_as_the_same_words() {
        let preview = Preview {
            words: vec!["raze".into(), "a'b".into(), "$(x)\n".into(), String::new()],
            cwd: "/".into(),
            environment: [("A".to_owned(), "; rm".to_owned())].into(),
        };
        let line = preview.line().unwrap();
        let words = shlex::split(&line).unwrap();
        assert_eq!(words, ["A=; rm", "raze", "a'b", "$(x)\n", ""]);
        let nul = Preview {
            words: vec!["a\0b".into()],
            ..Preview::default()
        };
        assert_eq!(nul.line(), None);
    }
}
