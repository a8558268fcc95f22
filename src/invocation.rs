//! How kibosh was called: argv0, options, text and where it comes from.
//!
//! Takes the argument vector, as execve(2) gave it, and gives an [`Invocation`]. Options are read as
//! bash(1) and dash(1) read them, because a word that is mistaken for the command hides the command.
//! It runs nothing, opens no script and holds no rule.

mod options;
mod preamble;
mod text;

mod view;

mod process;

mod verb;

use std::ffi::{CString, OsStr};
use std::os::unix::ffi::OsStrExt;

pub use options::Options;
pub use preamble::Preamble;
pub use text::{Fed, Text, Wanted};
pub use verb::{VERBS, is_verb};
pub use view::View;

/// Which shell was asked for, by the name that kibosh was called with.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Flavour {
    /// bash, under whatever name.
    #[default]
    Bash,
    /// `sh`.
    Sh,
}

/// The names of bash.
pub(crate) const BASH_NAMES: &[&str] = &["bash", "rbash"];

/// The names of shells that only know POSIX, or are told by their name to keep to it.
const SH_NAMES: &[&str] = &["sh", "dash"];

/// Whether a program of this base name is a shell that is read as one.
#[must_use]
pub fn is_shell(name: &str) -> bool {
    BASH_NAMES.contains(&name) || SH_NAMES.contains(&name)
}

/// Where the commands come from. Places are positions in [`Invocation::argv`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Source {
    /// `-c`: the text is at this place.
    Command(usize),
    /// The file named at this place.
    File(usize),
    /// Standard input, without prompts.
    Input,
    /// A person or program that types, with prompts.
    Typed,
    /// None: the shell only says its version, its usage or what is wrong with its options. Only this
    /// many words may be passed on, so that nothing can run even where this was misread.
    Nothing(usize),
}

/// How kibosh was called.
#[derive(Clone, Debug)]
pub struct Invocation {
    /// The argument vector, argv0 first.
    pub argv: Vec<CString>,
    /// Which shell was asked for.
    pub flavour: Flavour,
    /// The options that bear on reading and starting.
    pub options: Options,
    /// Where the commands come from.
    pub source: Source,
    /// The place of the first positional parameter (`$1`).
    pub parameters: usize,
    /// Whether to judge and say, but run nothing.
    pub dry_run: bool,
    /// The name of the program itself, where it is known which one will read the text.
    pub program: Option<String>,
}

impl Invocation {
    /// Reads an argument vector of kibosh. Looks at standard input and standard error only to tell whether
    /// they are terminals, where bash does.
    #[must_use]
    pub fn new(argv: Vec<CString>) -> Self {
        Self::called_as(argv, || View::own().is_typed_into())
    }

    /// Reads an argument vector of a real shell: `program` is the name of its file, whatever argv0 says.
    #[must_use]
    pub fn of_shell(argv: Vec<CString>, program: &str, view: &View) -> Self {
        // bash looks at argv0 too (bash(1), INVOCATION), dash does not.
        let by_name = argv.first().map(|word| base_name(word.to_bytes())) == Some(b"sh");
        let flavour = match program {
            name if BASH_NAMES.contains(&name) && !by_name => Flavour::Bash,
            _ => Flavour::Sh,
        };
        Self {
            program: Some(program.to_owned()),
            ..Self::read(argv, flavour, || view.is_typed_into())
        }
    }

    /// As [`Self::new`], with the terminals given.
    fn called_as(mut argv: Vec<CString>, terminals: impl FnOnce() -> bool) -> Self {
        let dry_run = takes_dry_run(&argv);
        if dry_run {
            argv.remove(1);
        }
        let flavour = flavour(&argv);
        Self {
            dry_run,
            ..Self::read(argv, flavour, terminals)
        }
    }

    /// Reads the words of a shell.
    fn read(argv: Vec<CString>, flavour: Flavour, terminals: impl FnOnce() -> bool) -> Self {
        let read = options::read(&argv, flavour);
        let next = read.next;
        let (source, parameters) = match read.fault {
            Some(words) => (Source::Nothing(words), argv.len()),
            None if read.command && next < argv.len() => {
                (Source::Command(next), next.saturating_add(2))
            }
            None if read.command => (Source::Nothing(argv.len()), argv.len()),
            None => {
                let operand = next < argv.len() && !read.input;
                let typed = read.options.interactive || (!operand && terminals());
                match (operand, typed) {
                    (true, _) => (Source::File(next), next.saturating_add(1)),
                    (false, true) => (Source::Typed, next),
                    (false, false) => (Source::Input, next),
                }
            }
        };
        let mut options = read.options;
        options.interactive |= source == Source::Typed;
        Self {
            argv,
            flavour,
            options,
            source,
            parameters,
            dry_run: false,
            program: None,
        }
    }

