//! Arguments as the program itself would read them: subcommand words, flags with values, operands.
//!
//! Takes the grammar of the program from the packs. For a program that no pack describes, it reads
//! as getopt_long would and keeps every word that could be a subcommand.

use super::looks::Looks;
use super::schema::{Program, Style};
use crate::action::{HOLE, Value};

/// How many leading operands of an undescribed program may be subcommand words.
const UNDESCRIBED_SUBCOMMANDS: usize = 4;

/// An option that was given.
#[derive(Clone, Debug, PartialEq)]
pub struct Flag {
    /// Its name with dashes; abbreviations are completed.
    pub name: String,
    /// Its value, where it has one.
    pub value: Option<Value>,
    /// Index in the arguments of the word that holds the name.
    pub at: usize,
    /// Index of the word that holds the value.
    pub value_at: usize,
}

/// A positional word.
#[derive(Clone, Debug, PartialEq)]
pub struct Positional {
    /// The word.
    pub value: Value,
    /// Its index in the arguments.
    pub at: usize,
}

/// The arguments of one action, read.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Arguments {
    /// The options, in order.
    pub flags: Vec<Flag>,
    /// Subcommand words and operands, in order.
    pub positionals: Vec<Positional>,
    /// How many leading positionals may be subcommand words.
    pub subcommands: usize,
    /// Whether single-dash names are compared without dashes (`-auto-approve` and `--auto-approve`).
    pub loose_dashes: bool,
    /// What the names of the options look like, without dashes.
    looks: Looks,
    /// Whether one of them begins with two dashes.
    has_long: bool,
}

impl Arguments {
    /// The subcommand words that are known.
    pub fn subcommand_words(&self) -> impl Iterator<Item = &str> {
        self.positionals
            .iter()
            .take(self.subcommands)
            .map(|p| p.value.text.as_str())
    }

    /// The positional words after the subcommand words.
    #[must_use]
    pub fn operands(&self, skip: usize) -> &[Positional] {
        self.positionals.get(skip..).unwrap_or_default()
    }

    /// Whether a flag specification (`-r|--recursive`, `--type=pv*`) holds.
    #[must_use]
    pub fn has_flag(&self, spec: &str) -> bool {
        !self.flags.is_empty()
            && spec.split('|').any(|one| {
                let (name, value) = parts(one);
                let mut flags = self.flags.iter();
                self.may_have(name) && flags.any(|flag| self.is_named(flag, name, value))
            })
    }

    /// Whether an option may have this name.
    fn may_have(&self, name: &str) -> bool {
        (self.has_long || self.loose_dashes || !name.starts_with("--"))
            && self.looks.may_match_one(name.trim_start_matches('-'))
    }

    /// Whether a flag is given, and never with a value that says no (`--dry-run=none`, of which the last one
    /// counts) nor taken back after it (`--no-dry-run`).
    #[must_use]
    pub fn says_yes(&self, spec: &str) -> bool {
        let mut given = self.flags_named(spec).peekable();
        given.peek().is_some()
            && given.all(|flag| !may_say_no(flag) && !self.is_taken_back(flag, spec))
    }

    /// Whether the opposite of a flag stands after it, by its own name or by another one of the specification: `-n
    /// --no-dry-run`.
    fn is_taken_back(&self, flag: &Flag, spec: &str) -> bool {
        let names = spec.split('|').map(|one| parts(one).0);
        let mut names = names
            .chain([flag.name.as_str()])
            .filter_map(|name| name.strip_prefix("--"));
        names.any(|name| {
            self.flags
                .iter()
                .any(|later| later.at > flag.at && later.name.strip_prefix("--no-") == Some(name))
        })
    }

    /// The flags that a specification names.
    pub fn flags_named<'a>(&'a self, spec: &'a str) -> impl Iterator<Item = &'a Flag> {
        self.flags.iter().filter(move |flag| {
            spec.split('|').any(|one| {
                let (name, value) = parts(one);
                self.is_named(flag, name, value)
            })
        })
    }

