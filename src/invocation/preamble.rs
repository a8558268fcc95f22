//! What beside the text decides what the shell will do: environment and options that change how bash
//! reads, and files and functions that it executes first.
//!
//! Nothing of this is taken away from the shell, so that a line finds what it would find without
//! kibosh. What changes the grammar either becomes the dialect in which the text is read, or is a
//! reason why the text was not understood; what is executed is put before the text
//! (docs/decisions/0003-grammar-pinning.md).

use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;
use std::path::Path;

use super::text::{Text, script_at};
use super::view::View;
use super::{BASH_NAMES, Flavour, Invocation, Source};

/// What goes with a text.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Preamble {
    /// Whether it is read in POSIX mode, or by a shell that knows nothing else.
    pub posix: bool,
    /// What is executed before it, in order.
    pub before: Vec<Vec<u8>>,
    /// Why it cannot be told how it will be read, in a few words each.
    pub unclear: Vec<String>,
    /// Whether start-up files run first, so that variables may have other values.
    pub starts_up: bool,
}

/// Options that are on or off without a change in how a text is read, or what its words become.
const HARMLESS: &[&str] = &[
    "allexport",
    "autocd",
    "braceexpand",
    "cdspell",
    "checkhash",
    "checkjobs",
    "checkwinsize",
    "cmdhist",
    "complete_fullquote",
    "direxpand",
    "dirspell",
    "dotglob",
    "emacs",
    "errexit",
    "errtrace",
    "execfail",
    "extdebug",
    "extquote",
    "failglob",
    "force_fignore",
    "functrace",
    "globasciiranges",
    "globskipdots",
    "globstar",
    "gnu_errfmt",
    "hashall",
    "histappend",
    "histreedit",
    "histverify",
    "hostcomplete",
    "huponexit",
    "ignoreeof",
    "inherit_errexit",
    "interactive-comments",
    "interactive_comments",
    "lithist",
    "login_shell",
    "mailwarn",
    "monitor",
    "no_empty_cmd_completion",
    "nocaseglob",
    "nocasematch",
    "noclobber",
    "noexec",
    "noglob",
    "nolog",
    "notify",
    "nounset",
    "nullglob",
    "onecmd",
    "patsub_replacement",
    "physical",
    "pipefail",
    "privileged",
    "progcomp",
    "progcomp_alias",
    "promptvars",
    "restricted_shell",
    "shift_verbose",
    "sourcepath",
    "verbose",
    "vi",
    "xtrace",
];

/// How a text that makes aliases says so.
const ALIASES: &[&str] = &["alias", "ALIASES"];

/// The builtins that can change the gate of an interactive shell. `trap` is not one of them: there it
/// is a function that leaves the gate in its place.
const WATCHED_BY: &[&str] = &[
    "builtin", "command", "declare", "enable", "eval", "export", "readonly", "set", "shopt",
    "typeset", "unset",
];

/// What the gate is made of.
const WATCH: &[&str] = &["DEBUG", "extdebug", "functrace", "+T"];

/// Options that only matter where the text holds one of these.
const WHERE_ON: &[(&str, &[&str])] = &[
    ("extglob", &["?(", "*(", "+(", "@(", "!("]),
    ("expand_aliases", ALIASES),
    ("xpg_echo", &["\\"]),
    ("history", &["!", "^"]),
    ("histexpand", &["!", "^"]),
    ("lastpipe", &["|"]),
    ("cdable_vars", &["cd", "pushd"]),
];

/// Options that only matter where they are turned off and the text holds one of these.
const WHERE_OFF: &[(&str, &[&str])] = &[
    ("extquote", &["$'", "$\""]),
    ("interactive_comments", &["#"]),
    ("interactive-comments", &["#"]),
];