    /// A command of a shell that is typed into.
    #[must_use]
    pub fn typed() -> Self {
        Self {
            argv: Vec::new(),
            flavour: Flavour::Bash,
            options: Options::default(),
            source: Source::Typed,
            parameters: 0,
            dry_run: false,
            program: None,
        }
    }

    /// The word at a place of the argument vector.
    #[must_use]
    pub fn word(&self, place: usize) -> Option<&OsStr> {
        self.argv
            .get(place)
            .map(|word| OsStr::from_bytes(word.to_bytes()))
    }

    /// The name that kibosh was called by, without folders and the `-` of a login shell.
    #[must_use]
    pub fn called(&self) -> &OsStr {
        OsStr::from_bytes(base_name(
            self.argv.first().map_or(b"", |word| word.to_bytes()),
        ))
    }

    /// The words that the text is given: `$1` and those after it, and behind `-c` its `$0`.
    #[must_use]
    pub fn given(&self) -> &[CString] {
        let first = match self.source {
            Source::Command(place) => place.saturating_add(1),
            Source::Nothing(_) => self.argv.len(),
            Source::File(_) | Source::Input | Source::Typed => self.parameters,
        };
        self.argv.get(first..).unwrap_or_default()
    }

    /// `$1` and those after it.
    pub fn positional(&self) -> impl Iterator<Item = &OsStr> {
        self.argv
            .iter()
            .skip(self.parameters)
            .map(|word| OsStr::from_bytes(word.to_bytes()))
    }
}

/// The option by which a shell that is typed into asks before each command.
pub const JUDGE_TYPED: &str = "--judge-typed";

/// What such a shell asks about: what it knows, as text that sets it, and the command.
#[must_use]
pub fn typed(argv: &[CString]) -> Option<(&[u8], &[u8])> {
    match argv {
        [_, option, given, command] if option.as_bytes() == JUDGE_TYPED.as_bytes() => {
            Some((given.as_bytes(), command.as_bytes()))
        }
        _ => None,
    }
}

/// The last component of argv0, without the `-` by which login(1) marks a login shell.
fn base_name(argv0: &[u8]) -> &[u8] {
    let base = argv0.rsplit(|&byte| byte == b'/').next().unwrap_or(argv0);
    base.strip_prefix(b"-").unwrap_or(base)
}

/// Whether the first word is kibosh's own option; called as another shell it has none.
fn takes_dry_run(argv: &[CString]) -> bool {
    let name = argv.first().map(|word| word.to_bytes()).unwrap_or_default();
    base_name(name) == b"kibosh"
        && !name.starts_with(b"-")
        && argv
            .get(1)
            .is_some_and(|word| word.to_bytes() == b"--dry-run")
}