    /// Whether a flag has this name and, where one is asked for, such a value.
    fn is_named(&self, flag: &Flag, name: &str, value: Option<&str>) -> bool {
        self.same_name(name, &flag.name)
            && value.is_none_or(|pattern| {
                flag.value.as_ref().is_some_and(|v| {
                    v.text.contains(HOLE) || super::glob::matches(pattern, &v.text)
                })
            })
    }

    /// Whether a flag specification surely holds: `--dry-run=none`, `--help=false` and a value that is
    /// not known do not count, since the program would act all the same. Of a flag that is given several times
    /// each must hold, as mostly the last one counts, and no other name of it may say no: `--dry-run -n=false`.
    #[must_use]
    pub fn surely_has_flag(&self, spec: &str) -> bool {
        let names = || spec.split('|').map(|one| parts(one).0);
        spec.split('|').any(|one| {
            let (name, wanted) = parts(one);
            if !self.may_have(name) {
                return false;
            }
            let holds = |flag: &Flag| match (&flag.value, wanted) {
                (None, wanted) => wanted.is_none(),
                (Some(value), _) if value.text.contains(HOLE) => false,
                (Some(value), Some(pattern)) => super::glob::matches(pattern, &value.text),
                (Some(_), None) => !may_say_no(flag),
            };
            let given = self.flags_named(name);
            let given = given.filter(|flag| !self.is_taken_back(flag, spec));
            let mut given = given.peekable();
            let mut others = names().filter(|other| *other != name);
            given.peek().is_some()
                && given.all(holds)
                && !others.any(|other| self.flags_named(other).any(may_say_no))
        })
    }

    fn same_name(&self, spec: &str, name: &str) -> bool {
        if self.loose_dashes {
            super::glob::is_one(spec.trim_start_matches('-'), name.trim_start_matches('-'))
        } else {
            super::glob::is_one(spec, name)
        }
    }
}

/// Whether a flag has a value by which it does not hold, or one that is not known.
fn may_say_no(flag: &Flag) -> bool {
    flag.value.as_ref().is_some_and(|value| {
        !value.is_known()
            || matches!(
                value.text.to_ascii_lowercase().as_str(),
                "" | "false" | "none" | "no" | "off" | "0" | "f" | "n"
            )
    })
}

/// The words that are given to options of these names (globs), by whatever grammar the program has: behind `=`, behind a
/// letter, or as the next word.
#[must_use]
pub fn given_to(options: &[String], arguments: &[Value]) -> Vec<Value> {
    let mut out = Vec::new();
    for (at, word) in arguments.iter().enumerate() {
        let text = word.text.as_str();
        if !text.starts_with('-') {
            continue;
        }
        let next = || arguments.get(at + 1).cloned();
        for option in options.iter().flat_map(|one| one.split('|')) {
            let letter = option.strip_prefix('-').filter(|name| name.len() == 1);
            let (value, is_glued) = match letter {
                Some(letter) => match behind(text, letter) {
                    Some(rest) => (rest, !rest.is_empty()),
                    None => continue,
                },
                None => {
                    let (name, value) = parts(text);
                    if !super::glob::is_one(option, name) {
                        continue;
                    }
                    (value.unwrap_or_default(), value.is_some())
                }
            };
            out.extend(if is_glued {
                Some(part(word, value.strip_prefix('=').unwrap_or(value)))
            } else {
                next()
            });
        }
    }
    out
}

/// What follows a letter among the letters of a word of short options.
fn behind<'t>(text: &'t str, letter: &str) -> Option<&'t str> {
    let letters = text.strip_prefix('-')?;
    let (before, rest) = letters.split_once(letter)?;
    let is_cluster = before.bytes().all(|byte| byte.is_ascii_alphanumeric());
    is_cluster.then_some(rest)
}

/// Name and value of one flag of a specification.
fn parts(one: &str) -> (&str, Option<&str>) {
    match one.split_once('=') {
        Some((name, value)) => (name, Some(value)),
        None => (one, None),
    }
}

