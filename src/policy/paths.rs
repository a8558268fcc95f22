//! Which classes a path belongs to, from its text alone.
//!
//! Some classes are the shell's own words (`home`, `workspace`, `unknown`); the rest are sets named
//! in policies. Nothing here looks at the file system.

use std::cell::OnceCell;

use super::glob;
use super::schema::PathClass;
use super::sieve::{Class, Seen};
use crate::action::{HOLE, Value};

/// Where the line runs, as far as paths need it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Place {
    /// The working directory, `.` where only text is judged.
    pub cwd: String,
    /// The home directory of the person.
    pub home: String,
    /// The directory that the agent works on; empty where there is none.
    pub workspace: String,
}

impl Place {
    /// The place of text that is judged without a machine: a home of somebody, a workspace somewhere.
    #[must_use]
    pub fn text_only() -> Self {
        Self {
            cwd: ".".into(),
            home: "/home/user".into(),
            workspace: ".".into(),
        }
    }
}

/// A path operand, taken apart.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PathText {
    /// The normal form: no `.`, no `..` where it can be resolved, no trailing slash.
    pub text: String,
    /// Whether it names everything in the directory `text` (`dir/*`), not the directory itself.
    pub contents: bool,
    /// Whether it stays relative because the working directory is not known.
    pub floating: bool,
    /// Whether `text` still holds a pattern that may name several files (`/et?`).
    pub glob: bool,
}

/// How what is found begins by a search of the whole file system: in whatever directory of the root.
const ANYWHERE: &str = "/*/";

/// Brings an operand into normal form.
///
/// `cwd` is the action's working directory, none where unknown.
#[must_use]
pub fn normal(value: &Value, cwd: Option<&str>) -> PathText {
    let mut text = value.text.as_str();
    text = text.strip_prefix("file://").unwrap_or(text);
    let mut contents = false;
    if value.glob {
        loop {
            let (head, last) = match text.rsplit_once('/') {
                Some((head, last)) => (Some(head), last),
                None => (None, text),
            };
            let all = !last.is_empty()
                && last.contains('*')
                && last
                    .chars()
                    .all(|c| matches!(c, '*' | '.' | '?' | '[' | ']' | '!' | '^'));
            let slash = last.is_empty() && contents;
            if !(all || slash) {
                break;
            }
            contents = true;
            match head {
                Some("") => {
                    text = "/";
                    break;
                }
                Some(head) => text = head,
                None => {
                    text = ".";
                    break;
                }
            }
        }
    }
    let absolute = text.starts_with('/');
    let unknown_start = text.starts_with(HOLE);
    let (base, floating) = if absolute || unknown_start {
        ("", false)
    } else {
        match cwd {
            Some(cwd) => (cwd, false),
            None => ("", true),
        }
    };
    let mut parts: Vec<&str> = Vec::new();
    let rooted = absolute || base.starts_with('/');
    for part in base.split('/').chain(text.split('/')) {
        match part {
            "" | "." => {}
            ".." => match parts.last() {
                Some(&last) if last != ".." && !last.contains(HOLE) => {
                    parts.pop();
                }
                _ if rooted && parts.is_empty() => {}
                _ => parts.push(".."),
            },
            _ => parts.push(part),
        }
    }
    let joined = parts.join("/");
    let text: String = if rooted {
        format!("/{joined}")
    } else if joined.is_empty() {
        ".".to_owned()
    } else {
        joined
    };
    let glob = value.glob && text.contains(['*', '?', '[']) || text.starts_with(ANYWHERE);
    PathText {
        text: if glob { without_brackets(&text) } else { text },
        contents,
        floating,
        glob,
    }
}

/// Takes the brackets off a set of one character (`/et[c]` is `/etc`); a longer set becomes `?`.
fn without_brackets(text: &str) -> String {
    let mut out = String::new();
    let mut rest = text;
    while let Some((before, after)) = rest.split_once('[') {
        let Some((set, after)) = after.split_once(']').filter(|(set, _)| !set.is_empty()) else {
            break;
        };
        out.push_str(before);
        if set.chars().count() == 1 {
            out.push_str(set);
        } else {
            out.push('?');
        }
        rest = after;
    }
    out.push_str(rest);
    out
}

