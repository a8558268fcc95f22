//! What an expression of another language stands for, as a path, as far as it plainly stands in the
//! code: a literal, literals that are joined, a name that is assigned. Everything else is a hole.

use std::cell::Cell;

use crate::action::{HOLE, Value};
use crate::policy::schema::Language;

/// How far names and joined paths are followed.
const DEEPEST: u8 = 6;
/// How many expressions of one text are worked out.
const MOST_STEPS: u32 = 600;
/// How many places where a name stands are looked at.
const MOST_PLACES: usize = 2000;
/// How many values a name may have.
const MOST_VALUES: usize = 8;
/// How many assignments to a name are read, and how many characters of each.
const MOST_ASSIGNMENTS: usize = 64;
const WINDOW: usize = 1024;

/// The text of some code.
pub(super) struct Code<'t> {
    language: Language,
    text: &'t str,
    steps: Cell<u32>,
}

fn unknown() -> Value {
    Value {
        splits: false,
        ..Value::unknown()
    }
}

impl<'t> Code<'t> {
    /// Code that expressions are a part of.
    pub(super) fn new(language: Language, text: &'t str) -> Self {
        Self {
            language,
            text,
            steps: Cell::new(MOST_STEPS),
        }
    }

    /// Whatever an expression can stand for.
    pub(super) fn values(&self, expression: &str) -> Vec<Value> {
        let given = self.assigned(expression.trim());
        if given.is_empty() {
            return vec![self.value(expression, 0)];
        }
        given.iter().map(|one| self.value(one, 1)).collect()
    }

    /// What an expression stands for, as a path.
    fn value(&self, expression: &str, depth: u8) -> Value {
        let expression = expression.trim();
        let left = self.steps.get();
        if depth > DEEPEST || expression.is_empty() || left == 0 {
            return unknown();
        }
        self.steps.set(left - 1);
        if let Some(text) = literal(self.language, expression) {
            return Value::known(text);
        }
        // `a + b` and `a . b` join texts; `a / b` joins paths.
        for (operator, between) in [('/', "/"), ('+', "")] {
            let parts = split(expression, &[operator]);
            if parts.len() > 1 {
                return self.joined(&parts, between, depth);
            }
        }
        let dots: Vec<&str> = expression.split(" . ").collect();
        if dots.len() > 1 {
            return self.joined(&dots, "", depth);
        }
        if let Some(pattern) = expression
            .strip_prefix('<')
            .and_then(|e| e.strip_suffix('>'))
        {
            return Value {
                glob: true,
                ..Value::known(pattern)
            };
        }
        if let Some((callee, inside)) = last_call(expression) {
            return self.called(callee, inside, depth);
        }
        if matches!(
            expression,
            "os.environ['HOME']"
                | "os.environ[\"HOME\"]"
                | "process.env.HOME"
                | "ENV['HOME']"
                | "$ENV{HOME}"
        ) {
            return Value::known("~");
        }
        match self.assigned(expression).as_slice() {
            [given] => self.value(given, depth + 1),
            _ => unknown(),
        }
    }

    /// What a call stands for, where it only builds or lists paths.
    fn called(&self, callee: &str, inside: &str, depth: u8) -> Value {
        let inner = listed(inside);
        let (object, method) = match callee.rsplit_once(['.', ':']) {
            Some((object, method)) => (object.trim_end_matches(':'), method),
            None => ("", callee),
        };
        let is_module = object.is_empty()
            || object
                .chars()
                .all(|c| c.is_alphanumeric() || matches!(c, '_' | '.' | ':'))
                && (object.starts_with(|c: char| c.is_uppercase())
                    || object.split('.').any(|part| {
                        matches!(
                            part,
                            "os" | "path"
                                | "pathlib"
                                | "glob"
                                | "fs"
                                | "shutil"
                                | "fsp"
                                | "require"
                        )
                    }));
        let wild = |path: Value| Value {
            glob: path.glob || path.text.contains('*'),
            ..path
        };
        match method {
            "home" | "homedir" => Value::known("~"),
            "mkdtemp" | "mkstemp" | "gettempdir" | "tmpdir" | "mktmpdir" | "mkdtempSync"
            | "TemporaryDirectory" | "NamedTemporaryFile" | "makeTempDir" | "makeTempDirSync"
            | "tempdir" | "sys_get_temp_dir" | "tempnam" => {
                Value::known(format!("/tmp/tmp.{HOLE}"))
            }
            "iterdir" => wild(self.joined(&[object, "'*'"], "/", depth)),
            "rglob" | "glob" if !is_module => {
                let any = if method == "rglob" { "'*'" } else { "" };
                let parts: Vec<&str> = [object, any].into_iter().chain(inner).collect();
                wild(self.joined(&parts, "/", depth))
            }
            "glob" | "iglob" | "globSync" | "sync" => {
                let first: Vec<&str> = inner.into_iter().take(1).collect();
                wild(self.joined(&first, "/", depth))
            }
            "joinpath" if !is_module => {
                let parts: Vec<&str> = std::iter::once(object).chain(inner).collect();
                self.joined(&parts, "/", depth)
            }
            "resolve" | "expanduser" | "absolute" | "as_posix" if !is_module => {
                self.value(object, depth + 1)
            }
            "Path" | "PurePath" | "PosixPath" | "str" | "String" | "fspath" | "abspath"
            | "realpath" | "normpath" | "expanduser" | "expand_path" | "resolve" | "join"
            | "Pathname" | "new" | "list" | "sorted" | "Array"
                if !inner.is_empty() && is_module =>
            {
                self.joined(&inner, "/", depth)
            }
            _ => unknown(),
        }
    }