fn flavour(argv: &[CString]) -> Flavour {
    match argv.first().map(|word| base_name(word.to_bytes())) {
        Some(b"sh" | b"dash") => Flavour::Sh,
        _ => Flavour::Bash,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn invocation(words: &[&str]) -> Invocation {
        let argv = words
            .iter()
            .map(|word| CString::new(*word).unwrap())
            .collect();
        Invocation::called_as(argv, || false)
    }

    fn command(words: &[&str]) -> Option<(String, Vec<String>)> {
        let invocation = invocation(words);
        let Source::Command(place) = invocation.source else {
            return None;
        };
        let text = invocation.word(place)?.to_string_lossy().into_owned();
        Some((
            text,
            invocation
                .positional()
                .map(|word| word.to_string_lossy().into_owned())
                .collect(),
        ))
    }

    #[test]
    fn the_command_is_the_first_operand_wherever_c_stands() {
        for words in [
            &["kibosh", "-c", "CMD"][..],
            &["bash", "-lc", "CMD"],
            &["bash", "-cl", "CMD"],
            &["bash", "-c", "-l", "CMD"],
            &["bash", "-l", "-c", "CMD"],
            &["bash", "-l", "-i", "-c", "CMD"],
            &["bash", "-ic", "CMD"],
            &["bash", "--norc", "--noprofile", "-c", "CMD"],
            &["bash", "-norc", "-c", "CMD"],
            &["bash", "--rcfile", "-c", "-c", "CMD"],
            &["bash", "-c", "--", "CMD"],
            &["bash", "-c", "-", "CMD"],
            &["bash", "-eux", "-o", "pipefail", "-c", "CMD"],
            &["bash", "-euxo", "pipefail", "-c", "CMD"],
            &["bash", "-ceo", "pipefail", "CMD"],
            &["bash", "-oOc", "posix", "extglob", "CMD"],
            &["bash", "-abouo", "emacs", "ignoreeof", "-hPc", "CMD"],
            &["bash", "+O", "extglob", "+x", "-c", "CMD"],
            &["bash", "+c", "CMD"],
            &["bash", "-sc", "CMD"],
            &["sh", "-c", "CMD"],
            &["-bash", "-c", "CMD"],
            &["/usr/lib/kibosh/bash", "-c", "CMD"],
        ] {
            assert_eq!(command(words), Some(("CMD".into(), vec![])), "{words:?}");
        }
    }

    #[test]
    fn the_words_after_the_command_are_its_name_and_its_parameters() {
        assert_eq!(
            command(&["bash", "-c", "CMD", "name", "-x", "two"]),
            Some(("CMD".into(), vec!["-x".into(), "two".into()]))
        );
        assert_eq!(
            command(&["bash", "-c", "CMD", "name"]),
            Some(("CMD".into(), vec![]))
        );
    }

    #[test]
    fn an_operand_is_a_script_unless_input_was_asked_for() {
        for (words, source) in [
            (&["bash", "file", "-c", "x"][..], Source::File(1)),
            (&["bash", "-x", "file"], Source::File(2)),
            (&["bash", "--", "-file"], Source::File(2)),
            (&["bash", "-", "file"], Source::File(2)),
            (&["bash", "-i", "file"], Source::File(2)),
            (&["bash", "-s", "a", "b"], Source::Input),
            (&["bash", "-s", "--", "-x"], Source::Input),
            (&["bash"], Source::Input),
            (&["bash", "-i"], Source::Typed),
            (&["-bash"], Source::Input),
            (&["sh", "-i", "-s"], Source::Typed),
            (&["bash", ""], Source::File(1)),
        ] {
            assert_eq!(invocation(words).source, source, "{words:?}");
        }
    }

    #[test]
    fn on_terminals_a_shell_without_operands_is_typed_into() {
        let read = |words: &[&str]| {
            let argv = words
                .iter()
                .map(|word| CString::new(*word).unwrap())
                .collect();
            Invocation::called_as(argv, || true).source
        };
        assert_eq!(read(&["bash"]), Source::Typed);
        assert_eq!(read(&["bash", "-s", "x"]), Source::Typed);
        assert_eq!(read(&["bash", "x"]), Source::File(1));
        assert_eq!(read(&["bash", "-c", "x"]), Source::Command(2));
    }

    #[test]
    fn what_only_prints_or_fails_is_passed_on_without_the_words_after_it() {
        for (words, passed) in [
            (&["bash", "--version", "-c", "CMD"][..], 2),
            (&["bash", "--help", "x"], 2),
            (&["bash", "--nonsense", "-c", "CMD"], 2),
            (&["bash", "-q", "-c", "CMD"], 2),
            (&["bash", "-cq", "CMD"], 2),
            (&["bash", "-c"], 2),
            (&["bash", "-c", "-x"], 3),
            (&["bash", "--rcfile"], 2),
        ] {
            assert_eq!(
                invocation(words).source,
                Source::Nothing(passed),
                "{words:?}"
            );
        }
    }

    #[test]
    fn a_long_option_after_a_short_one_is_read_as_letters() {
        assert_eq!(
            invocation(&["bash", "-x", "--norc", "file"]).source,
            Source::Nothing(3)
        );
    }

    #[test]
    fn a_dry_run_is_an_option_of_kibosh_only() {
        let dry = invocation(&["/x/kibosh", "--dry-run", "-c", "x"]);
        assert_eq!((dry.dry_run, dry.source), (true, Source::Command(2)));
        assert_eq!(
            invocation(&["bash", "--dry-run", "-c", "x"]).source,
            Source::Nothing(2)
        );
    }

    #[test]
    fn the_flavour_follows_the_name() {
        for (name, expected) in [
            ("sh", Flavour::Sh),
            ("-sh", Flavour::Sh),
            ("/bin/sh", Flavour::Sh),
            ("/x/dash", Flavour::Sh),
            ("bash", Flavour::Bash),
            ("kibosh", Flavour::Bash),
            ("rbash", Flavour::Bash),
            ("", Flavour::Bash),
        ] {
            assert_eq!(invocation(&[name]).flavour, expected, "{name}");
        }
    }
}