/// The named classes of a policy.
pub trait Classes {
    /// The class of this name.
    fn class(&self, name: &str) -> Option<&Class>;
}

/// How deep classes that except classes are followed.
const DEEPEST_EXCEPT: u8 = 4;

/// The class of what is part of the system.
pub const SYSTEM: &str = "system";

/// Whether the names of a class count that a pattern in a path may find.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Names {
    /// Only what the path itself is called.
    Own,
    /// What a pattern in it may find, too.
    Found,
}

impl Names {
    /// Those of what a class excepts: what is surely in the class may not be in that, and the other way round.
    fn of_excepted(self) -> Self {
        match self {
            Self::Own => Self::Found,
            Self::Found => Self::Own,
        }
    }
}

/// Whether a path is in a class by what it is called itself. Unknown class names are in none (lint reports them).
#[must_use]
pub fn is_in(path: &PathText, class: &str, classes: &dyn Classes, place: &Place) -> bool {
    let seen = OnceCell::new();
    is_in_at((path, &seen), class, classes, place, (Names::Own, 0))
}

/// Whether a path is in a class, or may be in it by names that count. `seen` keeps what every class asks of this path.
#[must_use]
pub fn may_be_in(
    (path, seen): (&PathText, &OnceCell<Seen>),
    class: &str,
    names: Names,
    classes: &dyn Classes,
    place: &Place,
) -> bool {
    is_in_at((path, seen), class, classes, place, (names, 0))
}

fn is_in_at(
    (path, seen): (&PathText, &OnceCell<Seen>),
    class: &str,
    classes: &dyn Classes,
    place: &Place,
    (names, depth): (Names, u8),
) -> bool {
    let text = path.text.as_str();
    match class {
        "any" => true,
        "unknown" => text.starts_with(HOLE),
        "absolute" => text.starts_with('/'),
        "outside" => is_outside(path, place),
        "parent" => text == ".." || text.starts_with("../"),
        "workspace" => !is_outside(path, place) && !text.starts_with(HOLE),
        "workspace-root" => {
            (!path.floating && !place.workspace.is_empty() && text == place.workspace)
                || (path.floating && text == ".")
                || text == place.cwd
        }
        "above-workspace" => {
            !place.workspace.is_empty()
                && place.workspace.starts_with('/')
                && is_below(&place.workspace, text)
        }
        "home" => {
            text == place.home
                || is_at(text, "/home/*")
                || is_at(text, "/Users/*")
                || text == "/root"
        }
        "in-home" => {
            is_below(text, &place.home)
                || is_under_pattern(text, "/home/*")
                || is_under_pattern(text, "/Users/*")
                || is_below(text, "/root")
        }
        "all-of-it" => path.contents,
        name => classes.class(name).is_some_and(|c| {
            let is_but = |other: &String| {
                let deeper = (names.of_excepted(), depth + 1);
                is_in_at((path, seen), other, classes, place, deeper)
            };
            let seen = || seen.get_or_init(|| Seen::of(text));
            // What holds a pattern may find what it is not called itself.
            (path.glob || c.may_name(seen(), text, &place.home))
                && is_listed(path, c.paths(), place, names)
                && !(depth < DEEPEST_EXCEPT && c.paths().except.iter().any(is_but))
        }),
    }
}

fn is_outside(path: &PathText, place: &Place) -> bool {
    let text = path.text.as_str();
    if path.floating {
        return text == ".." || text.starts_with("../");
    }
    if text.starts_with(HOLE) {
        return false;
    }
    if !text.starts_with('/') {
        return text == ".." || text.starts_with("../");
    }
    place.workspace.is_empty() || (text != place.workspace && !is_below(text, &place.workspace))
}