    fn joined(&self, parts: &[&str], between: &str, depth: u8) -> Value {
        let mut out = Value::default();
        for part in parts.iter().map(|p| p.trim()).filter(|p| !p.is_empty()) {
            let next = self.value(part, depth + 1);
            if next.text.starts_with('/') && between == "/" {
                out = Value::default();
            }
            if !out.text.is_empty() && !out.text.ends_with('/') {
                out.text.push_str(between);
            }
            out.text.push_str(&next.text);
            out.glob |= next.glob;
        }
        out
    }

    /// The expressions that a name is assigned: `x = E`, `for x in E`; none where there are too many.
    fn assigned(&self, name: &str) -> Vec<&'t str> {
        let name = name.trim_start_matches(['$', '@', '%']);
        if name.is_empty() || !name.chars().all(|c| c.is_alphanumeric() || c == '_') {
            return Vec::new();
        }
        let mut found = Vec::new();
        let mut assignments = 0;
        for (start, _) in self.text.match_indices(name).take(MOST_PLACES) {
            let (Some(before), Some(after)) =
                (self.text.get(..start), self.text.get(start + name.len()..))
            else {
                continue;
            };
            let part_of_word = before
                .chars()
                .next_back()
                .is_some_and(|c| c.is_alphanumeric() || matches!(c, '_' | '.'));
            if part_of_word {
                continue;
            }
            let after = after.trim_start_matches([' ', '\t']);
            let before = before.trim_end_matches(['$', '@', '%', ' ', '(']);
            let looped = ["for", "foreach", "const", "let", "var", "my", ","]
                .iter()
                .any(|word| before.ends_with(word));
            let given = match after.strip_prefix('=') {
                Some(value) if !value.starts_with(['=', '~', '>']) => Some(value),
                _ if looped => after
                    .strip_prefix("in ")
                    .or_else(|| after.strip_prefix("of ")),
                _ => None,
            };
            let Some(given) = given else { continue };
            assignments += 1;
            if assignments > MOST_ASSIGNMENTS {
                return Vec::new();
            }
            let end = given.char_indices().nth(WINDOW).map(|(at, _)| at);
            let given = end.and_then(|end| given.get(..end)).unwrap_or(given);
            let end = scan(given, |depth, c| {
                depth == 0 && matches!(c, ';' | '\n' | ',' | ':' | ')' | ']' | '}')
            });
            let given = end.map_or(given, |(before, _)| before).trim();
            if !found.contains(&given) {
                found.push(given);
            }
        }
        if found.len() > MOST_VALUES {
            return Vec::new();
        }
        found
    }
}

/// The arguments of a call, from its parenthesis or its first argument on, and whether its end is there.
pub(super) fn arguments(text: &str) -> (Vec<&str>, bool) {
    let (inside, open) = match text.strip_prefix('(') {
        Some(inside) => (inside, true),
        None => (text, false),
    };
    let end = scan(inside, |depth, c| {
        depth == 0 && (c == ')' || (!open && matches!(c, ';' | '\n' | '}')))
    });
    (
        listed(end.map_or(inside, |(before, _)| before)),
        end.is_some(),
    )
}

/// The parts between the commas of a list.
fn listed(inside: &str) -> Vec<&str> {
    split(inside, &[','])
        .into_iter()
        .map(str::trim)
        .filter(|a| !a.is_empty())
        .collect()
}

/// The expression that a method is called on.
pub(super) fn receiver(before: &str) -> &str {
    let mut depth = 0_usize;
    let mut quote: Option<char> = None;
    let mut start = before.len();
    for (at, c) in before.char_indices().rev() {
        if let Some(open) = quote {
            if c == open {
                quote = None;
            }
        } else {
            match c {
                '"' | '\'' | '`' => quote = Some(c),
                ')' | ']' | '}' => depth += 1,
                '(' | '[' | '{' if depth == 0 => break,
                '(' | '[' | '{' => depth -= 1,
                c if depth == 0 && !(c.is_alphanumeric() || matches!(c, '_' | '.' | '$' | ':')) => {
                    break;
                }
                _ => {}
            }
        }
        start = at;
    }
    before.get(start..).unwrap_or_default()
}

