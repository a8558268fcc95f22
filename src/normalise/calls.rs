//! Calls in the code of another language that do what a program does: `os.remove("x")` is `rm x`.
//!
//! Which calls those are is data of the packs ([`Call`]). This finds them in the text and works out
//! the path, as far as it plainly stands there: a literal, literals that are joined, a name that is
//! assigned once. Everything else is a hole. It is no parser of any language: it may see a call in a
//! comment, and it does not see one that is spelled in an unusual way.

use crate::action::{HOLE, Value};
use crate::policy::schema::{Call, Language};

/// How far names and joined paths are followed.
const DEEPEST: u8 = 6;
/// How many calls of one text are read.
const MOST_CALLS: usize = 64;

/// The usual interpreter of a language, under whose name the packs say what its calls do.
pub(super) fn interpreter(language: Language) -> Option<&'static str> {
    match language {
        Language::Python => Some("python3"),
        Language::Javascript => Some("node"),
        Language::Ruby => Some("ruby"),
        Language::Perl => Some("perl"),
        Language::Php => Some("php"),
        Language::Awk => Some("awk"),
        _ => None,
    }
}

/// A command that a call amounts to.
#[derive(Debug, PartialEq)]
pub(super) struct Done {
    /// The words of the command; for a redirection its operator and the file.
    pub words: Vec<Value>,
}

/// The commands that the calls in a text amount to.
pub(super) fn commands(calls: &[Call], text: &str) -> Vec<Done> {
    let mut found = Vec::new();
    for call in calls {
        if !call.beside.is_empty() && !call.beside.iter().any(|b| text.contains(b)) {
            continue;
        }
        for name in &call.names {
            let (name, any_object) = match name.strip_prefix("*.") {
                Some(name) => (name, true),
                None => (name.as_str(), false),
            };
            let mut from = 0;
            while let Some((before, after)) = next_call(text, name, any_object, &mut from) {
                if found.len() >= MOST_CALLS {
                    return found;
                }
                let arguments = arguments(after);
                let inside = arguments.join(",");
                if !call.with.is_empty() && !call.with.iter().any(|w| inside.contains(w.as_str())) {
                    continue;
                }
                let paths: Vec<Value> = if name.starts_with('.') {
                    vec![value(receiver(before), text, 0)]
                } else if call.each {
                    arguments.iter().map(|a| value(a, text, 0)).collect()
                } else {
                    let argument = arguments.get(usize::from(call.argument));
                    argument.map(|a| value(a, text, 0)).into_iter().collect()
                };
                for path in paths {
                    let words = call.does.iter().map(|word| match word.as_str() {
                        "{}" => path.clone(),
                        word => Value::known(word),
                    });
                    let done = Done {
                        words: words.collect(),
                    };
                    if !found.contains(&done) {
                        found.push(done);
                    }
                }
            }
        }
    }
    found
}

/// The next call of a function from a byte on: what stands before its name and what follows it, from
/// the parenthesis or, where a language needs none, the first argument on.
fn next_call<'t>(
    text: &'t str,
    name: &str,
    any_object: bool,
    from: &mut usize,
) -> Option<(&'t str, &'t str)> {
    loop {
        let rest = text.get(*from..)?;
        let at = *from + rest.find(name)?;
        *from = at + name.len();
        let before = text.get(..at)?;
        let after = text.get(*from..)?;
        let previous = before.chars().next_back();
        let part_of_word = !name.starts_with('.')
            && previous.is_some_and(|c| {
                c.is_alphanumeric()
                    || matches!(c, '_' | '$' | '>' | '"' | '\'')
                    || (matches!(c, '.' | ':') && !any_object)
            });
        if part_of_word {
            continue;
        }
        let operator = name.ends_with('>');
        let blank = operator || after.starts_with([' ', '\t']);
        let opened = after.trim_start_matches([' ', '\t']);
        let bare = blank
            && (opened.starts_with(['"', '\'', '$', '@', '<']) || opened.starts_with("glob"))
            && !(operator && opened.starts_with('<'));
        if opened.starts_with('(') || bare {
            return Some((before, opened));
        }
    }
}

/// The arguments of a call, from its parenthesis or its first argument on.
fn arguments(text: &str) -> Vec<&str> {
    let (inside, open) = match text.strip_prefix('(') {
        Some(inside) => (inside, true),
        None => (text, false),
    };
    let end = scan(inside, |depth, c| {
        depth == 0 && (c == ')' || (!open && matches!(c, ';' | '\n' | '}')))
    });
    let inside = end.map_or(inside, |(before, _)| before);
    split(inside, &[','])
        .into_iter()
        .map(str::trim)
        .filter(|a| !a.is_empty())
        .collect()
}