/// Reads the arguments of a program.
///
/// `program` is its grammar, none where no pack describes it; `arguments` are the words after it.
#[must_use]
pub fn read(program: Option<&Program>, arguments: &[Value]) -> Arguments {
    let style = program.map_or(Style::Gnu, |p| p.style);
    let mut out = Arguments {
        subcommands: program.map_or(UNDESCRIBED_SUBCOMMANDS, |p| usize::from(p.subcommands)),
        loose_dashes: style == Style::Single,
        ..Arguments::default()
    };
    let mut known = program.map_or(Known::default(), |p| Known {
        values: &p.values,
        options: &p.options,
    });
    // `+e` takes back `-e`, and in `-oc NAME` the name is that of `-o` (bash(1), "Options").
    let is_shell = known.values.iter().any(|value| value.starts_with('+'));
    let mut words = arguments.iter().enumerate().peekable();
    let mut only_operands = style == Style::Raw;
    while let Some((at, word)) = words.next() {
        let text = word.text.as_str();
        let is_switched_off = is_shell && text.len() > 1 && text.starts_with('+');
        if only_operands || !(is_option(text, style) || is_switched_off) {
            out.positionals.push(Positional {
                value: word.clone(),
                at,
            });
            if let Some(after) = program.and_then(|p| after(p, &out.positionals)) {
                known = after;
            }
            let before_the_last = match style {
                Style::Posix => Some(0),
                Style::Host => Some(1),
                Style::Gnu | Style::Single | Style::Raw => None,
            };
            only_operands |= before_the_last
                .is_some_and(|before| out.positionals.len() > out.subcommands + before);
            continue;
        }
        if text == "--" {
            only_operands = true;
            continue;
        }
        let takes = |name: &str| known.values.iter().any(|v| same(v, name, style));
        if style == Style::Single || text.starts_with("--") || is_switched_off || takes(text) {
            let (name, value) = match text.split_once('=') {
                Some((name, value)) => (name, Some(part(word, value))),
                None => (text, None),
            };
            let name = complete(known, name);
            let (value, value_at) = match value {
                Some(value) => (Some(value), at),
                None if takes(&name) => match words.next() {
                    Some((next, value)) => (Some(value.clone()), next),
                    None => (None, at),
                },
                None => (None, at),
            };
            out.flags.push(Flag {
                name,
                value,
                at,
                value_at,
            });
            continue;
        }
        // A cluster: `-rf`, `-nVALUE`, `-n VALUE`.
        let mut rest = text.chars();
        rest.next();
        while let Some(letter) = rest.next() {
            let name = String::from_iter(['-', letter]);
            if takes(&name) {
                let glued = if is_shell { "" } else { rest.as_str() };
                let (value, value_at) = if glued.is_empty() {
                    match words.next() {
                        Some((next, value)) => (Some(value.clone()), next),
                        None => (None, at),
                    }
                } else {
                    (
                        Some(part(word, glued.strip_prefix('=').unwrap_or(glued))),
                        at,
                    )
                };
                out.flags.push(Flag {
                    name,
                    value,
                    at,
                    value_at,
                });
                if is_shell {
                    continue;
                }
                break;
            }
            if letter == '=' {
                if let Some(last) = out.flags.last_mut() {
                    last.value = Some(part(word, rest.as_str()));
                }
                break;
            }
            out.flags.push(Flag {
                name,
                value: None,
                at,
                value_at: at,
            });
        }
        // The whole word is also a name of its own (`-auto-approve` of an undescribed program).
        if text.chars().count() > 2 {
            let (name, value) = match text.split_once('=') {
                Some((name, value)) => (name, Some(part(word, value))),
                None => (text, None),
            };
            out.flags.push(Flag {
                name: name.to_owned(),
                value,
                at,
                value_at: at,
            });
        }
    }
    let names = out.flags.iter().map(|flag| flag.name.as_str());
    out.has_long = names.clone().any(|name| name.starts_with("--"));
    out.looks = Looks::of(names.map(|name| name.trim_start_matches('-')));
    if let Some(program) = program
        && !program.synonyms.is_empty()
    {
        for word in out.positionals.iter_mut().take(out.subcommands) {
            if let Some(other) = program.synonyms.get(&word.value.text) {
                word.value.text.clone_from(other);
            }
        }
    }
    out
}

fn is_option(text: &str, style: Style) -> bool {
    let mut chars = text.chars();
    style != Style::Raw && chars.next() == Some('-') && chars.next().is_some()
}