impl Preamble {
    /// What goes with the text of an invocation.
    #[must_use]
    pub fn of(invocation: &Invocation, text: &Text, view: &View) -> Self {
        let content: &[u8] = match text {
            Text::Whole(content) => content,
            Text::Nothing | Text::Stream | Text::Typed | Text::Hidden(_) => b"",
        };
        let mut preamble = Self {
            starts_up: starts_up(invocation),
            ..Self::default()
        };
        preamble.posix = invocation.flavour == Flavour::Sh || invocation.options.posix;
        for entry in view.entries() {
            preamble.add(entry, invocation, content, view);
        }
        preamble.options(invocation, content);
        preamble.start_up_files(invocation, view);
        if (preamble.posix || invocation.options.interactive) && sets_aliases(content) {
            preamble.unclear("aliases are replaced while it is read");
        }
        preamble
    }

    /// What goes with a command of a shell that is typed into: `given` sets what the shell knows.
    #[must_use]
    pub fn typed(given: &[u8], command: &[u8]) -> Self {
        let mut preamble = Self {
            before: if given.is_empty() {
                Vec::new()
            } else {
                vec![given.to_vec()]
            },
            starts_up: true,
            ..Self::default()
        };
        let word = command
            .split(|byte| byte.is_ascii_whitespace())
            .next()
            .unwrap_or_default();
        let by_builtin =
            WATCHED_BY.iter().any(|name| name.as_bytes() == word) && holds(command, WATCH);
        if by_builtin || holds(command, &["__kibosh"]) {
            preamble.unclear("it would change how this shell is watched");
        }
        preamble
    }

    /// One entry of the environment.
    fn add(&mut self, entry: &[u8], invocation: &Invocation, content: &[u8], view: &View) {
        // Most entries are none of these, and this runs at each start.
        if !matches!(entry.first(), Some(b'B' | b'E' | b'L' | b'P' | b'S')) {
            return;
        }
        let Some(equals) = entry.iter().position(|&byte| byte == b'=') else {
            return;
        };
        let (name, rest) = entry.split_at_checked(equals).unwrap_or((entry, b""));
        let value = rest.strip_prefix(b"=").unwrap_or(rest);
        match name {
            b"POSIXLY_CORRECT" | b"POSIX_PEDANTIC" => self.posix = true,
            b"SHELLOPTS" | b"BASHOPTS" => {
                for option in value.split(|&byte| byte == b':') {
                    self.option(&String::from_utf8_lossy(option), content);
                }
            }
            b"BASH_COMPAT" if !value.is_empty() => {
                self.unclear("BASH_COMPAT changes how bash reads")
            }
            b"PS4" if !is_plain_prompt(value) => self.unclear("PS4 holds commands"),
            b"BASH_ENV"
                if !invocation.options.interactive && invocation.flavour == Flavour::Bash =>
            {
                self.file("BASH_ENV", value, view);
            }
            b"ENV" if invocation.options.interactive => self.file("ENV", value, view),
            b"LC_ALL" | b"LC_CTYPE" | b"LANG"
                if !content.is_ascii() && !is_usual_charset(value) =>
            {
                self.unclear("the locale's characters are not those of UTF-8");
            }
            b"LOCPATH" if !content.is_ascii() && !value.is_empty() => {
                self.unclear("LOCPATH changes the locale")
            }
            _ => self.function(name, value, invocation),
        }
    }

    /// An exported function: a definition that stands before the text.
    fn function(&mut self, name: &[u8], value: &[u8], invocation: &Invocation) {
        let Some(name) = name
            .strip_prefix(b"BASH_FUNC_")
            .and_then(|name| name.strip_suffix(b"%%"))
        else {
            return;
        };
        if !value.starts_with(b"() {") || invocation.options.privileged || is_dash(invocation) {
            return;
        }
        self.before.push([name, b" ", value].concat());
    }

    /// The options of the command line.
    fn options(&mut self, invocation: &Invocation, content: &[u8]) {
        let options = &invocation.options;
        if options.keyword {
            self.option("keyword", content);
        }
        for name in &options.named {
            self.option(name, content);
        }
        for name in &options.unset {
            let used = WHERE_OFF.iter().find(|(option, _)| option == name);
            if used.is_some_and(|(_, texts)| holds(content, texts)) {
                self.unclear(&format!("the option {name} is off"));
            }
        }
    }

