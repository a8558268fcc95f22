//! The expression language of find(1): which paths a walk hands on to its action.
//!
//! A filter by name only counts where everything handed on has passed it: what is negated, only
//! prunes, stands after the action or in another alternative filters nothing.

use super::arguments::Arguments;
use super::schema::Program;
use crate::action::Value;

/// What an expression does with the files that it finds.
const ACTIONS: &[&str] = &[
    "-delete", "-exec", "-execdir", "-ok", "-okdir", "-print0", "-printf", "-print", "-ls", "-fls",
    "-fprint", "-fprintf",
];

/// What a program that walks directories prints, where it prints the paths and does nothing else with
/// them: patterns, one a line.
#[must_use]
pub fn printed(program: &Program, arguments: &Arguments) -> Option<Value> {
    let other = program.walk.is_empty()
        || arguments.flags.iter().any(|f| {
            ACTIONS.contains(&f.name.as_str()) && !matches!(f.name.as_str(), "-print" | "-print0")
        });
    if other {
        return None;
    }
    let text = walked(program, arguments)
        .into_iter()
        .map(|path| path.text + "\n")
        .collect();
    Some(Value {
        text,
        glob: true,
        splits: false,
        found: false,
    })
}

/// The paths that a program which walks directories hands on: root, anything, name filter.
#[must_use]
pub fn walked(program: &Program, arguments: &Arguments) -> Vec<Value> {
    let names = filters(program, arguments);
    let expression = arguments
        .flags
        .iter()
        .filter(|f| f.name.len() > 2 && !f.name.starts_with("-O"))
        .map(|f| f.at)
        .min()
        .unwrap_or(usize::MAX);
    let mut roots: Vec<&Value> = arguments
        .positionals
        .iter()
        .take_while(|p| p.at < expression && !is_punctuation(&p.value.text))
        .map(|p| &p.value)
        .collect();
    let here = Value::known(".");
    if roots.is_empty() {
        roots.push(&here);
    }
    let mut out = Vec::new();
    for root in roots {
        let base = root.text.trim_end_matches('/');
        if names.is_empty() {
            out.push(Value {
                text: format!("{base}/*"),
                glob: true,
                splits: false,
                found: false,
            });
        }
        for name in &names {
            let name = name.trim_start_matches("*/").trim_end_matches("/*");
            out.push(Value {
                text: format!("{base}/*/{name}"),
                glob: false,
                splits: false,
                found: false,
            });
        }
    }
    out
}

fn is_punctuation(word: &str) -> bool {
    matches!(word, "(" | ")" | "!" | ",")
}

/// The name filters of which everything that is handed on has passed one.
fn filters<'a>(program: &'a Program, arguments: &'a Arguments) -> Vec<&'a str> {
    let places = |names: &[&str]| -> Vec<usize> {
        let flags = arguments.flags.iter();
        let flags = flags
            .filter(|f| names.contains(&f.name.as_str()))
            .map(|f| f.at);
        let words = arguments.positionals.iter();
        let words = words
            .filter(|p| names.contains(&p.value.text.as_str()))
            .map(|p| p.at);
        flags.chain(words).collect()
    };
    let action = places(ACTIONS).into_iter().max().unwrap_or(usize::MAX);
    let pruned = places(&["-prune"]).into_iter().max().unwrap_or(0);
    let all_alternatives = places(&["-o", "-or", ","]);
    if all_alternatives.iter().any(|at| *at > action) {
        return Vec::new();
    }
    let alternatives: Vec<usize> = all_alternatives
        .iter()
        .copied()
        .filter(|at| *at > pruned)
        .collect();
    let grouped = !places(&["("]).is_empty();
    let from = match alternatives.iter().max() {
        Some(last) if !grouped => *last,
        Some(_) => pruned,
        None => 0,
    };
    let negated = places(&["!", "-not"]);
    let names: Vec<&str> = program
        .walk
        .iter()
        .flat_map(|option| arguments.flags_named(option))
        .filter(|flag| flag.at >= from && flag.at < action)
        .filter(|flag| {
            flag.at
                .checked_sub(1)
                .is_none_or(|before| !negated.contains(&before))
        })
        .filter_map(|flag| flag.value.as_ref())
        .map(|value| value.text.as_str())
        .collect();
    if grouped && names.len() <= alternatives.len() {
        return Vec::new();
    }
    names
}

#[cfg(test)]
mod tests {
    use super::super::arguments;
    use super::super::schema::Style;
    use super::*;

    #[test]
    fn a_filter_counts_only_where_everything_has_passed_it() {
        let find = Program {
            style: Style::Single,
            values: ["-name", "-path", "-type", "-mtime"]
                .map(String::from)
                .into(),
            walk: vec!["-name|-path".into()],
            ..Program::default()
        };
        for (line, expected) in [
            (". -delete", "./*"),
            ("-name *.pyc -delete", "./*/*.pyc"),
            ("a b -type f -name x -delete", "a/*/x b/*/x"),
            (". ( -name a -o -name b ) -delete", "./*/a ./*/b"),
            (". -name a -o -name b -delete", "./*/b"),
            (". ( -name a -o -type f ) -delete", "./*"),
            (". ! -name a -delete", "./*"),
            (". -not -name a -name b -delete", "./*/b"),
            (". -delete -name a", "./*"),
            (". -delete -o -name a", "./*"),
            (". -path ./a -prune -o -type f -delete", "./*"),
            (". -name a -prune -exec rm {} +", "./*/a"),
            ("-L / -mtime +3 -delete", "/*"),
            (". -path */a/* -delete", "./*/a"),
        ] {
            let words: Vec<Value> = line.split(' ').map(Value::known).collect();
            let read = arguments::read(Some(&find), &words);
            let paths: Vec<String> = walked(&find, &read).into_iter().map(|v| v.text).collect();
            assert_eq!(paths.join(" "), expected, "{line}");
        }
    }
}
