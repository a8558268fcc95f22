//! What programs print whose output follows from their arguments and input alone, so that text which
//! is only built to be executed (`echo … | base64 -d | sh`) is read like any other.

use super::scope::Scope;
use crate::action::{HOLE, Value};

/// The longest text that is followed.
const LONGEST: usize = 256 * 1024;

/// What a program prints; none where that is not known.
pub(super) fn printed(
    name: &str,
    arguments: &[Value],
    input: Option<&Value>,
    scope: &Scope,
) -> Option<Value> {
    let text = match name {
        "echo" => echo(arguments),
        "printf" => printf(arguments)?,
        "pwd" => format!("{}\n", scope.cwd.clone()?),
        "true" | ":" | "cd" | "false" | "set" | "export" | "unset" | "mkdir" | "touch" | "rm"
        | "shopt" | "wait" | "test" | "[" | "sleep" | "chmod" | "cp" | "mv" | "trap" | "exec"
        | "pushd" | "umask" => String::new(),
        "mktemp" => format!("/tmp/tmp.{HOLE}\n"),
        "cat" if arguments.iter().all(|a| a.text == "-") => {
            return input.cloned();
        }
        "cat" => {
            let mut all = String::new();
            for file in arguments {
                let path = crate::policy::paths::normal(file, scope.cwd.as_deref());
                all.push_str(&scope.files.get(&path.text)?.output.text);
            }
            all
        }
        "tee" | "sort" | "head" | "tail" | "uniq" if arguments.is_empty() || name == "tee" => {
            return input.cloned();
        }
        // Where it really is does not matter; that it is a program of the system does.
        "which" => match arguments {
            [one] if one.is_known() && !one.text.contains('/') => {
                format!("/usr/bin/{}\n", one.text)
            }
            _ => return None,
        },
        "type" => match arguments {
            [one] if one.is_known() => format!("{}\n", one.text),
            _ => return None,
        },
        "base64" if has(arguments, &["-d", "-D", "--decode", "-di", "-id"]) => {
            decode_base64(&input?.text)?
        }
        "rev" if arguments.is_empty() => {
            let lines = input?.text.lines();
            lines
                .map(|line| line.chars().rev().collect::<String>() + "\n")
                .collect()
        }
        "xxd" if has(arguments, &["-r"]) && has(arguments, &["-p", "-ps", "-plain"]) => {
            decode_hex(&input?.text)?
        }
        "tr" => match arguments {
            [delete, set] if delete.text == "-d" => {
                let unwanted = unescape(&set.text, Octal::Three);
                input?
                    .text
                    .chars()
                    .filter(|c| !unwanted.contains(*c))
                    .collect()
            }
            [from, to] => {
                let [from, to] = [from, to].map(|set| unescape(&set.text, Octal::Three));
                translate(&input?.text, &from, &to)?
            }
            _ => return None,
        },
        _ => return None,
    };
    if text.len() > LONGEST {
        return None;
    }
    let splits = text.contains(HOLE);
    Some(Value {
        text,
        glob: false,
        splits,
        found: false,
    })
}

/// Whether a program writes its input to the files that it names.
pub(super) fn copies_input(name: &str) -> bool {
    matches!(name, "tee" | "sponge")
}

fn has(arguments: &[Value], names: &[&str]) -> bool {
    arguments.iter().any(|a| names.contains(&a.text.as_str()))
}

fn echo(arguments: &[Value]) -> String {
    let mut newline = true;
    let mut escapes = false;
    let mut rest = arguments;
    while let Some((first, others)) = rest.split_first() {
        let letters = first.text.strip_prefix('-').unwrap_or_default();
        if letters.is_empty() || !letters.chars().all(|c| matches!(c, 'n' | 'e' | 'E')) {
            break;
        }
        for letter in letters.chars() {
            match letter {
                'n' => newline = false,
                'e' => escapes = true,
                _ => escapes = false,
            }
        }
        rest = others;
    }
    let mut text = rest
        .iter()
        .map(|a| a.text.as_str())
        .collect::<Vec<_>>()
        .join(" ");
    if escapes {
        text = unescape(&text, Octal::AfterZero);
    }
    if newline {
        text.push('\n');
    }
    text
}

/// `printf FORMAT ARG…` for `%s`, `%b`, `%d`, `%%`; anything else is not known.
fn printf(arguments: &[Value]) -> Option<String> {
    let (format, mut rest) = arguments.split_first()?;
    let (format, rest_after) = if format.text == "--" {
        rest.split_first()?
    } else {
        (format, rest)
    };
    rest = rest_after;
    if format.text.contains(HOLE) || format.text.starts_with("-v") {
        return None;
    }
    let format = unescape(&format.text, Octal::Three);
    let mut out = String::new();
    loop {
        let before = rest.len();
        let mut chars = format.chars();
        while let Some(c) = chars.next() {
            if c != '%' {
                out.push(c);
                continue;
            }
            match chars.next()? {
                '%' => out.push('%'),
                kind @ ('s' | 'd' | 'b') => {
                    if let Some((first, others)) = rest.split_first() {
                        if kind == 'b' {
                            out.push_str(&unescape(&first.text, Octal::AfterZero));
                        } else {
                            out.push_str(&first.text);
                        }
                        rest = others;
                    }
                }
                _ => return None,
            }
            if out.len() > LONGEST {
                return None;
            }
        }
        if rest.is_empty() || rest.len() == before {
            return Some(out);
        }
    }
}

/// How many octal digits name a character (bash(1), `echo` and `printf`).
#[derive(Clone, Copy)]
enum Octal {
    /// At most three: a format, the sets of tr(1).
    Three,
    /// Three behind a zero: `echo -e`, `%b`.
    AfterZero,
}