    /// An option that is on.
    fn option(&mut self, name: &str, content: &[u8]) {
        match name {
            "posix" => self.posix = true,
            "" => {}
            _ if HARMLESS.contains(&name) => {}
            _ => {
                let used = WHERE_ON.iter().find(|(option, _)| *option == name);
                if used.is_none_or(|(_, texts)| holds(content, texts)) {
                    self.unclear(&format!("the option {name} changes how bash reads"));
                }
            }
        }
    }

    /// Files that are executed first, where they are not the ones of the machine and the person.
    fn start_up_files(&mut self, invocation: &Invocation, view: &View) {
        let options = &invocation.options;
        if let Some(file) = options.rc_file.and_then(|place| invocation.word(place))
            && options.interactive
            && !options.login
        {
            self.read(file.as_bytes(), view);
        }
        let reads_home = (options.login && !options.no_profile)
            || (options.interactive && !options.no_rc)
            || runs_remotely(invocation, view);
        if !reads_home {
            return;
        }
        let Some(home) = view.variable("HOME").filter(|home| !is_own_home(home)) else {
            return;
        };
        let mut names: Vec<&str> = Vec::new();
        if options.login {
            names.extend([".bash_profile", ".bash_login", ".profile"]);
        }
        if !options.login || options.interactive {
            names.push(".bashrc");
        }
        for name in names {
            self.read(Path::new(home).join(name).as_os_str().as_bytes(), view);
        }
    }

    /// A file that a variable names; bash expands the value as if in double quotes.
    fn file(&mut self, variable: &str, value: &[u8], view: &View) {
        let home = view.variable("HOME").unwrap_or_default();
        let expanded = match value
            .strip_prefix(b"$HOME/")
            .or_else(|| value.strip_prefix(b"${HOME}/"))
        {
            Some(rest) => [home.as_bytes(), b"/", rest].concat(),
            None => value.to_vec(),
        };
        if expanded.iter().any(|byte| b"$`\\\"".contains(byte)) {
            self.unclear(&format!("{variable} is not a plain path"));
        } else if !expanded.is_empty() {
            self.read(&expanded, view);
        }
    }

    /// The content of a file that is executed first.
    fn read(&mut self, name: &[u8], view: &View) {
        match script_at(Path::new(OsStr::from_bytes(name)), view) {
            Text::Whole(content) => self.before.push(content),
            Text::Nothing => {}
            Text::Hidden(_) | Text::Stream | Text::Typed => {
                self.unclear("a file that is executed first cannot be read");
            }
        }
    }

    fn unclear(&mut self, why: &str) {
        if !self.unclear.iter().any(|known| known == why) {
            self.unclear.push(why.to_owned());
        }
    }
}

/// Whether start-up files of the machine or the person run first.
fn starts_up(invocation: &Invocation) -> bool {
    invocation.options.login || invocation.options.interactive || invocation.options.debugger
}

/// Whether bash takes itself for one that a remote shell daemon started, and then reads `~/.bashrc`
/// (`run_startup_files` in its source).
fn runs_remotely(invocation: &Invocation, view: &View) -> bool {
    let Source::Command(_) = invocation.source else {
        return false;
    };
    let outermost = view
        .variable("SHLVL")
        .and_then(OsStr::to_str)
        .is_none_or(|level| level.trim().parse::<i64>().unwrap_or(0) < 1);
    outermost
        && (view.variable("SSH_CLIENT").is_some()
            || view.variable("SSH2_CLIENT").is_some()
            || !view.input_is_terminal())
}

/// Whether `HOME` is the home directory that the password database names.
fn is_own_home(home: &OsStr) -> bool {
    let user = nix::unistd::User::from_uid(nix::unistd::geteuid());
    user.ok()
        .flatten()
        .is_some_and(|user| user.dir.as_os_str() == home)
}