fn is_listed(path: &PathText, class: &PathClass, place: &Place, names: Names) -> bool {
    let text = path.text.as_str();
    let is_named = |pattern: &str| {
        is_at(text, pattern) || (path.glob && glob::is_literal(pattern) && is_at(pattern, text))
    };
    let may_find = path.glob && names == Names::Found;
    let holds = |under: &str| {
        is_under_pattern(text, under)
            || (path.contents && is_at(text, under))
            || may_find && may_be_below(text, under)
    };
    // Most patterns begin with a slash, and a path that begins otherwise is none of them.
    let is_relative = !text.starts_with('/');
    // The home of most patterns below it need not be written before them to see that they are not meant.
    let is_home_plain = !path.glob && glob::is_literal(&place.home);
    let at_home = |below: &str| {
        let is_apart = is_home_plain
            && below.starts_with('/')
            && !text
                .strip_prefix(place.home.as_str())
                .is_some_and(|rest| may_begin(rest, below));
        (!is_apart).then(|| format!("{}{below}", place.home))
    };
    let any = |patterns: &[String], is_meant: &dyn Fn(&str) -> bool| {
        patterns
            .iter()
            .any(|pattern| match pattern.strip_prefix('~') {
                Some(below) => at_home(below).is_some_and(|pattern| is_meant(&pattern)),
                None => !(is_relative && pattern.starts_with('/')) && is_meant(pattern),
            })
    };
    if any(&class.at, &is_named) || any(&class.under, &holds) {
        return true;
    }
    let mut components = text.split('/').filter(|c| !c.is_empty());
    let is_component =
        |pattern: &String| components.clone().any(|part| glob::matches(pattern, part));
    if class.component.iter().any(is_component) {
        return true;
    }
    components.next_back().is_some_and(|last| {
        // A pattern in the path may find what the class names. That of a hidden file begins with its dot.
        let may_find = |name: &str| {
            names == Names::Found
                && path.glob
                && glob::is_literal(name)
                && last.starts_with('.') == name.starts_with('.')
                && glob::is_one(last, name)
        };
        let mut names = class.name_is.iter();
        names.any(|name| glob::matches(name, last) || may_find(name))
    })
}

/// The text and what follows each of its slashes.
fn suffixes(text: &str) -> impl Iterator<Item = &str> {
    let later = text
        .match_indices('/')
        .filter_map(|(at, _)| text.get(at + 1..));
    std::iter::once(text).chain(later)
}

/// Whether a text may match a pattern of a path, or lie below it: up to the first character of the pattern that
/// stands for others both are the same. Most are not.
fn may_begin(text: &str, pattern: &str) -> bool {
    let mut found = text.bytes();
    let mut wanted = pattern.bytes();
    while let Some(byte) = wanted.next() {
        if glob::is_special(byte) || byte == b'|' {
            return true;
        }
        if found.next() != Some(byte) {
            // Another alternative of this component may be meant.
            return byte != b'/'
                && wanted
                    .take_while(|&byte| byte != b'/')
                    .any(|byte| byte == b'|');
        }
    }
    true
}

/// Whether `text` matches the pattern component by component.
fn is_at(text: &str, pattern: &str) -> bool {
    if !may_begin(text, pattern) {
        return false;
    }
    if let Some(pattern) = pattern.strip_prefix("**/") {
        return suffixes(text).any(|suffix| is_at(suffix, pattern));
    }
    if glob::is_literal(pattern) {
        return text == pattern;
    }
    let (mut texts, mut patterns) = (text.split('/'), pattern.split('/'));
    loop {
        match (texts.next(), patterns.next()) {
            (None, None) => return true,
            (Some(part), Some(wanted)) if glob::matches(wanted, part) => {}
            _ => return false,
        }
    }
}

fn is_below(text: &str, directory: &str) -> bool {
    if directory.is_empty() {
        return false;
    }
    if directory == "/" {
        return text.len() > 1 && text.starts_with('/');
    }
    text.strip_prefix(directory)
        .is_some_and(|rest| rest.len() > 1 && rest.starts_with('/'))
}

fn is_under_pattern(text: &str, pattern: &str) -> bool {
    if !may_begin(text, pattern) {
        return false;
    }
    if let Some(pattern) = pattern.strip_prefix("**/") {
        return suffixes(text).any(|suffix| is_under_pattern(suffix, pattern));
    }
    if glob::is_literal(pattern) {
        return is_below(text, pattern);
    }
    let mut texts = text.split('/');
    for wanted in pattern.split('/') {
        match texts.next() {
            Some(part) if glob::matches(wanted, part) => {}
            _ => return false,
        }
    }
    texts.next().is_some_and(|rest| !rest.is_empty())
}