/// The backslash escapes of `echo -e` and `printf`.
fn unescape(text: &str, octal: Octal) -> String {
    let mut out = String::new();
    let mut chars = text.chars().peekable();
    while let Some(c) = chars.next() {
        if c != '\\' {
            out.push(c);
            continue;
        }
        let digits =
            |chars: &mut std::iter::Peekable<std::str::Chars<'_>>, radix: u32, most: usize| {
                let mut value = 0;
                let mut count = 0;
                while count < most {
                    let Some(digit) = chars.peek().and_then(|c| c.to_digit(radix)) else {
                        break;
                    };
                    value = value * radix + digit;
                    chars.next();
                    count += 1;
                }
                (count > 0).then_some(value)
            };
        match chars.next() {
            None => out.push('\\'),
            Some('n') => out.push('\n'),
            Some('t') => out.push('\t'),
            Some('r') => out.push('\r'),
            Some('a') => out.push('\u{7}'),
            Some('b') => out.push('\u{8}'),
            Some('e' | 'E') => out.push('\u{1b}'),
            Some('f') => out.push('\u{c}'),
            Some('v') => out.push('\u{b}'),
            Some('c') => return out,
            Some('x') => {
                let value = digits(&mut chars, 16, 2).and_then(char::from_u32);
                out.push(value.unwrap_or('\\'));
            }
            Some('u') => {
                let value = digits(&mut chars, 16, 4).and_then(char::from_u32);
                out.push(value.unwrap_or('\\'));
            }
            Some(first @ '0'..='7') => {
                let mut value = first.to_digit(8).unwrap_or(0);
                let more = match (octal, first) {
                    (Octal::AfterZero, '0') => 3,
                    _ => 2,
                };
                for _ in 0..more {
                    let Some(next) = digits(&mut chars, 8, 1) else {
                        break;
                    };
                    value = value * 8 + next;
                }
                out.push(char::from_u32(value & 0xff).unwrap_or('?'));
            }
            Some('\\') => out.push('\\'),
            Some(other) => {
                out.push('\\');
                out.push(other);
            }
        }
    }
    out
}

fn decode_base64(text: &str) -> Option<String> {
    let mut bytes = Vec::new();
    let (mut bits, mut count) = (0u32, 0);
    for c in text.chars().filter(|c| !c.is_whitespace() && *c != '=') {
        let value = match c {
            'A'..='Z' => u32::from(c) - 65,
            'a'..='z' => u32::from(c) - 71,
            '0'..='9' => u32::from(c) + 4,
            '+' => 62,
            '/' => 63,
            _ => return None,
        };
        bits = (bits << 6) | value;
        count += 6;
        if count >= 8 {
            count -= 8;
            bytes.push(u8::try_from((bits >> count) & 0xff).unwrap_or_default());
        }
    }
    String::from_utf8(bytes).ok()
}

fn decode_hex(text: &str) -> Option<String> {
    let digits: Vec<u8> = text
        .chars()
        .filter(|c| !c.is_whitespace())
        .map(|c| c.to_digit(16).and_then(|d| u8::try_from(d).ok()))
        .collect::<Option<_>>()?;
    let bytes: Vec<u8> = digits
        .chunks(2)
        .map(|pair| pair.iter().fold(0, |value, digit| value * 16 + digit))
        .collect();
    String::from_utf8(bytes).ok()
}

/// `tr SET1 SET2` with ranges (`a-z`), as for rot13.
fn translate(text: &str, from: &str, to: &str) -> Option<String> {
    if from.contains('[') || to.contains('[') || from.starts_with('-') {
        return None;
    }
    let (from, to) = (ranges(from), ranges(to));
    let last = *to.last()?;
    Some(
        text.chars()
            .map(|c| match from.iter().position(|f| *f == c) {
                Some(at) => to.get(at).copied().unwrap_or(last),
                None => c,
            })
            .collect(),
    )
}

fn ranges(set: &str) -> Vec<char> {
    let chars: Vec<char> = set.chars().collect();
    let mut out = Vec::new();
    let mut rest = chars.as_slice();
    loop {
        match rest {
            [first, '-', last, others @ ..] if first <= last => {
                out.extend(*first..=*last);
                rest = others;
            }
            [first, others @ ..] => {
                out.push(*first);
                rest = others;
            }
            [] => return out,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn run(name: &str, arguments: &[&str], input: &str) -> Option<String> {
        let arguments: Vec<Value> = arguments.iter().map(|a| Value::known(*a)).collect();
        printed(
            name,
            &arguments,
            Some(&Value::known(input)),
            &Scope::default(),
        )
        .map(|v| v.text)
    }

    #[test]
    fn text_that_is_built_to_be_executed_is_followed() {
        assert_eq!(run("echo", &["-n", "rm", "-rf"], ""), Some("rm -rf".into()));
        assert_eq!(run("echo", &["-e", r"\x72m"], ""), Some("rm\n".into()));
        assert_eq!(
            run("printf", &["%s", "rm", " -rf /"], ""),
            Some("rm -rf /".into())
        );
        assert_eq!(run("printf", &[r"\162\155"], ""), Some("rm".into()));
        assert_eq!(
            run("base64", &["-d"], "cm0gLXJmIC8="),
            Some("rm -rf /".into())
        );
        assert_eq!(run("rev", &[], "/ fr- mr"), Some("rm -rf /\n".into()));
        assert_eq!(run("xxd", &["-r", "-p"], "726d"), Some("rm".into()));
        assert_eq!(run("tr", &["a-z", "n-za-m"], "ez"), Some("rm".into()));
        assert_eq!(run("curl", &["x"], ""), None);
    }
}