/// Whether the shell is dash, which takes no functions from the environment.
fn is_dash(invocation: &Invocation) -> bool {
    if invocation.flavour == Flavour::Bash {
        return false;
    }
    match &invocation.program {
        Some(name) => !BASH_NAMES.contains(&name.as_str()),
        None => is_dash_here(),
    }
}

/// Whether the `sh` of this machine is dash.
fn is_dash_here() -> bool {
    std::fs::canonicalize("/bin/sh").is_ok_and(|shell| shell.ends_with("dash"))
}

/// Whether a text holds one of these.
fn holds(content: &[u8], texts: &[&str]) -> bool {
    texts.iter().any(|text| {
        content
            .windows(text.len())
            .any(|part| part == text.as_bytes())
    })
}

/// Whether aliases may be set; a word such as `alias.x` is none of the shell's, and without something that
/// is or may become a `=` none is set.
fn sets_aliases(content: &[u8]) -> bool {
    let may_set = content.iter().any(|byte| b"=$`*?[".contains(byte));
    may_set
        && ALIASES.iter().any(|text| {
            let mut parts = content.windows(text.len()).enumerate();
            parts.any(|(at, part)| {
                part == text.as_bytes() && content.get(at + text.len()) != Some(&b'.')
            })
        })
}

/// Whether a locale's characters are ASCII or UTF-8, or single bytes above ASCII.
fn is_usual_charset(locale: &[u8]) -> bool {
    let locale = String::from_utf8_lossy(locale).to_ascii_lowercase();
    let charset = locale
        .split('@')
        .next()
        .and_then(|name| name.split_once('.'))
        .map(|(_, charset)| charset);
    match charset {
        None => matches!(locale.as_str(), "" | "c" | "posix"),
        Some(charset) => {
            let charset: String = charset
                .chars()
                .filter(char::is_ascii_alphanumeric)
                .collect();
            charset == "utf8" || charset.starts_with("iso8859")
        }
    }
}

/// Whether a prompt holds only text, escapes and variables that are put in as they are.
fn is_plain_prompt(value: &[u8]) -> bool {
    let mut rest = value;
    while let Some(at) = rest.iter().position(|byte| b"$`".contains(byte)) {
        let Some((_, from)) = rest.split_at_checked(at) else {
            return false;
        };
        let Some(after) = from.strip_prefix(b"$") else {
            return false;
        };
        rest = match after.split_first() {
            Some((b'{', inner)) => match plain_parameter(inner) {
                Some(behind) => behind,
                None => return false,
            },
            Some((b'(' | b'[' | b'\'' | b'"', _)) => return false,
            _ => after,
        };
    }
    true
}

