//! Shell commands that stand as literals in code of another language: `os.system("…")`,
//! `subprocess.run(["rm", …])`, `system("…")` of awk, perl, ruby and PHP, `execSync('…')`.
//!
//! It finds what is plainly visible and nothing more; the rest of the code is matched by rules, and
//! by whatever sees the programs start.

use std::sync::OnceLock;

use regex::Regex;

use super::expression;
use crate::action::HOLE;
use crate::policy::schema::Language;

/// Calls that execute a text or a list of words.
const CALLS: &str = r#"(?x)
    \b(?: system | popen2? | exec[vl]?[pe]*  | execSync | execFile(?:Sync)? | spawn(?:Sync|vp?e?)? | run | call | Popen
      | check_call | check_output | getoutput | getstatusoutput | shell_exec | passthru | proc_open | qx )
    \s* \(? \s* (?P<list>\[)? \s*
    (?P<first> [rbfuRBFU]{0,2} (?: """(?s:.*?)""" | '''(?s:.*?)''' | "(?:[^"\\]|\\.)*" | '(?:[^'\\]|\\.)*' | `(?:[^`\\]|\\.)*` ) )
    (?P<rest> (?: \s*,\s* \[? \s* (?: "(?:[^"\\]|\\.)*" | '(?:[^'\\]|\\.)*' ) )* )"#;

/// Commands in awk's pipes and the backticks of perl, ruby and PHP.
const PIPES: &str =
    r#"(?x) \| \s* "(?P<to>(?:[^"\\]|\\.)*)" | "(?P<from>(?:[^"\\]|\\.)*)" \s* \| \s* getline"#;

/// The commands that stand in a text, each as a shell line.
pub(super) fn commands(language: Language, text: &str) -> Vec<String> {
    let mut found = Vec::new();
    if matches!(language, Language::Sql | Language::Redis | Language::Mongo) {
        return found;
    }
    if text.contains(['"', '\'', '`']) && has_call(text) {
        static EXPRESSION: OnceLock<Option<Regex>> = OnceLock::new();
        if let Some(expression) = EXPRESSION.get_or_init(|| Regex::new(CALLS).ok()) {
            for captures in expression.captures_iter(text) {
                let Some(quoted) = captures.name("first") else {
                    continue;
                };
                let Some(first) = expression::literal(language, quoted.as_str()) else {
                    continue;
                };
                let end = captures.get(0).map_or(quoted.end(), |all| all.end());
                let tail = text.get(end..).unwrap_or_default().trim_start();
                let rest = captures.name("rest").map_or("", |m| m.as_str());
                if rest.is_empty() && captures.name("list").is_none() {
                    found.push(with_what_is_added(language, first, tail));
                    continue;
                }
                let mut words: Vec<String> = std::iter::once(first).chain(literals(rest)).collect();
                let more = tail.starts_with(',')
                    || tail
                        .strip_prefix(']')
                        .is_some_and(|tail| tail.trim_start().starts_with('+'));
                if more {
                    words.push(HOLE.to_string());
                }
                if let Ok(line) = shlex::try_join(words.iter().map(String::as_str)) {
                    found.push(line);
                }
            }
        }
    }
    if language == Language::Awk && text.contains('|') {
        static EXPRESSION: OnceLock<Option<Regex>> = OnceLock::new();
        if let Some(expression) = EXPRESSION.get_or_init(|| Regex::new(PIPES).ok()) {
            for captures in expression.captures_iter(text) {
                if let Some(part) = captures.name("to") {
                    found.push(format!("awk | {}", unescape(part.as_str())));
                } else if let Some(part) = captures.name("from") {
                    found.push(unescape(part.as_str()));
                }
            }
        }
    }
    // Tcl's `spawn` and `exec`, as expect(1) has them, take plain words.
    if language == Language::Text {
        for part in text.split([';', '\n', '{', '}']) {
            if let Some(command) = part.trim_start().strip_prefix("spawn ") {
                found.push(command.trim_start_matches("-noecho ").to_owned());
            }
        }
    }
    if matches!(language, Language::Perl | Language::Ruby | Language::Php) {
        found.extend(text.split('`').skip(1).step_by(2).map(str::to_owned));
    }
    found
}

/// A command with holes for what the code joins to it or puts into it.
fn with_what_is_added(language: Language, mut text: String, tail: &str) -> String {
    if tail.starts_with(".format") {
        let mut out = String::new();
        let mut rest = text.as_str();
        while let Some((before, after)) = rest.split_once('{') {
            out.push_str(before);
            out.push(HOLE);
            rest = after.split_once('}').map_or("", |(_, after)| after);
        }
        out.push_str(rest);
        return out;
    }
    if tail.starts_with('%') {
        for place in ["%s", "%d", "%r"] {
            text = text.replace(place, &HOLE.to_string());
        }
        return text;
    }
    let joined = tail.starts_with(['+', '~'])
        || tail.starts_with(". ")
        || tail.starts_with(".$")
        || (language == Language::Awk
            && tail.starts_with(|c: char| c.is_alphanumeric() || c == '$'));
    if joined {
        text.push(HOLE);
    }
    text
}

/// A cheap look before the expression is compiled.
fn has_call(text: &str) -> bool {
    [
        "system", "open", "exec", "spawn", "run", "call", "check_", "get", "passthru", "qx",
    ]
    .iter()
    .any(|name| text.contains(name))
}

fn literals(text: &str) -> Vec<String> {
    let mut out = Vec::new();
    let mut rest = text;
    while let Some(at) = rest.find(['"', '\'']) {
        let Some((_, from)) = rest.split_at_checked(at) else {
            break;
        };
        let quote = from.chars().next().unwrap_or('"');
        let mut escaped = false;
        let end = from.char_indices().skip(1).find(|(_, c)| {
            let ends = *c == quote && !escaped;
            escaped = *c == '\\' && !escaped;
            ends
        });
        let Some((end, _)) = end else { break };
        let Some((one, after)) = from.split_at_checked(end + 1) else {
            break;
        };
        out.extend(literal(one));
        rest = after;
    }
    out
}

fn literal(quoted: &str) -> Option<String> {
    let mut chars = quoted.chars();
    chars.next()?;
    chars.next_back()?;
    Some(unescape(chars.as_str()))
}

fn unescape(text: &str) -> String {
    let mut out = String::new();
    let mut chars = text.chars();
    while let Some(c) = chars.next() {
        match c {
            '\\' => match chars.next() {
                Some('n') => out.push('\n'),
                Some('t') => out.push('\t'),
                Some(other) => out.push(other),
                None => {}
            },
            c => out.push(c),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn commands_in_other_languages_are_found() {
        for (language, text, expected) in [
            (
                Language::Python,
                "import os; os.system('rm -rf /')",
                vec!["rm -rf /"],
            ),
            (
                Language::Python,
                "subprocess.run([\"rm\", \"-rf\", \"a b\"])",
                vec!["rm -rf 'a b'"],
            ),
            (
                Language::Awk,
                "BEGIN { system(\"rm -rf /\") }",
                vec!["rm -rf /"],
            ),
            (Language::Awk, "{ print | \"sh\" }", vec!["awk | sh"]),
            (Language::Perl, "`rm -rf x`", vec!["rm -rf x"]),
            (Language::Perl, "system 'rm', '-rf', 'x'", vec!["rm -rf x"]),
            (
                Language::Javascript,
                "execSync(\"git push -f\")",
                vec!["git push -f"],
            ),
            (Language::Python, "print('system')", vec![]),
            (
                Language::Python,
                "os.system(f'rm -rf {x}')",
                vec!["rm -rf \u{fffc}"],
            ),
            (
                Language::Python,
                "os.system('rm -rf ' + x)",
                vec!["rm -rf \u{fffc}"],
            ),
            (
                Language::Python,
                "os.system('rm -rf %s' % x)",
                vec!["rm -rf \u{fffc}"],
            ),
            (
                Language::Python,
                "os.system('rm -rf {}/a'.format(x))",
                vec!["rm -rf \u{fffc}/a"],
            ),
            (
                Language::Python,
                "os.system('rm -rf $HOME')",
                vec!["rm -rf $HOME"],
            ),
            (
                Language::Python,
                "run(['rm', '-rf', x], check=True)",
                vec!["rm -rf '\u{fffc}'"],
            ),
            (
                Language::Javascript,
                "execSync(`rm -rf ${x}`)",
                vec!["rm -rf \u{fffc}"],
            ),
            (
                Language::Awk,
                "{ system(\"rm -rf \" $1) }",
                vec!["rm -rf \u{fffc}"],
            ),
            (
                Language::Perl,
                "system(\"rm -rf $x\")",
                vec!["rm -rf \u{fffc}"],
            ),
        ] {
            assert_eq!(commands(language, text), expected, "{text}");
        }
    }
}