/// Whether a pattern in a path may find what is below a directory of the root. Hidden directories are found by those that begin with
/// their dot.
fn may_be_below(text: &str, directory: &str) -> bool {
    if !directory.starts_with('/') || !glob::is_literal(directory) {
        return false;
    }
    let mut parts = text.split('/');
    for wanted in directory.split('/') {
        let is_it = |part: &str| {
            let is_found = !wanted.is_empty() && part.starts_with('.') == wanted.starts_with('.');
            part == wanted || is_found && glob::is_one(part, wanted)
        };
        if !parts.next().is_some_and(is_it) {
            return false;
        }
    }
    parts.next().is_some()
}

/// The classes that need no entry in a policy.
pub const BUILT_IN: &[&str] = &[
    "any",
    "unknown",
    "absolute",
    "outside",
    "parent",
    "workspace",
    "workspace-root",
    "above-workspace",
    "home",
    "in-home",
    "all-of-it",
];

#[cfg(test)]
mod tests {
    use super::*;

    impl Classes for Vec<Class> {
        fn class(&self, name: &str) -> Option<&Class> {
            self.iter().find(|class| class.paths().name == name)
        }
    }

    fn glob_value(text: &str) -> Value {
        Value {
            text: text.into(),
            glob: text.contains('*'),
            splits: false,
            found: false,
        }
    }

    #[test]
    fn normal_form_resolves_dots_and_globs_of_everything() {
        for (text, cwd, expected, contents) in [
            ("/etc/../", Some("."), "/", false),
            ("/*", Some("."), "/", true),
            ("./*", Some("."), ".", true),
            ("*", Some("/work"), "/work", true),
            ("~", None, "~", false),
            ("../x/./y", Some("a/b"), "a/x/y", false),
            ("../../..", Some("a"), "../..", false),
            ("build/", Some("."), "build", false),
            ("dir/*.o", Some("."), "dir/*.o", false),
            ("/etc/*/", Some("."), "/etc/*", false),
            ("a/..", Some("/w"), "/w", false),
            (".*", Some("."), ".", true),
            ("/et[c]/*.d", Some("."), "/etc/*.d", false),
        ] {
            let path = normal(&glob_value(text), cwd);
            assert_eq!(
                (path.text.as_str(), path.contents),
                (expected, contents),
                "{text}"
            );
        }
    }

    #[test]
    fn what_cannot_begin_so_neither_matches_nor_lies_below() {
        let texts = glob::tests::texts(&['a', 'b', '/'], 4);
        let parts = |text: &str| text.split('/').map(str::to_owned).collect::<Vec<_>>();
        let is_meant = |texts: &[String], patterns: &[String]| {
            let mut both = texts.iter().zip(patterns);
            both.all(|(text, pattern)| glob::matches(pattern, text))
        };
        for pattern in glob::tests::texts(&['a', '/', '*', '|'], 4) {
            let wanted = parts(&pattern);
            for text in &texts {
                let found = parts(text);
                if found.len() >= wanted.len() && is_meant(&found, &wanted) {
                    assert!(may_begin(text, &pattern), "{pattern} {text}");
                }
            }
        }
        assert!(!may_begin("/etc/passwd", "/home/*"));
        assert!(!may_begin("/home", "/home/*"));
    }

    #[test]
    fn what_a_class_lists_it_may_name() {
        let place = Place {
            home: "/b".into(),
            ..Place::text_only()
        };
        let texts = glob::tests::texts(&['a', 'b', '/', '.'], 5);
        let texts: Vec<PathText> = texts
            .iter()
            .map(|text| normal(&Value::known(text), Some("/b")))
            .collect();
        let mut named = 0;
        for pattern in glob::tests::texts(&['a', 'b', '/', '.', '*', '|', '~'], 4) {
            let list = || vec![pattern.clone()];
            let none = PathClass::default;
            let classes = [
                PathClass {
                    at: list(),
                    ..none()
                },
                PathClass {
                    under: list(),
                    ..none()
                },
                PathClass {
                    component: list(),
                    ..none()
                },
                PathClass {
                    name_is: list(),
                    ..none()
                },
            ];
            for class in classes.map(Class::from) {
                for text in &texts {
                    if is_listed(text, class.paths(), &place, Names::Own) {
                        named += 1;
                        let paths = class.paths();
                        assert!(
                            class.may_name(&Seen::of(&text.text), &text.text, &place.home),
                            "{paths:?} {text:?}"
                        );
                    }
                }
            }
        }
        assert!(named > 10_000, "{named}");
    }