fn same(one: &str, other: &str, style: Style) -> bool {
    match style {
        Style::Single => one.trim_start_matches('-') == other.trim_start_matches('-'),
        _ => one == other,
    }
}

fn part(word: &Value, text: &str) -> Value {
    Value {
        text: text.to_owned(),
        glob: word.glob,
        splits: false,
        found: word.found,
    }
}

/// The options that are known where the reading stands.
#[derive(Clone, Copy, Default)]
struct Known<'a> {
    values: &'a [String],
    options: &'a [String],
}

/// What holds from here on, where the words so far are a subcommand with options of its own.
fn after<'a>(program: &'a Program, positionals: &[Positional]) -> Option<Known<'a>> {
    if program.after.is_empty() {
        return None;
    }
    let words: Vec<&str> = positionals.iter().map(|p| p.value.text.as_str()).collect();
    program.after.get(&words.join(" ")).map(|after| Known {
        values: &after.values,
        options: &after.options,
    })
}

/// Completes an abbreviated long option where exactly one known option begins so.
fn complete(known: Known<'_>, name: &str) -> String {
    if !name.starts_with("--") || name.len() <= 2 {
        return name.to_owned();
    }
    let mut found: Option<&String> = None;
    for option in known.options.iter().chain(known.values) {
        if option == name {
            return name.to_owned();
        }
        if option.starts_with(name) {
            if found.is_some_and(|other| other != option) {
                return name.to_owned();
            }
            found = Some(option);
        }
    }
    found.map_or_else(|| name.to_owned(), Clone::clone)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::policy::schema::After;

    fn words(line: &str) -> Vec<Value> {
        line.split(' ').map(Value::known).collect()
    }

    #[test]
    fn what_is_given_to_an_option_is_found_by_whatever_grammar() {
        let options = ["-o|-out*|--out*".to_owned()];
        for (line, expected) in [
            ("-o x y", vec!["x"]),
            ("-ox", vec!["x"]),
            ("-o=x", vec!["x"]),
            ("-vo x", vec!["x"]),
            ("a --output=x b", vec!["x"]),
            ("--output x", vec!["x"]),
            ("--output= x", vec![""]),
            ("-out x", vec!["ut", "x"]),
            ("-c x --proto x -", vec![]),
            ("o x -o", vec![]),
            ("-o x -o y", vec!["x", "y"]),
        ] {
            let found = given_to(&options, &words(line));
            let found: Vec<&str> = found.iter().map(|value| value.text.as_str()).collect();
            assert_eq!(found, expected, "{line}");
        }
    }

    fn names(arguments: &Arguments) -> Vec<String> {
        arguments
            .flags
            .iter()
            .map(|f| {
                f.value
                    .as_ref()
                    .map_or(f.name.clone(), |v| format!("{}={}", f.name, v.text))
            })
            .collect()
    }

    #[test]
    fn clusters_values_and_abbreviations_are_read_as_getopt_does() {
        let rm = Program {
            options: vec![
                "--recursive".into(),
                "--force".into(),
                "--no-preserve-root".into(),
            ],
            ..Program::default()
        };
        let read_rm = read(Some(&rm), &words("-rf --rec -- -x"));
        assert_eq!(names(&read_rm), ["-r", "-f", "-rf", "--recursive"]);
        assert_eq!(read_rm.positionals.len(), 1);
    }

    #[test]
    fn a_flag_says_yes_unless_its_value_says_no_or_is_not_known() {
        for (line, expected) in [
            ("delete --dry-run", true),
            ("delete --dry-run=client", true),
            ("delete --dry-run=none", false),
            ("delete --dry-run=False", false),
            ("delete --dry-run=\u{FFFC}", false),
            ("delete -- --dry-run", false),
            ("delete --dry-run --no-dry-run", false),
            ("delete --dry-run=client --dry-run=none", false),
            ("delete --dry-run=none --dry-run", false),
            ("delete --no-dry-run --dry-run", true),
            ("delete", false),
        ] {
            let arguments = read(None, &words(line));
            assert_eq!(arguments.says_yes("--dry-run|-n"), expected, "{line}");
        }
    }

    #[test]
    fn options_before_the_subcommand_take_their_values() {
        let git = Program {
            subcommands: 1,
            values: vec!["-C".into(), "-c".into(), "--git-dir".into()],
            ..Program::default()
        };
        let push = read(
            Some(&git),
            &words("-C /x --git-dir /y push --force origin main"),
        );
        assert_eq!(push.subcommand_words().collect::<Vec<_>>(), ["push"]);
        assert!(push.has_flag("-f|--force"));
        assert_eq!(push.operands(1).len(), 2);
    }

    #[test]
    fn a_subcommand_brings_its_own_options() {
        let after = |values: &[&str], options: &[&str]| After {
            values: values.iter().map(|&v| v.to_owned()).collect(),
            options: options.iter().map(|&o| o.to_owned()).collect(),
        };
        let git = Program {
            subcommands: 1,
            values: vec!["-C".into(), "--git-dir".into()],
            options: vec!["--help".into()],
            after: [
                ("commit".to_owned(), after(&["-m"], &[])),
                (
                    "branch".to_owned(),
                    after(&["--sort"], &["--merged", "--move"]),
                ),
                ("reset".to_owned(), after(&[], &["--hard", "--mixed"])),
            ]
            .into(),
            ..Program::default()
        };
        for (line, flags, positionals) in [
            ("-C x commit -m text", "-C=x -m=text", "commit"),
            ("branch -m old new", "-m", "branch old new"),
            ("branch -C old new", "-C", "branch old new"),
            ("branch --m", "--m", "branch"),
            ("reset --h", "--hard", "reset"),
            ("gc --git x", "--git-dir=x", "gc"),
        ] {
            let found = read(Some(&git), &words(line));
            let words: Vec<&str> = found
                .positionals
                .iter()
                .map(|p| p.value.text.as_str())
                .collect();
            assert_eq!(names(&found).join(" "), flags, "{line}");
            assert_eq!(words.join(" "), positionals, "{line}");
        }
    }

    #[test]
    fn single_dash_words_are_one_option() {
        let terraform = Program {
            style: Style::Single,
            subcommands: 1,
            ..Program::default()
        };
        let apply = read(
            Some(&terraform),
            &words("-chdir=x apply --auto-approve -replace=a.b"),
        );
        assert!(apply.has_flag("-auto-approve"));
        assert!(apply.has_flag("-replace=a.*"));
        assert_eq!(apply.subcommand_words().collect::<Vec<_>>(), ["apply"]);
    }

    #[test]
    fn an_option_given_as_false_is_not_surely_given() {
        for (text, surely) in [
            ("delete x --dry-run", true),
            ("delete x --dry-run=client", true),
            ("delete x --dry-run=none", false),
            ("delete x --dry-run=False", false),
            ("delete x --dry-run=\u{FFFC}", false),
            ("delete x", false),
            ("delete x --dry-run=client --dry-run=none", false),
            ("delete x --dry-run=none --dry-run=client", false),
            ("delete x --dry-run=client --dry-run=server", true),
        ] {
            let arguments = read(None, &words(text));
            assert_eq!(arguments.surely_has_flag("--dry-run"), surely, "{text}");
        }
    }

    #[test]
    fn posix_style_ends_options_at_the_first_operand() {
        let env = Program {
            style: Style::Posix,
            values: vec!["-u".into()],
            ..Program::default()
        };
        let read_env = read(Some(&env), &words("-u X rm -rf /"));
        assert_eq!(names(&read_env), ["-u=X"]);
        assert_eq!(read_env.positionals.len(), 3);
        let ssh = Program {
            style: Style::Host,
            values: vec!["-p".into()],
            ..Program::default()
        };
        for text in [
            "-p 22 host rm -rf /",
            "host -p 22 rm -rf /",
            "host -p 22 -- rm -rf /",
        ] {
            let read_ssh = read(Some(&ssh), &words(text));
            assert_eq!(names(&read_ssh), ["-p=22"], "{text}");
            assert_eq!(read_ssh.positionals.len(), 4, "{text}");
        }
    }
}