/// Cuts a text before the first character outside of quotes for which `ends` holds, which is given
/// the depth of brackets.
fn scan(text: &str, ends: impl Fn(usize, char) -> bool) -> Option<(&str, &str)> {
    let mut depth = 0_usize;
    let mut quote: Option<char> = None;
    let mut escaped = false;
    for (at, c) in text.char_indices() {
        if escaped {
            escaped = false;
            continue;
        }
        match quote {
            Some(_) if c == '\\' => escaped = true,
            Some(open) if c == open => quote = None,
            Some(_) => {}
            None if ends(depth, c) => return text.split_at_checked(at),
            None => match c {
                '"' | '\'' | '`' => quote = Some(c),
                '(' | '[' | '{' => depth += 1,
                ')' | ']' | '}' => depth = depth.saturating_sub(1),
                _ => {}
            },
        }
    }
    None
}

/// Splits at characters that stand outside of quotes and brackets.
fn split<'t>(text: &'t str, at: &[char]) -> Vec<&'t str> {
    let mut parts = Vec::new();
    let mut rest = text;
    while let Some((before, after)) = scan(rest, |depth, c| depth == 0 && at.contains(&c)) {
        parts.push(before);
        let mut chars = after.chars();
        chars.next();
        rest = chars.as_str();
    }
    parts.push(rest);
    parts
}

/// Takes the last call off an expression: what is called and its arguments.
fn last_call(expression: &str) -> Option<(&str, &str)> {
    let inner = expression.strip_suffix(')')?;
    let mut opened = 0;
    let mut depth = 0_usize;
    let mut quote: Option<char> = None;
    for (at, c) in inner.char_indices() {
        match (quote, c) {
            (Some(open), c) if c == open => quote = None,
            (Some(_), _) => {}
            (None, '"' | '\'' | '`') => quote = Some(c),
            (None, '(' | '[' | '{') => {
                if depth == 0 && c == '(' {
                    opened = at;
                }
                depth += 1;
            }
            (None, ')' | ']' | '}') => depth = depth.saturating_sub(1),
            _ => {}
        }
    }
    let (callee, inside) = inner.split_at_checked(opened)?;
    Some((callee.trim(), inside.strip_prefix('(')?))
}

/// The text of a literal, with holes for what is put into it.
pub(super) fn literal(language: Language, expression: &str) -> Option<String> {
    let puts_variables = matches!(language, Language::Perl | Language::Php | Language::Text);
    let quoted = expression.trim_start_matches(|c: char| "rbfuRBFU".contains(c));
    let prefix = expression.get(..expression.len() - quoted.len())?;
    let quote = quoted
        .chars()
        .next()
        .filter(|c| matches!(c, '"' | '\'' | '`'))?;
    let inner = quoted
        .strip_prefix("\"\"\"")
        .and_then(|t| t.strip_suffix("\"\"\""))
        .or_else(|| {
            quoted
                .strip_prefix("'''")
                .and_then(|t| t.strip_suffix("'''"))
        })
        .or_else(|| {
            quoted
                .strip_prefix(quote)
                .and_then(|t| t.strip_suffix(quote))
        })?;
    if scan(inner, |_, _| false).is_some() || has_bare(inner, quote) {
        return None;
    }
    let mut out = String::new();
    let mut chars = inner.chars().peekable();
    while let Some(c) = chars.next() {
        let opens = match c {
            '{' => prefix.contains(['f', 'F']),
            '$' if quote == '`' => chars.next_if_eq(&'{').is_some(),
            '#' if quote == '"' => chars.next_if_eq(&'{').is_some(),
            '$' if quote == '"' && puts_variables => {
                while chars
                    .next_if(|c| c.is_alphanumeric() || matches!(c, '_' | '{' | '}'))
                    .is_some()
                {}
                out.push(HOLE);
                continue;
            }
            '\\' => {
                match chars.next() {
                    Some('n') => out.push('\n'),
                    Some('t') => out.push('\t'),
                    Some(next) => out.push(next),
                    None => {}
                }
                continue;
            }
            _ => false,
        };
        if opens {
            out.push(HOLE);
            chars.by_ref().find(|c| *c == '}');
        } else {
            out.push(c);
        }
    }
    Some(out)
}

/// Whether a quote stands in a text unescaped, so that it is not one literal.
fn has_bare(inner: &str, quote: char) -> bool {
    let mut escaped = false;
    inner.chars().any(|c| {
        let bare = c == quote && !escaped;
        escaped = c == '\\' && !escaped;
        bare
    })
}