/// The expression that a method is called on.
fn receiver(before: &str) -> &str {
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

/// What an expression stands for, as a path.
fn value(expression: &str, code: &str, depth: u8) -> Value {
    let unknown = || Value {
        text: HOLE.to_string(),
        glob: false,
        splits: false,
    };
    let expression = expression.trim();
    if depth > DEEPEST || expression.is_empty() {
        return unknown();
    }
    if let Some(text) = literal(expression) {
        return Value::known(text);
    }
    // `a + b` and `a . b` join texts; `a / b` joins paths.
    for (operator, between) in [('/', "/"), ('+', "")] {
        let parts = split(expression, &[operator]);
        if parts.len() > 1 {
            return joined(&parts, between, code, depth);
        }
    }
    let dots: Vec<&str> = expression.split(" . ").collect();
    if dots.len() > 1 {
        return joined(&dots, "", code, depth);
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
        return called(callee, inside, code, depth);
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
    let name = expression.trim_start_matches(['$', '@', '%']);
    if !name.is_empty() && name.chars().all(|c| c.is_alphanumeric() || c == '_') {
        return assigned(name, code).map_or_else(unknown, |given| value(given, code, depth + 1));
    }
    unknown()
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

/// What a call stands for, where it only builds or lists paths.
fn called(callee: &str, inside: &str, code: &str, depth: u8) -> Value {
    let inner = arguments(&format!("({inside})"))
        .into_iter()
        .map(str::to_owned)
        .collect::<Vec<_>>();
    let inner: Vec<&str> = inner.iter().map(String::as_str).collect();
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
                        "os" | "path" | "pathlib" | "glob" | "fs" | "shutil" | "fsp" | "require"
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
        | "tempdir" | "sys_get_temp_dir" | "tempnam" => Value::known(format!("/tmp/tmp.{HOLE}")),
        "iterdir" => wild(joined(&[object, "'*'"], "/", code, depth)),
        "rglob" | "glob" if !is_module => {
            let any = if method == "rglob" { "'*'" } else { "" };
            let parts: Vec<&str> = [object, any].into_iter().chain(inner).collect();
            wild(joined(&parts, "/", code, depth))
        }
        "glob" | "iglob" | "globSync" | "sync" => {
            let first: Vec<&str> = inner.into_iter().take(1).collect();
            wild(joined(&first, "/", code, depth))
        }
        "joinpath" if !is_module => {
            let parts: Vec<&str> = std::iter::once(object).chain(inner).collect();
            joined(&parts, "/", code, depth)
        }
        "resolve" | "expanduser" | "absolute" | "as_posix" if !is_module => {
            value(object, code, depth + 1)
        }
        "Path" | "PurePath" | "PosixPath" | "str" | "String" | "fspath" | "abspath"
        | "realpath" | "normpath" | "expanduser" | "expand_path" | "resolve" | "join"
        | "Pathname" | "new" | "list" | "sorted" | "Array"
            if !inner.is_empty() && is_module =>
        {
            joined(&inner, "/", code, depth)
        }
        _ => Value {
            splits: false,
            ..Value::unknown()
        },
    }
}

fn joined(parts: &[&str], between: &str, code: &str, depth: u8) -> Value {
    let mut out = Value::default();
    for part in parts.iter().map(|p| p.trim()).filter(|p| !p.is_empty()) {
        let next = value(part, code, depth + 1);
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

/// The text of a literal, with holes for what is put into it.
fn literal(expression: &str) -> Option<String> {
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
            '$' if quote == '"' => {
                while chars
                    .next_if(|c| c.is_alphanumeric() || matches!(c, '_' | '{' | '}'))
                    .is_some()
                {}
                out.push(HOLE);
                continue;
            }
            '\\' => {
                if let Some(next) = chars.next() {
                    out.push(next);
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

/// The expression that a name is assigned, where there is exactly one: `x = E`, `for x in E`.
fn assigned<'t>(name: &str, code: &'t str) -> Option<&'t str> {
    let mut found: Option<&str> = None;
    let mut from = 0;
    while let Some(at) = code.get(from..).and_then(|rest| rest.find(name)) {
        let start = from + at;
        from = start + name.len();
        let whole = !code
            .get(..start)
            .and_then(|before| before.chars().next_back())
            .is_some_and(|c| c.is_alphanumeric() || matches!(c, '_' | '.'));
        let after = code.get(from..)?.trim_start_matches([' ', '\t']);
        let given = match after.strip_prefix('=') {
            Some(value) if !value.starts_with(['=', '~', '>']) => Some(value),
            _ => after
                .strip_prefix("in ")
                .or_else(|| after.strip_prefix("of ")),
        };
        let Some(given) = given.filter(|_| whole) else {
            continue;
        };
        if found.is_some() {
            return None;
        }
        let end = scan(given, |depth, c| {
            depth == 0 && matches!(c, ';' | '\n' | ',' | ':' | ')' | ']' | '}')
        });
        found = Some(end.map_or(given, |(before, _)| before).trim());
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    fn calls() -> Vec<Call> {
        let call = |names: &[&str], with: &[&str], does: &[&str]| Call {
            names: names.iter().map(|n| (*n).to_owned()).collect(),
            with: with.iter().map(|n| (*n).to_owned()).collect(),
            does: does.iter().map(|n| (*n).to_owned()).collect(),
            ..Call::default()
        };
        vec![
            call(
                &["os.remove", ".unlink", "unlink", "File.delete"],
                &[],
                &["rm", "{}"],
            ),
            call(
                &["shutil.rmtree", "FileUtils.rm_rf"],
                &[],
                &["rm", "-r", "{}"],
            ),
            call(&["fs.rmSync"], &["recursive"], &["rm", "-r", "{}"]),
            call(&["*.rmdirSync"], &[], &["rm", "-r", "{}"]),
            call(&["open"], &["'w'", "\"w\""], &[">", "{}"]),
        ]
    }

    #[test]
    fn calls_are_the_commands_they_amount_to() {
        for (code, expected) in [
            ("import os; os.remove('/etc/x')", "rm /etc/x"),
            ("os.remove(\"a b\")\nos.remove(\"a b\")", "rm a b"),
            ("os.remove(path)", "rm ?"),
            ("p = '/x'\nos.remove(p)", "rm /x"),
            ("p = '/x'\np = 'y'\nos.remove(p)", "rm ?"),
            ("Path('/x').unlink()", "rm /x"),
            (
                "f = Path(\"/x\") / 'y'\nf.unlink(missing_ok=True)",
                "rm /x/y",
            ),
            ("os.remove(os.path.join(d, 'store.db'))", "rm ?/store.db"),
            ("os.remove(f'/tmp/{n}.txt')", "rm /tmp/?.txt"),
            ("shutil.rmtree(os.path.expanduser('~/x'))", "rm -r ~/x"),
            ("shutil.rmtree(Path.home() / '.cfg')", "rm -r ~/.cfg"),
            ("[os.remove(f) for f in glob.glob('*.log')]", "rm *.log"),
            ("for f in glob.glob('/etc/*'):\n  os.remove(f)", "rm /etc/*"),
            ("fs.rmSync('d', {recursive: true})", "rm -r d"),
            (
                "fs.rmSync(`/tmp/${x}`, { recursive: true })",
                "rm -r /tmp/?",
            ),
            ("fs.rmSync('d')", ""),
            ("unlink \"/etc/x\";", "rm /etc/x"),
            ("unlink $file", "rm ?"),
            ("my $file = '/etc/x'; unlink $file;", "rm /etc/x"),
            ("FileUtils.rm_rf('/var/x')", "rm -r /var/x"),
            ("open('/etc/x', 'w').write('')", "> /etc/x"),
            ("open('/etc/x').read()", ""),
            (
                "for p in Path('.').rglob('*.pyc'):\n    p.unlink()",
                "rm ./*/*.pyc",
            ),
            ("for p in Path('/etc').iterdir(): p.unlink()", "rm /etc/*"),
            ("unlink glob('/etc/*')", "rm /etc/*"),
            ("unlink <*.txt>", "rm *.txt"),
            ("require('fs').rmdirSync('d')", "rm -r d"),
            ("rmdirSync('d')", "rm -r d"),
            ("for d in (a, b): shutil.rmtree(d)", "rm -r ?"),
            (
                "d = tempfile.mkdtemp()\nshutil.rmtree(d)",
                "rm -r /tmp/tmp.?",
            ),
            (
                "shutil.rmtree(Path(__file__).parent / 'build')",
                "rm -r ?/build",
            ),
            ("print('os.remove')", ""),
            ("unlinked(x); my_os.remove", ""),
        ] {
            let found: Vec<String> = commands(&calls(), code)
                .iter()
                .map(|done| {
                    let words = done.words.iter().map(|w| w.text.replace(HOLE, "?"));
                    words.collect::<Vec<_>>().join(" ")
                })
                .collect();
            assert_eq!(found.join("; "), expected, "{code}");
        }
    }

    #[test]
    fn any_text_is_read_to_its_end() {
        for code in [
            "os.remove(",
            "os.remove('",
            ".unlink",
            "\u{fffc}os.remove(\u{e9}",
            "p=p;os.remove(p)",
        ] {
            let _ = commands(&calls(), code);
        }
    }
}