    #[test]
    fn two_stars_are_any_directory() {
        for (text, at, under) in [
            (".git/hooks", true, false),
            ("/w/.git/hooks", true, false),
            (".git/hooks/x", false, true),
            ("a/b/.git/hooks/x", false, true),
            ("a.git/hooks", false, false),
        ] {
            assert_eq!(is_at(text, "**/.git/hooks"), at, "{text}");
            assert_eq!(is_under_pattern(text, "**/.git/hooks"), under, "{text}");
        }
    }

    #[test]
    fn a_pattern_is_whatever_it_can_name_and_exceptions_are_left_out() {
        let class = |name: &str, at: &str, under: &str, except: &str| {
            Class::from(PathClass {
                name: name.into(),
                at: vec![at.into()],
                under: vec![under.into()],
                except: vec![except.into()],
                ..PathClass::default()
            })
        };
        let classes = vec![
            class("system", "/etc", "/var", "temporary"),
            class("temporary", "/none", "/var/tmp", "none"),
        ];
        let place = Place::text_only();
        for (text, glob, expected) in [
            ("/et?", true, true),
            ("/et?", false, false),
            ("/e*", true, true),
            ("/et[c]", true, true),
            ("/u*", true, false),
            ("/var/lib/x", false, true),
            ("/var/tmp/x", false, false),
        ] {
            let value = Value {
                glob,
                ..Value::known(text)
            };
            let path = normal(&value, Some("/w"));
            assert_eq!(is_in(&path, "system", &classes, &place), expected, "{text}");
        }
    }

    #[test]
    fn what_a_pattern_may_find_below_a_directory_is_not_surely_elsewhere() {
        let class = |name: &str, under: &str, name_is: &str, except: &[&str]| {
            Class::from(PathClass {
                name: name.into(),
                under: vec![under.into()],
                name_is: vec![name_is.into()],
                except: except.iter().map(|&one| one.into()).collect(),
                ..PathClass::default()
            })
        };
        let classes = vec![
            class("system", "/usr", "x", &[]),
            class("hidden", "/w/.keys", "x", &[]),
            class("regenerable", "/none", "*.so", &["system"]),
        ];
        let place = Place::text_only();
        // What a search finds in any directory below the root is no pattern of a shell's.
        for (text, glob, class, found, own) in [
            ("/*/*.so", false, "system", true, false),
            ("/*/*.so", false, "regenerable", true, false),
            ("/home/*/*.so", false, "regenerable", true, true),
            ("/u*/lib/y", true, "system", true, false),
            ("/u*/lib/y", false, "system", false, false),
            ("/u*", true, "system", false, false),
            ("/w*/x.so", true, "regenerable", true, true),
            ("/w/*/y", true, "hidden", false, false),
            ("/w/.*/y", true, "hidden", true, false),
            ("*/y", true, "system", false, false),
        ] {
            let value = Value {
                glob,
                ..Value::known(text)
            };
            let path = normal(&value, Some("/w"));
            for (names, expected) in [(Names::Found, found), (Names::Own, own)] {
                let seen = OnceCell::new();
                let is_in = may_be_in((&path, &seen), class, names, &classes, &place);
                assert_eq!(is_in, expected, "{text} {class} {names:?}");
            }
        }
    }

    #[test]
    fn classes_follow_the_place() {
        let place = Place {
            cwd: "/home/ann/p".into(),
            home: "/home/ann".into(),
            workspace: "/home/ann/p".into(),
        };
        let in_class = |text: &str, class: &str| {
            is_in(
                &normal(&glob_value(text), Some(&place.cwd)),
                class,
                &Vec::<Class>::new(),
                &place,
            )
        };
        assert!(in_class("src", "workspace"));
        assert!(!in_class("../q", "workspace"));
        assert!(in_class("../q", "outside"));
        assert!(in_class("..", "home"));
        assert!(in_class(".", "workspace-root"));
        assert!(in_class("*", "workspace-root"));
        assert!(in_class("/home/ann", "above-workspace"));
        assert!(in_class("/", "above-workspace"));
    }
}
