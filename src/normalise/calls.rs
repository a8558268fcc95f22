//! Calls in the code of another language that do what a program does: `os.remove("x")` is `rm x`.
//!
//! Which calls those are is data of the packs ([`Call`]); the path is worked out by `expression`. It
//! is no parser of any language: it may see a call in a comment, and it does not see one that is
//! spelled in an unusual way.

use super::expression::{Code, arguments, receiver};
use crate::action::Value;
use crate::policy::schema::{Call, Language};

/// How many calls of one text are read.
const MOST_CALLS: usize = 256;
/// How many places that could be calls are looked at.
const MOST_PLACES: usize = 1024;
/// How many characters after and before a name are looked at.
const WINDOW: usize = 2048;

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

/// What the calls in a text amount to.
#[derive(Debug, Default)]
pub(super) struct Found {
    /// The commands, each as its words; for a redirection its operator and the file.
    pub commands: Vec<Vec<Value>>,
    /// Whether there are more calls than are read.
    pub more: bool,
}

/// The commands that the calls in a text amount to.
pub(super) fn commands(calls: &[Call], language: Language, text: &str) -> Found {
    let mut found = Found::default();
    let mut places = 0;
    let code = Code::new(language, text);
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
                places += 1;
                if found.commands.len() >= MOST_CALLS || places > MOST_PLACES {
                    found.more = true;
                    return found;
                }
                let part = first_part(after);
                let (arguments, closed) = arguments(part);
                let complete = closed
                    || part.len() == after.len()
                    || arguments.len() > usize::from(call.argument) + 1 && !call.each;
                found.more |= !complete && !name.starts_with('.');
                let inside = arguments.join(",");
                if !call.with.is_empty() && !call.with.iter().any(|w| inside.contains(w.as_str())) {
                    continue;
                }
                let paths: Vec<Value> = if name.starts_with('.') {
                    code.values(receiver(last_part(before)))
                } else if call.each {
                    arguments.iter().flat_map(|a| code.values(a)).collect()
                } else {
                    let argument = arguments.get(usize::from(call.argument));
                    argument.map_or_else(Vec::new, |a| code.values(a))
                };
                for mut path in paths {
                    // `open(F, ">/x")` has the operator in the name.
                    if call.does.first().is_some_and(|word| word.starts_with('>')) {
                        path.text = path.text.trim_start_matches(['>', '+', ' ']).to_owned();
                    }
                    if path.text.is_empty() {
                        continue;
                    }
                    let words = call.does.iter().map(|word| match word.as_str() {
                        "{}" => path.clone(),
                        word => Value::known(word),
                    });
                    let words: Vec<Value> = words.collect();
                    if !found.commands.contains(&words) {
                        found.commands.push(words);
                    }
                }
            }
        }
    }
    found
}

/// Whether a text begins with the name of a file handle of perl: `F, ">", …`.
fn is_handle(text: &str) -> bool {
    text.split_once(',')
        .is_some_and(|(name, _)| !name.is_empty() && name.chars().all(|c| c.is_ascii_uppercase()))
}

fn first_part(text: &str) -> &str {
    let end = text.char_indices().nth(WINDOW).map(|(at, _)| at);
    end.and_then(|end| text.get(..end)).unwrap_or(text)
}

fn last_part(text: &str) -> &str {
    let start = text.char_indices().rev().nth(WINDOW).map(|(at, _)| at);
    start.and_then(|start| text.get(start..)).unwrap_or(text)
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
            && (opened.starts_with(['"', '\'', '$', '@', '<', '%'])
                || opened.starts_with("glob")
                || is_handle(opened))
            && !(operator && opened.starts_with('<'));
        if opened.starts_with('(') || bare {
            return Some((before, opened));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::action::HOLE;

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

    /// Only templates and variables in text depend on it.
    fn language(code: &str) -> Language {
        match code {
            code if code.contains("unlink ") => Language::Perl,
            code if code.contains('`') => Language::Javascript,
            _ => Language::Python,
        }
    }

    #[test]
    fn calls_are_the_commands_they_amount_to() {
        for (code, expected) in [
            ("import os; os.remove('/etc/x')", "rm /etc/x"),
            ("os.remove(\"a b\")\nos.remove(\"a b\")", "rm a b"),
            ("os.remove(path)", "rm ?"),
            ("p = '/x'\nos.remove(p)", "rm /x"),
            ("p = '/x'\np = 'y'\nos.remove(p)", "rm /x; rm y"),
            ("if p in seen: os.remove(p)", "rm ?"),
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
            ("unlink %w[a b]", "rm ?"),
            ("print('os.remove')", ""),
            ("unlinked(x); my_os.remove", ""),
        ] {
            let found: Vec<String> = commands(&calls(), language(code), code)
                .commands
                .iter()
                .map(|words| {
                    let words = words.iter().map(|w| w.text.replace(HOLE, "?"));
                    words.collect::<Vec<_>>().join(" ")
                })
                .collect();
            assert_eq!(found.join("; "), expected, "{code}");
        }
    }

    #[test]
    fn what_is_too_much_is_said_to_be() {
        let many = |count: usize| {
            (0..count)
                .map(|n| format!("os.remove('{n}')\n"))
                .collect::<String>()
        };
        assert!(!commands(&calls(), Language::Python, &many(20)).more);
        assert!(commands(&calls(), Language::Python, &many(2 * MOST_CALLS)).more);
        let long = format!("unlink('a'{})", ", 'b'".repeat(WINDOW));
        let each = Call {
            names: vec!["unlink".into()],
            does: vec!["rm".into(), "{}".into()],
            each: true,
            ..Call::default()
        };
        assert!(commands(&[each], Language::Perl, &long).more);
        for part in [
            "open(",
            "os.remove(x",
            "os.remove(a+a+a+a)a=",
            "p = p / p; os.remove(p)\n",
        ] {
            assert!(
                commands(&calls(), Language::Python, &part.repeat(50_000))
                    .commands
                    .len()
                    <= MOST_CALLS
            );
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
            let _ = commands(&calls(), Language::Python, code);
        }
    }
}