/// What follows a `${NAME}` or `${NAME[digits]}`; none for any other form, which may run something.
fn plain_parameter(inner: &[u8]) -> Option<&[u8]> {
    let end = inner
        .iter()
        .position(|byte| !(byte.is_ascii_alphanumeric() || *byte == b'_'))?;
    let (_, rest) = inner.split_at_checked(end)?;
    let rest = match rest.strip_prefix(b"[") {
        Some(subscript) => {
            let end = subscript.iter().position(|byte| !byte.is_ascii_digit())?;
            subscript.split_at_checked(end)?.1.strip_prefix(b"]")?
        }
        None => rest,
    };
    rest.strip_prefix(b"}")
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::ffi::CString;

    fn invocation(words: &[&str]) -> Invocation {
        Invocation::new(
            words
                .iter()
                .map(|word| CString::new(*word).unwrap())
                .collect(),
        )
    }

    fn with(entries: &[&str], words: &[&str]) -> Preamble {
        let invocation = invocation(words);
        let content = words.last().map(|word| word.as_bytes()).unwrap_or_default();
        let mut preamble = Preamble::default();
        for entry in entries {
            preamble.add(entry.as_bytes(), &invocation, content, &View::own());
        }
        preamble.options(&invocation, content);
        preamble
    }

    #[test]
    fn an_ordinary_environment_changes_nothing() {
        let entries = [
            "PATH=/bin",
            "SHELL=/x/kibosh",
            "LANG=C.UTF-8",
            "PS4=+ ${BASH_SOURCE}:$LINENO: ",
            "SHLVL=2",
        ];
        assert_eq!(
            with(&entries, &["bash", "-c", "echo ü"]),
            Preamble::default()
        );
        let options =
            ["SHELLOPTS=braceexpand:hashall:interactive-comments:errexit:nounset:pipefail:xtrace"];
        assert_eq!(
            with(&options, &["bash", "-c", "echo hi"]),
            Preamble::default()
        );
    }

    #[test]
    fn posix_mode_is_read_as_such_wherever_it_comes_from() {
        for entry in [
            "POSIXLY_CORRECT=",
            "POSIX_PEDANTIC=1",
            "SHELLOPTS=errexit:posix",
        ] {
            assert!(with(&[entry], &["bash", "-c", "x"]).posix, "{entry}");
        }
        for words in [
            &["bash", "--posix", "-c", "x"][..],
            &["bash", "-o", "posix", "-c", "x"],
            &["sh", "-c", "x"],
        ] {
            assert!(
                Preamble::of(&invocation(words), &Text::Nothing, &View::own()).posix,
                "{words:?}"
            );
        }
    }

    #[test]
    fn what_changes_the_grammar_is_unclear_only_where_the_text_could_differ() {
        for (entry, text, unclear) in [
            ("BASHOPTS=extglob", "echo hi", 0),
            ("BASHOPTS=extglob", "!(rm x)", 1),
            ("BASHOPTS=expand_aliases", "x", 0),
            ("BASHOPTS=expand_aliases", "alias x=y\nx", 1),
            ("BASHOPTS=compat42", "x", 1),
            ("BASHOPTS=something_new", "x", 1),
            ("SHELLOPTS=keyword", "x", 1),
            ("SHELLOPTS=history:histexpand", "echo hi", 0),
            ("SHELLOPTS=history:histexpand", "echo !x", 2),
            ("BASH_COMPAT=3.2", "x", 1),
            ("BASH_COMPAT=", "x", 0),
            ("PS4=$(rm x)", "x", 1),
            ("PS4=`rm x`", "x", 1),
            ("PS4=${a[x]}", "x", 1),
            ("PS4=${x@P}", "x", 1),
            ("LC_ALL=ja_JP.SJIS", "x", 0),
            ("LC_ALL=ja_JP.SJIS", "ü", 1),
            ("LC_ALL=ja_JP.eucJP", "ü", 1),
            ("LANG=de_DE@euro", "ü", 1),
            ("LANG=de_DE.ISO-8859-1", "ü", 0),
            ("LANG=en_US.UTF-8", "ü", 0),
            ("BASH_ENV=$(rm x)", "x", 1),
            ("BASH_ENV=/no/such/file", "x", 0),
        ] {
            assert_eq!(
                with(&[entry], &["bash", "-c", text]).unclear.len(),
                unclear,
                "{entry} {text}"
            );
        }
        assert_eq!(
            with(&[], &["bash", "-O", "extglob", "-c", "@(a)"])
                .unclear
                .len(),
            1
        );
        assert_eq!(with(&[], &["bash", "-k", "-c", "x"]).unclear.len(), 1);
        assert_eq!(
            with(
                &[],
                &["bash", "+O", "extquote", "-c", "echo \"${x:-$'a'}\""]
            )
            .unclear
            .len(),
            1
        );
    }

    #[test]
    fn an_exported_function_is_a_definition_before_the_text() {
        let entry = "BASH_FUNC_ls%%=() {  rm -rf x\n}";
        assert_eq!(
            with(&[entry], &["bash", "-c", "ls"]).before,
            [b"ls () {  rm -rf x\n}".to_vec()]
        );
        assert!(
            with(&[entry], &["bash", "-p", "-c", "ls"])
                .before
                .is_empty()
        );
        assert!(
            with(&["BASH_FUNC_ls%%=x"], &["bash", "-c", "ls"])
                .before
                .is_empty()
        );
    }
}
